//! Slots that are used again, each time under a new generation (C12).
//!
//! Growing is a step of its own ([`Slab::room`]), so that inserting cannot fail.

use std::hash::{Hash, Hasher};
use std::num::NonZeroU32;

use crate::handle::{HandleFault, Key, SLOT_BITS};

#[derive(Clone, Debug)]
pub(crate) struct Slab<T> {
    slots: Vec<Slot<T>>,
    /// Head of the list of vacant slots, linked through `Slot::next_vacant`.
    vacant: Option<u32>,
    vacant_count: usize,
    tenants: usize,
    /// A slot whose tenant has this generation is retired when the tenant leaves.
    last_generation: NonZeroU32,
}

#[derive(Clone, Debug)]
struct Slot<T> {
    /// The tenant's generation or, in a vacant slot, the next tenant's.
    generation: NonZeroU32,
    tenant: Option<T>,
    next_vacant: Option<u32>,
    /// Its generations are used up; it will have no further tenant.
    retired: bool,
}

impl<T> Slab<T> {
    pub(crate) const fn new(last_generation: NonZeroU32) -> Self {
        Self {
            slots: Vec::new(),
            vacant: None,
            vacant_count: 0,
            tenants: 0,
            last_generation,
        }
    }

    /// Makes sure that the next `wanted` inserts find room; whether there is that much.
    pub(crate) fn room(&mut self, wanted: usize) -> bool {
        let new = wanted.saturating_sub(self.vacant_count);
        self.slots.len() + new <= 1 << SLOT_BITS && self.slots.try_reserve(new).is_ok()
    }

    /// Makes a tenant, where its slot is. Room was made before.
    #[inline(always)]
    pub(crate) fn insert(&mut self, tenant: impl FnOnce() -> T) -> Key {
        self.tenants += 1;
        if let Some(index) = self.vacant {
            let slot = &mut self.slots[index as usize];
            self.vacant = slot.next_vacant.take();
            self.vacant_count -= 1;
            let None = slot.tenant else {
                unreachable!("a vacant slot has no tenant")
            };
            slot.tenant = Some(tenant());
            return Key {
                slot: index,
                generation: slot.generation,
            };
        }
        let slot = u32::try_from(self.slots.len()).expect("slots are limited by `room`");
        self.slots.push(Slot {
            generation: NonZeroU32::MIN,
            tenant: Some(tenant()),
            next_vacant: None,
            retired: false,
        });
        Key {
            slot,
            generation: NonZeroU32::MIN,
        }
    }

    /// Drops the tenant where it is.
    pub(crate) fn remove(&mut self, key: Key) {
        let slot = &mut self.slots[key.slot as usize];
        debug_assert_eq!(slot.generation, key.generation);
        debug_assert!(slot.tenant.is_some(), "the key names a tenant");
        slot.tenant = None;
        self.tenants -= 1;
        match slot.generation.checked_add(1) {
            Some(next) if next <= self.last_generation => {
                slot.generation = next;
                slot.next_vacant = self.vacant.replace(key.slot);
                self.vacant_count += 1;
            }
            _ => slot.retired = true,
        }
    }

    /// The tenant that a handle names.
    pub(crate) fn lookup(&self, key: Key) -> Result<&T, HandleFault> {
        let slot = self
            .slots
            .get(key.slot as usize)
            .ok_or(HandleFault::Unknown)?;
        match &slot.tenant {
            Some(tenant) if slot.generation == key.generation => Ok(tenant),
            // The last tenant of a retired slot has left without the generation moving on.
            None if slot.generation == key.generation && slot.retired => Err(HandleFault::Dead),
            _ if key.generation < slot.generation => Err(HandleFault::Dead),
            _ => Err(HandleFault::Unknown),
        }
    }

    /// A tenant that the table itself refers to, and that is therefore there.
    pub(crate) fn get(&self, key: Key) -> &T {
        let slot = &self.slots[key.slot as usize];
        debug_assert_eq!(slot.generation, key.generation);
        slot.tenant
            .as_ref()
            .expect("C11: the table refers only to tenants")
    }

    /// See [`get`](Self::get).
    pub(crate) fn get_mut(&mut self, key: Key) -> &mut T {
        let slot = &mut self.slots[key.slot as usize];
        debug_assert_eq!(slot.generation, key.generation);
        slot.tenant
            .as_mut()
            .expect("C11: the table refers only to tenants")
    }

