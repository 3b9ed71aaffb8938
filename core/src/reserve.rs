//! Room for what a registration will need, taken all at once or not at all (C17).
//!
//! Every allocation of the registrar that can fail goes through [`Reserve::room`], which a test can
//! make fail at the k-th call. Limits are counted here too. A registrar without limits counts
//! nothing, so that two interfaces share no counter. The counters are `nmr-sync`'s: whoever explores the
//! registrar sees them as what they are, shared by all interfaces and under no common lock.

use std::cell::Cell;
use std::sync::Arc;

use nmr_sync::atomic::{AtomicUsize, Ordering};

use crate::error::{InsufficientResources, Resource};

/// What is left of a registrar's limits.
///
/// Several tables of one registrar share them; one that stands for itself has its own, which a clone copies.
#[derive(Clone, Debug)]
pub struct Reserve(Kept);

#[derive(Clone, Debug)]
enum Kept {
    Shared(Arc<Counters<AtomicUsize>>),
    Own(Counters<Cell<usize>>),
}

#[derive(Clone, Debug)]
struct Counters<C> {
    registrations: Option<C>,
    bindings: Option<C>,
    fault: Option<Fault<C>>,
}

/// What is left of limits, where there are some.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Left {
    /// Registrations for which there is room.
    pub registrations: Option<usize>,
    /// Bindings for which there is room.
    pub bindings: Option<usize>,
}

/// The call that is to fail, and those made so far.
#[derive(Clone, Debug)]
struct Fault<C> {
    at: usize,
    calls: C,
}

/// A number that is counted up and down.
trait Counter {
    fn new(count: usize) -> Self;
    /// Takes as many, if there are so many.
    fn take(&self, wanted: usize) -> bool;
    /// Adds to it; what it was.
    fn add(&self, more: usize) -> usize;
    /// What it is, for people: no step of any execution. `None` if that cannot be had.
    fn look(&self) -> Option<usize>;
}

impl Counter for AtomicUsize {
    fn new(count: usize) -> Self {
        Self::new(count)
    }

    fn take(&self, wanted: usize) -> bool {
        let less = |left: usize| left.checked_sub(wanted);
        self.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
            .is_ok()
    }

    fn add(&self, more: usize) -> usize {
        self.fetch_add(more, Ordering::Relaxed)
    }

    #[cfg(shuttle)]
    fn look(&self) -> Option<usize> {
        self.look()
    }

    #[cfg(not(shuttle))]
    fn look(&self) -> Option<usize> {
        Some(self.load(Ordering::Relaxed))
    }
}

impl Counter for Cell<usize> {
    fn new(count: usize) -> Self {
        Self::new(count)
    }

    fn take(&self, wanted: usize) -> bool {
        let left = self.get().checked_sub(wanted);
        left.inspect(|&left| self.set(left)).is_some()
    }

    fn add(&self, more: usize) -> usize {
        self.replace(self.get() + more)
    }

    fn look(&self) -> Option<usize> {
        Some(self.get())
    }
}

impl<C: Counter> Counters<C> {
    fn new(registrations: Option<usize>, bindings: Option<usize>, fail_at: Option<usize>) -> Self {
        Self {
            registrations: registrations.map(C::new),
            bindings: bindings.map(C::new),
            fault: fail_at.map(|at| Fault {
                at,
                calls: C::new(0),
            }),
        }
    }

    fn limit(&self, what: Resource) -> Option<&C> {
        match what {
            Resource::Registration => self.registrations.as_ref(),
            Resource::Binding => self.bindings.as_ref(),
            Resource::Interface => None,
        }
    }

    fn room(&self, what: Resource, wanted: usize, grow: impl FnOnce() -> bool) -> bool {
        if let Some(Fault { at, calls }) = &self.fault
            && calls.add(1) + 1 == *at
        {
            return false;
        }
        if self.limit(what).is_some_and(|limit| !limit.take(wanted)) {
            return false;
        }
        let grown = grow();
        if !grown {
            self.give_back(what, wanted);
        }
        grown
    }

