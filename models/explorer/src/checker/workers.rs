//! Several workers, each an OS thread with executions of its own, that share the states seen and take
//! from each other what is left of the search.
//!
//! A worker is one [`Control`] under one run of shuttle. Between executions it looks whether it has to
//! stop, pause or begin again, and whether somebody waits for work.

mod worker;

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nmr_sync::hook::Alarm;

use crate::checker::checkpoint;
use crate::checker::conflicts::Conflicts;
use crate::checker::control::Whole;
use crate::checker::execution::{Body, Left};
use crate::checker::frontier::{self, Frontier};
use crate::checker::options::Options;
use crate::checker::progress::{Estimator, Growth, Progress};
use crate::checker::replay::Raw;
use crate::checker::visited::Visited;
use crate::checker::walk::{self, FrontierEntry};
use worker::Worker;

/// How often progress is told.
const TICK: Duration = Duration::from_millis(100);

/// How a search ended.
#[derive(Clone, Debug)]
pub(crate) enum End {
    Exhausted,
    Violated(Box<Raw>),
    Cut(String),
    Failed(String),
}

/// What a search has counted.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) executions: AtomicU64,
    /// Executions made a second time, to compare them or to try out a thread's rounds.
    pub(crate) verifying: AtomicU64,
    pub(crate) redundant: AtomicU64,
    pub(crate) longest: AtomicUsize,
    pub(crate) preemptions: AtomicU64,
    /// Times that the search began again, because a conflict was found.
    pub(crate) restarts: AtomicU64,
    /// Executions made before that.
    pub(crate) before: AtomicU64,
    /// Some thread has waited for a change at the end of a round.
    pub(crate) rounds_repeat: AtomicBool,
    /// See [`Ended::gave_up`](crate::checker::control::Ended::gave_up): the least of all.
    gave_up: Mutex<Option<String>>,
}

impl Totals {
    /// Why a search that has come to its end has left something out, if it has.
    pub(crate) fn gave_up(&self) -> Option<String> {
        self.gave_up
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn add_gave_up(&self, why: Option<&String>) {
        if let Some(why) = why {
            let mut known = self.gave_up.lock().unwrap_or_else(PoisonError::into_inner);
            if known.as_ref().is_none_or(|known| why < known) {
                *known = Some(why.clone());
            }
        }
    }
}

/// What the workers share.
pub(crate) struct Shared {
    pub(crate) options: Arc<Options>,
    pub(crate) totals: Totals,
    pub(crate) alarm: Arc<Alarm>,
    started: Instant,
    max_memory: u64,
    pool: Mutex<Pool>,
    changed: Condvar,
    /// Workers without work.
    waiting: AtomicUsize,
    /// How often something happened that every worker has to look at the pool for.
    calls: AtomicU64,
}

struct Pool {
    /// How often the search began again.
    epoch: u64,
    visited: Arc<Visited>,
    conflicts: Conflicts,
    /// For each worker, the states that it has found where something may be left to choose.
    frontiers: Vec<Frontier>,
    /// Workers with work.
    active: usize,
    end: Option<End>,
    pausing: bool,
    next_checkpoint: Instant,
    growth: Growth,
    estimator: Estimator,
    next_tick: Instant,
    /// The first execution since the search began, to be made again at its end.
    first: Option<Whole>,
    first_is_verified: bool,
}

impl Pool {
    /// The whole search is still to be done.
    fn fill(&mut self) {
        self.frontiers.iter_mut().for_each(Frontier::clear);
        self.frontiers[0].fill([FrontierEntry::beginning()]);
    }

    /// A state that was found by this worker, or else by another one. Where memory is short, few are to
    /// wait.
    fn next_in_frontier(&mut self, number: usize, max_memory: u64) -> Option<FrontierEntry> {
        let cap = match self.visited.bytes() > max_memory / 2 {
            true => 1,
            false => frontier::CAP,
        };
        let own = self.frontiers[number].next(cap);
        own.or_else(|| self.frontiers.iter_mut().find_map(Frontier::give))
    }

