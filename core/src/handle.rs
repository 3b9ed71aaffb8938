//! Handles: plain values that name a registration or a binding, looked up and never dereferenced (C12).
//!
//! A handle's 64 bits hold, from the top: kind (2), stripe (10), slot (20), generation (32). A slot's
//! generation grows with each tenant, so that a dead handle never names a stranger; the registrar
//! that issued the handle is kept beside the bits.

use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;
use std::num::{NonZeroU32, NonZeroU64};

use crate::npi::Side;

pub(crate) const STRIPE_BITS: u32 = 10;
pub(crate) const SLOT_BITS: u32 = 20;

/// What kind of thing a handle names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Registration(Side),
    Binding,
}

impl Kind {
    const fn code(self) -> u64 {
        match self {
            Self::Registration(Side::Client) => 1,
            Self::Registration(Side::Provider) => 2,
            Self::Binding => 3,
        }
    }
}

/// The place that a handle points at, once its kind is known to be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) stripe: u32,
    pub(crate) key: Key,
}

/// A slot together with the generation of one of its tenants.
///
/// One word, as it is in a handle: it is stored, copied and compared as a whole. Generations are counted from 1, which
/// leaves room for "no key" in as many bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key(NonZeroU64);

impl Key {
    pub(crate) const fn new(slot: u32, generation: NonZeroU32) -> Self {
        let bits = (slot as u64) << 32 | generation.get() as u64;
        Self(NonZeroU64::new(bits).expect("no generation is 0"))
    }

    pub(crate) const fn slot(self) -> u32 {
        (self.0.get() >> 32) as u32
    }

    pub(crate) const fn generation(self) -> u32 {
        self.0.get() as u32
    }
}

impl Place {
    const fn pack(self, code: u64) -> u64 {
        code << 62 | (self.stripe as u64) << 52 | self.key.0.get()
    }

    /// `None` for bits that no handle has.
    fn unpack(bits: u64) -> Option<Self> {
        let (stripe, slot, generation) = fields(bits);
        let generation = NonZeroU32::new(generation)?;
        let key = Key::new(slot, generation);
        Some(Self { stripe, key })
    }
}

/// The stripe, slot and generation in the bits of a handle.
const fn fields(bits: u64) -> (u32, u32, u32) {
    (
        (bits >> 52) as u32 & ((1 << STRIPE_BITS) - 1),
        (bits >> 32) as u32 & ((1 << SLOT_BITS) - 1),
        bits as u32,
    )
}

mod sealed {
    pub trait Sealed {}
}

/// The kinds of handle; see [`ClientHandle`], [`ProviderHandle`] and [`BindingHandle`].
pub trait HandleKind: sealed::Sealed + Copy + Eq + Hash + fmt::Debug {
    #[doc(hidden)]
    const CODE: u64;
    #[doc(hidden)]
    const NAME: &'static str;
}

macro_rules! kind {
    ($(#[$doc:meta])* $name:ident, $kind:expr, $text:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {}
        impl sealed::Sealed for $name {}
        impl HandleKind for $name {
            const CODE: u64 = $kind.code();
            const NAME: &'static str = $text;
        }
    };
}
kind!(
    /// Marks a client registration's handle.
    OfClient, Kind::Registration(Side::Client), "client");
kind!(
    /// Marks a provider registration's handle.
    OfProvider, Kind::Registration(Side::Provider), "provider");
kind!(
    /// Marks a binding's handle.
    OfBinding, Kind::Binding, "binding");

/// A value that names a registration or a binding of one registrar.
///
/// Handles are plain data: copying one keeps nothing alive, and a dead or forged one is answered
/// `InvalidParameter` with no effect (C12).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Handle<K> {
    registrar: u32,
    bits: u64,
    kind: PhantomData<fn() -> K>,
}

/// Names a client registration: Windows' `HANDLE` from `NmrRegisterClient`.
pub type ClientHandle = Handle<OfClient>;
/// Names a provider registration: Windows' `HANDLE` from `NmrRegisterProvider`.
pub type ProviderHandle = Handle<OfProvider>;
/// Names a binding: Windows' `NmrBindingHandle`.
pub type BindingHandle = Handle<OfBinding>;

impl<K: HandleKind> Handle<K> {
    pub(crate) const fn new(registrar: u32, place: Place) -> Self {
        Self {
            registrar,
            bits: place.pack(K::CODE),
            kind: PhantomData,
        }
    }

    /// The handle as numbers: the registrar's number (unique in the process) and the 64 bits.
    ///
    /// The bits are, from the top: kind (2, and never 0), stripe (10), slot (20), generation (32, and never 0). Whoever
    /// makes a registrar with fewer [stripes](crate::Builder::stripes) or
    /// [generations](crate::Builder::last_generation) knows that the top bits of these are 0.
    #[must_use]
    pub const fn to_raw(self) -> (u32, u64) {
        (self.registrar, self.bits)
    }

    /// A handle from any two numbers. It need not name anything: that is found out when it is used.
    #[must_use]
    pub const fn from_raw(registrar: u32, bits: u64) -> Self {
        Self {
            registrar,
            bits,
            kind: PhantomData,
        }
    }

    /// Where the handle points to, if it is one of `registrar` and says of itself that it is a `K`.
    pub(crate) fn place(self, registrar: u32) -> Result<Place, HandleFault> {
        if self.registrar != registrar {
            Err(HandleFault::Foreign)
        } else if self.bits >> 62 != K::CODE {
            Err(HandleFault::WrongKind)
        } else {
            Place::unpack(self.bits).ok_or(HandleFault::Unknown)
        }
    }
}

impl<K: HandleKind> fmt::Display for Handle<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (stripe, slot, generation) = fields(self.bits);
        write!(f, "{} {stripe}:{slot}#{generation}", K::NAME)
    }
}

impl<K: HandleKind> fmt::Debug for Handle<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What is wrong with a handle that was answered `InvalidParameter`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum HandleFault {
    /// Another registrar issued it.
    #[error("it belongs to another registrar")]
    Foreign,
    /// It names something of another kind.
    #[error("it is a handle of another kind")]
    WrongKind,
    /// This registrar has never issued it.
    #[error("it was never issued")]
    Unknown,
    /// What it named is gone.
    #[error("what it named is gone")]
    Dead,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_round_trip_at_the_limits() {
        let place = Place {
            stripe: (1 << STRIPE_BITS) - 1,
            key: Key::new((1 << SLOT_BITS) - 1, NonZeroU32::MAX),
        };
        for kind in [
            Kind::Registration(Side::Client),
            Kind::Registration(Side::Provider),
            Kind::Binding,
        ] {
            let bits = place.pack(kind.code());
            assert_eq!(Place::unpack(bits), Some(place));
            assert_eq!(bits >> 62, kind.code());
        }
    }

    #[test]
    fn no_handle_has_generation_zero() {
        let handle = ClientHandle::from_raw(1, 1 << 62 | 7 << 32);
        assert_eq!(handle.place(1), Err(HandleFault::Unknown));
        assert_eq!(handle.to_string(), "client 0:7#0");
    }

    #[test]
    fn a_handle_of_another_registrar_or_kind_has_no_place() {
        let bits = 1 << 62 | 7;
        let handle = ClientHandle::from_raw(1, bits);
        assert_eq!(handle.place(2), Err(HandleFault::Foreign));
        assert!(handle.place(1).is_ok());
        assert_eq!(
            ProviderHandle::from_raw(1, bits).place(1),
            Err(HandleFault::WrongKind)
        );
    }
}
