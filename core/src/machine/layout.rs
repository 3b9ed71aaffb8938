//! Which handles are a registrar's, and which of its stripes they lead to. It looks into no table.

use crate::handle::{BindingHandle, Handle, HandleFault, HandleKind, Key, Place, STRIPE_BITS};
use crate::npi::NpiId;

/// The number of a registrar, which is in its handles, and that of its stripes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Layout {
    registrar: u32,
    /// A power of two.
    stripes: u32,
}

impl Layout {
    /// The layout of a registrar by this number, with so many stripes: 1 to 1024, rounded up to a power of two.
    #[must_use]
    pub fn new(registrar: u32, stripes: usize) -> Self {
        let stripes = stripes.clamp(1, 1 << STRIPE_BITS).next_power_of_two();
        Self {
            registrar,
            stripes: stripes as u32,
        }
    }

    /// The registrar's number.
    #[must_use]
    pub const fn registrar(self) -> u32 {
        self.registrar
    }

    /// The number of stripes.
    #[must_use]
    pub const fn stripes(self) -> usize {
        self.stripes as usize
    }

    /// The stripe of an interface, in which all of its registrations and bindings are.
    #[must_use]
    pub fn stripe_of(self, npi: NpiId) -> u32 {
        // Fibonacci hashing: GUIDs made by hand differ in few bits, and often in the low ones.
        let folded = (npi.0 >> 64) as u64 ^ npi.0 as u64;
        let hash = folded.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let bits = self.stripes.trailing_zeros();
        (hash.rotate_left(bits) & (u64::from(self.stripes) - 1)) as u32
    }

    /// Where a handle leads to.
    ///
    /// # Errors
    /// What is wrong with its bits. Whether something is there, only the table knows.
    pub(crate) fn place<K: HandleKind>(self, handle: Handle<K>) -> Result<Place, HandleFault> {
        let place = handle.place(self.registrar)?;
        if place.stripe < self.stripes {
            Ok(place)
        } else {
            Err(HandleFault::Unknown)
        }
    }

    pub(crate) fn handle<K: HandleKind>(self, stripe: u32, key: Key) -> Handle<K> {
        Handle::new(self.registrar, Place { stripe, key })
    }

    pub(crate) fn binding(self, stripe: u32, key: Key) -> BindingHandle {
        self.handle(stripe, key)
    }
}
