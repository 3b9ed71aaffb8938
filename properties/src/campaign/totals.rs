//! What batches add up to.

use std::collections::{BTreeMap, BTreeSet};

use nmr_models::rule::Rule;

use super::batch::Batch;
use super::reached::Reached;
use super::sample::Sampled;

/// See the [module's documentation](self).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Batches, the unfinished ones included.
    pub batches: u64,
    /// Programs.
    pub programs: u64,
    /// Mutants among them.
    pub mutants: u64,
    /// Those that were exhausted without threads.
    pub exhausted: u64,
    /// Their states.
    pub states: u64,
    /// What was sampled on threads.
    pub sampled: Sampled,
    /// Programs that ran under the explorer as well.
    pub explored: u64,
    /// Those of them that it exhausted.
    pub explored_whole: u64,
    /// How often each rule could have failed, in the order of all rules.
    pub exercised: Vec<u64>,
    /// The cells that were reached.
    pub reached: Reached,
    /// How many programs failed, by finding.
    pub findings: BTreeMap<String, u64>,
    /// How many programs it is not known of.
    pub incomplete: u64,
    /// On how many programs the harness failed.
    pub errors: u64,
    /// Programs that were kept.
    pub kept: BTreeSet<String>,
}

impl Totals {
    /// Those of batches.
    pub fn of<'a>(batches: impl IntoIterator<Item = &'a Batch>) -> Self {
        let mut totals = Self {
            exercised: vec![0; Rule::COUNT],
            ..Self::default()
        };
        for batch in batches {
            totals.add(batch);
        }
        totals
    }

    fn add(&mut self, batch: &Batch) {
        self.batches += 1;
        self.programs += batch.programs;
        self.mutants += batch.mutants;
        self.exhausted += batch.exhausted;
        self.states += batch.states;
        self.sampled.merge(&batch.sampled);
        self.explored += batch.explored;
        self.explored_whole += batch.explored_whole;
        for (sum, more) in self.exercised.iter_mut().zip(&batch.exercised) {
            *sum = sum.saturating_add(*more);
        }
        self.reached.extend(&batch.reached);
        for (name, failures) in &batch.failures {
            *self.findings.entry(name.clone()).or_default() += failures.count;
        }
        self.incomplete += batch.incomplete.len() as u64;
        self.errors += batch.errors.len() as u64;
        self.kept.extend(batch.kept.iter().cloned());
    }
}
