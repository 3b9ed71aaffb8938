//! The states seen so far, by their fingerprints, and the backtrack set of each: what is left to choose there. Shared
//! by all workers.
//!
//! A state that is met again needs no search of its own: only what nobody has chosen there yet is still
//! to be chosen, by whoever comes there first, on whichever path.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

use crate::checker::fingerprint::Fingerprint;
use crate::checker::program::Choice;

/// As many parts, each under a lock of its own.
const SHARDS: usize = 64;

/// What is left to choose, in order of preference; `None` if nothing is.
type Backtrack = Option<Box<SmallVec<[Choice; 4]>>>;

/// Bytes that one state takes in a table that is half full: key, value, and a control byte.
const ENTRY: u64 = (size_of::<([u64; 2], Backtrack)>() as u64 + 1) * 3 / 2;

/// Bytes that a state takes in addition while something is left to choose there: the choices, and the
/// path that leads there (which others share).
const BACKTRACK: u64 = 256;

type Shard = HashMap<[u64; 2], Backtrack, FxBuildHasher>;

/// What somebody finds who comes to a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visit {
    /// Nobody was there before. The first choice is taken, the others are left.
    New,
    /// This choice was left, and is taken.
    Unexplored(Choice),
    /// Nothing is left.
    Exhausted,
}

/// See the [module's documentation](self).
#[derive(Debug)]
pub(crate) struct Visited {
    shards: Vec<Mutex<Shard>>,
    states: AtomicU64,
    /// States with something left to choose.
    unexplored: AtomicU64,
    /// Choices left.
    left: AtomicU64,
    /// Choices taken.
    taken: AtomicU64,
    /// Bytes of the workers' snapshots.
    snapshots: AtomicU64,
}

/// The states and their backtrack sets, for a file.
pub(crate) type Saved = Vec<([u64; 2], Vec<Choice>)>;

