//! What a batch of programs is drawn from: swarm testing (Groce et al., ISSTA 2012). A batch leaves out about half of the
//! features, each chance anew, and likes some of the others better: what crowds out what differs from batch to batch.

use nmr_models::seed::GAMMA;
use nmr_models::seed::split_mix;

/// What a program may have or not, beside what every one has.
pub const FEATURES: [&str; 33] = [
    "many-modules",
    "many-threads",
    "long-threads",
    "two-interfaces",
    "null-contexts",
    "registered-twice",
    "peers",
    "limits",
    "hand-overs",
    "locks",
    "calling-providers",
    "calls-in-callbacks",
    "decline",
    "one-at-a-time",
    "hollow",
    "change-of-mind",
    "attach-twice",
    "attach-panics",
    "attach-panics-late",
    "pending",
    "complete-early",
    "rundown",
    "detach-panics",
    "cleanup-panics",
    "lives",
    "ends",
    "lone-operations",
    "try-complete",
    "complete-again",
    "attach-calls",
    "dispatches",
    "wrong-handles",
    "forged-handles",
];

/// How much each feature is liked: 0 is not at all, 1 as usual.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weights([u32; FEATURES.len()]);

/// One of so many batches leaves nothing out: some failures need much at once.
const WHOLE: u64 = 4;

impl Weights {
    /// Every feature as usual.
    pub const USUAL: Self = Self([1; FEATURES.len()]);

    /// Those of the batch of that number.
    #[must_use]
    pub fn of_batch(seed: u64, batch: u64) -> Self {
        if batch.is_multiple_of(WHOLE) {
            return Self::USUAL;
        }
        let mut weights = [0; FEATURES.len()];
        let mut state = split_mix(seed ^ split_mix(batch.wrapping_add(1)));
        for weight in &mut weights {
            state = state.wrapping_add(GAMMA);
            *weight = [0, 0, 1, 3][(split_mix(state) % 4) as usize];
        }
        Self(weights)
    }

    /// That of a feature.
    ///
    /// # Panics
    /// If there is no such feature.
    #[must_use]
    pub fn of(&self, feature: &str) -> u32 {
        let place = FEATURES.iter().position(|name| *name == feature);
        self.0[place.unwrap_or_else(|| panic!("there is no feature `{feature}`"))]
    }

    /// A chance that is as given where the feature is liked as usual.
    #[must_use]
    pub fn chance(&self, feature: &str, usual: f64) -> f64 {
        (usual * f64::from(self.of(feature))).min(0.9)
    }

    /// The features that are left out.
    pub fn left_out(&self) -> impl Iterator<Item = &'static str> {
        let with = FEATURES.into_iter().zip(self.0);
        with.filter(|(_, weight)| *weight == 0)
            .map(|(name, _)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::{FEATURES, Weights};
    use std::collections::BTreeSet;

    #[test]
    fn a_batch_leaves_out_about_half_and_every_fourth_nothing() {
        let left_out = |batch| Weights::of_batch(7, batch).left_out().count();
        assert_eq!([0, 4, 8].map(left_out), [0; 3]);
        let some: usize = (0..100).filter(|batch| batch % 4 != 0).map(left_out).sum();
        let half = 75 * FEATURES.len() / 2;
        assert!((half * 9 / 10..half * 11 / 10).contains(&some), "{some}");
    }

    #[test]
    fn every_feature_is_there_without_every_other_one() {
        let mut pairs = BTreeSet::new();
        for batch in 0..60 {
            let weights = Weights::of_batch(7, batch);
            let there = FEATURES.iter().filter(|name| weights.of(name) > 0);
            for name in there {
                pairs.extend(weights.left_out().map(|other| (*name, other)));
            }
        }
        assert_eq!(pairs.len(), FEATURES.len() * (FEATURES.len() - 1));
    }
}
