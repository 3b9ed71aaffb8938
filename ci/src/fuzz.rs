//! `nmr fuzz`: the fuzzer of nmr-properties in a process of its own, until the time is up.
//!
//! When that process crashes or falls silent, that is a finding, and the fuzzer goes on with
//! another seed, which follows from the one before: one bad scenario does not end a night's run.
//! The time starts when the fuzzer is built.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use nmr_models::engine_name::Build;
use nmr_models::process::supervise::{End, Limits, Stderr, supervise};
use nmr_models::report::{Finding, FuzzSummary, Line};
use nmr_models::rule::Rule;

use crate::args::{self, Format};
use crate::cargo::{FUZZER, Workspace, run_error};
use crate::error::Error;
use crate::exit::Exit;
use crate::json;
use crate::progress::{Activity, Display};
use crate::seed;
use crate::words;
use crate::workers::Workers;

mod heard;
mod human;

use heard::{Heard, Then, judge};

/// How long after its time the fuzzer may go on: to finish an execution, to save a case.
const SLACK: Duration = Duration::from_secs(3);
/// How long the fuzzer may say nothing. It reports progress every few seconds.
const SILENCE: Duration = Duration::from_secs(120);
/// With less time than this left it is not started again.
const WORTHWHILE: Duration = Duration::from_millis(500);
/// So many crashes are enough.
const MOST_CRASHES: u64 = 20;

/// Fuzzes and prints what it finds to `out`.
///
/// # Errors
/// The fuzzer cannot be built or does not speak as agreed, `out` cannot be written.
pub fn run(args: &args::Fuzz, stop: &AtomicBool, out: &mut dyn Write) -> Result<Exit, Error> {
    let display = Display::new();
    let workspace = Workspace::find()?;
    let fuzzer = match &args.worker {
        Some(path) => path.clone(),
        None => build(&workspace, stop, &display)?,
    };
    let folder = match &args.out {
        Some(folder) => std::path::absolute(folder)?,
        None => workspace.output().join("findings"),
    };
    let seed = args.seed.unwrap_or_else(seed::random);
    let time = words::time(args.time.as_secs_f64());
    display.say(&format!(
        "fuzzing for {time}, seed {seed}, shard {}",
        args.shard
    ));
    let mut night = Night {
        args,
        fuzzer: &fuzzer,
        folder: &folder,
        stop,
        activity: display.activity("fuzzing"),
        display: &display,
        out,
        total: FuzzSummary {
            scenarios: 0,
            exhausted: 0,
            states: 0,
            sampled: 0,
            executions: 0,
            findings: 0,
            seconds: 0.0,
            seed,
            shard: args.shard,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            conditions: args.conditions,
        },
    };
    let ended = night.pass();
    night.close(ended)
}

fn build(workspace: &Workspace, stop: &AtomicBool, display: &Display) -> Result<PathBuf, Error> {
    let builds = BTreeSet::from([Build::Shuttle]);
    let built = Workers::build(workspace, FUZZER, &builds, stop, display)?;
    Ok(built.of(Build::Shuttle).to_owned())
}

struct Night<'a> {
    args: &'a args::Fuzz,
    fuzzer: &'a Path,
    folder: &'a Path,
    stop: &'a AtomicBool,
    activity: Activity,
    display: &'a Display,
    out: &'a mut dyn Write,
    total: FuzzSummary,
}

