//! The engines: what runs a scenario again and again, each time another way.
//!
//! A build has those that its cfg brings: loom; shuttle's schedulers; or real threads. None of them
//! knows a rule; [`oracle`](crate::oracle) does.

#[cfg(shuttle)]
pub(crate) mod along;
pub mod bench;
#[cfg(shuttle)]
mod current;
#[cfg(shuttle)]
mod dfs;
mod direct_options;
#[cfg(shuttle)]
pub(crate) mod explorer;
#[cfg(loom)]
mod loom;
mod options;
#[cfg(shuttle)]
pub mod shuttle;
#[cfg(not(any(loom, shuttle)))]
mod threads;
#[cfg(shuttle)]
mod urw;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Once};
use std::time::Duration;

use crate::conditions::Conditions;
use crate::engine_name::{Build, Engine};
use crate::report::{Coverage, Extent, RunResult, Verdict};
use crate::rule::Rule;
use crate::run::{Finding, Run, Watch};
use crate::scenario::Scenario;
use crate::sections::Sections;

pub use direct_options::{DirectOptions, DirectReduction};
pub use options::ExplorerOptions;

/// What to explore, how, and for how long.
#[derive(Clone, Debug)]
pub struct Request {
    /// The scenario.
    pub scenario: Arc<Scenario>,
    /// What may happen besides; the scenario is [as it is under them](Conditions::of).
    pub conditions: Conditions,
    /// The engine. It must be one of this build, and [know](Conditions::are_known_to) the conditions.
    pub engine: Engine,
    /// The seed of a sampling engine.
    pub seed: u64,
    /// The time for each search: loom has one for the whole and one for the bounded ones.
    pub budget: Duration,
    /// Counts the executions as they are made.
    pub executions: Arc<AtomicU64>,
    /// How the explorer is to search.
    pub explorer: ExplorerOptions,
    /// Who waits for it.
    pub control: Control,
}

impl Request {
    /// Why it cannot be made, if its scenario has modules in C: they are shared objects of this process, and no values.
    fn is_beyond_c_modules(&self) -> Option<String> {
        if !self.scenario.has_c_modules() {
            return None;
        }
        let engine = self.engine;
        if !engine.runs_c_modules() {
            return Some(format!(
                "{engine} does not run modules in C: explorer, random, pct and urw do"
            ));
        }
        if self.explorer.workers > 1 {
            return Some("a module in C is there once: it is searched with one worker".to_owned());
        }
        self.explorer.checkpoint.as_ref().map(|_| {
            "a module in C has other addresses in each process, by which its states are known: no checkpoint can be \
             gone on with"
                .to_owned()
        })
    }
}

/// Tells in words how far a search has come.
pub type OnProgress = Arc<dyn Fn(&str) + Send + Sync>;

/// Whoever waits for a search.
#[derive(Clone, Default)]
pub struct Control {
    /// Hears how far it has come, in words, from an engine that can say more than a number.
    pub progress: Option<OnProgress>,
    /// The explorer's search ends soon after this becomes true, and is incomplete.
    pub stop: Option<Arc<AtomicBool>>,
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").finish_non_exhaustive()
    }
}

/// What a search came to.
#[derive(Clone, Debug)]
pub struct Exploration {
    /// Executions of the search that the verdict rests on; all that were made if something was found,
    /// the violating one included.
    pub executions: u64,
    /// How often each rule could have failed, by its number less one.
    pub exercised: [u64; Rule::COUNT],
    /// The different ways in which executions ended: each is a number that stands for what every
    /// thread observed, whatever the order between threads.
    pub outcomes: BTreeSet<u64>,
    /// How many executions of a sampling engine were of each class: each module saw the same of the same threads in the same
    /// order. Of those that have come to their end.
    pub classes: BTreeMap<u64, u64>,
    /// The most choices between threads that an execution of a sampling engine had.
    pub choices: u64,
    /// How much was looked at, if the search holds.
    pub extent: Extent,
    /// The bound, in words.
    pub how: Option<String>,
    /// The preemption bound of the search.
    pub bound: Option<usize>,
    /// Why the search was cut short.
    pub cut: Option<String>,
    /// The engine failed, with these words.
    pub error: Option<String>,
    /// What was found.
    pub finding: Option<Finding>,
    /// The steps of the schedule that found it, in words, by an engine that can repeat it.
    pub schedule: Vec<String>,
    /// The path to what was found, of a search without threads.
    pub sections: Option<Sections>,
    /// The different states met, by an engine that knows them.
    pub states: Option<u64>,
    /// What the search rests on, in words.
    pub certificate: Option<String>,
    /// The same as data.
    pub report: Option<serde_json::Value>,
    /// Switches away from a thread that could have gone on, in what was found.
    pub preemptions: Option<u32>,
    /// What executions leave over at their end, in words.
    pub notes: Vec<String>,
}

