//! The states seen so far, by their hashes, shared by all workers; and for each the threads that were
//! asleep when it was first seen, from where nothing has been searched yet.
//!
//! A state that is met again needs no search if no thread is awake now that slept then (Godefroid,
//! LNCS 1032, 1996, chapter 6.3); otherwise those threads have to be searched from, and they alone.
//! Under a bound on preemptions it needs none if it was met with as few before.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use rustc_hash::FxBuildHasher;

use crate::knowledge::Print;

/// As many parts, each under a lock of its own.
const SHARDS: usize = 64;

/// Bytes that one state takes in a table that is half full: key, value, and a control byte.
const ENTRY: u64 = (size_of::<([u64; 2], u64)>() as u64 + 1) * 3 / 2;

/// What is to be done at a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// It is new: search from it.
    New,
    /// It was seen: nothing is to be done.
    Known,
    /// It was seen with these threads asleep, as bits, which are awake now: search from them.
    Awake(u64),
}

type Shard = HashMap<[u64; 2], u64, FxBuildHasher>;

/// See the [module's documentation](self).
#[derive(Debug)]
pub(crate) struct Visited {
    shards: Vec<Mutex<Shard>>,
    count: AtomicU64,
}

impl Visited {
    pub(crate) fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            count: AtomicU64::new(0),
        }
    }

    pub(crate) fn len(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// About how many bytes it takes.
    pub(crate) fn bytes(&self) -> u64 {
        self.len() * ENTRY
    }

    fn with<R>(&self, print: Print, visit: impl FnOnce(&mut Shard, [u64; 2]) -> R) -> R {
        let key = [(print.0 >> 64) as u64, print.0 as u64];
        let shard = &self.shards[key[0] as usize % SHARDS];
        visit(
            &mut shard.lock().unwrap_or_else(PoisonError::into_inner),
            key,
        )
    }

    /// Arrives with these threads asleep.
    pub(crate) fn arrive(&self, print: Print, asleep: u64) -> Arrival {
        self.with(print, |shard, key| match shard.get_mut(&key) {
            None => {
                shard.insert(key, asleep);
                self.count.fetch_add(1, Ordering::Relaxed);
                Arrival::New
            }
            Some(before) => match *before & !asleep {
                0 => Arrival::Known,
                awake => {
                    *before &= asleep;
                    Arrival::Awake(awake)
                }
            },
        })
    }

    /// Arrives after so many preemptions.
    pub(crate) fn arrive_bounded(&self, print: Print, preemptions: u32) -> Arrival {
        self.with(print, |shard, key| match shard.get_mut(&key) {
            None => {
                shard.insert(key, preemptions.into());
                self.count.fetch_add(1, Ordering::Relaxed);
                Arrival::New
            }
            Some(before) if *before <= u64::from(preemptions) => Arrival::Known,
            Some(before) => {
                *before = preemptions.into();
                Arrival::New
            }
        })
    }

    /// All states, for a checkpoint.
    pub(crate) fn entries(&self) -> Vec<([u64; 2], u64)> {
        let mut entries = Vec::with_capacity(self.len() as usize);
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            entries.extend(shard.iter().map(|(&key, &value)| (key, value)));
        }
        entries.sort_unstable();
        entries
    }

    /// Puts back what a checkpoint has.
    pub(crate) fn restore(&self, entries: Vec<([u64; 2], u64)>) {
        for (key, value) in entries {
            let print = Print(u128::from(key[0]) << 64 | u128::from(key[1]));
            self.with(print, |shard, key| {
                if shard.insert(key, value).is_none() {
                    self.count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_searched_again_only_from_threads_that_slept() {
        let visited = Visited::new();
        let print = Print(7 << 64 | 9);
        assert_eq!(visited.arrive(print, 0b110), Arrival::New);
        assert_eq!(visited.arrive(print, 0b111), Arrival::Known);
        assert_eq!(visited.arrive(print, 0b010), Arrival::Awake(0b100));
        assert_eq!(visited.arrive(print, 0b010), Arrival::Known);
        assert_eq!(visited.len(), 1);
    }

    #[test]
    fn fewer_preemptions_are_a_reason_to_search_again() {
        let visited = Visited::new();
        let print = Print(1);
        assert_eq!(visited.arrive_bounded(print, 2), Arrival::New);
        assert_eq!(visited.arrive_bounded(print, 2), Arrival::Known);
        assert_eq!(visited.arrive_bounded(print, 1), Arrival::New);
        assert_eq!(visited.arrive_bounded(print, 2), Arrival::Known);
    }

    #[test]
    fn what_is_put_back_is_known() {
        let (one, two) = (Visited::new(), Visited::new());
        for state in 0..100 {
            one.arrive(Print(state << 60), 0);
        }
        two.restore(one.entries());
        assert_eq!((two.len(), two.entries()), (100, one.entries()));
    }
}
