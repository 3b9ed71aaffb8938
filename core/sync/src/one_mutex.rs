//! One condvar, one mutex: what `parking_lot` panics about, and the models would let pass.
//!
//! Counts who sleeps. A notification that comes between this count and the sleep itself makes it too low,
//! so that something may go unnoticed in that execution; it is never too high.

use std::sync::{Mutex, PoisonError};

/// What `parking_lot` says.
pub(crate) const TWO_MUTEXES: &str =
    "attempted to use a condition variable with more than one mutex";

/// The mutex with which threads sleep on a condvar, by its address, and how many do.
#[derive(Debug, Default)]
pub(crate) struct OneMutex(Mutex<(usize, usize)>);

impl OneMutex {
    /// A thread will sleep, with this mutex.
    ///
    /// # Panics
    /// If another one sleeps with another mutex.
    pub(crate) fn sleeps<T: ?Sized>(&self, mutex: *const T) {
        let mutex = mutex.addr();
        let mut sleepers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (with, count) = *sleepers;
        let is_another = count > 0 && with != mutex;
        *sleepers = (mutex, count + 1);
        drop(sleepers);
        assert!(!is_another, "{TWO_MUTEXES}");
    }

    /// At most so many threads are woken.
    pub(crate) fn wakes(&self, most: usize) {
        let mut sleepers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sleepers.1 = sleepers.1.saturating_sub(most);
    }
}
