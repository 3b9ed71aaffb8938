//! By what an execution without threads and one on threads are compared as they go: what a thread does that others
//! could notice, in the order in which it happens.
//!
//! What lies between two milestones of a thread is its own. So an execution on threads that comes to the same
//! milestones in the same order is the same execution.

use crate::event::What;
use crate::interpreter::On;

/// See the [module's documentation](self).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Milestone {
    /// Something that the oracle hears of.
    Observed(What),
    /// A critical section of a call, and the fingerprint of the registrar's table at its end.
    Section(u64),
    /// A use of something else that threads share.
    Shared(Use),
}

/// What threads share beside the registrar, and what is done with it. Modules by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// The handle of a module's latest registration is noted, or looked up.
    Noted(u8),
    LookedUp(u8),
    /// That of its last binding.
    BindingNoted(u8),
    BindingLookedUp(u8),
    /// A detach becomes pending, and one is taken to be completed, or it is seen that none will come.
    Pending,
    Taken,
    /// A thread's wait is over.
    Waited,
    /// A module's rundown.
    Rundown(u8),
    /// Whether a module takes another binding.
    Admission(u8),
    /// A wait for an event or a lock is over.
    Passed(On),
    /// An event is set, and a lock given back.
    Set(u8),
    Unlocked(u8),
}

/// A thread's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Passed {
    /// The scenario's number of the thread.
    pub(crate) thread: u8,
    pub(crate) milestone: Milestone,
}
