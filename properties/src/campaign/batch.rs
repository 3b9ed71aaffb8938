//! What came of a batch.

use std::collections::BTreeMap;

use nmr_models::rule::Rule;
use serde::{Deserialize, Serialize};

use super::about::About;
use super::reached::Reached;
use super::sample::Sampled;

/// See the [module's documentation](self). The same for the same batch, on every machine, if it is whole; one that was cut
/// short is the beginning of that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Batch {
    /// What it is of.
    pub about: About,
    /// Its number, from 0.
    pub number: u64,
    /// The features that were left out.
    pub left_out: Vec<String>,
    /// Programs that are done.
    pub programs: u64,
    /// Those of them that are mutants.
    pub mutants: u64,
    /// Those that were exhausted without threads.
    pub exhausted: u64,
    /// The states that these have.
    pub states: u64,
    /// What was sampled on threads.
    pub sampled: Sampled,
    /// Programs that ran under the explorer as well.
    pub explored: u64,
    /// Those of them that it exhausted.
    pub explored_whole: u64,
    /// How often each rule could have failed, in the order of all rules.
    pub exercised: Vec<u64>,
    /// The cells of coverage that were reached.
    pub reached: Reached,
    /// Failures, by the finding that they are.
    pub failures: BTreeMap<String, Failures>,
    /// Programs of which it is not known what comes of them.
    pub incomplete: BTreeMap<u64, String>,
    /// Programs on which the harness failed: engines disagreed, or one could not go on.
    pub errors: BTreeMap<u64, String>,
    /// The programs that are kept for what they reach.
    pub kept: Vec<String>,
}

/// The failures of a batch that are one finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Failures {
    /// The rule; `None` for a crash.
    pub rule: Option<Rule>,
    /// How many programs failed so.
    pub count: u64,
    /// The first of them.
    pub first: u64,
    /// The variant that it came down to.
    pub variant: String,
}

/// A program that a process did not get over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Skipped {
    /// Its batch.
    pub batch: u64,
    /// Its number in that.
    pub program: u64,
    /// What happened.
    pub why: String,
    /// The finding that it is, if it is one.
    pub finding: Option<Named>,
}

/// A finding by its names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Named {
    /// The rule; `None` for a crash.
    pub rule: Option<Rule>,
    /// Its name.
    pub name: String,
    /// That of its variant.
    pub variant: String,
}

impl Batch {
    /// One of which nothing is done.
    #[must_use]
    pub fn new(about: About, number: u64, left_out: Vec<String>) -> Self {
        Self {
            about,
            number,
            left_out,
            programs: 0,
            mutants: 0,
            exhausted: 0,
            states: 0,
            sampled: Sampled::default(),
            explored: 0,
            explored_whole: 0,
            exercised: vec![0; Rule::COUNT],
            reached: Reached::default(),
            failures: BTreeMap::new(),
            incomplete: BTreeMap::new(),
            errors: BTreeMap::new(),
            kept: Vec::new(),
        }
    }

    /// Whether all of it is done.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.programs >= self.about.programs
    }
}
