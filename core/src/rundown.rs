//! Rundown protection: many may use an object, until its owner runs it down.
//!
//! One word counts the references and says whether it is closed, so that to acquire is one atomic step, and so is to
//! release. Only who waits takes a lock and sleeps, and only the last release after a closing wakes. The rules are
//! R1–R11 of the [`contract`](crate::contract). Not here: what is protected; a [`Rundown`] stands beside it.
//!
//! **Orderings.** A release releases, and who learns that everything is run down acquires: all changes of the word are
//! read-modify-writes, so each release heads a release sequence that goes on to the value that is read (R7). Acquiring
//! acquires from the re-initialisation. Each of them is needed: the tests weaken one after the other, and loom finds it.
//!
//! **The end of use (R10).** The step that gives back a reference is a release's last access to the rundown. The one that
//! has to wake somebody does so on an allocation that it holds a share of, taken before that step. Otherwise it would use
//! a lock that a waiter, who looks just then, may free already; and so would the lock itself: parking_lot's `unlock` looks
//! once more for whom to wake after others could take it.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use nmr_sync::Monitor;
use nmr_sync::atomic::{AtomicUsize, Ordering};

/// The bit that says that nothing is granted any more.
const CLOSED: usize = 1;
/// One reference: the other bits count them.
const ONE: usize = 2;

/// Protects an object from being run down while it is used: `EX_RUNDOWN_REF`.
///
/// Whoever uses the object acquires a reference, which is refused from the moment on at which somebody
/// [closes](Self::close) it or [waits](Self::wait). It is *run down* when it is closed and all references are released.
/// Rules R1–R11 of the [`contract`](crate::contract) say what is promised, and by which page of Windows' documentation:
///
/// | Windows | here |
/// |---|---|
/// | `ExInitializeRundownProtection` | [`new`](Self::new) |
/// | `ExAcquireRundownProtection`, `…Ex` | [`acquire`](Self::acquire), [`acquire_many`](Self::acquire_many); without a guard [`try_acquire`](Self::try_acquire), [`try_acquire_many`](Self::try_acquire_many) |
/// | `ExReleaseRundownProtection`, `…Ex` | the guard's end, [`Guard::release`]; without a guard [`release`](Self::release), [`release_many`](Self::release_many) |
/// | `ExWaitForRundownProtectionRelease` | [`wait`](Self::wait) |
/// | `ExRundownCompleted` | [`completed`](Self::completed) |
/// | `ExReInitializeRundownProtection` | [`reinitialise`](Self::reinitialise) |
/// | | [`close`](Self::close), for who must not block: a detach callback |
///
/// # A detach callback
///
/// A module calls its peer's dispatch table under a rundown, and closes it in its detach callback. If calls run then,
/// it answers *pending*, and the last of them completes:
///
/// ```
/// # #[cfg(not(any(loom, shuttle)))] {
/// use nmr::{Closing, Detach, Released, Rundown};
///
/// let calls = Rundown::new();
/// let call = calls.acquire().expect("it is open");
///
/// // In the detach callback:
/// let answer = match calls.close() {
///     Closing::RunDown => Detach::Complete,
///     Closing::Running => Detach::Pending,
/// };
/// assert_eq!(answer, Detach::Pending);
///
/// // Another call comes too late.
/// assert!(calls.acquire().is_none());
///
/// // At the end of each call:
/// match call.release() {
///     Released::Last => { /* complete the detach: `client_detach_provider_complete` */ }
///     Released::NotLast => unreachable!("this was the only one"),
/// }
/// # }
/// ```
///
/// # An owner that waits
///
/// ```
/// # #[cfg(not(any(loom, shuttle)))] {
/// use std::thread;
/// use nmr::Rundown;
///
/// let protection = Rundown::new();
/// thread::scope(|scope| {
///     scope.spawn(|| {
///         if let Some(_guard) = protection.acquire() {
///             // The object is there until the guard is dropped.
///         }
///     });
///     protection.wait();
///     // Nobody uses the object any more. It can be replaced:
///     protection.reinitialise().expect("it is run down");
///     assert!(protection.acquire().is_some());
/// });
/// # }
/// ```
///
/// # When its memory may be freed
///
/// In Rust a borrow or an [`Arc`] keeps it as long as a call is inside, and nothing is left to think of. Where a C
/// caller holds it by a plain pointer, it may be freed as Windows' may: when a `wait` has returned, a `close` has
/// answered [`Closing::RunDown`], or a release has answered [`Released::Last`], and no other wait is inside. Those that
/// have released do not touch it any more, even if their call has not returned yet (R10). That
/// [`is_run_down`](Self::is_run_down) is true is enough as well. Whoever acquires has to know by other means that the
/// memory is there.
///
/// # Cost
///
/// See `core/benches/rundown.rs`: `cargo bench -p nmr --bench rundown`.
pub struct Rundown {
    /// References, in units of `ONE`, and `CLOSED`.
    state: AtomicUsize,
    /// Where waiters sleep: how often it was re-initialised, for those that wait for an earlier time.
    rounds: Arc<Monitor<u64>>,
}