impl Exploration {
    /// What has been counted, and what was found. A finding that was made and is not this one, where none
    /// is, is an error: nobody knows then what the verdict is worth.
    pub(crate) fn new(watch: &Watch, extent: Extent, finding: Option<Finding>) -> Self {
        let lost = watch.unheard();
        let is_lost = lost > 0 && finding.is_none();
        Self {
            executions: watch.executions(),
            exercised: watch.exercised(),
            outcomes: watch.outcomes(),
            #[cfg(shuttle)]
            classes: watch.classes(),
            #[cfg(not(shuttle))]
            classes: BTreeMap::new(),
            choices: 0,
            extent,
            how: None,
            bound: None,
            cut: None,
            error: is_lost.then(|| {
                format!("something was found ({lost} times), and it did not arrive: no verdict can be given")
            }),
            finding,
            schedule: Vec::new(),
            sections: None,
            states: None,
            certificate: None,
            report: None,
            preemptions: None,
            notes: watch.notes(),
        }
    }

    /// The outcome.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        if self.finding.is_some() {
            Verdict::Violated
        } else if self.error.is_some() {
            Verdict::HarnessError
        } else if self.cut.is_some() {
            Verdict::Incomplete
        } else {
            Verdict::Holds
        }
    }

    /// The line that says so; `elapsed` is the time that it took.
    #[must_use]
    pub fn result(&self, request: &Request, elapsed: Duration) -> RunResult {
        let finding = self.finding.as_ref();
        let message = finding.map(|finding| finding.message.clone());
        let verdict = self.verdict();
        let in_force = request.scenario.terms().in_force();
        let certificate = self.certificate.as_ref().map(|words| {
            let and = in_force.iter().map(|one| format!("; in force: {one}"));
            format!("{words}{}", and.collect::<String>())
        });
        RunResult {
            scenario: request.scenario.name.clone(),
            conditions: request.conditions,
            engine: request.engine,
            verdict,
            // Whatever the engine set out to do: a search that stopped on its way saw a part.
            extent: match verdict {
                Verdict::Holds => self.extent,
                _ => Extent::Sampled,
            },
            how: self.cut.clone().or_else(|| self.how.clone()),
            rule: finding.and_then(|finding| finding.rule),
            message: message.or_else(|| self.error.clone()).unwrap_or_default(),
            executions: self.executions,
            seconds: elapsed.as_secs_f64(),
            seed: request.engine.is_sampling().then_some(request.seed),
            case: None,
            states: self.states,
            certificate,
            report: self.report.clone(),
            preemptions: self.preemptions,
            in_force,
            notes: match verdict {
                Verdict::Holds => self.notes.clone(),
                _ => Vec::new(),
            },
            exercised: self.coverage().filter(|one| one.exercised > 0).collect(),
        }
    }

    /// The rules' coverage, one entry for each rule.
    pub fn coverage(&self) -> impl Iterator<Item = Coverage> {
        let counts = Rule::every().zip(self.exercised);
        counts.map(|(rule, exercised)| Coverage { rule, exercised })
    }
}

