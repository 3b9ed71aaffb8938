//! By what an execution without threads and one on threads are compared as they go: what a thread does that others
//! could notice, in the order in which it happens.
//!
//! What lies between two milestones of a thread is its own. So an execution on threads that comes to the same
//! milestones in the same order is the same execution.

use std::fmt;

use crate::event::What;
use crate::render::InWords;
use crate::scenario::Scenario;

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
#[cfg_attr(
    not(shuttle),
    expect(dead_code, reason = "compared where there are threads to compare with")
)]
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
}

/// A thread's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Passed {
    /// The scenario's number of the thread.
    pub(crate) thread: u8,
    pub(crate) milestone: Milestone,
}

/// With the scenario's names.
pub(crate) struct Told<'a>(pub(crate) &'a Scenario, pub(crate) Option<Passed>);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Passed { thread, milestone }) = self.1 else {
            return f.write_str("nothing more");
        };
        write!(f, "{}: ", self.0.thread_name(thread))?;
        let module = |number: u8| &self.0.modules[usize::from(number)].name;
        match milestone {
            Milestone::Observed(what) => write!(f, "{}", InWords(self.0, what)),
            Milestone::Section(table) => write!(f, "a critical section, after it table {table:016x}"),
            Milestone::Shared(one) => match one {
                Use::Noted(it) => write!(f, "the handle of {} is noted", module(it)),
                Use::LookedUp(it) => write!(f, "the handle of {} is looked up", module(it)),
                Use::BindingNoted(it) => write!(f, "the binding of {} is noted", module(it)),
                Use::BindingLookedUp(it) => write!(f, "the binding of {} is looked up", module(it)),
                Use::Pending => f.write_str("a detach becomes pending"),
                Use::Taken => f.write_str("a pending detach is taken"),
                Use::Waited => f.write_str("a wait is over"),
                Use::Rundown(it) => write!(f, "the rundown of {}", module(it)),
            },
        }
    }
}
