//! The entry: what to explore, within which limits, and what came of it.

use std::any::Any;
use std::hash::Hasher;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nmr_sync::hook;
use shuttle::scheduler::Scheduler;

use crate::checker::assumptions::Assumptions;
use crate::checker::checkpoint::{self, Error as CheckpointError};
use crate::checker::execution::{Body, Outcome};
use crate::checker::follow::Fit;
use crate::checker::judge::{Ending, Judgement};
use crate::checker::neighbourhood::{self, Near};
use crate::checker::options::{Minimise, Options, Snapshots};
use crate::checker::progress::Progress;
use crate::checker::replay::{self, Raw};
use crate::checker::report::{Counterexample, Replay, Replayed, Report, Verdict};
use crate::checker::sample;
use crate::checker::schedule::Schedule;
use crate::checker::workers::{End, Shared};
use crate::reduction::Reduction;

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

    /// Makes the one execution that a schedule describes: see [`Builder::replay`].
    pub fn replay(program: impl Fn() + Send + Sync + 'static, schedule: &Schedule) -> Replay {
        Self::builder().replay(program, schedule)
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

    /// At most about so many bytes for the states seen, and for the snapshots to go on from them. Half of the
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

    /// A [sampled](Self::sample) thread stops also at the operation right after a [`linger`](nmr_sync::linger). Otherwise
    /// the two are one step: what comes between is as late as it may be. For a scheduler that has to choose between all
    /// orders, like one that goes along another execution.
    pub const fn every_step(mut self) -> Self {
        self.options.every_step = true;
        self
    }

    /// Sleeping threads may wake without a reason, at any time.
    pub const fn spurious_wakeups(mut self) -> Self {
        self.options.spurious = true;
        self
    }

    /// Threads of the program have so many bytes of stack, below which nothing is readable; 60 KiB if not given. For programs
    /// that call what needs more.
    pub const fn stack_size(mut self, bytes: usize) -> Self {
        self.options.stack_size = Some(bytes);
        self
    }

    /// The program's external state, which stands beside the primitives and counts: `write` writes it into a
    /// hasher. It has to cover all that the program [touches](nmr_sync::touch). It is called between steps of the program, and
    /// must not use a primitive.
    pub fn external_state(
        mut self,
        write: impl Fn(&mut dyn Hasher) + Send + Sync + 'static,
    ) -> Self {
        self.options.external_state = Some(Arc::new(write));
        self
    }

    /// Snapshots of external state, or of a part of it: `take` takes one at a scheduling
    /// point, and `restore` is given it in a later execution that comes there. In between the program need
    /// not follow it ([`is_redundant`](crate::is_redundant) is true): for what is costly to follow. One has about so many
    /// `bytes`, which count for the [bound on memory](Self::max_memory).
    pub fn snapshots(
        mut self,
        bytes: u64,
        take: impl Fn() -> Box<dyn Any> + Send + Sync + 'static,
        restore: impl Fn(&dyn Any) + Send + Sync + 'static,
    ) -> Self {
        self.options.snapshots = Some(Snapshots {
            bytes,
            take: Arc::new(take),
            restore: Arc::new(restore),
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

    /// Permutations of the threads that change nothing: each item says for each thread, by number, its
    /// image. The first item must be the identity, and with two of them the one after the other must be
    /// one too. The [external state](Self::external_state) has to follow
    /// [`hook::permutation`](nmr_sync::hook::permutation).
    pub fn symmetries(mut self, symmetries: Vec<Vec<usize>>) -> Self {
        self.options.symmetries = symmetries;
        self
    }

    /// Judges each execution, on its worker's thread, right after it: also one that came to its end, and one
    /// that only repeats what is known. What is answered is a violation; an error means that the judge
    /// cannot do without something, and ends the search as a harness error. Without a judge deadlocks are
    /// violations of one kind, and panics that say the same.
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
    /// # assert_eq!(found.violation.kind(), "it did not complete");
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

    /// Only violations of this [kind](crate::Violation::kind) count; an execution that breaks something else ends
    /// there, and the search goes on. So it is exhausted also where there are other violations: this is for
    /// looking for a certain one, not for a verdict on a program.
    pub fn only_kind(mut self, kind: impl Into<String>) -> Self {
        self.options.only_kind = Some(kind.into());
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

    /// Whether the search can go on from its [checkpoint](Self::checkpoint), if it has one and the file is there. Whoever
    /// asks first can tell a file that is not fit from a search that has failed: [`check`](Self::check) says
    /// [`Verdict::HarnessError`] of both.
    ///
    /// ```
    /// # #[cfg(shuttle)] {
    /// use nmr_explorer::Explorer;
    ///
    /// let folder = tempfile::tempdir().unwrap();
    /// let file = folder.path().join("search.checkpoint");
    /// let search = Explorer::builder().checkpoint(&file);
    /// assert!(search.check_checkpoint().is_ok(), "there is none yet");
    /// std::fs::write(&file, "a shopping list").unwrap();
    /// let why = search.check_checkpoint().unwrap_err().to_string();
    /// assert!(why.contains("is no checkpoint of this version"), "{why}");
    /// # }
    /// ```
    ///
    /// # Errors
    /// The file cannot be read, is no checkpoint, or is one of another program, build or set of options.
    pub fn check_checkpoint(&self) -> Result<(), CheckpointError> {
        match &self.options.checkpoint {
            Some(path) => checkpoint::read(path, &self.options).map(drop),
            None => Ok(()),
        }
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
        let program: Body = Arc::new(program);
        let options = Arc::new(self.options);
        if let Some(why) = refusal() {
            let shared = Shared::new(options.clone(), started, None);
            let verdict = Verdict::HarnessError(why);
            return report(&options, &shared, verdict, started, 0);
        }
        let rest = match &options.checkpoint {
            Some(path) => checkpoint::read(path, &options),
            None => Ok(None),
        };
        let (shared, end) = match rest {
            Err(error) => {
                let shared = Shared::new(options.clone(), started, None);
                (shared, End::Failed(error.to_string()))
            }
            Ok(rest) => {
                let shared = Shared::new(options.clone(), started, rest);
                let end = shared.run(&program);
                let end = match shared.save() {
                    Ok(()) => end,
                    Err(error) => End::Failed(error.to_string()),
                };
                (shared, end)
            }
        };
        let mut more = 0;
        let verdict = match end {
            End::Exhausted => match shared.totals.gave_up() {
                None => Verdict::Exhausted,
                Some(why) => Verdict::Incomplete(why),
            },
            End::Cut(why) => Verdict::Incomplete(why),
            End::Failed(error) => Verdict::HarnessError(error),
            End::Violated(raw) => {
                let executions = shared.totals.executions.load(Ordering::Relaxed);
                let most = options.minimise.executions(executions);
                let fewest = minimise(&options, started, &program, raw, most);
                more = fewest.executions;
                shown(&fewest.options, &program, &fewest.raw, fewest.is_minimal)
            }
        };
        report(&options, &shared, verdict, started, more)
    }

    /// Makes the one execution that a schedule describes, and judges it. It ends where the schedule does not fit.
    ///
    /// ```
    /// # #[cfg(shuttle)] {
    /// use std::sync::Arc;
    /// use nmr_explorer::{Explorer, Replayed, Verdict};
    /// use nmr_sync::{Mutex, thread};
    ///
    /// let program = || {
    ///     let list = Arc::new(Mutex::new(Vec::new()));
    ///     let threads = [1, 2].map(|number| {
    ///         let list = list.clone();
    ///         thread::spawn(move || list.lock().push(number))
    ///     });
    ///     threads.map(|thread| thread.join().unwrap());
    ///     assert_ne!(*list.lock(), [2, 1]);
    /// };
    /// let report = Explorer::builder().check(program);
    /// let Verdict::Violated(found) = report.verdict else { panic!("{report}") };
    /// let again = Explorer::replay(program, &found.schedule);
    /// let Replayed::Violated(again) = again.outcome else { panic!("{again:?}") };
    /// assert_eq!(again.violation, found.violation);
    /// # }
    /// ```
    pub fn replay(self, program: impl Fn() + Send + Sync + 'static, schedule: &Schedule) -> Replay {
        self.replay_as(program, schedule, Fit::Exact)
    }

    /// As [`replay`](Self::replay), as closely as `fit` says.
    pub fn replay_as(
        self,
        program: impl Fn() + Send + Sync + 'static,
        schedule: &Schedule,
        fit: Fit,
    ) -> Replay {
        let program: Body = Arc::new(program);
        match refusal() {
            Some(why) => Replay::failed(why),
            None => Replay::new(replay::by_schedule(&self.options, &program, schedule, fit)),
        }
    }

    /// Looks for a violation that `is_wanted` in the neighbourhood of a schedule: see [`Near`].
    pub fn search_near(
        self,
        program: impl Fn() + Send + Sync + 'static,
        schedule: &Schedule,
        is_wanted: impl Fn(&Counterexample) -> bool,
    ) -> Near {
        self.near(
            program,
            schedule,
            neighbourhood::search,
            |made| match &made.outcome {
                Replayed::Violated(found) => is_wanted(found),
                _ => false,
            },
        )
    }

    /// Looks for an execution near a schedule that comes to its end with nothing wrong: one that differs by one step; one that
    /// leaves it at a step, the last one first, after which each thread goes on as long as it can; one that differs by two.
    pub fn search_good_near(
        self,
        program: impl Fn() + Send + Sync + 'static,
        schedule: &Schedule,
    ) -> Near {
        self.near(program, schedule, neighbourhood::search_others, |made| {
            matches!(made.outcome, Replayed::Completed)
        })
    }

    fn near<W: Fn(&Replay) -> bool>(
        self,
        program: impl Fn() + Send + Sync + 'static,
        schedule: &Schedule,
        search: impl FnOnce(&Schedule, u64, &dyn Fn(&Schedule, Fit) -> Replay, W) -> Near,
        is_wanted: W,
    ) -> Near {
        let program: Body = Arc::new(program);
        if let Some(why) = refusal() {
            return Near {
                executions: 0,
                found: Some(Replay::failed(why)),
            };
        }
        let most = self.options.max_executions.unwrap_or(u64::MAX);
        let replay = |schedule: &Schedule, fit| {
            Replay::new(replay::by_schedule(&self.options, &program, schedule, fit))
        };
        search(schedule, most, &replay, is_wanted)
    }

    /// Makes executions that a scheduler of shuttle's chooses, until one breaks something, the limits are
    /// reached or the scheduler makes no more. Limits are the [budget](Self::budget) and the
    /// [executions](Self::max_executions); reductions, workers and symmetries are of no concern here. What is
    /// found has its schedule like any other; it is reported as it is, without looking for a smaller one.
    ///
    /// ```
    /// # #[cfg(shuttle)] {
    /// use nmr_explorer::{Explorer, Verdict};
    /// use shuttle::scheduler::RandomScheduler;
    ///
    /// let scheduler = RandomScheduler::new_from_seed(7, 100);
    /// let report = Explorer::builder().sample(|| (), scheduler);
    /// assert_eq!((report.verdict, report.executions), (Verdict::Sampled, 100));
    /// # }
    /// ```
    pub fn sample(
        self,
        program: impl Fn() + Send + Sync + 'static,
        scheduler: impl Scheduler + Send + 'static,
    ) -> Report {
        let started = Instant::now();
        let program: Body = Arc::new(program);
        let options = Arc::new(self.options.led());
        let shared = Shared::new(options.clone(), started, None);
        if let Some(why) = refusal() {
            return report(&options, &shared, Verdict::HarnessError(why), started, 0);
        }
        let (made, end) = sample::run(&options, &program, Box::new(scheduler), started);
        let verdict = match end {
            sample::End::Over => Verdict::Sampled,
            sample::End::Cut(why) => Verdict::Incomplete(why),
            sample::End::Failed(error) => Verdict::HarnessError(error),
            sample::End::Violated(raw) => {
                let is_minimal = raw.preemptions == 0;
                shown(&options, &program, &raw, is_minimal)
            }
        };
        Report {
            executions: made.executions,
            longest: made.longest,
            preemptions: made.preemptions,
            ..report(&options, &shared, verdict, started, 0)
        }
    }
}

/// Why nothing can be explored here, if nothing can.
fn refusal() -> Option<String> {
    is_inside_a_model().then(|| {
        let why = "a check inside a check, or inside a model of shuttle's: it would not see the threads \
            outside";
        hook::raise_alarm(why);
        why.to_owned()
    })
}

/// What was found, made again with names. That is what is reported: message, evidence and schedule are of one
/// execution.
fn shown(options: &Arc<Options>, program: &Body, raw: &Raw, is_minimal: bool) -> Verdict {
    let again = replay::by_script(options, program, raw);
    let found = match again.outcome {
        Outcome::Found(found) if found.violation.is_of_the_kind_of(&raw.found.violation) => found,
        other => {
            let now = match other {
                Outcome::Found(found) => format!("something else went wrong ({})", found.violation),
                Outcome::Failed(error) | Outcome::Cut(error) => error,
                Outcome::Good | Outcome::Misfit => "nothing went wrong".to_owned(),
            };
            return Verdict::HarnessError(format!(
                "an execution went wrong ({}), and when it was made again {now}: the program depends on \
                 something that is not under control",
                raw.found.violation
            ));
        }
    };
    Verdict::Violated(Counterexample {
        is_minimal,
        ..Counterexample::new(found, again.schedule, raw.preemptions)
    })
}

/// Whether the calling thread is one of a program that is being explored.
fn is_inside_a_model() -> bool {
    hook::is_observed() || shuttle::current::try_get_current_task().is_some()
}

/// What was found with the fewest preemptions, and how.
struct Fewest {
    raw: Box<Raw>,
    options: Arc<Options>,
    is_minimal: bool,
    executions: u64,
}

/// Looks for a violation of the same kind with fewer preemptions: with none, with one, …, in `most`
/// executions at the most.
fn minimise(
    options: &Arc<Options>,
    started: Instant,
    program: &Body,
    raw: Box<Raw>,
    most: u64,
) -> Fewest {
    let mut fewest = Fewest {
        is_minimal: raw.preemptions == 0,
        raw,
        options: options.clone(),
        executions: 0,
    };
    for preemptions in 0..fewest.raw.preemptions {
        let left = most - fewest.executions;
        if left == 0 {
            return fewest;
        }
        let bounded = Arc::new(Options {
            preemptions: Some(preemptions),
            only: Some(fewest.raw.found.violation.clone()),
            workers: 1,
            checkpoint: None,
            max_executions: Some(left),
            ..(**options).clone()
        });
        let search = Shared::new(bounded.clone(), started, None);
        let end = search.run(program);
        fewest.executions += search.totals.executions.load(Ordering::Relaxed);
        match end {
            End::Exhausted if search.totals.gave_up().is_none() => {}
            End::Violated(raw) => {
                (fewest.raw, fewest.options) = (raw, bounded);
                break;
            }
            End::Exhausted | End::Cut(_) | End::Failed(_) => return fewest,
        }
    }
    fewest.is_minimal = true;
    fewest
}

fn report(
    options: &Options,
    shared: &Shared,
    verdict: Verdict,
    started: Instant,
    more: u64,
) -> Report {
    let totals = &shared.totals;
    let states = match options.has(Reduction::VisitedStates) {
        true => shared.states(),
        false => 0,
    };
    let rounds_repeat = totals.rounds_repeat.load(Ordering::Relaxed);
    Report {
        name: options.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: crate::COMMIT.to_owned(),
        verdict,
        executions: totals.executions.load(Ordering::Relaxed),
        before_restart: totals.before.load(Ordering::Relaxed),
        minimising: more,
        verifying: totals.verifying.load(Ordering::Relaxed),
        known: totals.redundant.load(Ordering::Relaxed),
        transitions: shared.transitions(),
        states,
        longest: totals.longest.load(Ordering::Relaxed),
        preemptions: totals.preemptions.load(Ordering::Relaxed),
        restarts: totals.restarts.load(Ordering::Relaxed),
        memory: shared.memory(),
        elapsed: started.elapsed(),
        workers: options.workers,
        reductions: options.names_in_force(),
        assumptions: Assumptions::new(options, states, rounds_repeat),
    }
}
