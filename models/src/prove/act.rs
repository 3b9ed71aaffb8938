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
    /// See [`Op::Attach`].
    Attach,
    /// See [`Op::DeregisterWrong`].
    DeregisterWrong,
    /// See [`Op::DeregisterForeign`].
    DeregisterForeign,
    /// See [`Op::Leave`].
    Leave,
    /// See [`Op::Release`].
    Release,
    /// See [`Op::DeregisterForged`]. On no module, as the other forgeries.
    DeregisterForged,
    /// See [`Op::WaitForged`].
    WaitForged,
    /// See [`Op::CompleteForged`].
    CompleteForged,
}

impl Verb {
    /// Whether it is done to a module. Otherwise it has the number 0, which is nobody's.
    #[must_use]
    pub const fn has_module(self) -> bool {
        !matches!(
            self,
            Self::DeregisterForged | Self::WaitForged | Self::CompleteForged
        )
    }

    /// Whether it begins the end of a registration.
    pub(super) const fn deregisters(self) -> bool {
        matches!(self, Self::Deregister | Self::Leave | Self::Release)
    }

    /// Whether it is for modules whose registrations are values alone.
    pub(super) const fn is_an_owners(self) -> bool {
        matches!(self, Self::Leave | Self::Release)
    }
}

/// An operation on a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Act {
    /// What is done.
    pub verb: Verb,
    /// The module's number; 0 if it is on none.
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
        match self.verb.has_module() {
            true => Self::new(self.verb, places[usize::from(self.module)]),
            false => self,
        }
    }

    /// Whether it is done to this module.
    pub(super) fn is_on(self, module: u8) -> bool {
        self.verb.has_module() && self.module == module
    }

    /// The operation of a scenario.
    pub(super) fn op(self, names: &[String], is_owned: bool) -> Op {
        let name = names[usize::from(self.module)].clone();
        match self.verb {
            Verb::Register if is_owned => Op::Own(name),
            Verb::Register => Op::Register(name),
            Verb::Deregister => Op::Deregister(name),
            Verb::Wait => Op::Wait(name),
            Verb::Dispatch => Op::Dispatch(name),
            Verb::TryComplete => Op::TryComplete(name),
            Verb::CompleteAgain => Op::CompleteAgain(name),
            Verb::Attach => Op::Attach(name),
            Verb::DeregisterWrong => Op::DeregisterWrong(name),
            Verb::DeregisterForeign => Op::DeregisterForeign(name),
            Verb::Leave => Op::Leave(name),
            Verb::Release => Op::Release(name),
            Verb::DeregisterForged => Op::DeregisterForged,
            Verb::WaitForged => Op::WaitForged,
            Verb::CompleteForged => Op::CompleteForged,
        }
    }
}
