//! A process of the fuzzer, which is started again without the program at which it has ended too early.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nmr_models::process::supervise::{End, Limits, Stderr, supervise};
use nmr_models::report::Line;
use nmr_properties::campaign::batch::Skipped;
use nmr_properties::campaign::folder::Folder;

use super::SLACK;
use super::broken::At;
use super::judge::{Then, judge};
use super::night::Night;
use crate::args;
use crate::cargo::{FUZZER, run_error};
use crate::error::Error;

/// How long the fuzzer may say nothing. It reports progress twice a second.
const SILENCE: Duration = Duration::from_secs(60);
/// How long it may take to end when it is stopped.
const PARTING: Duration = Duration::from_secs(3);
/// With less time than this left it is not started again.
pub(super) const WORTHWHILE: Duration = Duration::from_millis(500);
/// So many programs that cannot be run are enough for a process.
const MOST_BROKEN: usize = 50;
/// Where there is no limit of time.
const FOREVER: Duration = Duration::from_secs(1 << 32);

/// What a process has to do.
pub(super) struct Work<'a> {
    pub(super) args: &'a args::Fuzz,
    pub(super) fuzzer: &'a Path,
    /// What there is to begin with, besides the corpus of the repository.
    pub(super) corpus: Option<&'a Path>,
    pub(super) folder: &'a Folder,
    pub(super) stop: &'a AtomicBool,
    pub(super) until: Option<Instant>,
    pub(super) seed: u64,
    pub(super) batches: String,
    /// Where it writes which program it is at.
    pub(super) at: PathBuf,
}

impl Work<'_> {
    /// Has it done.
    pub(super) fn run(&self, night: &Mutex<Night<'_>>) -> Result<(), Error> {
        if self.batches.is_empty() {
            return Ok(());
        }
        let mut skipped: Vec<Skipped> = Vec::new();
        let mut result = Ok(());
        while skipped.len() < MOST_BROKEN && !self.stop.load(Ordering::Relaxed) {
            let left = self.until.map_or(FOREVER, |until| {
                until.saturating_duration_since(Instant::now())
            });
            if !skipped.is_empty() && left < WORTHWHILE {
                break;
            }
            let (fault, end) = self.run_once(left, &skipped, night)?;
            match judge(fault, &end, left.saturating_add(SLACK)) {
                Then::Done => break,
                Then::Harness(message) => {
                    result = Err(Error::Harness(message));
                    break;
                }
                Then::Broke(how) => match At::read(&self.at) {
                    None => {
                        let message = format!("{}, before it came to a program", how.words());
                        result = Err(Error::Harness(message + "\n" + &end.stderr));
                        break;
                    }
                    Some(at) => {
                        let mut night = night.lock().expect("nobody panics while telling");
                        skipped.push(night.broke(&how, at, &end.stderr)?);
                    }
                },
            }
        }
        let _ = fs::remove_file(&self.at);
        result
    }

    /// Runs the process once: what it should not have said, and its end.
    fn run_once(
        &self,
        left: Duration,
        skipped: &[Skipped],
        night: &Mutex<Night<'_>>,
    ) -> Result<(Option<String>, End), Error> {
        let _ = fs::create_dir_all(self.folder.path());
        let _ = fs::remove_file(&self.at);
        let limits = Limits {
            deadline: left.saturating_add(SLACK),
            silence: SILENCE,
            parting: PARTING,
            stderr: Stderr::Keep(20),
            listens: true,
        };
        let (mut fault, mut told) = (None, Ok(()));
        let mut executions = 0;
        let end = supervise(
            self.command(left, skipped),
            limits,
            self.stop,
            &mut |_, text| {
                let line: Option<Line> = serde_json::from_str(text).ok();
                let Some(line) = line else {
                    let shown: String = text.chars().take(200).collect();
                    fault.get_or_insert(format!("printed a line that is not its: {shown}"));
                    return;
                };
                if told.is_ok() {
                    let mut night = night.lock().expect("nobody panics while telling");
                    told = night.hear(&line, &mut executions);
                }
            },
        );
        told?;
        Ok((fault, end.map_err(|source| run_error(FUZZER.name, source))?))
    }

    fn command(&self, left: Duration, skipped: &[Skipped]) -> Command {
        let args = self.args;
        let millis = |time: Duration| time.as_millis().to_string();
        let mut command = Command::new(self.fuzzer);
        command.args(["--time-ms", &millis(left)]);
        command.args(["--seed", &self.seed.to_string()]);
        command.args(["--programs", &args.programs.to_string()]);
        command.args(["--batches", &self.batches]);
        command.args(["--shrink-ms", &millis(args.shrink_time)]);
        command.args(["--timeout-ms", &millis(args.timeout)]);
        command.args(["--max-memory", &args.max_memory.to_string()]);
        if let Some(corpus) = self.corpus {
            command.arg("--corpus").arg(corpus);
        }
        command.args(args.conditions.arguments());
        for skip in skipped {
            let skip = serde_json::to_string(skip).expect("it is plain data");
            command.args(["--skip", &skip]);
        }
        command.arg("--at").arg(&self.at);
        command.arg("--out").arg(self.folder.path());
        command.arg("--until-stdin-ends");
        command
    }
}
