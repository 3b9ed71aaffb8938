//! The types of netioddk.h, by their documented names and in their documented layout.
//!
//! Those that the header's preamble (`header/begin.h`) declares are here for Rust alone; the others are generated
//! from here. What is in them is read where they are used.

// The names are those of netioddk.h.
#![allow(non_camel_case_types, non_snake_case)]

use std::ffi::{c_char, c_void};

/// An answer of the registrar or of a module: 0 is success, and what has the top bit set is an error.
pub type NTSTATUS = i32;
/// Names a registration, a binding, or a registrar. A number, and no address.
pub type HANDLE = *mut c_void;
/// A pointer to something that is its owner's business.
pub type PVOID = *mut c_void;
/// 16 bits.
pub type USHORT = u16;
/// 32 bits, on every system.
pub type ULONG = u32;
/// 64 bits.
pub type ULONGLONG = u64;

/// A globally unique identifier.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GUID {
    /// The first group.
    pub Data1: u32,
    /// The second group.
    pub Data2: u16,
    /// The third group.
    pub Data3: u16,
    /// The last two groups, byte by byte.
    pub Data4: [u8; 8],
}

/// A locally unique identifier.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LUID {
    /// The low 32 bits.
    pub LowPart: u32,
    /// The high 32 bits.
    pub HighPart: i32,
}

/// The name of an interface.
pub type NPIID = GUID;
/// Points to the name of an interface.
pub type PNPIID = *const NPIID;

/// Which member of [`NPI_MODULEID_ID`] is meant. An `int` to C: any value may come from there.
pub type NPI_MODULEID_TYPE = i32;
/// The module is named by a GUID.
pub const MIT_GUID: NPI_MODULEID_TYPE = 1;
/// The module is named by the LUID of a network interface.
pub const MIT_IF_LUID: NPI_MODULEID_TYPE = 2;

/// What names a module. The union has no name in C.
#[repr(C)]
#[derive(Clone, Copy)]
pub union NPI_MODULEID_ID {
    /// If the type is [`MIT_GUID`].
    pub Guid: GUID,
    /// If the type is [`MIT_IF_LUID`].
    pub IfLuid: LUID,
}

/// The name of a module.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct NPI_MODULEID {
    /// The size of this structure, in bytes.
    pub Length: USHORT,
    /// Which member of the union is meant.
    pub Type: NPI_MODULEID_TYPE,
    /// The name.
    pub Id: NPI_MODULEID_ID,
}

/// Points to the name of a module.
pub type PNPI_MODULEID = *const NPI_MODULEID;

/// What a module says of itself to the modules of the other side.
#[repr(C)]
pub struct _NPI_REGISTRATION_INSTANCE {
    /// 0.
    pub Version: USHORT,
    /// The size of this structure, in bytes.
    pub Size: USHORT,
    /// The interface. Not NULL, and not the nil GUID.
    pub NpiId: PNPIID,
    /// The module. Not NULL.
    pub ModuleId: PNPI_MODULEID,
    /// Which of the module's implementations of the interface this is.
    pub Number: ULONG,
    /// What the interface's own definition gives a meaning. May be NULL.
    pub NpiSpecificCharacteristics: *const c_void,
}

/// The structure by the name that code uses.
pub type NPI_REGISTRATION_INSTANCE = _NPI_REGISTRATION_INSTANCE;
/// Points to what a module says of itself.
pub type PNPI_REGISTRATION_INSTANCE = *const NPI_REGISTRATION_INSTANCE;

/// A client module's callback: a provider of its interface is there. To take it, call NmrClientAttachProvider and
/// answer what that answers; to decline, answer STATUS_NOINTERFACE.
pub type PNPI_CLIENT_ATTACH_PROVIDER_FN = Option<
    unsafe extern "C-unwind" fn(
        NmrBindingHandle: HANDLE,
        ClientContext: PVOID,
        ProviderRegistrationInstance: PNPI_REGISTRATION_INSTANCE,
    ) -> NTSTATUS,
>;

/// A client module's callback: stop using the provider. Answer STATUS_SUCCESS, or STATUS_PENDING and call
/// NmrClientDetachProviderComplete later.
pub type PNPI_CLIENT_DETACH_PROVIDER_FN =
    Option<unsafe extern "C-unwind" fn(ClientBindingContext: PVOID) -> NTSTATUS>;

/// A client module's callback: both sides are detached, free the binding context.
pub type PNPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN =
    Option<unsafe extern "C-unwind" fn(ClientBindingContext: PVOID)>;

