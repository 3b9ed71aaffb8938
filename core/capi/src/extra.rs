//! What netioddk.h does not have: registrars beside the default one, and what can be seen of one.
//!
//! A handle says which registrar it is of, so that the functions of netioddk.h take handles of any.

// In the style of netioddk.h.
#![allow(non_snake_case)]

use nmr::Registrar;

use crate::abi::{
    HANDLE, NMREX_LOG_FN, NMREX_REGISTRAR_LIMITS, NTSTATUS, PNPI_CLIENT_CHARACTERISTICS,
    PNPI_PROVIDER_CHARACTERISTICS, PVOID, ULONGLONG,
};
use crate::boundary::{caught, guard};
use crate::log;
use crate::register::{register_client, register_provider};
use crate::registrars::{self, Kept};
use crate::status::{
    STATUS_INSUFFICIENT_RESOURCES, STATUS_INTERNAL_ERROR, STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER, STATUS_SUCCESS,
};
use crate::writable::writable;

/// Makes a registrar beside the default one, of which it sees nothing. Limits may be NULL.
///
/// STATUS_SUCCESS; STATUS_INVALID_PARAMETER for limits of another Size, or a NULL Registrar;
/// STATUS_INSUFFICIENT_RESOURCES when the process has made 262,143.
///
/// # Safety
/// Limits is NULL or valid, with a Size that is true. Registrar is NULL or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NmrExCreateRegistrar(
    Limits: *const NMREX_REGISTRAR_LIMITS,
    Registrar: *mut HANDLE,
) -> NTSTATUS {
    guard("NmrExCreateRegistrar", STATUS_INTERNAL_ERROR, || {
        if !writable(Registrar) {
            return STATUS_INVALID_PARAMETER;
        }
        // SAFETY: the caller says that it is NULL or valid.
        let Some(builder) = (unsafe { builder(Limits) }) else {
            return STATUS_INVALID_PARAMETER;
        };
        let Some(registrar) = registrars::create(builder) else {
            return STATUS_INSUFFICIENT_RESOURCES;
        };
        // SAFETY: not NULL, so the caller says that it may be written to.
        unsafe { Registrar.write(registrar) };
        STATUS_SUCCESS
    })
}

/// # Safety
/// The limits are NULL or valid.
unsafe fn builder(limits: *const NMREX_REGISTRAR_LIMITS) -> Option<nmr::Builder> {
    let mut builder = Registrar::builder();
    if limits.is_null() {
        return Some(builder);
    }
    if !limits.is_aligned() {
        return None;
    }
    // SAFETY: the caller says that they are valid; short ones have at least this.
    let size = unsafe { (*limits).Size };
    if size as usize != size_of::<NMREX_REGISTRAR_LIMITS>() {
        return None;
    }
    // SAFETY: they are as long as the structure.
    let limits = unsafe { &*limits };
    if limits.MaxRegistrations != 0 {
        builder = builder.max_registrations(limits.MaxRegistrations as usize);
    }
    if limits.MaxBindings != 0 {
        builder = builder.max_bindings(limits.MaxBindings as usize);
    }
    if limits.FailReservation != 0 {
        builder = builder.fail_reservation(limits.FailReservation as usize);
    }
    Some(builder)
}

/// Takes away a registrar that NmrExCreateRegistrar made.
///
/// STATUS_SUCCESS; STATUS_INVALID_PARAMETER for what is no such registrar; STATUS_INVALID_DEVICE_STATE while something is
/// registered there whose end nobody has waited for, or a call is under way.
#[unsafe(no_mangle)]
pub extern "C" fn NmrExDestroyRegistrar(Registrar: HANDLE) -> NTSTATUS {
    guard(
        "NmrExDestroyRegistrar",
        STATUS_INTERNAL_ERROR,
        || match registrars::destroy(Registrar) {
            Ok(()) => STATUS_SUCCESS,
            Err(Kept::Unknown) => STATUS_INVALID_PARAMETER,
            Err(Kept::InUse) => STATUS_INVALID_DEVICE_STATE,
        },
    )
}

/// As NmrRegisterClient, with a registrar that NmrExCreateRegistrar made, or the default one (NULL).
///
/// # Safety
/// As NmrRegisterClient.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NmrExRegisterClient(
    Registrar: HANDLE,
    ClientCharacteristics: PNPI_CLIENT_CHARACTERISTICS,
    ClientContext: PVOID,
    NmrClientHandle: *mut HANDLE,
) -> NTSTATUS {
    guard("NmrExRegisterClient", STATUS_INTERNAL_ERROR, || {
        registrars::in_named(Registrar, |registrar| {
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
        .unwrap_or(STATUS_INVALID_PARAMETER)
    })
}

/// As NmrRegisterProvider, with a registrar that NmrExCreateRegistrar made, or the default one (NULL).
///
/// # Safety
/// As NmrRegisterProvider.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NmrExRegisterProvider(
    Registrar: HANDLE,
    ProviderCharacteristics: PNPI_PROVIDER_CHARACTERISTICS,
    ProviderContext: PVOID,
    NmrProviderHandle: *mut HANDLE,
) -> NTSTATUS {
    guard("NmrExRegisterProvider", STATUS_INTERNAL_ERROR, || {
        registrars::in_named(Registrar, |registrar| {
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
        .unwrap_or(STATUS_INVALID_PARAMETER)
    })
}

/// How many registrations and bindings there are in a registrar, or the default one (NULL): both are zero when every
/// registration has been waited for.
///
/// STATUS_SUCCESS; STATUS_INVALID_PARAMETER for what is no registrar, or a NULL out parameter.
///
/// # Safety
/// Registrations and Bindings are NULL or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NmrExCount(
    Registrar: HANDLE,
    Registrations: *mut ULONGLONG,
    Bindings: *mut ULONGLONG,
) -> NTSTATUS {
    guard("NmrExCount", STATUS_INTERNAL_ERROR, || {
        let places = [Registrations, Bindings];
        if !places.into_iter().all(writable) {
            return STATUS_INVALID_PARAMETER;
        }
        let Some(count) = registrars::in_named(Registrar, nmr::Registrar::count) else {
            return STATUS_INVALID_PARAMETER;
        };
        for (place, count) in places
            .into_iter()
            .zip([count.registrations, count.bindings])
        {
            // SAFETY: not NULL, so the caller says that it may be written to.
            unsafe { place.write(count as ULONGLONG) };
        }
        STATUS_SUCCESS
    })
}

/// How many Rust panics were caught before they could go on into C, since the process began: 0 if nothing is wrong
/// with the registrar, and no callback is written in Rust.
#[unsafe(no_mangle)]
pub extern "C" fn NmrExCaughtPanics() -> ULONGLONG {
    caught()
}

/// Gives the function that is told why a call was refused or ignored, and of panics; NULL for none. One for the process.
///
/// # Safety
/// It takes a string of C, may be called from every thread, and stays where it is until another one is given and
/// no call is under way.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NmrExSetLog(Log: NMREX_LOG_FN) {
    guard("NmrExSetLog", (), || log::listen(Log));
}
