//! What a run says of itself: the lines that workers print and `nmr check`, `nmr fuzz`, `nmr bench` and
//! `nmr bugs` pass on with `--format json`.
//!
//! One JSON object a line, told apart by `kind`. The format is stable: fields are added, never
//! renamed or removed. A field without a value is `null`, never left out.
//!
//! | `kind` | from a worker | from `nmr check` | from `nmr fuzz` | from `nmr bench` | from `nmr bugs` |
//! |---|---|---|---|---|---|
//! | `progress` ([`Line::Progress`]) | from time to time | – | from time to time | – | – |
//! | `coverage` ([`Coverage`]) | each rule of its run | each rule, added up over all runs | – | – | – |
//! | `result` ([`RunResult`]) | the last line | each run, see below | – | – | – |
//! | `finding` ([`Finding`]) | – | – | each finding | – | – |
//! | `summary` ([`Summary`]) | – | the last line | – | – | – |
//! | `fuzz-summary` ([`FuzzSummary`]) | – | – | the last line | – | – |
//! | `bench` ([`Bench`]) | the last line, if it was asked for a row | – | – | each row | – |
//! | `bug` ([`Bug`]) | – | – | – | – | each bug under each engine |
//! | `twin` ([`Twin`]) | – | – | – | – | each correct twin under each engine |
//!
//! The results of `nmr check` come by scenario and engine, in two parts: first the runs that are made in
//! any case; then those of the sampling engines on the scenarios that no search has exhausted, unless
//! these engines were asked for by name and are in the first part. The lines of `nmr bugs` come by bug, and
//! for each first those of the bug, then those of its twin, by engine.
//!
//! ```json
//! {"kind":"result","scenario":"both-deregister","engine":"pct","verdict":"violated","extent":"sampled","how":null,"rule":"C7","message":"…","executions":12,"seconds":0.1,"seed":7,"case":"target/nmr/cases/….toml","states":null,"certificate":null,"preemptions":null}
//! {"kind":"coverage","rule":"C7","exercised":4211}
//! {"kind":"summary","scenarios":40,"runs":200,"holds":199,"violated":1,"incomplete":0,"harness-errors":0,"seconds":181.5,"seed":7,"exit":1}
//! {"kind":"finding","rule":"C7","message":"…","seed":99,"case":"target/nmr/findings/….toml"}
//! {"kind":"fuzz-summary","scenarios":9000,"executions":180000,"findings":1,"seconds":600.2,"seed":7,"shard":"1/8","version":"0.1.0"}
//! {"kind":"bench","program":"three-lives","engine":"explorer","verdict":"holds","how":null,"executions":2101,"before-restart":null,"states":1944,"seconds":0.4,"workers":1,"memory":17825792,"without":[]}
//! {"kind":"bug","name":"lost-wakeup","where":"core/sync/src/monitor.rs: wait_until","engine":"explorer","found":true,"rule":"C16","expected":"C16","scenarios":31,"tried":59,"executions":12,"seconds":0.004,"preemptions":1,"scenario":"both-deregister","unchecked":false,"verdict":"violated","message":"…"}
//! {"kind":"twin","name":"lost-wakeup","engine":"explorer","flagged":false,"rule":null,"tried":31,"scenario":null,"verdict":"holds","message":""}
//! {"kind":"progress","executions":512,"text":null}
//! ```

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
    /// nmr-explorer: every interleaving under sequential consistency, up to the order of what is
    /// independent.
    Explorer,
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
    pub const ALL: [Self; 6] = [
        Self::Explorer,
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
            Self::Explorer | Self::Random | Self::Pct | Self::Urw => Build::Shuttle,
            Self::Threads => Build::Native,
        }
    }

    /// Whether it looks at some interleavings, drawn from a seed or by chance, and not at all of them.
    #[must_use]
    pub const fn is_sampling(self) -> bool {
        !matches!(self, Self::Explorer | Self::Loom)
    }

    /// Its name, as in the JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Explorer => "explorer",
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
            expected: "an engine: explorer, loom, random, pct, urw or threads",
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
    /// The different states met, by an engine that knows them.
    #[serde(default)]
    pub states: Option<u64>,
    /// What the search rests on, in words, by an engine that says so: bounds, memory model, reductions,
    /// the chance of a missed state, version.
    #[serde(default)]
    pub certificate: Option<String>,
    /// Of what was found: switches away from a thread that could have gone on, by an engine that counts
    /// them.
    #[serde(default)]
    pub preemptions: Option<u32>,
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
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Line {
    /// A run ended.
    Result(RunResult),
    /// A rule's coverage: from a worker of its run, from `nmr check` of all.
    Coverage(Coverage),
    /// A worker is alive.
    Progress {
        /// Executions so far.
        executions: u64,
        /// How far it has come, in words for people, by an engine that can say more.
        #[serde(default)]
        text: Option<String>,
    },
    /// `nmr check` ended.
    Summary(Summary),
    /// Fuzzing found something.
    Finding(Finding),
    /// Fuzzing ended.
    FuzzSummary(FuzzSummary),
    /// A row of `nmr bench` is done.
    Bench(Bench),
    /// An engine has looked for a planted bug.
    Bug(Bug),
    /// An engine has looked at what is correct in a bug's place.
    Twin(Twin),
}

/// The last line of `nmr check`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Summary {
    /// Scenarios that were run.
    pub scenarios: u64,
    /// Runs: a scenario under an engine.
    pub runs: u64,
    /// Runs that hold.
    pub holds: u64,
    /// Runs with a violation.
    pub violated: u64,
    /// Runs that were cut short.
    pub incomplete: u64,
    /// Runs in which the harness failed.
    pub harness_errors: u64,
    /// Wall-clock time of all.
    pub seconds: f64,
    /// The seed of the sampling engines.
    pub seed: u64,
    /// The exit code of the command.
    pub exit: u8,
}

