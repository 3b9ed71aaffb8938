//! loom: every interleaving, unbounded if that ends within the budget, otherwise with the largest
//! preemption bound whose search ends.
//!
//! loom's own limits return as if the search were complete, and are looked at rarely. None of them is
//! set: a search is cut short by a panic of ours at the beginning of an execution, so that a `check`
//! that returns has really ended by itself. (loom's memory model: Norris and Demsky, CDSChecker,
//! OOPSLA 2013.)

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use loom::model::Builder;

use super::{Exploration, Request, UNSAID, is_limit, text};
use crate::interpreter::Prepared;
use crate::report::Extent;
use crate::run::{Finding, Run, Watch};
use crate::scenario::{MAX_LOOM_THREADS, Scenario};

/// Steps of one execution with a choice; loom takes memory for as many.
const MAX_BRANCHES: usize = 50_000;
/// Stands for "no bound" where the current one is kept for a finding.
const UNBOUNDED: usize = usize::MAX;

/// The payload that ends a search whose time is up.
struct Cut;

/// How a search ended.
pub(super) enum Search {
    Exhausted,
    OutOfTime,
    TooLong,
    Failed(String),
}

impl Search {
    /// Why it was cut short, if it was.
    pub(super) fn cut(&self, budget: Duration) -> Option<String> {
        match self {
            Self::OutOfTime => Some(format!("{budget:?} were over")),
            Self::TooLong => Some(format!("an execution has more than {MAX_BRANCHES} choices")),
            Self::Exhausted | Self::Failed(_) => None,
        }
    }
}

/// A search without a bound, and no other.
pub(super) fn exhaust(
    request: &Request,
    end: impl Fn(Exploration) + Send + Sync + 'static,
) -> Exploration {
    let watch = Arc::new(Watch::new(
        request.executions.clone(),
        move |watch, finding| {
            end(found(watch, UNBOUNDED, finding));
        },
    ));
    let no_room = no_room(&request.scenario);
    if no_room.is_some() {
        return not_run(&watch, no_room);
    }
    let deadline = Instant::now() + request.budget;
    let search = search(executions(request, &watch), UNBOUNDED, deadline);
    Exploration {
        cut: search.cut(request.budget),
        error: match search {
            Search::Failed(message) => Some(message),
            _ => None,
        },
        ..answer(&watch, UNBOUNDED)
    }
}

pub(super) fn explore(
    request: &Request,
    end: impl Fn(Exploration) + Send + Sync + 'static,
) -> Exploration {
    let bound = Arc::new(AtomicUsize::new(UNBOUNDED));
    let watch = Arc::new(Watch::new(request.executions.clone(), {
        let bound = bound.clone();
        move |watch, finding| end(found(watch, bound.load(Ordering::Relaxed), finding))
    }));
    let no_room = no_room(&request.scenario);
    if no_room.is_some() {
        return not_run(&watch, no_room);
    }
    let mut deadline = Instant::now() + request.budget;
    let mut best = None;
    let mut next = UNBOUNDED;
    loop {
        bound.store(next, Ordering::Relaxed);
        let before = watch.executions();
        let search = search(executions(request, &watch), next, deadline);
        let executions = watch.executions() - before;
        match search {
            Search::Exhausted if next == UNBOUNDED => return answer(&watch, next),
            Search::Exhausted => {
                best = Some(Exploration {
                    executions,
                    ..answer(&watch, next)
                });
                next += 1;
            }
            Search::OutOfTime if next == UNBOUNDED => {
                deadline = Instant::now() + request.budget;
                next = 0;
            }
            Search::OutOfTime | Search::TooLong => {
                return best.unwrap_or_else(|| cut(&watch, next, &search, request.budget));
            }
            Search::Failed(message) => {
                return Exploration {
                    error: Some(message),
                    ..answer(&watch, next)
                };
            }
        }
    }
}

/// Why a scenario cannot be run under loom, if it cannot.
fn no_room(scenario: &Scenario) -> Option<String> {
    let (most, needed) = (MAX_LOOM_THREADS + 1, scenario.threads.len() + 1);
    let why = format!("loom has no more than {most} threads, this scenario needs {needed}");
    (needed > most).then_some(why)
}

fn not_run(watch: &Watch, why: Option<String>) -> Exploration {
    Exploration {
        cut: why,
        ..Exploration::new(watch, Extent::Sampled, None)
    }
}

fn answer(watch: &Watch, bound: usize) -> Exploration {
    within(bound, |extent| Exploration::new(watch, extent, None))
}

fn found(watch: &Watch, bound: usize, finding: &Finding) -> Exploration {
    within(bound, |extent| {
        Exploration::new(watch, extent, Some(finding.clone()))
    })
}

fn within(bound: usize, exploration: impl FnOnce(Extent) -> Exploration) -> Exploration {
    if bound == UNBOUNDED {
        return exploration(Extent::Complete);
    }
    Exploration {
        how: Some(format!("preemptions ≤ {bound}")),
        bound: Some(bound),
        ..exploration(Extent::Bounded)
    }
}

fn cut(watch: &Watch, bound: usize, search: &Search, budget: Duration) -> Exploration {
    let why = match search {
        Search::TooLong => search.cut(budget),
        _ => Some(format!(
            "not even the search without preemptions ended in {budget:?}"
        )),
    };
    Exploration {
        cut: why,
        extent: Extent::Sampled,
        ..answer(watch, bound)
    }
}

/// A search without a bound of a program that is no scenario.
pub(super) fn exhaust_program(
    program: impl Fn() + Send + Sync + 'static,
    budget: Duration,
) -> Search {
    search(program, UNBOUNDED, Instant::now() + budget)
}

/// What loom executes again and again.
fn executions(request: &Request, watch: &Arc<Watch>) -> impl Fn() + Send + Sync + 'static {
    let (prepared, watch) = (Prepared::new(&request.scenario), watch.clone());
    move || {
        watch.begin();
        Run::new(&prepared, &watch).to_the_end();
    }
}

fn search(program: impl Fn() + Send + Sync + 'static, bound: usize, deadline: Instant) -> Search {
    let builder = builder(bound);
    let checked = catch_unwind(AssertUnwindSafe(|| {
        builder.check(move || {
            if Instant::now() >= deadline {
                resume_unwind(Box::new(Cut));
            }
            program();
        });
    }));
    match checked {
        Ok(()) => Search::Exhausted,
        Err(payload) if payload.is::<Cut>() => Search::OutOfTime,
        Err(payload) => match text(payload.as_ref()) {
            text if is_limit(text) => Search::TooLong,
            UNSAID => Search::Failed(
                "loom failed without a message: callbacks inside of callbacks may have used up a stack, whose size is \
                 loom's to choose (32 KiB)"
                    .to_owned(),
            ),
            text => Search::Failed(format!("loom failed: {text}")),
        },
    }
}

/// Every field is set: loom would take some from the environment.
fn builder(bound: usize) -> Builder {
    let mut builder = Builder::new();
    builder.max_threads = MAX_LOOM_THREADS + 1;
    builder.max_branches = MAX_BRANCHES;
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.preemption_bound = (bound != UNBOUNDED).then_some(bound);
    builder.checkpoint_file = None;
    builder.checkpoint_interval = usize::MAX;
    builder.log = false;
    builder
}
