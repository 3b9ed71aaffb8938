//! What a run says of itself: the lines that workers print and `nmr check`, `nmr fuzz`, `nmr bench` and
//! `nmr bugs` pass on with `--format json`.
//!
//! One JSON object a line, told apart by `kind`. The format is stable: fields are added, never
//! renamed or removed. A field without a value is `null`, never left out; only `in_force`, `notes`, `exercised`, `report`, and a
//! replay's `trace` and `passing` are there just where there are some.
//!
//! | `kind` | from a worker | from `nmr check` | from `nmr fuzz` | from `nmr bench` | from `nmr bugs` |
//! |---|---|---|---|---|---|
//! | `progress` ([`Line::Progress`]) | from time to time | – | from time to time | – | – |
//! | `coverage` ([`Coverage`]) | each rule of its run | each rule, added up over all runs | – | – | – |
//! | `result` ([`RunResult`]) | the last line | each run, see below | – | – | – |
//! | `finding` ([`Finding`]) | – | – | each finding | – | – |
//! | `summary` ([`Summary`]) | – | the last line | – | – | – |
//! | `fuzz-batch` ([`FuzzBatch`]) | each batch | – | each batch | – | – |
//! | `fuzz-summary` ([`FuzzSummary`]) | – | – | the last line | – | – |
//! | `bench` ([`Bench`]) | the last line, if it was asked for a row | – | – | each row | – |
//! | `bug` ([`Bug`]) | – | – | – | – | each bug under each engine |
//! | `twin` ([`Twin`]) | – | – | – | – | each correct twin under each engine |
//!
//! A worker that runs over programs, and `nmr prove`, print `prove-progress` ([`prove::Progress`]) from time to time, then a
//! `broken` ([`prove::Broken`]) for each rule that breaks, `coverage` for each rule, and a `prove-summary`
//! ([`prove::Summary`]).
//!
//! A worker that replays a case, and `nmr replay`, end with a `replay` ([`Replayed`]); for cases of one thread it is a
//! `sequence` ([`Sequence`]). `nmr case` prints a `case` ([`CaseLine`]) for each.
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
//! {"kind":"replay","scenario":"both-deregister","engine":"pct","rule":"C7","verdict":"reproduces-after-realignment","at":"step 3, `…`: …","executions":2,"broken":"C7","message":"…","schedule":["t1: begin"],"interleaving":[{"thread":"t1","event":"deregister c"}]}
//! {"kind":"replay","scenario":"both-deregister","engine":"pct","rule":"C7","verdict":"fixed","states":412,"executions":57,"broken":null,"message":"","schedule":[],"interleaving":[]}
//! {"kind":"progress","executions":512,"text":null}
//! {"kind":"prove-progress","done":4096,"of":106510}
//! {"kind":"broken","rule":"C7","program":812,"message":"…","case":"target/nmr/cases/….toml"}
//! {"kind":"prove-summary","size":"small","bounds":"…","programs-in-size":106510,"shard":"1/1","programs-in-share":106510,"programs":106510,"violated":0,"incomplete":0,"failed":0,"states":9000000,"transitions":20000000,"seconds":110.5,"workers":2,"engine":"explorer","verdict":"holds","how":null,"certificate":"…","version":"0.1.0 (…)"}
//! ```

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::conditions::Conditions;
use crate::engine_name::{BenchEngine, Engine};
use crate::prove::report as prove;
use crate::replay::{self, Replayed};
use crate::rule::Rule;
use crate::shard::Shard;

/// The outcome of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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

impl Verdict {
    /// The exit code that goes with it, of a worker as of the command. 2 is for neither: it says that a
    /// process was called wrongly.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Holds => 0,
            Self::Violated => 1,
            Self::Incomplete => 3,
            Self::HarnessError => 4,
        }
    }
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RunResult {
    /// The scenario's name.
    pub scenario: String,
    /// What could happen besides; left out if nothing could.
    #[serde(default, skip_serializing_if = "Conditions::is_default")]
    pub conditions: Conditions,
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
    /// The same as data: the explorer's own report. Left out by engines that have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<serde_json::Value>,
    /// Of what was found: switches away from a thread that could have gone on, by an engine that counts
    /// them.
    #[serde(default)]
    pub preemptions: Option<u32>,
    /// The rules in force besides the contract's, each in a few words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_force: Vec<String>,
    /// Of what holds: what its executions leave over at their end and is no rule's matter, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// How often each rule could have failed in this run; those that could not are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exercised: Vec<Coverage>,
}

/// How often a rule could have failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Coverage {
    /// The rule.
    pub rule: Rule,
    /// The number of times that something was checked which could have been otherwise.
    pub exercised: u64,
}

/// One line of output for machines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// Fuzzing has done a batch.
    FuzzBatch(FuzzBatch),
    /// Fuzzing ended.
    FuzzSummary(FuzzSummary),
    /// A row of `nmr bench` is done.
    Bench(Bench),
    /// An engine has looked for a planted bug.
    Bug(Bug),
    /// An engine has looked at what is correct in a bug's place.
    Twin(Twin),
    /// A planted bug was looked for in programs.
    BugInPrograms(BugInPrograms),
    /// A case with a scenario was replayed.
    Replay(Box<Replayed>),
    /// A case of one thread was replayed.
    Sequence(Sequence),
    /// A saved case was looked at.
    Case(CaseLine),
    /// A run over programs goes on.
    ProveProgress(prove::Progress),
    /// A program breaks a rule.
    Broken(prove::Broken),
    /// A run over programs ended.
    ProveSummary(Box<prove::Summary>),
}

