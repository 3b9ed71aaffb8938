//! What a run over programs adds up to. The same programs give the same, however they were shared out.

use serde::{Deserialize, Serialize};

use super::prover::{Outcome, Proved};
use crate::report::{Coverage, Verdict};
use crate::rule::Rule;

/// What a run over programs has counted so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// Programs that were looked at, whatever came of them.
    pub programs: u64,
    /// Of them, those that break a rule.
    pub violated: u64,
    /// Those whose search was cut short.
    pub incomplete: u64,
    /// Those on which the harness failed.
    pub failed: u64,
    /// The states of all.
    pub states: u64,
    /// The transitions of all.
    pub transitions: u64,
    /// How often each rule could have failed, by its number less one.
    pub exercised: [u64; Rule::COUNT],
    /// The first program that breaks each rule, `None` for a crash, in the order of the rules.
    pub broken: Vec<(Option<Rule>, u64)>,
    /// The first program whose search was cut short, and why.
    pub first_incomplete: Option<(u64, String)>,
    /// The first program on which the harness failed, and its words.
    pub first_failed: Option<(u64, String)>,
}

/// The one with the lower number.
fn earlier(one: &mut Option<(u64, String)>, other: Option<(u64, String)>) {
    let Some(other) = other else { return };
    if one.as_ref().is_none_or(|one| other.0 < one.0) {
        *one = Some(other);
    }
}

impl Totals {
    /// Takes in what came of the program of that number.
    pub fn add(&mut self, number: u64, proved: Proved) {
        let mut one = Self {
            programs: 1,
            states: proved.states,
            transitions: proved.transitions,
            exercised: proved.exercised,
            ..Self::default()
        };
        match proved.outcome {
            Outcome::Holds => {}
            Outcome::Violated(violation) => {
                one.violated = 1;
                one.broken = vec![(violation.rule, number)];
            }
            Outcome::Incomplete(why) => {
                one.incomplete = 1;
                one.first_incomplete = Some((number, why));
            }
            Outcome::Failed(words) => {
                one.failed = 1;
                one.first_failed = Some((number, words));
            }
        }
        self.merge(one);
    }

    /// Adds up two shares, in either order.
    pub fn merge(&mut self, other: Self) {
        self.programs += other.programs;
        self.violated += other.violated;
        self.incomplete += other.incomplete;
        self.failed += other.failed;
        self.states += other.states;
        self.transitions += other.transitions;
        for (own, other) in self.exercised.iter_mut().zip(other.exercised) {
            *own = own.saturating_add(other);
        }
        for (rule, number) in other.broken {
            match self.broken.iter_mut().find(|(own, _)| *own == rule) {
                Some((_, own)) => *own = number.min(*own),
                None => self.broken.push((rule, number)),
            }
        }
        self.broken.sort_unstable();
        earlier(&mut self.first_incomplete, other.first_incomplete);
        earlier(&mut self.first_failed, other.first_failed);
    }

    /// How often each rule could have failed, all rules in order.
    pub fn coverage(&self) -> impl Iterator<Item = Coverage> {
        let rules = Rule::all().zip(self.exercised);
        rules.map(|(rule, exercised)| Coverage { rule, exercised })
    }

    /// The verdict on a share of so many programs.
    #[must_use]
    pub const fn verdict(&self, share: u64) -> Verdict {
        if self.violated > 0 {
            Verdict::Violated
        } else if self.failed > 0 {
            Verdict::HarnessError
        } else if self.incomplete > 0 || self.programs < share {
            Verdict::Incomplete
        } else {
            Verdict::Holds
        }
    }
}
