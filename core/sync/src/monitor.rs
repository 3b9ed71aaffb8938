//! A monitor: data, the lock around it, and the condition that it changed.
//!
//! It does not know what it protects and never calls anybody while it is entered: the closure that
//! it is given is the critical section, and what the closure returns is all that the thread learns.

use crate::{Condvar, Mutex};

/// Data that is only reached inside a critical section (a monitor in Hoare's sense, CACM 1974, with
/// one condition and signal-and-continue).
#[derive(Debug, Default)]
pub struct Monitor<T> {
    data: Mutex<T>,
    changed: Condvar,
}

impl<T> Monitor<T> {
    /// Puts `data` under a new monitor.
    pub fn new(data: T) -> Self {
        Self {
            data: Mutex::new(data),
            changed: Condvar::new(),
        }
    }

    /// Runs one critical section.
    ///
    /// # Deadlock
    /// The section must not enter the same monitor again.
    pub fn enter<R>(&self, section: impl FnOnce(&mut T) -> R) -> R {
        section(&mut self.data.lock())
    }

    /// Runs one critical section, then wakes every thread in [`wait_until`](Self::wait_until) if
    /// the section's second answer is true.
    ///
    /// The wake-up happens before the lock is released: a thread that checks the data after the
    /// section sees its effects, one that checked before is already asleep.
    pub fn enter_then_notify<R>(&self, section: impl FnOnce(&mut T) -> (R, bool)) -> R {
        let mut data = self.data.lock();
        let (answer, notify) = section(&mut data);
        if notify {
            self.changed.notify_all();
        }
        answer
    }

    /// As [`enter_then_notify`](Self::enter_then_notify), for data that knows itself whether it has
    /// changed: `leave` is the end of the section and answers whether to wake.
    pub fn enter_then_leave<R>(
        &self,
        section: impl FnOnce(&mut T) -> R,
        leave: impl FnOnce(&mut T) -> bool,
    ) -> R {
        let mut data = self.data.lock();
        let answer = section(&mut data);
        if leave(&mut data) {
            self.changed.notify_all();
        }
        answer
    }

    /// Runs the critical section until it answers `Some`, asleep between one try and the next.
    ///
    /// A try happens at the start and after each notification (and, on real threads, possibly after
    /// a spurious wake-up).
    pub fn wait_until<R>(&self, mut section: impl FnMut(&mut T) -> Option<R>) -> R {
        let mut data = self.data.lock();
        loop {
            if let Some(answer) = section(&mut data) {
                return answer;
            }
            self.changed.wait(&mut data);
        }
    }
}
