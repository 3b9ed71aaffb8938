//! The loom backend: `parking_lot`'s names and signatures over loom's primitives.
//!
//! Differences from `parking_lot`, all of them loom's own:
//! - a model has at most 5 threads, the main one included;
//! - `try_lock` is not ordered with the `lock`s of other threads as a real one is: a program that
//!   falls back from `try_lock` to blocking can be reported as a deadlock that it does not have;
//! - `notify_one` always wakes the thread that has waited longest;
//! - there are no spurious wake-ups;
//! - a guard that is dropped by a panic leaves the lock unusable: the next `lock` panics. Nothing in
//!   the registrar panics with a guard alive (it catches its callbacks' panics outside its locks).

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{PoisonError, TryLockError};

use crate::one_mutex::OneMutex;

pub(crate) const NAME: &str = "loom";

/// `parking_lot::Mutex` over loom's.
#[derive(Debug, Default)]
pub struct Mutex<T: ?Sized> {
    inner: loom::sync::Mutex<T>,
}

/// What [`Mutex::lock`] returns; unlocks when dropped.
pub struct MutexGuard<'a, T: ?Sized> {
    // `None` only while the guard is inside `Condvar::wait`.
    inner: Option<loom::sync::MutexGuard<'a, T>>,
    mutex: &'a Mutex<T>,
}

/// `parking_lot::Condvar` over loom's.
#[derive(Debug, Default)]
pub struct Condvar {
    inner: loom::sync::Condvar,
    mutex: OneMutex,
}

impl<T> Mutex<T> {
    /// A new, unlocked mutex.
    pub fn new(value: T) -> Self {
        Self {
            inner: loom::sync::Mutex::new(value),
        }
    }

    /// The protected data; no lock is needed, for nobody else has the mutex.
    pub fn into_inner(self) -> T {
        ignore_poison(self.inner.into_inner())
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits for the lock and takes it.
    #[track_caller]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard {
            inner: Some(ignore_poison(self.inner.lock())),
            mutex: self,
        }
    }

    /// The protected data; no lock is needed, for nobody else has the mutex.
    pub fn get_mut(&mut self) -> &mut T {
        ignore_poison(self.inner.get_mut())
    }

    /// Takes the lock if it is free.
    #[track_caller]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let inner = match self.inner.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poison)) => poison.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some(MutexGuard {
            inner: Some(inner),
            mutex: self,
        })
    }
}

impl Condvar {
    /// A new condition that nobody waits for.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Releases the lock, sleeps until notified, and takes the lock again.
    #[track_caller]
    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        self.mutex.sleeps(&raw const guard.mutex.inner);
        let inner = guard.inner.take().expect("a guard holds its lock");
        guard.inner = Some(ignore_poison(self.inner.wait(inner)));
    }

    /// Wakes one waiting thread.
    #[track_caller]
    pub fn notify_one(&self) {
        self.mutex.wakes(1);
        self.inner.notify_one();
    }

    /// Wakes every waiting thread.
    #[track_caller]
    pub fn notify_all(&self) {
        self.mutex.wakes(usize::MAX);
        self.inner.notify_all();
    }
}

fn ignore_poison<G>(result: Result<G, PoisonError<G>>) -> G {
    result.unwrap_or_else(PoisonError::into_inner)
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.inner.as_ref().expect("a guard holds its lock")
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.inner.as_mut().expect("a guard holds its lock")
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// Atomics of the model.
pub mod atomic {
    pub use loom::sync::atomic::{AtomicUsize, Ordering};
}

/// Threads of the model.
pub mod thread {
    pub use loom::thread::{JoinHandle, yield_now};

    pub use crate::builder::{Builder, spawn};

    /// Starts a thread of the model.
    #[track_caller]
    pub(crate) fn start<F, T>(builder: Builder, body: F) -> std::io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let mut inner = loom::thread::Builder::new();
        if let Some(name) = builder.name {
            inner = inner.name(name);
        }
        inner.spawn(body)
    }

    /// Names a thread of the running model.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct ThreadId(loom::thread::ThreadId);

    /// The name of the calling thread.
    ///
    /// # Panics
    /// Outside a model, with loom's own message.
    #[must_use]
    pub fn current_id() -> ThreadId {
        ThreadId(loom::thread::current().id())
    }
}
