//! Sampling: random, PCT (Burckhardt et al., ASPLOS 2010) and uniform random walk (`urw`), from a seed. A
//! scheduler of shuttle's kind chooses; the explorer carries out what it chooses and writes it down, so that a sampled
//! finding has a schedule as any other.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use shuttle::scheduler::{PctScheduler, RandomScheduler, Schedule, Scheduler, Task, TaskId};

use super::urw::UniformWalk;
use super::{Exploration, Request, explorer, install_panic_hook, is_sequential};
use crate::engine_name::Engine;
use crate::report::Extent;
use crate::seed::GAMMA;

/// The depth of bugs that PCT looks for, if no other is asked for: so many ordering constraints.
pub const PCT_DEPTH: usize = 3;

/// Searches with a sampling engine, until the budget is used up or, if given, `executions` are made.
/// The same seed makes the same executions.
///
/// # Panics
/// If the request's engine is none of shuttle's.
#[must_use]
pub fn explore(request: &Request, executions: Option<u64>) -> Exploration {
    explore_to_depth(request, executions, PCT_DEPTH)
}

/// The same, and if the engine is PCT, it looks for bugs of this depth, from 1.
///
/// # Panics
/// If the request's engine is none of shuttle's, or the depth is 0.
#[must_use]
pub fn explore_to_depth(request: &Request, executions: Option<u64>, depth: usize) -> Exploration {
    install_panic_hook();
    let limit = match is_sequential(&request.scenario) {
        true => Some(1),
        false => executions,
    };
    let seed = request.seed;
    let scheduler: Box<dyn Scheduler + Send> = match request.engine {
        Engine::Random => Box::new(QuietRandom::new(seed)),
        Engine::Pct => Box::new(Pct::new(seed, depth)),
        Engine::Urw => Box::new(UniformWalk::new(seed)),
        other => panic!("{other} is not an engine of shuttle's"),
    };
    let choices = Arc::new(AtomicU64::new(0));
    let counting = Counting {
        scheduler,
        now: 0,
        most: choices.clone(),
    };
    let exploration = explorer::sample(request, limit, Box::new(counting));
    Exploration {
        extent: match is_sequential(&request.scenario) {
            true => Extent::Complete,
            false => exploration.extent,
        },
        choices: choices.load(Ordering::Relaxed),
        ..exploration
    }
}

/// Counts the choices between threads of each execution, as PCT does: where there is just one thread, there is none.
struct Counting {
    scheduler: Box<dyn Scheduler + Send>,
    now: u64,
    most: Arc<AtomicU64>,
}

impl Scheduler for Counting {
    fn new_execution(&mut self) -> Option<Schedule> {
        self.now = 0;
        self.scheduler.new_execution()
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        if runnable.len() > 1 {
            self.now += 1;
            self.most.fetch_max(self.now, Ordering::Relaxed);
        }
        self.scheduler.next_task(runnable, current, is_yielding)
    }

    fn next_u64(&mut self) -> u64 {
        self.scheduler.next_u64()
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
        self.next_seed = self.next_seed.wrapping_add(GAMMA);
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

/// shuttle's PCT, from the first execution on that comes after one with a choice: it does not take a program that has
/// none.
struct Pct {
    random: QuietRandom,
    pct: PctScheduler,
    /// Whether a choice was seen.
    has_choices: bool,
    /// Whether the execution at hand is PCT's.
    is_begun: bool,
}

impl Pct {
    fn new(seed: u64, depth: usize) -> Self {
        Self {
            random: QuietRandom::new(seed),
            pct: PctScheduler::new_from_seed(seed, depth, usize::MAX),
            has_choices: false,
            is_begun: false,
        }
    }
}

impl Scheduler for Pct {
    fn new_execution(&mut self) -> Option<Schedule> {
        self.is_begun = self.has_choices;
        match self.is_begun {
            true => self.pct.new_execution(),
            false => self.random.new_execution(),
        }
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        self.has_choices |= runnable.len() > 1;
        match self.is_begun {
            true => self.pct.next_task(runnable, current, is_yielding),
            false => self.random.next_task(runnable, current, is_yielding),
        }
    }

    fn next_u64(&mut self) -> u64 {
        match self.is_begun {
            true => self.pct.next_u64(),
            false => self.random.next_u64(),
        }
    }
}
