//! The shuttle backend: `parking_lot`'s names and signatures over shuttle, under one of shuttle's own
//! schedulers or under an [observer](crate::hook).
//!
//! Differences from `parking_lot`:
//! - memory is sequentially consistent: no weaker ordering is explored;
//! - nothing has a time-out, and there are no spurious wake-ups (an observer may make some);
//! - `notify_one` may wake any waiting thread, at the scheduler's choice.
//!
//! Under shuttle's schedulers a mutex is shuttle's, and so is a condvar. Under an observer neither is
//! used: the observer, which sees every operation before it happens, lets a thread go on only when its
//! operation can be done, and all that is left is the data.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location;
use std::sync::{PoisonError, TryLockError};

use crate::hook::{Kind, Object, Operation, Watched, stay};
use crate::one_mutex::{OneMutex, TWO_MUTEXES};

pub(crate) const NAME: &str = "shuttle";

/// `parking_lot::Mutex` over shuttle's.
#[derive(Debug)]
pub struct Mutex<T: ?Sized> {
    object: Object,
    /// `None` if it was made under an observer.
    turn: Option<shuttle::sync::Mutex<()>>,
    /// Taken by whose turn it is.
    data: std::sync::Mutex<T>,
}

/// What [`Mutex::lock`] returns; unlocks when dropped.
pub struct MutexGuard<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
    // `None` only inside `Condvar::wait` and `drop`.
    data: Option<std::sync::MutexGuard<'a, T>>,
    // `None` under an observer, and where `data` is.
    turn: Option<shuttle::sync::MutexGuard<'a, ()>>,
    /// It was borrowed to change the data.
    is_changed: bool,
}

/// `parking_lot::Condvar` over shuttle's.
#[derive(Debug)]
pub struct Condvar {
    object: Object,
    /// `None` if it was made under an observer.
    inner: Option<shuttle::sync::Condvar>,
    /// Where no observer knows it.
    mutex: OneMutex,
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl Default for Condvar {
    fn default() -> Self {
        let object = Object::new(Kind::Condvar, "");
        let inner = (!object.is_observed()).then(shuttle::sync::Condvar::new);
        Self {
            object,
            inner,
            mutex: OneMutex::default(),
        }
    }
}

impl<T> Mutex<T> {
    /// A new, unlocked mutex.
    pub fn new(value: T) -> Self {
        let object = Object::new(Kind::Mutex, std::any::type_name::<T>()).protecting::<T>();
        Self {
            turn: (!object.is_observed()).then(|| shuttle::sync::Mutex::new(())),
            data: std::sync::Mutex::new(value),
            object,
        }
    }

    /// The protected data; no lock is needed, for nobody else has the mutex.
    pub fn into_inner(self) -> T {
        self.opened(false);
        ignore_poison(self.data.into_inner())
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits for the lock and takes it.
    #[track_caller]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        let turn = match self.object.watched() {
            Some(watched) => {
                watched.perform(Operation::Acquire(watched.id), Location::caller());
                None
            }
            None => self.turn.as_ref().map(|turn| ignore_poison(turn.lock())),
        };
        self.guard(turn)
    }

    /// The protected data; no lock is needed, for nobody else has the mutex.
    pub fn get_mut(&mut self) -> &mut T {
        self.opened(true);
        ignore_poison(self.data.get_mut())
    }

    /// Takes the lock if it is free.
    #[track_caller]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let turn = match self.object.watched() {
            Some(watched) => {
                let operation = Operation::TryAcquire(watched.id);
                if watched.perform(operation, Location::caller()) == 0 {
                    return None;
                }
                None
            }
            None => match self.turn.as_ref().map(shuttle::sync::Mutex::try_lock) {
                None => None,
                Some(Ok(turn)) => Some(turn),
                Some(Err(TryLockError::Poisoned(poison))) => Some(poison.into_inner()),
                Some(Err(TryLockError::WouldBlock)) => return None,
            },
        };
        Some(self.guard(turn))
    }

    /// Tells that whoever has this mutex for itself comes to what it protects.
    fn opened(&self, may_change: bool) {
        if let Some(watched) = self.object.owned() {
            watched.opened(may_change);
        }
    }

    fn guard<'a>(&'a self, turn: Option<shuttle::sync::MutexGuard<'a, ()>>) -> MutexGuard<'a, T> {
        MutexGuard {
            mutex: self,
            data: Some(self.data()),
            turn,
            is_changed: false,
        }
    }

    fn data(&self) -> std::sync::MutexGuard<'_, T> {
        match self.data.try_lock() {
            Ok(data) => data,
            Err(TryLockError::Poisoned(poison)) => poison.into_inner(),
            Err(TryLockError::WouldBlock) => match self.object.watched() {
                Some(watched) if watched.waits_in_vain() => stay(),
                _ => unreachable!("two threads at a time hold one mutex"),
            },
        }
    }
}