/// What [`Rundown::close`] answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "if something runs, its last release answers so, and somebody has to act on that"]
pub enum Closing {
    /// Nothing runs, and nothing will.
    RunDown,
    /// References are held. The release of the last one answers [`Released::Last`].
    Running,
}

/// What a release answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Released {
    /// It was the last one after a closing: it is run down now.
    Last,
    /// It is open, or other references are held.
    NotLast,
}

/// Why something that needs a rundown to be run down was refused. Nothing changed (R8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NotRunDown {
    /// Nobody has closed it, or it was re-initialised since.
    #[error("not run down: it is open; close it or wait for it first")]
    Open,
    /// It is closed, and still in use.
    #[error("not run down: {references} reference(s) are still held; wait for it first")]
    Running {
        /// How many were held.
        references: usize,
    },
}

impl Rundown {
    /// Open, and without references.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: AtomicUsize::new(0),
            rounds: Arc::new(Monitor::new(0)),
        }
    }

    /// A reference, unless it is closed. The guard releases it.
    ///
    /// # Panics
    /// If more than `usize::MAX / 2` references would be held.
    #[inline]
    #[must_use = "the guard releases at once if it is dropped"]
    pub fn acquire(&self) -> Option<Guard<'_>> {
        self.acquire_many(NonZeroUsize::MIN)
    }

    /// So many references at once, unless it is closed: all or none (R4). The guard releases them together.
    ///
    /// # Panics
    /// If more than `usize::MAX / 2` references would be held.
    #[inline]
    #[must_use = "the guard releases at once if it is dropped"]
    pub fn acquire_many(&self, count: NonZeroUsize) -> Option<Guard<'_>> {
        // Not `then_some`: a guard that is made is dropped.
        self.try_acquire_many(count).then(|| Guard {
            rundown: self,
            count,
        })
    }

    /// As [`acquire`](Self::acquire), without a guard: for who cannot hold one (C, a request that ends elsewhere). If it
    /// is true, a [`release`](Self::release) has to follow, on any thread.
    ///
    /// # Panics
    /// If more than `usize::MAX / 2` references would be held.
    #[inline]
    #[must_use = "what is acquired has to be released"]
    pub fn try_acquire(&self) -> bool {
        self.try_acquire_many(NonZeroUsize::MIN)
    }

    /// As [`acquire_many`](Self::acquire_many), without a guard.
    ///
    /// # Panics
    /// If more than `usize::MAX / 2` references would be held.
    #[inline]
    #[must_use = "what is acquired has to be released"]
    pub fn try_acquire_many(&self, count: NonZeroUsize) -> bool {
        let more = |state: usize| match state & CLOSED {
            0 => state.checked_add(units(count)?),
            _ => None,
        };
        let acquired = self
            .state
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, more);
        match acquired {
            Ok(_) => true,
            Err(state) if state & CLOSED != 0 => false,
            Err(state) => too_many(count, state),
        }
    }

    /// Gives back one reference that was acquired without a guard, and says whether it was the last one after a closing.
    ///
    /// # Panics
    /// If no reference is held. Nothing changes then (R9).
    #[inline]
    pub fn release(&self) -> Released {
        self.release_many(NonZeroUsize::MIN)
    }

    /// As [`release`](Self::release), of so many references.
    ///
    /// # Panics
    /// If fewer are held. Nothing changes then (R9).
    #[inline]
    pub fn release_many(&self, count: NonZeroUsize) -> Released {
        let less = |state: usize| match state & CLOSED {
            0 => state.checked_sub(units(count)?),
            _ => None,
        };
        let released = self
            .state
            .fetch_update(Ordering::Release, Ordering::Relaxed, less);
        match released {
            Ok(_) => Released::NotLast,
            Err(state) if state & CLOSED != 0 => self.release_closed(count),
            Err(state) => not_held(count, state),
        }
    }

    /// A release that may be the last one.
    #[cold]
    fn release_closed(&self, count: NonZeroUsize) -> Released {
        // Before the reference is given back: afterwards `self` may be gone (R10).
        let rounds = Arc::clone(&self.rounds);
        let less = |state: usize| state.checked_sub(units(count)?);
        let released = self
            .state
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, less);
        match released {
            Ok(state) if Some(state - CLOSED) == units(count) => {
                // Whoever looked before that step sleeps when this section begins.
                rounds.enter_then_notify(|_| ((), true));
                Released::Last
            }
            Ok(_) => Released::NotLast,
            Err(state) => not_held(count, state),
        }
    }

    /// Refuses every reference from now on, and says whether any is held. Does not block, and may be called again:
    /// the answer is about the time of the call.
    ///
    /// After [`Closing::Running`] exactly one release answers [`Released::Last`] (R6). Whoever closes and does not wait
    /// has to see to it that each release's answer is looked at: a [`Guard`] that is merely dropped says nothing.
    pub fn close(&self) -> Closing {
        let close = |state: usize| Some(state | CLOSED);
        let closed = self
            .state
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, close);
        match closed {
            Ok(state) if state >= ONE => Closing::Running,
            _ => Closing::RunDown,
        }
    }

    /// [Closes](Self::close) it and returns when all references are released. Of one that is run down already it
    /// returns at once (R5).
    ///
    /// Several threads may wait at once, and all of them return (R3). One whose wait has not returned when another
    /// [re-initialises](Self::reinitialise) it returns as well: what it waited for is run down.
    ///
    /// # Deadlock
    /// If the calling thread holds a reference, as in Windows.
    pub fn wait(&self) {
        // The round and the closing in one section: in between a re-initialisation could make it that of another round.
        let running = self.rounds.enter(|round| match self.close() {
            Closing::RunDown => None,
            Closing::Running => Some(*round),
        });
        if let Some(own) = running {
            self.rounds
                .wait_until(|round| (*round != own || self.is_run_down()).then_some(()));
        }
    }

    /// Whether it is closed and no reference is held. It stays so unless somebody re-initialises it. If it is true, what
    /// was done under its protection has been done (R7).
    #[must_use]
    pub fn is_run_down(&self) -> bool {
        self.state.load(Ordering::Acquire) == CLOSED
    }

    /// States that the run-down is over. A rundown knows that by itself, so this only looks: what Windows' function
    /// brings about (a wait returns at once, nothing is granted) is so already.
    ///
    /// # Errors
    /// [`NotRunDown`] if it is not.
    pub fn completed(&self) -> Result<(), NotRunDown> {
        not_run_down(self.state.load(Ordering::Acquire))
    }

    /// Opens it again, for another object.
    ///
    /// # Errors
    /// [`NotRunDown`] if it is open, or references are held; of several who try at once one succeeds, and the others find
    /// it open.
    pub fn reinitialise(&self) -> Result<(), NotRunDown> {
        let open = |state: usize| (state == CLOSED).then_some(0);
        let opened = self.rounds.enter(|round| {
            let opened = self
                .state
                .fetch_update(Ordering::AcqRel, Ordering::Relaxed, open);
            *round += u64::from(opened.is_ok());
            opened
        });
        opened.map_or_else(not_run_down, |_| Ok(()))
    }
}