    pub(crate) fn contains(&self, key: Key) -> bool {
        self.lookup(key).is_ok()
    }

    pub(crate) const fn len(&self) -> usize {
        self.tenants
    }

    /// Whether slots may be retired in anybody's lifetime.
    pub(crate) fn retires(&self) -> bool {
        self.last_generation < NonZeroU32::MAX
    }

    /// The same slots, with other tenants in them.
    #[cfg(shuttle)]
    pub(crate) fn map<U>(&self, mut tenant: impl FnMut(Key, &T) -> U) -> Slab<U> {
        let slots = (0..).zip(&self.slots).map(|(index, slot)| {
            let key = Key {
                slot: index,
                generation: slot.generation,
            };
            Slot {
                generation: slot.generation,
                tenant: slot.tenant.as_ref().map(|it| tenant(key, it)),
                next_vacant: slot.next_vacant,
                retired: slot.retired,
            }
        });
        Slab {
            slots: slots.collect(),
            vacant: self.vacant,
            vacant_count: self.vacant_count,
            tenants: self.tenants,
            last_generation: self.last_generation,
        }
    }

    /// Hashes the slots without their tenants: all that says which keys the next tenants get.
    pub(crate) fn hash_slots(&self, state: &mut impl Hasher) {
        (self.slots.len(), self.vacant).hash(state);
        for slot in &self.slots {
            let Slot {
                generation,
                tenant,
                next_vacant,
                retired,
            } = slot;
            (generation, tenant.is_some(), next_vacant, retired).hash(state);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.slots.iter().enumerate().filter_map(|(index, slot)| {
            let key = Key {
                slot: index as u32,
                generation: slot.generation,
            };
            slot.tenant.as_ref().map(|tenant| (key, tenant))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(slab: &mut Slab<char>, tenant: char) -> Key {
        assert!(slab.room(1));
        slab.insert(|| tenant)
    }

    #[test]
    fn a_slot_is_used_again_under_a_new_generation() {
        let mut slab = Slab::new(NonZeroU32::MAX);
        let first = insert(&mut slab, 'a');
        slab.remove(first);
        let second = insert(&mut slab, 'b');
        assert_eq!(first.slot, second.slot);
        assert_eq!(slab.lookup(first), Err(HandleFault::Dead));
        assert_eq!(slab.lookup(second), Ok(&'b'));
    }

    #[test]
    fn a_slot_that_is_taken_is_no_vacant_one() {
        let mut slab = Slab::new(NonZeroU32::MAX);
        for key in ['a', 'b'].map(|tenant| insert(&mut slab, tenant)) {
            slab.remove(key);
        }
        assert_eq!(slab.vacant_count, 2);
        insert(&mut slab, 'c');
        assert_eq!(slab.vacant_count, 1);
        insert(&mut slab, 'd');
        assert_eq!(slab.vacant_count, 0);
    }

    #[test]
    fn a_slot_whose_generations_are_used_up_is_retired() {
        let mut slab = Slab::new(NonZeroU32::MIN.saturating_add(1));
        let first = insert(&mut slab, 'a');
        slab.remove(first);
        let second = insert(&mut slab, 'b');
        slab.remove(second);
        let third = insert(&mut slab, 'c');
        assert_ne!(third.slot, second.slot);
        assert_eq!(slab.lookup(second), Err(HandleFault::Dead));
        assert_eq!(slab.lookup(first), Err(HandleFault::Dead));
    }

    #[test]
    fn a_key_that_was_never_issued_is_unknown() {
        let mut slab = Slab::new(NonZeroU32::MAX);
        let key = insert(&mut slab, 'a');
        let next = Key {
            generation: key.generation.saturating_add(1),
            ..key
        };
        let beyond = Key {
            slot: key.slot + 1,
            ..key
        };
        for never in [next, beyond] {
            assert_eq!(slab.lookup(never), Err(HandleFault::Unknown));
        }
    }

    #[test]
    fn slots_are_limited_by_the_bits_of_a_handle() {
        let mut slab: Slab<char> = Slab::new(NonZeroU32::MAX);
        assert!(slab.room(1 << SLOT_BITS));
        assert!(!slab.room((1 << SLOT_BITS) + 1));
    }
}
