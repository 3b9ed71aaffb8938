//! The entry: what to explore, within which limits, and what came of it.

use std::any::Any;
use std::hash::Hasher;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::checkpoint;
use crate::options::{Keeper, Options};
use crate::progress::Progress;
use crate::reduction::Reduction;
use crate::report::{Counterexample, Report, Verdict};
use crate::workers::{End, Shared};

/// Describes a search; made by [`Explorer::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    options: Options,
}

/// Explores programs on `nmr-sync`. See the [crate's documentation](crate) for an example.
#[derive(Debug)]
pub struct Explorer;

impl Explorer {
    /// A search without limits but memory, by one worker, with all reductions.
    pub fn builder() -> Builder {
        Builder {
            options: Options::new(),
        }
    }
}

impl Builder {
    /// The program's name, for the report and for checkpoints.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.options.name = name.into();
        self
    }

    /// At most this much time. The execution at hand is finished.
    pub const fn budget(mut self, budget: Duration) -> Self {
        self.options.budget = Some(budget);
        self
    }

    /// At most this many executions.
    pub const fn max_executions(mut self, executions: u64) -> Self {
        self.options.max_executions = Some(executions);
        self
    }

    /// At most about so many bytes for the states seen, and for what is kept to go on from them. Half of the
    /// machine's memory if not given.
    pub const fn max_memory(mut self, bytes: u64) -> Self {
        self.options.max_memory = Some(bytes);
        self
    }

    /// So many workers, each of which keeps a core busy; at least one. Verdict and states do not depend
    /// on their number.
    pub fn workers(mut self, workers: usize) -> Self {
        self.options.workers = workers.max(1);
        self
    }

    /// Without this reduction.
    pub const fn without(mut self, reduction: Reduction) -> Self {
        self.options.reductions = self.options.reductions.without(reduction);
        self
    }

    /// Sleeping threads may wake without a reason, at any time.
    pub const fn spurious_wakeups(mut self) -> Self {
        self.options.spurious = true;
        self
    }

    /// What stands beside the primitives and counts: `write` writes it into a hasher. It has to cover all
    /// that the program [touches](nmr_sync::touch). It is called between steps of the program, and
    /// must not use a primitive.
    pub fn beside(mut self, write: impl Fn(&mut dyn Hasher) + Send + Sync + 'static) -> Self {
        self.options.beside = Some(Arc::new(write));
        self
    }

    /// Keeps something that the program has beside the primitives: `keep` at a scheduling point, where
    /// `put_back` is given it again in a later execution that comes there. In between the program need
    /// not follow it ([`is_known`](crate::is_known) is true): for what is costly to follow. What is kept once
    /// takes about so many `bytes`, which count for the [bound on memory](Self::max_memory).
    pub fn keeping(
        mut self,
        bytes: u64,
        keep: impl Fn() -> Box<dyn Any> + Send + Sync + 'static,
        put_back: impl Fn(&dyn Any) + Send + Sync + 'static,
    ) -> Self {
        self.options.keeper = Some(Keeper {
            bytes,
            keep: Arc::new(keep),
            put_back: Arc::new(put_back),
        });
        self
    }

    /// Called after each execution, on its worker's thread: for what a program counts over its executions.
    pub fn after_each(mut self, after: impl Fn() + Send + Sync + 'static) -> Self {
        self.options.after = Some(Arc::new(after));
        self
    }

    /// Threads that can be exchanged: each item says for each thread, by number, in whose place it
    /// stands. The first item must change nothing, and with two of them the one after the other must be
    /// one too. What [`beside`](Self::beside) writes has to follow
    /// [`hook::relabelling`](nmr_sync::hook::relabelling).
    pub fn symmetries(mut self, symmetries: Vec<Vec<usize>>) -> Self {
        self.options.symmetries = symmetries;
        self
    }

    /// Says what kind of violation a message is: a counterexample with fewer preemptions is looked for
    /// among those of the same kind. Called after the execution, on its worker's thread. Without it all
    /// deadlocks are one kind, and so are all panics with the same words.
    pub fn kind(mut self, kind: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        self.options.kind = Some(Arc::new(kind));
        self
    }

    /// Reports the first violation as it is, and looks for none with fewer preemptions.
    pub const fn first_violation(mut self) -> Self {
        self.options.minimise = false;
        self
    }

    /// Goes on from this file if it is there, and writes it at an interval and at the end.
    pub fn checkpoint(mut self, file: impl Into<PathBuf>) -> Self {
        self.options.checkpoint = Some(file.into());
        self
    }

    /// Time between two checkpoints, one minute if not given.
    pub const fn checkpoint_interval(mut self, interval: Duration) -> Self {
        self.options.interval = interval;
        self
    }

    /// Ends the search soon after this becomes true.
    pub fn stop(mut self, stop: Arc<AtomicBool>) -> Self {
        self.options.stop = Some(stop);
        self
    }

    /// Tells about ten times a second how far it has come.
    pub fn progress(mut self, tell: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.options.on_progress = Some(Arc::new(tell));
        self
    }

    /// Runs `program` in every interleaving, until one goes wrong.
    ///
    /// The program must do the same whenever its threads take turns in the same way: no time, no random
    /// number, no order of a hash map. Where that is found not to hold, the verdict is
    /// [`Verdict::HarnessError`]. Its mutexes and condvars must be made inside it.
    pub fn check(self, program: impl Fn() + Send + Sync + 'static) -> Report {
        let started = Instant::now();
        let program: Arc<dyn Fn() + Send + Sync> = Arc::new(program);
        let options = Arc::new(self.options);
        let rest = match &options.checkpoint {
            Some(path) => checkpoint::read(path, &options),
            None => Ok(None),
        };
        let (shared, mut verdict) = match rest {
            Err(error) => {
                let shared = Shared::new(options.clone(), started, None);
                (shared, Verdict::HarnessError(error.to_string()))
            }
            Ok(rest) => {
                let shared = Shared::new(options.clone(), started, rest);
                let verdict = verdict(shared.run(&program));
                let saved = shared.save();
                let verdict = match saved {
                    Ok(()) => verdict,
                    Err(error) => Verdict::HarnessError(error.to_string()),
                };
                (shared, verdict)
            }
        };
        let mut more = 0;
        if let Verdict::Violated(found) = &mut verdict
            && options.minimise
        {
            more = minimise(&options, started, &program, found);
        }
        report(&options, &shared, verdict, started, more)
    }
}

