//! What a thread has still to do, as values: a stack of tasks, of which each may put others on top of it.
//!
//! A gate stands where others may come between: before each use of what threads share, each call, and each end of a
//! callback, which goes on as long as it may. Here is only what there is to do; the [interpreter](super) does it.

use std::hash::{Hash, Hasher};

use nmr::{BindingHandle, Side};

use super::script::Script;
use super::shared::{AnyHandle, PendingDetach, Which};
use crate::event::{Pair, RegId};
use crate::permuted::ModuleNumber;

/// See the [module's documentation](self). `T` is what only its host has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Task<T> {
    /// Others may come between.
    Gate(Gate),
    /// It waits for a pending detach, or that no thread waits any more; then it completes it.
    Pending(Which, Taker),
    /// It waits for what the modules share beside the registrar.
    Blocked(On),
    /// The operations of a script.
    Script(Script),
    /// One operation of a script.
    Op(Script, u8),
    /// The same, where it has come to what it races for.
    Now(Script, u8),
    /// A piece of an operation that uses what others use too.
    Piece(Piece),
    /// The call that was opened last begins.
    Begin,
    /// What is left of a callback, after its script.
    Body(Body),
    /// Code of a module in C.
    Foreign(Foreign),
    /// The innermost callback ends.
    End,
    /// What only the host has to do.
    Host(T),
}

/// Why others may come between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Gate {
    /// What comes next goes on for a while, or begins as late as it may.
    Lingering,
    /// What comes next uses what threads share.
    Shared,
}

/// What a thread waits for that is nothing of the registrar's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum On {
    /// That the event is set.
    Event(u8),
    /// That the lock is free, which it takes then.
    Lock(u8),
}

/// What of a module in C runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Foreign {
    /// What an operation of the scenario does.
    Entry(ModuleNumber, Entry),
    /// What ends the work that a pending detach waits for.
    Complete(PendingDetach),
    /// The innermost callback, for this binding.
    Callback(ByName<Option<BindingHandle>>),
    /// What a function in its dispatch table does.
    Called(Pair, Side),
}

/// An operation on a module in C.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Entry {
    Register,
    Deregister,
    Wait,
    Dispatch,
}

/// What is done with a pending detach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Taker {
    /// It is completed.
    Completes,
    /// It is completed with the handle of the registration in the place of the binding's.
    Mistakes,
}

/// Something that is one step of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// The handle of a module's registration is noted for whoever uses it.
    SetLatest(RegId, AnyHandle),
    /// And that of a binding.
    SetLastBinding(u8, Pair, BindingHandle),
    /// A registration is owned from now on.
    Keep(RegId, AnyHandle),
    /// A detach becomes pending.
    Push(PendingDetach),
    /// A thread has finished a wait.
    Waited(u8),
    /// A pending detach is completed if there is one.
    TryComplete(u8),
    /// A binding may be called through from now on.
    Open(Pair, BindingHandle),
    /// It may not be any more; a callback's answer hangs on it.
    Close(BindingHandle),
    /// A handle is deregistered, whatever it names.
    Deregister(Option<RegId>, AnyHandle),
    /// Every open binding of a module is entered.
    EnterAll(u8),
    /// A call of a side through its peer's dispatch table begins, and ends.
    DispatchBegin(Pair, Side),
    DispatchEnd(Pair, Side),
    /// It has, once a module in C has been called for it.
    DispatchEnded(Pair, Side),
    /// A binding is left; what is completed then, if it was the last call of a closed one.
    Leave(PendingDetach),
    /// The module's own completion, and one with the handle of its registration in the place of the binding's.
    Complete(PendingDetach),
    Mistake(PendingDetach),
    /// The call of the first of them.
    Completion(PendingDetach),
    /// A side frees its binding context.
    Free(Pair, Side),
    /// A module with null contexts is done with its side of a binding.
    LetGo(Pair, Side),
    /// A module that counts its bindings looks whether it has a place for one more, and has one more place again.
    Admit(ByName<BindingHandle>),
    Part(u8),
    /// An event is set, and a lock given back.
    Set(u8),
    Unlock(u8),
    /// A module's driver is unloaded.
    Unload(u8),
    /// Handles that nobody issued are used, from this one on: made of the bits of that registration's.
    Forge(Forged, u8, Option<RegId>, ByName<(u32, u64)>),
}

