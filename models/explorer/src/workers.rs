//! Several workers, each an OS thread with executions of its own, that share the states seen and give
//! each other parts of the search.
//!
//! A worker is one [`Control`] under one run of shuttle. Between executions it looks whether it has to
//! stop, pause or begin again, and whether somebody waits for work.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nmr_sync::hook;
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};

use crate::checkpoint;
use crate::conflicts::Conflicts;
use crate::control::{Control, Controlled, State};
use crate::knowledge::Symmetries;
use crate::known;
use crate::options::Options;
use crate::program::Thread;
use crate::progress::{Estimator, Progress};
use crate::reduction::Reduction;
use crate::report::Counterexample;
use crate::search::{Job, Reason};
use crate::visited::Visited;

/// Steps of one execution; more than this is a livelock or a program that spins.
const MAX_STEPS: usize = 1_000_000;
/// How often progress is told.
const TICK: Duration = Duration::from_millis(100);

/// How a search ended.
#[derive(Clone, Debug)]
pub(crate) enum End {
    Exhausted,
    Violated(Counterexample),
    Cut(String),
    Failed(String),
}

/// What a search has counted.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) executions: AtomicU64,
    pub(crate) asleep: AtomicU64,
    pub(crate) known: AtomicU64,
    pub(crate) transitions: AtomicU64,
    pub(crate) longest: AtomicUsize,
    pub(crate) preemptions: AtomicU64,
    /// Times that the search began again, because a conflict was found.
    pub(crate) restarts: AtomicU64,
    /// Executions made before that.
    pub(crate) before: AtomicU64,
}

/// What the workers share.
pub(crate) struct Shared {
    pub(crate) options: Arc<Options>,
    pub(crate) totals: Totals,
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
    jobs: Vec<(Job, f64)>,
    /// Workers with work.
    active: usize,
    end: Option<End>,
    pausing: bool,
    next_checkpoint: Instant,
    estimator: Estimator,
    next_tick: Instant,
    /// For each worker, the part of the search that it has still to do.
    left: Vec<f64>,
}

/// What is left of a search, and what it knows.
pub(crate) struct Rest {
    pub(crate) jobs: Vec<Job>,
    pub(crate) visited: Arc<Visited>,
    pub(crate) conflicts: Conflicts,
}

