//! A case, repeated: what came of it, in words, as data and as an exit code.
//!
//! In the build that has the explorer a ladder is climbed: its schedule exactly; aligned again; the schedules near
//! it; all of the scenario. loom's build makes loom's search again, for what only its memory model shows.

#[cfg(shuttle)]
mod ladder;
#[cfg(loom)]
mod search;
#[cfg(shuttle)]
mod show;

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::case::{Case, Expectation};
use crate::engine::{Control, ExplorerOptions, Request};
use crate::engine_name::{Build, Engine};
use crate::render::{Row, picture};
use crate::rule::Rule;
use crate::trace::{Passing, Trace};

/// The time for exhausting a case's scenario, if no other is given.
pub const BUDGET: Duration = Duration::from_secs(60);

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "CaseVerdict")
)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Verdict {
    /// Its schedule breaks the rule.
    Reproduces,
    /// Its schedule does not fit the code as it is; aligned again, it breaks the rule.
    ReproducesAfterRealignment {
        /// The first step that did not fit, and what was there instead.
        at: String,
    },
    /// Another schedule of the scenario breaks the rule.
    ReproducesElsewhere,
    /// The scenario breaks another rule. The one that the case was saved for was not seen to break.
    BreaksAnotherRule,
    /// No schedule of the scenario breaks a rule: it was exhausted.
    Fixed {
        /// The states met, by an engine that knows them.
        states: Option<u64>,
    },
    /// Nothing was found, and something was not looked at.
    NotReproduced {
        /// Why.
        why: String,
    },
    /// The case cannot be used any more.
    NoLongerApplicable {
        /// Why.
        why: String,
    },
    /// The file is no case that this version could have written.
    Malformed {
        /// What is wrong with it, and where.
        why: String,
    },
    /// The harness failed.
    HarnessError {
        /// With these words.
        why: String,
    },
}

impl Verdict {
    /// The exit code: 1 if a rule breaks, 0 if that is excluded, 3 if nobody knows, 5 if the case cannot be used
    /// any more, 2 if it is none, 4 if the harness failed.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        use crate::report::Verdict as Run;
        match self {
            Self::Reproduces
            | Self::ReproducesAfterRealignment { .. }
            | Self::ReproducesElsewhere
            | Self::BreaksAnotherRule => Run::Violated.exit_code(),
            Self::Fixed { .. } => Run::Holds.exit_code(),
            Self::NotReproduced { .. } => Run::Incomplete.exit_code(),
            Self::HarnessError { .. } => Run::HarnessError.exit_code(),
            Self::Malformed { .. } => 2,
            Self::NoLongerApplicable { .. } => 5,
        }
    }

    /// Whether it is what a case is expected to come to.
    #[must_use]
    pub const fn is(&self, expected: Expectation) -> bool {
        match expected {
            Expectation::Fixed => matches!(self, Self::Fixed { .. }),
            Expectation::Reproduces => matches!(
                self,
                Self::Reproduces
                    | Self::ReproducesAfterRealignment { .. }
                    | Self::ReproducesElsewhere
            ),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reproduces => f.write_str("reproduces"),
            Self::ReproducesAfterRealignment { at } => {
                write!(f, "reproduces after re-alignment (at {at})")
            }
            Self::ReproducesElsewhere => f.write_str("reproduces elsewhere (another schedule)"),
            Self::BreaksAnotherRule => f.write_str("breaks another rule than it was saved for"),
            Self::Fixed {
                states: Some(states),
            } => write!(f, "fixed (scenario exhausted, {states} states)"),
            Self::Fixed { states: None } => f.write_str("fixed (scenario exhausted)"),
            Self::NotReproduced { why } => write!(f, "not reproduced (cut short: {why})"),
            Self::NoLongerApplicable { why } => write!(f, "no longer applicable ({why})"),
            Self::Malformed { why } => write!(f, "malformed ({why})"),
            Self::HarnessError { why } => write!(f, "the harness failed: {why}"),
        }
    }
}

/// What a replay has to say. The same case and program give the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Replayed {
    /// The case's scenario.
    pub scenario: String,
    /// The engine that found it.
    pub engine: Engine,
    /// The rule that it was saved for; `None` for a crash.
    pub rule: Option<Rule>,
    /// What came of it.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// Executions made for that.
    pub executions: u64,
    /// The rule that broke now.
    pub broken: Option<Rule>,
    /// What happened now; empty if nothing did.
    pub message: String,
    /// The schedule of that, which [`Case::schedule`] may hold from now on. Empty if the engine has none.
    pub schedule: Vec<String>,
    /// The events of that, in order.
    pub interleaving: Vec<Row>,
    /// All that there is to see of it, if that was asked for. Where nothing breaks any more it is the execution that comes of
    /// the saved schedule today.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Box<Trace>>,
    /// An execution near it in which nothing breaks, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passing: Option<Box<Passing>>,
}

