//! A violation, and the judge's notebook: what was found and how often each rule could have failed.

use std::fmt;

use crate::message::Message;
use crate::rule::Rule;

/// A rule that broke, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// Who did what, and what was expected.
    pub message: Message,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.rule, self.rule.title(), self.message)
    }
}

impl std::error::Error for Violation {}

/// How often each rule could have failed.
pub(super) type Exercised = [u64; Rule::COUNT];

/// Collects what the rules say of one moment. The first objection stays; rules are asked in order.
pub(super) struct Check<'a> {
    exercised: &'a mut Exercised,
    found: Option<Violation>,
}

impl<'a> Check<'a> {
    pub(super) fn new(exercised: &'a mut Exercised) -> Self {
        Self {
            exercised,
            found: None,
        }
    }

    /// Something that could have been otherwise was looked at, and counts as an exercise of the rule.
    pub(super) fn expect(&mut self, rule: Rule, holds: bool, message: impl FnOnce() -> Message) {
        self.saw(rule);
        self.deny(rule, !holds, message);
    }

    /// Objects if `bad`, without counting: for what is looked at so often that counting it would say
    /// nothing.
    pub(super) fn deny(&mut self, rule: Rule, bad: bool, message: impl FnOnce() -> Message) {
        if bad && self.found.is_none() {
            let message = message();
            self.found = Some(Violation { rule, message });
        }
    }

    /// Counts an exercise of a rule that is judged elsewhere.
    pub(super) fn saw(&mut self, rule: Rule) {
        self.exercised[rule.index()] += 1;
    }

    pub(super) fn verdict(self) -> Option<Violation> {
        self.found
    }
}
