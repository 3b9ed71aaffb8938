//! The series of scenarios of a seed and a shard: the same on every machine.

use nmr_models::scenario::Scenario;
use nmr_models::seed::{GAMMA, split_mix};
use nmr_models::shard::Shard;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, RngSeed, TestRng, TestRunner};

use super::generate::scenarios;
use super::mutate::{Numbers, mutated};
use super::weights::Weights;

/// The version of the generator and of the engines' choices: it changes when the same seed no longer
/// gives the same series.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "/6");

/// The seed of one scenario of a series, and of the engines that explore it: the `index`-th (from 0)
/// output of SplitMix64 that starts from `seed`,
/// shifted by 2³² outputs for each shard, so that the shards of a seed never share one.
#[must_use]
pub const fn scenario_seed(seed: u64, shard: Shard, index: u32) -> u64 {
    let position = ((shard.index() as u64) << 32) + index as u64 + 1;
    split_mix(seed.wrapping_add(GAMMA.wrapping_mul(position)))
}

/// The scenario of a seed that [`scenario_seed`] gave, of all features as usual.
///
/// # Panics
/// Never: nothing in the generator is rejected.
#[must_use]
pub fn scenario(seed: u64) -> Scenario {
    weighted(seed, &Weights::USUAL)
}

/// The scenario of a seed under these weights.
///
/// # Panics
/// Never: nothing in the generator is rejected.
#[must_use]
pub fn weighted(seed: u64, weights: &Weights) -> Scenario {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let config = Config {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(seed),
        ..Config::default()
    };
    let tree = scenarios(weights).new_tree(&mut TestRunner::new_with_rng(config, rng));
    Scenario {
        name: format!("generated-{seed:016x}"),
        ..tree.expect("nothing is rejected").current()
    }
}

/// The scenario that the bytes of an input choose: the first two which one it begins with, and each three after them a mutation and
/// the scenario that it may take something from. So fewer, more or other bytes make a scenario that is alike, which is what
/// libFuzzer's mutations live on.
///
/// # Panics
/// Never: nothing in the generator is rejected.
///
/// ```
/// use nmr_properties::concurrent::series::of_bytes;
///
/// assert_eq!(of_bytes(&[7; 64]), of_bytes(&[7; 64]));
/// assert_ne!(of_bytes(&[7; 64]), of_bytes(&[]));
/// ```
#[must_use]
pub fn of_bytes(bytes: &[u8]) -> Scenario {
    let (first, mutations) = bytes.split_at(bytes.len().min(2));
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(0, |sum, &byte| sum << 8 | u64::from(byte))
    };
    let mut chosen = scenario(split_mix(number(first)));
    for mutation in mutations.chunks(3) {
        let (how, from) = mutation.split_at(mutation.len().min(2));
        let other = scenario(split_mix(number(from)));
        let mut numbers = Numbers::new(split_mix(number(how)));
        chosen = mutated(&chosen, &other, &mut numbers).unwrap_or(chosen);
    }
    Scenario {
        name: "of-bytes".to_owned(),
        ..chosen
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use nmr_models::scenario::Scenario;
    use nmr_models::seed::{GAMMA, split_mix};

    use super::of_bytes;

    /// Bytes without a pattern.
    fn noise(seed: u64, len: u64) -> Vec<u8> {
        let word = |place| split_mix(seed.wrapping_add(GAMMA.wrapping_mul(place))).to_le_bytes();
        (0..len).flat_map(word).collect()
    }

    #[test]
    fn all_bytes_choose_a_scenario_and_different_ones_different_scenarios() {
        let mut different = BTreeSet::new();
        for (seed, len) in (0..200).zip((0..6).cycle()) {
            let scenario = of_bytes(&noise(seed, len));
            let text = scenario.to_toml();
            let read = Scenario::from_toml(Path::new("of-bytes.toml"), &text);
            assert_eq!(read.as_ref(), Ok(&scenario), "{text}");
            different.insert(text);
        }
        assert!(different.len() > 150, "{}", different.len());
    }

    #[test]
    fn what_is_added_changes_a_part() {
        let lines = |bytes: &[u8]| -> Vec<String> {
            let text = of_bytes(bytes).to_toml();
            text.lines().map(str::to_owned).collect()
        };
        let bytes = noise(1, 4);
        let first = lines(&bytes);
        for last in 0..=255 {
            let more = lines(&[bytes.as_slice(), &[1, last, 7]].concat());
            let same = first.iter().filter(|line| more.contains(line)).count();
            assert!(2 * same > first.len(), "{last}: {first:#?} {more:#?}");
        }
    }
}