    fn left(&self) -> Left {
        Left {
            registrations: self.registrations.as_ref().and_then(C::look),
            bindings: self.bindings.as_ref().and_then(C::look),
        }
    }

    fn give_back(&self, what: Resource, count: usize) {
        if count > 0
            && let Some(limit) = self.limit(what)
        {
            limit.add(count);
        }
    }
}

impl Reserve {
    /// At most so many registrations and bindings, and a call of [`room`](Self::room) that fails; for all
    /// tables that hold a clone together.
    pub(crate) fn shared(
        registrations: Option<usize>,
        bindings: Option<usize>,
        fail_at: Option<usize>,
    ) -> Self {
        let counters = Counters::new(registrations, bindings, fail_at);
        Self(Kept::Shared(Arc::new(counters)))
    }

    /// The same for one table; its clone has as much left.
    #[must_use]
    pub fn own(
        registrations: Option<usize>,
        bindings: Option<usize>,
        fail_at: Option<usize>,
    ) -> Self {
        Self(Kept::Own(Counters::new(registrations, bindings, fail_at)))
    }

    /// Without limits.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::own(None, None, None)
    }

    /// What is left of the limits now.
    pub(crate) fn left(&self) -> Left {
        match &self.0 {
            Kept::Shared(counters) => counters.left(),
            Kept::Own(counters) => counters.left(),
        }
    }

    /// Takes room for `wanted` of `what` out of the limit, if there is one, and grows the table.
    /// What was taken is given back with [`give_back`](Self::give_back).
    pub(crate) fn room(
        &self,
        what: Resource,
        wanted: usize,
        grow: impl FnOnce() -> bool,
    ) -> Result<(), InsufficientResources> {
        let made = match &self.0 {
            Kept::Shared(counters) => counters.room(what, wanted, grow),
            Kept::Own(counters) => counters.room(what, wanted, grow),
        };
        made.then_some(())
            .ok_or(InsufficientResources { wanted, what })
    }

    pub(crate) fn give_back(&self, what: Resource, count: usize) {
        match &self.0 {
            Kept::Shared(counters) => counters.give_back(what, count),
            Kept::Own(counters) => counters.give_back(what, count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of both kinds.
    fn reserves(registrations: Option<usize>, fail_at: Option<usize>) -> [Reserve; 2] {
        [Reserve::shared, Reserve::own].map(|make| make(registrations, None, fail_at))
    }

    #[test]
    fn a_limit_is_exact_and_what_is_given_back_can_be_taken_again() {
        for reserve in reserves(Some(2), None) {
            let room = |n| reserve.room(Resource::Registration, n, || true);
            assert!(room(2).is_ok());
            assert!(room(1).is_err());
            reserve.give_back(Resource::Registration, 1);
            assert!(room(1).is_ok());
        }
    }

    #[test]
    fn what_is_left_can_be_looked_at() {
        for reserve in reserves(Some(2), None) {
            let left = |registrations| Left {
                registrations,
                bindings: None,
            };
            assert_eq!(reserve.left(), left(Some(2)));
            let taken = reserve.room(Resource::Registration, 1, || true);
            assert_eq!((taken, reserve.left()), (Ok(()), left(Some(1))));
        }
    }

    #[test]
    fn only_the_kth_call_fails() {
        for reserve in reserves(None, Some(2)) {
            let mut calls = (0..4).map(|_| reserve.room(Resource::Interface, 1, || true).is_ok());
            assert!(calls.by_ref().eq([true, false, true, true]));
        }
    }

    #[test]
    fn tables_share_a_limit_or_have_their_own() {
        let [shared, own] = reserves(Some(1), None).map(|reserve| {
            let other = reserve.clone();
            let room = |reserve: &Reserve| reserve.room(Resource::Registration, 1, || true).is_ok();
            [room(&reserve), room(&other)]
        });
        assert_eq!(shared, [true, false]);
        assert_eq!(own, [true, true]);
    }
}
