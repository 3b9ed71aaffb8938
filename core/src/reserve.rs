//! Room for what a registration will need, taken all at once or not at all (C17).
//!
//! Every allocation of the registrar that can fail goes through [`Reserve::room`], which a test can
//! make fail at the k-th call. Limits are counted here too. A registrar without limits counts
//! nothing, so that two interfaces share no counter. The counters are `nmr-sync`'s: whoever explores the
//! registrar sees them as what they are, shared by all interfaces and under no common lock.

use nmr_sync::atomic::{AtomicUsize, Ordering};

use crate::error::{InsufficientResources, Resource};

#[derive(Debug)]
pub(crate) struct Reserve {
    registrations: Option<Budget>,
    bindings: Option<Budget>,
    fault: Option<Fault>,
}

/// The call that is to fail, and those made so far.
#[derive(Debug)]
struct Fault {
    at: usize,
    calls: AtomicUsize,
}

#[derive(Debug)]
struct Budget {
    left: AtomicUsize,
}

impl Budget {
    fn take(&self, wanted: usize) -> bool {
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(wanted)
            })
            .is_ok()
    }
}

impl Reserve {
    pub(crate) fn new(
        registrations: Option<usize>,
        bindings: Option<usize>,
        fail_at: Option<usize>,
    ) -> Self {
        let budget = |limit| Budget {
            left: AtomicUsize::new(limit),
        };
        Self {
            registrations: registrations.map(budget),
            bindings: bindings.map(budget),
            fault: fail_at.map(|at| Fault {
                at,
                calls: AtomicUsize::new(0),
            }),
        }
    }

    fn budget(&self, what: Resource) -> Option<&Budget> {
        match what {
            Resource::Registration => self.registrations.as_ref(),
            Resource::Binding => self.bindings.as_ref(),
            Resource::Interface => None,
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
        let refused = InsufficientResources { wanted, what };
        if let Some(Fault { at, calls }) = &self.fault
            && calls.fetch_add(1, Ordering::Relaxed) + 1 == *at
        {
            return Err(refused);
        }
        if let Some(budget) = self.budget(what)
            && !budget.take(wanted)
        {
            return Err(refused);
        }
        if grow() {
            return Ok(());
        }
        self.give_back(what, wanted);
        Err(refused)
    }

    pub(crate) fn give_back(&self, what: Resource, count: usize) {
        if count > 0
            && let Some(budget) = self.budget(what)
        {
            budget.left.fetch_add(count, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_exact_and_what_is_given_back_can_be_taken_again() {
        let reserve = Reserve::new(Some(2), None, None);
        let room = |n| reserve.room(Resource::Registration, n, || true);
        assert!(room(2).is_ok());
        assert!(room(1).is_err());
        reserve.give_back(Resource::Registration, 1);
        assert!(room(1).is_ok());
    }

    #[test]
    fn only_the_kth_call_fails() {
        let reserve = Reserve::new(None, None, Some(2));
        let answers: Vec<bool> = (0..4)
            .map(|_| reserve.room(Resource::Interface, 1, || true).is_ok())
            .collect();
        assert_eq!(answers, [true, false, true, true]);
    }
}
