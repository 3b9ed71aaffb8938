//! Rounds: each measures every workload, of both sides one right after the other.
//!
//! The one side is first in one round, the other in the next (A B, B A, A B, …): what drifts slowly, a clock that
//! falls or another program that comes, hits both alike.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::program::Programs;
use crate::error::Error;
use crate::progress::Display;
use crate::words::plural;

/// The same thing of the working tree and of the baseline, if there is one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sides<T> {
    pub(super) now: T,
    pub(super) baseline: Option<T>,
}

impl<T> Sides<T> {
    /// What `of` makes of each.
    pub(super) fn map<U>(&self, mut of: impl FnMut(&T) -> U) -> Sides<U> {
        Sides {
            now: of(&self.now),
            baseline: self.baseline.as_ref().map(of),
        }
    }

    /// What `of` makes of each, or its first error.
    pub(super) fn try_map<U, E>(&self, of: impl Fn(&T) -> Result<U, E>) -> Result<Sides<U>, E> {
        Ok(Sides {
            now: of(&self.now)?,
            baseline: self.baseline.as_ref().map(of).transpose()?,
        })
    }

    /// The same, but the baseline before now if `is_turned`.
    fn try_map_in_turn<U, E>(
        &self,
        is_turned: bool,
        of: impl Fn(&T) -> Result<U, E>,
    ) -> Result<Sides<U>, E> {
        if !is_turned {
            return self.try_map(of);
        }
        let baseline = self.baseline.as_ref().map(&of).transpose()?;
        Ok(Sides {
            now: of(&self.now)?,
            baseline,
        })
    }
}

/// Samples in ns an element.
pub(super) type Samples = Vec<f64>;

/// A workload, and its samples of each round.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Workload {
    /// As criterion has it: group and name.
    pub(super) id: String,
    pub(super) rounds: Vec<Sides<Samples>>,
}

/// What is to be measured.
pub(super) struct Rounds<'a> {
    pub(super) programs: &'a Sides<Programs>,
    pub(super) rounds: u16,
    /// Of each workload in each round.
    pub(super) time: Duration,
    /// For files that criterion writes.
    pub(super) folder: &'a Path,
    pub(super) stop: &'a AtomicBool,
    pub(super) display: &'a Display,
}

impl Rounds<'_> {
    /// The workloads with the rounds that were complete when everything had to stop.
    ///
    /// # Errors
    /// A program fails, or measures nothing.
    pub(super) fn measure(&self) -> Result<Vec<Workload>, Error> {
        let mut workloads = Vec::new();
        for id in self.programs.now.workloads(self.stop)? {
            let rounds = Vec::new();
            workloads.push(Workload { id, rounds });
        }
        if workloads.is_empty() {
            let program = self.programs.now.registrar.display();
            return Err(Error::Harness(format!("{program} has no workloads")));
        }
        let count = plural(u64::from(self.rounds), "round");
        let each = plural(workloads.len() as u64, "workload");
        self.display.say(&format!("{count} of {each}"));
        let counter = self.display.counter(self.rounds.into(), "rounds");
        for round in 0..self.rounds {
            match self.round(round, &workloads) {
                Ok(measured) => {
                    for (workload, samples) in workloads.iter_mut().zip(measured) {
                        workload.rounds.push(samples);
                    }
                }
                Err(Error::Interrupted) => break,
                Err(error) => return Err(error),
            }
            counter.add_one();
        }
        Ok(workloads)
    }

    fn round(&self, round: u16, workloads: &[Workload]) -> Result<Vec<Sides<Samples>>, Error> {
        let is_turned = round % 2 == 1;
        let each = workloads.iter().map(|workload| {
            self.programs.try_map_in_turn(is_turned, |one| {
                one.measure(&workload.id, self.time, self.folder, self.stop)
            })
        });
        each.collect()
    }
}
