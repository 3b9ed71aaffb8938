//! How far a search has come, and how much may be left.
//!
//! The estimate is that of a branching process (Harris, The Theory of Branching Processes, 1963): if each
//! choice that was taken lately has left m new ones on average, and m is below 1, then n that are left come
//! to n/(1−m) in all. It does not know what comes, and so the spread of the estimates made lately is told
//! with it.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

/// How far a search has come.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// Executions begun.
    pub executions: u64,
    /// Executions in a second, since the beginning.
    pub per_second: f64,
    /// Different states met.
    pub states: u64,
    /// Choices on the way to where one of the workers turns to something new.
    pub depth: usize,
    /// The part of the search that is done, from 0 to 1, as estimated.
    pub done: f64,
    /// Executions still to be made: the least and the most of the latest estimates.
    pub left: Option<(u64, u64)>,
    /// A violation was found, and one is looked for that has no more preemptions than this.
    pub minimising: Option<u32>,
    /// Time since the beginning.
    pub elapsed: Duration,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(most) = self.minimising {
            write!(
                f,
                "a violation was found; looking for one with at most {most} preemptions: "
            )?;
        }
        write!(
            f,
            "{} executions ({:.0} a second), {} states, depth {}",
            self.executions, self.per_second, self.states, self.depth
        )?;
        match self.left {
            Some((least, most)) => write!(
                f,
                ", about {:.0} % done, {least} to {most} executions left (estimated)",
                self.done * 100.0
            ),
            None => f.write_str(", no estimate yet"),
        }
    }
}

/// How the choices of a search with states grow.
#[derive(Clone, Debug, Default)]
pub(crate) struct Growth {
    /// Choices taken, and choices met, when it was last asked.
    taken: u64,
    met: u64,
}

impl Growth {
    /// Now so many choices are taken, and so many are left. The part of all that is done, from 0 to 1; 0
    /// if nothing can be said of it.
    pub(crate) fn done(&mut self, taken: u64, left: u64) -> f64 {
        let met = taken + left;
        let lately_taken = taken.saturating_sub(self.taken) as f64;
        let lately_met = met.saturating_sub(self.met) as f64;
        *self = Self { taken, met };
        if lately_met >= lately_taken {
            return 0.0;
        }
        let to_come = left as f64 / (1.0 - lately_met / lately_taken);
        taken as f64 / (taken as f64 + to_come)
    }
}

/// Estimates made one after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Estimator {
    /// Estimated executions of the whole search, the latest last.
    totals: VecDeque<f64>,
}

/// Estimates that count for the spread.
const LATEST: usize = 20;

impl Estimator {
    /// After `executions`, the part `done` is done. The least and the most that may be left.
    pub(crate) fn add(&mut self, executions: u64, done: f64) -> Option<(u64, u64)> {
        if done <= 0.0 {
            return None;
        }
        if self.totals.len() == LATEST {
            self.totals.pop_front();
        }
        self.totals.push_back(executions as f64 / done);
        if self.totals.len() < 3 {
            return None;
        }
        let left = |total: f64| (total - executions as f64).max(0.0) as u64;
        let least = self.totals.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.totals.iter().copied().fold(0.0, f64::max);
        Some((left(least), left(most)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_search_is_estimated_exactly() {
        let mut estimator = Estimator::default();
        assert_eq!(estimator.add(100, 0.0), None);
        assert_eq!(estimator.add(100, 0.1), None);
        assert_eq!(estimator.add(200, 0.2), None);
        assert_eq!(estimator.add(300, 0.3), Some((700, 700)));
    }

    #[test]
    fn what_was_left_lately_is_left_on() {
        let mut growth = Growth::default();
        assert_eq!(growth.done(100, 100), 0.0, "it doubles");
        // Of 100 choices taken, each has left half a new one: the 50 that are left come to 100 in all.
        assert_eq!(growth.done(200, 50), 2.0 / 3.0);
        assert_eq!(growth.done(200, 50), 0.0, "nothing was done lately");
        assert_eq!(growth.done(250, 0), 1.0);
    }

    #[test]
    fn estimates_that_differ_give_a_spread() {
        let mut estimator = Estimator::default();
        for (executions, done) in [(100, 0.1), (200, 0.1)] {
            estimator.add(executions, done);
        }
        assert_eq!(estimator.add(300, 0.2), Some((700, 1700)));
    }
}
