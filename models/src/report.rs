//! What a run says of itself: the lines that workers print and `nmr check --format json` passes on.
//!
//! One JSON object a line, told apart by `kind`. The format is stable: fields are added, never
//! renamed or removed.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

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

/// A text that is not the name of a rule, an engine, …
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not {expected}")]
pub struct UnknownName {
    given: String,
    expected: &'static str,
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
            .ok_or_else(|| UnknownName {
                given: text.to_owned(),
                expected: "a rule, C1 to C19",
            })
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

/// What explores a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// loom: every interleaving, and the C11 memory model.
    Loom,
    /// shuttle, each next thread drawn at random.
    Random,
    /// shuttle, probabilistic concurrency testing (Burckhardt et al., ASPLOS 2010).
    Pct,
    /// shuttle, uniform random walk (Zhao et al., ASPLOS 2025).
    Urw,
    /// Real threads over parking_lot.
    Threads,
}

/// The build that an engine needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Build {
    /// No cfg: parking_lot.
    Native,
    /// `--cfg loom`.
    Loom,
    /// `--cfg shuttle`.
    Shuttle,
}

impl Engine {
    /// All engines.
    pub const ALL: [Self; 5] = [
        Self::Loom,
        Self::Random,
        Self::Pct,
        Self::Urw,
        Self::Threads,
    ];

    /// The build that it needs.
    #[must_use]
    pub const fn build(self) -> Build {
        match self {
            Self::Loom => Build::Loom,
            Self::Random | Self::Pct | Self::Urw => Build::Shuttle,
            Self::Threads => Build::Native,
        }
    }

    /// Its name, as in the JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Loom => "loom",
            Self::Random => "random",
            Self::Pct => "pct",
            Self::Urw => "urw",
            Self::Threads => "threads",
        }
    }
}

impl Build {
    /// The build that this crate was compiled in.
    #[must_use]
    pub const fn current() -> Self {
        if cfg!(loom) {
            Self::Loom
        } else if cfg!(shuttle) {
            Self::Shuttle
        } else {
            Self::Native
        }
    }

    /// The cfg that selects it.
    #[must_use]
    pub const fn cfg(self) -> Option<&'static str> {
        match self {
            Self::Native => None,
            Self::Loom => Some("loom"),
            Self::Shuttle => Some("shuttle"),
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Engine {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.into_iter().find(|engine| engine.name() == text);
        found.ok_or_else(|| UnknownName {
            given: text.to_owned(),
            expected: "an engine: loom, random, pct, urw or threads",
        })
    }
}

/// The outcome of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing was found, and the search was not cut short.
    Holds,
    /// A rule broke, or the program under test crashed or hung.
    Violated,
    /// The search was cut short without a finding.
    Incomplete,
    /// The harness itself failed. Not a finding.
    HarnessError,
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extent {
    /// Every interleaving: said only of a search that ended by itself.
    Complete,
    /// Every interleaving within a bound that `how` names.
    Bounded,
    /// Some interleavings, as many as `executions`.
    Sampled,
}

/// One run of one scenario by one engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// The scenario's name.
    pub scenario: String,
    /// The engine.
    pub engine: Engine,
    /// The outcome.
    pub verdict: Verdict,
    /// How much of it was looked at.
    pub extent: Extent,
    /// The bound, or why the search was cut short, in words.
    pub how: Option<String>,
    /// The rule that broke; `None` also for a violation that no rule names (a crash).
    pub rule: Option<Rule>,
    /// What happened, for people: empty unless there is something to tell. May have several lines.
    pub message: String,
    /// Complete executions of the scenario, the last (violating) one included.
    pub executions: u64,
    /// Wall-clock time.
    pub seconds: f64,
    /// The seed of a sampling engine.
    pub seed: Option<u64>,
    /// Where the failing case was saved.
    pub case: Option<PathBuf>,
}

/// How often a rule could have failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// The rule.
    pub rule: Rule,
    /// The number of times that something was checked which could have been otherwise.
    pub exercised: u64,
}

/// One line of output for machines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Line {
    /// A run ended.
    Result(RunResult),
    /// A rule's coverage: from a worker of its run, from `nmr check` of all.
    Coverage(Coverage),
    /// A worker is alive.
    Progress {
        /// Executions so far.
        executions: u64,
    },
}
