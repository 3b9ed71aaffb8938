//! shuttle's schedulers: random, PCT (Burckhardt et al., ASPLOS 2010) and uniform random walk (Zhao et
//! al., ASPLOS 2025), from a seed; and the repetition of one schedule.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use shuttle::scheduler::{
    PctScheduler, RandomScheduler, Schedule, Scheduler, Task, TaskId, UrwRandomScheduler,
};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};

use super::{Exploration, Request, current, install_panic_hook, is_limit, is_sequential, text};
use crate::invisible::{Invisible, lock};
use crate::report::{Engine, Extent};
use crate::run::{Finding, Watch};
use crate::scenario::Scenario;

/// Steps of one execution. The scenarios take hundreds; more than this is a livelock or a harness
/// that spins.
const MAX_STEPS: usize = 200_000;
/// The depth of bugs that PCT looks for: so many ordering constraints.
const PCT_DEPTH: usize = 3;

/// Searches with a sampling engine, until the budget is used up or, if given, `executions` are made.
/// The same seed makes the same executions.
///
/// # Panics
/// If the request's engine is none of shuttle's.
#[must_use]
pub fn explore(request: &Request, executions: Option<u64>) -> Exploration {
    let limit = if is_sequential(&request.scenario) {
        1
    } else {
        executions.unwrap_or(u64::MAX)
    };
    let (seed, endless) = (request.seed, usize::MAX);
    let inner: Box<dyn Scheduler + Send> = match request.engine {
        // A schedule without choices is not one for PCT, which counts them.
        Engine::Random => Box::new(QuietRandom::new(seed)),
        _ if limit == 1 => Box::new(QuietRandom::new(seed)),
        Engine::Pct => Box::new(PctScheduler::new_from_seed(seed, PCT_DEPTH, endless)),
        Engine::Urw => Box::new(UrwRandomScheduler::new_from_seed(seed, endless)),
        other => panic!("{other} is not an engine of shuttle's"),
    };
    let search = Search::new(request, limit);
    let mut exploration = search.run(inner);
    if is_sequential(&request.scenario) {
        exploration.extent = Extent::Complete;
    }
    exploration
}

/// What [`replay`] came to.
#[derive(Clone, Debug)]
pub struct Replay {
    /// The one execution.
    pub exploration: Exploration,
    /// The first step, from 1, at which the schedule did not fit any more.
    pub misfit: Option<usize>,
}

/// Repeats one schedule. From a step that does not fit on, the first thread that can run does.
#[must_use]
pub fn replay(request: &Request, schedule: &[u8]) -> Replay {
    let misfit = Arc::new(Invisible::new(None));
    let follow = Follow {
        schedule: schedule.to_vec(),
        position: 0,
        misfit: misfit.clone(),
    };
    let exploration = Search::new(request, 1).run(Box::new(follow));
    let misfit = *lock(&misfit);
    Replay {
        exploration,
        misfit,
    }
}

struct Search {
    scenario: Arc<Scenario>,
    watch: Arc<Watch>,
    deadline: Instant,
    limit: u64,
    steps: Arc<Invisible<Vec<u8>>>,
    finding: Arc<Invisible<Option<Finding>>>,
}

impl Search {
    fn new(request: &Request, limit: u64) -> Self {
        install_panic_hook();
        Self {
            scenario: request.scenario.clone(),
            watch: Arc::new(Watch::new(request.executions.clone(), |_, _| {})),
            deadline: Instant::now() + request.budget,
            limit,
            steps: Arc::default(),
            finding: Arc::default(),
        }
    }

    fn run(&self, inner: Box<dyn Scheduler + Send>) -> Exploration {
        let scheduler = Recording {
            inner,
            watch: self.watch.clone(),
            deadline: self.deadline,
            limit: self.limit,
            begun: 0,
            steps: self.steps.clone(),
            finding: self.finding.clone(),
        };
        let runner = Runner::new(scheduler, config());
        let (scenario, watch) = (self.scenario.clone(), self.watch.clone());
        let ended = catch_unwind(AssertUnwindSafe(|| {
            runner.run(move || current::execute(&scenario, &watch));
        }));
        let (cut, error) = match &ended {
            Ok(_) => (None, None),
            Err(payload) => self.explain(text(payload.as_ref())),
        };
        let finding = lock(&self.finding).take().or_else(current::take_finding);
        let steps = match finding {
            Some(_) => lock(&self.steps).clone(),
            None => Vec::new(),
        };
        let exploration = Exploration::new(&self.watch, Extent::Sampled, finding);
        current::leave();
        Exploration {
            cut,
            error: error.or_else(|| exploration.error.clone()),
            schedule: steps,
            ..exploration
        }
    }

