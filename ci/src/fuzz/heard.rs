//! What a process of the fuzzer said, and what follows from it. Pure.

use std::process::ExitStatus;
use std::time::Duration;

use nmr_models::process;
use nmr_models::process::heard::Unbelieved;
use nmr_models::process::supervise::{End, How};
use nmr_models::report::{FuzzSummary, Line};
use nmr_models::rule::Rule;

/// What one process of the fuzzer said.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) executions: u64,
    pub(super) findings: u64,
    pub(super) summary: process::heard::Heard<FuzzSummary>,
}

/// What becomes of the night after a process has ended.
#[derive(Debug, PartialEq)]
pub(super) enum Then {
    /// It was the last one.
    Done,
    /// It broke, and this is what to tell.
    Broke(Option<Rule>, String),
    /// It did not do as agreed.
    Harness(String),
    /// Everything stops.
    Stop,
}

impl Heard {
    /// Takes in a line; answers it if it is to be passed on.
    pub(super) fn take(&mut self, text: &str) -> Option<Line> {
        match self.summary.line(text)? {
            Line::FuzzSummary(summary) => self.summary.result(summary, text),
            line @ Line::Progress { executions, .. } => {
                self.executions = executions;
                return Some(line);
            }
            line @ Line::Finding(_) => {
                self.findings += 1;
                return Some(line);
            }
            _ => self.summary.strange(text),
        }
        None
    }
}

/// What follows from what a process said and how it ended; it was killed after `allowed` at the latest.
pub(super) fn judge(heard: Heard, end: &End, allowed: Duration) -> Then {
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
    let agrees = |summary: &FuzzSummary| agree(summary, heard.findings, status);
    match heard.summary.believe(status, agrees) {
        Ok(_) => Then::Done,
        Err(why @ Unbelieved::Crashed(_)) => Then::Broke(None, format!("the fuzzer {why}")),
        Err(why) => {
            let message = format!("the fuzzer {why}\n{}", end.stderr);
            Then::Harness(message.trim_end().to_owned())
        }
    }
}

fn agree(summary: &FuzzSummary, findings: u64, status: ExitStatus) -> bool {
    summary.findings == findings && status.code() == Some(i32::from(findings > 0))
}

#[cfg(test)]
mod tests {
    use super::{Heard, Then, judge};
    use nmr_models::process::supervise::{End, How};
    use nmr_models::rule::Rule;
    use std::time::Duration;

    const ALLOWED: Duration = Duration::from_secs(600);

    fn killed(after: Duration) -> End {
        End {
            how: How::TimedOut,
            after,
            stderr: String::new(),
        }
    }

    #[test]
    fn silence_long_before_the_end_is_a_hang() {
        let then = judge(Heard::default(), &killed(ALLOWED / 2), ALLOWED);
        let Then::Broke(rule, what) = then else {
            panic!("it hung: {then:?}");
        };
        assert_eq!(rule, Some(Rule::new(16)));
        assert_eq!(what, "the fuzzer hung and was killed");
    }

    #[test]
    fn to_be_killed_when_the_time_is_up_is_no_hang() {
        let then = judge(Heard::default(), &killed(ALLOWED), ALLOWED);
        assert_eq!(then, Then::Done);
    }
}
