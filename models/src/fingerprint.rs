//! A hash of 64 bits that is the same in every build and on every machine.

use std::hash::{Hash, Hasher};

use rustc_stable_hash::StableSipHasher128;

/// The hash of something, under the [symmetry](crate::symmetry) that is current.
pub(crate) fn fingerprint(value: &impl Hash) -> u64 {
    let mut hasher = StableSipHasher128::new();
    value.hash(&mut hasher);
    Hasher::finish(&hasher)
}
