//! One worker of a search: depth first, through what it has, and what it gets from the market.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crossbeam_utils::CachePadded;

use crate::expand::{Expander, Progress};
use crate::finding::{Finding, Found};
use crate::market::{Close, CloseOnPanic, Market};
use crate::memory::Memory;
use crate::report::Counts;
use crate::system::System;
use crate::visited::{Insertion, Visited};

/// After so many steps a worker adds what it has counted, and looks whether others have nothing to do.
const STRIDE: u32 = 256;

/// States that are kept to be written over.
const SPARE: usize = 64;

/// A state, and actions that are left to be done in it.
pub(crate) struct Job<S: System> {
    path: Vec<S::Action>,
    state: S::State,
    actions: Vec<S::Action>,
    before: Progress,
    /// The share of the whole search that is behind these actions.
    share: f64,
}

impl<S: System> Job<S> {
    /// The whole search.
    pub(crate) const fn whole(state: S::State, actions: Vec<S::Action>, before: Progress) -> Self {
        Self {
            path: Vec::new(),
            state,
            actions,
            before,
            share: 1.0,
        }
    }
}

/// What workers share.
pub(crate) struct Shared<'a, S: System> {
    pub(crate) market: Market<Job<S>>,
    visited: &'a Visited,
    memory: &'a Memory,
    counts: CachePadded<[AtomicU64; 3]>,
    deepest: AtomicUsize,
    /// Of one, in 2⁻⁴⁰ths.
    share: AtomicU64,
    found: Mutex<Option<Found<S::Action, S::Violation>>>,
}

const WHOLE: f64 = (1_u64 << 40) as f64;

type FoundOf<S> = Found<<S as System>::Action, <S as System>::Violation>;

impl<'a, S: System> Shared<'a, S> {
    pub(crate) fn new(market: Market<Job<S>>, visited: &'a Visited, memory: &'a Memory) -> Self {
        Self {
            market,
            visited,
            memory,
            counts: CachePadded::default(),
            deepest: AtomicUsize::new(0),
            share: AtomicU64::new(0),
            found: Mutex::new(None),
        }
    }

    pub(crate) fn add(&self, counts: Counts) {
        let Counts {
            states,
            transitions,
            ends,
        } = counts;
        for (total, more) in self.counts.iter().zip([states, transitions, ends]) {
            total.fetch_add(more, Ordering::Relaxed);
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        let [states, transitions, ends] =
            self.counts.each_ref().map(|it| it.load(Ordering::Relaxed));
        Counts {
            states,
            transitions,
            ends,
        }
    }

    /// The share that is done, from 0 to 1.
    pub(crate) fn share(&self) -> f64 {
        (self.share.load(Ordering::Relaxed) as f64 / WHOLE).min(1.0)
    }

    /// Keeps what was found first, and sends everybody home.
    fn found(&self, found: FoundOf<S>) {
        let mut slot = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        slot.get_or_insert(found);
        self.market.close();
    }

    /// What was found and counted, and how the market closed.
    pub(crate) fn over(self) -> (Option<FoundOf<S>>, Counts, usize, Option<Close>) {
        let counts = self.counts();
        let (end, _) = self.market.into_rest();
        let found = self
            .found
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        (found, counts, self.deepest.into_inner(), end)
    }
}

/// A state on the way, and what is left to be done there.
struct Frame<S: System> {
    /// `None` once it became the state after its last action.
    state: Option<S::State>,
    actions: Vec<S::Action>,
    next: usize,
    before: Progress,
    /// The share behind each of its actions.
    share: f64,
}

/// See the [module's documentation](self).
pub(crate) struct Worker<'a, S: System> {
    expander: Expander<'a, S>,
    shared: &'a Shared<'a, S>,
    /// The way to the first frame.
    prefix: Vec<S::Action>,
    frames: Vec<Frame<S>>,
    spare_states: Vec<S::State>,
    spare_actions: Vec<Vec<S::Action>>,
    counts: Counts,
    done: f64,
    steps: u32,
    calls: u64,
}

impl<'a, S: System> Worker<'a, S> {
    pub(crate) fn new(expander: Expander<'a, S>, shared: &'a Shared<'a, S>) -> Self {
        Self {
            expander,
            shared,
            prefix: Vec::new(),
            frames: Vec::new(),
            spare_states: Vec::new(),
            spare_actions: Vec::new(),
            counts: Counts::default(),
            done: 0.0,
            steps: 0,
            calls: shared.market.calls(),
        }
    }

    /// Works until there is nothing left to do, or nobody wants it done.
    pub(crate) fn run(mut self) {
        let shared = self.shared;
        let _close = CloseOnPanic(&shared.market);
        while let Some(job) = shared.market.take() {
            self.prefix = job.path;
            let share = job.share / job.actions.len().max(1) as f64;
            self.frames.push(Frame {
                state: Some(job.state),
                actions: job.actions,
                next: 0,
                before: job.before,
                share,
            });
            let went_on = self.finish();
            self.frames.clear();
            self.flush();
            if !went_on {
                return;
            }
        }
    }

