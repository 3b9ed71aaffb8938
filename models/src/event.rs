//! What can be observed of a registrar from outside: calls, callbacks and returns, in the order in
//! which they happened.
//!
//! Nothing here comes from inside the registrar, but for the [changes](What::Changed) that are shown and not
//! judged. Events of one thread nest properly: a call's callbacks, and what the destructors do that it runs, lie between its
//! [`What::Call`] and its [`What::Return`], and so on inward.

use std::fmt;
use std::hash::{Hash, Hasher};

pub use nmr::Side;
use serde::{Deserialize, Serialize};

use crate::permuted::ModuleNumber;

/// A registration, or an attempt at one: the scenario's module `module`, registering for the
/// `nth` time (from 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RegId {
    /// Index of the module in the scenario.
    pub module: u8,
    /// How many times it had registered before.
    pub nth: u8,
}

impl Hash for RegId {
    /// Under a [symmetry](crate::symmetry) its image.
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u16(u16::from_le_bytes([
            ModuleNumber(self.module).image(),
            self.nth,
        ]));
    }
}

/// A binding, named by its two registrations: by C2 there is never a second one for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Pair {
    /// The client's registration.
    pub client: RegId,
    /// The provider's registration.
    pub provider: RegId,
}

impl Pair {
    /// Both registrations.
    #[must_use]
    pub const fn registrations(self) -> [RegId; 2] {
        [self.client, self.provider]
    }

    /// The registration on one side.
    #[must_use]
    pub const fn side(self, side: Side) -> RegId {
        match side {
            Side::Client => self.client,
            Side::Provider => self.provider,
        }
    }
}

/// One step that could be observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// The scenario's thread; `None` for a [`What::Dropped`] in which nothing is done: that can happen anywhere.
    pub thread: Option<u8>,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// A module, or the scenario, calls the registrar.
    Call(Call),
    /// The innermost call of this thread returns.
    Return(Answer),
    /// The registrar calls a module.
    Begin(Callback),
    /// The innermost callback of this thread returns.
    End(Reply),
    /// A module calls its peer's dispatch table: `by` (its side of the binding) begins to use the
    /// peer's binding context. It lies inside whatever the thread is doing.
    DispatchBegin {
        /// The binding.
        pair: Pair,
        /// The side that calls.
        by: Side,
    },
    /// That call returns.
    DispatchEnd {
        /// The binding.
        pair: Pair,
        /// The side that called.
        by: Side,
    },
    /// Somebody uses a context that its owner has already freed: a registration's, freed when the wait for
    /// the registration has returned, or a binding's.
    UsedAfterFree(Thing),
    /// A module that is not yet ready is called.
    NotReady {
        /// Its registration.
        reg: RegId,
    },
    /// A call that a module counts on was refused: the module's own fault.
    Misused {
        /// The call.
        call: Call,
        /// What it was answered.
        answer: Answer,
    },
    /// A module's call for a registration that it does not have, or not any more, was refused. Whether that is meant
    /// is the module's matter.
    Refused {
        /// Index of the module in the scenario.
        module: u8,
        /// Which call.
        refusal: Refusal,
    },
    /// The registrar dropped its last reference. Where that is a thread's, its destructor does something, up to
    /// [`What::Destroyed`].
    Dropped(Thing),
    /// The innermost destructor of this thread is over.
    Destroyed,
    /// Something that is done beside the registrar. The contract has nothing to say of it, a platform may.
    Did(Deed),
    /// The registrar's own: something changed in its table. Only there to be shown, by an engine that repeats
    /// an execution; nobody judges by it.
    Changed(Change),
}

/// A call for a registration that there is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// To deregister it.
    Deregister,
    /// To wait for its end.
    Wait,
}

/// What a thread does beside the registrar, with an event, a lock or a module, by its index in the scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deed {
    /// It comes to wait for an event.
    Await(u8),
    /// It sets one.
    Set(u8),
    /// It comes to take a lock.
    Lock(u8),
    /// It gives one back.
    Unlock(u8),
    /// It comes to take a spin lock, which raises its level at once.
    SpinLock(u8),
    /// It gives one back, and is at the level from before.
    SpinUnlock(u8),
    /// A module, by its index, is unloaded.
    Unload(u8),
}

/// What the registrar keeps of something is another than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Change {
    /// What changed.
    pub subject: Subject,
    /// As it was; `None` if it is new.
    pub from: Option<Stage>,
    /// As it is; `None` if it is gone.
    pub to: Option<Stage>,
}

/// What the registrar keeps something of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A registration.
    Registration(RegId),
    /// A binding.
    Binding(Pair),
}