impl Replayed {
    /// A verdict, and nothing else.
    #[must_use]
    pub fn of(case: &Case, verdict: Verdict) -> Self {
        Self {
            scenario: case.scenario.name.clone(),
            engine: case.engine,
            rule: case.rule,
            verdict,
            executions: 0,
            broken: None,
            message: String::new(),
            schedule: Vec::new(),
            interleaving: Vec::new(),
            trace: None,
            passing: None,
        }
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!(
            "case: {} under {}: {}\n\n",
            self.scenario,
            self.engine,
            named(self.rule)
        );
        if !self.interleaving.is_empty() {
            text = text + &picture(&self.interleaving) + "\n";
        }
        if !self.message.is_empty() {
            let _ = writeln!(text, "violated {}: {}\n", named(self.broken), self.message);
        }
        let executions = match self.executions {
            1 => "1 execution".to_owned(),
            several => format!("{several} executions"),
        };
        let _ = writeln!(text, "{}; {executions}", self.verdict);
        text
    }
}

fn named(rule: Option<Rule>) -> String {
    rule.map_or("crash".to_owned(), |rule| {
        format!("{rule} ({})", rule.title())
    })
}

/// How a case is replayed.
#[derive(Clone, Debug)]
pub struct Options {
    /// The time for exhausting its scenario.
    pub budget: Duration,
    /// Counts the executions as they are made.
    pub executions: Arc<AtomicU64>,
    /// How the explorer is to search.
    pub explorer: ExplorerOptions,
    /// Who waits for it.
    pub control: Control,
    /// Whether it is to be shown: with a [trace](Replayed::trace), and with one in which nothing breaks.
    pub shows: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            budget: BUDGET,
            executions: Arc::default(),
            explorer: ExplorerOptions::default(),
            control: Control::default(),
            shows: false,
        }
    }
}

/// The builds that have a say in a case, in this order: each only if the ones before found nothing.
#[must_use]
pub const fn builds(case: &Case) -> &'static [Build] {
    match case.engine {
        // What breaks under its memory model alone the explorer does not see.
        Engine::Loom => &[Build::Shuttle, Build::Loom],
        _ => &[Build::Shuttle],
    }
}

#[cfg_attr(
    not(any(loom, shuttle)),
    expect(dead_code, reason = "that build replays none")
)]
fn request(case: &Case, options: &Options) -> Request {
    Request {
        scenario: Arc::new(case.scenario.clone()),
        conditions: case.conditions(),
        engine: match Build::current() {
            Build::Loom => Engine::Loom,
            _ => Engine::Explorer,
        },
        seed: 0,
        budget: options.budget,
        executions: options.executions.clone(),
        explorer: options.explorer.clone(),
        control: options.control.clone(),
    }
}

/// Makes what was found without threads again on threads, section by section; `None` if there is nothing of that kind in the
/// case, or its path cannot be gone there.
#[cfg(shuttle)]
#[must_use]
pub fn on_threads(case: &Case, options: &Options) -> Option<Replayed> {
    ladder::along_its_sections_alone(case, &request(case, options))
}

/// Repeats a case, with what this build has for that. `end` is called, and must end the process, where the engine
/// cannot be left.
#[must_use]
pub fn replay(
    case: &Case,
    options: &Options,
    end: impl Fn(Replayed) + Send + Sync + 'static,
) -> Replayed {
    #[cfg(shuttle)]
    {
        drop(end);
        if let Err(why) = crate::run::foreign_module::load(&case.scenario) {
            return Replayed::of(case, Verdict::NoLongerApplicable { why });
        }
        let request = request(case, options);
        let replayed = ladder::climb(case, &request);
        match options.shows {
            true => show::shown(case, &request, replayed),
            false => replayed,
        }
    }
    #[cfg(loom)]
    return search::again(case, &request(case, options), end);
    #[cfg(not(any(loom, shuttle)))]
    {
        let _ = (options, end);
        let why = "real threads cannot be told what to do: another build replays this case";
        Replayed::of(
            case,
            Verdict::HarnessError {
                why: why.to_owned(),
            },
        )
    }
}
