//! The language of the sequences: operations, taken whole and taken apart, and the scripts of the modules.
//!
//! It says nothing about what an operation does.

use std::fmt;

use nmr::{HandleFault, Side};
use nmr_models::scenario::Limits;
use serde::{Deserialize, Serialize};

use super::handle_ref::{HandleRef, Slot};

/// What a case file of this module says in its `kind` field.
pub const KIND: &str = "sequential";

/// Slots have few generations, so that they are retired while a sequence runs.
pub const LAST_GENERATION: u32 = 4;

/// How many interfaces there are. Interface 0 is the nil one, which registers nothing.
pub const INTERFACES: u8 = 3;

/// A case file: a sequence, and what was wrong when it was saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// [`KIND`].
    pub kind: String,
    /// The difference that the sequence showed when it was saved; empty for one written by hand.
    #[serde(default)]
    pub found: String,
    /// The limits and the fault of the registrar under test. Its slots are retired after
    /// [`LAST_GENERATION`], if nothing else is said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: Limits,
    /// The operations, in order. All registrations that are left are deregistered after the last.
    #[serde(rename = "op")]
    pub ops: Vec<Op>,
}

/// One call of a registrar function.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Op {
    /// `register_client` or `register_provider`, according to the module.
    Register(Box<Register>),
    /// `deregister_client`.
    DeregisterClient(HandleRef),
    /// `deregister_provider`.
    DeregisterProvider(HandleRef),
    /// `wait_for_client_deregister`. Not made where it would block for good.
    WaitClient(HandleRef),
    /// `wait_for_provider_deregister`. Not made where it would block for good.
    WaitProvider(HandleRef),
    /// `client_attach_provider`, beside the one that a client's script makes.
    AttachProvider(HandleRef),
    /// `client_detach_complete`.
    ClientDetachComplete(HandleRef),
    /// `provider_detach_complete`.
    ProviderDetachComplete(HandleRef),
}

impl Op {
    /// The deregister call of one side.
    #[must_use]
    pub fn deregister(side: Side, handle: HandleRef) -> Self {
        match side {
            Side::Client => Self::DeregisterClient(handle),
            Side::Provider => Self::DeregisterProvider(handle),
        }
    }

    /// The wait of one side.
    #[must_use]
    pub fn wait(side: Side, handle: HandleRef) -> Self {
        match side {
            Side::Client => Self::WaitClient(handle),
            Side::Provider => Self::WaitProvider(handle),
        }
    }

    /// The detach-complete call of one side.
    #[must_use]
    pub fn detach_complete(side: Side, handle: HandleRef) -> Self {
        match side {
            Side::Client => Self::ClientDetachComplete(handle),
            Side::Provider => Self::ProviderDetachComplete(handle),
        }
    }

    /// Takes the operation apart.
    #[must_use]
    pub fn parts(&self) -> Parts<'_> {
        let (function, handle) = match self {
            Self::Register(register) => return Parts::Register(register),
            Self::DeregisterClient(handle) => (Function::DeregisterClient, handle),
            Self::DeregisterProvider(handle) => (Function::DeregisterProvider, handle),
            Self::WaitClient(handle) => (Function::WaitClient, handle),
            Self::WaitProvider(handle) => (Function::WaitProvider, handle),
            Self::AttachProvider(handle) => (Function::AttachProvider, handle),
            Self::ClientDetachComplete(handle) => (Function::ClientDetachComplete, handle),
            Self::ProviderDetachComplete(handle) => (Function::ProviderDetachComplete, handle),
        };
        Parts::Call(function, *handle)
    }

    /// The handle, for a change of it.
    pub const fn handle_mut(&mut self) -> Option<&mut HandleRef> {
        match self {
            Self::Register(_) => None,
            Self::DeregisterClient(handle)
            | Self::DeregisterProvider(handle)
            | Self::WaitClient(handle)
            | Self::WaitProvider(handle)
            | Self::AttachProvider(handle)
            | Self::ClientDetachComplete(handle)
            | Self::ProviderDetachComplete(handle) => Some(handle),
        }
    }
}

/// A function of the registrar that takes a handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Function {
    /// `deregister_client`.
    DeregisterClient,
    /// `deregister_provider`.
    DeregisterProvider,
    /// `wait_for_client_deregister`.
    WaitClient,
    /// `wait_for_provider_deregister`.
    WaitProvider,
    /// `client_attach_provider`.
    AttachProvider,
    /// `client_detach_complete`.
    ClientDetachComplete,
    /// `provider_detach_complete`.
    ProviderDetachComplete,
}

