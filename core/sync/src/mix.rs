//! A hash of 128 bits, the same in every build and on every machine: quick, and good enough to tell apart what
//! nobody makes up to be confused.

use std::hash::Hasher;

/// Two words of state, into each of which every eight bytes that come are multiplied.
pub(crate) struct Mix {
    one: u64,
    other: u64,
    /// Bytes that are not yet a word, the first one lowest.
    tail: u64,
    /// How many bits of it are taken: less than 64.
    taken: u32,
}

impl Mix {
    pub(crate) const fn new() -> Self {
        Self {
            one: 0x9FB2_1C65_1E98_DF25,
            other: 0xC2B2_AE3D_27D4_EB4F,
            tail: 0,
            taken: 0,
        }
    }

    #[inline]
    const fn absorb(&mut self, word: u64) {
        let one = fold(self.one ^ word, 0xD6E8_FEB8_6659_FD93);
        let other = fold(self.other ^ word.rotate_left(32), 0xA24B_AED4_963E_E407);
        self.one = one.rotate_left(29).wrapping_add(self.other);
        self.other = other.rotate_left(17) ^ word;
    }

    /// Takes the lowest `bits` of `value`: 8, 16 or 32.
    #[inline(always)]
    const fn push(&mut self, value: u64, bits: u32) {
        self.tail |= value << self.taken;
        self.taken += bits;
        if self.taken >= 64 {
            let word = self.tail;
            self.taken -= 64;
            self.absorb(word);
            self.tail = match self.taken {
                0 => 0,
                left => value >> (bits - left),
            };
        }
    }

    pub(crate) fn finish128(&self) -> u128 {
        let tail = self.tail ^ u64::from(self.taken).rotate_right(8);
        let high = fold(self.one ^ tail, self.other ^ 0x5851_F42D_4C95_7F2D);
        let low = fold(
            self.other ^ 0xA5CB_9243_F1E5_6E5B,
            self.one.rotate_left(32) ^ high,
        );
        let (high, low) = (
            high ^ tail.rotate_left(23),
            fold(low ^ tail, 0x8CB9_2BA7_2F3D_8DD7),
        );
        u128::from(high) << 64 | u128::from(low)
    }
}

/// Both halves of the product.
#[inline]
const fn fold(one: u64, other: u64) -> u64 {
    let product = one as u128 * other as u128;
    product as u64 ^ (product >> 64) as u64
}

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.finish128() as u64
    }

    #[inline(always)]
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.push(byte.into(), 8);
        }
    }

    #[inline(always)]
    fn write_u8(&mut self, value: u8) {
        self.push(value.into(), 8);
    }

    #[inline(always)]
    fn write_u16(&mut self, value: u16) {
        self.push(value.into(), 16);
    }

    #[inline(always)]
    fn write_u32(&mut self, value: u32) {
        self.push(value.into(), 32);
    }

    #[inline(always)]
    fn write_u64(&mut self, value: u64) {
        self.push(value & 0xFFFF_FFFF, 32);
        self.push(value >> 32, 32);
    }

    #[inline(always)]
    fn write_u128(&mut self, value: u128) {
        self.write_u64(value as u64);
        self.write_u64((value >> 64) as u64);
    }

    /// Lengths, most of which are small.
    #[inline(always)]
    fn write_usize(&mut self, value: usize) {
        match u8::try_from(value) {
            Ok(value @ 0..=0xFE) => self.push(value.into(), 8),
            _ => {
                self.push(0xFF, 8);
                self.write_u64(value as u64);
            }
        }
    }

    /// The numbers of variants.
    #[inline(always)]
    fn write_isize(&mut self, value: isize) {
        self.write_usize(value as usize);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn of(write: impl FnOnce(&mut Mix)) -> u128 {
        let mut mix = Mix::new();
        write(&mut mix);
        mix.finish128()
    }

    #[test]
    fn bytes_are_told_apart_at_every_length() {
        let mut seen = HashSet::new();
        for length in 0..40 {
            let zeros = vec![0; length];
            assert!(seen.insert(of(|mix| mix.write(&zeros))), "{length} zeros");
            for place in 0..length {
                let mut one = zeros.clone();
                one[place] = 1;
                assert!(
                    seen.insert(of(|mix| mix.write(&one))),
                    "{length}, 1 at {place}"
                );
            }
        }
    }

    #[test]
    fn it_does_not_matter_how_bytes_are_cut_into_numbers() {
        let bytes: Vec<u8> = (1..=11).collect();
        let cut = of(|mix| {
            mix.write_u8(1);
            mix.write_u16(u16::from_le_bytes([2, 3]));
            mix.write_u32(u32::from_le_bytes([4, 5, 6, 7]));
            mix.write_u32(u32::from_le_bytes([8, 9, 10, 11]));
        });
        assert_eq!(cut, of(|mix| mix.write(&bytes)));
    }

    #[test]
    fn a_bit_changes_about_half_of_the_hash() {
        let before = of(|mix| mix.write_u64(0));
        for bit in 0..64 {
            let changed = (of(|mix| mix.write_u64(1 << bit)) ^ before).count_ones();
            assert!((40..=88).contains(&changed), "bit {bit}: {changed}");
        }
    }
}
