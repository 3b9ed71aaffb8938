//! What sampling leaves open, as chances. What each rests on is said with it.

use super::sample::Classes;

/// The chance that one more execution at random is of a class of interleavings that was not seen: Good–Turing's estimate, the
/// share of executions whose class was seen once (I. J. Good, "The population frequencies of species and the estimation of
/// population parameters", Biometrika 40, 1953; for testing: M. Böhme, "STADS: Software Testing as Species Discovery", TOSEM
/// 27(2), 2018). `None` without executions.
///
/// It is of the executions that random scheduling makes, and of programs as they were drawn; a class that is unlikely there
/// is unlikely here.
#[must_use]
pub fn unseen(classes: Classes) -> Option<f64> {
    (classes.executions > 0).then(|| classes.once as f64 / classes.executions as f64)
}

/// The chance, at most, that a bug of this depth was missed by so many executions of PCT: each finds it with a chance of
/// at least `1 / (n · k^(d − 1))` (S. Burckhardt et al., "A Randomized Scheduler with Probabilistic Guarantees of Finding
/// Bugs", ASPLOS 2010), where `n` threads make `k` choices and the bug takes `d` ordering constraints.
///
/// The first two executions tell PCT how long the program is, and are not counted.
#[must_use]
pub fn missed(threads: u64, choices: u64, depth: u64, executions: u64) -> f64 {
    let ways = threads.max(1) as f64 * (choices.max(1) as f64).powi(depth.max(1) as i32 - 1);
    let counted = executions.saturating_sub(2).min(i32::MAX as u64) as i32;
    (1.0 - 1.0 / ways).powi(counted)
}

#[cfg(test)]
mod tests {
    use super::{missed, unseen};
    use crate::campaign::sample::Classes;

    #[test]
    fn what_was_never_seen_twice_is_mostly_unseen() {
        let classes = |counts: &[u64]| Classes::of(counts.iter().copied());
        assert_eq!(unseen(classes(&[])), None);
        assert_eq!(unseen(classes(&[1, 1, 1, 1])), Some(1.0));
        assert_eq!(unseen(classes(&[1, 3, 6])), Some(0.1));
        assert_eq!(unseen(classes(&[50, 50])), Some(0.0));
    }

    /// Good's own example of an urn: of 2,000 draws so many species were seen once that a tenth is unseen. Here by simulation:
    /// 64 classes, of which each is half as likely as the one before; the unseen ones' share is what the estimate says.
    #[test]
    fn the_estimate_is_near_the_truth_where_that_is_known() {
        let mut state = 1_u64;
        let (mut estimated, mut true_share) = (0.0, 0.0);
        for _ in 0..400 {
            let mut counts = [0_u64; 64];
            for _ in 0..50 {
                state = state.wrapping_add(nmr_models::seed::GAMMA);
                let drawn = nmr_models::seed::split_mix(state).leading_zeros() as usize;
                counts[drawn.min(63)] += 1;
            }
            let seen = Classes::of(counts.iter().copied().filter(|count| *count > 0));
            estimated += unseen(seen).expect("there are executions");
            let unseen = (0..64).filter(|class| counts[*class] == 0);
            true_share += unseen
                .map(|class| 0.5_f64.powi(class as i32 + 1))
                .sum::<f64>();
        }
        let (estimated, true_share) = (estimated / 400.0, true_share / 400.0);
        assert!(
            (estimated - true_share).abs() < 0.2 * true_share,
            "{estimated} of {true_share}"
        );
    }

    #[test]
    fn more_executions_miss_less_and_deeper_bugs_are_missed_more() {
        assert!((missed(2, 10, 1, 3) - 0.5).abs() < 1e-9);
        assert!((missed(3, 10, 2, 2 + 30) - (29.0_f64 / 30.0).powi(30)).abs() < 1e-9);
        assert!(missed(3, 10, 2, 100) < missed(3, 10, 2, 50));
        assert!(missed(3, 10, 2, 100) < missed(3, 10, 3, 100));
        assert_eq!(missed(3, 10, 2, 0), 1.0);
    }
}
