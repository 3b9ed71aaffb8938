//! Collections that are hashed without their order, which is that of numbers: where numbers stand for
//! one another, as under a [symmetry](crate::symmetry), it says nothing.

use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};

use nmr_sync::unordered;

/// A collection that can be used as before, and is hashed without its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unordered<C>(pub(crate) C);

impl<C> Hash for Unordered<C>
where
    for<'a> &'a C: IntoIterator<Item: Hash>,
{
    fn hash<H: Hasher>(&self, state: &mut H) {
        unordered(&self.0, state);
    }
}

impl<C> Deref for Unordered<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.0
    }
}

impl<C> DerefMut for Unordered<C> {
    fn deref_mut(&mut self) -> &mut C {
        &mut self.0
    }
}
