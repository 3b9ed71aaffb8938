//! The event log of one execution, and the oracle that reads it.
//!
//! Recording adds no interleavings. Once a rule is broken nothing more is recorded, and every
//! thread that comes to record something is stopped.

use std::hash::{Hash, Hasher};
use std::panic::resume_unwind;
use std::sync::MutexGuard;

use crate::event::{Event, Quiet, What};
use crate::fingerprint::fingerprint;
use crate::invisible::{Invisible, lock};
use crate::message::Message;
use crate::oracle::{Left, Oracle, Scripts};
use crate::render::with_names;
use crate::rule::Rule;
use crate::scenario::Scenario;

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

/// The same in an execution, which knows modules and threads by their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(super) rule: Option<Rule>,
    pub(super) message: Message,
    pub(super) history: Vec<Event>,
    /// Whether the last event broke it.
    pub(super) by_event: bool,
}

impl Found {
    /// With the scenario's names.
    pub(super) fn named(self, scenario: &Scenario) -> Finding {
        Finding {
            rule: self.rule,
            message: with_names(scenario, &self.message),
            history: self.history,
        }
    }
}

/// The payload that unwinds a thread of an execution which has found something.
pub(crate) struct Stop;

pub(crate) struct Recorder {
    log: Invisible<Log>,
}

struct Log {
    oracle: Oracle,
    history: Vec<Event>,
    /// How often each rule could have failed when this was last counted.
    #[cfg(shuttle)]
    counted: [u64; Rule::COUNT],
    /// Nothing more counts: a rule broke, or the engine takes the execution apart.
    frozen: bool,
}

/// What the oracle knows somewhere.
#[cfg(shuttle)]
pub(crate) struct Kept {
    oracle: Oracle,
    /// Events so far.
    events: usize,
}

impl Recorder {
    #[cfg(shuttle)]
    pub(super) fn keep(&self) -> Kept {
        let log = self.log();
        Kept {
            oracle: log.oracle.clone(),
            events: log.history.len(),
        }
    }

    #[cfg(shuttle)]
    pub(super) fn put_back(&self, kept: &Kept) {
        let mut log = self.log();
        assert_eq!(log.history.len(), kept.events, "events noted on the way");
        log.oracle.clone_from(&kept.oracle);
        // What was counted up to here was counted when it was kept.
        log.counted = *log.oracle.exercised();
    }