impl Condvar {
    /// A new condition that nobody waits for.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn unobserved(&self) -> &shuttle::sync::Condvar {
        let inner = self.inner.as_ref();
        inner.expect("what was made under an observer is used under it")
    }

    /// Releases the lock, sleeps until notified, and takes the lock again.
    #[track_caller]
    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let at = Location::caller();
        let mutex = guard.mutex;
        match (self.object.watched(), mutex.object.watched()) {
            (Some(condvar), Some(watched)) => {
                if watched.needs_release_point() || condvar.needs_release_point() {
                    watched.perform(Operation::Release(watched.id), at);
                }
                assert!(!condvar.sleeps_with_another(&watched), "{TWO_MUTEXES}");
                guard.tell_changed(&watched);
                guard.data = None;
                let operation = Operation::Wait {
                    condvar: condvar.id,
                    mutex: watched.id,
                };
                condvar.perform(operation, at);
            }
            _ => {
                self.mutex.sleeps(&raw const mutex.data);
                guard.data = None;
                let turn = guard.turn.take().expect("a guard holds its lock");
                guard.turn = Some(ignore_poison(self.unobserved().wait(turn)));
            }
        }
        guard.data = Some(mutex.data());
    }

    /// Wakes one waiting thread.
    #[track_caller]
    pub fn notify_one(&self) {
        match self.object.watched() {
            Some(watched) => {
                watched.perform(Operation::NotifyOne(watched.id), Location::caller());
            }
            None => {
                self.mutex.wakes(1);
                self.unobserved().notify_one();
            }
        }
    }

    /// Wakes every waiting thread.
    #[track_caller]
    pub fn notify_all(&self) {
        match self.object.watched() {
            Some(watched) => {
                watched.perform(Operation::NotifyAll(watched.id), Location::caller());
            }
            None => {
                self.mutex.wakes(usize::MAX);
                self.unobserved().notify_all();
            }
        }
    }
}

fn ignore_poison<G>(result: Result<G, PoisonError<G>>) -> G {
    result.unwrap_or_else(PoisonError::into_inner)
}

