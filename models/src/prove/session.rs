//! A run as it is ordered: from a checkpoint or from the beginning, until it is done or has to stop, and what is then
//! said of it.

use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::checkpoint::{About, Checkpoint, Error};
use super::prover::{Outcome, Prover};
use super::report::{Broken, Progress, Summary};
use super::run::{Run, Share, name};
use super::shrink::{Counterexample, smallest};
use super::size::Size;
use super::space::Space;
use super::totals::Totals;
use crate::case::{Case, version};
use crate::conditions::Conditions;
use crate::engine_name::Engine;
use crate::report::{Line, Verdict};
use crate::rule::Rule;
use crate::shard::Shard;

/// How often progress is told.
const TELLING: Duration = Duration::from_millis(500);

/// How often the checkpoint is written.
const SAVING: Duration = Duration::from_secs(2);

/// A run.
#[derive(Clone, Debug)]
pub struct Order {
    /// Which programs.
    pub size: Size,
    /// Which share of them.
    pub shard: Shard,
    /// How many threads work on it.
    pub workers: NonZeroUsize,
    /// The time for it, if there is a limit. A program that is begun is ended, and what breaks a rule is made small
    /// after it.
    pub time: Option<Duration>,
    /// Whether it ends with the first program that breaks a rule, which is then not made small.
    pub first: bool,
    /// Where it is written, and gone on with.
    pub checkpoint: Option<PathBuf>,
    /// Where the small programs that break a rule are saved.
    pub cases: Option<PathBuf>,
    /// The engine that the prover stands for.
    pub engine: Engine,
    /// What may happen besides, as the prover brings it about.
    pub conditions: Conditions,
}

impl Order {
    /// Carries it out. `say` hears of progress, then of what broke, of coverage, and at last the summary.
    ///
    /// # Errors
    /// The checkpoint cannot be used or written.
    pub fn run(
        &self,
        prover: &impl Prover,
        stop: &AtomicBool,
        mut say: impl FnMut(Line),
    ) -> Result<Verdict, Error> {
        let start = Instant::now();
        let space = Space::new(self.size);
        let share = Share::new(&space, self.shard);
        let about = About::new(&self.size, self.shard, self.conditions);
        let mut checkpoint = match &self.checkpoint {
            Some(path) => Checkpoint::load(path, about)?,
            None => Checkpoint::new(about),
        };
        // Where it cannot be written nothing should be done in vain.
        self.save(&checkpoint)?;
        let earlier = checkpoint.seconds;
        let run = Run {
            share,
            prover,
            workers: self.workers,
        };
        let failed = AtomicBool::new(false);
        let found = AtomicBool::new(false);
        let is_late = || self.time.is_some_and(|time| start.elapsed() >= time);
        let is_over = || {
            let all = [stop, &failed, &found];
            all.iter().any(|it| it.load(Ordering::Relaxed)) || is_late()
        };
        let (mut saved, mut last, mut told) = (Ok(()), start, None::<Instant>);
        let mut totals = checkpoint.totals.clone();
        run.go_on(&mut totals, &is_over, |totals| {
            found.fetch_or(self.first && totals.violated > 0, Ordering::Relaxed);
            if told.is_none_or(|told| told.elapsed() >= TELLING) {
                told = Some(Instant::now());
                say(Line::ProveProgress(Progress {
                    done: totals.programs,
                    of: share.len(),
                }));
            }
            if last.elapsed() >= SAVING && saved.is_ok() {
                checkpoint.totals = totals.clone();
                checkpoint.seconds = earlier + start.elapsed().as_secs_f64();
                saved = self.save(&checkpoint);
                failed.store(saved.is_err(), Ordering::Relaxed);
                last = Instant::now();
            }
        });
        saved?;
        checkpoint.totals = totals;
        checkpoint.seconds = earlier + start.elapsed().as_secs_f64();
        self.save(&checkpoint)?;
        let totals = &checkpoint.totals;
        for &(rule, number) in &totals.broken {
            // Whoever interrupts it does not want to wait.
            if !stop.load(Ordering::Relaxed) {
                say(Line::Broken(self.broken(&space, rule, number, prover)));
            }
        }
        totals
            .coverage()
            .for_each(|coverage| say(Line::Coverage(coverage)));
        let summary = self.summary(share, totals, checkpoint.seconds, stop);
        let verdict = summary.verdict;
        say(Line::ProveSummary(Box::new(summary)));
        Ok(verdict)
    }

    fn save(&self, checkpoint: &Checkpoint) -> Result<(), Error> {
        let path = self.checkpoint.as_ref();
        path.map_or(Ok(()), |path| checkpoint.save(path))
    }

