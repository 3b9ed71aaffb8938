//! Makes executions of the program under a [`Control`], and says what came of each. Which ones are made, and what
//! follows, is the business of whoever asks: a [worker](crate::checker::workers), a [replay](crate::checker::replay), a
//! [sampler](crate::checker::sample).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;

use nmr_sync::hook;
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};

use crate::checker::control::{Control, Controlled, Ended, Stopped};
use crate::checker::judge::{Ending, Evidence, Violation};
use crate::checker::options::Options;
use crate::checker::redundant;

/// The program under test.
pub(crate) type Body = Arc<dyn Fn() + Send + Sync>;

/// What came of an execution.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// Nothing was wrong.
    Good,
    /// It broke something.
    Found(Found),
    /// It does not fit the schedule that it follows.
    Misfit,
    /// It would take too long, for this reason.
    Cut(String),
    /// Nobody can say what it was worth.
    Failed(String),
}

/// What an execution has broken.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) ending: Ending,
    pub(crate) violation: Violation,
    pub(crate) evidence: Option<Evidence>,
}

/// Whoever asks for executions.
pub(crate) trait Driver {
    /// Between executions: whether to make another one. Asked once more after the last one that ended without
    /// a panic of the main thread.
    fn next(&mut self, control: &Control) -> bool;

    /// An execution has ended with a panic of its main thread, or of what the explorer was given. Whether the
    /// search goes on.
    fn panicked(&mut self, control: &Control, message: &str) -> bool;
}

/// Why no more executions are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// Nobody wants another one.
    AtTheEnd,
    /// In this thread a panic unwinds for ever, for it is stuck in a destructor: another one is to go on.
    InAPanic,
}

/// Makes executions on this OS thread, which has to end with them.
pub(crate) fn run<D: Driver + 'static>(
    control: &Rc<Control>,
    program: &Body,
    driver: &Rc<std::cell::RefCell<D>>,
) -> Left {
    let _observing = hook::observe(control.clone());
    let _following = redundant::follow(control);
    let stack_size = control.with(|state| state.stack_size());
    loop {
        let scheduler = Controlled {
            control: control.clone(),
            next: {
                let driver = driver.clone();
                move |control: &Control| driver.borrow_mut().next(control)
            },
        };
        let program = program.clone();
        let ended = catch_unwind(AssertUnwindSafe(|| {
            Runner::new(scheduler, config(stack_size)).run(move || {
                program();
                hook::join_all();
                redundant::main_ended();
            })
        }));
        match ended {
            Ok(_) => break,
            Err(payload) => {
                let goes_on = driver.borrow_mut().panicked(control, hook::text(&*payload));
                if !goes_on || std::thread::panicking() {
                    break;
                }
            }
        }
    }
    match std::thread::panicking() {
        true => Left::InAPanic,
        false => Left::AtTheEnd,
    }
}

/// What came of the execution that has just ended, with this panic of its main thread or without one.
pub(crate) fn judge(
    control: &Control,
    options: &Options,
    panic: Option<String>,
) -> (Ended, Outcome) {
    let (ended, stopped, ending) = control.with(|state| {
        if panic.is_none() {
            state.come_to_the_end();
        }
        let stopped = state.take_stopped();
        let never_leaves = match &stopped {
            Some(Stopped::NeverLeaves(why)) => Some(&**why),
            _ => None,
        };
        // Of a thread that does not come to its end shuttle tells by a panic.
        let is_its_own = state.is_stuck_in_a_drop() || never_leaves.is_some();
        let panic = panic.filter(|_| !is_its_own);
        let stuck = match &stopped {
            Some(Stopped::Deadlock(why)) => Some(Ending::Deadlocked(why.clone())),
            Some(Stopped::Livelock(why)) => Some(Ending::Livelocked(why.clone())),
            _ => None,
        };
        let ending = state.ending(stuck, never_leaves, panic);
        (state.end(), stopped, ending)
    });
    let outcome = match stopped {
        Some(Stopped::Error(error)) => Outcome::Failed(error),
        Some(Stopped::Cut(why)) => Outcome::Cut(why),
        Some(Stopped::Misfit) => Outcome::Misfit,
        Some(Stopped::NeverLeaves(error)) => match ending {
            Ending::Panicked(_) => told_or(error, judged(options, ending), options),
            _ => Outcome::Failed(error),
        },
        // A judge need not follow an execution from where nothing is left to choose in it: what it would say of a
        // standstill there is not all that it knows. Who came there first comes to the standstill as well.
        Some(Stopped::Deadlock(_) | Stopped::Livelock(_))
            if ended.is_redundant && options.judge.is_some() =>
        {
            Outcome::Good
        }
        Some(Stopped::Deadlock(_) | Stopped::Livelock(_)) | None => judged(options, ending),
    };
    (ended, outcome)
}

/// What is said of a panic in an execution in which something else was an error, unless nobody wants to know: the search
/// cannot go on.
fn told_or(error: String, outcome: Outcome, options: &Options) -> Outcome {
    match outcome {
        Outcome::Found(found) if options.wants(&found.violation) => Outcome::Found(found),
        Outcome::Failed(why) => Outcome::Failed(why),
        _ => Outcome::Failed(error),
    }
}

fn judged(options: &Options, ending: Ending) -> Outcome {
    let Some(judge) = &options.judge else {
        return match Violation::of(&ending) {
            None => nothing_found(&ending),
            Some(violation) => Outcome::Found(Found {
                ending,
                violation,
                evidence: None,
            }),
        };
    };
    match judge(&ending) {
        Ok(None) => nothing_found(&ending),
        Err(error) => Outcome::Failed(error),
        Ok(Some(judgement)) => Outcome::Found(Found {
            ending,
            violation: Violation::Judged {
                kind: judgement.kind,
                message: judgement.message,
            },
            evidence: judgement.evidence,
        }),
    }
}

/// Nothing was found: in an execution that did not come to its end that proves nothing.
fn nothing_found(ending: &Ending) -> Outcome {
    match ending {
        Ending::Abandoned => Outcome::Failed(
            "the program abandoned an execution in which nothing was found: what would have come is not known"
                .to_owned(),
        ),
        _ => Outcome::Good,
    }
}

fn config(stack_size: Option<usize>) -> Config {
    let mut config = Config::new();
    config.stack_size = stack_size.unwrap_or(config.stack_size);
    config.failure_persistence = FailurePersistence::None;
    // Operations are counted instead: see `Control`.
    config.max_steps = MaxSteps::None;
    config.silence_warnings = true;
    config
}
