//! The entry: what to explore, within which limits, and what came of it.

use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::{Duration, Instant};

use nmr_sync::hook;
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};

use crate::control::{Control, Controlled};

/// Steps of one execution; more than this is a livelock or a program that spins.
const MAX_STEPS: usize = 1_000_000;

/// Sets the limits of a search; made by [`Explorer::builder`].
#[derive(Debug)]
#[must_use]
pub struct Builder {
    budget: Option<Duration>,
    max_executions: Option<u64>,
}

/// Explores programs on `nmr-sync`. See the [crate's documentation](crate) for an example.
#[derive(Debug)]
pub struct Explorer;

/// What a search came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every interleaving was looked at, or one that differs only in the order of transitions which
    /// have nothing to do with each other.
    Exhausted,
    /// An execution panicked or deadlocked.
    Violated(Counterexample),
    /// The search was cut short, for this reason. It proves nothing.
    Incomplete(String),
    /// The search itself failed; not a finding.
    HarnessError(String),
}

/// An execution that went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterexample {
    /// What the panic said, or which threads are blocked.
    pub message: String,
    /// The threads in the order of their visible operations, by number: 0 is the main thread, the
    /// others follow as they were spawned. Of an execution that turned out to be known in another order
    /// this is the beginning, up to where that was seen.
    pub schedule: Vec<usize>,
    /// Switches away from a thread that could have gone on.
    pub preemptions: u64,
}

/// A verdict and the figures behind it.
#[derive(Clone, Debug)]
pub struct Report {
    /// The outcome.
    pub verdict: Verdict,
    /// Executions begun, those included that turned out to be known in another order.
    pub executions: u64,
    /// Of these, the ones that turned out so.
    pub asleep: u64,
    /// Transitions chosen.
    pub transitions: u64,
    /// Visible operations of the longest execution.
    pub longest: usize,
    /// Wall-clock time.
    pub elapsed: Duration,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.verdict {
            Verdict::Exhausted => write!(f, "exhausted")?,
            Verdict::Violated(found) => write!(f, "violated: {}", found.message)?,
            Verdict::Incomplete(why) => write!(f, "incomplete: {why}")?,
            Verdict::HarnessError(error) => write!(f, "harness error: {error}")?,
        }
        let (executions, asleep) = (self.executions, self.asleep);
        write!(
            f,
            " ({executions} executions, {asleep} of them asleep, {} transitions, {} at most in one; under \
             sequential consistency)",
            self.transitions, self.longest
        )
    }
}

impl Explorer {
    /// A search without limits.
    pub const fn builder() -> Builder {
        Builder {
            budget: None,
            max_executions: None,
        }
    }
}

impl Builder {
    /// At most this much time. The execution at hand is finished.
    pub const fn budget(mut self, budget: Duration) -> Self {
        self.budget = Some(budget);
        self
    }

    /// At most this many executions.
    pub const fn max_executions(mut self, executions: u64) -> Self {
        self.max_executions = Some(executions);
        self
    }

    /// Runs `program` in every interleaving, until one goes wrong.
    ///
    /// The program must do the same whenever its threads take turns in the same way: no time, no random
    /// number, no order of a hash map. Where that is found not to hold, the verdict is
    /// [`Verdict::HarnessError`].
    pub fn check(self, program: impl Fn() + Send + Sync + 'static) -> Report {
        let started = Instant::now();
        let control = Control::new();
        let (exhausted, cut) = (Rc::new(RefCell::new(false)), Rc::new(RefCell::new(None)));
        let scheduler = Controlled {
            control: control.clone(),
            limit: self.limit(started, cut.clone()),
            begun: false,
            exhausted: exhausted.clone(),
        };
        let ended = {
            let _observing = hook::observe(control.clone());
            catch_unwind(AssertUnwindSafe(|| {
                Runner::new(scheduler, config()).run(program)
            }))
        };
        let verdict = control.with(|state| match (ended, state.error.take(), cut.take()) {
            (_, Some(error), _) => Verdict::HarnessError(error),
            (Err(payload), None, _) => violated(
                text(payload.as_ref()),
                state.search.schedule(),
                state.preemptions,
            ),
            (Ok(_), None, Some(why)) => Verdict::Incomplete(why),
            (Ok(_), None, None) if *exhausted.borrow() => Verdict::Exhausted,
            (Ok(_), None, None) => {
                Verdict::HarnessError("the search ended without a reason".to_owned())
            }
        });
        control.with(|state| Report {
            verdict,
            executions: state.executions,
            asleep: state.asleep,
            transitions: state.search.transitions(),
            longest: state.search.deepest(),
            elapsed: started.elapsed(),
        })
    }

    fn limit(
        &self,
        started: Instant,
        cut: Rc<RefCell<Option<String>>>,
    ) -> Box<dyn FnMut(&Control) -> bool> {
        let (budget, most) = (self.budget, self.max_executions);
        Box::new(move |control| {
            let executions = control.with(|state| state.executions);
            let why = if most.is_some_and(|most| executions >= most) {
                Some(format!("{executions} executions were made"))
            } else {
                budget
                    .filter(|&budget| started.elapsed() >= budget)
                    .map(|budget| format!("{budget:?} were over"))
            };
            let over = why.is_some();
            *cut.borrow_mut() = why;
            over
        })
    }
}

fn violated(message: &str, schedule: Vec<usize>, preemptions: u64) -> Verdict {
    if message.contains("exceeded max_steps bound") {
        return Verdict::Incomplete(format!("an execution has more than {MAX_STEPS} steps"));
    }
    Verdict::Violated(Counterexample {
        message: message.to_owned(),
        schedule,
        preemptions,
    })
}

fn text(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a message")
}

fn config() -> Config {
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None;
    config.max_steps = MaxSteps::FailAfter(MAX_STEPS);
    config.silence_warnings = true;
    config
}