    fn broken(
        &self,
        space: &Space,
        rule: Option<Rule>,
        number: u64,
        prover: &impl Prover,
    ) -> Broken {
        if self.first {
            return self.first_broken(space, rule, number, prover);
        }
        let smallest = smallest(space, number, rule, prover);
        let (message, case) = match smallest {
            None => {
                let why = "it did so once, and does not when it is exhausted again";
                (why.to_owned(), Ok(None))
            }
            Some(found) => {
                let case = self
                    .cases
                    .as_ref()
                    .map(|folder| self.save_case(&found, number, folder));
                (found.violation.message, case.transpose())
            }
        };
        let (case, unsaved) = match case {
            Ok(case) => (case, String::new()),
            Err(error) => (None, format!("\n(the case was not saved: {error})")),
        };
        Broken {
            rule,
            program: number,
            message: message + &unsaved,
            case,
        }
    }

    /// As it was found.
    fn first_broken(
        &self,
        space: &Space,
        rule: Option<Rule>,
        number: u64,
        prover: &impl Prover,
    ) -> Broken {
        let scenario = space.program(number).scenario(&name(space, number), "");
        let message = match prover.exhaust(&scenario).outcome {
            Outcome::Violated(violation) => violation.message,
            _ => "it did so once, and does not when it is exhausted again".to_owned(),
        };
        Broken {
            rule,
            program: number,
            message,
            case: None,
        }
    }

    fn save_case(&self, found: &Counterexample, number: u64, folder: &Path) -> io::Result<PathBuf> {
        let size = self.size.name;
        let summary =
            format!("The smallest program that breaks it as program {number} of {size} does.");
        let name = format!("program-{size}-{number}");
        let scenario = found.program.scenario(&name, &summary);
        let scenario = self.conditions.of(scenario);
        Case::of_program(self.engine, self.conditions, scenario, &found.violation).save(folder)
    }

    fn summary(
        &self,
        share: Share<'_>,
        totals: &Totals,
        seconds: f64,
        stop: &AtomicBool,
    ) -> Summary {
        let verdict = totals.verdict(share.len());
        let interrupted = stop.load(Ordering::Relaxed);
        Summary {
            size: self.size.name.to_owned(),
            bounds: self.size.summary.to_owned(),
            programs_in_size: share.space().len(),
            shard: self.shard,
            programs_in_share: share.len(),
            programs: totals.programs,
            violated: totals.violated,
            incomplete: totals.incomplete,
            failed: totals.failed,
            states: totals.states,
            transitions: totals.transitions,
            seconds,
            workers: self.workers.get() as u64,
            engine: self.engine,
            conditions: self.conditions,
            verdict,
            how: how(totals, share.len(), interrupted),
            certificate: (verdict == Verdict::Holds).then(|| self.certificate(share.len())),
            version: version(),
        }
    }

    fn certificate(&self, programs: u64) -> String {
        let Self {
            size,
            shard,
            engine,
            conditions,
            ..
        } = self;
        let wakes = match conditions.spurious_wakeups {
            true => "with",
            false => "without",
        };
        let share = match *shard == Shard::WHOLE {
            true => String::new(),
            false => format!(" of shard {shard}"),
        };
        format!(
            "every program{share} of the size `{}` ({}), {programs} up to renaming, was exhausted by {engine}: every \
             order of critical sections, which are atomic as loom shows of the monitor, {wakes} spurious wake-ups; pending detaches are \
             completed in any order; states are told apart by hashes of 128 bits; left out are programs \
             that differ from these only in what cannot matter (documentation of nmr_models::prove); nothing is said of \
             larger programs, nor of weaker memory",
            size.name, size.summary
        )
    }
}

/// Why nobody knows whether it holds.
fn how(totals: &Totals, share: u64, interrupted: bool) -> Option<String> {
    let left = share - totals.programs;
    match totals.verdict(share) {
        Verdict::Holds | Verdict::Violated => None,
        Verdict::HarnessError => {
            let (number, words) = totals.first_failed.as_ref()?;
            Some(format!("program {number}: {words}"))
        }
        Verdict::Incomplete if left > 0 => {
            let why = if interrupted {
                "interrupted"
            } else {
                "the time was over"
            };
            Some(format!(
                "{why}: {left} of {share} programs were not looked at"
            ))
        }
        Verdict::Incomplete => {
            let (number, why) = totals.first_incomplete.as_ref()?;
            let others = totals.incomplete - 1;
            Some(format!(
                "program {number} was not exhausted ({why}), nor were {others} others"
            ))
        }
    }
}
