//! One worker: what it does between two executions.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use nmr_sync::hook;
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};

use super::{End, Pool, Shared, TICK};
use crate::control::{Control, Controlled, Reason, State};
use crate::knowledge::Symmetries;
use crate::known;
use crate::report::Counterexample;
use crate::visited::Visited;
use crate::walk::Open;

/// Steps of one execution; more than this is a livelock or a program that spins.
const MAX_STEPS: usize = 1_000_000;

/// See the [module's documentation](self).
pub(super) struct Worker {
    shared: Arc<Shared>,
    number: usize,
    epoch: u64,
    symmetries: Symmetries,
    visited: Arc<Visited>,
    begun: bool,
    work: Option<Work>,
    until_tick: u32,
    /// The calls that it has followed.
    heard: u64,
}

/// What a worker has to do.
enum Work {
    /// One execution, which turns there.
    Turn(Open),
    /// Where states are not kept: this part of the whole search.
    Part(f64),
}

/// Sees to it that nobody waits for a worker that is gone.
struct Alive<'a>(&'a Shared);

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let error = "a worker of the explorer panicked".to_owned();
            self.0.finish(End::Failed(error));
        }
    }
}

impl Worker {
    pub(super) fn work(shared: &Arc<Shared>, number: usize, program: &Arc<dyn Fn() + Send + Sync>) {
        let visited = shared.pool().visited.clone();
        let control = Control::new(shared.options.clone(), visited.clone());
        let worker = Rc::new(RefCell::new(Self {
            shared: shared.clone(),
            number,
            epoch: u64::MAX,
            symmetries: Symmetries::new(&shared.options.symmetries),
            visited,
            begun: false,
            work: None,
            until_tick: 0,
            heard: 0,
        }));
        let _alive = Alive(shared);
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
                Runner::new(scheduler, config()).run(move || {
                    program();
                    known::main_ended();
                })
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
            if self.work.is_none() && !self.take(control) {
                return false;
            }
            if let Some(why) = self.shared.limit() {
                self.shared.finish(End::Cut(why));
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
        let goes_on = self.judge(control);
        if let Some(after) = &self.shared.options.after {
            after();
        }
        if goes_on {
            self.turn_back(control);
        }
        goes_on
    }

    /// Whether the search goes on after an execution that has ended.
    fn judge(&self, control: &Control) -> bool {
        let ended = control.with(|state| {
            state.come_to_the_end();
            state.end()
        });
        let totals = &self.shared.totals;
        match ended.reason {
            Some(Reason::Asleep) => totals.asleep.fetch_add(1, Ordering::Relaxed),
            Some(Reason::Known) => totals.known.fetch_add(1, Ordering::Relaxed),
            None => 0,
        };
        totals.longest.fetch_max(ended.choices, Ordering::Relaxed);
        totals
            .preemptions
            .fetch_max(ended.preemptions.into(), Ordering::Relaxed);
        let (error, deadlock) = control.with(|state| (state.error.take(), state.deadlock.take()));
        if let Some(error) = error {
            self.shared.finish(End::Failed(error));
            return false;
        }
        if let Some(message) = deadlock {
            return !self.violated(control, message, ended.preemptions);
        }
        true
    }

    /// A thread panicked; whether the search goes on.
    fn panicked(&mut self, control: &Control, message: &str) -> bool {
        let begun = std::mem::take(&mut self.begun);
        let (error, is_picking) = control.with(|state| (state.error.take(), state.is_picking));
        if let Some(error) = error {
            self.shared.finish(End::Failed(error));
            return false;
        }
        if !begun || is_picking {
            let error = format!("what the explorer was given panicked: {message}");
            self.shared.finish(End::Failed(error));
            return false;
        }
        let ended = control.with(State::end);
        if message.contains("exceeded max_steps bound") {
            let why = format!("an execution has more than {MAX_STEPS} steps");
            self.shared.finish(End::Cut(why));
            return false;
        }
        let goes_on = !self.violated(control, message.to_owned(), ended.preemptions);
        if let Some(after) = &self.shared.options.after {
            after();
        }
        if goes_on {
            self.turn_back(control);
        }
        goes_on
    }

    /// An execution went wrong; whether that ends the search.
    fn violated(&self, control: &Control, message: String, preemptions: u32) -> bool {
        let schedule = control.with(|state| state.schedule());
        let mut found = Counterexample::new(message, schedule, preemptions);
        if let Some(kind) = &self.shared.options.kind {
            found.kind = kind(&found.message);
        }
        // Where conflicts were not known it did not stop, and its preemptions are not counted: it will be
        // found again.
        if self.share_conflicts(control) {
            return false;
        }
        let wanted = &self.shared.options.only;
        if wanted.as_ref().is_some_and(|wanted| *wanted != found.kind) {
            return false;
        }
        self.shared.finish(End::Violated(found));
        true
    }

    /// An execution is done with.
    fn turn_back(&mut self, control: &Control) {
        let is_out_of_date = self.share_conflicts(control);
        let shared = self.shared.clone();
        match &self.work {
            _ if is_out_of_date => self.drop_work(control, &mut shared.pool()),
            Some(Work::Turn(open)) => {
                if !open.has_more(&self.visited) {
                    control.with(|state| state.walk.release(open, &state.visited));
                }
                let mut pool = shared.pool();
                self.put_found(control, &mut pool);
                self.is_idle(&mut pool);
            }
            Some(Work::Part(_)) | None => {
                if !control.with(|state| state.search.turn_back()) {
                    self.drop_work(control, &mut shared.pool());
                }
            }
        }
    }

    /// Puts the states that the execution has found where all can take them.
    fn put_found(&self, control: &Control, pool: &mut Pool) {
        let found = control.with(|state| state.walk.found());
        if self.shared.waiting.load(Ordering::Relaxed) > 0 && !found.is_empty() {
            self.shared.changed.notify_all();
        }
        pool.open[self.number].put(found);
    }

    /// It has no work any more.
    fn is_idle(&mut self, pool: &mut Pool) {
        if self.work.take().is_some() {
            pool.active -= 1;
            pool.left[self.number] = 0.0;
            if pool.active == 0 {
                self.shared.changed.notify_all();
            }
        }
    }

    /// Tells the others which conflicts the execution has shown, and learns theirs. Whether the search
    /// has begun again since this worker took its work.
    fn share_conflicts(&self, control: &Control) -> bool {
        let news = control.with(|state| {
            let changed = state.conflicts.take_changed();
            changed.then(|| state.conflicts.under(&self.symmetries))
        });
        let mut pool = self.shared.pool();
        if let Some(news) = news {
            if pool.conflicts.merge(&news) {
                self.shared.begin_again(&mut pool);
            }
            let conflicts = pool.conflicts.clone();
            control.with(|state| state.conflicts = conflicts);
        }
        pool.epoch != self.epoch
    }

    fn drop_work(&mut self, control: &Control, pool: &mut Pool) {
        control.with(|state| {
            state.search.save();
            state.walk.begin_again();
        });
        self.is_idle(pool);
    }

    /// Puts the work that it has back into the pool.
    fn put_back(&mut self, control: &Control, pool: &mut Pool) {
        match &self.work {
            None => return,
            Some(Work::Turn(open)) => {
                control.with(|state| state.walk.undo(&state.visited));
                pool.open[self.number].put_back(open.clone());
                self.put_found(control, pool);
            }
            Some(Work::Part(share)) => {
                let (job, done) = control.with(|state| {
                    let done = state.search.done();
                    (state.search.save(), done)
                });
                pool.jobs.push((job, share * (1.0 - done)));
            }
        }
        self.is_idle(pool);
        self.shared.changed.notify_all();
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
            if !pool.pausing && self.pick_up(control, &mut pool) {
                return true;
            }
            if pool.active == 0 && pool.is_empty() {
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

    /// Takes work from the pool, if there is some.
    fn pick_up(&mut self, control: &Control, pool: &mut Pool) -> bool {
        if pool.epoch != self.epoch {
            self.epoch = pool.epoch;
            self.visited = pool.visited.clone();
            control.with(|state| {
                state.visited = pool.visited.clone();
                state.conflicts.clone_from(&pool.conflicts);
                state.walk.begin_again();
            });
        }
        self.work = match pool.jobs.pop() {
            Some((job, share)) => {
                control.with(|state| state.search.take(job));
                Some(Work::Part(share))
            }
            None => self.pick_turn(control, pool),
        };
        let has_work = self.work.is_some();
        pool.active += usize::from(has_work);
        has_work
    }

    /// The next state at which something is left to choose.
    fn pick_turn(&self, control: &Control, pool: &mut Pool) -> Option<Work> {
        while let Some(open) = pool.next_open(self.number, self.shared.max_memory) {
            match open.turn(&self.visited) {
                None => control.with(|state| state.walk.release(&open, &state.visited)),
                Some(turn) => {
                    control.with(|state| state.walk.set_out(&open, turn));
                    if open.has_more(&self.visited) {
                        pool.open[self.number].put_back(open.clone());
                    }
                    return Some(Work::Turn(open));
                }
            }
        }
        None
    }

    /// Gives a part of its work to one who has none.
    fn give(&self, control: &Control) {
        let Some(Work::Part(share)) = self.work else {
            return;
        };
        if self.shared.waiting.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut pool = self.shared.pool();
        if !pool.jobs.is_empty() {
            return;
        }
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
        let (depth, done) = control.with(|state| {
            let depth = state.search.path_len().max(state.walk.depth());
            (depth, state.search.done())
        });
        pool.left[self.number] = match self.work {
            Some(Work::Part(share)) => share * (1.0 - done),
            _ => 0.0,
        };
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
