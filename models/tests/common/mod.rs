//! The worker as its parent sees it, and a scenario with a violation.
#![allow(dead_code, reason = "each test file uses a part")]

use std::process::{Command, Output};

use nmr_models::report::{Line, RunResult};

/// A scenario that is at fault itself: nobody completes the provider's pending detach.
pub(crate) const NEVER_COMPLETES: &str = r#"
name = "never-completes"
summary = "a provider answers pending and leaves it at that"
before = ["register c", "register p"]

[[module]]
name = "c"
side = "client"

[[module]]
name = "p"
side = "provider"
detach = "pending"

[[thread]]
name = "leaving"
ops = ["deregister c", "wait c"]

[[thread]]
name = "idle"
ops = ["yield"]
"#;

pub(crate) fn worker(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nmr-worker"));
    command.args(args).output().expect("the worker starts")
}

/// What a worker has printed.
pub(crate) fn lines(output: &Output) -> Vec<Line> {
    let text = String::from_utf8_lossy(&output.stdout);
    let line = |line| serde_json::from_str(line).expect("a line of the format");
    text.lines().map(line).collect()
}

/// The result, which must be the last line.
#[track_caller]
pub(crate) fn result(output: &Output) -> RunResult {
    match lines(output).pop() {
        Some(Line::Result(result)) => result,
        other => {
            let errors = String::from_utf8_lossy(&output.stderr);
            panic!("the last line is the result, not {other:?}: {errors}")
        }
    }
}

/// A module of a scenario, with whatever else it has.
pub(crate) fn module(name: &str, side: &str, npi: u8, rest: &str) -> String {
    format!("[[module]]\nname = \"{name}\"\nside = \"{side}\"\nnpi = {npi}\n{rest}\n")
}
