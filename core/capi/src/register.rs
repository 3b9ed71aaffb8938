//! Registering: what both sides and all register functions have in common.

use std::sync::Arc;

use nmr::{Handle, HandleKind, RegisterError, Registrar};

use crate::abi::{
    HANDLE, NTSTATUS, PNPI_CLIENT_CHARACTERISTICS, PNPI_PROVIDER_CHARACTERISTICS, PVOID,
};
use crate::check;
use crate::client::Client;
use crate::handed;
use crate::log::warning;
use crate::provider::Provider;
use crate::registrars::handle_of;
use crate::status::{self, STATUS_INVALID_PARAMETER, STATUS_SUCCESS};
use crate::writable::writable;

/// Registers a client with a registrar.
///
/// # Safety
/// As [`NmrRegisterClient`](crate::functions::NmrRegisterClient).
pub(crate) unsafe fn register_client(
    registrar: &Registrar,
    characteristics: PNPI_CLIENT_CHARACTERISTICS,
    context: PVOID,
    out: *mut HANDLE,
) -> NTSTATUS {
    // SAFETY: the caller says that they are valid.
    let npi = match unsafe { check::client(characteristics) } {
        Ok(npi) => npi,
        Err(fault) => return refused("client", fault),
    };
    // SAFETY: a pointer to a field of what is valid.
    let instance = unsafe { &raw const (*characteristics).ClientRegistrationInstance };
    // SAFETY: they are good, and the caller says that they stay so until the deregistration is over, when the
    // registrar lets go of the module (C11).
    let module = unsafe { Client::new(characteristics, context) };
    // SAFETY: the caller says that it is NULL or may be written to.
    unsafe {
        give(out, || {
            registrar.register_client(handed::instance(npi, instance), Arc::new(module))
        })
    }
}

/// Registers a provider with a registrar.
///
/// # Safety
/// As [`NmrRegisterProvider`](crate::functions::NmrRegisterProvider).
pub(crate) unsafe fn register_provider(
    registrar: &Registrar,
    characteristics: PNPI_PROVIDER_CHARACTERISTICS,
    context: PVOID,
    out: *mut HANDLE,
) -> NTSTATUS {
    // SAFETY: the caller says that they are valid.
    let npi = match unsafe { check::provider(characteristics) } {
        Ok(npi) => npi,
        Err(fault) => return refused("provider", fault),
    };
    // SAFETY: a pointer to a field of what is valid.
    let instance = unsafe { &raw const (*characteristics).ProviderRegistrationInstance };
    // SAFETY: they are good, and the caller says that they stay so until the deregistration is over, when the
    // registrar lets go of the module (C11).
    let module = unsafe { Provider::new(characteristics, context) };
    // SAFETY: the caller says that it is NULL or may be written to.
    unsafe {
        give(out, || {
            registrar.register_provider(handed::instance(npi, instance), Arc::new(module))
        })
    }
}

/// Registers, if there is a place for the handle, and puts it there.
///
/// # Safety
/// The place is NULL or may be written to.
unsafe fn give<K: HandleKind>(
    out: *mut HANDLE,
    register: impl FnOnce() -> Result<Handle<K>, RegisterError>,
) -> NTSTATUS {
    if !writable(out) {
        return refused("module", "there is no place for its handle");
    }
    match register() {
        Ok(handle) => {
            // SAFETY: not NULL, so the caller says that it may be written to.
            unsafe { out.write(handle_of(handle)) };
            STATUS_SUCCESS
        }
        Err(error) => {
            warning(format_args!("not registered: {error}"));
            status::of(error.status())
        }
    }
}

#[cold]
fn refused(module: &str, fault: check::Fault) -> NTSTATUS {
    warning(format_args!("a {module} is not registered: {fault}"));
    STATUS_INVALID_PARAMETER
}
