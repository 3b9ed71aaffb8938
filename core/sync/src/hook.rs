//! What a program does with the primitives, told to whoever explores it: the shuttle build only.
//!
//! An [`Observer`] hears of each operation before it happens, and says whether the thread has to stop
//! first, at a scheduling point of its own; when the thread goes on, the operation is done. What is not
//! an operation and counts all the same (what a thread knows, what the data are) it is told through
//! [`describe`](crate::describe), [`learn`](crate::learn) and [`forget`](crate::forget). Without an
//! observer nothing is reported. Nothing is decided here, but that what no observer can follow (a primitive
//! that is used on a thread which the observer does not know) is said aloud: see [`Alarm`].

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use shuttle::rand::Rng;

pub use crate::permutation::{Permutation, image, permutation, with_permutation};

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
    /// Under a [permutation](Permutation) its image.
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

/// Whoever wants to know what the current thread does.
pub trait Observer {
    /// It makes a mutex, a condvar, an atomic or a name; of a mutex `data` is the type of what it protects,
    /// as the compiler writes it.
    fn created(&self, kind: Kind, data: &'static str) -> ObjectId;
    /// A mutex, a condvar or an atomic is gone.
    fn dropped(&self, object: ObjectId);
    /// It will do this. If the answer is true it stops at a scheduling point first.
    fn announce(&self, operation: Operation, at: &'static Location<'static>) -> bool;
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

/// What went wrong where no observer is: on a thread that is none of the program's, for instance. One for
/// all executions of a search.
#[derive(Debug, Default)]
pub struct Alarm {
    raised: OnceLock<String>,
    over: AtomicBool,
}

impl Alarm {
    /// What went wrong first.
    #[must_use]
    pub fn raised(&self) -> Option<&str> {
        self.raised.get().map(String::as_str)
    }

    /// The search is over: what was made in it may be used like anything else.
    pub fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    fn raise(&self, why: &str) {
        self.raised.get_or_init(|| why.to_owned());
    }
}

/// One execution, by its address. What is made in it holds on to it.
#[derive(Debug)]
struct Execution {
    alarm: Arc<Alarm>,
    /// The program says that nothing more is to come of it.
    is_abandoned: AtomicBool,
}

const STRANGER: &str = "a primitive of nmr-sync is used on a thread that the explorer does not know \
    (std::thread, perhaps): start all threads of the program with nmr_sync::thread::spawn";

thread_local! {
    static EXECUTION: RefCell<Option<Arc<Execution>>> = const { RefCell::new(None) };
    static OBSERVER: RefCell<Option<Rc<dyn Observer>>> = const { RefCell::new(None) };
    static SLOTS_COUNT: Cell<bool> = const { Cell::new(false) };
}

/// Tells `observer` of everything that this OS thread's executions do, until the answer is dropped.
#[must_use]
pub fn observe(observer: Rc<dyn Observer>) -> Observing {
    OBSERVER.set(Some(observer));
    Observing { _private: () }
}

/// An execution begins. What was made before belongs to another one, and must not be used in it.
pub fn begin_execution(alarm: &Arc<Alarm>) {
    let alarm = alarm.clone();
    EXECUTION.set(Some(Arc::new(Execution {
        alarm,
        is_abandoned: AtomicBool::new(false),
    })));
}

/// Says that the execution at hand need not go on: it ends at the next scheduling point, with all its
/// threads where they are. For a program that has found what it looks for. Does nothing without an observer.
pub fn abandon_execution() {
    EXECUTION.with_borrow(|execution| {
        if let Some(execution) = execution {
            execution.is_abandoned.store(true, Ordering::Relaxed);
        }
    });
}

/// Whether the execution at hand was [abandoned](abandon_execution).
#[must_use]
pub fn is_abandoned() -> bool {
    EXECUTION.with_borrow(|execution| {
        let execution = execution.as_ref();
        execution.is_some_and(|execution| execution.is_abandoned.load(Ordering::Relaxed))
    })
}

/// Says that the program of the execution at hand does what no observer can follow.
pub fn raise_alarm(why: &str) {
    EXECUTION.with_borrow(|execution| {
        if let Some(execution) = execution {
            execution.alarm.raise(why);
        }
    });
}

/// See [`observe`].
#[derive(Debug)]
pub struct Observing {
    _private: (),
}

impl Drop for Observing {
    fn drop(&mut self) {
        OBSERVER.set(None);
        EXECUTION.set(None);
    }
}

/// Says whether in the programs that this OS thread executes from now on slots count: see
/// [`slots_count`](crate::slots_count).
pub fn set_slots_count(count: bool) {
    SLOTS_COUNT.set(count);
}

/// See [`slots_count`](crate::slots_count).
pub(crate) fn slots_count() -> bool {
    SLOTS_COUNT.get()
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
    if observer.announce(operation, at) {
        pause();
        if observer.is_dismissed() && !std::thread::panicking() {
            resume_unwind(Box::new(Dismissed));
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

/// The payload that unwinds a daemon when the program is over.
struct Dismissed;

/// Stays here for good: an execution that is taken apart goes on with destructors of a thread that was
/// unwinding, and one that waits in a loop would never end, nor may it panic.
pub(crate) fn stay() -> ! {
    loop {
        shuttle::thread::park();
    }
}

/// See [`mark`](crate::mark).
pub(crate) fn mark(place: &dyn fmt::Display) {
    if let Some(observer) = observer() {
        observer.marked(place);
    }
}

pub(crate) fn spawned(thread: usize, start: &Start<'_>) {
    if let Some(observer) = observer() {
        observer.spawned(thread, start);
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
        .unwrap_or("a panic without a message")
}

impl Drop for Life {
    fn drop(&mut self) {
        if let Some(observer) = observer() {
            observer.ended();
        }
    }
}

/// A new name, if somebody wants to know.
pub(crate) fn name() -> Option<ObjectId> {
    observer().map(|observer| observer.created(Kind::Name, ""))
}

/// The part of a primitive that reports.
#[derive(Debug)]
pub(crate) struct Object {
    /// With the execution in which it was made; `None` if nobody watched then.
    made: Option<(ObjectId, Arc<Execution>)>,
}

fn is_current(execution: &Arc<Execution>) -> bool {
    EXECUTION.with_borrow(|current| {
        let current = current.as_ref();
        current.is_some_and(|current| Arc::ptr_eq(current, execution))
    })
}

impl Drop for Object {
    fn drop(&mut self) {
        if let (Some((id, execution)), Some(observer)) = (&self.made, observer())
            && is_current(execution)
        {
            observer.dropped(*id);
        }
    }
}

/// A primitive and who watches it.
pub(crate) struct Watched {
    pub(crate) id: ObjectId,
    observer: Rc<dyn Observer>,
}

impl Object {
    pub(crate) fn new(kind: Kind, data: &'static str) -> Self {
        let made = observer().and_then(|observer| {
            let execution = EXECUTION.with_borrow(Clone::clone)?;
            Some((observer.created(kind, data), execution))
        });
        Self { made }
    }

    pub(crate) const fn is_observed(&self) -> bool {
        self.made.is_some()
    }

    /// `None` where nobody watches.
    ///
    /// # Panics
    /// On a thread that is none of the program's, while others of it are being explored.
    pub(crate) fn watched(&self) -> Option<Watched> {
        match (&self.made, observer()) {
            (Some((id, execution)), Some(observer)) if is_current(execution) => {
                Some(Watched { id: *id, observer })
            }
            (_, Some(observer)) => {
                observer.outsider();
                None
            }
            (Some((_, execution)), None) if !execution.alarm.over.load(Ordering::Relaxed) => {
                execution.alarm.raise(STRANGER);
                panic!("{STRANGER}");
            }
            (_, None) => None,
        }
    }
}

impl Watched {
    /// See [`Observer::waits_in_vain`].
    pub(crate) fn waits_in_vain(&self) -> bool {
        self.observer.waits_in_vain()
    }

    /// See [`Observer::sleeps_with_another`].
    pub(crate) fn sleeps_with_another(&self, mutex: &Self) -> bool {
        self.observer.sleeps_with_another(self.id, mutex.id)
    }

    /// See [`Observer::changed`].
    pub(crate) fn changed(&self) {
        self.observer.changed(self.id);
    }

    /// Announces the operation, stops if told to, and answers what came of it.
    pub(crate) fn perform(&self, operation: Operation, at: &'static Location<'static>) -> usize {
        perform(&*self.observer, operation, at)
    }

    pub(crate) fn needs_release_point(&self) -> bool {
        self.observer.needs_release_point(self.id)
    }

    pub(crate) fn released(&self) {
        self.observer.released(self.id);
    }

    pub(crate) fn found(&self, write: Write<'_>) {
        self.observer.told(Told::Found(self.id), write);
    }

    pub(crate) fn describe(&self, write: Write<'_>) {
        self.observer.told(Told::Data(self.id), write);
    }

    pub(crate) fn value(&self, value: &impl Hash) {
        let write: Write<'_> = &|mut state| value.hash(&mut state);
        self.observer.told(Told::Value(self.id), write);
    }
}
