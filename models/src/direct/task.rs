//! What a thread has still to do, as values: a stack of tasks, of which each may put others on top of it.
//!
//! A step of a thread goes from one gate to the next. A gate stands where others may come between: before each
//! critical section, each use of what threads share, each drop of something of a module's, and each end of a
//! callback, which goes on as long as it may. Here is only what there is to do; [`run`](super::run) does it.

use std::hash::{Hash, Hasher};

use crate::event::{Pair, RegId, Side, Thing};
use crate::permuted::{ModuleNumber, ThreadNumber};
use crate::run::{AnyHandle, Called, PendingDetach, Script, Which};

/// See the [module's documentation](self).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Task {
    /// Others may come between.
    Gate,
    /// The thread sleeps in its innermost call until it is woken.
    Woken,
    /// It waits for a pending detach, or that no thread waits any more; then it completes it.
    Pending(Which, Taker),
    /// The operations of a script, from this one on.
    Ops(Script, u8),
    /// One operation of a script; and without another gate, once it has come to what it races for.
    Op(Script, u8),
    Now(Script, u8),
    /// A piece of an operation that uses what others use too.
    Piece(Piece),
    /// The innermost call begins.
    Begin,
    /// Its next critical section.
    Section,
    /// What the section answered.
    Make,
    /// It returns.
    Return,
    /// What is left of a callback, after its script.
    Body(Body),
    /// The innermost callback ends, and its call's next section follows.
    End,
    /// The registrar lets go of something, and its owner's script for that is performed.
    Drop(Thing),
    /// Of cleaning up: the next side that has something at hand; whether one has come right before.
    CleanUp(bool),
}

/// What is done with a pending detach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Taker {
    /// It is completed.
    Completes,
    /// It is completed with the handle of the registration in the place of the binding's.
    Mistakes,
}

/// Something that is one step of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// The handle of a module's registration is noted for whoever uses it.
    SetLatest(RegId, AnyHandle),
    /// And that of a binding.
    SetLastBinding(u8, Pair, nmr::BindingHandle),
    /// A registration is owned from now on.
    Keep(RegId, AnyHandle),
    /// A detach becomes pending.
    Push(PendingDetach),
    /// A thread has finished a wait.
    Waited(u8),
    /// A pending detach is completed if there is one.
    TryComplete(u8),
    /// A binding may be called through from now on.
    Open(Pair, nmr::BindingHandle),
    /// It may not be any more; a callback's answer hangs on it.
    Close(nmr::BindingHandle),
    /// A handle is deregistered, whatever it names.
    Deregister(Option<RegId>, AnyHandle),
    /// Every open binding of a module is entered.
    EnterAll(u8),
    /// A call through a peer's dispatch table begins, and ends.
    DispatchBegin(u8, Pair, nmr::BindingHandle),
    DispatchEnd(u8, Pair, nmr::BindingHandle),
    /// A binding is left.
    Leave(u8, Pair, nmr::BindingHandle),
    /// The module's own completion, and one with the handle of its registration in the place of the binding's.
    Complete(PendingDetach),
    Mistake(PendingDetach),
    /// The call of the first of them.
    Completion(PendingDetach),
    /// A side frees its binding context.
    Free(Pair, Side),
    /// A module with null contexts is done with its side of a binding.
    LetGo(Pair, Side),
    /// Handles that nobody issued are used, from this one on.
    Forge(Forged, u8),
}

/// What is done with handles that nobody issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Forged {
    Deregister,
    Wait,
    Complete,
}

/// The part of a callback that comes after its script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Body {
    /// Of a client's attach callback.
    Client,
    /// The client's first attach call has been made, or its second.
    Attached(bool),
    /// Of a provider's.
    Provider,
    Detach,
    Cleanup,
}

/// What is done with the answer of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum After {
    Nothing,
    /// A register call; whether the registration is owned.
    Registered(RegId, bool),
    /// A wait of that module; for that registration.
    Waited(ModuleNumber, Option<RegId>),
    /// The first of the two steps in which an owned registration is left.
    Left(RegId, ByName<AnyHandle>),
    /// The drop of an owned registration.
    Released(RegId),
    /// An attach call; whether a script's own, on whose answer the callback's hangs.
    Attach(Option<Pair>, bool),
    /// A completion, after which its module may use its context.
    Completed(Pair, Side),
    /// A completion with a wrong handle.
    Mistaken(ModuleNumber, Side),
}

/// A handle that counts for nothing: it is known by what it names, which stands beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ByName<H>(pub(super) H);

impl<H> Hash for ByName<H> {
    fn hash<S: Hasher>(&self, _: &mut S) {}
}

impl Task {
    /// Whether a step ends before it.
    pub(super) const fn is_gate(self) -> bool {
        matches!(self, Self::Gate | Self::Woken | Self::Pending(..))
    }
}

impl Hash for Piece {
    /// Without the bits of handles, which are known by what they name.
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match *self {
            Self::SetLatest(reg, _) | Self::Keep(reg, _) => reg.hash(state),
            Self::SetLastBinding(module, pair, _)
            | Self::DispatchBegin(module, pair, _)
            | Self::DispatchEnd(module, pair, _)
            | Self::Leave(module, pair, _) => (ModuleNumber(module), pair).hash(state),
            Self::Push(detach)
            | Self::Complete(detach)
            | Self::Mistake(detach)
            | Self::Completion(detach) => {
                detach.hash(state);
            }
            Self::Waited(module) | Self::TryComplete(module) | Self::EnterAll(module) => {
                ModuleNumber(module).hash(state);
            }
            // One that names nothing is known by its bits.
            Self::Deregister(reg, handle) => {
                (reg, reg.is_none().then_some(handle)).hash(state);
            }
            Self::Open(pair, _) => pair.hash(state),
            // Of the binding whose callback runs.
            Self::Close(_) => {}
            Self::LetGo(pair, side) | Self::Free(pair, side) => (pair, side).hash(state),
            Self::Forge(what, from) => (what, from).hash(state),
        }
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

impl Hash for Which {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        if let Self::OldestOf(module) = *self {
            ModuleNumber(module as u8).hash(state);
        }
    }
}

impl Hash for Called {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (*self as u8).hash(state);
    }
}
