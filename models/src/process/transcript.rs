//! What a worker said, line by line.

use std::time::Duration;

use super::Progress;
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
    /// The result.
    pub(super) result: Option<RunResult>,
    /// The first thing that no worker should have said.
    pub(super) fault: Option<String>,
}

impl Transcript {
    /// Takes in a line that came `at` after the start; answers how far the worker has come if it tells.
    pub(super) fn take(&mut self, at: Duration, text: &str) -> Option<Progress> {
        if self.result.is_some() {
            self.faulty("a line after the result", text);
            return None;
        }
        match serde_json::from_str(text) {
            Ok(Line::Progress { executions, text }) => {
                if executions > self.executions {
                    self.last_growth = at;
                }
                self.executions = executions;
                return Some(Progress { executions, text });
            }
            Ok(Line::Coverage(coverage)) => self.coverage.push(coverage),
            Ok(Line::Result(result)) => self.result = Some(result),
            Ok(_) => self.faulty("a line that is not a worker's", text),
            Err(error) => self.faulty(&format!("a malformed line ({error})"), text),
        }
        None
    }

    fn faulty(&mut self, what: &str, text: &str) {
        const SHOWN: usize = 200;
        if self.fault.is_none() {
            let shown: String = text.chars().take(SHOWN).collect();
            self.fault = Some(format!("{what}: {shown}"));
        }
    }
}