impl<T: ?Sized> MutexGuard<'_, T> {
    /// See [`describe`](crate::describe).
    pub(crate) fn object(&self) -> &Object {
        &self.mutex.object
    }

    fn tell_changed(&mut self, watched: &Watched) {
        if std::mem::take(&mut self.is_changed) {
            watched.changed();
        }
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        let Some(data) = self.data.take() else { return };
        let Some(watched) = self.mutex.object.watched() else {
            drop(data);
            self.turn = None;
            return;
        };
        self.tell_changed(&watched);
        // Also in the middle of a panic, which may be caught: shuttle lets others go on then.
        if watched.needs_release_point() {
            watched.perform(Operation::Release(watched.id), Location::caller());
        }
        drop(data);
        watched.released();
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.data.as_ref().expect("a guard holds its lock")
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.is_changed = true;
        self.data.as_mut().expect("a guard holds its lock")
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// Atomics of the model. Each operation is a step of its own; every ordering is taken for `SeqCst`.
pub mod atomic {
    use std::panic::Location;
    use std::sync::atomic::AtomicUsize as Plain;

    pub use std::sync::atomic::Ordering;

    use crate::hook::{Kind, Object, Operation};

    /// `std::sync::atomic::AtomicUsize` over shuttle's.
    #[derive(Debug)]
    pub struct AtomicUsize {
        object: Object,
        value: Value,
    }

    #[derive(Debug)]
    enum Value {
        /// Of an atomic that was made under an observer.
        Observed(Plain),
        Shuttle(shuttle::sync::atomic::AtomicUsize),
    }

    impl AtomicUsize {
        /// A new atomic with this in it.
        #[must_use]
        pub fn new(value: usize) -> Self {
            let object = Object::new(Kind::Atomic, "");
            let inner = match object.watched() {
                None => Value::Shuttle(shuttle::sync::atomic::AtomicUsize::new(value)),
                Some(watched) => {
                    watched.value(&value);
                    Value::Observed(Plain::new(value))
                }
            };
            Self {
                object,
                value: inner,
            }
        }

        /// What is in it; no step, for nobody else has it.
        #[must_use]
        pub fn into_inner(self) -> usize {
            match self.value {
                Value::Observed(plain) => {
                    let value = plain.into_inner();
                    crate::told::kept(&value);
                    value
                }
                Value::Shuttle(value) => value.into_inner(),
            }
        }

        /// What is in it, for people who look on: no step. `None` if it is shuttle's own.
        #[must_use]
        pub fn look(&self) -> Option<usize> {
            match &self.value {
                Value::Observed(plain) => Some(plain.load(Ordering::SeqCst)),
                Value::Shuttle(_) => None,
            }
        }

        /// What is in it.
        #[track_caller]
        pub fn load(&self, ordering: Ordering) -> usize {
            self.perform(
                Operation::Load,
                |value| value.load(ordering),
                |value| value.load(ordering),
            )
        }

        /// Puts something into it.
        #[track_caller]
        pub fn store(&self, new: usize, ordering: Ordering) {
            self.perform(
                Operation::Update,
                |value| value.store(new, ordering),
                |value| value.store(new, ordering),
            );
        }

        /// Adds to it, wrapping around; what was in it before.
        #[track_caller]
        pub fn fetch_add(&self, more: usize, ordering: Ordering) -> usize {
            self.perform(
                Operation::Update,
                |value| value.fetch_add(more, ordering),
                |value| value.fetch_add(more, ordering),
            )
        }

        /// Takes from it, wrapping around; what was in it before.
        #[track_caller]
        pub fn fetch_sub(&self, less: usize, ordering: Ordering) -> usize {
            self.perform(
                Operation::Update,
                |value| value.fetch_sub(less, ordering),
                |value| value.fetch_sub(less, ordering),
            )
        }

        /// Puts into it what `update` makes of what is in it, unless that is `None`; answers what was in it
        /// before, as an error if it was left.
        ///
        /// # Errors
        /// What is in it and was left there.
        #[track_caller]
        pub fn fetch_update(
            &self,
            set: Ordering,
            fetch: Ordering,
            update: impl Fn(usize) -> Option<usize>,
        ) -> Result<usize, usize> {
            self.perform(
                Operation::Update,
                |value| value.fetch_update(set, fetch, &update),
                |value| value.fetch_update(set, fetch, &update),
            )
        }

        #[track_caller]
        fn perform<R: std::hash::Hash>(
            &self,
            operation: fn(crate::hook::ObjectId) -> Operation,
            observed: impl FnOnce(&Plain) -> R,
            by_shuttle: impl FnOnce(&shuttle::sync::atomic::AtomicUsize) -> R,
        ) -> R {
            let plain = match &self.value {
                Value::Shuttle(value) => return by_shuttle(value),
                Value::Observed(plain) => plain,
            };
            let Some(watched) = self.object.watched() else {
                return observed(plain);
            };
            watched.perform(operation(watched.id), Location::caller());
            let answer = observed(plain);
            watched.value(&plain.load(Ordering::SeqCst));
            crate::told::kept(&answer);
            answer
        }
    }
}

/// Threads of the model.
pub mod thread {
    use std::hash::{Hash, Hasher};

    use crate::hook::{self, Life, Start};

    pub use crate::builder::{Builder, spawn};

    /// Lets others go first, where a scheduler of shuttle's heeds it.
    ///
    /// Under an explorer a thread that has only looked since it last yielded waits here until another thread has
    /// changed something that it has looked at. It has only looked if it borrowed no data mutably, or
    /// [described](crate::describe) them as what they were before; if what it tried to lock was held; if what it did to
    /// atomics left them as they were; and if it has said the same as in the round before, in which case what it
    /// counts, for instance, is the same. After anything else to yield is nothing.
    #[track_caller]
    pub fn yield_now() {
        if !hook::yield_now() {
            shuttle::thread::yield_now();
        }
    }

    /// Waits for a thread's end; what [`spawn`] returns.
    #[derive(Debug)]
    pub struct JoinHandle<T> {
        inner: shuttle::thread::JoinHandle<std::thread::Result<T>>,
    }

    /// Starts a thread of the model.
    #[track_caller]
    pub(crate) fn start<F, T>(builder: Builder, body: F) -> std::io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let inner = shuttle::thread::spawn(move || Life::lead(body));
        let start = Start {
            name: builder.name.as_deref(),
            is_daemon: builder.is_daemon,
        };
        hook::spawned(number(inner.thread().id()), &start);
        Ok(JoinHandle { inner })
    }

    impl<T> JoinHandle<T> {
        /// What the thread returned, or what it panicked with.
        ///
        /// # Errors
        /// The thread's panic.
        #[track_caller]
        pub fn join(self) -> std::thread::Result<T> {
            let thread = number(self.inner.thread().id());
            hook::join(thread);
            let result = self.inner.join().flatten();
            hook::joined(thread);
            result
        }
    }

    /// Names a thread of the running model.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct ThreadId(usize);

    impl Hash for ThreadId {
        fn hash<H: Hasher>(&self, state: &mut H) {
            hook::image(self.0).hash(state);
        }
    }

    fn number(id: shuttle::thread::ThreadId) -> usize {
        id.into()
    }

    /// The name of the calling thread.
    ///
    /// # Panics
    /// Outside a model, with shuttle's own message.
    #[must_use]
    pub fn current_id() -> ThreadId {
        let task = shuttle::current::get_current_task();
        ThreadId(task.expect("a thread of a model").into())
    }
}
