//! The nine functions of netioddk.h.
//!
//! Where the documentation leaves something open: a handle is written when the register call succeeds, as is every
//! out parameter, and not before; a callback that runs inside of it does not have it. A bad argument is answered
//! STATUS_INVALID_PARAMETER, with nothing done and nobody called.

// The names are those of netioddk.h.
#![allow(non_snake_case)]

use std::ffi::c_void;

use nmr::{DetachCompleteError, Handle, OfBinding, Registrar};

use crate::abi::{
    HANDLE, NTSTATUS, PNPI_CLIENT_CHARACTERISTICS, PNPI_PROVIDER_CHARACTERISTICS, PVOID,
};
use crate::boundary::guard;
use crate::handed::Handed;
use crate::log::warning;
use crate::register::{register_client, register_provider};
use crate::registrars;
use crate::status::{
    self, STATUS_INTERNAL_ERROR, STATUS_INVALID_PARAMETER, STATUS_PENDING, STATUS_SUCCESS,
};
use crate::writable::writable;

/// Registers a client module. It is offered every provider of its interface, oldest first, before this returns.
///
/// STATUS_SUCCESS; STATUS_INVALID_PARAMETER for characteristics that are not as documented, the nil GUID, or a NULL
/// NmrClientHandle; STATUS_INSUFFICIENT_RESOURCES; STATUS_INTERNAL_ERROR if a callback written in Rust panicked: the
/// registration is taken back then.
///
/// # Safety
/// The characteristics, with what they point to, stay valid and constant until a wait for the deregistration has
/// returned, as does the context. NmrClientHandle is NULL or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NmrRegisterClient(
    ClientCharacteristics: PNPI_CLIENT_CHARACTERISTICS,
    ClientContext: PVOID,
    NmrClientHandle: *mut HANDLE,
) -> NTSTATUS {
    guard("NmrRegisterClient", STATUS_INTERNAL_ERROR, || {
        registrars::in_default(|registrar| {
            // SAFETY: the caller promises the same.
            unsafe {
                register_client(
                    registrar,
                    ClientCharacteristics,
                    ClientContext,
                    NmrClientHandle,
                )
            }
        })
    })
}

/// Begins to deregister a client module: asks both sides of each of its bindings to detach.
///
/// STATUS_PENDING, always; STATUS_INVALID_PARAMETER for what is no client's handle, or is being deregistered already.
#[unsafe(no_mangle)]
pub extern "C" fn NmrDeregisterClient(NmrClientHandle: HANDLE) -> NTSTATUS {
    // A callback's panic comes when everything is done (C18).
    guard("NmrDeregisterClient", STATUS_PENDING, || {
        registrars::in_that_of(NmrClientHandle, |registrar, handle| {
            let answer = registrar.deregister_client(handle);
            answer.map_or_else(|error| status::of(error.status()), status::of)
        })
        .unwrap_or(STATUS_INVALID_PARAMETER)
    })
}

/// Waits until the deregistration of a client module is over. From then on nothing of it is in use, and the handle
/// is dead.
///
/// STATUS_SUCCESS; STATUS_INVALID_PARAMETER for what is no client's handle, or is not being deregistered;
/// STATUS_POSSIBLE_DEADLOCK inside a callback that this would wait for.
#[unsafe(no_mangle)]
pub extern "C" fn NmrWaitForClientDeregisterComplete(NmrClientHandle: HANDLE) -> NTSTATUS {
    guard(
        "NmrWaitForClientDeregisterComplete",
        STATUS_INTERNAL_ERROR,
        || {
            registrars::in_that_of(NmrClientHandle, |registrar, handle| {
                let answer = registrar.wait_for_client_deregister(handle);
                answer.map_or_else(|error| status::of(error.status()), |()| STATUS_SUCCESS)
            })
            .unwrap_or(STATUS_INVALID_PARAMETER)
        },
    )
}

