//! `nmr prove`: every program up to a size, exhausted by a worker of the build that has the engine for it.
//!
//! The worker shares the programs out to its threads, keeps the checkpoint, and makes small what breaks a rule; here is
//! told what it says. A worker that crashes or falls silent has not judged the registrar: that is an error of the
//! harness, and a checkpoint says how far it had come.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nmr_models::engine_name::Build;
use nmr_models::process::supervise::{End, Limits, Stderr, supervise};
use nmr_models::prove::engine::ENGINE;
use nmr_models::prove::report::{Broken, Summary};
use nmr_models::report::{Coverage, Line, Verdict};

use crate::args::{self, Format};
use crate::cargo::{WORKER, Workspace, run_error};
use crate::check::{SCHEDULING, check_folder};
use crate::error::Error;
use crate::exit::Exit;
use crate::json;
use crate::outputs::Tested;
use crate::progress::{Counter, Display};
use crate::replay::{self, Replayer};
use crate::words;
use crate::workers::Workers;

pub(crate) mod heard;
mod human;

use heard::{Heard, Then, judge};

/// How long the worker may say nothing: it tells how far it is twice a second, but not while it makes small what
/// breaks a rule.
const SILENCE: Duration = Duration::from_secs(20 * 60);

/// How long it may go on when it has to stop: to end the programs that it has begun, and to write its checkpoint.
const PARTING: Duration = Duration::from_secs(5);

/// Exhausts the programs and prints what came of them to `out`.
///
/// # Errors
/// The worker cannot be built or does not do as agreed, the checkpoint is about something else, `out` cannot be written.
pub fn run(args: &args::Prove, stop: &AtomicBool, out: &mut dyn Write) -> Result<Exit, Error> {
    args.outputs.check(args.format)?;
    if let Some(file) = &args.checkpoint {
        check_folder(file)?;
    }
    let display = Display::new();
    let workspace = Workspace::find()?;
    let builds = BTreeSet::from([ENGINE.build()]);
    let workers = match &args.worker {
        Some(path) => Workers::given(path, builds),
        None => Workers::build(&workspace, WORKER, &builds, stop, &display)?,
    };
    let cases = match &args.out {
        Some(folder) => std::path::absolute(folder)?,
        None => workspace.output().join("cases"),
    };
    let size = args.size.size();
    display.say(&format!(
        "size {}: {}; shard {}",
        size.name, size.summary, args.shard
    ));
    let mut proving = Proving {
        args,
        display: &display,
        counter: None,
        coverage: Vec::new(),
        broken: Vec::new(),
        out,
    };
    let (heard, end) = proving.follow(workers.of(ENGINE.build()), cases, stop)?;
    proving.counter = None;
    match judge(heard, &end) {
        Then::Done(summary) => {
            proving.make_again(stop)?;
            proving.close(*summary, workspace.root(), stop.load(Ordering::Relaxed))
        }
        Then::Interrupted => Err(Error::Interrupted),
        Then::Refused(why) => Err(Error::Usage(why)),
        Then::Harness(why) => Err(Error::Harness(why)),
    }
}

struct Proving<'a> {
    args: &'a args::Prove,
    display: &'a Display,
    counter: Option<Counter>,
    coverage: Vec<Coverage>,
    broken: Vec<Broken>,
    out: &'a mut dyn Write,
}

