//! `nmr fuzz`: the fuzzer of nmr-properties in a process of its own, until the time is up.
//!
//! When that process crashes or falls silent, that is a finding, and the fuzzer goes on with
//! another seed, which follows from the one before: one bad scenario does not end a night's run.
//! The time starts when the fuzzer is built.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use nmr_models::process::supervise::{End, How, Limits, Stderr, supervise};
use nmr_models::report::{Build, Finding, FuzzSummary, Line, Rule};

use crate::args::{self, Format};
use crate::cargo::{FUZZER, Workspace, run_error};
use crate::check::{build_all, json, random_seed};
use crate::error::Error;
use crate::exit::Exit;
use crate::progress::{Activity, Display};
use crate::style::{BAD, paint};
use crate::words;

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
    let seed = args.seed.unwrap_or_else(random_seed);
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
            executions: 0,
            findings: 0,
            seconds: 0.0,
            seed,
            shard: args.shard,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
    };
    let ended = night.pass();
    night.close(ended)
}

fn build(workspace: &Workspace, stop: &AtomicBool, display: &Display) -> Result<PathBuf, Error> {
    let builds = BTreeSet::from([Build::Shuttle]);
    let mut built = build_all(workspace, FUZZER, &builds, stop, display)?;
    Ok(built.remove(0).1)
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

/// What one process of the fuzzer said.
#[derive(Debug, Default)]
struct Heard {
    executions: u64,
    findings: u64,
    summary: Option<FuzzSummary>,
    fault: Option<String>,
}

/// What becomes of the night after a process has ended.
#[derive(Debug, PartialEq)]
enum Then {
    /// It was the last one.
    Done,
    /// It broke, and this is what to tell.
    Broke(Option<Rule>, String),
    /// It did not do as agreed.
    Harness(String),
    /// Everything stops.
    Stop,
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
            match judge(&heard, &end, left + SLACK) {
                Then::Done => break,
                Then::Stop => return Err(Error::Interrupted),
                Then::Harness(message) => return Err(Error::Harness(message)),
                Then::Broke(rule, what) => {
                    self.total.findings += 1;
                    let finding = self.broken(rule, &what, seed, &end);
                    self.print(&Line::Finding(finding))?;
                    seed = next_seed(seed);
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
        command.arg("--out").arg(self.folder);
        let limits = Limits {
            deadline: left + SLACK,
            silence: SILENCE,
            stderr: Stderr::Keep(20),
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
        match &heard.summary {
            Some(summary) => {
                self.total.scenarios += summary.scenarios;
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
        let repeat = format!("cargo nmr fuzz --time \"{time}\" --seed {seed} --shard {shard}");
        Finding {
            rule,
            message: format!("{message}\nrepeat with: {repeat}"),
            seed,
            case: None,
        }
    }

    /// Passes a line on.
    fn print(&mut self, line: &Line) -> Result<(), Error> {
        if let Line::Progress { executions } = line {
            let so_far = self.total.executions + executions;
            self.activity.at(words::plural(so_far, "execution"));
        }
        match (self.args.format, line) {
            (Format::Json, line) => json(self.out, line),
            (Format::Human, Line::Finding(finding)) => {
                let text = human(finding);
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
            Format::Json => json(self.out, &Line::FuzzSummary(self.total.clone()))?,
            Format::Human => writeln!(self.out, "{}", summary(&self.total))?,
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

impl Heard {
    /// Takes in a line; answers it if it is to be passed on.
    fn take(&mut self, text: &str) -> Option<Line> {
        match serde_json::from_str(text) {
            Ok(Line::FuzzSummary(summary)) => self.summary = Some(summary),
            Ok(line @ Line::Progress { executions }) => {
                self.executions = executions;
                return Some(line);
            }
            Ok(line @ Line::Finding(_)) => {
                self.findings += 1;
                return Some(line);
            }
            Ok(_) | Err(_) if self.fault.is_none() => {
                let shown: String = text.chars().take(200).collect();
                self.fault = Some(format!(
                    "the fuzzer printed a line that is not its: {shown}"
                ));
            }
            Ok(_) | Err(_) => {}
        }
        None
    }
}

fn judge(heard: &Heard, end: &End, allowed: Duration) -> Then {
    let status = match end.how {
        How::Stopped => return Then::Stop,
        How::TimedOut if end.after < allowed => {
            let rule = Some(Rule::new(16));
            return Then::Broke(rule, "the fuzzer hung and was killed".to_owned());
        }
        // The time is up, whatever it was at.
        How::TimedOut => return Then::Done,
        How::Exited(status) => status,
    };
    if !matches!(status.code(), Some(0..=4)) {
        return Then::Broke(None, format!("the fuzzer crashed ({status})"));
    }
    if let Some(fault) = &heard.fault {
        return Then::Harness(fault.clone());
    }
    match &heard.summary {
        Some(summary) if agree(summary, heard.findings, status) => Then::Done,
        Some(_) => Then::Harness(format!("the fuzzer contradicts itself ({status})")),
        None => Then::Harness(format!(
            "the fuzzer ended without a summary ({status})\n{}",
            end.stderr
        )),
    }
}

fn agree(summary: &FuzzSummary, findings: u64, status: ExitStatus) -> bool {
    summary.findings == findings && status.code() == Some(i32::from(findings > 0))
}

/// The seed after a crash: a fixed function of the one before that spreads neighbours (the
/// finaliser of SplitMix64), so that two nights with seeds in a row do not meet.
fn next_seed(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) >> 32
}

fn human(finding: &Finding) -> String {
    let rule = match finding.rule {
        Some(rule) => rule.to_string(),
        None => "(crash)".to_owned(),
    };
    let mut text = format!(
        "{}, seed {}\n",
        paint(BAD, &format!("violated {rule}")),
        finding.seed
    );
    for line in finding.message.lines() {
        text.push_str(format!("  {line}").trim_end());
        text.push('\n');
    }
    if let Some(case) = &finding.case {
        let path = words::path(case);
        text.push_str(&format!(
            "  case:   {path}\n  replay: cargo nmr replay {path}\n"
        ));
    }
    text
}

fn summary(total: &FuzzSummary) -> String {
    let FuzzSummary {
        seed,
        shard,
        version,
        ..
    } = total;
    format!(
        "{}, {} in {}: {}; seed {seed}, shard {shard}, version {version}",
        words::plural(total.scenarios, "scenario"),
        words::plural(total.executions, "execution"),
        words::time(total.seconds),
        words::plural(total.findings, "finding"),
    )
}

#[cfg(test)]
mod tests {
    use super::{human, next_seed, summary};
    use nmr_models::report::{Finding, FuzzSummary, Rule, Shard};

    #[test]
    fn a_finding_tells_how_to_see_it_again() {
        let finding = Finding {
            rule: Some(Rule::new(9)),
            message: "cleaned up twice\nby t1".to_owned(),
            seed: 99,
            case: Some("/elsewhere/a.toml".into()),
        };
        let text = anstream::adapter::strip_str(&human(&finding)).to_string();
        let expected = "\
violated C9, seed 99
  cleaned up twice
  by t1
  case:   /elsewhere/a.toml
  replay: cargo nmr replay /elsewhere/a.toml
";
        assert_eq!(text, expected);
    }

    #[test]
    fn the_summary_is_a_line() {
        let total = FuzzSummary {
            scenarios: 9_000,
            executions: 180_000,
            findings: 1,
            seconds: 600.2,
            seed: 7,
            shard: Shard::WHOLE,
            version: "0.1.0".to_owned(),
        };
        assert_eq!(
            summary(&total),
            "9,000 scenarios, 180,000 executions in 10 min 0 s: 1 finding; seed 7, shard 1/1, version 0.1.0"
        );
    }

    #[test]
    fn seeds_after_a_crash_are_fixed_and_far_apart() {
        assert_eq!(next_seed(7), next_seed(7));
        assert!(next_seed(7).abs_diff(next_seed(8)) > 1_000);
        assert_ne!(next_seed(next_seed(7)), next_seed(7));
    }
}