    fn is_empty(&self) -> bool {
        self.frontiers.iter().all(Frontier::is_empty)
    }
}

/// What is left of a search, and what it knows.
pub(crate) struct Rest {
    pub(crate) frontier: Vec<FrontierEntry>,
    pub(crate) visited: Visited,
    pub(crate) conflicts: Conflicts,
    pub(crate) rounds_repeat: bool,
    pub(crate) gave_up: Option<String>,
}

impl Shared {
    pub(crate) fn new(options: Arc<Options>, started: Instant, rest: Option<Rest>) -> Arc<Self> {
        let mut pool = Pool {
            epoch: 0,
            visited: Arc::new(Visited::new()),
            conflicts: Conflicts::default(),
            frontiers: vec![Frontier::new(); options.workers],
            active: 0,
            end: None,
            pausing: false,
            next_checkpoint: started + options.interval,
            growth: Growth::default(),
            estimator: Estimator::default(),
            next_tick: started + TICK,
            first: None,
            first_is_verified: false,
        };
        let totals = Totals::default();
        match rest {
            None => pool.fill(),
            Some(rest) => {
                pool.frontiers[0].fill(rest.frontier);
                pool.visited = Arc::new(rest.visited);
                pool.conflicts = rest.conflicts;
                let repeat = &totals.rounds_repeat;
                repeat.store(rest.rounds_repeat, Ordering::Relaxed);
                totals.add_gave_up(rest.gave_up.as_ref());
            }
        }
        Arc::new(Self {
            max_memory: options.max_memory.unwrap_or_else(half_of_the_memory),
            options,
            totals,
            alarm: Arc::default(),
            started,
            pool: Mutex::new(pool),
            changed: Condvar::new(),
            waiting: AtomicUsize::new(0),
            calls: AtomicU64::new(0),
        })
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs all workers to the end of the search.
    pub(crate) fn run(self: &Arc<Self>, program: &Body) -> End {
        let mut workers: Vec<_> = (0..self.options.workers)
            .map(|number| Some(self.start(number, program)))
            .collect();
        while let Some(number) = workers.iter().position(Option::is_some) {
            let worker = workers[number].take().expect("this one is there");
            // Its panic, if it has one, was noticed when it left.
            if worker.join().is_ok_and(|left| left == Left::InAPanic) {
                workers[number] = Some(self.start(number, program));
            }
        }
        self.alarm.end();
        if let Some(error) = self.alarm.raised() {
            return End::Failed(error.to_owned());
        }
        let end = self.pool().end.clone();
        end.unwrap_or_else(|| End::Failed("the search ended without a reason".to_owned()))
    }

    /// Starts a worker. Each has an OS thread of its own, which it may leave in the middle of a panic.
    fn start(self: &Arc<Self>, number: usize, program: &Body) -> JoinHandle<Left> {
        let (shared, program) = (self.clone(), program.clone());
        thread::spawn(move || Worker::work(&shared, number, &program))
    }

    pub(crate) fn states(&self) -> u64 {
        self.pool().visited.len()
    }

    /// Choices made for the first time.
    pub(crate) fn transitions(&self) -> u64 {
        self.pool().visited.taken()
    }

    pub(crate) fn memory(&self) -> u64 {
        self.pool().visited.bytes()
    }

    /// What is left when the workers have ended.
    pub(crate) fn save(&self) -> Result<(), checkpoint::Error> {
        let pool = self.pool();
        self.write_checkpoint(&pool)
    }

    fn write_checkpoint(&self, pool: &Pool) -> Result<(), checkpoint::Error> {
        let Some(path) = &self.options.checkpoint else {
            return Ok(());
        };
        let entries = pool.frontiers.iter().flat_map(Frontier::iter);
        let frontier = walk::Saved::new(entries.filter(|one| one.is_needed(&pool.visited)));
        let body = checkpoint::Body {
            states: pool.visited.saved(),
            frontier,
            conflicts: pool.conflicts.saved(),
            rounds_repeat: self.totals.rounds_repeat.load(Ordering::Relaxed),
            gave_up: self.totals.gave_up(),
        };
        checkpoint::write(path, &self.options, &body)
    }

    /// The first reason to end is the one that counts.
    fn finish(&self, end: End) {
        let mut pool = self.pool();
        pool.end.get_or_insert(end);
        self.call();
    }

    /// Lets every worker look at the pool.
    fn call(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.changed.notify_all();
    }

    /// Why the search is to be cut short, if it is.
    fn limit(&self) -> Option<String> {
        let options = &self.options;
        let executions = self.totals.executions.load(Ordering::Relaxed);
        if options
            .max_executions
            .is_some_and(|most| executions >= most)
        {
            return Some(format!("{executions} executions were made"));
        }
        if let Some(budget) = options
            .budget
            .filter(|&most| self.started.elapsed() >= most)
        {
            return Some(format!("{budget:?} were over"));
        }
        let stop = options.stop.as_ref();
        if stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
            return Some("it was interrupted".to_owned());
        }
        None
    }
}

fn half_of_the_memory() -> u64 {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    match system.total_memory() / 2 {
        0 => u64::MAX,
        half => half,
    }
}

impl Shared {
    fn begin_again(&self, pool: &mut Pool) {
        pool.epoch += 1;
        pool.visited = Arc::new(Visited::new());
        pool.fill();
        pool.first = None;
        pool.growth = Growth::default();
        pool.estimator = Estimator::default();
        let totals = &self.totals;
        totals.restarts.fetch_add(1, Ordering::Relaxed);
        let executions = totals.executions.load(Ordering::Relaxed);
        totals.before.store(executions, Ordering::Relaxed);
        totals.redundant.store(0, Ordering::Relaxed);
        if let Some(on_restart) = &self.options.on_restart {
            on_restart();
        }
        self.call();
    }

    fn finish_pause(&self, pool: &mut Pool) {
        let began = Instant::now();
        if let Err(error) = self.write_checkpoint(pool) {
            pool.end.get_or_insert(End::Failed(error.to_string()));
        }
        // Of the time, at most a tenth goes into checkpoints.
        let pause = self.options.interval.max(began.elapsed() * 10);
        pool.next_checkpoint = Instant::now() + pause;
        pool.pausing = false;
        self.changed.notify_all();
    }

    fn tell_progress(&self, pool: &mut Pool, depth: usize) {
        let Some(on_progress) = &self.options.on_progress else {
            return;
        };
        let executions = self.totals.executions.load(Ordering::Relaxed);
        let (taken, left) = (pool.visited.taken(), pool.visited.left());
        let done = pool.growth.done(taken, left);
        let elapsed = self.started.elapsed();
        let progress = Progress {
            executions,
            per_second: executions as f64 / elapsed.as_secs_f64().max(1e-9),
            states: pool.visited.len(),
            depth,
            done,
            left: pool.estimator.add(executions, done),
            minimising: self.options.preemptions,
            elapsed,
        };
        on_progress(&progress);
    }
}