/// A generated scenario that broke a rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule; `None` for a crash.
    pub rule: Option<Rule>,
    /// What happened, for people.
    pub message: String,
    /// The seed of the failing execution.
    pub seed: u64,
    /// Where the shrunk case was saved.
    pub case: Option<PathBuf>,
}

/// The last line of `nmr fuzz`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FuzzSummary {
    /// Scenarios generated.
    pub scenarios: u64,
    /// Executions of them.
    pub executions: u64,
    /// Findings.
    pub findings: u64,
    /// Wall-clock time.
    pub seconds: f64,
    /// The seed, which with shard and version fixes the sequence of scenarios.
    pub seed: u64,
    /// The shard.
    pub shard: Shard,
    /// The version of the generator.
    pub version: String,
}

/// What makes a search for `nmr bench`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BenchEngine {
    /// nmr-explorer.
    Explorer,
    /// loom, without a bound.
    Loom,
    /// shuttle's own depth-first search.
    Dfs,
}

impl BenchEngine {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Explorer, Self::Loom, Self::Dfs];

    /// The build that it needs.
    #[must_use]
    pub const fn build(self) -> Build {
        match self {
            Self::Loom => Build::Loom,
            Self::Explorer | Self::Dfs => Build::Shuttle,
        }
    }

    /// Its name, as in the JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Explorer => "explorer",
            Self::Loom => "loom",
            Self::Dfs => "dfs",
        }
    }
}

impl fmt::Display for BenchEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for BenchEngine {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.into_iter().find(|engine| engine.name() == text);
        found.ok_or_else(|| UnknownName {
            given: text.to_owned(),
            expected: "an engine of `nmr bench`: explorer, loom or dfs",
        })
    }
}

/// One search of a program, measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Bench {
    /// The program: a scenario, or one of `models/src/programs.rs`.
    pub program: String,
    /// What searched.
    pub engine: BenchEngine,
    /// The outcome: `holds` if the search came to its end, `incomplete` if it was cut short.
    pub verdict: Verdict,
    /// Why it was cut short or what went wrong, in words.
    pub how: Option<String>,
    /// Executions begun.
    pub executions: u64,
    /// Of these, the ones made before the search last began again, by an engine that does so and for a
    /// program that is no scenario.
    pub before_restart: Option<u64>,
    /// The different states met, by an engine that knows them.
    pub states: Option<u64>,
    /// Wall-clock time of the search.
    pub seconds: f64,
    /// Threads that searched.
    pub workers: u64,
    /// The most memory that its process had, in bytes, where the system says so.
    pub memory: Option<u64>,
    /// The explorer's reductions that were off.
    pub without: Vec<String>,
}

/// A planted bug, as an engine saw it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bug {
    /// Its name.
    pub name: String,
    /// The file and the function that it is planted into; `module` for a bug of a module.
    #[serde(rename = "where")]
    pub place: String,
    /// The engine.
    pub engine: Engine,
    /// Whether some scenario shows it.
    pub found: bool,
    /// The rule that is named: the expected one if some scenario names it. `None` for a crash.
    pub rule: Option<Rule>,
    /// The rule that should be named.
    pub expected: Rule,
    /// How many scenarios show it.
    pub scenarios: u64,
    /// How many scenarios were tried.
    pub tried: u64,
    /// Executions to find it by `scenario`; if it was not found, all that were made.
    pub executions: u64,
    /// Wall-clock time of the same.
    pub seconds: f64,
    /// Switches away from a thread that could have gone on, of the same, by an engine that counts them.
    pub preemptions: Option<u32>,
    /// The first scenario that shows it, and names the expected rule if any does.
    pub scenario: Option<String>,
    /// Whether it was found with the table's own assertions off, of which one had come first.
    pub unchecked: bool,
    /// `violated` if it was found; else `holds` if every run does, or what kept one from it.
    pub verdict: Verdict,
    /// What was found, or what kept a run from it, for people.
    pub message: String,
}

/// What is correct in a bug's place, as an engine saw it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Twin {
    /// The name of the bug.
    pub name: String,
    /// The engine.
    pub engine: Engine,
    /// Whether a violation was reported, which is none.
    pub flagged: bool,
    /// The rule that it is said to break.
    pub rule: Option<Rule>,
    /// How many scenarios were tried.
    pub tried: u64,
    /// The scenario by which it is flagged.
    pub scenario: Option<String>,
    /// `violated` if it was flagged; else `holds` if every run does, or what kept one from it.
    pub verdict: Verdict,
    /// What was reported, for people.
    pub message: String,
}

/// One of `count` machines that share a seed: `i/n`, from `1/n` to `n/n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shard {
    index: u32,
    count: u32,
}

impl Shard {
    /// All of the work.
    pub const WHOLE: Self = Self { index: 1, count: 1 };

    /// Which one, from 1.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.index
    }

    /// Of how many.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.count
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let parts = text.split_once('/');
        let parsed = parts.and_then(|(index, count)| {
            Some(Self {
                index: index.parse().ok()?,
                count: count.parse().ok()?,
            })
        });
        parsed
            .filter(|shard| (1..=shard.count).contains(&shard.index))
            .ok_or_else(|| UnknownName {
                given: text.to_owned(),
                expected: "a shard, `i/n` with i from 1 to n",
            })
    }
}

impl TryFrom<String> for Shard {
    type Error = UnknownName;

    fn try_from(text: String) -> Result<Self, UnknownName> {
        text.parse()
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}
