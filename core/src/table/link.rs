//! What the table's own lists keep of a key, in half as many bits. Whether it is there, only the slab knows.

use std::num::NonZeroU32;

use crate::handle::{Key, SLOT_BITS};

/// A tenant's key as the table itself keeps it: in half as many bits.
///
/// From the top: a 1, which leaves room for "no tenant", the last bits of the generation (11), and the slot. So what
/// is left behind is known as such unless thousands of tenants came since; the table leaves nothing behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link(NonZeroU32);

impl Link {
    const GENERATION: u32 = (1 << (31 - SLOT_BITS)) - 1;

    pub(crate) const fn to(key: Key) -> Self {
        let generation = (key.generation() & Self::GENERATION) << SLOT_BITS;
        Self(NonZeroU32::new(1 << 31 | generation | key.slot()).expect("it has a 1"))
    }

    /// The key, by the generation of the slot now: that of the latest tenant with these last bits.
    pub(crate) const fn key(self, now: NonZeroU32) -> Key {
        let slot = self.0.get() & ((1 << SLOT_BITS) - 1);
        let ago = now.get().wrapping_sub(self.0.get() >> SLOT_BITS) & Self::GENERATION;
        match NonZeroU32::new(now.get().saturating_sub(ago)) {
            Some(generation) => Key::new(slot, generation),
            None => Key::new(slot, now),
        }
    }
}

/// What refers to a tenant.
pub(crate) trait Reference: Copy {
    fn slot(self) -> usize;
    /// Whether it can be meant, if it has this generation.
    fn may_be(self, generation: NonZeroU32) -> bool;
}

impl Reference for Key {
    #[inline(always)]
    fn slot(self) -> usize {
        Self::slot(self) as usize
    }

    fn may_be(self, generation: NonZeroU32) -> bool {
        self.generation() == generation.get()
    }
}

impl Reference for Link {
    #[inline(always)]
    fn slot(self) -> usize {
        (self.0.get() & ((1 << SLOT_BITS) - 1)) as usize
    }

    fn may_be(self, generation: NonZeroU32) -> bool {
        self.0.get() >> SLOT_BITS & Self::GENERATION == generation.get() & Self::GENERATION
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOT: u32 = (1 << SLOT_BITS) - 1;

    fn key(generation: u32) -> Key {
        Key::new(SLOT, NonZeroU32::new(generation).expect("counted from 1"))
    }

    #[test]
    fn a_link_leads_back_to_the_key() {
        for generation in [1, 2047, 2048, 2049, u32::MAX] {
            let now = NonZeroU32::new(generation).expect("counted from 1");
            let link = Link::to(key(generation));
            assert_eq!(link.key(now), key(generation));
            assert!(link.may_be(now));
        }
    }

    #[test]
    fn a_link_that_is_left_behind_leads_to_the_dead_key() {
        let link = Link::to(key(2047));
        for later in [2048, 2049, 4094] {
            let now = NonZeroU32::new(later).expect("counted from 1");
            assert_eq!(link.key(now), key(2047));
            assert!(!link.may_be(now));
        }
    }
}
