//! The states seen so far, by their fingerprints. Shared by all workers.
//!
//! Open addressing with linear probing, in shards that grow one at a time, each under a lock of its own. A shard grows
//! by half when four fifths of it are full, so a state takes between 20 and 30 bytes. (A table of the standard
//! library's kind doubles, and takes up to 39.)

use std::num::NonZeroU128;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crossbeam_utils::CachePadded;

use crate::encoder::Fingerprint;
use crate::memory::{Memory, NoRoom};

/// So many that two workers seldom want the same one, and that a growing one does not hold them up for long.
const SHARDS: usize = 256;

type Slot = Option<NonZeroU128>;

/// Bytes of a slot.
const SLOT: u64 = size_of::<Slot>() as u64;

/// What became of a fingerprint that was put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Insertion {
    /// It was not there.
    New,
    /// It was there.
    Known,
}

/// See the [module's documentation](self).
#[derive(Debug)]
pub(crate) struct Visited {
    shards: Vec<CachePadded<Mutex<Shard>>>,
}

impl Visited {
    pub(crate) fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| CachePadded::default()).collect(),
        }
    }

    /// The shard by the upper half: the place in it is by the lower one.
    fn shard(&self, fingerprint: NonZeroU128) -> MutexGuard<'_, Shard> {
        let shard = &self.shards[(fingerprint.get() >> 64) as usize % SHARDS];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts it in. Without room for it nothing is changed.
    pub(crate) fn insert(
        &self,
        fingerprint: Fingerprint,
        memory: &Memory,
    ) -> Result<Insertion, NoRoom> {
        let fingerprint = non_zero(fingerprint);
        self.shard(fingerprint).insert(fingerprint, memory)
    }

    /// Calls it with each, in no order.
    pub(crate) fn for_each(&self, mut call: impl FnMut(Fingerprint)) {
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let all = shard.slots.iter().flatten();
            all.for_each(|hash| call(Fingerprint(hash.get())));
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        let used = |shard: &CachePadded<Mutex<Shard>>| {
            shard.lock().unwrap_or_else(PoisonError::into_inner).used
        };
        self.shards.iter().map(used).sum()
    }
}

/// No state is lost by it: the hash is as likely to be 1.
fn non_zero(Fingerprint(hash): Fingerprint) -> NonZeroU128 {
    NonZeroU128::new(hash).unwrap_or(NonZeroU128::MIN)
}

#[derive(Debug, Default)]
struct Shard {
    slots: Vec<Slot>,
    used: usize,
}

impl Shard {
    /// Where it is, or where it would be put, and whether it is there. `None` in a shard without slots.
    fn find(&self, fingerprint: NonZeroU128) -> Option<(usize, bool)> {
        let size = self.slots.len();
        if size == 0 {
            return None;
        }
        let low = fingerprint.get() as u64;
        let mut place = ((u128::from(low) * size as u128) >> 64) as usize;
        while let Some(there) = self.slots[place] {
            if there == fingerprint {
                return Some((place, true));
            }
            place = if place + 1 == size { 0 } else { place + 1 };
        }
        Some((place, false))
    }

    fn insert(&mut self, fingerprint: NonZeroU128, memory: &Memory) -> Result<Insertion, NoRoom> {
        let mut found = self.find(fingerprint);
        if let Some((_, true)) = found {
            return Ok(Insertion::Known);
        }
        if (self.used + 1) * 5 > self.slots.len() * 4 {
            self.grow(memory)?;
            found = self.find(fingerprint);
        }
        memory.take_state()?;
        let (place, _) = found.expect("it has grown");
        self.slots[place] = Some(fingerprint);
        self.used += 1;
        Ok(Insertion::New)
    }

    fn grow(&mut self, memory: &Memory) -> Result<(), NoRoom> {
        let size = (self.slots.len() + self.slots.len() / 2).max(16);
        memory.take((size - self.slots.len()) as u64 * SLOT)?;
        let old = std::mem::replace(&mut self.slots, vec![None; size]);
        for fingerprint in old.into_iter().flatten() {
            let (place, _) = self.find(fingerprint).expect("it has slots");
            self.slots[place] = Some(fingerprint);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoder::Encoder;

    fn fingerprint(number: u32) -> Fingerprint {
        let mut encoder = Encoder::default();
        encoder.put_u32(number);
        encoder.fingerprint()
    }

    fn filled(states: u32) -> (Visited, Memory) {
        let (visited, memory) = (Visited::new(), Memory::new(u64::MAX));
        for number in 0..states {
            let insertion = visited.insert(fingerprint(number), &memory);
            assert_eq!(insertion, Ok(Insertion::New), "{number}");
        }
        (visited, memory)
    }

    #[test]
    fn what_was_put_in_is_known_and_nothing_else() {
        let (visited, memory) = filled(10_000);
        for number in 0..10_000 {
            let insertion = visited.insert(fingerprint(number), &memory);
            assert_eq!(insertion, Ok(Insertion::Known), "{number}");
        }
    }

    #[test]
    fn a_state_takes_at_most_32_bytes() {
        let sizes = (1..=40).map(|step| 20_000 * step);
        let (visited, memory) = (Visited::new(), Memory::new(u64::MAX));
        let mut number = 0;
        for size in sizes {
            while number < size {
                visited.insert(fingerprint(number), &memory).expect("room");
                number += 1;
            }
            let each = memory.peak() as f64 / f64::from(size);
            assert!((20.0..32.0).contains(&each), "{each} bytes at {size}");
        }
    }

    #[test]
    fn without_room_nothing_is_put_in() {
        let (visited, memory) = (Visited::new(), Memory::new(16 * 16 - 1));
        assert_eq!(visited.insert(fingerprint(1), &memory), Err(NoRoom::Bytes));
        assert_eq!(memory.peak(), 0);
        let memory = Memory::new(u64::MAX).with_states(Some(0));
        assert_eq!(visited.insert(fingerprint(1), &memory), Err(NoRoom::States));
        let room = Memory::new(u64::MAX);
        assert_eq!(visited.insert(fingerprint(1), &room), Ok(Insertion::New));
    }

    #[test]
    fn zero_is_a_fingerprint_too() {
        let (visited, memory) = (Visited::new(), Memory::new(u64::MAX));
        assert_eq!(visited.insert(Fingerprint(0), &memory), Ok(Insertion::New));
        assert_eq!(
            visited.insert(Fingerprint(0), &memory),
            Ok(Insertion::Known)
        );
    }
}