/// Searches. Where an engine cannot be left from inside an execution (loom with a deadlock, real
/// threads that hang), it calls `end` with what was found, which must end the process; otherwise the
/// answer is returned.
#[must_use]
pub fn explore(
    request: &Request,
    end: impl Fn(Exploration) + Send + Sync + 'static,
) -> Exploration {
    install_panic_hook();
    if request.engine.build() != Build::current() {
        let watch = Watch::new(request.executions.clone(), |_, _| {});
        return Exploration {
            error: Some(format!("{} is not an engine of this build", request.engine)),
            ..Exploration::new(&watch, Extent::Sampled, None)
        };
    }
    if !request.conditions.are_known_to(request.engine) {
        let watch = Watch::new(request.executions.clone(), |_, _| {});
        let (engine, conditions) = (request.engine, request.conditions);
        return Exploration {
            error: Some(format!("{engine} cannot search {conditions}")),
            ..Exploration::new(&watch, Extent::Sampled, None)
        };
    }
    #[cfg(loom)]
    return loom::explore(request, end);
    #[cfg(shuttle)]
    {
        drop(end);
        match request.engine {
            Engine::Explorer => explorer::explore(request),
            _ => shuttle::explore(request, None),
        }
    }
    #[cfg(not(any(loom, shuttle)))]
    match request.engine {
        Engine::Direct => {
            drop(end);
            crate::direct::explore(request)
        }
        _ => threads::explore(request, end),
    }
}

/// Why what is asked cannot be done, if it is the fault of a file that was given: an explorer's checkpoint that is none, or
/// is one of another search.
#[must_use]
pub fn refusal(request: &Request) -> Option<String> {
    if let Some(why) = request.is_beyond_c_modules() {
        return Some(why);
    }
    #[cfg(shuttle)]
    if request.engine.build() == Build::Shuttle {
        return explorer::refusal(request);
    }
    let _ = request;
    None
}

/// Searches with the [direct](Engine::Direct) engine, in whichever build this is; `None` if the scenario has more than so
/// many states, which is the same on every machine.
#[must_use]
pub fn exhaust(request: &Request, states: u64) -> Option<Exploration> {
    crate::direct::explore_up_to(request, states)
}

/// Searches with the explorer, in so many executions at most, which is the same on every machine; of violations, where `only`
/// says so, only those of that rule count.
#[cfg(shuttle)]
#[must_use]
pub fn explore_within(
    request: &Request,
    only: Option<Option<Rule>>,
    executions: u64,
) -> Exploration {
    install_panic_hook();
    explorer::explore_within(request, only, executions)
}

/// Whether a scenario has just one interleaving, which one execution exhausts. loom finds out by
/// itself.
#[cfg(not(loom))]
fn is_sequential(scenario: &Scenario) -> bool {
    scenario.threads.len() <= 1
}

/// Instead of a panic's message that is no text.
const UNSAID: &str = "no message";

/// Turns panics that no script asked for into findings, and a model's deadlock into the rule behind
/// it. Panics outside an execution are left to the hook that was there before.
fn install_panic_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let Some(run) = Run::current() else {
                before(info);
                return;
            };
            let text = info.payload_as_str().unwrap_or(UNSAID);
            match engine_panic(text) {
                Some(EnginePanic::Deadlock) => run.stuck(""),
                Some(EnginePanic::Limit) => {}
                None => {
                    let at = info.location().map(|at| format!(" (at {at})"));
                    run.crashed(&format!("{text}{}", at.unwrap_or_default()));
                }
            }
        }));
    });
}

/// What an engine says of an execution by panicking.
enum EnginePanic {
    Deadlock,
    Limit,
}

fn engine_panic(text: &str) -> Option<EnginePanic> {
    if text.starts_with("deadlock") {
        Some(EnginePanic::Deadlock)
    } else if is_limit(text) {
        Some(EnginePanic::Limit)
    } else {
        None
    }
}

/// What a panic says.
#[cfg(any(loom, shuttle))]
fn text(payload: &(dyn std::any::Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or(UNSAID)
}

/// An execution was longer than the engine allows.
fn is_limit(text: &str) -> bool {
    text.contains("exceeded maximum number of branches")
        || text.contains("exceeded max_steps bound")
}
