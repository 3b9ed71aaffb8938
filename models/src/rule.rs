//! The rules of the registrar's contract, by number and title. What they say is in the contract itself;
//! who judges by them, in [`oracle`](crate::oracle).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::name::UnknownName;

/// A rule of the registrar's contract, C1 to C19.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rule(u8);

impl Rule {
    /// The number of rules.
    pub const COUNT: usize = 19;

    /// Rule C`number`.
    ///
    /// # Panics
    /// If there is no such rule.
    #[must_use]
    pub const fn new(number: u8) -> Self {
        assert!(
            number >= 1 && number as usize <= Self::COUNT,
            "the rules are C1 to C19"
        );
        Self(number)
    }

    /// The rule that a message names at its beginning, as in `C6: proposals are withdrawn`.
    pub(crate) fn named_in(message: &str) -> Option<Self> {
        let (number, _) = message.strip_prefix('C')?.split_once(": ")?;
        let number: u8 = number.parse().ok()?;
        Self::all().find(|rule| rule.0 == number)
    }

    /// All rules, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (1..=Self::COUNT as u8).map(Self)
    }

    /// Its number, from 1.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Its name in the contract.
    #[must_use]
    pub const fn title(self) -> &'static str {
        [
            "match",
            "once",
            "attach protocol",
            "hollow success",
            "change of mind",
            "closing door",
            "detach once",
            "completion",
            "cleanup last",
            "deregistration",
            "context lifetime",
            "handle validity",
            "deregister once",
            "wait after deregister",
            "open calls",
            "progress",
            "all or nothing",
            "panics",
            "quiescence",
        ][self.0 as usize - 1]
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "C{}", self.0)
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Rule {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let number = text
            .strip_prefix('C')
            .and_then(|digits| digits.parse().ok());
        number
            .filter(|number| (1..=Self::COUNT as u8).contains(number))
            .map(Self)
            .ok_or_else(|| UnknownName::new(text, "a rule, C1 to C19"))
    }
}

impl TryFrom<String> for Rule {
    type Error = UnknownName;

    fn try_from(text: String) -> Result<Self, UnknownName> {
        text.parse()
    }
}

impl From<Rule> for String {
    fn from(rule: Rule) -> Self {
        rule.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::Rule;

    const CONTRACT: &str = include_str!("../../core/CONTRACT.md");

    #[test]
    fn they_are_those_of_the_contract() {
        let rows = CONTRACT.lines().filter(|line| line.starts_with("| **C"));
        let titles = rows.map(|row| row.split("**").nth(1).expect("it is bold"));
        let rules = Rule::all().map(|rule| format!("{rule} {}", rule.title()));
        assert_eq!(titles.collect::<Vec<_>>(), rules.collect::<Vec<_>>());
    }
}
