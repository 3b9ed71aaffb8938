//! How the random searches of this crate are configured: one place for seeds and numbers.

use proptest::test_runner::{Config, RngSeed};

/// A search of `cases` cases from a fixed seed: the same inputs, the same result.
///
/// `PROPTEST_CASES` and `PROPTEST_RNG_SEED` of the environment go before the two parameters.
/// proptest's own file of failures is off: failures are saved as [cases](crate::case).
#[must_use]
pub fn config(cases: u32, seed: u64) -> Config {
    let environment = Config::default();
    let asked_for = std::env::var_os("PROPTEST_CASES").is_some();
    Config {
        cases: if asked_for { environment.cases } else { cases },
        rng_seed: match environment.rng_seed {
            RngSeed::Random => RngSeed::Fixed(seed),
            fixed @ RngSeed::Fixed(_) => fixed,
        },
        failure_persistence: None,
        // One rejected operation counts; sequences have up to 60.
        max_local_rejects: u32::MAX,
        max_shrink_iters: 20_000,
        ..environment
    }
}