impl Function {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::DeregisterClient,
        Self::DeregisterProvider,
        Self::WaitClient,
        Self::WaitProvider,
        Self::AttachProvider,
        Self::ClientDetachComplete,
        Self::ProviderDetachComplete,
    ];

    /// The call with this handle.
    #[must_use]
    pub const fn of(self, handle: HandleRef) -> Op {
        match self {
            Self::DeregisterClient => Op::DeregisterClient(handle),
            Self::DeregisterProvider => Op::DeregisterProvider(handle),
            Self::WaitClient => Op::WaitClient(handle),
            Self::WaitProvider => Op::WaitProvider(handle),
            Self::AttachProvider => Op::AttachProvider(handle),
            Self::ClientDetachComplete => Op::ClientDetachComplete(handle),
            Self::ProviderDetachComplete => Op::ProviderDetachComplete(handle),
        }
    }

    /// Its name, as in the cases.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DeregisterClient => "deregister-client",
            Self::DeregisterProvider => "deregister-provider",
            Self::WaitClient => "wait-client",
            Self::WaitProvider => "wait-provider",
            Self::AttachProvider => "attach-provider",
            Self::ClientDetachComplete => "client-detach-complete",
            Self::ProviderDetachComplete => "provider-detach-complete",
        }
    }
}

/// An operation, taken apart.
#[derive(Clone, Copy, Debug)]
pub enum Parts<'a> {
    /// A register call, which takes no handle.
    Register(&'a Register),
    /// Any other call, with its handle.
    Call(Function, HandleRef),
}

/// A register call and the script of the module for this registration.
///
/// The calls in a script are made the first time that the registration comes to that point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Register {
    /// The module. It has one registration at a time: while it has one, the call is not made.
    pub module: Slot,
    /// The interface, 1 to [`INTERFACES`]; 0 is the nil NPIID.
    pub npi: u8,
    /// How its attach callback goes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub attach: Attach,
    /// How its detach callback goes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub detach: DetachScript,
    /// Whether its cleanup callback panics.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cleanup_panics: bool,
    /// Whether its binding context is null.
    #[serde(default, skip_serializing_if = "is_default")]
    pub null_context: bool,
    /// Calls at the start of its attach callback.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before_attach: Vec<Op>,
    /// Calls in a client's attach callback, after its own attach call has returned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after_attach: Vec<Op>,
    /// Calls at the start of its detach callback.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_detach: Vec<Op>,
    /// Calls at the start of its cleanup callback.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_cleanup: Vec<Op>,
}

impl Register {
    /// A registration of `module` for `npi` that accepts, detaches at once and calls nobody.
    #[must_use]
    pub fn new(module: Slot, npi: u8) -> Self {
        Self {
            module,
            npi,
            attach: Attach::default(),
            detach: DetachScript::default(),
            cleanup_panics: false,
            null_context: false,
            before_attach: Vec::new(),
            after_attach: Vec::new(),
            in_detach: Vec::new(),
            in_cleanup: Vec::new(),
        }
    }

    /// The calls that the script makes at one point.
    #[must_use]
    pub fn calls(&self, hook: Hook) -> &[Op] {
        match hook {
            Hook::BeforeAttach => &self.before_attach,
            Hook::AfterAttach => &self.after_attach,
            Hook::Detach => &self.in_detach,
            Hook::Cleanup => &self.in_cleanup,
        }
    }
}

pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A point in a script at which a module calls the registrar back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// At the start of the attach callback.
    BeforeAttach,
    /// In a client's attach callback, after its attach call.
    AfterAttach,
    /// At the start of the detach callback.
    Detach,
    /// At the start of the cleanup callback.
    Cleanup,
}

/// How an attach callback goes. A provider knows `accept`, `decline` and `panic`, and takes every
/// other value for `accept`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attach {
    /// Attaches, and answers what came of it.
    #[default]
    Accept,
    /// Declines without attaching.
    Decline,
    /// Answers success without attaching (C4).
    Hollow,
    /// Attaches, then declines whatever came of it (C5).
    ChangeOfMind,
    /// Attaches, then answers success whatever came of it, even a panic of the provider.
    Insist,
    /// Attaches twice (C3), and answers what came of the first call.
    Twice,
    /// Panics without attaching.
    Panic,
    /// Attaches, then panics.
    AttachThenPanic,
}

/// How a detach callback goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DetachScript {
    /// Answers complete.
    #[default]
    AtOnce,
    /// Answers pending.
    Pending,
    /// Completes inside the callback, then answers pending (C8).
    Early,
    /// Completes inside the callback, then answers complete.
    EarlyThenComplete,
    /// Panics, which counts as complete (C18).
    Panic,
    /// Completes inside the callback, then panics.
    EarlyThenPanic,
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts() {
            Parts::Call(function, handle) => write!(f, "{} {handle}", function.name()),
            Parts::Register(register) => {
                write!(f, "register {} on npi {}", register.module, register.npi)
            }
        }
    }
}

/// The word for what is wrong with a handle.
#[must_use]
pub fn fault_name(fault: HandleFault) -> &'static str {
    match fault {
        HandleFault::Foreign => "foreign",
        HandleFault::WrongKind => "wrong kind",
        HandleFault::Unknown => "never issued",
        HandleFault::Dead => "dead",
        _ => "another fault",
    }
}
