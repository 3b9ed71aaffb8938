//! The worker: one run of one scenario by one engine of this build, in a process of its own.
//!
//! `nmr check` and `nmr bench` start it and read its standard output: the lines of
//! `nmr_models::report`. It judges nothing and builds nothing.

use std::fs::File;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, Parser, Subcommand};
use nmr_models::case::Case;
use nmr_models::conditions::Conditions;
use nmr_models::engine::bench::Order;
use nmr_models::engine::{Control, Exploration, ExplorerOptions, Request, explore, refusal};
use nmr_models::engine_name::{BenchEngine, Build, Engine};
use nmr_models::prove::Size;
use nmr_models::prove::engine::{ENGINE, Exhausting};
use nmr_models::prove::session::Order as ProveOrder;
use nmr_models::replay::Replayed;
use nmr_models::report::{Bench, Line, Verdict};
use nmr_models::scenario::{FormatError, Scenario, Terms};
use nmr_models::shard::Shard;
use nmr_models::{programs, replay, scenarios};

/// How often the worker says that it is alive.
const PROGRESS: Duration = Duration::from_millis(500);

/// Runs one scenario under one engine of this build.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Explore a scenario; prints JSON lines.
    Run(Run),
    /// Repeat a saved case; prints JSON lines.
    Replay(Repeat),
    /// Exhaust every program of a size; prints JSON lines. For `nmr prove`.
    Prove(Proving),
    /// Measure one search; prints JSON lines. For `nmr bench`.
    #[command(hide = true)]
    Bench(Measure),
}

#[derive(Args)]
struct Run {
    /// One of this build: loom; explorer, random, pct or urw; threads.
    #[arg(long)]
    engine: Engine,
    /// A named scenario.
    #[arg(long, required_unless_present = "file")]
    scenario: Option<String>,
    /// A scenario in a file.
    #[arg(long, conflicts_with = "scenario")]
    file: Option<PathBuf>,
    /// Seed of a sampling engine.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Time for the search, in milliseconds; loom has it twice.
    #[arg(long, default_value_t = 5000)]
    budget_ms: u64,
    /// Where to save a finding.
    #[arg(long)]
    case_dir: Option<PathBuf>,
    /// The rules in force besides the scenario's own.
    #[command(flatten)]
    terms: Terms,
    /// What the explorer is asked besides: JSON, such as `{"workers":2,"without":["symmetry"]}`.
    #[arg(long, value_name = "JSON", default_value = "{}")]
    explorer: ExplorerOptions,
    /// What may happen besides.
    #[command(flatten)]
    conditions: Conditions,
}

#[derive(Args)]
struct Repeat {
    /// The case.
    file: PathBuf,
    /// Time for exhausting its scenario, in milliseconds.
    #[arg(long, default_value_t = 60_000)]
    budget_ms: u64,
    /// Say also what there is to see of the execution, step by step, and of one near it in which nothing breaks.
    #[arg(long)]
    trace: bool,
    /// What the explorer is asked besides: JSON, such as `{"workers":2,"without":["symmetry"]}`.
    #[arg(long, value_name = "JSON", default_value = "{}")]
    explorer: ExplorerOptions,
}

#[derive(Args)]
struct Measure {
    /// A scenario, or another program of `models/src/programs.rs`.
    #[arg(long, value_name = "NAME")]
    program: String,
    /// One of this build: loom; explorer or dfs.
    #[arg(long)]
    engine: BenchEngine,
    /// Time for the search, in milliseconds.
    #[arg(long, default_value_t = 30_000)]
    budget_ms: u64,
    /// The most executions, of a program that is no scenario.
    #[arg(long, value_name = "N")]
    max_executions: Option<u64>,
    /// What the explorer is asked besides: JSON, such as `{"workers":2,"without":["symmetry"]}`.
    #[arg(long, value_name = "JSON", default_value = "{}")]
    explorer: ExplorerOptions,
}