/// What is done with handles that nobody issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Forged {
    Deregister,
    Wait,
    Complete,
}

/// The part of a callback that comes after its script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Body {
    /// Of a client's attach callback.
    Client(ByName<BindingHandle>),
    /// The client's first attach call has been made, or its second.
    Attached(ByName<BindingHandle>, bool),
    /// What it does after the first one is done.
    AfterAttach(ByName<BindingHandle>),
    /// Of a provider's, and the rest of it after a call of its client.
    Provider(ByName<BindingHandle>),
    Asked(ByName<BindingHandle>),
    Detach(ByName<BindingHandle>),
    Cleanup,
}

/// What an attach call is to the callback that it is made in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Attempt {
    /// The client's own: its callback answers what it is answered.
    First,
    /// The client's own, once more.
    Again,
    /// An operation's, which is nothing to it.
    AtLarge,
}

/// What is done with the answer of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum After {
    Nothing,
    /// A register call; whether the registration is owned.
    Registered(RegId, bool),
    /// A deregister call of that module's.
    Deregistered(ModuleNumber),
    /// A wait of that module; for that registration.
    Waited(ModuleNumber, Option<RegId>),
    /// A wait that a module in C makes, for that registration.
    #[cfg(shuttle)]
    ForeignWaited(ModuleNumber, Option<RegId>),
    /// The first of the two steps in which an owned registration is left.
    Left(RegId, ByName<AnyHandle>),
    /// The drop of an owned registration.
    Released(RegId),
    /// An attach call.
    Attach(Option<Pair>, Attempt),
    /// A completion, after which its module may use its context.
    Completed(Pair, Side),
    /// A completion with a wrong handle.
    Mistaken(ModuleNumber, Side),
}

/// A handle that counts for nothing: it is known by what it names, which stands beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ByName<H>(pub(crate) H);

impl<H> Hash for ByName<H> {
    fn hash<S: Hasher>(&self, _: &mut S) {}
}

impl Hash for Piece {
    /// Without the bits of handles, which are known by what they name.
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match *self {
            Self::SetLatest(reg, _) | Self::Keep(reg, _) => reg.hash(state),
            Self::SetLastBinding(module, pair, _) => (ModuleNumber(module), pair).hash(state),
            Self::Open(pair, _) => pair.hash(state),
            Self::Push(detach)
            | Self::Leave(detach)
            | Self::Complete(detach)
            | Self::Mistake(detach)
            | Self::Completion(detach) => detach.hash(state),
            Self::Waited(module) | Self::TryComplete(module) | Self::EnterAll(module) => {
                ModuleNumber(module).hash(state);
            }
            // One that names nothing is known by its bits.
            Self::Deregister(reg, handle) => {
                (reg, reg.is_none().then_some(handle)).hash(state);
            }
            // Of the binding whose callback runs.
            Self::Close(_) => {}
            // Of the binding whose callback runs.
            Self::Admit(_) => {}
            Self::Part(module) | Self::Unload(module) => ModuleNumber(module).hash(state),
            Self::Set(what) | Self::Unlock(what) => what.hash(state),
            Self::LetGo(pair, side)
            | Self::Free(pair, side)
            | Self::DispatchBegin(pair, side)
            | Self::DispatchEnd(pair, side)
            | Self::DispatchEnded(pair, side) => (pair, side).hash(state),
            Self::Forge(what, from, of, _) => (what, from, of).hash(state),
        }
    }
}
