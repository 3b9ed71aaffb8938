//! Exhausts generated programs without threads where they are small enough, and runs the others under shuttle's sampling
//! engines; a share of them, and those that are new in kind, under the explorer too.
//!
//! All of it is bounded by work, and the same wherever it is done, unless the time is up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nmr_models::case::Case;
use nmr_models::conditions::Conditions;
use nmr_models::engine::{Exploration, Request, exhaust, explore_within, shuttle};
use nmr_models::engine_name::Engine;
use nmr_models::replay::{self, Options, Verdict};
use nmr_models::rule::Rule;
use nmr_models::scenario::Scenario;

use crate::campaign::sample::Sample;

/// The portfolio, in the order in which a program goes through it: each engine, and the depth of the bugs that it looks for.
pub const PORTFOLIO: [(Engine, usize); 5] = [
    (Engine::Random, 1),
    (Engine::Pct, 2),
    (Engine::Pct, 3),
    (Engine::Pct, 5),
    (Engine::Urw, 1),
];

/// Executions of a program under each: few, so that many programs have their turn.
pub const EXECUTIONS: u64 = 40;

/// The most states of a program that is exhausted: of a tenth of a second or so.
pub const STATES: u64 = 10_000;

/// One of so many exhausted programs is sampled all the same: what drives calls on threads, their monitor, and what
/// unwinds are not in its states.
pub const SAMPLED: u64 = 8;

/// The most executions under the explorer.
pub const EXPLORED: u64 = 1_000;

/// The time in which a path without threads is looked for near its schedule on threads.
const NEAR: Duration = Duration::from_secs(2);

/// The harness failed: not a finding. Engines that disagree are such a failure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{engine} with seed {seed} on {scenario}: {message}")]
pub struct HarnessError {
    scenario: String,
    engine: Engine,
    seed: u64,
    message: String,
}

/// What became of a program.
#[derive(Clone, Debug, Default)]
pub struct Explored {
    /// Its states, if it was exhausted.
    pub states: Option<u64>,
    /// What was sampled of it.
    pub sample: Option<Sample>,
    /// Whether the explorer has exhausted it, if it was asked.
    pub explored: Option<bool>,
    /// How often each rule could have failed.
    pub exercised: [u64; Rule::COUNT],
    /// What broke.
    pub found: Option<Case>,
    /// Where engines disagree, or one failed.
    pub errors: Vec<HarnessError>,
    /// Whether the time was up before all of it was done.
    pub cut: bool,
}

/// Runs programs until its deadline.
#[derive(Clone, Debug)]
pub struct Sampler {
    pub(super) deadline: Instant,
    pub(super) shrinking: Duration,
    conditions: Conditions,
    executions: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Sampler {
    /// One that stops at `deadline`, a failure half shrunk if need be. Under these conditions, engines that do not
    /// [know](Conditions::are_known_to) them sample nothing.
    #[must_use]
    pub fn new(deadline: Instant, conditions: Conditions) -> Self {
        Self {
            deadline,
            shrinking: super::shrink::SHRINKING,
            conditions,
            executions: Arc::default(),
            stop: Arc::default(),
        }
    }

    /// The same, whose time is up as soon as this is true.
    #[must_use]
    pub fn until(self, stop: Arc<AtomicBool>) -> Self {
        Self { stop, ..self }
    }

    /// The same, but a failure is made small for so long at most.
    #[must_use]
    pub const fn shrinking(mut self, at_most: Duration) -> Self {
        self.shrinking = at_most;
        self
    }

    /// Whether the time is up.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || Instant::now() >= self.deadline
    }

    /// Counts the executions as they are made.
    #[must_use]
    pub const fn executions(&self) -> &Arc<AtomicU64> {
        &self.executions
    }

    /// Exhausts a program, or samples it; `closely`, it is explored besides.
    #[must_use]
    pub fn explore(&self, scenario: &Scenario, seed: u64, closely: bool) -> Explored {
        let mut explored = Explored::default();
        let before = self.executions.load(Ordering::Relaxed);
        let is_exhausted = self.exhaust(scenario, seed, &mut explored);
        let is_broken = !explored.errors.is_empty();
        if explored.found.is_none() && (!is_exhausted || is_broken || seed.is_multiple_of(SAMPLED))
        {
            self.sample(scenario, seed, &mut explored);
        }
        if explored.found.is_none() && (closely || is_broken) && !self.is_over() {
            self.explore_closely(scenario, seed, &mut explored);
        }
        if explored.found.is_some() {
            // What breaks breaks, whoever was wrong about the way there.
            explored.errors.clear();
        }
        explored.cut = self.is_over();
        if let Some(sample) = &mut explored.sample {
            sample.executions = self.executions.load(Ordering::Relaxed) - before;
        }
        explored
    }