/// A client module: its callbacks, and what it says of itself.
#[repr(C)]
pub struct _NPI_CLIENT_CHARACTERISTICS {
    /// 0.
    pub Version: USHORT,
    /// The size of this structure, in bytes.
    pub Length: USHORT,
    /// Not NULL.
    pub ClientAttachProvider: PNPI_CLIENT_ATTACH_PROVIDER_FN,
    /// Not NULL.
    pub ClientDetachProvider: PNPI_CLIENT_DETACH_PROVIDER_FN,
    /// NULL if there is nothing to clean up.
    pub ClientCleanupBindingContext: PNPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN,
    /// What the client says of itself to providers.
    pub ClientRegistrationInstance: NPI_REGISTRATION_INSTANCE,
}

/// The structure by the name that code uses.
pub type NPI_CLIENT_CHARACTERISTICS = _NPI_CLIENT_CHARACTERISTICS;
/// Points to a client module's characteristics.
pub type PNPI_CLIENT_CHARACTERISTICS = *const NPI_CLIENT_CHARACTERISTICS;

/// A provider module's callback: a client attaches. Runs inside that client's NmrClientAttachProvider, which
/// answers what this answers. To decline, answer STATUS_NOINTERFACE.
pub type PNPI_PROVIDER_ATTACH_CLIENT_FN = Option<
    unsafe extern "C-unwind" fn(
        NmrBindingHandle: HANDLE,
        ProviderContext: PVOID,
        ClientRegistrationInstance: PNPI_REGISTRATION_INSTANCE,
        ClientBindingContext: PVOID,
        ClientDispatch: *const c_void,
        ProviderBindingContext: *mut PVOID,
        ProviderDispatch: *mut *const c_void,
    ) -> NTSTATUS,
>;

/// A provider module's callback: stop using the client. Answer STATUS_SUCCESS, or STATUS_PENDING and call
/// NmrProviderDetachClientComplete later.
pub type PNPI_PROVIDER_DETACH_CLIENT_FN =
    Option<unsafe extern "C-unwind" fn(ProviderBindingContext: PVOID) -> NTSTATUS>;

/// A provider module's callback: both sides are detached, free the binding context.
pub type PNPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN =
    Option<unsafe extern "C-unwind" fn(ProviderBindingContext: PVOID)>;

/// A provider module: its callbacks, and what it says of itself.
#[repr(C)]
pub struct _NPI_PROVIDER_CHARACTERISTICS {
    /// 0.
    pub Version: USHORT,
    /// The size of this structure, in bytes.
    pub Length: USHORT,
    /// Not NULL.
    pub ProviderAttachClient: PNPI_PROVIDER_ATTACH_CLIENT_FN,
    /// Not NULL.
    pub ProviderDetachClient: PNPI_PROVIDER_DETACH_CLIENT_FN,
    /// NULL if there is nothing to clean up.
    pub ProviderCleanupBindingContext: PNPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN,
    /// What the provider says of itself to clients.
    pub ProviderRegistrationInstance: NPI_REGISTRATION_INSTANCE,
}

/// The structure by the name that code uses.
pub type NPI_PROVIDER_CHARACTERISTICS = _NPI_PROVIDER_CHARACTERISTICS;
/// Points to a provider module's characteristics.
pub type PNPI_PROVIDER_CHARACTERISTICS = *const NPI_PROVIDER_CHARACTERISTICS;

/// The limits of a registrar that NmrExCreateRegistrar makes. Ours, and not in netioddk.h.
#[repr(C)]
pub struct _NMREX_REGISTRAR_LIMITS {
    /// The size of this structure, in bytes.
    pub Size: ULONG,
    /// At most this many registrations at a time; 0 for no limit.
    pub MaxRegistrations: ULONG,
    /// At most this many bindings at a time, offers included; 0 for no limit.
    pub MaxBindings: ULONG,
    /// Makes this reservation of memory fail, counted from 1 over all register calls, for tests; 0 for none.
    pub FailReservation: ULONG,
}

/// The structure by the name that code uses.
pub type NMREX_REGISTRAR_LIMITS = _NMREX_REGISTRAR_LIMITS;

/// A program's function that is told why a call was refused or ignored, and of panics: one line of UTF-8, without its
/// end. On the thread of that call, without a lock; it may call every function.
pub type NMREX_LOG_FN = Option<unsafe extern "C-unwind" fn(Message: *const c_char)>;
