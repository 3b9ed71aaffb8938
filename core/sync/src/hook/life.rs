//! Threads' lives: how they start, are waited for, and end.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe, Location, catch_unwind};
use std::sync::Once;

use super::protocol::{Operation, Start};
use super::{observer, observer_at_a_panic, perform};

pub(crate) fn spawned(thread: usize, start: &Start<'_>) {
    if let Some(observer) = observer() {
        observer.spawned(thread, start);
    }
}

/// Waits until a thread has ended, if somebody watches; otherwise whoever calls this has to.
#[track_caller]
pub(crate) fn join(thread: usize) {
    if let Some(observer) = observer() {
        perform(&*observer, Operation::Join(thread), Location::caller());
    }
}

pub(crate) fn joined(thread: usize) {
    if let Some(observer) = observer() {
        observer.joined(thread);
    }
}

/// The main thread has come to its end: it waits for all others.
#[track_caller]
pub fn join_all() {
    if let Some(observer) = observer() {
        perform(&*observer, Operation::JoinAll, Location::caller());
    }
}

/// A thread's life, from its first step to its last.
pub(crate) struct Life;

impl Life {
    /// Runs a thread's body. Under an observer its panic is kept for whoever joins it, and the others go on,
    /// as real threads do; shuttle alone takes any panic for the end of the model.
    #[track_caller]
    pub(crate) fn lead<T>(body: impl FnOnce() -> T) -> std::thread::Result<T> {
        let _life = Self;
        let at = Location::caller();
        let Some(observer) = observer() else {
            return Ok(body());
        };
        let begun = || {
            // Others may go on before its first step, and a daemon may never come to it.
            perform(&*observer, Operation::Choose(1), at);
            body()
        };
        catch_unwind(AssertUnwindSafe(begun)).inspect_err(|payload| {
            if !payload.is::<Dismissed>() {
                observer.panicked(text(&**payload));
            }
        })
    }
}

/// What a panic says.
#[must_use]
pub fn text(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or(NO_MESSAGE)
}

const NO_MESSAGE: &str = "a panic without a message";

/// Lets the observer know of a panic as it begins: whoever unwinds may be stuck in a destructor, and never come to an
/// end that says why.
pub(super) fn listen_to_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if let Some(observer) = observer_at_a_panic() {
                observer.panics(info.payload_as_str().unwrap_or(NO_MESSAGE));
            }
            before(info);
        }));
    });
}

impl Drop for Life {
    fn drop(&mut self) {
        if let Some(observer) = observer() {
            observer.ended();
        }
    }
}

/// The payload that unwinds a daemon when the program is over.
pub(super) struct Dismissed;

/// Stays here for good: an execution that is taken apart goes on with destructors of a thread that was
/// unwinding, and one that waits in a loop would never end, nor may it panic.
pub(crate) fn stay() -> ! {
    loop {
        shuttle::thread::park();
    }
}