fn verdict(end: End) -> Verdict {
    match end {
        End::Exhausted => Verdict::Exhausted,
        End::Violated(found) => Verdict::Violated(found),
        End::Cut(why) => Verdict::Incomplete(why),
        End::Failed(error) => Verdict::HarnessError(error),
    }
}

/// Looks for a violation of the same kind with fewer preemptions: with none, with one, …
/// Answers the executions that this took.
fn minimise(
    options: &Options,
    started: Instant,
    program: &Arc<dyn Fn() + Send + Sync>,
    found: &mut Counterexample,
) -> u64 {
    let mut executions = 0;
    for most in 0..found.preemptions {
        let bounded = Options {
            preemptions: Some(most),
            only: Some(found.kind.clone()),
            workers: 1,
            checkpoint: None,
            max_executions: None,
            on_progress: None,
            ..options.clone()
        };
        let search = Shared::new(Arc::new(bounded), started, None);
        let end = search.run(program);
        executions += search.totals.executions.load(Ordering::Relaxed);
        match end {
            End::Exhausted => {}
            End::Violated(better) => {
                *found = better;
                break;
            }
            End::Cut(_) | End::Failed(_) => return executions,
        }
    }
    found.is_minimal = true;
    executions
}

fn report(
    options: &Options,
    shared: &Shared,
    verdict: Verdict,
    started: Instant,
    more: u64,
) -> Report {
    let totals = &shared.totals;
    Report {
        name: options.name.clone(),
        version: options.version.clone(),
        commit: env!("NMR_COMMIT").to_owned(),
        verdict,
        executions: totals.executions.load(Ordering::Relaxed),
        before_restart: totals.before.load(Ordering::Relaxed),
        minimising: more,
        known: totals.known.load(Ordering::Relaxed),
        asleep: totals.asleep.load(Ordering::Relaxed),
        transitions: shared.transitions(),
        states: shared.states(),
        longest: totals.longest.load(Ordering::Relaxed),
        preemptions: totals.preemptions.load(Ordering::Relaxed),
        restarts: totals.restarts.load(Ordering::Relaxed),
        memory: shared.memory(),
        elapsed: started.elapsed(),
        workers: options.workers,
        reductions: options.reductions.names(),
        spurious: options.spurious,
    }
}
