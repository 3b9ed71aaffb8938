//! An operation of a thread or a callback, on a module that is known by its number.

use crate::op::Op;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// See [`Op::Register`].
    Register,
    /// See [`Op::Deregister`].
    Deregister,
    /// See [`Op::Wait`].
    Wait,
    /// See [`Op::Dispatch`].
    Dispatch,
    /// See [`Op::TryComplete`].
    TryComplete,
    /// See [`Op::CompleteAgain`].
    CompleteAgain,
}

/// An operation on a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Act {
    /// What is done.
    pub verb: Verb,
    /// The module's number.
    pub module: u8,
}

impl Act {
    /// An operation.
    #[must_use]
    pub const fn new(verb: Verb, module: u8) -> Self {
        Self { verb, module }
    }

    /// The same one on the module that takes the place of its module.
    pub(super) fn renamed(self, places: &[u8]) -> Self {
        Self::new(self.verb, places[usize::from(self.module)])
    }

    /// The operation of a scenario.
    pub(super) fn op(self, names: &[String]) -> Op {
        let name = names[usize::from(self.module)].clone();
        match self.verb {
            Verb::Register => Op::Register(name),
            Verb::Deregister => Op::Deregister(name),
            Verb::Wait => Op::Wait(name),
            Verb::Dispatch => Op::Dispatch(name),
            Verb::TryComplete => Op::TryComplete(name),
            Verb::CompleteAgain => Op::CompleteAgain(name),
        }
    }
}
