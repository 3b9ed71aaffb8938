//! What a program tells an explorer of itself, so that it finds out which states are the same. All of
//! it is optional, and does nothing in the builds that have no explorer.
//!
//! Who says nothing is explored as well, with more states: what a mutex protects counts as changed by
//! each critical section, whatever its type, and a thread as knowing all that was there. That holds for
//! what goes through this crate's primitives; of anything else that threads share an explorer knows only
//! by [`touch`].

use std::hash::{Hash, Hasher};

use crate::MutexGuard;
use crate::mix::Mix;

/// Says what a mutex protects now: to an explorer two states are one if they hash alike. Has to be
/// called after the last change in a critical section, with a `Hash` that leaves out nothing that any
/// thread could ever notice.
///
/// ```
/// # #[cfg(not(any(loom, shuttle)))] {
/// let total = nmr_sync::Mutex::new(0);
/// let mut guard = total.lock();
/// *guard += 1;
/// nmr_sync::describe(&guard);
/// # }
/// ```
#[inline]
pub fn describe<T: Hash + ?Sized>(guard: &MutexGuard<'_, T>) {
    #[cfg(shuttle)]
    if let Some(watched) = guard.object().watched() {
        watched.describe(&|mut state| (**guard).hash(&mut state));
    }
    #[cfg(not(shuttle))]
    let _guard = guard;
}

/// As [`describe`], for data that the thread has just found and not changed. Unless it was described
/// before, nothing would tell a first critical section that only reads from one that changes it.
#[inline]
pub(crate) fn found<T: Hash + ?Sized>(guard: &MutexGuard<'_, T>) {
    #[cfg(shuttle)]
    if let Some(watched) = guard.object().watched() {
        watched.found(&|mut state| (**guard).hash(&mut state));
    }
    #[cfg(not(shuttle))]
    let _guard = guard;
}

/// Says that the current thread has learnt this, besides what it knew and whatever section it is in.
#[cfg(shuttle)]
pub(crate) fn kept(value: &impl Hash) {
    crate::hook::tell(crate::hook::Told::Kept, value);
}

/// Says that `value` is all that the current thread takes along from the critical section that it is
/// in, the innermost one. Without it a thread is taken to know everything that the mutex protects.
#[inline]
pub fn learn(value: &impl Hash) {
    #[cfg(shuttle)]
    crate::hook::tell(crate::hook::Told::Learnt, value);
    #[cfg(not(shuttle))]
    let _ = value;
}

/// Says that `value` is all that the current thread knows: how far it has come, and what it has kept.
/// What it learnt before and does not use any more need not tell two states apart.
#[inline]
pub fn forget(value: &impl Hash) {
    #[cfg(shuttle)]
    crate::hook::tell(crate::hook::Told::Known, value);
    #[cfg(not(shuttle))]
    let _ = value;
}

/// Tells an explorer that the current thread uses something, known as `key`, that other threads use
/// too and that is no primitive of this crate: two threads that use the same `key` are not taken to be
/// independent. Adds no scheduling point.
#[inline]
pub fn touch(key: u32) {
    #[cfg(shuttle)]
    crate::hook::touch(key);
    #[cfg(not(shuttle))]
    let _ = key;
}

/// Names the place where the current thread is: in a schedule an operation is known by it, and by how often the
/// like was done since. To be called where people would say that something begins or is over: a call of the
/// program's own, a callback. An explorer that searches does not format it.
///
/// ```
/// nmr_sync::mark(&"deregister");
/// nmr_sync::mark(&format_args!("callback {}", 1));
/// ```
#[inline]
pub fn mark(place: &dyn std::fmt::Display) {
    #[cfg(shuttle)]
    crate::hook::mark(place);
    #[cfg(not(shuttle))]
    let _ = place;
}

/// Lets other threads go on, under an explorer: whatever the current thread does from here up to and
/// including its next operation on a primitive (to release a lock is one) is one step, before or after
/// which the others go on. To be called where something goes on for a while, a callback for instance, by
/// whoever can say that it does not matter that it goes on up to the next operation.
/// A thread that it starts in between cannot act before that operation either.
#[inline]
#[cfg_attr(shuttle, track_caller)]
pub fn linger() {
    #[cfg(shuttle)]
    crate::hook::linger();
}

