//! Exhausts generated scenarios without threads where they are small enough, runs the others under shuttle's sampling
//! engines, and makes a failure small.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nmr_models::case::Case;
use nmr_models::conditions::Conditions;
use nmr_models::engine::{Exploration, Request, exhaust, shuttle};
use nmr_models::engine_name::Engine;
use nmr_models::replay::{self, Verdict, replay};
use nmr_models::scenario::Scenario;

use super::simplify::{renumbered, variants};
use crate::case::replay_command;
use crate::minimize::minimize;

/// The engines, in the order in which a scenario goes through them.
pub const ENGINES: [Engine; 3] = [Engine::Random, Engine::Pct, Engine::Urw];

/// Executions of a scenario under each engine: few, so that many scenarios have their turn.
pub const EXECUTIONS: u64 = 50;

/// The most states of a scenario that is exhausted: of a tenth of a second or so.
pub const STATES: u64 = 10_000;

/// One of so many exhausted scenarios is sampled all the same: what drives calls on threads, their monitor, and what
/// unwinds are not in its states.
pub const SAMPLED: u64 = 8;

/// How many simpler variants of a failure are tried, at most, and how long.
const VARIANTS: usize = 5_000;
const SHRINKING: Duration = Duration::from_secs(15);

/// A variant that fails does so in fewer interleavings, or in others: it has more executions than
/// the scenario that was found.
const MORE_EXECUTIONS: u64 = 4;

/// The harness failed: not a finding.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{engine} with seed {seed} on {scenario}: {message}")]
pub struct HarnessError {
    scenario: String,
    engine: Engine,
    seed: u64,
    message: String,
}

/// Runs scenarios until its deadline.
#[derive(Clone, Debug)]
pub struct Sampler {
    deadline: Instant,
    conditions: Conditions,
    executions: Arc<AtomicU64>,
    tally: Arc<Tally>,
}

/// What was done with the scenarios.
#[derive(Debug, Default)]
struct Tally {
    exhausted: AtomicU64,
    states: AtomicU64,
    sampled: AtomicU64,
}

impl Sampler {
    /// One that stops at `deadline`, a failure half shrunk if need be. Under these conditions, engines that do not
    /// [know](Conditions::are_known_to) them sample nothing.
    #[must_use]
    pub fn new(deadline: Instant, conditions: Conditions) -> Self {
        Self {
            deadline,
            conditions,
            executions: Arc::default(),
            tally: Arc::default(),
        }
    }

    /// How many scenarios were exhausted without threads, how many states these have, and how many scenarios were
    /// sampled on threads.
    #[must_use]
    pub fn tally(&self) -> [u64; 3] {
        let Tally {
            exhausted,
            states,
            sampled,
        } = &*self.tally;
        [exhausted, states, sampled].map(|count| count.load(Ordering::Relaxed))
    }

