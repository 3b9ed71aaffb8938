//! A registrar's limits, and how it is made of them.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crossbeam_utils::CachePadded;
use nmr_sync::Monitor;

use crate::machine::Layout;
use crate::registrar::{Registrar, Shared};
use crate::reserve::Reserve;
use crate::table::Table;

static NEXT_REGISTRAR: AtomicU32 = AtomicU32::new(1);

/// Sets a registrar's limits; made by [`Registrar::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    max_registrations: Option<usize>,
    max_bindings: Option<usize>,
    stripes: usize,
    last_generation: u32,
    fail_reservation: Option<usize>,
    hash_slots: bool,
}

impl Builder {
    pub(crate) const fn new() -> Self {
        Self {
            max_registrations: None,
            max_bindings: None,
            stripes: 256,
            last_generation: u32::MAX,
            fail_reservation: None,
            hash_slots: false,
        }
    }

    /// At most this many registrations at a time, of both sides together; one counts until the wait
    /// for its deregistration has returned. Beyond, registering answers `InsufficientResources`
    /// (C17). Default: what the handles can name, 2²⁰ for each stripe.
    pub const fn max_registrations(mut self, limit: usize) -> Self {
        self.max_registrations = Some(limit);
        self
    }

    /// At most this many bindings at a time, those that are proposed and not yet attached included.
    /// Beyond, registering answers `InsufficientResources` (C17). Default as for registrations.
    ///
    /// The limits are shared by all interfaces: a register call that is refused for want of bindings
    /// has held its registration's place for a moment, in which another interface's may be refused.
    pub const fn max_bindings(mut self, limit: usize) -> Self {
        self.max_bindings = Some(limit);
        self
    }

    /// The number of monitors over which the interfaces are spread, 1 to 1024, rounded up to a
    /// power of two. Two interfaces with different monitors never wait for each other. Default 256.
    pub const fn stripes(mut self, stripes: usize) -> Self {
        self.stripes = stripes;
        self
    }

    /// The generation after which a slot is retired instead of being used again (C12), at least 1.
    /// Default `u32::MAX`; a small one lets a test see slots being retired.
    pub const fn last_generation(mut self, generation: u32) -> Self {
        self.last_generation = generation;
        self
    }

    /// Makes the k-th reservation of memory fail, counted from 1 over all register calls: fault
    /// injection for tests. A register call reserves for the registration, for the interface, and
    /// for its bindings if there are any to make.
    pub const fn fail_reservation(mut self, k: usize) -> Self {
        self.fail_reservation = Some(k);
        self
    }

    /// To an explorer of interleavings it counts which slots and generations are taken: for a program that uses
    /// handles which nobody was given, or which outlive what they name, and that may notice. Nothing else changes.
    pub const fn hash_slots(mut self) -> Self {
        self.hash_slots = true;
        self
    }

    /// Makes the registrar.
    #[must_use]
    pub fn build(self) -> Registrar {
        let number = NEXT_REGISTRAR.fetch_add(1, Ordering::Relaxed);
        let layout = Layout::new(number, self.stripes);
        let reserve = Reserve::shared(
            self.max_registrations,
            self.max_bindings,
            self.fail_reservation,
        );
        let last = NonZeroU32::new(self.last_generation).unwrap_or(NonZeroU32::MIN);
        Registrar {
            shared: Arc::new(Shared {
                layout,
                stripes: (0..layout.stripes())
                    .map(|_| {
                        let table = Table::new(last, reserve.clone());
                        CachePadded::new(Monitor::new(table.hashing_slots(self.hash_slots)))
                    })
                    .collect(),
            }),
        }
    }
}
