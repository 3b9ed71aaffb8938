//! A hash of 128 bits of a few words, the same in every build and on every machine: quick, and good enough to
//! tell apart what nobody makes up to be confused.

use std::hash::Hasher;

/// Two words of state, into each of which every word that comes is multiplied.
pub(crate) struct Mix {
    one: u64,
    other: u64,
}

impl Mix {
    pub(crate) const fn new() -> Self {
        Self {
            one: 0x9FB2_1C65_1E98_DF25,
            other: 0xC2B2_AE3D_27D4_EB4F,
        }
    }

    #[inline]
    fn word(&mut self, word: u64) {
        let one = fold(self.one ^ word, 0xD6E8_FEB8_6659_FD93);
        let other = fold(self.other ^ word.rotate_left(32), 0xA24B_AED4_963E_E407);
        self.one = one.rotate_left(29).wrapping_add(self.other);
        self.other = other.rotate_left(17) ^ word;
    }

    pub(crate) fn finish128(&self) -> u128 {
        let high = fold(self.one ^ 0x8CB9_2BA7_2F3D_8DD7, self.other ^ 0x5851_F42D_4C95_7F2D);
        let low = fold(self.other ^ 0xA5CB_9243_F1E5_6E5B, self.one.rotate_left(32) ^ high);
        u128::from(high) << 64 | u128::from(low)
    }
}

/// Both halves of the product.
#[inline]
fn fold(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    product as u64 ^ (product >> 64) as u64
}

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.finish128() as u64
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.word(u64::from_le_bytes(word));
        }
        self.word(bytes.len() as u64);
    }

    #[inline]
    fn write_u8(&mut self, value: u8) {
        self.word(value.into());
    }

    #[inline]
    fn write_u16(&mut self, value: u16) {
        self.word(value.into());
    }

    #[inline]
    fn write_u32(&mut self, value: u32) {
        self.word(value.into());
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        self.word(value);
    }

    #[inline]
    fn write_u128(&mut self, value: u128) {
        self.word(value as u64);
        self.word((value >> 64) as u64);
    }

    #[inline]
    fn write_usize(&mut self, value: usize) {
        self.word(value as u64);
    }

    #[inline]
    fn write_isize(&mut self, value: isize) {
        self.word(value as u64);
    }
}