    /// Whether the time is up.
    #[must_use]
    pub fn is_over(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Counts the executions as they are made.
    #[must_use]
    pub const fn executions(&self) -> &Arc<AtomicU64> {
        &self.executions
    }

    /// Exhausts a scenario, or runs it under each engine; answers the first failure.
    ///
    /// # Errors
    /// The harness failed, which says nothing about the registrar.
    pub fn explore(&self, scenario: &Scenario, seed: u64) -> Result<Option<Case>, HarnessError> {
        let request = self.request(scenario, Engine::Direct, seed);
        if let Some(exploration) = exhaust(&request, STATES)
            && exploration.cut.is_none()
        {
            let exhausted = self.tally.exhausted.fetch_add(1, Ordering::Relaxed);
            let states = exploration.states.unwrap_or_default();
            self.tally.states.fetch_add(states, Ordering::Relaxed);
            if let Some(case) = Case::new(&request, &exploration) {
                return on_threads(case, seed).map(Some);
            }
            if let Some(message) = exploration.error {
                return Err(HarnessError {
                    scenario: scenario.name.clone(),
                    engine: Engine::Direct,
                    seed,
                    message,
                });
            }
            if !exhausted.is_multiple_of(SAMPLED) {
                return Ok(None);
            }
        }
        self.sample(scenario, seed)
    }

    fn sample(&self, scenario: &Scenario, seed: u64) -> Result<Option<Case>, HarnessError> {
        self.tally.sampled.fetch_add(1, Ordering::Relaxed);
        let knows = |engine: &Engine| self.conditions.are_known_to(*engine);
        for engine in ENGINES.into_iter().filter(knows) {
            let request = self.request(scenario, engine, seed);
            let exploration = shuttle::explore(&request, Some(EXECUTIONS));
            if let Some(case) = Case::new(&request, &exploration) {
                return Ok(Some(case));
            }
            // Without a finding, `cut` can only be an execution that was too long.
            if let Some(message) = exploration.error.or(exploration.cut) {
                return Err(HarnessError {
                    scenario: scenario.name.clone(),
                    engine,
                    seed,
                    message,
                });
            }
        }
        Ok(None)
    }

    fn request(&self, scenario: &Scenario, engine: Engine, seed: u64) -> Request {
        Request {
            scenario: Arc::new(self.conditions.of(scenario.clone())),
            conditions: self.conditions,
            engine,
            seed,
            budget: self.deadline.saturating_duration_since(Instant::now()),
            executions: self.executions.clone(),
            explorer: Default::default(),
            control: Default::default(),
        }
    }

    /// Makes a failure small: the smallest scenario found that breaks the same rule under the same
    /// engine and seed.
    #[must_use]
    pub fn smallest(&self, found: Case) -> Case {
        let until = self.deadline.min(Instant::now() + SHRINKING);
        let (engine, rule) = (found.engine, found.rule);
        let seed = found.seed.unwrap_or_default();
        let start = found.scenario.clone();
        let mut smallest = found;
        let mut fails = |variant: &Scenario| {
            if Instant::now() >= until {
                return false;
            }
            let request = self.request(variant, engine, seed);
            let exploration = explore_quietly(&request);
            let case = exploration.and_then(|it| Case::new(&request, &it));
            let case = case.filter(|case| case.rule == rule);
            if let Some(case) = case {
                smallest = case;
                return true;
            }
            false
        };
        let least = minimize(start, variants, &mut fails, VARIANTS);
        fails(&renumbered(&least));
        // It has the path of its critical sections by now, and no schedule.
        on_threads(smallest.clone(), seed).unwrap_or(smallest)
    }
}

/// What was found without threads, with the schedule that it has on threads.
fn on_threads(case: Case, seed: u64) -> Result<Case, HarnessError> {
    if case.sections.is_none() {
        return Ok(case);
    }
    let replayed = replay(&case, &replay::Options::default(), drop);
    match replayed.verdict {
        Verdict::HarnessError { why } => Err(HarnessError {
            scenario: case.scenario.name,
            engine: case.engine,
            seed,
            message: why,
        }),
        _ => Ok(case.updated(&replayed).unwrap_or(case)),
    }
}

/// Executions that shrinking makes are not counted. Nothing of a variant that has too many states.
fn explore_quietly(request: &Request) -> Option<Exploration> {
    let uncounted = Request {
        executions: Arc::default(),
        explorer: Default::default(),
        control: Default::default(),
        ..request.clone()
    };
    if request.engine == Engine::Direct {
        return exhaust(&uncounted, STATES);
    }
    let exploration = shuttle::explore(&uncounted, Some(EXECUTIONS * MORE_EXECUTIONS));
    debug_assert!(uncounted.executions.load(Ordering::Relaxed) > 0);
    Some(exploration)
}

/// Saves a case, under its replay command.
///
/// # Errors
/// The file cannot be written.
pub fn save(case: &Case, folder: &Path) -> io::Result<PathBuf> {
    let path = case.save(folder)?;
    let header = replay_command(&path);
    fs::write(&path, format!("# {header}\n\n{}", case.to_toml()))?;
    Ok(path)
}
