//! What a run over programs says of itself, for people and machines. Part of the [lines](crate::report) of workers.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::conditions::Conditions;
use crate::engine_name::Engine;
use crate::report::Verdict;
use crate::rule::Rule;
use crate::shard::Shard;

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "ProveProgress")
)]
pub struct Progress {
    /// Programs that are done, those of earlier runs from the same checkpoint included.
    pub done: u64,
    /// Programs in the share.
    pub of: u64,
}

/// A program that breaks a rule: the first one of a run, made small.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Broken {
    /// The rule; `None` for a crash.
    pub rule: Option<Rule>,
    /// The number of the program that was found, before it was made small.
    pub program: u64,
    /// What happened in the small one, for people.
    pub message: String,
    /// Where that was saved as a case.
    pub case: Option<PathBuf>,
}

/// The last line of a run over programs, and its certificate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "ProveSummary")
)]
#[serde(rename_all = "kebab-case")]
pub struct Summary {
    /// The size.
    pub size: String,
    /// What it holds, in words.
    pub bounds: String,
    /// How many programs it has.
    pub programs_in_size: u64,
    /// Which share of them it was.
    pub shard: Shard,
    /// How many programs that has.
    pub programs_in_share: u64,
    /// How many of them were looked at.
    pub programs: u64,
    /// Of these, those that break a rule.
    pub violated: u64,
    /// Those whose search was cut short.
    pub incomplete: u64,
    /// Those on which the harness failed.
    pub failed: u64,
    /// The states of all.
    pub states: u64,
    /// The transitions of all.
    pub transitions: u64,
    /// Wall-clock time, that of earlier runs from the same checkpoint included.
    pub seconds: f64,
    /// Threads that worked on it.
    pub workers: u64,
    /// What exhausted the programs.
    pub engine: Engine,
    /// What could happen besides; left out if nothing could.
    #[serde(default, skip_serializing_if = "Conditions::is_default")]
    pub conditions: Conditions,
    /// The verdict on the share: `holds` only if each of its programs was exhausted.
    pub verdict: Verdict,
    /// Why it is not known to hold, in words; `None` if it does, or if a rule breaks.
    pub how: Option<String>,
    /// What is said by that, and what is not, in words; `None` if it does not hold.
    pub certificate: Option<String>,
    /// The version, and the commit.
    pub version: String,
}
