//! A map of a few things and a set of threads, as a search copies and hashes them for each transition.
//!
//! A B-tree's node has room for eleven entries, and each copy of it is an allocation. These are written over in place,
//! so that a state which a search is done with lends its room to the next one. They are hashed without their order, which is
//! that of numbers: where numbers stand for one another, as under a [symmetry](crate::symmetry), it says nothing.

use std::hash::{Hash, Hasher};
use std::ops::Index;

use nmr_sync::unordered;

use crate::permuted::ThreadNumber;

/// Implements `Clone`, of which `clone_from` writes over each field in place: what is derived makes a copy, and drops
/// what was there.
macro_rules! clone_in_place {
    ($type:ident $(<$($of:ident),+>)? { $($field:ident),+ $(,)? }) => {
        impl $(<$($of: Clone),+>)? Clone for $type $(<$($of),+>)? {
            fn clone(&self) -> Self {
                Self { $($field: self.$field.clone()),+ }
            }

            fn clone_from(&mut self, source: &Self) {
                let Self { $($field),+ } = self;
                $($field.clone_from(&source.$field);)+
            }
        }
    };
}
pub(crate) use clone_in_place;

/// A map in which there is little, in the order of its keys.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FlatMap<K, V> {
    entries: Vec<(K, V)>,
}

clone_in_place!(FlatMap < K, V > { entries });

impl<K, V> Default for FlatMap<K, V> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
        }
    }
}

impl<K: Copy + Ord, V> FlatMap<K, V> {
    /// Where a key is. There are too few for a binary search to pay.
    fn find(&self, key: K) -> Option<usize> {
        self.entries.iter().position(|&(other, _)| other == key)
    }

    /// Where one that is not there would have its place.
    fn place_for(&self, key: K) -> usize {
        self.entries.partition_point(|&(other, _)| other < key)
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.find(*key).map(|place| &self.entries[place].1)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.find(*key).map(|place| &mut self.entries[place].1)
    }

    pub(crate) fn contains_key(&self, key: &K) -> bool {
        self.find(*key).is_some()
    }

    /// What is there, or the default, which is there from then on.
    pub(crate) fn or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        let place = self.find(key).unwrap_or_else(|| {
            let place = self.place_for(key);
            self.entries.insert(place, (key, V::default()));
            place
        });
        &mut self.entries[place].1
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        match self.find(key) {
            Some(place) => self.entries[place].1 = value,
            None => self.entries.insert(self.place_for(key), (key, value)),
        }
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let place = self.find(*key)?;
        Some(self.entries.remove(place).1)
    }

    pub(crate) fn retain(&mut self, mut keeps: impl FnMut(&K, &mut V) -> bool) {
        self.entries.retain_mut(|(key, value)| keeps(key, value));
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.iter().map(|(_, value)| value)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries.iter_mut().map(|(_, value)| value)
    }
}

impl<K: Copy + Ord, V> Index<&K> for FlatMap<K, V> {
    type Output = V;

    fn index(&self, key: &K) -> &V {
        self.get(key).expect("the key is there")
    }
}

impl<K: Hash, V: Hash> Hash for FlatMap<K, V> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        unordered(&self.entries, state);
    }
}

/// A set of threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Threads(u32);

impl Threads {
    /// # Panics
    /// If the number is over 31, which no scenario's is.
    const fn bit(ThreadNumber(thread): ThreadNumber) -> u32 {
        assert!(thread < 32, "there are few threads");
        1 << thread
    }

    pub(crate) const fn contains(self, thread: ThreadNumber) -> bool {
        self.0 & Self::bit(thread) != 0
    }

    pub(crate) fn remove(&mut self, thread: ThreadNumber) {
        self.0 &= !Self::bit(thread);
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn iter(self) -> impl Iterator<Item = ThreadNumber> {
        (0..32)
            .map(ThreadNumber)
            .filter(move |&thread| self.contains(thread))
    }
}

impl FromIterator<ThreadNumber> for Threads {
    fn from_iter<I: IntoIterator<Item = ThreadNumber>>(threads: I) -> Self {
        Self(
            threads
                .into_iter()
                .fold(0, |all, thread| all | Self::bit(thread)),
        )
    }
}

/// Of their images, each of which another thread stands for.
impl Hash for Threads {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let images: Self = match self.is_empty() {
            true => *self,
            false => self.iter().map(ThreadNumber::image).collect(),
        };
        state.write_u32(images.0);
    }
}

#[cfg(test)]
mod tests {
    use super::{FlatMap, Threads};
    use crate::fingerprint::fingerprint;
    use crate::permuted::{Symmetry, ThreadNumber, with_symmetry};

    fn map(entries: &[(u8, char)]) -> FlatMap<u8, char> {
        let mut map = FlatMap::default();
        entries
            .iter()
            .for_each(|&(key, value)| map.insert(key, value));
        map
    }

    #[test]
    fn a_map_is_the_same_in_whatever_order_it_was_filled() {
        let (one, other) = (
            map(&[(2, 'b'), (1, 'a')]),
            map(&[(1, 'x'), (2, 'b'), (1, 'a')]),
        );
        assert_eq!(one, other);
        assert_eq!(fingerprint(&one), fingerprint(&other));
        assert_eq!(one.iter().map(|(&key, _)| key).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let mut map = map(&[(1, 'a'), (3, 'c')]);
        assert_eq!(
            [0, 1, 2, 3, 4].map(|key| map.get(&key).copied()),
            [None, Some('a'), None, Some('c'), None]
        );
        map.remove(&1);
        map.remove(&2);
        assert_eq!(map.or_default(3), &'c');
        assert_eq!(map.or_default(0), &char::default());
        assert_eq!(map.len(), 2);
    }

    #[test]
    fn a_copy_that_is_written_over_is_equal() {
        let source = map(&[(1, 'a'), (3, 'c')]);
        for mut target in [
            map(&[]),
            map(&[(9, 'z')]),
            map(&[(1, 'b'), (2, 'a'), (3, 'd')]),
        ] {
            target.clone_from(&source);
            assert_eq!(target, source);
        }
    }

    #[test]
    fn threads_are_hashed_as_their_images() {
        let exchange = Symmetry {
            modules: vec![0],
            threads: vec![0, 2, 1],
        };
        let of = |numbers: &[u8]| {
            numbers
                .iter()
                .map(|&number| ThreadNumber(number))
                .collect::<Threads>()
        };
        let exchanged = with_symmetry(&exchange, || fingerprint(&of(&[0, 2])));
        assert_eq!(exchanged, fingerprint(&of(&[0, 1])));
        assert_ne!(exchanged, fingerprint(&of(&[0, 2])));
    }
}
