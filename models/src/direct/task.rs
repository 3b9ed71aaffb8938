//! What a thread has to do that has no threads: it drives the registrar's calls, section by section.
//!
//! A step of a thread goes from one gate to the next. A gate stands, beside those of the [interpreter], before each
//! drop of something of a module's, and where a thread sleeps.

use crate::event::Thing;
use crate::interpreter::{self, Script};

/// See the [module's documentation](self).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Driven {
    /// The thread sleeps in its innermost call until it is woken.
    Woken,
    /// The operations of a script, from this one on.
    Ops(Script, u8),
    /// The innermost call's next critical section.
    Section,
    /// What the section answered.
    Make,
    /// It returns.
    Return,
    /// The registrar lets go of something, and its owner's script for that is performed.
    Drop(Thing),
    /// That script is over.
    Destroyed(Thing),
    /// Of cleaning up: the next side that has something at hand; whether one has come right before.
    CleanUp(bool),
}

pub(super) type Task = interpreter::Task<Driven>;

/// Whether a step ends before it.
pub(super) const fn is_gate(task: &Task) -> bool {
    matches!(
        task,
        Task::Gate(_) | Task::Pending(..) | Task::Blocked(_) | Task::Host(Driven::Woken)
    )
}