/// A case of one thread, replayed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sequence {
    /// What came of it.
    #[serde(flatten)]
    pub verdict: replay::Verdict,
    /// What happened, for people.
    pub text: String,
}

/// A saved case, and what comes of it today.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CaseLine {
    /// The file.
    pub case: PathBuf,
    /// The scenario, if it has one.
    pub scenario: Option<String>,
    /// The rule that it is about; `None` for a crash, and for cases of one thread.
    pub rule: Option<Rule>,
    /// Since when there is that file, in seconds: by the commit that brought it, or else by the file's own time.
    pub age: Option<u64>,
    /// What came of it.
    #[serde(flatten)]
    pub verdict: replay::Verdict,
    /// Whether that is what the case expects.
    pub expected: bool,
}

/// The last line of `nmr check`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// What could happen besides; left out if nothing could.
    #[serde(default, skip_serializing_if = "Conditions::is_default")]
    pub conditions: Conditions,
    /// Whether there are modules in C; left out if there are none. They are switched at their calls of the registrar only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub c_modules: bool,
    /// The engines that were left out because they do not know the conditions, or do not run modules in C.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<Engine>,
    /// The exit code of the command.
    pub exit: u8,
}

/// A generated scenario that broke a rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Finding {
    /// The rule; `None` for a crash.
    pub rule: Option<Rule>,
    /// What happened, for people.
    pub message: String,
    /// The seed of the failing execution.
    pub seed: u64,
    /// Where the shrunk case was saved.
    pub case: Option<PathBuf>,
    /// How often it had been found before. A repeated finding is told in short, for it is the same.
    #[serde(default)]
    pub repeats: u64,
}

/// A batch of programs is done, or was cut short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub struct FuzzBatch {
    /// Its number, from 0.
    pub number: u64,
    /// Programs that are done.
    pub programs: u64,
    /// Programs that it has.
    pub of: u64,
    /// Those that were exhausted without threads.
    pub exhausted: u64,
    /// Those that were sampled on threads, some of the exhausted ones among them.
    pub sampled: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those of which it is not known what comes of them.
    pub incomplete: u64,
    /// Those on which the harness failed.
    pub harness_errors: u64,
    /// Those that were kept for what they reach.
    pub kept: u64,
}

/// The chance that a bug was missed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Missed {
    /// How many ordering constraints the bug takes.
    pub depth: u64,
    /// The chance that PCT missed one in a sampled program, at most, on average over these: Burckhardt et al., ASPLOS 2010.
    pub chance: f64,
}

/// The last line of `nmr fuzz` and `nmr merge`, and what `nmr status` says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FuzzSummary {
    /// Programs that were generated.
    pub scenarios: u64,
    /// Executions of those that were sampled on threads.
    pub executions: u64,
    /// Different findings.
    pub findings: u64,
    /// Failures that came down to a finding that was there already.
    #[serde(default)]
    pub repeats: u64,
    /// Wall-clock time, added up over the runs.
    pub seconds: f64,
    /// The seed, which with corpus and version fixes each batch.
    pub seed: u64,
    /// The shard.
    pub shard: Shard,
    /// The version of the generator and of the code.
    pub version: String,
    /// What could happen besides; left out if nothing could.
    #[serde(default, skip_serializing_if = "Conditions::is_default")]
    pub conditions: Conditions,
    /// Programs that were exhausted by the direct engine.
    #[serde(default)]
    pub exhausted: u64,
    /// The states that these have.
    #[serde(default)]
    pub states: u64,
    /// Programs that were sampled on threads, some of the exhausted ones among them.
    #[serde(default)]
    pub sampled: u64,
    /// What else there is to say.
    #[serde(flatten)]
    pub campaign: FuzzCampaign,
}

/// What [`FuzzSummary`] says of a campaign.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "kebab-case")]
pub struct FuzzCampaign {
    /// How it is: `running`, `done`, `the time was over`, `interrupted`, or how it failed.
    pub state: String,
    /// Batches, unfinished ones included.
    pub batches: u64,
    /// Programs that are mutants of others.
    pub mutants: u64,
    /// Programs that ran under the explorer as well.
    pub explored: u64,
    /// Those of them that it exhausted.
    pub explored_whole: u64,
    /// Programs of which it is not known what comes of them: they crashed, hung, or needed too much memory.
    pub incomplete: u64,
    /// Programs on which the harness failed, and engines that disagreed.
    pub harness_errors: u64,
    /// The cells of coverage that were reached.
    pub cells: u64,
    /// Those of them that no program of the corpus was known to reach.
    pub new_cells: u64,
    /// Programs that were kept for what they reach.
    pub kept: u64,
    /// The chance that one more execution at random is of a class of interleavings that was not seen: Good 1953; Böhme, STADS,
    /// TOSEM 2018. `null` if nothing was sampled.
    pub unseen: Option<f64>,
    /// The chances that bugs were missed.
    pub missed: Vec<Missed>,
}

/// One search of a program, measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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

/// A planted bug, as it was looked for in the programs of some sizes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BugInPrograms {
    /// Its name.
    pub name: String,
    /// The rule that should be named.
    pub expected: Rule,
    /// The size in which it was found.
    pub size: Option<String>,
    /// The number of the program that shows it.
    pub program: Option<u64>,
    /// The rule that is named. `None` for a crash, or if it was not found.
    pub rule: Option<Rule>,
    /// How many programs were looked at, of all sizes up to that one.
    pub programs: u64,
    /// The time that they took.
    pub seconds: f64,
    /// `violated` if it was found; else `holds` if every program does, or what kept one from it.
    pub verdict: Verdict,
    /// What was found, or what kept it from being found, for people.
    pub message: String,
}

/// What is correct in a bug's place, as an engine saw it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
