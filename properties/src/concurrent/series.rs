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