/// One of several things, by its place among them: under an explorer each of them, which are told apart by
/// their hashes and not by their places, so that nothing depends on an order that has no meaning; under
/// shuttle's schedulers one at random; elsewhere the first.
///
/// # Panics
/// If there is nothing to choose from.
#[cfg_attr(shuttle, track_caller)]
#[must_use]
pub fn choose_among<T: Hash>(options: &[T]) -> usize {
    assert!(!options.is_empty(), "there is nothing to choose from");
    #[cfg(shuttle)]
    return crate::hook::choose_among(options);
    #[cfg(not(shuttle))]
    0
}

/// Whether an explorer runs the program.
#[inline]
#[must_use]
pub fn is_explored() -> bool {
    #[cfg(shuttle)]
    return crate::hook::is_observed();
    #[cfg(not(shuttle))]
    false
}

/// Remembers what the current thread knows, for as long as the answer lives: see [`Remembered::and`].
#[inline]
#[must_use]
pub fn remember() -> Remembered {
    #[cfg(shuttle)]
    crate::hook::tell(crate::hook::Told::Remembers, &());
    Remembered { _private: () }
}

/// What a thread knew when it began something. Those of one thread are dropped in the opposite order.
#[derive(Debug)]
pub struct Remembered {
    _private: (),
}

impl Remembered {
    /// Says that what the thread knew then, and `value`, is all that it knows now: a call has returned
    /// this answer, or a loop has come to its next turn with this. (Knowing less than before is what
    /// lets states be the same that were reached in different ways.)
    #[inline]
    pub fn and(&self, value: &impl Hash) {
        #[cfg(shuttle)]
        crate::hook::tell(crate::hook::Told::RememberedAnd, value);
        #[cfg(not(shuttle))]
        let _ = value;
    }
}

impl Drop for Remembered {
    #[inline]
    fn drop(&mut self) {
        #[cfg(shuttle)]
        crate::hook::tell(crate::hook::Told::NoLongerRemembers, &());
    }
}

/// Hashes items whose order means nothing, those of a map for instance: each on its own, and the sum.
///
/// ```
/// # use std::hash::{DefaultHasher, Hasher};
/// let hash = |items: &[&str]| {
///     let mut state = DefaultHasher::new();
///     nmr_sync::unordered(items, &mut state);
///     state.finish()
/// };
/// assert_eq!(hash(&["a", "b"]), hash(&["b", "a"]));
/// assert_ne!(hash(&["a", "b"]), hash(&["ab"]));
/// assert_ne!(hash(&["a"]), hash(&["a", "a"]));
/// ```
pub fn unordered(items: impl IntoIterator<Item = impl Hash>, state: &mut impl Hasher) {
    let (mut count, mut sum) = (0_usize, 0_u128);
    for item in items {
        let mut hasher = Mix::new();
        item.hash(&mut hasher);
        sum = sum.wrapping_add(hasher.finish128());
        count += 1;
    }
    count.hash(state);
    if count > 0 {
        sum.hash(state);
    }
}

/// Flags as one number, the first one lowest: what has many is hashed at once by it.
///
/// ```
/// assert_eq!(nmr_sync::bits([true, false, true]), 0b101);
/// ```
#[inline]
#[must_use]
pub const fn bits<const N: usize>(flags: [bool; N]) -> u16 {
    const { assert!(N <= 16, "there are 16 bits") }
    let (mut bits, mut place) = (0, 0);
    while place < N {
        bits |= (flags[place] as u16) << place;
        place += 1;
    }
    bits
}

/// A name for something that a program makes, which does not depend on what other threads make
/// meanwhile: where slots and numbers are handed out in the order of asking, a state is better
/// described by names. It has no size but under an explorer.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    #[cfg(shuttle)]
    id: Option<crate::hook::ObjectId>,
}

impl Name {
    /// A name that nothing else has.
    #[inline]
    #[must_use]
    #[expect(clippy::new_without_default, reason = "each one is different")]
    pub fn new() -> Self {
        Self {
            #[cfg(shuttle)]
            id: crate::hook::name(),
        }
    }
}

impl Hash for Name {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        #[cfg(shuttle)]
        self.id.hash(state);
        #[cfg(not(shuttle))]
        let _ = state;
    }
}
