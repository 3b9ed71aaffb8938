//! What the worker of a run over programs said, and what follows from it. Pure.

use std::process::ExitStatus;

use nmr_models::process;
use nmr_models::process::heard::Unbelieved;
use nmr_models::process::supervise::{End, How};
use nmr_models::prove::report::{Progress, Summary};
use nmr_models::report::{Line, Verdict};

/// What the worker said.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    progress: Option<Progress>,
    broken: u64,
    summary: process::heard::Heard<Summary>,
}

/// What follows from it.
#[derive(Debug, PartialEq)]
pub(crate) enum Then {
    /// This came of it.
    Done(Box<Summary>),
    /// Everything stops, and nothing is known.
    Interrupted,
    /// It cannot do what it was asked for.
    Refused(String),
    /// It did not do as agreed.
    Harness(String),
}

impl Heard {
    /// Takes in a line; answers it if it is to be passed on.
    pub(crate) fn take(&mut self, text: &str) -> Option<Line> {
        match self.summary.line(text)? {
            Line::ProveSummary(summary) => self.summary.result(*summary, text),
            Line::ProveProgress(progress) => {
                self.progress = Some(progress);
                return Some(Line::ProveProgress(progress));
            }
            line @ Line::Broken(_) => {
                self.broken += 1;
                return Some(line);
            }
            line @ Line::Coverage(_) => return Some(line),
            _ => self.summary.strange(text),
        }
        None
    }

    /// How far it was, for whoever wonders where it broke off.
    fn reached(&self) -> String {
        let reached = self.progress.map(|progress| {
            let Progress { done, of } = progress;
            format!(" after {done} of {of} programs")
        });
        reached.unwrap_or_default()
    }
}

/// What follows from what the worker said and how it ended.
pub(crate) fn judge(heard: Heard, end: &End) -> Then {
    let reached = heard.reached();
    let status = match end.how {
        How::Stopped => return Then::Interrupted,
        How::TimedOut => {
            let why = format!(
                "the worker fell silent{reached} and was killed\n{}",
                end.stderr
            );
            return Then::Harness(why.trim_end().to_owned());
        }
        How::Exited(status) => status,
    };
    match heard
        .summary
        .believe(status, |summary| agree(summary, heard.broken, status))
    {
        Ok(summary) => Then::Done(Box::new(summary)),
        Err(Unbelieved::Silent(_)) if status.code() == Some(2) => {
            let why = end.stderr.trim_end();
            Then::Refused(why.strip_prefix("error: ").unwrap_or(why).to_owned())
        }
        Err(why) => {
            let message = format!("the worker {why}{reached}\n{}", end.stderr);
            Then::Harness(message.trim_end().to_owned())
        }
    }
}

/// Whether counts, verdict and exit code tell the same. A run that is interrupted does not show what broke.
fn agree(summary: &Summary, broken: u64, status: ExitStatus) -> bool {
    let is_all = summary.programs == summary.programs_in_share && summary.incomplete == 0;
    status.code() == Some(i32::from(summary.verdict.exit_code()))
        && (summary.verdict == Verdict::Violated) == (summary.violated > 0)
        && (summary.verdict != Verdict::Holds || (is_all && summary.failed == 0))
        && broken <= summary.violated
}
