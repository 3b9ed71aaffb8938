//! `nmr check`: each scenario under each engine, each run in a process of its own.
//!
//! Results come in the order of scenarios and engines, whichever run ends first. As JSON each is
//! printed as soon as those before it are; for people all are printed at the end.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use nmr_models::process::{GRACE, Job, Outcome, Source};
use nmr_models::report::{Build, Line, RunResult, Verdict};
use nmr_models::scenarios;

use crate::args::{self, EngineChoice, Format};
use crate::cargo::{Program, WORKER, Workspace};
use crate::error::Error;
use crate::exit::Exit;
use crate::progress::Display;
use crate::select;
use crate::words;

pub mod human;
pub mod plan;
pub mod pool;
pub mod tally;

#[cfg(test)]
pub(crate) mod samples;

use plan::{Effort, Run, plan};
use tally::{Frame, Tally};

/// Runs the check and prints what it found to `out`; soon after `stop` becomes true it kills its
/// workers and prints what it has.
///
/// # Errors
/// There is nothing to run, a worker cannot be built, `out` cannot be written.
pub fn run(args: &args::Check, stop: &AtomicBool, out: &mut dyn Write) -> Result<Exit, Error> {
    let start = Instant::now();
    let sources = sources(args)?;
    let engines = EngineChoice::all_of(&args.engine);
    let effort = Effort {
        budget: args.budget,
        deep: args.deep,
    };
    let runs = plan(&sources, &engines, effort);
    let seed = args.seed.unwrap_or_else(random_seed);

    let display = Display::new();
    let workspace = Workspace::find()?;
    let builds = BTreeSet::from_iter(engines.iter().map(|engine| engine.build()));
    let workers = match &args.worker {
        Some(path) => builds
            .into_iter()
            .map(|build| (build, path.clone()))
            .collect(),
        None => build_all(&workspace, WORKER, &builds, stop, &display)?,
    };
    let cases = workspace.output().join("cases");
    let checker = Checker {
        workers,
        cases: &cases,
        seed,
        stop,
        display: &display,
    };
    display.say(&format!(
        "{} of {}, seed {seed}",
        words::plural(runs.len() as u64, "run"),
        words::plural(sources.len() as u64, "scenario"),
    ));
    let tally = checker.run_all(&runs, usize::from(args.jobs), args.format, out)?;
    let frame = Frame {
        whole: args.scenario.is_empty() && args.file.is_none(),
        interrupted: stop.load(Ordering::Relaxed),
        scenarios: sources.len() as u64,
        seconds: start.elapsed().as_secs_f64(),
        seed,
    };
    match args.format {
        Format::Human => out.write_all(human::report(&tally, frame).as_bytes())?,
        Format::Json => {
            for coverage in tally.coverage() {
                json(out, &Line::Coverage(coverage))?;
            }
            json(out, &Line::Summary(tally.summary(frame)))?;
        }
    }
    Ok(tally.exit(frame))
}

fn sources(args: &args::Check) -> Result<Vec<Source>, Error> {
    if let Some(file) = &args.file {
        return Ok(vec![select::from_file(file)?]);
    }
    let all = scenarios::all();
    let names: Vec<&str> = all.iter().map(|scenario| scenario.name.as_str()).collect();
    let chosen = select::matching(&names, &args.scenario)?;
    let named = chosen
        .into_iter()
        .map(|name| Source::Named(name.to_owned()));
    Ok(named.collect())
}

/// A seed that is short enough to be read out.
#[must_use]
pub fn random_seed() -> u64 {
    RandomState::new().hash_one(()) >> 32
}

/// One JSON object on a line.
pub(crate) fn json(out: &mut dyn Write, line: &Line) -> Result<(), Error> {
    let text = serde_json::to_string(line).map_err(std::io::Error::from)?;
    Ok(writeln!(out, "{text}").and_then(|()| out.flush())?)
}

/// Builds a program in several builds side by side.
pub(crate) fn build_all(
    workspace: &Workspace,
    program: Program,
    builds: &BTreeSet<Build>,
    stop: &AtomicBool,
    display: &Display,
) -> Result<Vec<(Build, PathBuf)>, Error> {
    let build = |build: Build| {
        let name = format!("{} ({} build)", program.name, words::build(build));
        let start = Instant::now();
        let activity = display.activity(&format!("building {name}"));
        let path = workspace.build(program, build, stop, &mut |crate_| activity.at(crate_))?;
        drop(activity);
        let time = words::time(start.elapsed().as_secs_f64());
        display.say(&format!("built {name} in {time}"));
        Ok((build, path))
    };
    thread::scope(|scope| {
        let threads: Vec<_> = builds
            .iter()
            .map(|&kind| scope.spawn(move || build(kind)))
            .collect();
        let join = |thread: thread::ScopedJoinHandle<'_, _>| {
            thread.join().expect("building does not panic")
        };
        threads.into_iter().map(join).collect()
    })
}

struct Checker<'a> {
    workers: Vec<(Build, PathBuf)>,
    cases: &'a Path,
    seed: u64,
    stop: &'a AtomicBool,
    display: &'a Display,
}

impl Checker<'_> {
    fn run_all(
        &self,
        runs: &[Run],
        width: usize,
        format: Format,
        out: &mut dyn Write,
    ) -> Result<Tally, Error> {
        let counter = self.display.counter(runs.len() as u64, "runs");
        let task = |run: &Run| {
            let outcome = self.run(run)?;
            counter.add_one();
            self.warn(&outcome.result);
            Some(outcome)
        };
        let mut tally = Tally::default();
        let mut printed = Ok(());
        pool::in_order(width, runs, task, |outcome| {
            if format == Format::Json && printed.is_ok() {
                printed = json(out, &Line::Result(outcome.result.clone()));
                // Nobody reads any more: the other runs would be for nothing.
                self.stop.fetch_or(printed.is_err(), Ordering::Relaxed);
            }
            tally.add(outcome);
        });
        printed.map(|()| tally)
    }

    /// `None` once everything has to stop.
    fn run(&self, run: &Run) -> Option<Outcome> {
        if self.stop.load(Ordering::Relaxed) {
            return None;
        }
        let build = run.engine.build();
        let (_, worker) = self.workers.iter().find(|(of, _)| *of == build)?;
        let name = format!("{} under {}", run.source.name(), run.engine);
        let activity = self.display.activity(&name);
        let job = Job {
            worker,
            source: run.source.clone(),
            engine: run.engine,
            seed: self.seed,
            budget: run.budget,
            grace: GRACE,
            case_dir: Some(self.cases),
        };
        job.run_until(self.stop, &mut |executions| {
            activity.at(words::plural(executions, "execution"));
        })
    }

    /// Tells at once what is not as it should be.
    fn warn(&self, result: &RunResult) {
        if result.verdict != Verdict::Holds {
            let verdict = words::verdict(result);
            let name = format!("{} under {}", result.scenario, result.engine);
            self.display.say(&format!("{verdict}: {name}"));
        }
    }
}
