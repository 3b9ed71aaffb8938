//! Locks that loom and shuttle do not see: for what the harness itself keeps, so that keeping it adds
//! no interleavings. Nothing may be called while one is held.

pub(crate) use std::sync::Mutex as Invisible;
use std::sync::{MutexGuard, PoisonError};

/// Takes the lock; a thread that panicked with it does not matter.
pub(crate) fn lock<T>(mutex: &Invisible<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