impl Night<'_> {
    fn pass(&mut self) -> Result<(), Error> {
        let start = Instant::now();
        let mut seed = self.total.seed;
        for _ in 0..MOST_CRASHES {
            let left = self.args.time.saturating_sub(start.elapsed());
            if left < WORTHWHILE.min(self.args.time) {
                break;
            }
            let (heard, end) = self.run_once(seed, left)?;
            self.total.seconds = start.elapsed().as_secs_f64();
            self.add(&heard);
            match judge(heard, &end, left + SLACK) {
                Then::Done => break,
                Then::Stop => return Err(Error::Interrupted),
                Then::Harness(message) => return Err(Error::Harness(message)),
                Then::Broke(rule, what) => {
                    self.total.findings += 1;
                    let finding = self.broken(rule, &what, seed, &end);
                    self.print(&Line::Finding(finding))?;
                    seed = seed::next(seed);
                }
            }
        }
        Ok(())
    }

    fn run_once(&mut self, seed: u64, left: Duration) -> Result<(Heard, End), Error> {
        let mut command = Command::new(self.fuzzer);
        command.args(["--time-ms", &left.as_millis().to_string()]);
        command.args(["--seed", &seed.to_string()]);
        command.args(["--shard", &self.args.shard.to_string()]);
        command.args(self.args.conditions.arguments());
        command.arg("--out").arg(self.folder);
        let limits = Limits {
            deadline: left + SLACK,
            silence: SILENCE,
            stderr: Stderr::Keep(20),
            ..Limits::NONE
        };
        let (mut heard, mut printed) = (Heard::default(), Ok(()));
        let end = supervise(command, limits, self.stop, &mut |_, text| {
            if let Some(line) = heard.take(text)
                && printed.is_ok()
            {
                printed = self.print(&line);
            }
        });
        printed?;
        Ok((heard, end.map_err(|source| run_error(FUZZER.name, source))?))
    }

    fn add(&mut self, heard: &Heard) {
        self.total.findings += heard.findings;
        match heard.summary.said() {
            Some(summary) => {
                self.total.scenarios += summary.scenarios;
                self.total.exhausted += summary.exhausted;
                self.total.states += summary.states;
                self.total.sampled += summary.sampled;
                self.total.executions += summary.executions;
                self.total.version.clone_from(&summary.version);
            }
            None => self.total.executions += heard.executions,
        }
    }

    fn broken(&self, rule: Option<Rule>, what: &str, seed: u64, end: &End) -> Finding {
        let mut message = format!("{what} after {}", words::time(end.after.as_secs_f64()));
        if !end.stderr.is_empty() {
            message.push_str("\nlast on its stderr:\n");
            message.push_str(&end.stderr);
        }
        let time = humantime::format_duration(self.args.time);
        let shard = self.args.shard;
        let conditions = self.args.conditions.arguments().into_iter();
        let conditions: String = conditions.map(|option| format!(" {option}")).collect();
        let repeat =
            format!("cargo nmr fuzz --time \"{time}\" --seed {seed} --shard {shard}{conditions}");
        Finding {
            rule,
            message: format!("{message}\nrepeat with: {repeat}"),
            seed,
            case: None,
        }
    }

    /// Passes a line on.
    fn print(&mut self, line: &Line) -> Result<(), Error> {
        if let Line::Progress { executions, .. } = line {
            let so_far = self.total.executions + executions;
            self.activity.at(words::plural(so_far, "execution"));
        }
        match (self.args.format, line) {
            (Format::Json, line) => json::print(self.out, line),
            (Format::Human, Line::Finding(finding)) => {
                let text = human::finding(finding);
                let out = &mut *self.out;
                self.display.beside(|| out.write_all(text.as_bytes()))?;
                Ok(self.out.flush()?)
            }
            (Format::Human, _) => Ok(()),
        }
    }

    /// The summary, also of a night that ended badly.
    fn close(self, ended: Result<(), Error>) -> Result<Exit, Error> {
        drop(self.activity);
        match self.args.format {
            Format::Json => json::print(self.out, &Line::FuzzSummary(self.total.clone()))?,
            Format::Human => writeln!(self.out, "{}", human::summary(&self.total))?,
        }
        match (self.total.findings, ended) {
            (_, Err(Error::Interrupted)) => Err(Error::Interrupted),
            (0, Ok(())) => Ok(Exit::Holds),
            (0, Err(error)) => Err(error),
            (_, ended) => {
                if let Err(error) = ended {
                    self.display.say(&error.to_string());
                }
                Ok(Exit::Violated)
            }
        }
    }
}
