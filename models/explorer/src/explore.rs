//! The entry: what to explore, within which limits, and what came of it.

use std::any::Any;
use std::hash::Hasher;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nmr_sync::hook;

use crate::checkpoint;
use crate::judge::{Ending, Judgement};
use crate::options::{Keeper, Minimise, Options};
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
    /// Some are made twice, to see that the same comes of them.
    pub fn after_each(mut self, after: impl Fn() + Send + Sync + 'static) -> Self {
        self.options.after = Some(Arc::new(after));
        self
    }

    /// Called when the search begins again, because a conflict was found: what a program has collected over its
    /// executions so far the search does not vouch for. With several workers some executions that were
    /// begun before end after that.
    pub fn on_restart(mut self, on_restart: impl Fn() + Send + Sync + 'static) -> Self {
        self.options.on_restart = Some(Arc::new(on_restart));
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

    /// Judges each execution, on its worker's thread, right after it: also one that came to its end, and one
    /// that only repeats what is known. What is answered is a violation; an error means that the judge
    /// cannot do without something, and ends the search as a harness error. Without a judge a deadlock is
    /// a violation of the kind `deadlock`, and a panic one of a kind of its own.
    ///
    /// ```
    /// # #[cfg(shuttle)] {
    /// use nmr_explorer::{Ending, Evidence, Explorer, Judgement};
    ///
    /// let judge = |ending: &Ending| match ending {
    ///     Ending::Completed => Ok(None),
    ///     other => Ok(Some(Judgement {
    ///         kind: "it did not complete".to_owned(),
    ///         message: format!("{other:?}"),
    ///         evidence: Some(Evidence::new(7_u32)),
    ///     })),
    /// };
    /// let report = Explorer::builder().judge(judge).check(|| panic!("on purpose"));
    /// # let nmr_explorer::Verdict::Violated(found) = report.verdict else { panic!("{report}") };
    /// # assert_eq!(found.kind, "it did not complete");
    /// # assert_eq!(found.evidence.unwrap().downcast_ref(), Some(&7_u32));
    /// # }
    /// ```
    pub fn judge(
        mut self,
        judge: impl Fn(&Ending) -> Result<Option<Judgement>, String> + Send + Sync + 'static,
    ) -> Self {
        self.options.judge = Some(Arc::new(judge));
        self
    }

    /// Reports the first violation as it is, and looks for none with fewer preemptions.
    pub const fn first_violation(mut self) -> Self {
        self.options.minimise = Minimise::Never;
        self
    }

    /// The most executions in which a violation with fewer preemptions is looked for once one is found. Ten
    /// times as many as that took, and at least 2,000, if not given.
    pub const fn max_minimising(mut self, executions: u64) -> Self {
        self.options.minimise = Minimise::Executions(executions);
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
    /// An execution is over when all its threads have ended: the main one waits for those that nobody
    /// joins.
    ///
    /// The program must do the same whenever its threads take turns in the same way: no time, no random
    /// number, no order of a hash map. Where that is found not to hold, the verdict is
    /// [`Verdict::HarnessError`]. Its mutexes, condvars and atomics must be made inside it, and its threads
    /// be started with `nmr_sync::thread::spawn`; a `check` inside a `check` is refused.
    pub fn check(self, program: impl Fn() + Send + Sync + 'static) -> Report {
        let started = Instant::now();
        let program: Arc<dyn Fn() + Send + Sync> = Arc::new(program);
        let options = Arc::new(self.options);
        if is_inside_a_model() {
            let why = "a check inside a check, or inside a model of shuttle's: it would not see the threads \
                outside";
            hook::raise_alarm(why);
            let shared = Shared::new(options.clone(), started, None);
            let verdict = Verdict::HarnessError(why.to_owned());
            return report(&options, &shared, verdict, started, 0);
        }
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
        if let Verdict::Violated(found) = &mut verdict {
            let executions = shared.totals.executions.load(Ordering::Relaxed);
            let most = options.minimise.executions(executions);
            more = minimise(&options, started, &program, found, most);
        }
        report(&options, &shared, verdict, started, more)
    }
}

/// Whether the calling thread is one of a program that is being explored.
fn is_inside_a_model() -> bool {
    hook::is_observed() || shuttle::current::try_get_current_task().is_some()
}

fn verdict(end: End) -> Verdict {
    match end {
        End::Exhausted => Verdict::Exhausted,
        End::Violated(found) => Verdict::Violated(found),
        End::Cut(why) => Verdict::Incomplete(why),
        End::Failed(error) => Verdict::HarnessError(error),
    }
}

/// Looks for a violation of the same kind with fewer preemptions: with none, with one, …, in `most`
/// executions at the most. Answers the executions that this took.
fn minimise(
    options: &Options,
    started: Instant,
    program: &Arc<dyn Fn() + Send + Sync>,
    found: &mut Counterexample,
    most: u64,
) -> u64 {
    let mut executions = 0;
    for preemptions in 0..found.preemptions {
        let left = most - executions;
        if left == 0 {
            return executions;
        }
        let bounded = Options {
            preemptions: Some(preemptions),
            only: Some(found.kind.clone()),
            workers: 1,
            checkpoint: None,
            max_executions: Some(left),
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
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: env!("NMR_COMMIT").to_owned(),
        verdict,
        executions: totals.executions.load(Ordering::Relaxed),
        before_restart: totals.before.load(Ordering::Relaxed),
        minimising: more,
        verifying: totals.verifying.load(Ordering::Relaxed),
        known: totals.known.load(Ordering::Relaxed),
        transitions: shared.transitions(),
        states: match options.has(Reduction::VisitedStates) {
            true => shared.states(),
            false => 0,
        },
        longest: totals.longest.load(Ordering::Relaxed),
        preemptions: totals.preemptions.load(Ordering::Relaxed),
        restarts: totals.restarts.load(Ordering::Relaxed),
        memory: shared.memory(),
        elapsed: started.elapsed(),
        workers: options.workers,
        reductions: options.names_in_force(),
        spurious: options.spurious,
    }
}
