//! The series of scenarios of a seed and a shard: the same on every machine.

use nmr_models::scenario::Scenario;
use nmr_models::seed::{GAMMA, split_mix};
use nmr_models::shard::Shard;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, RngSeed, TestRng, TestRunner};

use super::generate::scenarios;
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
    Scenario {
        name: format!("generated-{seed:016x}"),
        ..drawn(rng, seed, weights)
    }
}

/// The scenario that these bytes choose, of all features as usual: each choice takes the next ones, and what comes after the last
/// is zero. Fewer or changed bytes make a scenario that is alike, which is what libFuzzer's mutations live on.
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
    let rng = TestRng::from_seed(RngAlgorithm::PassThrough, bytes);
    Scenario {
        name: "of-bytes".to_owned(),
        ..drawn(rng, 0, &Weights::USUAL)
    }
}

fn drawn(rng: TestRng, seed: u64, weights: &Weights) -> Scenario {
    let config = Config {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(seed),
        ..Config::default()
    };
    let tree = scenarios(weights).new_tree(&mut TestRunner::new_with_rng(config, rng));
    tree.expect("nothing is rejected").current()
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
        for (seed, len) in (0..300).zip((0..40).cycle()) {
            let scenario = of_bytes(&noise(seed, len));
            let text = scenario.to_toml();
            let read = Scenario::from_toml(Path::new("of-bytes.toml"), &text);
            assert_eq!(read.as_ref(), Ok(&scenario), "{text}");
            different.insert(text);
        }
        assert!(different.len() > 200, "{}", different.len());
    }

    #[test]
    fn a_byte_that_changes_leaves_a_scenario_that_is_alike() {
        let bytes = noise(1, 40);
        let scenario = of_bytes(&bytes);
        let is_alike = |place: &usize| {
            let mut bytes = bytes.clone();
            bytes[*place] ^= 1;
            of_bytes(&bytes).threads.len() == scenario.threads.len()
        };
        let alike = (0..bytes.len()).filter(is_alike).count();
        assert!(alike > bytes.len() / 2, "{alike} of {}", bytes.len());
    }
}