#[derive(Args)]
struct Proving {
    /// The size.
    #[arg(long, value_name = "NAME")]
    size: String,
    /// Which share of it, `i/n`.
    #[arg(long, default_value_t = Shard::WHOLE)]
    shard: Shard,
    /// Threads that work on it.
    #[arg(long, default_value = "1")]
    workers: NonZeroUsize,
    /// Time for all, in milliseconds.
    #[arg(long)]
    time_ms: Option<u64>,
    /// Time for each program, in milliseconds.
    #[arg(long, default_value_t = 60_000)]
    budget_ms: u64,
    /// End with the first program that breaks a rule, and do not make it small.
    #[arg(long)]
    first: bool,
    /// Where the run is written to and gone on with.
    #[arg(long)]
    checkpoint: Option<PathBuf>,
    /// Where to save what breaks a rule.
    #[arg(long)]
    case_dir: Option<PathBuf>,
    /// What may happen besides.
    #[command(flatten)]
    conditions: Conditions,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Run(run) => run.start(),
        Command::Replay(repeat) => repeat.start(),
        Command::Bench(measure) => measure.start(),
        Command::Prove(proving) => return proving.start(),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        eprint!("{}", error.excerpt().unwrap_or_default());
        ExitCode::from(2)
    })
}

fn read(path: &Path) -> Result<String, FormatError> {
    std::fs::read_to_string(path)
        .map_err(|error| FormatError::new(path, format!("cannot be read: {error}")))
}

impl Run {
    fn start(self) -> Result<ExitCode, FormatError> {
        let scenario = match (&self.scenario, &self.file) {
            (Some(name), _) => scenarios::named(name).ok_or_else(|| {
                FormatError::new(Path::new(name), "is no named scenario: see `nmr list`")
            })?,
            (None, Some(file)) => Scenario::from_toml(file, &read(file)?)?,
            (None, None) => unreachable!("one of the two is required"),
        };
        let scenario = scenario.identified();
        let scenario = scenario.map_err(|why| FormatError::new(self.source(), why))?;
        keep_lines_apart(&scenario);
        let words = Words::default();
        let request = Request {
            scenario: Arc::new(self.conditions.of(scenario.under(self.terms))),
            conditions: self.conditions,
            engine: self.engine,
            seed: self.seed,
            budget: Duration::from_millis(self.budget_ms),
            executions: Arc::default(),
            explorer: self.explorer,
            control: control(
                matches!(self.engine, Engine::Direct | Engine::Explorer),
                &words,
            ),
        };
        if let Some(why) = refusal(&request) {
            eprintln!("error: {why}");
            return Ok(ExitCode::from(2));
        }
        show_progress(request.executions.clone(), words);
        let started = Instant::now();
        let end = {
            let (request, case_dir) = (request.clone(), self.case_dir);
            move |exploration: &Exploration| -> u8 {
                report(
                    &request,
                    exploration,
                    started.elapsed(),
                    case_dir.as_deref(),
                )
            }
        };
        let exploration = explore(&request, {
            let end = end.clone();
            move |exploration| std::process::exit(end(&exploration).into())
        });
        Ok(ExitCode::from(end(&exploration)))
    }

    /// Where its scenario is.
    fn source(&self) -> &Path {
        let name = self.scenario.as_deref().unwrap_or_default();
        self.file.as_deref().unwrap_or(Path::new(name))
    }
}

impl Repeat {
    fn start(self) -> Result<ExitCode, FormatError> {
        let case = Case::from_toml(&self.file, &read(&self.file)?)?;
        keep_lines_apart(&case.scenario);
        let words = Words::default();
        let options = replay::Options {
            budget: Duration::from_millis(self.budget_ms),
            executions: Arc::default(),
            explorer: self.explorer,
            control: control(Build::current() == Build::Shuttle, &words),
            shows: self.trace,
        };
        show_progress(options.executions.clone(), words);
        let end = |replayed: Replayed| -> u8 {
            let code = replayed.verdict.exit_code();
            print_last(&[Line::Replay(Box::new(replayed))]);
            code
        };
        let replayed = replay::replay(&case, &options, move |replayed| {
            std::process::exit(end(replayed).into());
        });
        Ok(ExitCode::from(end(replayed)))
    }
}

impl Proving {
    fn start(self) -> ExitCode {
        match self.run() {
            Ok(verdict) => ExitCode::from(verdict.exit_code()),
            Err(why) => {
                eprintln!("error: {why}");
                ExitCode::from(2)
            }
        }
    }

    fn run(self) -> Result<Verdict, String> {
        let no_size = || {
            let names = Size::ALL.map(|size| size.name).join(", ");
            format!("`{}` is no size: expected one of {names}", self.size)
        };
        if ENGINE.build() != Build::current() {
            return Err(format!(
                "{ENGINE}, which exhausts programs, is not an engine of this build"
            ));
        }
        let order = ProveOrder {
            size: Size::named(&self.size).ok_or_else(no_size)?,
            shard: self.shard,
            workers: self.workers,
            time: self.time_ms.map(Duration::from_millis),
            first: self.first,
            checkpoint: self.checkpoint,
            cases: self.case_dir,
            engine: ENGINE,
            conditions: self.conditions,
        };
        let prover = Exhausting {
            budget: Duration::from_millis(self.budget_ms),
            conditions: self.conditions,
        };
        let verdict = order.run(&prover, &listen(), |line| print_line(&line));
        verdict.map_err(|error| error.to_string())
    }
}