    /// shuttle ended the search: why it was cut short, or what failed. Neither counts where something is
    /// found.
    fn explain(&self, text: &str) -> (Option<String>, Option<String>) {
        if is_limit(text) {
            let why = format!("an execution has more than {MAX_STEPS} steps");
            (Some(why), None)
        } else if text.starts_with("deadlock") {
            current::stuck("");
            (None, None)
        } else {
            (None, Some(format!("shuttle failed: {text}")))
        }
    }
}

fn config() -> Config {
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None;
    config.max_steps = MaxSteps::FailAfter(MAX_STEPS);
    config.silence_warnings = true;
    config
}

/// Writes down what another scheduler decides, and says when it is enough.
struct Recording {
    inner: Box<dyn Scheduler + Send>,
    watch: Arc<Watch>,
    deadline: Instant,
    limit: u64,
    begun: u64,
    steps: Arc<Invisible<Vec<u8>>>,
    finding: Arc<Invisible<Option<Finding>>>,
}

impl Scheduler for Recording {
    fn new_execution(&mut self) -> Option<Schedule> {
        if let Some(found) = current::take_finding() {
            lock(&self.finding).get_or_insert(found);
            return None;
        }
        let over = self.begun > 0 && Instant::now() >= self.deadline;
        if over || self.begun >= self.limit {
            return None;
        }
        let schedule = self.inner.new_execution()?;
        self.begun += 1;
        self.watch.begin();
        lock(&self.steps).clear();
        Some(schedule)
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        let task = self.inner.next_task(runnable, current, is_yielding)?;
        lock(&self.steps).push(usize::from(task) as u8);
        Some(task)
    }

    fn next_u64(&mut self) -> u64 {
        self.inner.next_u64()
    }
}

/// shuttle's random scheduler, a new one for each execution. One that is dropped before it has come
/// to its own end says on stderr that its seed is a failing one, whether it is or not.
struct QuietRandom {
    next_seed: u64,
    current: RandomScheduler,
}

impl QuietRandom {
    fn new(seed: u64) -> Self {
        Self {
            next_seed: seed,
            current: RandomScheduler::new_from_seed(seed, 0),
        }
    }
}

impl Scheduler for QuietRandom {
    fn new_execution(&mut self) -> Option<Schedule> {
        self.current = RandomScheduler::new_from_seed(self.next_seed, 1);
        // In strides, so that the executions of seeds in a row do not overlap.
        self.next_seed = self.next_seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let schedule = self.current.new_execution();
        // Its second answer is that this was all, which touches nothing of the first.
        let end = self.current.new_execution();
        debug_assert!(end.is_none());
        schedule
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        self.current.next_task(runnable, current, is_yielding)
    }

    fn next_u64(&mut self) -> u64 {
        self.current.next_u64()
    }
}

/// Follows a schedule.
struct Follow {
    schedule: Vec<u8>,
    position: usize,
    misfit: Arc<Invisible<Option<usize>>>,
}

impl Scheduler for Follow {
    fn new_execution(&mut self) -> Option<Schedule> {
        Some(Schedule::new(0))
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        _current: Option<TaskId>,
        _is_yielding: bool,
    ) -> Option<TaskId> {
        let wanted = self.schedule.get(self.position).copied();
        self.position += 1;
        let task = runnable.iter().map(|task| task.id());
        let fits = task
            .clone()
            .find(|&task| wanted == Some(usize::from(task) as u8));
        if fits.is_none() {
            lock(&self.misfit).get_or_insert(self.position);
        }
        fits.or_else(|| task.clone().next())
    }

    fn next_u64(&mut self) -> u64 {
        0
    }
}
