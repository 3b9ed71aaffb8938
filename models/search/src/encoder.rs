//! The canonical byte string of a state, and the fingerprint that stands for it.
//!
//! Numbers are written with a fixed width, lowest byte first, so that a fingerprint is the same on every
//! machine. Nothing separates what is written: whatever has a length writes it, or states that differ may
//! have one encoding.

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_128;

/// Bits of a [`Fingerprint`].
pub(crate) const FINGERPRINT_BITS: u32 = 128;

/// The hash of an encoding (XXH3 with 128 bits), that stands for the state. The same on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fingerprint(pub(crate) u128);

/// A buffer for the encoding of a state.
///
/// ```
/// let mut encoder = nmr_search::Encoder::default();
/// encoder.put_u8(1);
/// encoder.put_u16(0x0203);
/// assert_eq!(encoder.as_bytes(), [1, 3, 2]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Encoder {
    bytes: Vec<u8>,
}

impl Encoder {
    /// Writes a byte.
    #[inline]
    pub fn put_u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    /// Writes a byte, 0 or 1.
    #[inline]
    pub fn put_bool(&mut self, value: bool) {
        self.put_u8(u8::from(value));
    }

    /// Writes two bytes, the lower one first.
    #[inline]
    pub fn put_u16(&mut self, value: u16) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// Writes four bytes, the lowest one first.
    #[inline]
    pub fn put_u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// Writes eight bytes, the lowest one first.
    #[inline]
    pub fn put_u64(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// Writes sixteen bytes, the lowest one first.
    #[inline]
    pub fn put_u128(&mut self, value: u128) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// Writes the bytes as they are, without their number.
    #[inline]
    pub fn put_bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// What was written since the encoder was made or cleared.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Forgets what was written, and keeps the room for it.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// The fingerprint of what was written.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(XxHash3_128::oneshot(&self.bytes))
    }
}
