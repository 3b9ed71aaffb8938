//! Numbers of modules and threads that are hashed under a symmetry: as their images.
//!
//! Which symmetries a scenario has is none of its business ([`symmetry`](crate::symmetry)), so that events
//! and the oracle, which have such numbers, need not know what a scenario is.

use std::cell::Cell;
#[cfg(shuttle)]
use std::cell::RefCell;
use std::hash::{Hash, Hasher};
use std::thread::LocalKey;

/// For each module and each thread its image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symmetry {
    /// By the module's index.
    pub modules: Vec<u8>,
    /// By the thread's number: 0 is the main thread, which stays.
    pub threads: Vec<u8>,
}

/// The most modules and threads that a scenario with symmetries has.
pub(crate) const MAX_SYMMETRIC: usize = 16;

/// For each number its image.
type Images = [Cell<u8>; MAX_SYMMETRIC];

thread_local! {
    /// The symmetry under which is being hashed: the images of modules, and of threads.
    static MODULES: Images = const { itself() };
    static THREADS: Images = const { itself() };
    /// Those of the scenario that is being explored.
    #[cfg(shuttle)]
    static INSTALLED: RefCell<Vec<Symmetry>> = const { RefCell::new(Vec::new()) };
}

/// Each is its own image.
const fn itself() -> Images {
    let mut all = [const { Cell::new(0) }; MAX_SYMMETRIC];
    let mut number = 0;
    while number < MAX_SYMMETRIC {
        all[number] = Cell::new(number as u8);
        number += 1;
    }
    all
}

/// Hashes under a symmetry, and no longer than that: also if the hash panics.
pub(crate) fn with_symmetry<R>(symmetry: &Symmetry, hash: impl FnOnce() -> R) -> R {
    let _current = Current::of(symmetry);
    hash()
}

/// As long as it lives, this OS thread hashes under a symmetry.
struct Current<'a>(&'a Symmetry);

impl<'a> Current<'a> {
    fn of(symmetry: &'a Symmetry) -> Self {
        set(&MODULES, symmetry.modules.iter().copied());
        set(&THREADS, symmetry.threads.iter().copied());
        Self(symmetry)
    }
}

impl Drop for Current<'_> {
    fn drop(&mut self) {
        set(&MODULES, 0..self.0.modules.len() as u8);
        set(&THREADS, 0..self.0.threads.len() as u8);
    }
}

/// Whatever has no image is its own.
fn set(all: &'static LocalKey<Images>, images: impl Iterator<Item = u8>) {
    all.with(|all| all.iter().zip(images).for_each(|(of, image)| of.set(image)));
}

/// Says what the numbers mean that an explorer gives to
/// [permutations](nmr_sync::hook::permutation).
#[cfg(shuttle)]
pub(crate) fn install(symmetries: &[Symmetry]) {
    INSTALLED.set(symmetries.to_vec());
}

/// The image of a number under the symmetry under which is being hashed, if there is one: an explorer's or ours.
#[inline]
fn image_of(
    number: u8,
    explorers: impl FnOnce(&Symmetry) -> u8,
    ours: &'static LocalKey<Images>,
) -> u8 {
    #[cfg(shuttle)]
    if let Some(symmetry) = nmr_sync::hook::permutation() {
        return INSTALLED.with_borrow(|symmetries| explorers(&symmetries[symmetry]));
    }
    let _explorers = explorers;
    ours.with(|images| images.get(usize::from(number)).map_or(number, Cell::get))
}

/// A module, which is hashed as its image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ModuleNumber(pub(crate) u8);

impl ModuleNumber {
    /// The number of the module in whose place it stands under the symmetry under which is being hashed.
    #[inline]
    pub(crate) fn image(self) -> u8 {
        let Self(module) = self;
        let explorers = |symmetry: &Symmetry| symmetry.modules[usize::from(module)];
        image_of(module, explorers, &MODULES)
    }
}

impl Hash for ModuleNumber {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.image().hash(state);
    }
}

/// A thread, which is hashed as its image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ThreadNumber(pub(crate) u8);

impl ThreadNumber {
    /// The thread in whose place it stands under the symmetry under which is being hashed.
    #[inline]
    pub(crate) fn image(self) -> Self {
        let Self(thread) = self;
        let explorers = |symmetry: &Symmetry| symmetry.threads[usize::from(thread)];
        Self(image_of(thread, explorers, &THREADS))
    }
}

impl Hash for ThreadNumber {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.image().0.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::{ModuleNumber, Symmetry, ThreadNumber, with_symmetry};
    use crate::fingerprint::fingerprint;

    fn exchange() -> Symmetry {
        Symmetry {
            modules: vec![1, 0],
            threads: vec![0, 2, 1],
        }
    }

    #[test]
    fn a_number_is_hashed_as_the_one_in_whose_place_it_stands() {
        let hash = |module, thread| fingerprint(&(ModuleNumber(module), ThreadNumber(thread)));
        assert_eq!(with_symmetry(&exchange(), || hash(0, 2)), hash(1, 1));
        assert_ne!(hash(0, 2), hash(1, 1));
    }

    #[test]
    fn a_hash_that_panics_leaves_no_symmetry_behind() {
        let hash = || fingerprint(&ModuleNumber(0));
        let before = hash();
        let failing = || with_symmetry(&exchange(), || panic!("no hash"));
        catch_unwind(AssertUnwindSafe(failing)).expect_err("it panics");
        assert_eq!(hash(), before);
    }
}
