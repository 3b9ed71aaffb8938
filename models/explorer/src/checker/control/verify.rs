//! Whether the program does the same whenever its threads take turns in the same way. On the way to new
//! ground an execution is compared with what was there before; some are made twice, as a whole, and the
//! first one once more when the search has come to its end.
//!
//! What is compared are the operations and what the program says: what its mutexes protect, what its
//! threads learn and forget. What it does not say it cannot be caught at.

use std::hash::{BuildHasher, Hash};

use nmr_sync::hook::Write;
use rustc_hash::FxBuildHasher;

use super::{Lead, Phase, Script, State};
use crate::checker::fingerprint::fingerprint;

/// So many executions at the beginning are compared on the whole way, and made twice.
const FIRST: u64 = 8;
/// Of so many executions later on one is compared on the whole way.
const FOLLOWED: u64 = 64;

const OTHER_OPERATIONS: &str = "the threads do other things than before";
const OTHER_VALUES: &str = "what the program says of its data, or of what its threads know, is not what it \
    was";

/// Whether the `n`-th execution is followed where it repeats an earlier one.
pub(super) const fn is_followed(n: u64) -> bool {
    n <= FIRST || n.is_power_of_two() || n.is_multiple_of(FOLLOWED)
}

/// Whether the `n`-th execution is made a second time. It is one that is followed.
pub(super) const fn is_made_twice(n: u64) -> bool {
    n <= FIRST || n.is_power_of_two()
}

/// An execution, with what happened in it.
#[derive(Clone, Debug)]
pub(crate) struct Whole {
    events: Vec<u64>,
    script: Script,
}

/// What happened in an execution, up to where nothing new can come.
#[derive(Debug, Default)]
pub(super) struct Trace {
    use_: Use,
    events: Vec<u64>,
    /// Events compared so far.
    at: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Use {
    #[default]
    None,
    Recorded,
    Compared,
}

impl Trace {
    /// Nobody wants to know what happens in the execution that begins.
    pub(super) fn rest(&mut self) {
        *self = Self {
            events: std::mem::take(&mut self.events),
            ..Self::default()
        };
        self.events.clear();
    }

    /// What happens in the execution that begins is to be compared later.
    pub(super) fn record(&mut self) {
        self.rest();
        self.use_ = Use::Recorded;
    }

    /// The execution that begins is compared with the one that was recorded.
    fn compare(&mut self) {
        (self.use_, self.at) = (Use::Compared, 0);
    }

    pub(super) fn is_compared(&self) -> bool {
        self.use_ == Use::Compared
    }

    /// Whether all that was recorded has come again, as far as it is compared.
    pub(super) fn is_over(&self) -> bool {
        !self.is_compared() || self.at == self.events.len()
    }

    /// Whether this may come here.
    fn note(&mut self, event: u64) -> bool {
        match self.use_ {
            Use::None => true,
            Use::Recorded => {
                self.events.push(event);
                true
            }
            Use::Compared => {
                self.at += 1;
                self.events.get(self.at - 1) == Some(&event)
            }
        }
    }
}

impl State {
    /// Whether what happens is noted.
    fn is_traced(&self) -> bool {
        self.execution.trace.use_ != Use::None && self.execution.phase != Phase::Redundant
    }

    /// Something happens that is the same whenever the same is chosen.
    pub(super) fn trace(&mut self, event: &impl Hash) {
        if self.is_traced() && !self.execution.trace.note(FxBuildHasher.hash_one(event)) {
            self.diverged::<()>(OTHER_OPERATIONS);
        }
    }

    /// The program says something.
    pub(super) fn trace_told(&mut self, event: &impl Hash, write: Write<'_>) {
        if !self.is_traced() {
            return;
        }
        let value = fingerprint(|state| write(state)).0;
        let event = FxBuildHasher.hash_one((event, value));
        if !self.execution.trace.note(event) {
            self.diverged::<()>(OTHER_VALUES);
        }
    }

    /// What the program says on a way that is not followed is compared with what is known of where the way
    /// leads.
    pub(super) fn compare_skipped(&mut self, write: Write<'_>) {
        let told = self.execution.told;
        let Some(snapshot) = self.walk.snapshot() else {
            return;
        };
        if !snapshot
            .knowledge
            .may_be_told(&self.symmetries, told, write)
        {
            self.diverged::<()>(OTHER_VALUES);
        }
    }

    /// Lets the next execution make the last one a second time, if that was recorded.
    pub(crate) fn verify(&mut self) -> bool {
        let is_recorded = self.execution.trace.use_ == Use::Recorded && self.stopped.is_none();
        if is_recorded {
            self.execution.trace.compare();
            self.lead = Lead::Script(self.execution.script());
        }
        is_recorded
    }

    /// The execution that made an earlier one a second time is over. What it was, to be made again.
    pub(crate) fn verified(&mut self) -> Whole {
        let events = self.execution.trace.events.clone();
        self.execution.trace.rest();
        let Lead::Script(script) = std::mem::replace(&mut self.lead, Lead::Search) else {
            unreachable!("it was made along what was chosen the first time");
        };
        Whole { events, script }
    }

    /// Lets the next execution make that one again.
    pub(crate) fn verify_whole(&mut self, whole: &Whole) {
        self.forget_waits();
        self.execution.trace.events.clone_from(&whole.events);
        self.execution.trace.compare();
        self.lead = Lead::Script(whole.script.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_again_may_come_and_nothing_else() {
        let mut trace = Trace::default();
        trace.record();
        assert!(trace.note(1) && trace.note(2));
        trace.compare();
        assert!(trace.note(1) && !trace.is_over());
        assert!(!trace.note(3));
        trace.compare();
        assert!(trace.note(1) && trace.note(2) && trace.is_over());
        assert!(!trace.note(2), "there is no more");
        trace.rest();
        assert!(trace.note(7) && trace.is_over());
    }

    #[test]
    fn the_first_executions_are_made_twice_and_few_of_the_later_ones() {
        let twice = (1..=1_000).filter(|&n| is_made_twice(n));
        assert!(twice.clone().all(is_followed));
        let twice: Vec<u64> = twice.collect();
        assert_eq!(twice[..8], [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(twice[8..], [16, 32, 64, 128, 256, 512]);
        assert!(is_followed(192) && !is_followed(193));
    }
}
