//! Seeds: one by chance, and one after another.

use std::hash::{BuildHasher, RandomState};

use nmr_models::seed::{GAMMA, split_mix};

/// A seed that is short enough to be read out.
#[must_use]
pub fn random() -> u64 {
    RandomState::new().hash_one(()) >> 32
}

/// The seed after a crash: a fixed function of the one before that spreads neighbours, so that two
/// nights with seeds in a row do not meet. As short.
#[must_use]
pub const fn next(seed: u64) -> u64 {
    split_mix(seed.wrapping_add(GAMMA)) >> 32
}

#[cfg(test)]
mod tests {
    use super::next;

    #[test]
    fn seeds_after_a_crash_are_fixed_and_far_apart() {
        assert_eq!(next(7), 1_674_306_020);
        assert!(next(7).abs_diff(next(8)) > 1_000);
        assert_ne!(next(next(7)), next(7));
    }
}
