//! What can be seen from outside the registrar: calls, answers, callbacks, and what it holds.
//!
//! The specification and the real run both produce these, and are compared by them alone.

use std::fmt;

use nmr::{
    HandleFault, InsufficientResources, ModuleId, NpiId, RegistrationInstance, Side, Status,
};

use super::handle_ref::{MODULES, Slot};
use super::ops::fault_name;

/// One thing that happened, and inside how many calls and callbacks.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// How many calls and callbacks are around it.
    pub depth: usize,
    /// What happened.
    pub what: What,
}

/// See [`Event`].
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A registrar function is called: the operation as text.
    Called(String),
    /// It returned.
    Answered(Answer),
    /// The registrar calls a module.
    Callback(Callback),
    /// The module returns to the registrar.
    Returned(Outcome),
    /// The operation is over, and this is what the registrar now holds.
    Holds(Held),
}

/// One registration: `c1` is the first of that module, `c1#2` the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    /// The module.
    pub slot: Slot,
    /// Counts the module's register calls, from 1.
    pub turn: u32,
}

/// The two registrations of a binding. There is one binding of two registrations at most (C2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pair {
    /// The client's.
    pub client: Name,
    /// The provider's.
    pub provider: Name,
}

/// The answer of a registrar function.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// A register call made this registration.
    Registered(Name),
    /// A register call was given the nil NPIID.
    NilInterface,
    /// A register call found no room (C17).
    InsufficientResources(InsufficientResources),
    /// A deregister call's status.
    Deregistering(Status),
    /// The call did what it is for.
    Done,
    /// A wait returned, but the registrar still holds the module or its instance (against C11).
    DoneButHeld,
    /// `client_attach_provider` handed out these, by their labels.
    Attached {
        /// The provider's binding context.
        context: String,
        /// The provider's dispatch table.
        dispatch: String,
    },
    /// The provider's refusal.
    Refused(Status),
    /// The handle is not good for this call (C12).
    InvalidParameter(HandleFault),
    /// The handle names nothing that the call is for; more cannot be known from outside (C12).
    InvalidHandle,
    /// The registration is being deregistered already (C13).
    AlreadyDeregistering,
    /// Nobody has begun to deregister it (C14).
    NotDeregistered,
    /// C15.
    WouldDeadlock,
    /// C3 and C8.
    InvalidState,
    /// C6.
    NoInterface,
    /// The call panicked with this text (C18).
    Panicked(String),
    /// An answer that the specification does not know.
    Other(String),
    /// The call was not made, for this reason.
    NotMade(&'static str),
}

/// A callback, and what the registrar passes to it.
#[derive(Clone, Debug, PartialEq)]
pub enum Callback {
    /// The client's attach callback.
    ClientAttach {
        /// The binding on offer: the client called, and the provider by its instance.
        binding: Pair,
    },
    /// The provider's attach callback.
    ProviderAttach {
        /// The provider called, and the client by its instance.
        binding: Pair,
        /// The label of the client's binding context.
        context: String,
        /// The label of the client's dispatch table.
        dispatch: String,
    },
    /// A detach callback.
    Detach {
        /// The registration called.
        module: Name,
        /// The binding, by its handle.
        binding: Option<Pair>,
        /// The label of the binding context.
        context: String,
    },
    /// A cleanup callback.
    CleanUp {
        /// The registration called.
        module: Name,
        /// The label of the binding context.
        context: String,
    },
}

/// How a callback ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An attach callback succeeds.
    Success,
    /// An attach callback declines.
    Declines,
    /// A detach callback is complete, or a cleanup callback is over.
    Complete,
    /// A detach callback will complete later.
    Pending,
    /// It panics.
    Panics,
}

/// What the registrar holds between two operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Registrations, by its own count.
    pub registrations: usize,
    /// Bindings, by its own count.
    pub bindings: usize,
    /// Modules that it has a reference to.
    pub modules: usize,
    /// Registration instances that it has a reference to.
    pub instances: usize,
    /// Binding contexts that are not null and that it has a reference to.
    pub contexts: usize,
}

