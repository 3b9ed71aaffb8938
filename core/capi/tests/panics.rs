//! A panic of a callback that is written in Rust does not go on into C: it is accounted for as the contract says
//! (C18), counted, and answered as a status.

#![cfg(not(any(loom, shuttle)))]

use std::ffi::{CStr, c_char, c_void};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

use nmr_capi::abi::*;
use nmr_capi::extra::*;
use nmr_capi::functions::*;
use nmr_capi::status::*;

/// Where a module panics; its registration context.
#[derive(Clone, Copy, PartialEq)]
enum Panics {
    Nowhere,
    InAttach,
    InDetach,
    InCleanup,
}

static NOWHERE: Panics = Panics::Nowhere;
static IN_ATTACH: Panics = Panics::InAttach;
static IN_DETACH: Panics = Panics::InDetach;
static IN_CLEANUP: Panics = Panics::InCleanup;

fn panics(context: PVOID, here: Panics) {
    // SAFETY: contexts are the statics above.
    let panics = unsafe { *context.cast::<Panics>() };
    assert!(panics != here, "planted");
}

unsafe extern "C-unwind" fn attach_provider(
    binding: HANDLE,
    context: PVOID,
    _: PNPI_REGISTRATION_INSTANCE,
) -> NTSTATUS {
    let (mut peer, mut dispatch) = (ptr::null_mut(), ptr::null());
    // SAFETY: both places may be written to.
    let status = unsafe {
        NmrClientAttachProvider(
            binding,
            context,
            ptr::null(),
            &raw mut peer,
            &raw mut dispatch,
        )
    };
    panics(context, Panics::InAttach);
    status
}

unsafe extern "C-unwind" fn attach_client(
    _: HANDLE,
    context: PVOID,
    _: PNPI_REGISTRATION_INSTANCE,
    _: PVOID,
    _: *const c_void,
    ours: *mut PVOID,
    _: *mut *const c_void,
) -> NTSTATUS {
    panics(context, Panics::InAttach);
    // SAFETY: the registrar gives a place to write to.
    unsafe { *ours = context };
    STATUS_SUCCESS
}

unsafe extern "C-unwind" fn detach(context: PVOID) -> NTSTATUS {
    panics(context, Panics::InDetach);
    STATUS_SUCCESS
}

unsafe extern "C-unwind" fn cleanup(context: PVOID) {
    panics(context, Panics::InCleanup);
}

static NPI: NPIID = GUID {
    Data1: 7,
    Data2: 0,
    Data3: 0,
    Data4: [0; 8],
};
static MODULE: NPI_MODULEID = NPI_MODULEID {
    Length: size_of::<NPI_MODULEID>() as u16,
    Type: MIT_GUID,
    Id: NPI_MODULEID_ID { Guid: NPI },
};

fn instance() -> NPI_REGISTRATION_INSTANCE {
    NPI_REGISTRATION_INSTANCE {
        Version: 0,
        Size: size_of::<NPI_REGISTRATION_INSTANCE>() as u16,
        NpiId: &raw const NPI,
        ModuleId: &raw const MODULE,
        Number: 0,
        NpiSpecificCharacteristics: ptr::null(),
    }
}

/// A registrar, and a client and a provider in it; what registering them answered.
struct Pair {
    registrar: HANDLE,
    client: HANDLE,
    _client_is: Box<NPI_CLIENT_CHARACTERISTICS>,
    provider: HANDLE,
    _provider_is: Box<NPI_PROVIDER_CHARACTERISTICS>,
    answers: (NTSTATUS, NTSTATUS),
}

