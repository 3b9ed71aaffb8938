//! The observer's protocol: what it is told, and what it answers.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::panic::Location;

use crate::permutation::image;

/// A mutex, a condvar, an atomic or a [`Name`](crate::Name) of one execution: the thread that made it, and how
/// many it had made before.
///
/// The same in every execution in which that thread does the same, whatever the others do meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectId {
    /// The thread, by its number: 0 is the main one.
    pub thread: u32,
    /// How many objects it had made before.
    pub nth: u32,
}

impl ObjectId {
    /// Stands for the maker of what is no primitive: see [`touch`](crate::touch).
    pub const NO_THREAD: u32 = u32::MAX;
}

impl Hash for ObjectId {
    /// Under a [permutation](crate::permutation::Permutation) its image.
    fn hash<H: Hasher>(&self, state: &mut H) {
        (image(self.thread as usize), self.nth).hash(state);
    }
}

/// An operation that other threads may notice, or that waits for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Takes a mutex, and waits for it if need be.
    Acquire(ObjectId),
    /// Takes a mutex if it is free. Comes out as 1 if it was.
    TryAcquire(ObjectId),
    /// Releases a mutex, if that [needs a point](Observer::needs_release_point): on which some thread calls
    /// `try_lock`. A blocking `lock` cannot tell an early release from a late one; other releases are reported
    /// only when done.
    Release(ObjectId),
    /// Releases a mutex and falls asleep on a condvar; when woken, takes the mutex again.
    Wait {
        /// The condvar.
        condvar: ObjectId,
        /// The mutex.
        mutex: ObjectId,
    },
    /// Wakes one thread that sleeps on a condvar, whichever.
    NotifyOne(ObjectId),
    /// Wakes all threads that sleep on a condvar.
    NotifyAll(ObjectId),
    /// Chooses a number below this one, and comes out as it.
    Choose(usize),
    /// Lets the others go on, and goes on itself together with its next operation: see
    /// [`linger`](crate::linger).
    Linger,
    /// Reads an atomic.
    Load(ObjectId),
    /// Reads an atomic and may write it, in one step.
    Update(ObjectId),
    /// Waits for the end of a thread, by its number.
    Join(usize),
    /// Waits for the end of all other threads but daemons: what the main thread does at its end.
    JoinAll,
    /// Lets others go first: what a thread does that looks again and again until something has changed.
    Yield,
}

impl Hash for Operation {
    /// Of which thread's end it waits for nothing is hashed: that follows from what the waiting thread
    /// knows. Threads that are waited for one after the other would not be alike otherwise.
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match *self {
            Self::Acquire(object)
            | Self::TryAcquire(object)
            | Self::Release(object)
            | Self::NotifyOne(object)
            | Self::NotifyAll(object)
            | Self::Load(object)
            | Self::Update(object) => object.hash(state),
            Self::Wait { condvar, mutex } => (condvar, mutex).hash(state),
            Self::Choose(below) => below.hash(state),
            Self::Linger | Self::Join(_) | Self::JoinAll | Self::Yield => {}
        }
    }
}

/// What bears an [`ObjectId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A mutex.
    Mutex,
    /// A condvar.
    Condvar,
    /// An atomic.
    Atomic,
    /// A [`Name`](crate::Name) of something else.
    Name,
}

/// Something that an observer is told beside the operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Told {
    /// What a mutex, which the thread holds, protected when the thread took it. Counts only if that was
    /// never told before.
    Found(ObjectId),
    /// What a mutex, which the thread holds, protects now: see [`describe`](crate::describe).
    Data(ObjectId),
    /// What is in an atomic that the thread has made or has just used.
    Value(ObjectId),
    /// All that the thread takes along from the critical section it is in: see [`learn`](crate::learn).
    Learnt,
    /// Something that the thread has learnt, whichever section it is in.
    Kept,
    /// All that the thread knows: see [`forget`](crate::forget).
    Known,
    /// The thread begins something, and remembers what it knows: see [`remember`](crate::remember).
    Remembers,
    /// What it last began to remember, and this, is all that the thread knows.
    RememberedAnd,
    /// It is over with what it last began to remember for.
    NoLongerRemembers,
}

/// Writes something into a hasher.
pub type Write<'a> = &'a dyn Fn(&mut dyn Hasher);

/// What a thread does before an operation that it has announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// Nothing.
    GoesOn,
    /// It stops at a scheduling point.
    Stops,
    /// It stays there for good: the execution is being taken apart, and the thread does not come to its end.
    Stays,
}

/// Whoever wants to know what the current thread does.
pub trait Observer {
    /// It makes a mutex, a condvar, an atomic or a name; of a mutex `data` is the type of what it protects,
    /// as the compiler writes it.
    fn created(&self, kind: Kind, data: &'static str) -> ObjectId;
    /// A mutex, a condvar or an atomic is gone.
    fn dropped(&self, object: ObjectId);
    /// It has a mutex for itself and comes to what that protects without taking it. `may_change`: and may change it.
    fn opened(&self, mutex: ObjectId, may_change: bool);
    /// It will do this. The answer is what it does first.
    fn announce(&self, operation: Operation, at: &'static Location<'static>) -> First;
    /// It has done what it announced; what came of it.
    fn done(&self) -> usize;
    /// It comes to wait. Whether the execution is being taken apart, so that nothing comes any more.
    fn waits_in_vain(&self) -> bool;
    /// Whether some thread only tries to take this mutex, and may notice that it is held; or may notify
    /// this condvar before somebody has fallen asleep on it.
    fn needs_release_point(&self, object: ObjectId) -> bool;
    /// It has released a mutex.
    fn released(&self, mutex: ObjectId);
    /// What it chooses from next, in the order of the numbers that it chooses.
    fn chooses_among(&self, options: &[Write<'_>]);
    /// It uses something that is no primitive.
    fn touched(&self, object: ObjectId);
    /// It says what something is. `write` may be called several times, or not at all.
    fn told(&self, what: Told, write: Write<'_>);
    /// It has come to a place that people know: see [`mark`](crate::mark).
    fn marked(&self, place: &dyn fmt::Display);
    /// It has borrowed what a mutex protects to change it, before it releases that.
    fn changed(&self, mutex: ObjectId);
    /// Whether some thread sleeps on this condvar with another mutex than this one.
    fn sleeps_with_another(&self, condvar: ObjectId, mutex: ObjectId) -> bool;
    /// It has started another thread.
    fn spawned(&self, thread: usize, start: &Start<'_>);
    /// It has waited for the end of another thread, and is told of its panic if it has had one.
    fn joined(&self, thread: usize);
    /// It begins to panic, and says this; not where a panic is only resumed. Must not panic itself.
    fn panics(&self, message: &str);
    /// It ends with a panic that says this.
    fn panicked(&self, message: &str);
    /// Whether the program is over for it: it is a [daemon](crate::thread::Builder::daemon), and all others
    /// have ended.
    fn is_dismissed(&self) -> bool;
    /// It ends.
    fn ended(&self);
    /// It uses a primitive that was made outside the program under test, or in an earlier execution.
    fn outsider(&self);
}

/// How a thread is started.
#[derive(Clone, Copy, Debug, Default)]
pub struct Start<'a> {
    /// Its name, if it has one.
    pub name: Option<&'a str>,
    /// The program does not wait for its end.
    pub is_daemon: bool,
}
