//! What exhausts one program, and what it says of it.

use crate::rule::Rule;
use crate::scenario::Scenario;
use crate::sections::Sections;

/// Exhausts programs. Asked by several threads at once.
pub trait Prover: Sync {
    /// Exhausts one; the same program gives the same.
    fn exhaust(&self, scenario: &Scenario) -> Proved;
}

/// What came of one program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proved {
    /// The different states met.
    pub states: u64,
    /// The transitions between them that were made.
    pub transitions: u64,
    /// How often each rule could have failed, by its number less one.
    pub exercised: [u64; Rule::COUNT],
    /// The verdict.
    pub outcome: Outcome,
}

/// The verdict on a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every interleaving was looked at, and none breaks a rule.
    Holds,
    /// One does.
    Violated(Violation),
    /// The search was cut short, for this reason.
    Incomplete(String),
    /// The harness failed, with these words.
    Failed(String),
}

/// What broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule; `None` for a crash.
    pub rule: Option<Rule>,
    /// What happened, for people.
    pub message: String,
    /// The executions made until then, by an engine that makes executions.
    pub executions: Option<u64>,
    /// The steps of the schedule that shows it, in words, by an engine that can repeat it.
    pub schedule: Vec<String>,
    /// The path to it, of a search without threads.
    pub sections: Option<Sections>,
}
