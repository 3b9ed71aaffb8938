//! Where workers that have nothing to do get something from those that have. It knows no search.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_utils::CachePadded;

/// See the [module's documentation](self).
#[derive(Debug)]
pub(crate) struct Market<J> {
    stock: Mutex<Stock<J>>,
    changed: Condvar,
    /// What a worker reads at each step. It is seldom written, so reading costs nothing.
    signals: CachePadded<Signals>,
}

#[derive(Debug)]
struct Stock<J> {
    jobs: Vec<J>,
    workers: usize,
    idle: usize,
    end: Option<Close>,
}

/// Why a market is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Close {
    /// Everybody was idle, and nothing was left.
    Done,
    /// Somebody closed it.
    Early,
}

#[derive(Debug, Default)]
struct Signals {
    /// Workers that wait, and for whom no job lies there.
    hungry: AtomicUsize,
    /// How often somebody asked all workers to look up.
    calls: AtomicU64,
}

impl<J> Market<J> {
    /// A market for so many workers, with these jobs.
    pub(crate) fn new(workers: usize, jobs: Vec<J>) -> Self {
        Self {
            stock: Mutex::new(Stock {
                jobs,
                workers,
                idle: 0,
                end: None,
            }),
            changed: Condvar::new(),
            signals: CachePadded::default(),
        }
    }

    fn stock(&self) -> MutexGuard<'_, Stock<J>> {
        self.stock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody waits for a job.
    pub(crate) fn is_hungry(&self) -> bool {
        self.signals.hungry.load(Ordering::Relaxed) > 0
    }

    /// How often workers were asked to look up.
    pub(crate) fn calls(&self) -> u64 {
        self.signals.calls.load(Ordering::Relaxed)
    }

    /// Asks all workers to look up.
    pub(crate) fn call(&self) {
        self.signals.calls.fetch_add(1, Ordering::Relaxed);
    }

    fn recount(&self, stock: &Stock<J>) {
        let hungry = stock.idle.saturating_sub(stock.jobs.len());
        self.signals.hungry.store(hungry, Ordering::Relaxed);
    }

    /// A job for a worker that has none; waits for one. `None` when the market is closed.
    pub(crate) fn take(&self) -> Option<J> {
        let mut stock = self.stock();
        stock.idle += 1;
        loop {
            if stock.end.is_some() {
                return None;
            }
            if let Some(job) = stock.jobs.pop() {
                stock.idle -= 1;
                self.recount(&stock);
                return Some(job);
            }
            if stock.idle == stock.workers {
                self.close_with(&mut stock, Close::Done);
                return None;
            }
            self.recount(&stock);
            let waited = self.changed.wait(stock);
            stock = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A job for whoever has none.
    pub(crate) fn give(&self, job: J) {
        let mut stock = self.stock();
        stock.jobs.push(job);
        self.recount(&stock);
        self.changed.notify_all();
    }

    fn close_with(&self, stock: &mut Stock<J>, end: Close) {
        stock.end.get_or_insert(end);
        self.call();
        self.changed.notify_all();
    }

    /// Sends everybody home, whatever is left.
    pub(crate) fn close(&self) {
        self.close_with(&mut self.stock(), Close::Early);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.stock().end.is_some()
    }

    /// Waits for the end, but no longer than this.
    pub(crate) fn wait(&self, most: Duration) -> Option<Close> {
        let stock = self.stock();
        let waited = self
            .changed
            .wait_timeout_while(stock, most, |stock| stock.end.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.end
    }

    /// Why it was closed, and what was left.
    pub(crate) fn into_rest(self) -> (Option<Close>, Vec<J>) {
        let stock = self
            .stock
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        (stock.end, stock.jobs)
    }
}

/// Closes the market if its worker is unwound: the others would wait for it.
pub(crate) struct CloseOnPanic<'a, J>(pub(crate) &'a Market<J>);

impl<J> Drop for CloseOnPanic<'_, J> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU64;

    #[test]
    fn jobs_that_make_jobs_are_all_done() {
        let market = Market::new(3, vec![9_u64]);
        let done = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while let Some(job) = market.take() {
                        done.fetch_add(1, Ordering::Relaxed);
                        for _ in 0..2 * u64::from(job > 0) {
                            market.give(job - 1);
                        }
                    }
                });
            }
        });
        // A binary tree of ten levels.
        assert_eq!(done.load(Ordering::Relaxed), (1 << 10) - 1);
        assert_eq!(market.into_rest(), (Some(Close::Done), vec![]));
    }

    #[test]
    fn who_waits_is_hungry_until_a_job_lies_there() {
        let market = Market::new(2, Vec::new());
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| market.take());
            while !market.is_hungry() {
                std::thread::yield_now();
            }
            market.give(1);
            assert_eq!(waiter.join().expect("no panic"), Some(1));
            assert!(!market.is_hungry());
        });
    }

    #[test]
    fn a_closed_market_keeps_what_is_left() {
        let market = Market::new(1, vec![1]);
        let calls = market.calls();
        market.close();
        assert_ne!(market.calls(), calls, "workers look up");
        assert_eq!(market.take(), None);
        assert_eq!(market.into_rest(), (Some(Close::Early), vec![1]));
    }

    #[test]
    fn a_worker_that_panics_sends_the_others_home() {
        let market = Market::new(2, vec![1]);
        std::thread::scope(|scope| {
            let other = scope.spawn(|| {
                while !market.is_closed() {
                    std::thread::yield_now();
                }
                market.take()
            });
            let worker = scope.spawn(|| {
                let _close = CloseOnPanic(&market);
                panic!("planted");
            });
            assert!(worker.join().is_err());
            assert_eq!(other.join().expect("no panic"), None);
        });
    }
}
