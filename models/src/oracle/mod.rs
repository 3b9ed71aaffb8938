//! The oracle: judges a registrar by what can be observed of it, one rule of the contract after the
//! other.
//!
//! It follows the events of one execution: `facts` is what was observed so far, `record` keeps it
//! up to date, and each file in `rules` judges the next event by it. Calls overlap, and what a call
//! or a callback does happens somewhere between its two events; where that leaves more than one
//! right answer, all of them are accepted. It never looks into the registrar, and it cannot see what
//! is not an event: lock order, memory, or a callback that the registrar only meant to make.

mod check;
mod facts;
mod hashes;
mod left;
mod record;
mod ring;
mod rules;
mod stuck;
#[cfg(test)]
mod tests;
pub(crate) mod words;

use std::hash::{Hash, Hasher};

use crate::event::{Event, Quiet};
use crate::flat::clone_in_place;
use crate::message::Message;
use crate::rule::Rule;
use crate::scenario::{Limits, Scenario};

pub use check::Violation;
pub(crate) use left::{Left, Leftover};
pub(crate) use ring::{Debtor, HeldUp, Missing, Outside, Scripts};

use check::{Check, Exercised};
use facts::{Facts, Known};
use ring::Standstill;

/// Judges one execution. Equal (and equally hashed) are oracles that will judge alike whatever
/// follows; how often each rule was exercised does not count.
#[derive(Debug)]
pub struct Oracle {
    facts: Facts,
    exercised: Exercised,
}

clone_in_place!(Oracle { facts, exercised });

impl Default for Oracle {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for Oracle {
    fn eq(&self, other: &Self) -> bool {
        self.facts == other.facts
    }
}

impl Eq for Oracle {}

impl Hash for Oracle {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.facts.hash(state);
    }
}

impl Oracle {
    /// An oracle that has seen nothing yet, of a registrar whose limits are not known: it takes every refusal
    /// for want of resources for a right one.
    #[must_use]
    pub fn new() -> Self {
        Self::of(Known::default())
    }

    /// An oracle that has seen nothing yet, of a registrar with these limits.
    #[must_use]
    pub fn with_limits(limits: Limits) -> Self {
        Self::of(Known {
            limits: Some(limits),
            ..Known::default()
        })
    }

    /// An oracle that has seen nothing yet, of a scenario: it knows the registrar's limits and what is in force.
    #[must_use]
    pub fn of_scenario(scenario: &Scenario) -> Self {
        Self::of(Known {
            limits: Some(scenario.limits),
            terms: scenario.terms(),
        })
    }

    /// The same, for a program that uses handles which outlive what they name: what is gone then counts in its
    /// state.
    #[must_use]
    pub fn remembering_what_is_gone(mut self, remembers: bool) -> Self {
        self.facts.gone = facts::Gone::counting(remembers);
        self
    }

    fn of(known: Known) -> Self {
        let facts = Facts {
            known,
            ..Facts::default()
        };
        Self {
            facts,
            exercised: [0; Rule::COUNT],
        }
    }

    /// Judges the next event. Answers the first rule that it breaks; nothing is judged after that.
    ///
    /// # Panics
    /// If the events of a thread do not nest: the harness's fault, not the registrar's.
    pub fn step(&mut self, event: &Event) -> Option<Violation> {
        self.facts.arrive(event);
        let mut check = Check::new(&mut self.exercised);
        rules::step(&self.facts, event, &mut check);
        let verdict = check.verdict();
        self.facts.record(event);
        verdict
    }

    /// Judges the end of an execution whose threads have all ended.
    pub fn quiet(&mut self, quiet: &Quiet) -> Option<Violation> {
        let mut check = Check::new(&mut self.exercised);
        rules::quiet(&self.facts, quiet, &mut check);
        check.verdict()
    }

    /// Names the rule behind an execution that cannot go on; `blocked` are the threads that have not
    /// ended.
    #[must_use]
    pub fn stuck(&self, blocked: &[u8]) -> Violation {
        self.stuck_in(&(), blocked)
    }

    /// The same, where it is known what the threads have still to do.
    pub(crate) fn stuck_in(&self, scripts: &dyn Scripts, blocked: &[u8]) -> Violation {
        stuck::classify(Standstill {
            facts: &self.facts,
            blocked,
            scripts,
        })
    }

    /// What there is to say of an execution at its end.
    pub(crate) fn end(&self) -> impl Hash {
        (&self.facts.registrations, &self.facts.bindings)
    }

    /// What is left over at the end, of which no rule asks that it be gone.
    pub(crate) fn left(&self) -> Left {
        left::at_the_end(&self.facts)
    }

    /// How often each rule could have failed, by its number less one.
    #[must_use]
    pub const fn exercised(&self) -> &[u64; Rule::COUNT] {
        &self.exercised
    }

    /// The same since it was last asked.
    pub(crate) fn take_exercised(&mut self) -> [u64; Rule::COUNT] {
        std::mem::replace(&mut self.exercised, [0; Rule::COUNT])
    }

    /// What a thread is inside of, in words, innermost first.
    #[must_use]
    pub fn open_calls(&self, thread: u8) -> Message {
        words::open_calls(&self.facts, thread)
    }
}