    pub(crate) fn new(oracle: Oracle) -> Self {
        Self {
            log: Invisible::new(Log {
                oracle,
                history: Vec::new(),
                #[cfg(shuttle)]
                counted: [0; Rule::COUNT],
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
    pub(crate) fn record(&self, thread: u8, what: What) -> Option<Found> {
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

    /// Everything observed so far.
    #[cfg(shuttle)]
    pub(super) fn history(&self) -> Vec<Event> {
        self.log().history.clone()
    }

    /// Adds to the history what was judged in an earlier execution, up to where that is
    /// [put back](Self::put_back).
    #[cfg(shuttle)]
    pub(super) fn note(&self, thread: Option<u8>, what: What) {
        self.log().history.push(Event { thread, what });
    }

    /// Records that the registrar let go of something, or that its destructor is over. Never panics, for it is called
    /// from `drop`.
    pub(crate) fn record_dropped(&self, thread: Option<u8>, what: What) -> Option<Found> {
        let mut log = self.log();
        if log.frozen {
            return None;
        }
        log.step(Event { thread, what })
    }

    /// Judges the end of an execution whose threads have all ended.
    pub(crate) fn quiet(&self, quiet: &Quiet) -> Option<Found> {
        let mut log = self.log();
        if log.frozen {
            return None;
        }
        let violation = log.oracle.quiet(quiet)?;
        Some(log.found(Some(violation.rule), violation.message))
    }

    /// Judges an execution that cannot go on, unless something was found before.
    pub(crate) fn stuck(&self, scripts: &dyn Scripts, blocked: &[u8]) -> Option<Found> {
        let mut log = self.log();
        if log.frozen {
            return None;
        }
        let violation = log.oracle.stuck_in(scripts, blocked);
        Some(log.found(Some(violation.rule), violation.message))
    }

    /// A panic that no script asked for, unless something was found before.
    pub(crate) fn crashed(&self, rule: Option<Rule>, message: Message) -> Option<Found> {
        let mut log = self.log();
        (!log.frozen).then(|| log.found(rule, message))
    }

    /// A rule broke in a way that is no event, unless something was found before.
    pub(crate) fn violated(&self, rule: Rule, message: Message) -> Option<Found> {
        let mut log = self.log();
        (!log.frozen).then(|| log.found(Some(rule), message))
    }

    /// Lets nothing more count.
    pub(crate) fn freeze(&self) {
        self.log().frozen = true;
    }

    /// What is left of all that was observed, as one number: the same in every build.
    pub(crate) fn fingerprint(&self) -> u64 {
        fingerprint(&self.log().oracle.end())
    }

    /// What is left over at the end.
    pub(super) fn left(&self) -> Left {
        self.log().oracle.left()
    }

    /// How often each rule could have failed so far.
    pub(crate) fn exercised(&self) -> [u64; Rule::COUNT] {
        *self.log().oracle.exercised()
    }

    /// How often each rule could have failed where this execution was new.
    #[cfg(shuttle)]
    pub(crate) fn exercised_anew(&self) -> [u64; Rule::COUNT] {
        let log = self.log();
        let mut anew = *log.oracle.exercised();
        for (count, before) in anew.iter_mut().zip(log.counted) {
            *count -= before;
        }
        anew
    }
}

impl Hash for Recorder {
    /// All that decides later verdicts.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Log {
            oracle,
            history: _,
            #[cfg(shuttle)]
                counted: _,
            frozen,
        } = &*self.log();
        (oracle, frozen).hash(state);
    }
}

impl Log {
    fn step(&mut self, event: Event) -> Option<Found> {
        self.history.push(event);
        let violation = self.oracle.step(&event)?;
        let found = self.found(Some(violation.rule), violation.message);
        Some(Found {
            by_event: true,
            ..found
        })
    }

    fn found(&mut self, rule: Option<Rule>, message: Message) -> Found {
        self.frozen = true;
        Found {
            rule,
            message,
            history: std::mem::take(&mut self.history),
            by_event: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Arc;

    use super::*;
    use crate::event::{Answer, Call, RegId, Side};
    use crate::interpreter::Prepared;
    use crate::run::Watch;
    use crate::scenario::Limits;
    use crate::scenarios;

    fn register(module: u8) -> Call {
        Call::Register {
            reg: RegId { module, nth: 0 },
            side: Side::Client,
            npi: 1,
        }
    }

    #[test]
    fn a_violation_that_is_no_event_is_found_once_and_stops_the_threads() {
        let recorder = Recorder::new(Oracle::with_limits(Limits::default()));
        let call = What::Call(register(0));
        assert_eq!(recorder.record(1, call), None);
        let found = recorder.violated(Rule::new(12), "no event".into());
        let found = found.expect("nothing was found before");
        assert_eq!(found.rule, Some(Rule::new(12)));
        assert_eq!(found.history.len(), 1);
        assert_eq!(recorder.violated(Rule::new(12), "again".into()), None);
        let stopped = catch_unwind(AssertUnwindSafe(|| recorder.record(2, call)));
        assert!(stopped.is_err_and(|payload| payload.is::<Stop>()));
    }

    #[test]
    fn executions_that_differ_by_a_symmetry_come_to_the_same() {
        let outcomes = |scenario: &str, thread, module| {
            let recorder = Recorder::new(Oracle::with_limits(Limits {
                max_registrations: Some(1),
                ..Limits::default()
            }));
            let call = What::Call(register(module));
            assert_eq!(recorder.record(thread, call), None);
            let other = What::Call(register(1 - module));
            assert_eq!(recorder.record(3 - thread, other), None);
            let registered = What::Return(Answer::Registered);
            assert_eq!(recorder.record(thread, registered), None);
            let scenario = scenarios::named(scenario).expect("a scenario");
            let watch = Watch::new(Arc::default(), |_, _| {});
            let prepared = Prepared::new(&Arc::new(scenario));
            watch.saw(&prepared, || recorder.fingerprint());
            watch.outcomes()
        };
        // Two clients that can be exchanged with their threads; and a client and a provider.
        let (same, different) = ("three-lives", "two-lives");
        assert_eq!(outcomes(same, 1, 0), outcomes(same, 2, 1));
        assert_ne!(outcomes(different, 1, 0), outcomes(different, 2, 1));
    }
}
