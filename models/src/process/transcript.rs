//! What a worker said, line by line.

use std::time::Duration;

use super::Progress;
use super::heard::Heard;
use crate::report::{Coverage, Line, RunResult};

/// What was read so far.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    /// Executions, by the last progress line.
    pub(super) executions: u64,
    /// When that number last grew.
    pub(super) last_growth: Duration,
    /// How often each rule was exercised.
    pub(super) coverage: Vec<Coverage>,
    /// Its result.
    pub(super) heard: Heard<RunResult>,
}

impl Transcript {
    /// Takes in a line that came `at` after the start; answers how far the worker has come if it tells.
    pub(super) fn take(&mut self, at: Duration, text: &str) -> Option<Progress> {
        if self.heard.said().is_some() {
            self.heard.strange(text);
            return None;
        }
        match self.heard.line(text)? {
            Line::Progress { executions, text } => {
                if executions > self.executions {
                    self.last_growth = at;
                }
                self.executions = executions;
                return Some(Progress { executions, text });
            }
            Line::Coverage(coverage) => self.coverage.push(coverage),
            Line::Result(result) => self.heard.result(result, text),
            _ => self.heard.strange(text),
        }
        None
    }
}
