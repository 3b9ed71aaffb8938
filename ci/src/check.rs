//! `nmr check`: the scenarios under the engines, each run in a process of its own.
//!
//! There are two phases: first the runs that are made in any case, then those of the engines that sample
//! what no search has exhausted. In each of them results come in the order of scenarios and engines,
//! whichever run ends first. As JSON each is printed as soon as those before it are; for people all are
//! printed at the end, in one order.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nmr_models::conditions::Conditions;
use nmr_models::engine::ExplorerOptions;
use nmr_models::engine_name::{Build, Engine};
use nmr_models::process::{GRACE, Job, Outcome, Source};
use nmr_models::report::{Line, RunResult, Verdict};
use nmr_models::scenario::Terms;
use nmr_models::scenarios;

use crate::args::{self, Format};
use crate::c_module::{self, Maker};
use crate::cargo::{WORKER, Workspace};
use crate::error::Error;
use crate::exit::Exit;
use crate::json;
use crate::outputs::Tested;
use crate::pool;
use crate::progress::Display;
use crate::replay::{self, Replayer};
use crate::seed;
use crate::select;
use crate::words;
use crate::workers::Workers;

pub mod human;
pub mod plan;
pub mod tally;

#[cfg(test)]
pub(crate) mod samples;

use plan::{Effort, Engines, Run};
use tally::{Frame, Tally};

/// How long a schedule is looked for that breaks what an engine without schedules has found.
pub(crate) const SCHEDULING: Duration = Duration::from_secs(5);

/// Runs the check and prints what it found to `out`; soon after `stop` becomes true it kills its
/// workers and prints what it has.
///
/// # Errors
/// There is nothing to run, options contradict each other, a worker cannot be built, `out` cannot be
/// written.
pub fn run(args: &args::Check, stop: &AtomicBool, out: &mut dyn Write) -> Result<Exit, Error> {
    let start = Instant::now();
    args.outputs.check(args.format)?;
    let workspace = Workspace::find()?;
    let display = Display::new();
    let sources = sources(args)?;
    let (sources, has_c_modules) = with_c_modules(args, &workspace, &display, sources)?;
    let mut engines = Engines::of(&args.engine);
    let mut left_out = engines.under(args.conditions)?;
    if has_c_modules {
        left_out.extend(engines.for_c_modules()?);
        left_out.sort_unstable();
    }
    check_explorer(&args.explorer, &engines, sources.len())?;
    let effort = Effort {
        budget: args.budget,
        deep: args.deep,
    };
    let seed = args.seed.unwrap_or_else(seed::random);

    let builds = BTreeSet::from_iter(engines.all().map(Engine::build));
    let workers = match &args.worker {
        Some(path) => Workers::given(path, builds),
        None => Workers::build(&workspace, WORKER, &builds, stop, &display)?,
    };
    let cases = workspace.output().join("cases");
    let checker = Checker {
        replayer: Replayer::new(args.worker.as_deref(), stop),
        workers,
        cases: &cases,
        seed,
        options: &args.explorer,
        terms: args.terms,
        conditions: args.conditions,
        is_open: !args.c_module.is_empty() && is_open(args),
        width: usize::from(args.jobs),
        stop,
        display: &display,
    };
    let first = plan::first(&sources, &engines, effort);
    display.say(&format!(
        "{} of {}, seed {seed}",
        words::plural(first.len() as u64, "run"),
        words::plural(sources.len() as u64, "scenario"),
    ));
    if !left_out.is_empty() {
        let names: Vec<&str> = left_out.iter().map(|engine| engine.name()).collect();
        let why = match has_c_modules {
            true => "with modules in C, which they do not run".to_owned(),
            false => format!("{}, which cannot be told to", args.conditions),
        };
        display.say(&format!("not run {why}: {}", names.join(", ")));
    }
    let mut tally = Tally::default();
    checker.run_all(&first, args.format, &mut tally, out)?;
    let then = plan::then(&sources, &engines, effort, &tally.results);
    if !then.is_empty() && !stop.load(Ordering::Relaxed) {
        display.say(&format!(
            "sampling what no search has exhausted: {}",
            words::plural(then.len() as u64, "run"),
        ));
        checker.run_all(&then, args.format, &mut tally, out)?;
    }
    tally.sort(&sources);
    let frame = Frame {
        whole: args.scenario.is_empty() && args.file.is_none() && !has_c_modules,
        interrupted: stop.load(Ordering::Relaxed),
        scenarios: sources.len() as u64,
        seconds: start.elapsed().as_secs_f64(),
        seed,
        conditions: args.conditions,
        left_out: &left_out,
        has_c_modules,
    };
    match args.format {
        Format::Human => out.write_all(human::report(&tally, frame).as_bytes())?,
        Format::Json => {
            for coverage in tally.coverage() {
                json::print(out, &Line::Coverage(coverage))?;
            }
            json::print(out, &Line::Summary(tally.summary(frame)))?;
        }
    }
    let root = workspace.root();
    let tested: Vec<Tested> = (tally.results.iter())
        .map(|result| tested(root, &sources, result))
        .collect();
    args.outputs.write("check", root, &tested, out)?;
    Ok(tally.exit(frame))
}