impl Default for Rundown {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Rundown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.load(Ordering::Relaxed);
        f.debug_struct("Rundown")
            .field("references", &(state / ONE))
            .field("is_closed", &(state & CLOSED != 0))
            .finish_non_exhaustive()
    }
}

/// References to a [`Rundown`], given back when it is dropped.
#[derive(Debug)]
pub struct Guard<'a> {
    rundown: &'a Rundown,
    count: NonZeroUsize,
}

impl Guard<'_> {
    /// Gives them back now, and says whether they were the last after a closing.
    #[inline]
    pub fn release(self) -> Released {
        let (rundown, count) = (self.rundown, self.count);
        // A guard owns nothing else.
        std::mem::forget(self);
        rundown.release_many(count)
    }
}

impl Drop for Guard<'_> {
    #[inline]
    fn drop(&mut self) {
        self.rundown.release_many(self.count);
    }
}

/// So many references, as the word counts them.
#[inline]
const fn units(count: NonZeroUsize) -> Option<usize> {
    count.get().checked_mul(ONE)
}

fn not_run_down(state: usize) -> Result<(), NotRunDown> {
    match (state & CLOSED, state / ONE) {
        (0, _) => Err(NotRunDown::Open),
        (_, 0) => Ok(()),
        (_, references) => Err(NotRunDown::Running { references }),
    }
}

#[cold]
fn too_many(count: NonZeroUsize, state: usize) -> ! {
    panic!(
        "rundown protection: {count} more references are too many, {} are held",
        state / ONE
    )
}

#[cold]
fn not_held(count: NonZeroUsize, state: usize) -> ! {
    panic!(
        "rundown protection: {count} reference(s) are released, and {} are held",
        state / ONE
    )
}