impl Visited {
    pub(crate) fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            states: AtomicU64::new(0),
            unexplored: AtomicU64::new(0),
            left: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            snapshots: AtomicU64::new(0),
        }
    }

    /// How many states there are.
    pub(crate) fn len(&self) -> u64 {
        self.states.load(Ordering::Relaxed)
    }

    /// Choices that were taken.
    pub(crate) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Choices that are left.
    pub(crate) fn left(&self) -> u64 {
        self.left.load(Ordering::Relaxed)
    }

    /// About how many bytes it takes.
    pub(crate) fn bytes(&self) -> u64 {
        let backtrack = self.unexplored.load(Ordering::Relaxed) * BACKTRACK;
        self.len() * ENTRY + backtrack + self.snapshots.load(Ordering::Relaxed)
    }

    /// A worker has taken a snapshot of so many bytes.
    pub(crate) fn add_snapshot(&self, bytes: u64) {
        self.snapshots.fetch_add(bytes, Ordering::Relaxed);
    }

    /// It has no more use for it.
    pub(crate) fn remove_snapshot(&self, bytes: u64) {
        self.snapshots.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn with<R>(
        &self,
        fingerprint: Fingerprint,
        f: impl FnOnce(Entry<'_, [u64; 2], Backtrack>) -> R,
    ) -> R {
        let key = [(fingerprint.0 >> 64) as u64, fingerprint.0 as u64];
        let shard = &self.shards[key[0] as usize % SHARDS];
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        f(shard.entry(key))
    }

    fn add(&self, entry: Entry<'_, [u64; 2], Backtrack>, left: &[Choice]) {
        self.states.fetch_add(1, Ordering::Relaxed);
        self.left.fetch_add(left.len() as u64, Ordering::Relaxed);
        let unexplored = !left.is_empty();
        self.unexplored
            .fetch_add(unexplored.into(), Ordering::Relaxed);
        entry.insert_entry(unexplored.then(|| Box::new(left.into())));
    }

    fn remove(&self, backtrack: &mut Backtrack, index: usize) -> Choice {
        let choices = backtrack.as_mut().expect("something is left");
        let taken = choices.remove(index);
        if choices.is_empty() {
            *backtrack = None;
            self.unexplored.fetch_sub(1, Ordering::Relaxed);
        }
        self.left.fetch_sub(1, Ordering::Relaxed);
        self.taken.fetch_add(1, Ordering::Relaxed);
        taken
    }

    /// Comes to a state where these can be chosen, in order of preference.
    pub(crate) fn visit(&self, fingerprint: Fingerprint, choices: &[Choice]) -> Visit {
        self.with(fingerprint, |mut entry| match &mut entry {
            Entry::Vacant(_) => {
                self.add(entry, &choices[1..]);
                self.taken.fetch_add(1, Ordering::Relaxed);
                Visit::New
            }
            Entry::Occupied(state) => {
                let backtrack = state.get_mut();
                let preferred = backtrack.as_ref().map(|left| {
                    let mut all = choices.iter();
                    let first = all.find_map(|one| left.iter().position(|other| other == one));
                    // Something else is left than can be chosen: whoever takes it will say so.
                    first.unwrap_or(0)
                });
                match preferred {
                    Some(index) => Visit::Unexplored(self.remove(backtrack, index)),
                    None => Visit::Exhausted,
                }
            }
        })
    }

    /// Takes a choice that is left at a state, if one is.
    pub(crate) fn take(&self, fingerprint: Fingerprint) -> Option<Choice> {
        self.with(fingerprint, |entry| match entry {
            Entry::Occupied(mut state) if state.get().is_some() => {
                Some(self.remove(state.get_mut(), 0))
            }
            _ => None,
        })
    }

    /// Whether something is left to choose at a state.
    pub(crate) fn has_unexplored(&self, fingerprint: Fingerprint) -> bool {
        self.with(
            fingerprint,
            |entry| matches!(entry, Entry::Occupied(state) if state.get().is_some()),
        )
    }

    /// What was taken is left again.
    pub(crate) fn give_back(&self, fingerprint: Fingerprint, choice: Choice) {
        self.with(fingerprint, |entry| {
            if let Entry::Occupied(mut state) = entry {
                let backtrack = state.get_mut();
                if backtrack.is_none() {
                    self.unexplored.fetch_add(1, Ordering::Relaxed);
                }
                backtrack.get_or_insert_default().insert(0, choice);
                self.left.fetch_add(1, Ordering::Relaxed);
                self.taken.fetch_sub(1, Ordering::Relaxed);
            }
        });
    }

    /// All states, for a checkpoint.
    pub(crate) fn saved(&self) -> Saved {
        let mut saved = Vec::with_capacity(self.len() as usize);
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let states = shard.iter().map(|(&key, left)| {
                let left = left.as_ref().map(|left| left.to_vec());
                (key, left.unwrap_or_default())
            });
            saved.extend(states);
        }
        saved.sort_unstable();
        saved
    }

    /// What a checkpoint has.
    pub(crate) fn restored(saved: Saved) -> Self {
        let visited = Self::new();
        for (key, left) in saved {
            let fingerprint = Fingerprint(u128::from(key[0]) << 64 | u128::from(key[1]));
            visited.with(fingerprint, |entry| visited.add(entry, &left));
        }
        visited
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATE: Fingerprint = Fingerprint(7 << 64 | 9);
    const OTHER: Fingerprint = Fingerprint(7 << 64 | 8);

    fn choices<const N: usize>(threads: [usize; N]) -> [Choice; N] {
        threads.map(|thread| Choice::new(thread, 0))
    }

    #[test]
    fn a_state_is_new_once_and_exhausted_when_nothing_is_left() {
        let visited = Visited::new();
        let [one, two] = choices([1, 2]);
        assert_eq!(visited.visit(STATE, &[one, two]), Visit::New);
        assert_eq!(visited.visit(STATE, &[one, two]), Visit::Unexplored(two));
        assert_eq!(visited.visit(STATE, &[one, two]), Visit::Exhausted);
        assert_eq!(visited.visit(OTHER, &[one, two]), Visit::New);
        assert_eq!((visited.len(), visited.left(), visited.taken()), (2, 1, 3));
    }

    #[test]
    fn whoever_comes_takes_what_is_preferred_of_what_is_left() {
        let visited = Visited::new();
        let [one, two, three] = choices([1, 2, 3]);
        visited.visit(STATE, &[one, two, three]);
        assert_eq!(
            visited.visit(STATE, &[three, one, two]),
            Visit::Unexplored(three)
        );
        assert_eq!(visited.take(STATE), Some(two));
        assert_eq!(visited.take(STATE), None);
        assert_eq!(visited.take(OTHER), None);
    }

    #[test]
    fn what_is_given_back_is_left() {
        let visited = Visited::new();
        let [one, two] = choices([1, 2]);
        visited.visit(STATE, &[one, two]);
        let bytes = visited.bytes();
        assert_eq!(visited.take(STATE), Some(two));
        assert!(!visited.has_unexplored(STATE) && visited.bytes() < bytes);
        visited.give_back(STATE, two);
        assert!(visited.has_unexplored(STATE));
        assert_eq!((visited.bytes(), visited.left()), (bytes, 1));
    }

    #[test]
    fn what_is_restored_is_what_there_was() {
        let one = Visited::new();
        for state in 0..100 {
            one.visit(Fingerprint(state << 60), &choices([1, 2, 3]));
            one.take(Fingerprint((state / 2) << 60));
        }
        let two = Visited::restored(one.saved());
        assert_eq!(two.saved(), one.saved());
        assert_eq!(
            (two.len(), two.left(), two.bytes()),
            (100, one.left(), one.bytes())
        );
    }
}
