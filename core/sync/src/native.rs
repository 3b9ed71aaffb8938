//! The production backend: `parking_lot` and the operating system's threads, re-exported as they are.

pub use parking_lot::{Condvar, Mutex, MutexGuard};

pub(crate) const NAME: &str = "parking_lot";

/// Atomics, as std has them.
pub mod atomic {
    pub use std::sync::atomic::{AtomicUsize, Ordering};
}

/// Threads of the operating system.
pub mod thread {
    use std::num::NonZeroUsize;
    use std::ptr::NonNull;

    pub use std::thread::{JoinHandle, yield_now};

    pub use crate::builder::{Builder, spawn};

    /// Starts a thread.
    pub(crate) fn start<F, T>(builder: Builder, body: F) -> std::io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let mut inner = std::thread::Builder::new();
        if let Some(name) = builder.name {
            inner = inner.name(name);
        }
        inner.spawn(body)
    }

    thread_local! {
        static MARK: u8 = const { 0 };
    }

    /// Names a running thread. Two threads that run at the same time have different names; a name
    /// may be used again after its thread has ended.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct ThreadId(NonZeroUsize);

    /// The name of the calling thread.
    #[inline]
    #[must_use]
    pub fn current_id() -> ThreadId {
        // The address of a thread-local is unique among running threads, and much cheaper to get
        // than `std::thread::current()`, which counts a reference.
        MARK.with(|mark| ThreadId(NonNull::from_ref(mark).addr()))
    }
}
