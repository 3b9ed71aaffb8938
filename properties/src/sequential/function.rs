//! The registrar's functions that take a handle.

use serde::{Deserialize, Serialize};

use super::ops::{HandleRef, Op, Register};

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

impl Op {
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
