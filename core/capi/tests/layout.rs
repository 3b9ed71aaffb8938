//! Sizes and offsets are those that netioddk.h documents for 64 bits; `tests/c/layout.c` says the same to C.

#![cfg(not(any(loom, shuttle)))]

use std::mem::offset_of;

use nmr_capi::abi::*;
use nmr_capi::status::*;

/// Asserts a structure's size and the offsets of its members.
macro_rules! layout {
    ($name:ident, $size:expr, $($member:ident: $offset:expr),*) => {
        assert_eq!(size_of::<$name>(), $size, "size of {}", stringify!($name));
        $(assert_eq!(offset_of!($name, $member), $offset, "{}.{}", stringify!($name), stringify!($member));)*
    };
}

#[test]
fn structures_are_laid_out_as_documented() {
    layout!(GUID, 16, Data1: 0, Data2: 4, Data3: 6, Data4: 8);
    layout!(LUID, 8, LowPart: 0, HighPart: 4);
    layout!(NPI_MODULEID, 24, Length: 0, Type: 4, Id: 8);
    layout!(NPI_MODULEID_ID, 16, Guid: 0, IfLuid: 0);
    layout!(NPI_REGISTRATION_INSTANCE, 40,
        Version: 0, Size: 2, NpiId: 8, ModuleId: 16, Number: 24, NpiSpecificCharacteristics: 32);
    layout!(NPI_CLIENT_CHARACTERISTICS, 72,
        Version: 0, Length: 2, ClientAttachProvider: 8, ClientDetachProvider: 16,
        ClientCleanupBindingContext: 24, ClientRegistrationInstance: 32);
    layout!(NPI_PROVIDER_CHARACTERISTICS, 72,
        Version: 0, Length: 2, ProviderAttachClient: 8, ProviderDetachClient: 16,
        ProviderCleanupBindingContext: 24, ProviderRegistrationInstance: 32);
    layout!(NMREX_REGISTRAR_LIMITS, 16, Size: 0, MaxRegistrations: 4, MaxBindings: 8, FailReservation: 12);
    assert_eq!((size_of::<HANDLE>(), size_of::<PVOID>()), (8, 8));
}

#[test]
fn status_codes_are_those_of_windows() {
    let codes = [
        (STATUS_SUCCESS, 0),
        (STATUS_PENDING, 0x103),
        (STATUS_INVALID_PARAMETER, 0xC000_000D),
        (STATUS_INSUFFICIENT_RESOURCES, 0xC000_009A),
        (STATUS_NOINTERFACE, 0xC000_02B9),
        (STATUS_INVALID_DEVICE_STATE, 0xC000_0184),
        (STATUS_POSSIBLE_DEADLOCK, 0xC000_0194),
        (STATUS_INTERNAL_ERROR, 0xC000_00E5),
    ];
    for (ours, theirs) in codes {
        assert_eq!(ours.cast_unsigned(), theirs);
    }
}
