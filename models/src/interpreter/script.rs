//! The lists of operations of a scenario, by what performs them.

use std::hash::{Hash, Hasher};

use crate::event::RegId;
use crate::permuted::{ModuleNumber, ThreadNumber};

/// A list of operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Script {
    /// The main thread's, before the others start.
    Before,
    /// That of a thread.
    Thread(u8),
    /// The main thread's, after the others have ended.
    After,
    /// That of a module, by its index.
    Module(u8, Called),
}

/// When a module's operations are performed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Called {
    Attach,
    /// A client has attached, and its attach callback has yet to answer.
    Attached,
    Detach,
    Cleanup,
    Drop,
    ContextDrop,
}

impl Called {
    /// As [`Module::scripts`](crate::scenario::Module::scripts).
    pub(crate) const ALL: [Self; 6] = [
        Self::Attach,
        Self::Attached,
        Self::Detach,
        Self::Cleanup,
        Self::Drop,
        Self::ContextDrop,
    ];

    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Attach => "attach callback",
            Self::Attached => "attach callback, after attaching",
            Self::Detach => "detach callback",
            Self::Cleanup => "cleanup callback",
            Self::Drop => "destructor",
            Self::ContextDrop => "binding context's destructor",
        }
    }
}

impl Script {
    pub(crate) const fn of(reg: RegId, called: Called) -> Self {
        Self::Module(reg.module, called)
    }
}

impl Hash for Script {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match *self {
            Self::Before | Self::After => {}
            Self::Thread(number) => ThreadNumber(number).hash(state),
            Self::Module(module, called) => (ModuleNumber(module), called).hash(state),
        }
    }
}

impl Hash for Called {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (*self as u8).hash(state);
    }
}
