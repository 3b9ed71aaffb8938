//! The rules of the contract, and those that hold of modules where a scenario says so, by number and title. What they
//! say is in the contract itself; who judges by them, in [`oracle`](crate::oracle).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::name::UnknownName;

/// What the registrar's table asserts of itself, in its words.
const TABLE_ASSERTIONS: [&str; 9] = [
    "C2: an open registration is listed under its interface",
    "C10: a registration lists exactly its bindings",
    "C10: a binding's ends are there",
    "C19: an interface is noted only while it has open registrations",
    "C1: one interface",
    "C6: proposals are withdrawn",
    "C15: it is noted whose thread runs a callback",
    "C4: the provider attached",
    "C11: the table refers only to tenants",
];

/// The rules' letters, and their titles by number.
const FAMILIES: [(char, &[&str]); 3] = [
    (
        'C',
        &[
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
        ],
    ),
    (
        'S',
        &[
            "deregistered",
            "waited for",
            "completed",
            "of what is registered",
        ],
    ),
    (
        'W',
        &[
            "detach does not wait",
            "raised level",
            "unload",
            "attach answer",
        ],
    ),
];

/// A rule: of the registrar's contract, C1 to C19; of what modules leave over, S1 to S4; of Windows, W1 to W4.
///
/// The contract's are always in force, the others where a scenario [says so](crate::scenario::Terms).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rule {
    family: u8,
    number: u8,
}

impl Rule {
    /// The number of rules.
    pub const COUNT: usize = FAMILIES[0].1.len() + FAMILIES[1].1.len() + FAMILIES[2].1.len();

    /// Rule C`number`.
    ///
    /// # Panics
    /// If there is no such rule.
    #[must_use]
    pub const fn new(number: u8) -> Self {
        Self::of(0, number)
    }

    /// Rule S`number`: what modules leave over.
    ///
    /// # Panics
    /// If there is no such rule.
    #[must_use]
    pub const fn strict(number: u8) -> Self {
        Self::of(1, number)
    }

    /// Rule W`number`: what Windows asks of a module.
    ///
    /// # Panics
    /// If there is no such rule.
    #[must_use]
    pub const fn windows(number: u8) -> Self {
        Self::of(2, number)
    }

    const fn of(family: u8, number: u8) -> Self {
        let titles = FAMILIES[family as usize].1;
        assert!(
            number >= 1 && number as usize <= titles.len(),
            "the rules are C1 to C19, S1 to S4 and W1 to W4"
        );
        Self { family, number }
    }

    /// The rule that a message names, as in `C6: proposals are withdrawn`, if it begins with one of the table's own
    /// assertions. A module may panic with any words, also with those of a rule.
    pub(crate) fn named_in(message: &str) -> Option<Self> {
        let its = |words: &&&str| {
            let rest = message.strip_prefix(**words);
            // What was compared comes on lines of its own, and where it was at the end.
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['\n', ' ']))
        };
        let words = TABLE_ASSERTIONS.iter().find(its)?;
        let (rule, _) = words.split_once(": ")?;
        rule.parse().ok()
    }

    /// All rules of the contract, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::every().filter(|rule| rule.is_of_the_contract())
    }

    /// All rules of the contract, then the others, in order.
    pub fn every() -> impl Iterator<Item = Self> {
        (0..FAMILIES.len() as u8).flat_map(|family| {
            let titles = FAMILIES[usize::from(family)].1;
            (1..=titles.len() as u8).map(move |number| Self { family, number })
        })
    }

    /// Whether it is one of the contract, which is in force everywhere.
    #[must_use]
    pub const fn is_of_the_contract(self) -> bool {
        self.family == 0
    }

    /// Its number among those of its letter, from 1.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.number
    }

    /// Its place among [all of them](Self::every), from 0.
    #[must_use]
    pub const fn index(self) -> usize {
        let mut before = 0;
        let mut family = 0;
        while family < self.family {
            before += FAMILIES[family as usize].1.len();
            family += 1;
        }
        before + self.number as usize - 1
    }

    /// Its name in the contract.
    #[must_use]
    pub const fn title(self) -> &'static str {
        FAMILIES[self.family as usize].1[self.number as usize - 1]
    }

    const fn letter(self) -> char {
        FAMILIES[self.family as usize].0
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Padded as one word.
        f.pad(&format!("{}{}", self.letter(), self.number))
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
        let found = Self::every().find(|rule| rule.to_string() == text);
        found.ok_or_else(|| UnknownName::new(text, "a rule, C1 to C19, S1 to S4 or W1 to W4"))
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
    use std::collections::BTreeSet;

    use super::{FAMILIES, Rule, TABLE_ASSERTIONS};
    use crate::run::broken_rule;

    const CONTRACT: &str = include_str!("../../core/CONTRACT.md");
    const TABLE: [&str; 2] = [
        include_str!("../../core/src/table/check.rs"),
        include_str!("../../core/src/table/slab.rs"),
    ];

    /// The texts in a source that begin with a rule.
    fn assertions(source: &str) -> impl Iterator<Item = &str> {
        let texts = source.split('"').skip(1).step_by(2);
        texts.filter(|text| {
            text.split_once(": ")
                .is_some_and(|(rule, _)| rule.parse::<Rule>().is_ok())
        })
    }

    #[test]
    fn the_tables_assertions_are_those_of_its_source() {
        let in_source: BTreeSet<&str> = TABLE.into_iter().flat_map(assertions).collect();
        assert_eq!(in_source, BTreeSet::from(TABLE_ASSERTIONS));
    }

    #[test]
    fn an_assertion_of_the_table_names_its_rule() {
        let at = " (at core/src/table/check.rs:59:44)";
        for words in TABLE_ASSERTIONS {
            let (rule, _) = words.split_once(": ").unwrap();
            let compared =
                format!("assertion `left == right` failed: {words}\n  left: 1\n right: 2");
            for message in [words.to_owned(), format!("{words}{at}"), compared] {
                assert_eq!(broken_rule(&message), rule.parse().ok(), "{message}");
            }
        }
    }

    #[test]
    fn a_panic_in_a_modules_own_words_names_no_rule() {
        for words in [
            "C12: that is my handle",
            "C6: proposals are withdrawnish",
            "assertion failed: C12: mine",
            "this is not C6: proposals are withdrawn",
            "C6",
        ] {
            assert_eq!(broken_rule(words), None, "{words}");
        }
    }

    #[test]
    fn they_are_those_of_the_contract() {
        let is_row = |line: &&str| {
            let letter = FAMILIES.iter().map(|(letter, _)| format!("| **{letter}"));
            letter.into_iter().any(|start| line.starts_with(&start))
        };
        let rows = CONTRACT.lines().filter(is_row);
        let titles = rows.map(|row| row.split("**").nth(1).expect("it is bold"));
        let rules = Rule::every().map(|rule| format!("{rule} {}", rule.title()));
        assert_eq!(titles.collect::<Vec<_>>(), rules.collect::<Vec<_>>());
    }

    #[test]
    fn each_has_a_place_and_a_name_of_its_own() {
        for (place, rule) in Rule::every().enumerate() {
            assert_eq!(rule.index(), place);
            assert_eq!(rule.to_string().parse(), Ok(rule));
        }
        assert_eq!(Rule::every().count(), Rule::COUNT);
        assert_eq!(Rule::all().count(), 19);
        for text in ["C0", "C20", "W5", "S0", "R1", "C01", "C", ""] {
            assert!(text.parse::<Rule>().is_err(), "{text}");
        }
    }
}
