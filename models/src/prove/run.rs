//! A run over the programs of a size, or a share of them: several threads, one result.
//!
//! The programs of a share have an order, and what is known at any time is what came of the first so many of them.
//! So totals are those of a known set of programs, wherever a run is stopped, and it goes on where it was.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use super::prover::Prover;
use super::space::Space;
use super::totals::Totals;
use crate::shard::Shard;

/// Programs that a thread takes at a time.
const BATCH: u64 = 32;

/// How often whoever listens hears of progress, at least.
const PROGRESS: Duration = Duration::from_millis(200);

/// Every n-th program of a size.
#[derive(Clone, Copy)]
pub struct Share<'a> {
    space: &'a Space,
    shard: Shard,
}

impl<'a> Share<'a> {
    /// The share of a shard: neighbours, which are alike, go to different ones.
    #[must_use]
    pub const fn new(space: &'a Space, shard: Shard) -> Self {
        Self { space, shard }
    }

    /// All programs of the size.
    #[must_use]
    pub const fn space(&self) -> &'a Space {
        self.space
    }

    /// How many programs are in it.
    #[must_use]
    pub fn len(&self) -> u64 {
        let (index, count) = (u64::from(self.shard.index()), u64::from(self.shard.count()));
        (self.space.len() + count - index) / count
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number in the size of its n-th program, from 0.
    #[must_use]
    pub fn number(&self, nth: u64) -> u64 {
        u64::from(self.shard.index() - 1) + nth * u64::from(self.shard.count())
    }
}

/// The name of a program as a scenario.
#[must_use]
pub fn name(space: &Space, number: u64) -> String {
    format!("{}-{number}", space.size().name)
}

/// Runs over a share.
pub struct Run<'a, P> {
    /// The programs.
    pub share: Share<'a>,
    /// What exhausts them.
    pub prover: &'a P,
    /// How many threads do.
    pub workers: NonZeroUsize,
}

/// What came of a batch: of the whole of it, or of its first programs.
struct Batch {
    nth: u64,
    totals: Totals,
    is_whole: bool,
}

impl<P: Prover> Run<'_, P> {
    /// Goes on after the programs that `totals` is of, until all are done or `stop` answers yes. `progress` hears how
    /// far it is.
    ///
    /// # Panics
    /// If the prover does.
    pub fn go_on(
        &self,
        totals: &mut Totals,
        stop: &(impl Fn() -> bool + Sync),
        mut progress: impl FnMut(&Totals),
    ) {
        let start = totals.programs;
        let next = AtomicU64::new(0);
        thread::scope(|scope| {
            let (send, receive) = channel();
            for _ in 0..self.workers.get() {
                let (send, next) = (send.clone(), &next);
                scope.spawn(move || {
                    loop {
                        let nth = next.fetch_add(1, Ordering::Relaxed);
                        let Some(batch) = self.batch(start, nth, stop) else {
                            return;
                        };
                        let is_whole = batch.is_whole;
                        if send.send(batch).is_err() || !is_whole {
                            return;
                        }
                    }
                });
            }
            drop(send);
            collect(&receive, totals, &mut progress);
        });
    }

    fn batch(&self, start: u64, nth: u64, stop: &impl Fn() -> bool) -> Option<Batch> {
        let first = start + nth * BATCH;
        let end = (first + BATCH).min(self.share.len());
        if first >= end {
            return None;
        }
        let mut batch = Batch {
            nth,
            totals: Totals::default(),
            is_whole: true,
        };
        for index in first..end {
            if stop() {
                batch.is_whole = false;
                break;
            }
            let number = self.share.number(index);
            let space = self.share.space;
            let scenario = space.program(number).scenario(&name(space, number), "");
            batch.totals.add(number, self.prover.exhaust(&scenario));
        }
        Some(batch)
    }
}

/// Adds up the batches in their order, as far as there is none missing.
fn collect(batches: &Receiver<Batch>, totals: &mut Totals, progress: &mut impl FnMut(&Totals)) {
    let mut early = BTreeMap::new();
    let (mut due, mut is_whole) = (0, true);
    loop {
        match batches.recv_timeout(PROGRESS) {
            Ok(batch) => drop(early.insert(batch.nth, batch)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        while is_whole && let Some(batch) = early.remove(&due) {
            due += 1;
            is_whole = batch.is_whole;
            totals.merge(batch.totals);
        }
        progress(totals);
    }
}
