//! The states seen so far, by their hashes, shared by all workers.
//!
//! A state that is met again needs no search. Under a bound on preemptions it needs none if it was met
//! with as few before.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use rustc_hash::FxBuildHasher;

use crate::knowledge::Print;

/// As many parts, each under a lock of its own.
const SHARDS: usize = 64;

/// Bytes that one state takes in a table that is half full: key, value, and a control byte.
const ENTRY: u64 = (size_of::<([u64; 2], u64)>() as u64 + 1) * 3 / 2;

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

    /// Arrives after so many preemptions, or after any number: whether that is new.
    pub(crate) fn arrive(&self, print: Print, preemptions: u64) -> bool {
        self.with(print, |shard, key| match shard.get_mut(&key) {
            None => {
                shard.insert(key, preemptions);
                self.count.fetch_add(1, Ordering::Relaxed);
                true
            }
            Some(before) if *before <= preemptions => false,
            Some(before) => {
                *before = preemptions;
                true
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
    fn a_state_is_new_once() {
        let visited = Visited::new();
        assert!(visited.arrive(Print(7 << 64 | 9), 0));
        assert!(!visited.arrive(Print(7 << 64 | 9), 0));
        assert!(visited.arrive(Print(7 << 64 | 8), 0));
        assert_eq!(visited.len(), 2);
    }

    #[test]
    fn fewer_preemptions_are_a_reason_to_search_again() {
        let visited = Visited::new();
        let arrivals = [2, 2, 1, 2].map(|preemptions| visited.arrive(Print(1), preemptions));
        assert_eq!(arrivals, [true, false, true, false]);
        assert_eq!(visited.len(), 1);
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
