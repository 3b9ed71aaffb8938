//! Handles of the Rust API as HANDLEs and back. A HANDLE is a number: nothing here, or anywhere, dereferences one (C12).
//!
//! A handle of the Rust API is the number of a registrar and 64 bits. Those bits are the HANDLE, if the registrar is
//! the default one; the top two, the kind, are never 0 there. Of another registrar the number has to go into the
//! HANDLE as well. Such a registrar has few stripes and generations, so that there is room: from the top 0 (2), kind
//! (2, 0 for the registrar itself), number (18), stripe (2), slot (20), generation (20).

use std::ptr;

use nmr::{Handle, HandleKind};

use crate::abi::HANDLE;

#[cfg(not(target_pointer_width = "64"))]
compile_error!(
    "nmr-capi needs pointers of 64 bits: a HANDLE holds kind, place and generation of what it names"
);

/// The bits of the parts of a handle that the Rust API gives.
const SLOT_BITS: u32 = 20;
const GENERATION_BITS: u32 = 32;
/// The bits that a registrar beside the default one has for these.
const NUMBER: u32 = 18;
const STRIPE: u32 = 2;
const GENERATION: u32 = 20;

/// How many stripes a registrar beside the default one has.
pub(crate) const STRIPES: usize = 1 << STRIPE;
/// The last generation of its slots.
pub(crate) const LAST_GENERATION: u32 = (1 << GENERATION) - 1;
/// The last number that one can have.
pub(crate) const LAST_NUMBER: u32 = (1 << NUMBER) - 1;

/// Which registrar a HANDLE is one of, and its bits there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// Of the default one.
    Default(u64),
    /// Of the one by this number.
    Other(u32, u64),
}

const fn low(bits: u32) -> u64 {
    (1 << bits) - 1
}

/// The HANDLE of something of the registrar by the number `default`, or of another one.
pub(crate) fn pack<K: HandleKind>(handle: Handle<K>, default: u32) -> HANDLE {
    let (number, bits) = handle.to_raw();
    let bits = if number == default {
        bits
    } else {
        let kind = bits >> 62;
        let stripe = bits >> (SLOT_BITS + GENERATION_BITS) & low(STRIPE);
        let slot = bits >> GENERATION_BITS & low(SLOT_BITS);
        let generation = bits & low(GENERATION);
        kind << 60
            | place(number)
            | stripe << (SLOT_BITS + GENERATION)
            | slot << GENERATION
            | generation
    };
    ptr::without_provenance_mut(bits as usize)
}

/// The HANDLE of a registrar itself.
pub(crate) fn of_registrar(number: u32) -> HANDLE {
    ptr::without_provenance_mut(place(number) as usize)
}

const fn place(number: u32) -> u64 {
    (number as u64) << (STRIPE + SLOT_BITS + GENERATION)
}

/// What a HANDLE says of itself. Whether it is true is found out where it is looked up.
pub(crate) fn unpack(handle: HANDLE) -> Named {
    let bits = handle.addr() as u64;
    if bits >> 62 != 0 {
        return Named::Default(bits);
    }
    let number = (bits >> (STRIPE + SLOT_BITS + GENERATION) & low(NUMBER)) as u32;
    let stripe = bits >> (SLOT_BITS + GENERATION) & low(STRIPE);
    let slot = bits >> GENERATION & low(SLOT_BITS);
    let generation = bits & low(GENERATION);
    let there = (bits >> 60) << 62
        | stripe << (SLOT_BITS + GENERATION_BITS)
        | slot << GENERATION_BITS
        | generation;
    Named::Other(number, there)
}

#[cfg(test)]
mod tests {
    use nmr::{BindingHandle, ClientHandle, ProviderHandle};

    use super::*;

    const DEFAULT: u32 = 7;

    fn there_and_back<K: HandleKind>(handle: Handle<K>) -> (u32, u64) {
        match unpack(pack(handle, DEFAULT)) {
            Named::Default(bits) => (DEFAULT, bits),
            Named::Other(number, bits) => (number, bits),
        }
    }

    fn bits(kind: u64, stripe: u64, slot: u64, generation: u32) -> u64 {
        kind << 62 | stripe << 52 | slot << 32 | u64::from(generation)
    }

    #[test]
    fn a_handle_comes_back_at_the_limits() {
        let largest = (1023, (1 << 20) - 1, u32::MAX);
        let least = (0, 0, 1);
        for (stripe, slot, generation) in [largest, least] {
            let client = (DEFAULT, bits(1, stripe, slot, generation));
            assert_eq!(
                there_and_back(ClientHandle::from_raw(client.0, client.1)),
                client
            );
        }
        let largest = (3, (1 << 20) - 1, LAST_GENERATION);
        for number in [1, LAST_NUMBER] {
            for (stripe, slot, generation) in [largest, least] {
                let provider = (number, bits(2, stripe, slot, generation));
                assert_eq!(
                    there_and_back(ProviderHandle::from_raw(number, provider.1)),
                    provider
                );
                let binding = (number, bits(3, stripe, slot, generation));
                assert_eq!(
                    there_and_back(BindingHandle::from_raw(number, binding.1)),
                    binding
                );
            }
        }
    }

    #[test]
    fn a_registrar_s_handle_names_nothing_else() {
        assert_eq!(
            unpack(of_registrar(LAST_NUMBER)),
            Named::Other(LAST_NUMBER, 0)
        );
        assert!(!of_registrar(1).is_null());
    }
}
