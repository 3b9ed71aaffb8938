//! A monitor: data, the lock around it, and the condition that it changed.
//!
//! It does not know what it protects and never calls anybody while it is entered: the closure that
//! it is given is the critical section, and what the closure returns is all that the thread learns.

use std::hash::Hash;

use crate::told::found;
use crate::{Condvar, Mutex, describe, remember};

/// Data that is only reached inside a critical section (a monitor in Hoare's sense, CACM 1974, with
/// one condition and signal-and-continue).
///
/// The data say by their `Hash` what counts of them: to an explorer two states are one if they hash
/// alike. In the other builds nothing is hashed.
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
}

impl<T: Hash> Monitor<T> {
    /// Runs one critical section.
    ///
    /// # Deadlock
    /// The section must not enter the same monitor again.
    #[track_caller]
    pub fn enter<R>(&self, section: impl FnOnce(&mut T) -> R) -> R {
        self.enter_then_notify(|data| (section(data), false))
    }

    /// Runs one critical section, then wakes every thread in [`wait_until`](Self::wait_until) if
    /// the section's second answer is true.
    ///
    /// The wake-up happens before the lock is released: a thread that checks the data after the
    /// section sees its effects, one that checked before is already asleep.
    #[track_caller]
    pub fn enter_then_notify<R>(&self, section: impl FnOnce(&mut T) -> (R, bool)) -> R {
        let mut data = self.data.lock();
        found(&data);
        let (answer, notify) = section(&mut data);
        describe(&data);
        if notify {
            self.changed.notify_all();
        }
        answer
    }

    /// Runs the critical section until it answers `Some`, asleep between one try and the next.
    ///
    /// A try happens at the start and after each notification (and, on real threads, possibly after
    /// a spurious wake-up). Between two tries the section must keep nothing but that it was tried.
    #[track_caller]
    pub fn wait_until<R>(&self, mut section: impl FnMut(&mut T) -> Option<R>) -> R {
        let remembered = remember();
        self.enter_until(|data| {
            let answer = section(data);
            if answer.is_none() {
                // All that the tries taught it is that it has to wait.
                remembered.and(&());
            }
            (answer, false)
        })
    }

    /// As [`wait_until`](Self::wait_until), for a section that says itself what it learns of each try; after a
    /// try whose second answer is true, every other thread is woken that is asleep in one.
    #[track_caller]
    pub fn enter_until<R>(&self, mut section: impl FnMut(&mut T) -> (Option<R>, bool)) -> R {
        let mut data = self.data.lock();
        found(&data);
        loop {
            let (answer, notify) = section(&mut data);
            describe(&data);
            if notify {
                self.changed.notify_all();
            }
            if let Some(answer) = answer {
                return answer;
            }
            self.changed.wait(&mut data);
        }
    }
}