/// What other programs are told of a run.
fn tested(root: &Path, sources: &[Source], result: &RunResult) -> Tested {
    let source = sources
        .iter()
        .find(|source| source.name() == result.scenario);
    let scenario = source.map(|source| match source {
        Source::Named(name) => root.join(format!("models/scenarios/{name}.toml")),
        Source::File { path, .. } => path.clone(),
    });
    let message = match (&result.how, result.verdict) {
        (Some(how), Verdict::Incomplete) => how.clone(),
        _ => result.message.clone(),
    };
    Tested {
        suite: result.scenario.clone(),
        name: result.engine.to_string(),
        verdict: result.verdict,
        rule: result.rule,
        message,
        seconds: result.seconds,
        case: result.case.clone(),
        scenario,
    }
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

/// The scenarios as they are with the modules in C that were given, and whether there are any.
fn with_c_modules(
    args: &args::Check,
    workspace: &Workspace,
    display: &Display,
    sources: Vec<Source>,
) -> Result<(Vec<Source>, bool), Error> {
    if args.c_module.is_empty() {
        let mut has_some = false;
        for source in &sources {
            has_some |= c_module::are_in(source)?;
        }
        return Ok((sources, has_some));
    }
    let maker = Maker::new(workspace.root(), &workspace.output());
    let chosen = maker.put(&args.c_module, sources, is_open(args))?;
    if !chosen.left_out.is_empty() {
        display.say(&format!(
            "left out, as they have no room for the modules in C: {}",
            words::plural(chosen.left_out.len() as u64, "scenario")
        ));
    }
    Ok((chosen.sources, true))
}

/// Whether scenarios were not chosen one by one: a name that is no glob chooses one.
fn is_open(args: &args::Check) -> bool {
    let is_glob = |text: &String| text.contains(['*', '?', '[', '{']);
    args.file.is_none() && args.scenario.iter().all(is_glob)
}

/// Whether what is asked of the explorer can be done.
fn check_explorer(
    options: &ExplorerOptions,
    engines: &Engines,
    scenarios: usize,
) -> Result<(), Error> {
    let has = |one: Engine| engines.all().any(|engine| engine == one);
    for option in options
        .arguments()
        .iter()
        .filter(|one| one.starts_with("--"))
    {
        let of: &[Engine] = match option.as_str() {
            "--workers" | "--max-memory" => &[Engine::Explorer, Engine::Direct],
            "--direct-without" | "--verify" => &[Engine::Direct],
            _ => &[Engine::Explorer],
        };
        if !of.iter().any(|&engine| has(engine)) {
            let whose = match of[0] {
                Engine::Explorer => "the explorer",
                _ => "the direct engine",
            };
            return Err(Error::Usage(format!(
                "{option} is for {whose}, which is not among the engines: add `--engine {}`",
                of[0]
            )));
        }
    }
    match &options.checkpoint {
        Some(file) => check_checkpoint(file, scenarios),
        None => Ok(()),
    }
}

/// Before anything is built and searched for nothing.
fn check_checkpoint(file: &Path, scenarios: usize) -> Result<(), Error> {
    if scenarios != 1 {
        return Err(Error::Usage(format!(
            "--checkpoint holds the search of one scenario, these are {scenarios}: choose one with \
             --scenario or --file"
        )));
    }
    check_folder(file)
}

/// Whether a checkpoint can be put there.
pub(crate) fn check_folder(file: &Path) -> Result<(), Error> {
    let folder = std::path::absolute(file)?;
    match folder.parent() {
        Some(folder) if !folder.is_dir() => Err(Error::Usage(format!(
            "--checkpoint: there is no folder {}",
            folder.display()
        ))),
        _ => Ok(()),
    }
}

struct Checker<'a> {
    workers: Workers,
    /// Has the worker that makes findings again, where there is none yet.
    replayer: Replayer<'a>,
    cases: &'a Path,
    seed: u64,
    options: &'a ExplorerOptions,
    terms: Terms,
    conditions: Conditions,
    /// Whether scenarios are left out that have no room for a module in C: they were not chosen one by one.
    is_open: bool,
    /// Runs at a time.
    width: usize,
    stop: &'a AtomicBool,
    display: &'a Display,
}

