//! One worker: what it does between two executions.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use super::{End, Pool, Shared, TICK};
use crate::checker::control::{Control, Ended, State, Whole};
use crate::checker::execution::{self, Body, Driver, Found, Left, Outcome};
use crate::checker::fingerprint::Symmetries;
use crate::checker::replay::Raw;
use crate::checker::visited::Visited;
use crate::checker::walk::FrontierEntry;

/// See the [module's documentation](self).
pub(super) struct Worker {
    shared: Arc<Shared>,
    number: usize,
    epoch: u64,
    symmetries: Symmetries,
    visited: Arc<Visited>,
    begun: bool,
    /// What the execution at hand is made for.
    purpose: Purpose,
    /// One execution, which turns there.
    work: Option<FrontierEntry>,
    until_tick: u32,
    /// The calls that it has followed.
    heard: u64,
}

/// What an execution is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// It goes on with the search.
    Search,
    /// It makes the one before it a second time.
    Compare,
    /// It tries out whether a thread that waits in the one before it would look again and again.
    Probe,
}

/// What follows for the search from how an execution ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Judged {
    /// Nothing was wrong.
    Good,
    /// Something was wrong, but not what is looked for now.
    Ignored,
    /// The search is over.
    End,
}

/// Sees to it that nobody waits for a worker that is gone.
struct Alive<'a> {
    shared: &'a Shared,
    left: Option<Left>,
}

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        if self.left.is_none() {
            let error = "a worker of the explorer panicked".to_owned();
            self.shared.finish(End::Failed(error));
        }
    }
}

impl Worker {
    pub(super) fn work(shared: &Arc<Shared>, number: usize, program: &Body) -> Left {
        let visited = shared.pool().visited.clone();
        let (options, alarm) = (shared.options.clone(), shared.alarm.clone());
        let control = Control::new(options, visited.clone(), alarm);
        let worker = Rc::new(RefCell::new(Self {
            shared: shared.clone(),
            number,
            epoch: u64::MAX,
            symmetries: Symmetries::new(&shared.options.symmetries),
            visited,
            begun: false,
            purpose: Purpose::Search,
            work: None,
            until_tick: 0,
            heard: 0,
        }));
        let mut alive = Alive { shared, left: None };
        let left = execution::run(&control, program, &worker);
        worker.borrow_mut().leave(&control);
        alive.left = Some(left);
        left
    }

    /// An execution has ended, perhaps with a panic. Whether the search goes on.
    fn after(&mut self, control: &Control, panic: Option<String>) -> bool {
        let judged = self.judge(control, panic);
        if let Some(after) = &self.shared.options.after {
            after();
        }
        if judged == Judged::End {
            return false;
        }
        let is_out_of_date = match self.purpose {
            Purpose::Search => self.share_conflicts(control),
            Purpose::Compare => {
                let whole = control.with(State::verified);
                self.note_first(whole);
                false
            }
            Purpose::Probe => false,
        };
        let is_made_again = judged == Judged::Good && !is_out_of_date;
        self.purpose = match self.purpose {
            Purpose::Search if is_made_again && control.with(State::verify) => Purpose::Compare,
            _ if is_made_again && control.with(State::probe) => Purpose::Probe,
            _ => Purpose::Search,
        };
        if self.purpose == Purpose::Search {
            self.turn_back(control, is_out_of_date);
        }
        true
    }

    /// An execution was made a second time. Of an earlier search than the one at hand it says nothing.
    fn note_first(&self, whole: Whole) {
        let mut pool = self.shared.pool();
        if pool.epoch == self.epoch {
            pool.first.get_or_insert(whole);
        }
    }

    /// What follows from how an execution has ended.
    fn judge(&self, control: &Control, panic: Option<String>) -> Judged {
        let (ended, outcome) = execution::judge(control, &self.shared.options, panic);
        match self.purpose {
            Purpose::Search => self.count(&ended),
            Purpose::Compare => {}
            Purpose::Probe => return self.judge_probe(&ended, outcome),
        }
        match outcome {
            Outcome::Good => Judged::Good,
            Outcome::Failed(error) => self.end(End::Failed(error)),
            Outcome::Cut(why) => self.end(End::Cut(why)),
            Outcome::Found(found) if self.purpose == Purpose::Compare => {
                let error = format!(
                    "an execution in which nothing went wrong was made a second time, and then it did \
                     ({}): the program depends on something that is not under control",
                    found.violation
                );
                self.end(End::Failed(error))
            }
            Outcome::Found(found) => self.violated(control, found, ended.preemptions),
            Outcome::Misfit => unreachable!("it follows no schedule"),
        }
    }

    /// What follows from how an execution has ended in which a thread's rounds were tried out. Whatever came of them,
    /// the search has left it out.
    fn judge_probe(&self, ended: &Ended, outcome: Outcome) -> Judged {
        self.shared.totals.add_gave_up(ended.gave_up.as_ref());
        match outcome {
            Outcome::Failed(error) => self.end(End::Failed(error)),
            Outcome::Good | Outcome::Found(_) | Outcome::Misfit | Outcome::Cut(_) => Judged::Good,
        }
    }

    fn end(&self, end: End) -> Judged {
        self.shared.finish(end);
        Judged::End
    }

