//! One replay by one worker, and what it says.

use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use nmr_models::case::Case;
use nmr_models::process::GRACE;
use nmr_models::process::heard::{Heard, Unbelieved};
use nmr_models::process::supervise::{How, Limits, Stderr, supervise};
use nmr_models::replay::{Replayed, Verdict};
use nmr_models::report::Line;

use super::file::Outdated;
use crate::cargo::{WORKER, run_error};
use crate::error::Error;
use crate::words;

/// A replay to be made.
pub(super) struct Order<'a> {
    pub(super) worker: &'a Path,
    /// Of the case.
    pub(super) path: &'a Path,
    pub(super) case: &'a Case,
    /// The time for exhausting the scenario.
    pub(super) budget: Duration,
    /// Whether to say what there is to see.
    pub(super) shows: bool,
}

impl Order<'_> {
    /// Has it made. `progress` hears how far it is.
    pub(super) fn run(
        &self,
        stop: &AtomicBool,
        progress: &mut dyn FnMut(String),
    ) -> Result<Replayed, Error> {
        let mut command = Command::new(self.worker);
        command.arg("replay").arg(self.path);
        command.args(["--budget-ms", &self.budget.as_millis().to_string()]);
        if self.shows {
            command.arg("--trace");
        }
        // The scenario may be searched twice: for anything, and for the case's own rule.
        let limits = Limits {
            deadline: self.budget * 2 + GRACE,
            stderr: Stderr::Keep(20),
            ..Limits::NONE
        };
        let mut heard = Heard::default();
        let take = &mut |_, text: &str| match heard.line(text) {
            Some(Line::Progress { executions, text }) => {
                let counted = || words::plural(executions, "execution");
                progress(text.unwrap_or_else(counted));
            }
            Some(Line::Replay(replayed)) => heard.result(*replayed, text),
            Some(_) => heard.strange(text),
            None => {}
        };
        let end = supervise(command, limits, stop, take);
        let end = end.map_err(|source| run_error(WORKER.name, source))?;
        let status = match end.how {
            How::Stopped => return Err(Error::Interrupted),
            How::TimedOut => {
                let why = format!("still running after {:?}", end.after);
                return Ok(Replayed::of(self.case, Verdict::NotReproduced { why }));
            }
            How::Exited(status) => status,
        };
        match heard.believe(status, |replayed| agree(replayed, status)) {
            Ok(replayed) => Ok(replayed),
            Err(Unbelieved::Silent(_)) if status.code() == Some(2) => self.unreadable(&end.stderr),
            Err(Unbelieved::Crashed(_)) => Ok(self.crashed(status, &end.stderr)),
            Err(why) => {
                let message = format!("its worker {why}\n{}", end.stderr);
                Err(Error::Harness(message.trim_end().to_owned()))
            }
        }
    }

    /// Steps of a schedule are read by who follows them. They are wrong, or another version's.
    fn unreadable(&self, stderr: &str) -> Result<Replayed, Error> {
        let why = stderr.trim_end();
        let why = why.strip_prefix("error: ").unwrap_or(why).to_owned();
        match Outdated::new(self.case.version.as_deref(), &why) {
            None => Err(Error::Usage(why)),
            Some(outdated) => {
                let why = outdated.to_string();
                Ok(Replayed::of(self.case, Verdict::NoLongerApplicable { why }))
            }
        }
    }

    /// A crash is what the case was saved for, or something else.
    fn crashed(&self, status: ExitStatus, stderr: &str) -> Replayed {
        let verdict = match self.case.rule {
            None => Verdict::Reproduces,
            Some(_) => Verdict::BreaksAnotherRule,
        };
        Replayed {
            message: format!("the worker crashed ({status})\n{stderr}"),
            ..Replayed::of(self.case, verdict)
        }
    }
}

fn agree(replayed: &Replayed, status: ExitStatus) -> bool {
    status.code() == Some(i32::from(replayed.verdict.exit_code()))
}
