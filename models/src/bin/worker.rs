//! The worker: one run of one scenario by one engine of this build, in a process of its own.
//!
//! `nmr check` starts it and reads its standard output: the lines of `nmr_models::report`. It judges
//! nothing and builds nothing.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, Parser, Subcommand};
use nmr_models::case::Case;
use nmr_models::engine::{Exploration, Request, explore};
use nmr_models::report::{Engine, Line, Verdict};
use nmr_models::scenario::{FormatError, Scenario};
use nmr_models::{replay, scenarios};

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
    /// Repeat a saved case; prints its interleaving.
    Replay {
        /// The case.
        file: PathBuf,
    },
}

#[derive(Args)]
struct Run {
    /// One of this build: loom; random, pct or urw; threads.
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
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Run(run) => run.start(),
        Command::Replay { file } => repeat(&file),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error}");
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
        let request = Request {
            scenario: Arc::new(scenario),
            engine: self.engine,
            seed: self.seed,
            budget: Duration::from_millis(self.budget_ms),
            executions: Arc::default(),
            search: Default::default(),
        };
        show_progress(request.executions.clone());
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
}

fn show_progress(executions: Arc<AtomicU64>) {
    thread::spawn(move || {
        loop {
            thread::sleep(PROGRESS);
            print_line(&Line::Progress {
                executions: executions.load(Ordering::Relaxed),
            });
        }
    });
}

/// Whole lines: another thread may print one too.
fn print_line(line: &Line) {
    let mut text = serde_json::to_string(line).expect("a line has a JSON form");
    text.push('\n');
    // A parent that has gone does not want to know.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
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
    let code = match result.verdict {
        Verdict::Holds => 0,
        Verdict::Violated => 1,
        Verdict::Incomplete => 3,
        Verdict::HarnessError => 4,
    };
    // Held to the end: the result is the last line, no progress comes after it.
    std::mem::forget(std::io::stdout().lock());
    for coverage in exploration.coverage() {
        print_line(&Line::Coverage(coverage));
    }
    print_line(&Line::Result(result));
    code
}

fn repeat(file: &Path) -> Result<ExitCode, FormatError> {
    let case = Case::from_toml(file, &read(file)?)?;
    let end = |replayed: &replay::Replayed| -> u8 {
        print!("{}", replayed.text);
        replayed.exit
    };
    let replayed = replay::replay(&case, move |replayed| {
        std::process::exit(end(&replayed).into());
    });
    Ok(ExitCode::from(end(&replayed)))
}
