//! One error type for each operation; each says what was wrong with which handle.

use crate::handle::{BindingHandle, Handle, HandleFault, HandleKind};
use crate::npi::NpiId;
use crate::status::Status;

/// What ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("insufficient resources: no room for {wanted} more {what}")]
pub struct InsufficientResources {
    /// How many were wanted at once.
    pub wanted: usize,
    /// Of what.
    pub what: Resource,
}

/// The things that registering needs room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resource {
    /// A registration.
    Registration,
    /// The registrar's note of an interface.
    Interface,
    /// Bindings, one for each open registration of the other side.
    Binding,
}

impl std::fmt::Display for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Registration => "registration(s)",
            Self::Interface => "interface(s)",
            Self::Binding => "binding(s)",
        })
    }
}

/// Why a register call was refused. Nobody was called and nothing changed (C17).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// Memory, or one of the limits given to the [builder](crate::Builder), is used up.
    #[error(transparent)]
    InsufficientResources(#[from] InsufficientResources),
    /// The registration instance names no interface.
    #[error("invalid parameter: {0} is the nil NPIID and names no interface")]
    InvalidParameter(NpiId),
}

impl RegisterError {
    /// The status that the Windows function returns for this.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::InsufficientResources(_) => Status::INSUFFICIENT_RESOURCES,
            Self::InvalidParameter(_) => Status::INVALID_PARAMETER,
        }
    }
}

/// Why a deregister call was refused. It had no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeregisterError<K: HandleKind> {
    /// The handle names no registration of this kind here (C12).
    #[error("invalid parameter: {handle}: {fault}")]
    InvalidParameter {
        /// The handle as it was given.
        handle: Handle<K>,
        /// What is wrong with it.
        fault: HandleFault,
    },
    /// The registration is being deregistered already (C13); Windows says STATUS_INVALID_PARAMETER
    /// here too.
    #[error("invalid parameter: {handle}: it is being deregistered already")]
    AlreadyDeregistering {
        /// The handle as it was given.
        handle: Handle<K>,
    },
}

impl<K: HandleKind> DeregisterError<K> {
    /// The status that the Windows function returns for this.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::InvalidParameter { .. } | Self::AlreadyDeregistering { .. } => {
                Status::INVALID_PARAMETER
            }
        }
    }
}

/// Why a wait returned without the deregistration being over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError<K: HandleKind> {
    /// The handle names no registration of this kind here (C12). A registration's handle dies when
    /// a wait for it has returned.
    #[error("invalid parameter: {handle}: {fault}")]
    InvalidParameter {
        /// The handle as it was given.
        handle: Handle<K>,
        /// What is wrong with it.
        fault: HandleFault,
    },
    /// Nobody has begun to deregister it (C14); Windows says STATUS_INVALID_PARAMETER here too.
    #[error(
        "invalid parameter: {handle}: it is not being deregistered, so the wait would have no end"
    )]
    NotDeregistered {
        /// The handle as it was given.
        handle: Handle<K>,
    },
    /// The waiting thread is inside a callback that the wait would wait for (C15).
    #[error("possible deadlock: {handle}: this thread is inside one of its callbacks")]
    WouldDeadlock {
        /// The handle as it was given.
        handle: Handle<K>,
    },
}

impl<K: HandleKind> WaitError<K> {
    /// The status that the Windows function returns for this.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::InvalidParameter { .. } | Self::NotDeregistered { .. } => {
                Status::INVALID_PARAMETER
            }
            Self::WouldDeadlock { .. } => Status::POSSIBLE_DEADLOCK,
        }
    }
}

/// Why `client_attach_provider` handed out nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttachError {
    /// The handle names no binding here (C12).
    #[error("invalid parameter: {handle}: {fault}")]
    InvalidParameter {
        /// The handle as it was given.
        handle: BindingHandle,
        /// What is wrong with it.
        fault: HandleFault,
    },
    /// This is not the one call inside the client's attach callback for this binding (C3).
    #[error(
        "invalid state: {handle}: not inside its client's attach callback, or attached already"
    )]
    InvalidState {
        /// The handle as it was given.
        handle: BindingHandle,
    },
    /// One of the two sides is being deregistered (C6).
    #[error("no interface: {handle}: one of its sides is being deregistered")]
    NoInterface {
        /// The handle as it was given.
        handle: BindingHandle,
    },
    /// The provider's attach callback declined.
    #[error("the provider declined: {0}")]
    Refused(Status),
}

impl AttachError {
    /// The status that the Windows function returns for this.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::InvalidParameter { .. } => Status::INVALID_PARAMETER,
            Self::InvalidState { .. } => Status::INVALID_DEVICE_STATE,
            Self::NoInterface { .. } => Status::NOINTERFACE,
            Self::Refused(status) => status,
        }
    }
}

/// Why a detach-complete call was refused. It changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DetachCompleteError {
    /// The handle names no binding here (C12).
    #[error("invalid parameter: {handle}: {fault}")]
    InvalidParameter {
        /// The handle as it was given.
        handle: BindingHandle,
        /// What is wrong with it.
        fault: HandleFault,
    },
    /// That side is not detaching, or it is detached already (C8).
    #[error("invalid state: {handle}: that side is not detaching, or it has completed already")]
    InvalidState {
        /// The handle as it was given.
        handle: BindingHandle,
    },
}

impl DetachCompleteError {
    /// The status for this; the Windows function returns nothing.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::InvalidParameter { .. } => Status::INVALID_PARAMETER,
            Self::InvalidState { .. } => Status::INVALID_DEVICE_STATE,
        }
    }
}
