//! Permutations of a program's threads, under which a state is hashed: the shuttle build only.

use std::cell::RefCell;
use std::rc::Rc;

thread_local! {
    static PERMUTATION: RefCell<Option<Permutation>> = const { RefCell::new(None) };
}

/// A permutation of the threads, for as long as something is hashed: two states that differ by it alone then
/// have the same hash.
#[derive(Clone, Debug)]
pub struct Permutation {
    /// Its number among the permutations of the program, for those who have more to exchange than
    /// threads.
    pub number: usize,
    /// For each thread its image; those beyond the end stay.
    pub threads: Rc<[usize]>,
}

/// Until it is dropped, be it by a panic, there is a permutation.
struct Permuting;

impl Drop for Permuting {
    fn drop(&mut self) {
        PERMUTATION.set(None);
    }
}

/// Hashes under a permutation.
pub fn with_permutation<R>(permutation: &Permutation, hash: impl FnOnce() -> R) -> R {
    PERMUTATION.set(Some(permutation.clone()));
    let _permuting = Permuting;
    hash()
}

/// The number of the permutation under which is being hashed, if there is one.
#[must_use]
pub fn permutation() -> Option<usize> {
    PERMUTATION.with_borrow(|permutation| Some(permutation.as_ref()?.number))
}

/// A thread's image while something is hashed.
#[must_use]
pub fn image(thread: usize) -> usize {
    PERMUTATION.with_borrow(|permutation| {
        let threads = permutation.as_ref().map(|permutation| &permutation.threads);
        let image = threads.and_then(|threads| threads.get(thread));
        image.copied().unwrap_or(thread)
    })
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

    use super::*;

    fn exchanged() -> Permutation {
        Permutation {
            number: 1,
            threads: [0, 2, 1].into(),
        }
    }

    #[test]
    fn threads_have_their_images_while_something_is_hashed() {
        let images = with_permutation(&exchanged(), || [0, 1, 2, 3].map(image));
        assert_eq!(images, [0, 2, 1, 3]);
        assert_eq!([0, 1, 2, 3].map(image), [0, 1, 2, 3]);
    }

    #[test]
    fn a_panic_ends_it_too() {
        let permutation = exchanged();
        let hash = || {
            with_permutation(&permutation, || {
                resume_unwind(Box::new(self::permutation()))
            })
        };
        let panic = catch_unwind(AssertUnwindSafe::<_>(hash))
            .map(|(): ()| ())
            .unwrap_err();
        assert_eq!(panic.downcast_ref::<Option<usize>>(), Some(&Some(1)));
        assert_eq!((self::permutation(), image(1)), (None, 1));
    }
}
