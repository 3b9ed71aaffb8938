//! The event log of one execution, and the oracle that reads it.
//!
//! Recording adds no interleavings. Once a rule is broken nothing more is recorded, and every
//! thread that comes to record something is stopped.

use std::hash::{Hash, Hasher};
use std::panic::resume_unwind;
use std::sync::MutexGuard;

use rustc_stable_hash::StableSipHasher128;

use crate::event::{Event, Quiet, What};
use crate::invisible::{Invisible, lock};
use crate::oracle::Oracle;
use crate::report::Rule;
use crate::symmetry::{Symmetry, with_symmetry};

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule that broke; `None` for a panic that no script asked for.
    pub rule: Option<Rule>,
    /// Who did what, and what was expected.
    pub message: String,
    /// Everything observed, in order, up to and including the event that broke the rule.
    pub history: Vec<Event>,
}

/// The payload that unwinds a thread of an execution which has found something.
pub(crate) struct Stop;

pub(crate) struct Recorder {
    log: Invisible<Log>,
}

#[derive(Clone)]
struct Log {
    oracle: Oracle,
    history: Vec<Event>,
    /// Nothing more counts: a rule broke, or the engine takes the execution apart.
    frozen: bool,
}

/// What was recorded up to somewhere.
#[cfg(shuttle)]
pub(crate) struct Kept {
    log: Log,
}

impl Recorder {
    #[cfg(shuttle)]
    pub(super) fn keep(&self) -> Kept {
        let log = self.log().clone();
        Kept { log }
    }

    #[cfg(shuttle)]
    pub(super) fn put_back(&self, kept: &Kept) {
        self.log().clone_from(&kept.log);
    }

    pub(crate) fn new() -> Self {
        Self {
            log: Invisible::new(Log {
                oracle: Oracle::new(),
                history: Vec::new(),
                frozen: false,
            }),
        }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        lock(&self.log)
    }

    /// Records what a thread does; answers a finding if that breaks a rule.
    ///
    /// # Panics
    /// With [`Stop`] if something was found before.
    pub(crate) fn record(&self, thread: u8, what: What) -> Option<Finding> {
        let mut log = self.log();
        if log.frozen {
            drop(log);
            resume_unwind(Box::new(Stop));
        }
        log.step(Event {
            thread: Some(thread),
            what,
        })
    }

    /// Records that the registrar let go of something. Never panics, for it is called from `drop`.
    pub(crate) fn record_dropped(&self, what: What) -> Option<Finding> {
        let mut log = self.log();
        if log.frozen {
            return None;
        }
        log.step(Event { thread: None, what })
    }

    /// Judges the end of an execution whose threads have all ended.
    pub(crate) fn quiet(&self, quiet: &Quiet) -> Option<Finding> {
        let mut log = self.log();
        if log.frozen {
            return None;
        }
        let violation = log.oracle.quiet(quiet)?;
        Some(log.found(Some(violation.rule), violation.message))
    }

    /// Judges an execution that cannot go on, unless something was found before.
    pub(crate) fn stuck(&self, blocked: &[u8]) -> Option<Finding> {
        let mut log = self.log();
        if log.frozen {
            return None;
        }
        let violation = log.oracle.stuck(blocked);
        Some(log.found(Some(violation.rule), violation.message))
    }

    /// A panic that no script asked for, unless something was found before.
    pub(crate) fn crashed(&self, message: String) -> Option<Finding> {
        let mut log = self.log();
        (!log.frozen).then(|| log.found(None, message))
    }

    /// A rule broke in a way that is no event, unless something was found before.
    pub(crate) fn violated(&self, rule: Rule, message: String) -> Option<Finding> {
        let mut log = self.log();
        (!log.frozen).then(|| log.found(Some(rule), message))
    }

    /// Lets nothing more count.
    pub(crate) fn freeze(&self) {
        self.log().frozen = true;
    }

    /// What is left of all that was observed, as one number: the same for executions that differ by a
    /// symmetry of their scenario alone, and in every build.
    ///
    /// # Panics
    /// If there is no symmetry: that which changes nothing is always one.
    pub(crate) fn outcome(&self, symmetries: &[Symmetry]) -> u64 {
        let log = self.log();
        let under = |symmetry| with_symmetry(symmetry, || fingerprint(&log.oracle));
        let numbers = symmetries.iter().map(under);
        numbers.min().expect("one changes nothing")
    }

    /// How often each rule could have failed so far.
    pub(crate) fn exercised(&self) -> [u64; Rule::COUNT] {
        *self.log().oracle.exercised()
    }
}

impl Hash for Recorder {
    /// All that decides later verdicts.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Log {
            oracle,
            history: _,
            frozen,
        } = &*self.log();
        (oracle, frozen).hash(state);
    }
}

fn fingerprint(oracle: &Oracle) -> u64 {
    let mut hasher = StableSipHasher128::new();
    oracle.hash(&mut hasher);
    Hasher::finish(&hasher)
}

impl Log {
    fn step(&mut self, event: Event) -> Option<Finding> {
        self.history.push(event);
        let violation = self.oracle.step(&event)?;
        Some(self.found(Some(violation.rule), violation.message))
    }

    fn found(&mut self, rule: Option<Rule>, message: String) -> Finding {
        self.frozen = true;
        Finding {
            rule,
            message,
            history: std::mem::take(&mut self.history),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::event::{Answer, Call, RegId, Side};

    fn register(module: u8) -> Call {
        Call::Register {
            reg: RegId { module, nth: 0 },
            side: Side::Client,
            npi: 1,
        }
    }

    #[test]
    fn a_violation_that_is_no_event_is_found_once_and_stops_the_threads() {
        let recorder = Recorder::new();
        let call = What::Call(register(0));
        assert_eq!(recorder.record(1, call), None);
        let found = recorder.violated(Rule::new(12), "no event".to_owned());
        let found = found.expect("nothing was found before");
        assert_eq!(found.rule, Some(Rule::new(12)));
        assert_eq!(found.history.len(), 1);
        assert_eq!(recorder.violated(Rule::new(12), "again".to_owned()), None);
        let stopped = catch_unwind(AssertUnwindSafe(|| recorder.record(2, call)));
        assert!(stopped.is_err_and(|payload| payload.is::<Stop>()));
    }

    #[test]
    fn executions_that_differ_by_a_symmetry_come_to_the_same() {
        let identity = Symmetry {
            modules: vec![0, 1],
            threads: vec![0, 1, 2],
        };
        let exchange = Symmetry {
            modules: vec![1, 0],
            threads: vec![0, 2, 1],
        };
        let outcome = |thread, module, symmetries: &[Symmetry]| {
            let recorder = Recorder::new();
            let call = What::Call(register(module));
            assert_eq!(recorder.record(thread, call), None);
            let other = What::Call(register(1 - module));
            assert_eq!(recorder.record(3 - thread, other), None);
            let refused = What::Return(Answer::InsufficientResources);
            assert_eq!(recorder.record(thread, refused), None);
            recorder.outcome(symmetries)
        };
        let one = [identity];
        let both = [one[0].clone(), exchange];
        assert_ne!(outcome(1, 0, &one), outcome(2, 1, &one));
        assert_eq!(outcome(1, 0, &both), outcome(2, 1, &both));
        // This is no symmetry: thread 1 registers module 0.
        assert_ne!(outcome(1, 0, &both), outcome(1, 1, &both));
    }
}
