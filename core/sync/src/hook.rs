//! What a program does with the primitives, told to whoever explores it: the shuttle build only.
//!
//! Each visible operation is reported before it happens, at a scheduling point of its own, and each
//! release after it. Without an observer nothing is reported and there are no further scheduling
//! points. Nothing is decided here.

use std::cell::RefCell;
use std::rc::Rc;

use shuttle::current::get_current_task;
use shuttle::thread;

/// A mutex or a condvar of one execution: the thread that made it, and how many it had made before.
///
/// The same in every execution in which that thread does the same, whatever the others do meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    /// The thread, by its number: 0 is the main one.
    pub thread: u32,
    /// How many objects it had made before.
    pub nth: u32,
}

/// An operation that other threads can notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Takes a mutex, and waits for it if need be.
    Acquire(ObjectId),
    /// Takes a mutex if it is free.
    TryAcquire(ObjectId),
    /// Releases a mutex that others [try](Observer::is_tried) to take. Other releases nobody can notice
    /// who cannot as well go on later.
    Release(ObjectId),
    /// Wakes one or all who sleep on a condvar.
    Notify(ObjectId),
}

/// Whoever wants to know what the current thread does.
pub trait Observer {
    /// It makes a mutex or a condvar.
    fn created(&self) -> ObjectId;
    /// It will do this when it goes on after the scheduling point that follows.
    fn before(&self, operation: Operation);
    /// Whether some thread only tries to take this mutex, and may notice that it is held.
    fn is_tried(&self, mutex: ObjectId) -> bool;
    /// It uses something that is no primitive.
    fn touched(&self, object: ObjectId);
    /// It has taken a mutex that it only tried to take.
    fn acquired(&self, mutex: ObjectId);
    /// It has released a mutex.
    fn released(&self, mutex: ObjectId);
    /// It releases a mutex and falls asleep on a condvar; when it is woken it takes the mutex again.
    fn sleeps(&self, condvar: ObjectId, mutex: ObjectId);
}

thread_local! {
    static OBSERVER: RefCell<Option<Rc<dyn Observer>>> = const { RefCell::new(None) };
}

/// Tells `observer` of everything that this OS thread's executions do, until the answer is dropped.
#[must_use]
pub fn observe(observer: Rc<dyn Observer>) -> Observing {
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
    }
}

fn observer() -> Option<Rc<dyn Observer>> {
    get_current_task().and_then(|_| OBSERVER.with_borrow(Clone::clone))
}

/// See [`touch`](crate::touch).
pub(crate) fn touch(key: u32) {
    if let Some(observer) = observer() {
        observer.touched(ObjectId {
            thread: NO_THREAD,
            nth: key,
        });
    }
}

/// Stands for the maker of what is no primitive.
const NO_THREAD: u32 = u32::MAX;

/// The part of a primitive that reports.
#[derive(Debug)]
pub(crate) struct Object {
    /// `None` if nobody watched when it was made: then nobody is told of it.
    id: Option<ObjectId>,
}

impl Default for Object {
    fn default() -> Self {
        Self::new()
    }
}

impl Object {
    pub(crate) fn new() -> Self {
        Self {
            id: observer().map(|observer| observer.created()),
        }
    }

    fn told(&self) -> Option<(ObjectId, Rc<dyn Observer>)> {
        Some((self.id?, observer()?))
    }

    fn before(&self, operation: fn(ObjectId) -> Operation) {
        if let Some((id, observer)) = self.told() {
            observer.before(operation(id));
            thread::yield_now();
        }
    }

    pub(crate) fn before_acquire(&self) {
        self.before(Operation::Acquire);
    }

    pub(crate) fn before_try_acquire(&self) {
        self.before(Operation::TryAcquire);
    }

    pub(crate) fn before_release(&self) {
        // A scheduling point in the middle of a panic would be no place to go on from.
        if !std::thread::panicking()
            && let Some((id, observer)) = self.told()
            && observer.is_tried(id)
        {
            self.before(Operation::Release);
        }
    }

    pub(crate) fn before_notify(&self) {
        self.before(Operation::Notify);
    }

    pub(crate) fn acquired(&self) {
        if let Some((id, observer)) = self.told() {
            observer.acquired(id);
        }
    }

    pub(crate) fn released(&self) {
        if let Some((id, observer)) = self.told() {
            observer.released(id);
        }
    }

    pub(crate) fn sleeps(&self, mutex: &Self) {
        if let (Some((condvar, observer)), Some(mutex)) = (self.told(), mutex.id) {
            observer.sleeps(condvar, mutex);
        }
    }
}
