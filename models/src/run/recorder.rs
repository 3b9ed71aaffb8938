//! The event log of one execution, and the oracle that reads it.
//!
//! Recording adds no interleavings. Once a rule is broken nothing more is recorded, and every
//! thread that comes to record something is stopped.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::resume_unwind;
use std::sync::MutexGuard;

use crate::event::{Event, Quiet, What};
use crate::invisible::{Invisible, lock};
use crate::oracle::Oracle;
use crate::report::Rule;

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

struct Log {
    oracle: Oracle,
    history: Vec<Event>,
    /// Nothing more counts: a rule broke, or the engine takes the execution apart.
    frozen: bool,
}

impl Recorder {
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

    /// Lets nothing more count.
    pub(crate) fn freeze(&self) {
        self.log().frozen = true;
    }

    /// What each thread observed, as one number: executions of the same scenario with the same number
    /// differ at most in the order between threads.
    pub(crate) fn outcome(&self) -> u64 {
        let log = self.log();
        let mut threads: BTreeMap<u8, Vec<What>> = BTreeMap::new();
        for event in &log.history {
            if let Some(thread) = event.thread {
                threads.entry(thread).or_default().push(event.what);
            }
        }
        let mut hasher = DefaultHasher::new();
        threads.hash(&mut hasher);
        hasher.finish()
    }

    /// How often each rule could have failed so far.
    pub(crate) fn exercised(&self) -> [u64; Rule::COUNT] {
        *self.log().oracle.exercised()
    }
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