    fn count(&self, ended: &Ended) {
        let totals = &self.shared.totals;
        let redundant = u64::from(ended.is_redundant);
        totals.redundant.fetch_add(redundant, Ordering::Relaxed);
        totals.longest.fetch_max(ended.choices, Ordering::Relaxed);
        let preemptions = ended.preemptions.into();
        totals.preemptions.fetch_max(preemptions, Ordering::Relaxed);
        if ended.rounds_repeat {
            totals.rounds_repeat.store(true, Ordering::Relaxed);
        }
        totals.add_gave_up(ended.gave_up.as_ref());
    }

    /// An execution went wrong.
    fn violated(&self, control: &Control, found: Found, preemptions: u32) -> Judged {
        // Where conflicts were not known it did not stop, and its preemptions are not counted: it will be
        // found again.
        if self.share_conflicts(control) {
            return Judged::Ignored;
        }
        if !self.shared.options.wants(&found.violation) {
            return Judged::Ignored;
        }
        let raw = control.with(|state| Raw {
            found,
            preemptions,
            script: state.script(),
            conflicts: state.conflicts.clone(),
        });
        self.end(End::Violated(Box::new(raw)))
    }

    /// An execution is done with.
    fn turn_back(&mut self, control: &Control, is_out_of_date: bool) {
        let shared = self.shared.clone();
        let Some(entry) = &self.work else { return };
        let mut pool = shared.pool();
        // The search can have begun again since this was asked last.
        if is_out_of_date || pool.epoch != self.epoch {
            self.drop_work(control, &mut pool);
            return;
        }
        if !entry.has_more(&self.visited) {
            control.with(|state| state.walk.release(entry, &state.visited));
        }
        self.put_discovered(control, &mut pool);
        self.go_idle(&mut pool);
    }

    /// Puts the states that the execution has discovered where all can take them.
    fn put_discovered(&self, control: &Control, pool: &mut Pool) {
        let discovered = control.with(|state| state.walk.discovered());
        if self.shared.waiting.load(Ordering::Relaxed) > 0 && !discovered.is_empty() {
            self.shared.changed.notify_all();
        }
        pool.frontiers[self.number].put(discovered);
    }

    /// It has no work any more.
    fn go_idle(&mut self, pool: &mut Pool) {
        if self.work.take().is_some() {
            pool.active -= 1;
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
        control.with(|state| state.walk.begin_again());
        self.go_idle(pool);
    }

    /// Puts the work that it has back into the pool.
    fn put_back(&mut self, control: &Control, pool: &mut Pool) {
        let Some(entry) = &self.work else { return };
        control.with(|state| state.walk.undo(&state.visited));
        pool.frontiers[self.number].put_back(entry.clone());
        self.put_discovered(control, pool);
        self.go_idle(pool);
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
                shared.finish_pause(&mut pool);
            }
            if !pool.pausing && self.pick_up(control, &mut pool) {
                return true;
            }
            if pool.active == 0 && pool.is_empty() {
                if self.verify_first(control, &mut pool) {
                    return true;
                }
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

    /// When nothing is left, the first execution is made once more: what has changed since then was not under
    /// control.
    fn verify_first(&mut self, control: &Control, pool: &mut Pool) -> bool {
        let Some(first) = pool.first.as_ref().filter(|_| !pool.first_is_verified) else {
            return false;
        };
        control.with(|state| state.verify_whole(first));
        (self.purpose, pool.first_is_verified) = (Purpose::Compare, true);
        self.work = Some(FrontierEntry::beginning());
        pool.active += 1;
        true
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
        self.work = self.pick_turn(control, pool);
        let has_work = self.work.is_some();
        pool.active += usize::from(has_work);
        has_work
    }

    /// The next state at which something is left to choose.
    fn pick_turn(&self, control: &Control, pool: &mut Pool) -> Option<FrontierEntry> {
        while let Some(entry) = pool.next_in_frontier(self.number, self.shared.max_memory) {
            match entry.turn(&self.visited) {
                None => control.with(|state| state.walk.release(&entry, &state.visited)),
                Some(turn) => {
                    control.with(|state| state.walk.set_out(&entry, turn));
                    if entry.has_more(&self.visited) {
                        pool.frontiers[self.number].put_back(entry.clone());
                    }
                    return Some(entry);
                }
            }
        }
        None
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
        let depth = control.with(|state| state.walk.depth());
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
        let mut pool = shared.pool();
        match pool.epoch == self.epoch {
            true => self.put_back(control, &mut pool),
            false => self.drop_work(control, &mut pool),
        }
    }
}

impl Driver for Worker {
    fn next(&mut self, control: &Control) -> bool {
        if std::mem::take(&mut self.begun) && !self.after(control, None) {
            return false;
        }
        loop {
            if self.work.is_none() && !self.take(control) {
                return false;
            }
            if self.purpose != Purpose::Search {
                self.begun = true;
                let made_twice = &self.shared.totals.verifying;
                made_twice.fetch_add(1, Ordering::Relaxed);
                return true;
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
        self.tick(control);
        self.begun = true;
        self.shared
            .totals
            .executions
            .fetch_add(1, Ordering::Relaxed);
        true
    }

    fn panicked(&mut self, control: &Control, message: &str) -> bool {
        let begun = std::mem::take(&mut self.begun);
        let is_picking = control.with(|state| state.is_picking);
        if !begun || is_picking {
            let error = format!("what the explorer was given panicked: {message}");
            self.shared.finish(End::Failed(error));
            return false;
        }
        self.after(control, Some(message.to_owned()))
    }
}