/// Attaches a client module to the provider module that it is being offered: valid once, inside its attach callback
/// and on that thread. Calls the provider's attach callback, and answers what that answers.
///
/// STATUS_SUCCESS, and only then are the two out parameters written; STATUS_NOINTERFACE, also if one of the two is being
/// deregistered, or whatever the provider answers; STATUS_INVALID_DEVICE_STATE at any other time;
/// STATUS_INVALID_PARAMETER for what is no binding's handle, or a NULL out parameter; STATUS_INTERNAL_ERROR if the
/// provider's callback is written in Rust and panicked.
///
/// # Safety
/// ProviderBindingContext and ProviderDispatch are NULL or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NmrClientAttachProvider(
    NmrBindingHandle: HANDLE,
    ClientBindingContext: PVOID,
    ClientDispatch: *const c_void,
    ProviderBindingContext: *mut PVOID,
    ProviderDispatch: *mut *const c_void,
) -> NTSTATUS {
    guard("NmrClientAttachProvider", STATUS_INTERNAL_ERROR, || {
        if !writable(ProviderBindingContext) || !writable(ProviderDispatch) {
            return STATUS_INVALID_PARAMETER;
        }
        let client = Handed {
            context: ClientBindingContext,
            dispatch: ClientDispatch,
        };
        let answer = registrars::in_that_of(NmrBindingHandle, |registrar, binding| {
            let provider = registrar.client_attach_provider(binding, client.attachment());
            provider.map_err(|error| status::of(error.status()))
        });
        let provider = match answer {
            Some(Ok(provider)) => Handed::of(&provider.context),
            Some(Err(status)) => return status,
            None => return STATUS_INVALID_PARAMETER,
        };
        // SAFETY: not NULL, so the caller says that it may be written to.
        unsafe { ProviderBindingContext.write(provider.context) };
        // SAFETY: as above.
        unsafe { ProviderDispatch.write(provider.dispatch) };
        STATUS_SUCCESS
    })
}

/// Completes a client module's pending detach, from any thread, also before its detach callback has returned
/// STATUS_PENDING. If nothing else of the binding is left, the cleanup callbacks run inside of it.
///
/// Nothing happens if the handle is no binding's, or its client is not detaching.
#[unsafe(no_mangle)]
pub extern "C" fn NmrClientDetachProviderComplete(NmrBindingHandle: HANDLE) {
    complete(
        "NmrClientDetachProviderComplete",
        NmrBindingHandle,
        Registrar::client_detach_complete,
    );
}

/// Registers a provider module. It is offered to every client of its interface, oldest first, before this returns.
///
/// The answers are those of NmrRegisterClient.
///
/// # Safety
/// As NmrRegisterClient.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NmrRegisterProvider(
    ProviderCharacteristics: PNPI_PROVIDER_CHARACTERISTICS,
    ProviderContext: PVOID,
    NmrProviderHandle: *mut HANDLE,
) -> NTSTATUS {
    guard("NmrRegisterProvider", STATUS_INTERNAL_ERROR, || {
        registrars::in_default(|registrar| {
            // SAFETY: the caller promises the same.
            unsafe {
                register_provider(
                    registrar,
                    ProviderCharacteristics,
                    ProviderContext,
                    NmrProviderHandle,
                )
            }
        })
    })
}

/// Begins to deregister a provider module. See NmrDeregisterClient.
#[unsafe(no_mangle)]
pub extern "C" fn NmrDeregisterProvider(NmrProviderHandle: HANDLE) -> NTSTATUS {
    // A callback's panic comes when everything is done (C18).
    guard("NmrDeregisterProvider", STATUS_PENDING, || {
        registrars::in_that_of(NmrProviderHandle, |registrar, handle| {
            let answer = registrar.deregister_provider(handle);
            answer.map_or_else(|error| status::of(error.status()), status::of)
        })
        .unwrap_or(STATUS_INVALID_PARAMETER)
    })
}

/// Waits until the deregistration of a provider module is over. See NmrWaitForClientDeregisterComplete.
#[unsafe(no_mangle)]
pub extern "C" fn NmrWaitForProviderDeregisterComplete(NmrProviderHandle: HANDLE) -> NTSTATUS {
    guard(
        "NmrWaitForProviderDeregisterComplete",
        STATUS_INTERNAL_ERROR,
        || {
            registrars::in_that_of(NmrProviderHandle, |registrar, handle| {
                let answer = registrar.wait_for_provider_deregister(handle);
                answer.map_or_else(|error| status::of(error.status()), |()| STATUS_SUCCESS)
            })
            .unwrap_or(STATUS_INVALID_PARAMETER)
        },
    )
}

/// Completes a provider module's pending detach. See NmrClientDetachProviderComplete.
#[unsafe(no_mangle)]
pub extern "C" fn NmrProviderDetachClientComplete(NmrBindingHandle: HANDLE) {
    complete(
        "NmrProviderDetachClientComplete",
        NmrBindingHandle,
        Registrar::provider_detach_complete,
    );
}

/// Completes a detach. The functions in C have no answer, so that a wrong call is only logged.
fn complete(
    function: &'static str,
    handle: HANDLE,
    complete: impl FnOnce(&Registrar, Handle<OfBinding>) -> Result<(), DetachCompleteError>,
) {
    guard(function, (), || {
        match registrars::in_that_of(handle, complete) {
            Some(Ok(())) => {}
            Some(Err(error)) => warning(format_args!("{function}: ignored: {error}")),
            None => warning(format_args!(
                "{function}: ignored: the handle is of no registrar"
            )),
        }
    });
}