impl Proving<'_> {
    fn follow(
        &mut self,
        worker: &Path,
        cases: PathBuf,
        stop: &AtomicBool,
    ) -> Result<(Heard, End), Error> {
        let limits = Limits {
            silence: SILENCE,
            parting: PARTING,
            stderr: Stderr::Keep(20),
            ..Limits::NONE
        };
        let (mut heard, mut printed) = (Heard::default(), Ok(()));
        let command = self.command(worker, cases);
        let end = supervise(command, limits, stop, &mut |_, text| {
            if let Some(line) = heard.take(text)
                && printed.is_ok()
            {
                printed = self.tell(line);
            }
        });
        printed?;
        Ok((heard, end.map_err(|source| run_error(WORKER.name, source))?))
    }

    fn command(&self, worker: &Path, cases: PathBuf) -> Command {
        let args = self.args;
        let mut command = Command::new(worker);
        command.arg("prove").args(["--size", args.size.size().name]);
        command.args(["--shard", &args.shard.to_string()]);
        command.args(["--workers", &args.workers.to_string()]);
        if let Some(time) = args.time {
            command.args(["--time-ms", &time.as_millis().to_string()]);
        }
        if let Some(file) = &args.checkpoint {
            command.arg("--checkpoint").arg(file);
        }
        command.args(args.conditions.arguments());
        command.arg("--case-dir").arg(cases);
        command
    }

    fn tell(&mut self, line: Line) -> Result<(), Error> {
        match &line {
            Line::ProveProgress(progress) => {
                let counter = || self.display.counter(progress.of, "programs");
                self.counter.get_or_insert_with(counter).set(progress.done);
            }
            Line::Coverage(coverage) => self.coverage.push(*coverage),
            Line::Broken(broken) => {
                self.broken.push(broken.clone());
                if self.args.format == Format::Json {
                    return json::print(self.out, &line);
                }
                let text = human::broken(broken);
                let out = &mut *self.out;
                self.display.beside(|| out.write_all(text.as_bytes()))?;
                self.out.flush()?;
            }
            _ => {}
        }
        match self.args.format {
            Format::Json => json::print(self.out, &line),
            Format::Human => Ok(()),
        }
    }

    /// What is found without threads counts if it comes on threads, too. The cases have the schedules of that then.
    fn make_again(&self, stop: &AtomicBool) -> Result<(), Error> {
        if self.broken.is_empty() {
            return Ok(());
        }
        let replayer = Replayer::new(self.args.worker.as_deref(), stop);
        let worker = replayer.worker(Build::Shuttle, self.display)?;
        for case in self
            .broken
            .iter()
            .filter_map(|broken| broken.case.as_deref())
        {
            match replay::find_schedule(case, &worker, SCHEDULING, stop) {
                Ok(()) => {}
                Err(error @ (Error::Harness(_) | Error::Interrupted)) => return Err(error),
                Err(error) => {
                    let case = words::path(case);
                    (self.display).say(&format!("no schedule was looked for: {case}: {error}"));
                }
            }
        }
        Ok(())
    }

    fn close(self, summary: Summary, root: &Path, interrupted: bool) -> Result<Exit, Error> {
        let verdict = summary.verdict;
        let tested = tested(&self.broken, &summary);
        match self.args.format {
            Format::Json => json::print(self.out, &Line::ProveSummary(Box::new(summary)))?,
            Format::Human => {
                let text = human::report(&self.coverage, &summary);
                self.out.write_all(text.as_bytes())?;
            }
        }
        (self.args.outputs).write("prove", root, &tested, self.out)?;
        match interrupted {
            true => Err(Error::Interrupted),
            false => Ok(Exit::of([verdict])),
        }
    }
}

/// What other programs are told: the whole share, and each rule that breaks.
fn tested(broken: &[Broken], summary: &Summary) -> Vec<Tested> {
    let suite = format!("{} {}", summary.size, summary.shard);
    let rules = broken.iter().map(|one| Tested {
        suite: suite.clone(),
        name: one
            .rule
            .map_or_else(|| "crash".to_owned(), |rule| rule.to_string()),
        verdict: Verdict::Violated,
        rule: one.rule,
        message: one.message.clone(),
        seconds: 0.0,
        case: one.case.clone(),
        scenario: None,
    });
    // A share in which rules break is told by these.
    let whole = (broken.is_empty()).then(|| Tested {
        suite: suite.clone(),
        name: summary.engine.to_string(),
        verdict: summary.verdict,
        rule: None,
        message: summary.how.clone().unwrap_or_default(),
        seconds: summary.seconds,
        case: None,
        scenario: None,
    });
    whole.into_iter().chain(rules).collect()
}
