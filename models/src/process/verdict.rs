//! From what a worker said and how it ended to the result of its run. Pure.
//!
//! | it ended | having said | verdict |
//! |---|---|---|
//! | with the exit code of its result | one well-formed result | that result |
//! | killed by a signal, or with a code that workers do not use | no result, or a harmless one | violated, no rule |
//! | killed at the deadline, after executions past its budget | no result | incomplete |
//! | killed at the deadline otherwise | no result | violated C16 |
//! | otherwise | anything | harness error |

use std::io;
use std::process::ExitStatus;

use super::supervise::{End, How};
use super::transcript::Transcript;
use super::{Job, Outcome};
use crate::engine::ExplorerOptions;
use crate::report::{Extent, RunResult, Verdict};
use crate::rule::Rule;

const PROGRESS: Rule = Rule::new(16);

/// `options` are the explorer's.
pub(super) fn judge(
    job: &Job<'_>,
    options: &ExplorerOptions,
    transcript: Transcript,
    ended: io::Result<End>,
) -> Outcome {
    let Transcript {
        executions,
        last_growth,
        coverage,
        result,
        fault,
    } = transcript;
    let blank = |seconds| RunResult {
        scenario: job.source.name().to_owned(),
        engine: job.engine,
        verdict: Verdict::HarnessError,
        extent: Extent::Sampled,
        how: None,
        rule: None,
        message: String::new(),
        executions,
        seconds,
        seed: job.engine.is_sampling().then_some(job.seed),
        case: None,
        states: None,
        certificate: None,
        preemptions: None,
        notes: Vec::new(),
        report: None,
    };
    let end = match ended {
        Ok(end) => end,
        Err(error) => {
            let message = format!("cannot run the worker {}: {error}", job.worker.display());
            let result = RunResult {
                message,
                ..blank(0.0)
            };
            return Outcome { result, coverage };
        }
    };
    let blank = blank(end.after.as_secs_f64());
    let found = Found {
        job,
        options,
        end: &end,
        blank,
    };
    let result = match (end.how, result, fault) {
        (How::TimedOut, _, _) if last_growth > job.budget => found.overran(),
        (How::TimedOut | How::Stopped, _, _) => found.hung(),
        (How::Exited(status), Some(result), _)
            if crashed(status) && result.verdict == Verdict::Violated =>
        {
            result
        }
        (How::Exited(status), _, _) if crashed(status) => found.crash(status),
        (_, _, Some(fault)) => found.harness_error(&format!("its worker printed {fault}")),
        (How::Exited(status), Some(result), None) => found.check(status, result),
        (How::Exited(status), None, None) => {
            found.harness_error(&format!("its worker ended without a result ({status})"))
        }
    };
    Outcome { result, coverage }
}

/// Whether a worker ended in a way that it never chooses: 0 to 4 are its own codes, 2 says that it
/// was called wrongly.
fn crashed(status: ExitStatus) -> bool {
    !matches!(status.code(), Some(0..=4))
}

struct Found<'a> {
    job: &'a Job<'a>,
    options: &'a ExplorerOptions,
    end: &'a End,
    blank: RunResult,
}

impl Found<'_> {
    fn check(self, status: ExitStatus, result: RunResult) -> RunResult {
        let (scenario, engine) = (self.job.source.name(), self.job.engine);
        if (result.scenario.as_str(), result.engine) != (scenario, engine) {
            let other = format!("{} under {}", result.scenario, result.engine);
            return self.harness_error(&format!("its worker ran another one, {other}"));
        }
        if status.code() != Some(i32::from(result.verdict.exit_code())) {
            let said = serde_json::to_string(&result.verdict).unwrap_or_default();
            return self.harness_error(&format!("its worker said {said} but ended with {status}"));
        }
        result
    }

    fn crash(self, status: ExitStatus) -> RunResult {
        let what = format!("the worker crashed ({status})");
        self.violated(None, &what)
    }

    fn hung(self) -> RunResult {
        let budget = self.job.budget;
        let what = format!(
            "the worker hung and was killed after {:.1} s (its budget was {budget:?})",
            self.end.after.as_secs_f64()
        );
        self.violated(Some(PROGRESS), &what)
    }

    fn overran(self) -> RunResult {
        let budget = self.job.budget;
        RunResult {
            verdict: Verdict::Incomplete,
            how: Some(format!("still running long after its budget of {budget:?}")),
            message: self.message("the worker was killed"),
            ..self.blank
        }
    }

    fn violated(self, rule: Option<Rule>, what: &str) -> RunResult {
        RunResult {
            verdict: Verdict::Violated,
            rule,
            message: self.message(what),
            ..self.blank
        }
    }

    fn harness_error(self, what: &str) -> RunResult {
        RunResult {
            message: self.message(what),
            ..self.blank
        }
    }

    /// What happened, to which run, what it said last, and how to see it again.
    fn message(&self, what: &str) -> String {
        let (scenario, engine, seed) = (self.job.source.name(), self.job.engine, self.job.seed);
        let mut message = format!("{scenario} under {engine}, seed {seed}: {what}");
        if !self.end.stderr.is_empty() {
            message.push_str("\nlast on its stderr:");
            for line in self.end.stderr.lines() {
                message.push_str("\n  ");
                message.push_str(line);
            }
        }
        message.push_str("\nrepeat with: ");
        message.push_str(&self.job.repeat(self.options));
        message
    }
}
