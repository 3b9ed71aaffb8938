//! The programs of a batch: generated under its weights, or mutants of what is there.

use nmr_models::scenario::Scenario;
use nmr_models::seed::{GAMMA, split_mix};

use super::about::About;
use crate::concurrent::mutate::{Numbers, mutated};
use crate::concurrent::series::weighted;
use crate::concurrent::weights::Weights;

/// See the [module's documentation](self).
#[derive(Clone, Debug)]
pub struct Plan {
    seed: u64,
    batch: u64,
    weights: Weights,
}

/// A program of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Its own seed, and that of the engines that look at it.
    pub seed: u64,
    /// The program.
    pub program: Scenario,
    /// Whether it is a mutant.
    pub is_mutant: bool,
}

impl Plan {
    /// That of the batch of that number.
    #[must_use]
    pub fn new(about: &About, batch: u64) -> Self {
        Self {
            seed: about.seed,
            batch,
            weights: Weights::of_batch(about.seed, batch),
        }
    }

    /// What is left out.
    #[must_use]
    pub fn left_out(&self) -> Vec<String> {
        self.weights.left_out().map(str::to_owned).collect()
    }

    /// The `index`-th program, where these are there to be mutated: about every other one is a mutant.
    #[must_use]
    pub fn program(&self, index: u64, pool: &[&Scenario]) -> Planned {
        let place = (self.batch << 16).wrapping_add(index).wrapping_add(1);
        let seed = split_mix(self.seed.wrapping_add(GAMMA.wrapping_mul(place)));
        let mut numbers = Numbers::new(seed);
        let is_to_be_one = numbers.below(2) == 0 && !pool.is_empty();
        let mutant = is_to_be_one.then(|| {
            let [of, other] = [(); 2].map(|()| pool[numbers.below(pool.len())]);
            mutated(of, other, &mut numbers)
        });
        let mutant = mutant.flatten();
        Planned {
            seed,
            is_mutant: mutant.is_some(),
            program: Scenario {
                name: format!("generated-{seed:016x}"),
                summary: "drawn at random".to_owned(),
                ..mutant.unwrap_or_else(|| weighted(seed, &self.weights))
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{About, Plan};
    use nmr_models::conditions::Conditions;

    #[test]
    fn seed_batch_and_index_fix_a_program() {
        let about = |seed| About::new(seed, 10, Conditions::default(), String::new());
        let program = |seed, batch, index| Plan::new(&about(seed), batch).program(index, &[]);
        assert_eq!(program(1, 2, 3), program(1, 2, 3));
        for other in [program(2, 2, 3), program(1, 3, 3), program(1, 2, 4)] {
            assert_ne!(program(1, 2, 3).program, other.program);
        }
    }

    #[test]
    fn about_every_other_program_is_a_mutant_of_what_is_there() {
        let about = About::new(5, 10, Conditions::default(), String::new());
        let plan = Plan::new(&about, 0);
        let pool = plan.program(0, &[]).program;
        let mutants = (0..100).filter(|&index| plan.program(index, &[&pool]).is_mutant);
        let mutants = mutants.count();
        assert!((30..=60).contains(&mutants), "{mutants}");
    }
}
