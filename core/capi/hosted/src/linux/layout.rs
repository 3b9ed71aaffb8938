//! What `nmrex_module.h` and the explorer hand each other, in the layout that it has there.

use std::ffi::{c_char, c_int, c_void};

use crate::abi::{
    HANDLE, NTSTATUS, PNPI_CLIENT_CHARACTERISTICS, PNPI_PROVIDER_CHARACTERISTICS, PVOID, ULONG,
    ULONGLONG,
};

/// `NMREX_VERSION`: of what is between the two.
pub(super) const VERSION: ULONG = 2;

/// A function of a module that is called with its signature, or a place for none.
pub(super) type Function = Option<unsafe extern "C-unwind" fn()>;

/// `NMREX_MODULE`.
#[repr(C)]
pub(super) struct Module {
    pub(super) size: ULONG,
    pub(super) stack_size: ULONG,
    pub(super) register: Function,
    pub(super) deregister: Function,
    pub(super) wait: Function,
    pub(super) complete: Function,
    pub(super) dispatch: Function,
    pub(super) called: Function,
    pub(super) peer_dispatch: *const c_void,
}

/// `NMREX_HOST`.
#[repr(C)]
pub(super) struct Table {
    pub(super) size: ULONG,
    pub(super) version: ULONG,
    pub(super) of: PVOID,
    pub(super) register_client: unsafe extern "C-unwind" fn(
        PVOID,
        PNPI_CLIENT_CHARACTERISTICS,
        PVOID,
        *mut HANDLE,
    ) -> NTSTATUS,
    pub(super) register_provider: unsafe extern "C-unwind" fn(
        PVOID,
        PNPI_PROVIDER_CHARACTERISTICS,
        PVOID,
        *mut HANDLE,
    ) -> NTSTATUS,
    pub(super) deregister: unsafe extern "C-unwind" fn(PVOID, ULONG, HANDLE) -> NTSTATUS,
    pub(super) wait: unsafe extern "C-unwind" fn(PVOID, ULONG, HANDLE) -> NTSTATUS,
    pub(super) complete: unsafe extern "C-unwind" fn(PVOID, ULONG, HANDLE),
    pub(super) attach: unsafe extern "C-unwind" fn(
        PVOID,
        HANDLE,
        PVOID,
        *const c_void,
        *mut PVOID,
        *mut *const c_void,
    ) -> NTSTATUS,
    pub(super) call_peer: unsafe extern "C-unwind" fn(PVOID, PVOID),
    pub(super) allocate: unsafe extern "C-unwind" fn(PVOID, ULONGLONG, ULONGLONG) -> PVOID,
    pub(super) size_of: unsafe extern "C-unwind" fn(PVOID, PVOID) -> ULONGLONG,
    pub(super) free: unsafe extern "C-unwind" fn(PVOID, PVOID),
    pub(super) refuse: unsafe extern "C-unwind" fn(PVOID, *const c_char),
}

/// How a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Kind {
    /// It takes nothing and answers nothing.
    Plain = 0,
    /// It takes nothing and answers a status.
    Answers = 1,
    /// It takes a context.
    Takes = 2,
    /// It takes a context and answers a status.
    TakesAndAnswers = 3,
    /// A client's attach callback.
    AttachProvider = 4,
    /// A provider's.
    AttachClient = 5,
}

/// `NMREX_CALL`.
#[repr(C)]
pub(super) struct Call {
    pub(super) kind: Kind,
    pub(super) answer: NTSTATUS,
    /// Its address.
    pub(super) function: usize,
    pub(super) arguments: [PVOID; 5],
    pub(super) context: *mut PVOID,
    pub(super) dispatch: *mut *const c_void,
    pub(super) back: PVOID,
}

/// `NMREX_OBJECT`.
#[repr(C)]
pub(super) struct Shown {
    pub(super) size: ULONG,
    pub(super) version: ULONG,
    pub(super) module: *const Module,
    pub(super) begin: unsafe extern "C-unwind" fn(*const Table),
    pub(super) invoke: Invoke,
    pub(super) leave: unsafe extern "C-unwind" fn(PVOID, c_int),
}

/// The function that calls a module's functions, and can be left from inside of them.
pub(super) type Invoke = unsafe extern "C-unwind" fn(*mut Call) -> c_int;