    /// Whether it could be exhausted.
    fn exhaust(&self, scenario: &Scenario, seed: u64, into: &mut Explored) -> bool {
        let request = self.uncounted(scenario, Engine::Direct, seed);
        let Some(exploration) = exhaust(&request, STATES) else {
            return false;
        };
        if exploration.cut.is_some() {
            return false;
        }
        into.states = exploration.states;
        into.exercised = exploration.exercised;
        if let Some(case) = Case::new(&request, &exploration) {
            match on_threads(case) {
                Ok(case) => into.found = Some(case),
                Err(message) => {
                    into.errors
                        .push(self.error(scenario, Engine::Direct, seed, message))
                }
            }
        }
        if let Some(message) = exploration.error {
            into.errors
                .push(self.error(scenario, Engine::Direct, seed, message));
        }
        true
    }

    fn sample(&self, scenario: &Scenario, seed: u64, into: &mut Explored) {
        let mut sample = Sample::new(scenario.threads.len() as u64 + 1);
        let knows = |engine: Engine| self.conditions.are_known_to(engine);
        for (engine, depth) in PORTFOLIO.into_iter().filter(|(engine, _)| knows(*engine)) {
            if self.is_over() {
                break;
            }
            let request = self.request(scenario, engine, seed);
            let exploration = shuttle::explore_to_depth(&request, Some(EXECUTIONS), depth);
            for (sum, more) in into.exercised.iter_mut().zip(exploration.exercised) {
                *sum = sum.saturating_add(more);
            }
            if let Some(case) = Case::new(&request, &exploration) {
                into.found = Some(case);
                break;
            }
            if let Some(message) = exploration.error {
                into.errors
                    .push(self.error(scenario, engine, seed, message));
                break;
            }
            // Without a finding, and if there was time, that is an execution that was too long.
            if let Some(message) = exploration.cut.clone()
                && !self.is_over()
            {
                into.errors
                    .push(self.error(scenario, engine, seed, message));
                break;
            }
            sample.add(engine, depth, &exploration);
        }
        into.sample = Some(sample);
    }

    /// The explorer's word, and whether it goes with what is known already.
    fn explore_closely(&self, scenario: &Scenario, seed: u64, into: &mut Explored) {
        let request = self.uncounted(scenario, Engine::Explorer, seed);
        let exploration = explore_within(&request, None, EXPLORED);
        if let Some(message) = exploration.error.clone() {
            return into
                .errors
                .push(self.error(scenario, Engine::Explorer, seed, message));
        }
        into.found = Case::new(&request, &exploration);
        into.explored = Some(into.found.is_none() && exploration.cut.is_none());
    }

    fn error(
        &self,
        scenario: &Scenario,
        engine: Engine,
        seed: u64,
        message: String,
    ) -> HarnessError {
        HarnessError {
            scenario: scenario.name.clone(),
            engine,
            seed,
            message,
        }
    }

    pub(super) fn request(&self, scenario: &Scenario, engine: Engine, seed: u64) -> Request {
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

    /// The same, whose executions do not count.
    pub(super) fn uncounted(&self, scenario: &Scenario, engine: Engine, seed: u64) -> Request {
        Request {
            executions: Arc::default(),
            ..self.request(scenario, engine, seed)
        }
    }
}

/// What was found without threads, with the schedule that it has on threads; why it is another execution there.
pub(super) fn on_threads(case: Case) -> Result<Case, String> {
    let options = Options {
        budget: NEAR,
        ..Options::default()
    };
    match replay::on_threads(&case, &options) {
        None => Ok(case),
        Some(replayed) => match replayed.verdict {
            Verdict::HarnessError { why } => Err(why),
            _ => Ok(case.updated(&replayed).unwrap_or(case)),
        },
    }
}

/// What an engine finds of a program, where its executions do not count. Nothing of one that has too many states.
pub(super) fn explore_quietly(request: &Request, executions: u64) -> Option<Exploration> {
    match request.engine {
        Engine::Direct => exhaust(request, STATES),
        Engine::Explorer => Some(explore_within(request, None, 5 * executions)),
        _ => Some(shuttle::explore(request, Some(executions))),
    }
}