fn pair(client_panics: &'static Panics, provider_panics: &'static Panics) -> Pair {
    let context = |panics: &'static Panics| ptr::from_ref(panics).cast_mut().cast();
    let client_is = Box::new(NPI_CLIENT_CHARACTERISTICS {
        Version: 0,
        Length: size_of::<NPI_CLIENT_CHARACTERISTICS>() as u16,
        ClientAttachProvider: Some(attach_provider),
        ClientDetachProvider: Some(detach),
        ClientCleanupBindingContext: Some(cleanup),
        ClientRegistrationInstance: instance(),
    });
    let provider_is = Box::new(NPI_PROVIDER_CHARACTERISTICS {
        Version: 0,
        Length: size_of::<NPI_PROVIDER_CHARACTERISTICS>() as u16,
        ProviderAttachClient: Some(attach_client),
        ProviderDetachClient: Some(detach),
        ProviderCleanupBindingContext: Some(cleanup),
        ProviderRegistrationInstance: instance(),
    });
    let (mut registrar, mut client, mut provider) =
        (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    // SAFETY: no limits, and a place to write to.
    let made = unsafe { NmrExCreateRegistrar(ptr::null(), &raw mut registrar) };
    assert_eq!(made, STATUS_SUCCESS);
    // SAFETY: the pair keeps the characteristics until both are waited for.
    let of_client = unsafe {
        NmrExRegisterClient(
            registrar,
            &raw const *client_is,
            context(client_panics),
            &raw mut client,
        )
    };
    // SAFETY: as above.
    let of_provider = unsafe {
        let provider = &raw mut provider;
        NmrExRegisterProvider(
            registrar,
            &raw const *provider_is,
            context(provider_panics),
            provider,
        )
    };
    Pair {
        registrar,
        client,
        _client_is: client_is,
        provider,
        _provider_is: provider_is,
        answers: (of_client, of_provider),
    }
}

/// Registrations and bindings.
fn count(registrar: HANDLE) -> (u64, u64) {
    let (mut registrations, mut bindings) = (0, 0);
    // SAFETY: two places to write to.
    let counted = unsafe { NmrExCount(registrar, &raw mut registrations, &raw mut bindings) };
    assert_eq!(counted, STATUS_SUCCESS);
    (registrations, bindings)
}

fn client_leaves(pair: &Pair) {
    assert_eq!(NmrDeregisterClient(pair.client), STATUS_PENDING);
    assert_eq!(
        NmrWaitForClientDeregisterComplete(pair.client),
        STATUS_SUCCESS
    );
}

fn provider_leaves(pair: &Pair) {
    assert_eq!(NmrDeregisterProvider(pair.provider), STATUS_PENDING);
    assert_eq!(
        NmrWaitForProviderDeregisterComplete(pair.provider),
        STATUS_SUCCESS
    );
}

fn ends(pair: &Pair) {
    assert_eq!(count(pair.registrar), (0, 0));
    assert_eq!(NmrExDestroyRegistrar(pair.registrar), STATUS_SUCCESS);
}

static LOGGED: AtomicU64 = AtomicU64::new(0);

unsafe extern "C-unwind" fn log(message: *const c_char) {
    // SAFETY: the library gives a string.
    let message = unsafe { CStr::from_ptr(message) };
    let message = message.to_str().expect("it is text");
    assert!(
        message.ends_with(": a panic was caught: planted"),
        "{message}"
    );
    LOGGED.fetch_add(1, Ordering::Relaxed);
}

/// One test, for the number of panics is the process's.
#[test]
fn panics_are_counted_logged_and_answered() {
    // SAFETY: a function that is there for good.
    unsafe { NmrExSetLog(Some(log)) };
    let before = NmrExCaughtPanics();

    // The register call that makes the offer takes its registration back.
    let of_client = pair(&IN_ATTACH, &NOWHERE);
    assert_eq!(of_client.answers, (STATUS_SUCCESS, STATUS_INTERNAL_ERROR));
    assert!(of_client.provider.is_null());
    assert_eq!(count(of_client.registrar), (1, 0));
    client_leaves(&of_client);
    ends(&of_client);
    assert_eq!(NmrExCaughtPanics() - before, 1);

    // It ends in the client's call, which answers it, and so nobody's registration is taken back.
    let of_provider = pair(&NOWHERE, &IN_ATTACH);
    assert_eq!(of_provider.answers, (STATUS_SUCCESS, STATUS_SUCCESS));
    assert_eq!(count(of_provider.registrar), (2, 0));
    client_leaves(&of_provider);
    provider_leaves(&of_provider);
    ends(&of_provider);
    assert_eq!(NmrExCaughtPanics() - before, 2);

    // Everything is done before the panic ends in the deregister call.
    for panics in [&IN_DETACH, &IN_CLEANUP] {
        let before = NmrExCaughtPanics();
        let of_both = pair(panics, panics);
        assert_eq!(of_both.answers, (STATUS_SUCCESS, STATUS_SUCCESS));
        client_leaves(&of_both);
        assert_eq!(count(of_both.registrar), (1, 0));
        provider_leaves(&of_both);
        ends(&of_both);
        assert_eq!(NmrExCaughtPanics() - before, 1);
    }
    assert_eq!(LOGGED.load(Ordering::Relaxed), NmrExCaughtPanics() - before);
}
