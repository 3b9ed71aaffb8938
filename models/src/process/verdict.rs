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

use super::heard::{Heard, Unbelieved, is_crash};
use super::supervise::{End, How};
use super::transcript::Transcript;
use super::{Job, Outcome, Source};
use crate::engine::ExplorerOptions;
use crate::engine_name::Engine;
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
        heard,
    } = transcript;
    let blank = |seconds| RunResult {
        scenario: job.source.name().to_owned(),
        conditions: job.conditions,
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
        in_force: job.terms.in_force(),
        notes: Vec::new(),
        report: None,
        exercised: Vec::new(),
    };
    let end = match ended {
        Ok(end) => end,
        Err(error) => {
            let message = format!("cannot run the worker {}: {error}", job.worker.display());
            let result = RunResult {
                message,
                ..blank(0.0)
            };
            return Outcome {
                result,
                coverage,
                refused: None,
            };
        }
    };
    let blank = blank(end.after.as_secs_f64());
    let found = Found {
        job,
        options,
        end: &end,
        blank,
    };
    let refused = found.refused(&heard);
    let result = match end.how {
        How::TimedOut if last_growth > job.budget => found.overran(),
        How::TimedOut | How::Stopped => found.hung(),
        How::Exited(status) => found.exited(heard, status),
    };
    Outcome {
        result,
        coverage,
        refused,
    }
}

struct Found<'a> {
    job: &'a Job<'a>,
    options: &'a ExplorerOptions,
    end: &'a End,
    blank: RunResult,
}

impl Found<'_> {
    /// What a worker says instead of a result that cannot use its checkpoint, or what a scenario's file names.
    fn refused(&self, heard: &Heard<RunResult>) -> Option<String> {
        let has_checkpoint =
            self.job.engine == Engine::Explorer && self.options.checkpoint.is_some();
        if !has_checkpoint && !matches!(self.job.source, Source::File { .. }) {
            return None;
        }
        let How::Exited(status) = self.end.how else {
            return None;
        };
        let is_refused = status.code() == Some(2) && heard.said().is_none();
        let why = self.end.stderr.trim_end();
        is_refused.then(|| why.strip_prefix("error: ").unwrap_or(why).to_owned())
    }

    /// What was found before a crash was found.
    fn exited(self, heard: Heard<RunResult>, status: ExitStatus) -> RunResult {
        let is_found = |result: &RunResult| result.verdict == Verdict::Violated;
        let agrees = |result: &RunResult| {
            is_found(result) && is_crash(status)
                || status.code() == Some(i32::from(result.verdict.exit_code()))
        };
        match heard.believe(status, agrees) {
            Ok(result) => self.check(result),
            Err(Unbelieved::Crashed(_)) => self.crash(status),
            Err(why) => self.harness_error(&format!("its worker {why}")),
        }
    }

    fn check(self, result: RunResult) -> RunResult {
        let (scenario, engine) = (self.job.source.name(), self.job.engine);
        if (result.scenario.as_str(), result.engine) != (scenario, engine) {
            let other = format!("{} under {}", result.scenario, result.engine);
            return self.harness_error(&format!("its worker ran another one, {other}"));
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