impl Measure {
    fn start(self) -> Result<ExitCode, FormatError> {
        let refused = |message: &str| FormatError::new(Path::new(&self.program), message);
        let program = programs::named(&self.program);
        let program = program.ok_or_else(|| refused("is no program to measure"))?;
        let words = Words::default();
        let order = Order {
            program,
            engine: self.engine,
            budget: Duration::from_millis(self.budget_ms),
            max_executions: self.max_executions,
            executions: Arc::default(),
            explorer: self.explorer,
            control: control(self.engine == BenchEngine::Explorer, &words),
        };
        order.check().map_err(refused)?;
        show_progress(order.executions.clone(), words);
        let end = |row: Bench| -> u8 {
            let code = row.verdict.exit_code();
            print_last(&[Line::Bench(row)]);
            code
        };
        let row = order.run(move |row| std::process::exit(end(row).into()));
        Ok(ExitCode::from(end(row)))
    }
}

/// An explorer says in `words` how far it is, and can be interrupted.
fn control(by_explorer: bool, words: &Words) -> Control {
    if !by_explorer {
        return Control::default();
    }
    let words = words.clone();
    Control {
        progress: Some(Arc::new(move |text| words.set(text))),
        stop: Some(listen()),
    }
}

/// The answer becomes true at the first Ctrl-C or request to terminate, so that the search can be left
/// with its checkpoint written; the second one ends the process.
fn listen() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let heard = stop.clone();
    let listening = ctrlc::set_handler(move || {
        if heard.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    if let Err(error) = listening {
        eprintln!("warning: cannot listen for Ctrl-C: {error}");
    }
    stop
}

/// What an engine last said of how far it has come.
#[derive(Clone, Default)]
struct Words(Arc<Mutex<Option<String>>>);

impl Words {
    fn set(&self, text: &str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(text.to_owned());
    }

    fn get(&self) -> Option<String> {
        let text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        text.clone()
    }
}

fn show_progress(executions: Arc<AtomicU64>, words: Words) {
    thread::spawn(move || {
        loop {
            thread::sleep(PROGRESS);
            print_line(&Line::Progress {
                executions: executions.load(Ordering::Relaxed),
                text: words.get(),
            });
        }
    });
}

/// Where lines go instead of to stdout.
static APART: OnceLock<File> = OnceLock::new();

/// What a module in C prints is no line: it goes to stderr.
fn keep_lines_apart(scenario: &Scenario) {
    #[cfg(shuttle)]
    if scenario.has_c_modules() {
        match nmr_hosted::take_stdout() {
            Ok(lines) => drop(APART.set(lines)),
            Err(error) => {
                eprintln!("warning: what the modules in C print is not kept apart: {error}")
            }
        }
    }
    #[cfg(not(shuttle))]
    let _ = scenario;
}

/// Whole lines: another thread may print one too.
fn print_line(line: &Line) {
    let mut text = serde_json::to_string(line).expect("a line has a JSON form");
    text.push('\n');
    let mut stdout = std::io::stdout().lock();
    // A parent that has gone does not want to know.
    let _ = match APART.get() {
        Some(mut apart) => apart.write_all(text.as_bytes()),
        None => stdout.write_all(text.as_bytes()),
    };
}

/// No line comes after these.
fn print_last(lines: &[Line]) {
    // Held to the end, so that no progress is printed any more.
    std::mem::forget(std::io::stdout().lock());
    lines.iter().for_each(print_line);
}

/// Prints the coverage and the result; answers the exit code.
fn report(
    request: &Request,
    exploration: &Exploration,
    elapsed: Duration,
    cases: Option<&Path>,
) -> u8 {
    let mut result = exploration.result(request, elapsed);
    if let (Some(case), Some(folder)) = (Case::new(request, exploration), cases) {
        match case.save(folder) {
            Ok(path) => result.case = Some(path),
            Err(error) => eprintln!("warning: the case was not saved: {error}"),
        }
    }
    let code = result.verdict.exit_code();
    let mut lines: Vec<Line> = exploration.coverage().map(Line::Coverage).collect();
    lines.push(Line::Result(result));
    print_last(&lines);
    code
}
