//! What the workers of a search share: work, what was seen and counted, and why it is over.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crossbeam_utils::CachePadded;

use crate::finding::Found;
use crate::market::{Close, Market};
use crate::memory::Memory;
use crate::report::{Counts, Cut};
use crate::stack::Stack;
use crate::system::System;
use crate::visited::Visited;

/// See the [module's documentation](self).
pub(crate) struct Shared<'a, S: System> {
    pub(crate) market: Market<Stack<S>>,
    pub(crate) visited: &'a Visited,
    pub(crate) memory: &'a Memory,
    counts: CachePadded<[AtomicU64; 3]>,
    deepest: AtomicUsize,
    /// Of one, in 2⁻⁴⁰ths.
    share: AtomicU64,
    found: Mutex<Option<FoundOf<S>>>,
    cut: Mutex<Option<Cut>>,
    /// What workers had not done when the market was closed.
    rest: Mutex<Vec<Stack<S>>>,
}

/// Of the share that is done: so much is all.
const WHOLE: f64 = (1_u64 << 40) as f64;

type FoundOf<S> = Found<<S as System>::Action, <S as System>::Violation>;

/// How far a search has come.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sums {
    pub(crate) counts: Counts,
    /// Actions of the longest path.
    pub(crate) deepest: usize,
    /// The share that is done, from 0 to 1.
    pub(crate) share: f64,
}

/// Why workers went home.
pub(crate) enum End<S: System> {
    /// Something was found.
    Found(FoundOf<S>),
    /// Nothing is left to do.
    Done,
    /// There was no room, or nobody wanted it done. What is left.
    Cut(Cut, Vec<Stack<S>>),
    /// They were called home. What is left, with each state.
    Paused(Vec<Stack<S>>),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn into<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}

impl<'a, S: System> Shared<'a, S> {
    /// Goes on with this work, where so much was done.
    pub(crate) fn new(
        market: Market<Stack<S>>,
        visited: &'a Visited,
        memory: &'a Memory,
        sums: Sums,
    ) -> Self {
        let shared = Self {
            market,
            visited,
            memory,
            counts: CachePadded::default(),
            deepest: AtomicUsize::new(0),
            share: AtomicU64::new(0),
            found: Mutex::new(None),
            cut: Mutex::new(None),
            rest: Mutex::new(Vec::new()),
        };
        let mut sums = sums;
        shared.add(&mut sums);
        shared
    }

    /// Adds what was counted, and leaves what is too little to be added.
    pub(crate) fn add(&self, sums: &mut Sums) {
        let Counts {
            states,
            transitions,
            ends,
        } = std::mem::take(&mut sums.counts);
        for (total, more) in self.counts.iter().zip([states, transitions, ends]) {
            total.fetch_add(more, Ordering::Relaxed);
        }
        let share = (sums.share * WHOLE) as u64;
        sums.share -= share as f64 / WHOLE;
        self.share.fetch_add(share, Ordering::Relaxed);
        self.deepest.fetch_max(sums.deepest, Ordering::Relaxed);
    }

    pub(crate) fn sums(&self) -> Sums {
        let counts = self.counts.each_ref();
        let [states, transitions, ends] = counts.map(|it| it.load(Ordering::Relaxed));
        Sums {
            counts: Counts {
                states,
                transitions,
                ends,
            },
            deepest: self.deepest.load(Ordering::Relaxed),
            share: (self.share.load(Ordering::Relaxed) as f64 / WHOLE).min(1.0),
        }
    }

    /// Keeps what was found first, and sends everybody home.
    pub(crate) fn found(&self, found: FoundOf<S>) {
        lock(&self.found).get_or_insert(found);
        self.market.close();
    }

    /// Keeps the first reason, and sends everybody home.
    pub(crate) fn cut(&self, cut: Cut) {
        lock(&self.cut).get_or_insert(cut);
        self.market.close();
    }

    /// What a worker that was sent home had not done.
    pub(crate) fn leave(&self, rest: Stack<S>) {
        lock(&self.rest).push(rest);
    }

    /// Once all workers are home: why, and what was counted.
    ///
    /// How the market closed decides: whoever closes it a second time changes nothing, so a reason to cut the search
    /// short that comes when it is done comes too late.
    pub(crate) fn over(self) -> (End<S>, Sums) {
        let sums = self.sums();
        let (close, mut stacks) = self.market.into_rest();
        if let Some(found) = into(self.found) {
            return (End::Found(found), sums);
        }
        if close == Some(Close::Done) {
            return (End::Done, sums);
        }
        stacks.extend(into(self.rest));
        let end = match into(self.cut) {
            Some(cut) => End::Cut(cut, stacks),
            None => End::Paused(stacks),
        };
        (end, sums)
    }
}