impl Shared {
    pub(crate) fn new(options: Arc<Options>, started: Instant, rest: Option<Rest>) -> Arc<Self> {
        let rest = rest.unwrap_or_else(|| Rest {
            jobs: vec![Job::default()],
            visited: Arc::new(Visited::new()),
            conflicts: Conflicts::default(),
        });
        let share = 1.0 / rest.jobs.len().max(1) as f64;
        let pool = Pool {
            epoch: 0,
            visited: rest.visited,
            conflicts: rest.conflicts,
            jobs: rest.jobs.into_iter().map(|job| (job, share)).collect(),
            active: 0,
            end: None,
            pausing: false,
            next_checkpoint: started + options.interval,
            estimator: Estimator::default(),
            next_tick: started + TICK,
            left: vec![0.0; options.workers],
        };
        Arc::new(Self {
            max_memory: options.max_memory.unwrap_or_else(half_of_the_memory),
            options,
            totals: Totals::default(),
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
    pub(crate) fn run(self: &Arc<Self>, program: &Arc<dyn Fn() + Send + Sync>) -> End {
        let others = (1..self.options.workers).map(|number| {
            let (shared, program) = (self.clone(), program.clone());
            thread::spawn(move || Worker::work(&shared, number, &program))
        });
        let others: Vec<_> = others.collect();
        Worker::work(self, 0, program);
        for other in others {
            if other.join().is_err() {
                self.finish(End::Failed("a worker of the explorer panicked".to_owned()));
            }
        }
        let end = self.pool().end.clone();
        end.unwrap_or_else(|| End::Failed("the search ended without a reason".to_owned()))
    }

    pub(crate) fn states(&self) -> u64 {
        self.pool().visited.len()
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
        let jobs: Vec<&Job> = pool.jobs.iter().map(|(job, _)| job).collect();
        checkpoint::write(path, &self.options, &jobs, &pool.visited, &pool.conflicts)
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

struct Worker {
    shared: Arc<Shared>,
    number: usize,
    epoch: u64,
    symmetries: Symmetries,
    visited: Arc<Visited>,
    begun: bool,
    /// The part of the whole search that its work is.
    share: Option<f64>,
    until_tick: u32,
    /// The calls that it has followed.
    heard: u64,
}

impl Worker {
    fn work(shared: &Arc<Shared>, number: usize, program: &Arc<dyn Fn() + Send + Sync>) {
        let visited = shared.pool().visited.clone();
        let control = Control::new(shared.options.clone(), visited.clone());
        let worker = Rc::new(std::cell::RefCell::new(Self {
            shared: shared.clone(),
            number,
            epoch: u64::MAX,
            symmetries: Symmetries::new(&shared.options.symmetries),
            visited,
            begun: false,
            share: None,
            until_tick: 0,
            heard: 0,
        }));
        let _observing = hook::observe(control.clone());
        let _known = known::follow(&control);
        loop {
            let next = {
                let worker = worker.clone();
                move |control: &Control| worker.borrow_mut().next(control)
            };
            let scheduler = Controlled {
                control: control.clone(),
                next,
            };
            let program = program.clone();
            let ended = catch_unwind(AssertUnwindSafe(|| {
                Runner::new(scheduler, config()).run(move || program())
            }));
            match ended {
                Ok(_) => break,
                Err(payload) => {
                    let text = text(payload.as_ref());
                    if !worker.borrow_mut().panicked(&control, text) {
                        break;
                    }
                }
            }
        }
        worker.borrow_mut().leave(&control);
    }

    /// Between executions: whether to make another one.
    fn next(&mut self, control: &Control) -> bool {
        if std::mem::take(&mut self.begun) && !self.after(control) {
            return false;
        }
        loop {
            if let Some(why) = self.shared.limit() {
                self.shared.finish(End::Cut(why));
            }
            if self.share.is_none() && !self.take(control) {
                return false;
            }
            let calls = self.shared.calls.load(Ordering::Relaxed);
            if calls == self.heard {
                break;
            }
            self.heard = calls;
            self.look_at_the_pool(control);
        }
        self.give(control);
        self.tick(control);
        self.begun = true;
        self.shared
            .totals
            .executions
            .fetch_add(1, Ordering::Relaxed);
        true
    }

    /// An execution has ended.
    fn after(&mut self, control: &Control) -> bool {
        let ended = control.with(State::end);
        let totals = &self.shared.totals;
        match ended.reason {
            Some(Reason::Asleep) => totals.asleep.fetch_add(1, Ordering::Relaxed),
            Some(Reason::Known) => totals.known.fetch_add(1, Ordering::Relaxed),
            None => 0,
        };
        totals
            .longest
            .fetch_max(ended.schedule.len(), Ordering::Relaxed);
        totals
            .preemptions
            .fetch_max(ended.preemptions.into(), Ordering::Relaxed);
        let (error, deadlock) = control.with(|state| (state.error.take(), state.deadlock.take()));
        if let Some(error) = error {
            self.shared.finish(End::Failed(error));
            return false;
        }
        if let Some(message) = deadlock {
            let found = Counterexample::new(message, &ended);
            if self.violated(found) {
                return false;
            }
        }
        self.turn_back(control);
        true
    }

    /// A thread panicked; whether the search goes on.
    fn panicked(&mut self, control: &Control, message: &str) -> bool {
        let ended = control.with(State::end);
        self.begun = false;
        if message.contains("exceeded max_steps bound") {
            let why = format!("an execution has more than {MAX_STEPS} steps");
            self.shared.finish(End::Cut(why));
            return false;
        }
        if self.violated(Counterexample::new(message.to_owned(), &ended)) {
            return false;
        }
        self.turn_back(control);
        true
    }

    /// An execution went wrong; whether that ends the search.
    fn violated(&self, mut found: Counterexample) -> bool {
        if let Some(kind) = &self.shared.options.kind {
            found.kind = kind(&found.message);
        }
        let wanted = &self.shared.options.only;
        if wanted.as_ref().is_some_and(|wanted| *wanted != found.kind) {
            return false;
        }
        self.shared.finish(End::Violated(found));
        true
    }

    fn turn_back(&mut self, control: &Control) {
        let shared = self.shared.clone();
        let news = control.with(|state| {
            state
                .conflicts
                .take_changed()
                .then(|| state.conflicts.under(&self.symmetries))
        });
        if let Some(news) = news {
            let mut pool = shared.pool();
            if pool.conflicts.merge(&news) && shared.options.has(Reduction::LockAware) {
                shared.begin_again(&mut pool);
            }
            let conflicts = pool.conflicts.clone();
            control.with(|state| state.conflicts = conflicts);
            if pool.epoch != self.epoch {
                self.drop_work(control, &mut pool);
                return;
            }
        }
        if !control.with(|state| state.search.turn_back()) {
            self.drop_work(control, &mut shared.pool());
        }
    }

    fn drop_work(&mut self, control: &Control, pool: &mut Pool) {
        control.with(|state| state.search.save());
        if self.share.take().is_some() {
            pool.active -= 1;
            pool.left[self.number] = 0.0;
            self.shared.changed.notify_all();
        }
    }

    /// Puts the work that it has back into the pool.
    fn put_back(&mut self, control: &Control, pool: &mut Pool) {
        if let Some(share) = self.share.take() {
            let left = control.with(|state| share * (1.0 - state.search.done()));
            let job = control.with(|state| state.search.save());
            pool.jobs.push((job, left));
            pool.left[self.number] = 0.0;
            pool.active -= 1;
            self.shared.changed.notify_all();
        }
    }

    fn look_at_the_pool(&mut self, control: &Control) {
        let shared = self.shared.clone();
        let mut pool = shared.pool();
        if pool.epoch != self.epoch {
            self.drop_work(control, &mut pool);
        } else if pool.pausing || pool.end.is_some() {
            self.put_back(control, &mut pool);
        }
    }

    /// Waits for work. `false`: there is none any more.
    fn take(&mut self, control: &Control) -> bool {
        let shared = self.shared.clone();
        let mut pool = shared.pool();
        loop {
            if pool.end.is_some() {
                return false;
            }
            if pool.pausing && pool.active == 0 {
                shared.pause_is_over(&mut pool);
            }
            if !pool.pausing
                && let Some((job, share)) = pool.jobs.pop()
            {
                pool.active += 1;
                self.share = Some(share);
                self.epoch = pool.epoch;
                self.visited = pool.visited.clone();
                let (visited, conflicts) = (pool.visited.clone(), pool.conflicts.clone());
                control.with(|state| {
                    state.visited = visited;
                    state.conflicts = conflicts;
                    state.search.take(job);
                });
                return true;
            }
            if pool.active == 0 && pool.jobs.is_empty() {
                pool.end.get_or_insert(End::Exhausted);
                shared.changed.notify_all();
                return false;
            }
            shared.waiting.fetch_add(1, Ordering::Relaxed);
            pool = shared
                .changed
                .wait(pool)
                .unwrap_or_else(PoisonError::into_inner);
            shared.waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Gives a part of its work to one who has none.
    fn give(&self, control: &Control) {
        if self.shared.waiting.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut pool = self.shared.pool();
        if !pool.jobs.is_empty() {
            return;
        }
        let share = self.share.expect("it has work");
        let part = control.with(|state| {
            let before = state.search.done();
            let job = state.search.split()?;
            Some((job, share * (state.search.done() - before)))
        });
        if let Some(part) = part {
            pool.jobs.push(part);
            self.shared.changed.notify_one();
        }
    }

    /// From time to time: memory, progress, checkpoints.
    fn tick(&mut self, control: &Control) {
        if let Some(left) = self.until_tick.checked_sub(1) {
            self.until_tick = left;
            return;
        }
        self.until_tick = 64;
        let shared = self.shared.clone();
        if self.visited.bytes() > shared.max_memory {
            let (limit, states) = (shared.max_memory, self.visited.len());
            let why = format!("the {states} states seen take more than {limit} bytes");
            shared.finish(End::Cut(why));
            return;
        }
        let mut pool = shared.pool();
        let (depth, done) = control.with(|state| (state.search.path_len(), state.search.done()));
        pool.left[self.number] = self.share.unwrap_or(0.0) * (1.0 - done);
        let now = Instant::now();
        if shared.options.checkpoint.is_some() && now >= pool.next_checkpoint && !pool.pausing {
            pool.pausing = true;
            shared.call();
        }
        if now >= pool.next_tick {
            pool.next_tick = now + TICK;
            shared.tell_progress(&mut pool, depth);
        }
    }

    /// Its part of the search is over, or everything is.
    fn leave(&mut self, control: &Control) {
        let shared = self.shared.clone();
        let transitions = control.with(|state| state.search.transitions);
        let total = &shared.totals.transitions;
        total.fetch_add(transitions, Ordering::Relaxed);
        let mut pool = shared.pool();
        self.put_back(control, &mut pool);
    }
}

impl Shared {
    fn begin_again(&self, pool: &mut Pool) {
        pool.epoch += 1;
        pool.visited = Arc::new(Visited::new());
        pool.jobs = vec![(Job::default(), 1.0)];
        pool.estimator = Estimator::default();
        let totals = &self.totals;
        totals.restarts.fetch_add(1, Ordering::Relaxed);
        let executions = totals.executions.load(Ordering::Relaxed);
        totals.before.store(executions, Ordering::Relaxed);
        totals.known.store(0, Ordering::Relaxed);
        totals.asleep.store(0, Ordering::Relaxed);
        self.call();
    }

    fn pause_is_over(&self, pool: &mut Pool) {
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
        let left: f64 = pool.left.iter().sum();
        let waiting: f64 = pool.jobs.iter().map(|(_, share)| share).sum();
        let done = (1.0 - left - waiting).clamp(0.0, 1.0);
        let elapsed = self.started.elapsed();
        let progress = Progress {
            executions,
            per_second: executions as f64 / elapsed.as_secs_f64().max(1e-9),
            states: pool.visited.len(),
            depth,
            done,
            left: pool.estimator.add(executions, done),
            elapsed,
        };
        on_progress(&progress);
    }
}

fn text(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a message")
}

fn config() -> Config {
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None;
    config.max_steps = MaxSteps::FailAfter(MAX_STEPS);
    config.silence_warnings = true;
    config
}

/// A schedule as threads.
pub(crate) fn threads(choices: &[crate::program::Choice]) -> Vec<Thread> {
    choices.iter().map(|choice| choice.thread()).collect()
}
