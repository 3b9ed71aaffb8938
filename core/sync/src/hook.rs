//! What a program does with the primitives, told to whoever explores it: the shuttle build only.
//!
//! An [`Observer`] hears of each operation before it happens, and says whether the thread has to stop
//! first, at a scheduling point of its own; when the thread goes on, the operation is done. What is not
//! an operation and counts all the same (what a thread knows, what the data are) it is told through
//! [`describe`](crate::describe), [`learn`](crate::learn) and [`forget`](crate::forget). Without an
//! observer nothing is reported. Nothing is decided here, but that what no observer can follow (a primitive
//! that is used on a thread which the observer does not know) is said aloud: see [`Alarm`].

mod execution;
mod life;
mod object;
mod protocol;

use std::cell::RefCell;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::panic::{Location, resume_unwind};
use std::rc::Rc;
use std::time::Duration;

use shuttle::rand::Rng;

pub use crate::permutation::{Permutation, image, permutation, with_permutation};
pub use execution::{Alarm, abandon_execution, begin_execution, is_abandoned, raise_alarm};
pub use life::{join_all, text};
pub use protocol::{First, Kind, ObjectId, Observer, Operation, Start, Told, Write};

use life::Dismissed;
pub(crate) use life::{Life, join, joined, spawned, stay};
pub(crate) use object::{Object, Watched};

thread_local! {
    static OBSERVER: RefCell<Option<Rc<dyn Observer>>> = const { RefCell::new(None) };
}

/// Tells `observer` of everything that this OS thread's executions do, until the answer is dropped.
#[must_use]
pub fn observe(observer: Rc<dyn Observer>) -> Observing {
    life::listen_to_panics();
    OBSERVER.set(Some(observer));
    Observing { _private: () }
}

/// See [`observe`].
#[derive(Debug)]
pub struct Observing {
    _private: (),
}

impl Drop for Observing {
    fn drop(&mut self) {
        OBSERVER.set(None);
        execution::end_execution();
    }
}

/// Whether somebody observes the current thread.
#[must_use]
pub fn is_observed() -> bool {
    observer().is_some()
}

/// An observer knows by itself whether an execution is at hand.
fn observer() -> Option<Rc<dyn Observer>> {
    OBSERVER.with_borrow(Clone::clone)
}

/// The same, where it must not panic.
fn observer_at_a_panic() -> Option<Rc<dyn Observer>> {
    let observer = OBSERVER.try_with(|observer| observer.try_borrow().ok()?.clone());
    observer.ok().flatten()
}

/// Stops the current thread at a scheduling point. shuttle knows no time: its sleep is a mere switch.
fn pause() {
    shuttle::thread::sleep(Duration::ZERO);
}

/// See [`touch`](crate::touch).
pub(crate) fn touch(key: u32) {
    if let Some(observer) = observer() {
        observer.touched(ObjectId {
            thread: ObjectId::NO_THREAD,
            nth: key,
        });
    }
}

/// See [`learn`](crate::learn) and [`forget`](crate::forget).
pub(crate) fn tell(what: Told, value: &impl Hash) {
    if let Some(observer) = observer() {
        observer.told(what, &|mut state| value.hash(&mut state));
    }
}

/// A number below `below`, each of which is tried: by an explorer all of them, by shuttle's schedulers
/// one at random.
///
/// # Panics
/// If there is no such number, or outside a model.
#[track_caller]
#[must_use]
pub fn choose(below: usize) -> usize {
    assert!(below > 0, "there is no number below 0");
    match observer() {
        Some(observer) => perform(&*observer, Operation::Choose(below), Location::caller()),
        None => shuttle::rand::thread_rng().gen_range(0..below),
    }
}

/// See [`choose_among`](crate::choose_among).
#[track_caller]
pub(crate) fn choose_among<T: Hash>(options: &[T]) -> usize {
    if let Some(observer) = observer() {
        let writes: Vec<_> = options.iter().map(writes).collect();
        let writes: Vec<Write<'_>> = writes.iter().map(|write| write as Write<'_>).collect();
        observer.chooses_among(&writes);
    }
    choose(options.len())
}

/// What hashes `what`.
fn writes<T: Hash>(what: &T) -> impl Fn(&mut dyn Hasher) {
    move |mut state| what.hash(&mut state)
}

/// See [`linger`](crate::linger).
#[track_caller]
pub(crate) fn linger() {
    if let Some(observer) = observer() {
        perform(&*observer, Operation::Linger, Location::caller());
    }
}

fn perform(observer: &dyn Observer, operation: Operation, at: &'static Location<'static>) -> usize {
    match observer.announce(operation, at) {
        First::GoesOn => {}
        First::Stays => stay(),
        First::Stops => {
            pause();
            if observer.is_dismissed() && !std::thread::panicking() {
                resume_unwind(Box::new(Dismissed));
            }
        }
    }
    let waits = matches!(
        operation,
        Operation::Wait { .. } | Operation::Join(_) | Operation::JoinAll
    );
    if waits && observer.waits_in_vain() {
        stay();
    }
    observer.done()
}

/// See [`mark`](crate::mark).
pub(crate) fn mark(place: &dyn fmt::Display) {
    if let Some(observer) = observer() {
        observer.marked(place);
    }
}

/// Lets others go first. Answers whether somebody watches; otherwise whoever calls this has to do it.
#[track_caller]
pub(crate) fn yield_now() -> bool {
    let observer = observer();
    if let Some(observer) = &observer {
        perform(&**observer, Operation::Yield, Location::caller());
    }
    observer.is_some()
}

/// A new name, if somebody wants to know.
pub(crate) fn name() -> Option<ObjectId> {
    observer().map(|observer| observer.created(Kind::Name, ""))
}