impl Name {
    /// What this registration says of itself.
    #[must_use]
    pub fn instance(self, npi: u8) -> RegistrationInstance {
        let side = u128::from(MODULES) * self.slot.side as u128;
        let module = ModuleId(side + u128::from(self.slot.number));
        RegistrationInstance {
            number: self.turn,
            ..RegistrationInstance::new(NpiId(npi.into()), module)
        }
    }

    /// The registration that says this of itself, if it is one of ours.
    #[must_use]
    pub fn of(instance: &RegistrationInstance) -> Option<Self> {
        let turn = instance.number;
        Slot::all()
            .map(|slot| Self { slot, turn })
            .find(|name| name.instance(0).module == instance.module)
    }
}

impl Pair {
    /// The registration of one side.
    #[must_use]
    pub const fn end(self, side: Side) -> Name {
        match side {
            Side::Client => self.client,
            Side::Provider => self.provider,
        }
    }

    /// The label of one side's binding context.
    #[must_use]
    pub fn context(self, side: Side, null: bool) -> String {
        if null {
            "null".to_owned()
        } else {
            format!("{side}'s of {self}")
        }
    }

    /// The label of one side's dispatch table.
    #[must_use]
    pub fn dispatch(self, side: Side) -> String {
        format!("{side}'s for {self}")
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:1$}{2}", "", self.depth * 2, self.what)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Called(op) => f.write_str(op),
            Self::Answered(answer) => write!(f, "= {answer}"),
            Self::Callback(callback) => write!(f, "> {callback}"),
            Self::Returned(outcome) => write!(f, "< {outcome}"),
            Self::Holds(held) => write!(f, "the registrar holds {held}"),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.slot)?;
        if self.turn > 1 {
            write!(f, "#{}", self.turn)?;
        }
        Ok(())
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.client, self.provider)
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registered(name) => write!(f, "registered {name}"),
            Self::NilInterface => f.write_str("invalid parameter: nil interface"),
            Self::InsufficientResources(error) => write!(f, "{error}"),
            Self::Deregistering(status) | Self::Refused(status) => write!(f, "{status}"),
            Self::Done => f.write_str("done"),
            Self::DoneButHeld => f.write_str("done, but the registrar still holds the module"),
            Self::Attached { context, dispatch } => {
                write!(f, "attached: context {context}, dispatch {dispatch}")
            }
            Self::InvalidParameter(fault) => {
                write!(f, "invalid parameter: {} handle", fault_name(*fault))
            }
            Self::InvalidHandle => f.write_str("invalid parameter: no such handle"),
            Self::AlreadyDeregistering => {
                f.write_str("invalid parameter: being deregistered already")
            }
            Self::NotDeregistered => f.write_str("invalid parameter: not being deregistered"),
            Self::WouldDeadlock => f.write_str("would deadlock"),
            Self::InvalidState => f.write_str("invalid state"),
            Self::NoInterface => f.write_str("no interface"),
            Self::Panicked(text) => write!(f, "panicked: {text}"),
            Self::Other(text) => write!(f, "unexpected: {text}"),
            Self::NotMade(reason) => write!(f, "not made: {reason}"),
        }
    }
}

impl fmt::Display for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClientAttach { binding } => {
                write!(f, "{} is offered {}", binding.client, binding.provider)
            }
            Self::ProviderAttach {
                binding,
                context,
                dispatch,
            } => write!(
                f,
                "{} is asked to attach {}: context {context}, dispatch {dispatch}",
                binding.provider, binding.client
            ),
            Self::Detach {
                module,
                binding,
                context,
            } => match binding {
                Some(binding) => write!(f, "{module} detaches {binding}: context {context}"),
                None => write!(f, "{module} detaches an unknown binding: context {context}"),
            },
            Self::CleanUp { module, context } => {
                write!(f, "{module} cleans up: context {context}")
            }
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Success => "success",
            Self::Declines => "declines",
            Self::Complete => "complete",
            Self::Pending => "pending",
            Self::Panics => "panics",
        })
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} registration(s), {} binding(s), {} module(s), {} instance(s), {} context(s)",
            self.registrations, self.bindings, self.modules, self.instances, self.contexts
        )
    }
}