impl Checker<'_> {
    fn run_all(
        &self,
        runs: &[Run],
        format: Format,
        tally: &mut Tally,
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        let counter = self.display.counter(runs.len() as u64, "runs");
        let task = |run: &Run| {
            let outcome = self.run(run)?;
            counter.add_one();
            if outcome.refused.is_none() {
                self.warn(&outcome.result);
            }
            Some(outcome)
        };
        let (mut printed, mut refused) = (Ok(()), None);
        pool::in_order(self.width, runs, task, |outcome| {
            // Of a checkpoint's there is one run: see `check_checkpoint`.
            if let Some(why) = &outcome.refused {
                if self.is_open {
                    let scenario = &outcome.result.scenario;
                    self.display.say(&format!("left out: {scenario}: {why}"));
                    refused.get_or_insert(why.clone());
                    return;
                }
                printed = Err(Error::Usage(why.clone()));
                self.stop.store(true, Ordering::Relaxed);
            }
            if format == Format::Json && printed.is_ok() {
                printed = json::print(out, &Line::Result(outcome.result.clone()));
                // Nobody reads any more: the other runs would be for nothing.
                self.stop.fetch_or(printed.is_err(), Ordering::Relaxed);
            }
            tally.add(outcome);
        });
        match refused {
            // Nothing was run, which is no result.
            Some(why) if tally.results.is_empty() => printed.and(Err(Error::Usage(why))),
            _ => printed,
        }
    }

    /// `None` once everything has to stop.
    fn run(&self, run: &Run) -> Option<Outcome> {
        if self.stop.load(Ordering::Relaxed) {
            return None;
        }
        let name = format!("{} under {}", run.source.name(), run.engine);
        let activity = self.display.activity(&name);
        let job = Job {
            worker: self.workers.of(run.engine.build()),
            source: run.source.clone(),
            terms: self.terms,
            conditions: self.conditions,
            engine: run.engine,
            seed: self.seed,
            budget: run.budget,
            grace: GRACE,
            case_dir: Some(self.cases),
            env: &[],
        };
        let mut outcome = job.run_until(self.options, self.stop, &mut |now| {
            let counted = || words::plural(now.executions, "execution");
            activity.at(now.text.clone().unwrap_or_else(counted));
        })?;
        if let Some(case) = &outcome.result.case
            && let Err(error) = self.find_schedule(run.engine, case)
        {
            match error {
                Error::Interrupted => return None,
                Error::Harness(why) if run.engine == Engine::Direct => {
                    outcome.result.verdict = Verdict::HarnessError;
                    outcome.result.message += &format!("\n{why}");
                }
                error => {
                    let case = words::path(case);
                    (self.display).say(&format!("no schedule was looked for: {case}: {error}"));
                }
            }
        }
        Some(outcome)
    }

    /// A finding of the direct engine counts if it comes on threads, too: then a worker is built for that. Other cases
    /// get a schedule if there is a worker.
    fn find_schedule(&self, engine: Engine, case: &Path) -> Result<(), Error> {
        let worker = match (self.workers.has(Build::Shuttle), engine) {
            (true, _) => self.workers.of(Build::Shuttle).to_owned(),
            (false, Engine::Direct) => self.replayer.worker(Build::Shuttle, self.display)?,
            (false, _) => return Ok(()),
        };
        replay::find_schedule(case, &worker, SCHEDULING, self.stop)
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
