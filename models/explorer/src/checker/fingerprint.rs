//! Hashes of 128 bits that stand for a state, or for a part of one; the same on every machine.
//!
//! Under symmetry everything has one for each permutation of the threads, and the smallest one of the state
//! stands for all.

use std::cell::RefCell;
use std::iter;

use nmr_sync::hook::{Permutation, Write, with_permutation};
use rustc_hash::FxHashMap;
use rustc_stable_hash::{FromStableHash, SipHasher128Hash, StableSipHasher128};
use smallvec::{SmallVec, smallvec};

use crate::checker::program::Thread;

/// The hash of a state, or of a part of one. The same on every machine.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub(crate) struct Fingerprint(pub(crate) u128);

impl FromStableHash for Fingerprint {
    type Hash = SipHasher128Hash;

    fn from(SipHasher128Hash([high, low]): SipHasher128Hash) -> Self {
        Self(u128::from(high) << 64 | u128::from(low))
    }
}

/// Bits of a [`Fingerprint`].
pub(crate) const FINGERPRINT_BITS: u32 = 128;

/// The fingerprint of what `write` writes.
pub(crate) fn fingerprint(write: impl FnOnce(&mut StableSipHasher128)) -> Fingerprint {
    let mut hasher = StableSipHasher128::new();
    write(&mut hasher);
    hasher.finish()
}

/// One fingerprint for each permutation.
pub(crate) type Fingerprints = SmallVec<[u128; 4]>;

/// The permutations under which a state is hashed; the first one changes nothing.
#[derive(Clone, Debug)]
pub(crate) struct Symmetries {
    all: Vec<Permutation>,
    /// By the fingerprint under the first one, those under all.
    cache: RefCell<FxHashMap<u128, Fingerprints>>,
}

/// So many fingerprints are cached under all permutations.
const CACHED: usize = 1 << 16;

impl Symmetries {
    /// `threads`: for each permutation, the image of each thread.
    pub(crate) fn new(threads: &[Vec<usize>]) -> Self {
        let number = |(number, threads): (usize, &Vec<usize>)| Permutation {
            number,
            threads: threads.as_slice().into(),
        };
        let mut all: Vec<Permutation> = threads.iter().enumerate().map(number).collect();
        if all.is_empty() {
            all.push(number((0, &Vec::new())));
        }
        Self {
            all,
            cache: RefCell::default(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// The fingerprints of what `write` writes. What has the same one under one permutation has so under each.
    pub(crate) fn fingerprints(&self, write: Write<'_>) -> Fingerprints {
        let hash = || fingerprint(|state| write(state)).0;
        let first = self.first(write);
        if let [_] = self.all.as_slice() {
            return smallvec![first];
        }
        let mut cache = self.cache.borrow_mut();
        if let Some(cached) = cache.get(&first) {
            return cached.clone();
        }
        if cache.len() == CACHED {
            cache.clear();
        }
        let others = self.all[1..].iter();
        let others = others.map(|one| with_permutation(one, hash));
        let fingerprints: Fingerprints = iter::once(first).chain(others).collect();
        cache.insert(first, fingerprints.clone());
        fingerprints
    }

    /// The fingerprint of what `write` writes, under the permutation that changes nothing.
    pub(crate) fn first(&self, write: Write<'_>) -> u128 {
        let hash = || fingerprint(|state| write(state)).0;
        match self.all.as_slice() {
            [_] => hash(),
            all => with_permutation(&all[0], hash),
        }
    }

    /// `hash` under each.
    pub(crate) fn each(&self, mut hash: impl FnMut(usize) -> u128) -> Fingerprints {
        if let [_] = self.all.as_slice() {
            return smallvec![hash(0)];
        }
        let under = |(number, one)| with_permutation(one, || hash(number));
        self.all.iter().enumerate().map(under).collect()
    }

    /// A thread's image under a permutation.
    pub(crate) fn image(&self, permutation: usize, thread: Thread) -> Thread {
        let threads = &self.all[permutation].threads;
        threads.get(thread).copied().unwrap_or(thread)
    }
}