/// How far a registration or a binding is, in the registrar's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stage {
    /// The whole.
    pub stage: &'static str,
    /// Of a binding that is detached: the client's side and the provider's.
    pub sides: [&'static str; 2],
}

/// A call to the registrar. A target of `None` is a handle that names nothing (forged, foreign, of
/// another kind, or bits from nowhere).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// `register_client` or `register_provider`.
    Register {
        /// The attempt.
        reg: RegId,
        /// The side.
        side: Side,
        /// Number of the interface; 0 is the nil NPIID.
        npi: u8,
    },
    /// `deregister_client` or `deregister_provider`.
    Deregister(Option<RegId>),
    /// `wait_for_client_deregister` or `wait_for_provider_deregister`.
    Wait(Option<RegId>),
    /// `client_attach_provider`.
    AttachProvider(Option<Pair>),
    /// `client_detach_complete` or `provider_detach_complete`.
    DetachComplete {
        /// Whose function.
        side: Side,
        /// The binding.
        pair: Option<Pair>,
    },
    /// The drop of a registration that is owned: deregisters and waits.
    Release(RegId),
}

impl Call {
    /// The registrations that it names.
    pub fn registrations(self) -> impl Iterator<Item = RegId> {
        let named = match self {
            Self::Register { reg, .. } | Self::Release(reg) => [Some(reg), None],
            Self::Deregister(reg) | Self::Wait(reg) => [reg, None],
            Self::AttachProvider(pair) | Self::DetachComplete { pair, .. } => {
                [pair.map(|pair| pair.client), pair.map(|pair| pair.provider)]
            }
        };
        named.into_iter().flatten()
    }
}

/// A call's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// A register call gave a handle.
    Registered,
    /// A deregister call answered STATUS_PENDING.
    Pending,
    /// A status that no function has, or a success that is not pending from a deregister call.
    WrongStatus,
    /// A wait or a detach-complete call did what it was asked.
    Done,
    /// `client_attach_provider` attached.
    Attached,
    /// `client_attach_provider` passed on the provider's refusal.
    Refused,
    /// `client_attach_provider` answered no-interface: a closing door.
    NoInterface,
    /// No memory, or a limit.
    InsufficientResources,
    /// A handle that is not valid for this call, or the nil NPIID.
    InvalidParameter,
    /// The wrong time.
    InvalidState,
    /// A wait that could never end.
    WouldDeadlock,
    /// A callback's panic came through.
    Panicked,
}

/// A callback of one module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Callback {
    /// Which.
    pub kind: CallbackKind,
    /// Whose: the side of `pair` that is called.
    pub side: Side,
    /// For which binding.
    pub pair: Pair,
}

/// The three callbacks that either side has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallbackKind {
    /// The client's `attach_provider` or the provider's `attach_client`.
    Attach,
    /// `detach_provider` or `detach_client`.
    Detach,
    /// `cleanup_binding_context`.
    Cleanup,
}

/// A callback's reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reply {
    /// An attach callback answered success, or a cleanup callback returned.
    Success,
    /// An attach callback declined.
    Failure,
    /// A detach callback answered complete.
    Complete,
    /// A detach callback answered pending.
    Pending,
    /// The callback panicked.
    Panicked,
}

/// What a module lends to the registrar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Thing {
    /// A module (the registration context).
    Module(RegId),
    /// A binding context of one side.
    Context {
        /// The binding.
        pair: Pair,
        /// The side that it belongs to.
        side: Side,
    },
}

impl Thing {
    /// The registration to which it belongs.
    #[must_use]
    pub const fn owner(self) -> RegId {
        match self {
            Self::Module(reg) => reg,
            Self::Context { pair, side } => pair.side(side),
        }
    }

    /// The registrations that it is about.
    pub fn registrations(self) -> impl Iterator<Item = RegId> {
        let about = match self {
            Self::Module(reg) => [Some(reg), None],
            Self::Context { pair, .. } => pair.registrations().map(Some),
        };
        about.into_iter().flatten()
    }
}

/// How a run ended, as seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quiet {
    /// Registrations that the registrar says are there.
    pub registrations: usize,
    /// Bindings that the registrar says are there.
    pub bindings: usize,
    /// Registration instances that somebody still holds: the modules that are told of them do not.
    pub instances: usize,
    /// Whether every call that the scenario meant to make was made, and every pending detach was
    /// completed.
    pub drained: bool,
    /// A binding context that its owner has not freed.
    pub leaked: Option<(Pair, Side)>,
}

impl fmt::Display for CallbackKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Attach => "attach",
            Self::Detach => "detach",
            Self::Cleanup => "cleanup",
        })
    }
}