    /// Does all that is left of its frames; whether it came to the end of that.
    fn finish(&mut self) -> bool {
        while !self.frames.is_empty() {
            if !self.step() {
                return false;
            }
            self.steps += 1;
            if self.steps.is_multiple_of(STRIDE) {
                self.flush();
                if self.shared.market.is_hungry() {
                    self.share_work();
                }
                let calls = self.shared.market.calls();
                if calls != self.calls {
                    self.calls = calls;
                    if self.shared.market.is_closed() {
                        return false;
                    }
                }
            }
        }
        true
    }

    /// The next action of the last frame, or that it has none; whether to go on.
    fn step(&mut self) -> bool {
        let Some(frame) = self.frames.last_mut() else {
            return true;
        };
        let Some(&action) = frame.actions.get(frame.next) else {
            self.leave();
            return true;
        };
        frame.next += 1;
        let (before, share) = (frame.before, frame.share);
        let mut state = if frame.next == frame.actions.len() {
            frame.state.take().expect("it is given away once")
        } else {
            let from = frame.state.as_ref().expect("it has actions left");
            match self.spare_states.pop() {
                Some(mut spare) => {
                    spare.clone_from(from);
                    spare
                }
                None => from.clone(),
            }
        };
        self.counts.transitions += 1;
        let canonical = match self.expander.step(&mut state, action, before) {
            Ok(canonical) => canonical,
            Err(finding) => return self.ends_with(finding),
        };
        match self
            .shared
            .visited
            .insert(canonical.fingerprint, self.shared.memory)
        {
            Ok(Insertion::New) => {}
            Ok(Insertion::Known) => {
                self.done += share;
                self.keep(state);
                return true;
            }
            Err(_) => {
                self.shared.market.close();
                return false;
            }
        }
        self.enter(state, canonical.permutation, share)
    }

    /// Goes on in a new state.
    fn enter(&mut self, state: S::State, permutation: usize, share: f64) -> bool {
        self.counts.states += 1;
        let mut actions = self.spare_actions.pop().unwrap_or_default();
        let before = match self.expander.expand(&state, permutation, &mut actions) {
            Ok(before) => before,
            Err(finding) => return self.ends_with(finding),
        };
        if actions.is_empty() {
            self.counts.ends += 1;
            self.done += share;
            self.spare_actions.push(actions);
            self.keep(state);
            return true;
        }
        let share = share / actions.len() as f64;
        self.frames.push(Frame {
            state: Some(state),
            actions,
            next: 0,
            before,
            share,
        });
        true
    }

    fn leave(&mut self) {
        if let Some(frame) = self.frames.pop() {
            let mut actions = frame.actions;
            actions.clear();
            self.spare_actions.push(actions);
            if let Some(state) = frame.state {
                self.keep(state);
            }
        }
    }

    fn keep(&mut self, state: S::State) {
        if self.spare_states.len() < SPARE {
            self.spare_states.push(state);
        }
    }

    fn ends_with(&mut self, finding: Finding<S::Action, S::Violation>) -> bool {
        let path = self.path(self.frames.len());
        self.shared.found(Found { path, finding });
        false
    }

    /// The way to where the first `frames` of its frames have led.
    fn path(&self, frames: usize) -> Vec<S::Action> {
        let steps = self.frames[..frames].iter();
        let steps = steps.map(|frame| frame.actions[frame.next - 1]);
        self.prefix.iter().copied().chain(steps).collect()
    }

    /// Gives half of what is left of its first frame that has something left to whoever has nothing.
    fn share_work(&mut self) {
        let first = self.frames.iter().position(|frame| {
            let left = frame.actions.len() - frame.next;
            left > 1 || left == 1 && frame.next > 0
        });
        let Some(index) = first else { return };
        let path = self.path(index);
        let frame = &mut self.frames[index];
        let left = frame.actions.len() - frame.next;
        // Its last one stays if it has none under way: then the state is still needed.
        let given = frame
            .actions
            .split_off(frame.actions.len() - left.div_ceil(2));
        let state = frame.state.as_ref().expect("it has actions left").clone();
        if frame.next == frame.actions.len() {
            frame.state = None;
        }
        let share = frame.share * given.len() as f64;
        let before = frame.before;
        self.shared.market.give(Job {
            path,
            state,
            actions: given,
            before,
            share,
        });
    }

    /// Adds what it has counted.
    fn flush(&mut self) {
        self.shared.add(std::mem::take(&mut self.counts));
        let done = (std::mem::take(&mut self.done) * WHOLE) as u64;
        self.shared.share.fetch_add(done, Ordering::Relaxed);
        let depth = self.prefix.len() + self.frames.len();
        self.shared.deepest.fetch_max(depth, Ordering::Relaxed);
    }
}
