//! Slots that are used again, each time under a new generation (C12).
//!
//! Growing is a step of its own ([`Slab::room`]), so that inserting cannot fail.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::num::NonZeroU32;

use super::link::{Link, Reference};
use crate::handle::{HandleFault, Key, SLOT_BITS};

#[derive(Debug)]
pub(crate) struct Slab<T> {
    slots: Vec<Slot<T>>,
    /// Head of the list of vacant slots, linked through `Slot::state`.
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
    state: State,
    /// In a slot without a tenant what is left of the last one, which holds nothing: a tenant is made where it is, field
    /// by field. What is made elsewhere and moved there is read as a whole right after it was written in parts, which
    /// takes longer than all of it.
    tenant: T,
}

/// Whether a slot has a tenant, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct State(u32);

impl State {
    const TAKEN: Self = Self(u32::MAX);
    /// Its generations are used up; it will have no further tenant.
    const RETIRED: Self = Self(u32::MAX - 1);
    /// The end of the list of vacant slots.
    const LAST_VACANT: Self = Self(u32::MAX - 2);

    /// A vacant slot, linked to the next one.
    const fn vacant(next: Option<u32>) -> Self {
        match next {
            Some(next) => Self(next),
            None => Self::LAST_VACANT,
        }
    }

    const fn next_vacant(self) -> Option<u32> {
        match self {
            Self(next) if next < Self::LAST_VACANT.0 => Some(next),
            _ => None,
        }
    }
}

const ONLY_TENANTS: &str = "C11: the table refers only to tenants";

/// What can be in a slot.
pub(crate) trait Tenant {
    /// Lets go of everything that it holds.
    fn vacate(&mut self);
}

/// A copy over another one uses its room again: who searches the states of tables makes many.
impl<T: Clone> Clone for Slab<T> {
    fn clone(&self) -> Self {
        Self {
            slots: self.slots.clone(),
            ..*self
        }
    }

    fn clone_from(&mut self, source: &Self) {
        let mut slots = std::mem::take(&mut self.slots);
        slots.clone_from(&source.slots);
        *self = Self { slots, ..*source };
    }
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
}

impl<T: Tenant> Slab<T> {
    /// Puts a tenant into a slot, for which room was made before: what is left of another one, or `blank`, to be filled.
    #[inline(always)]
    pub(crate) fn insert(&mut self, blank: impl FnOnce() -> T) -> (Key, &mut T) {
        self.tenants += 1;
        let Some(index) = self.vacant else {
            return self.push(blank());
        };
        let slot = &mut self.slots[index as usize];
        self.vacant = slot.state.next_vacant();
        self.vacant_count -= 1;
        slot.state = State::TAKEN;
        (Key::new(index, slot.generation), &mut slot.tenant)
    }

    #[cold]
    #[inline(never)]
    fn push(&mut self, tenant: T) -> (Key, &mut T) {
        let index = u32::try_from(self.slots.len()).expect("slots are limited by `room`");
        let slot = self.slots.push_mut(Slot {
            generation: NonZeroU32::MIN,
            state: State::TAKEN,
            tenant,
        });
        (Key::new(index, slot.generation), &mut slot.tenant)
    }

    /// Drops the tenant where it is.
    pub(crate) fn remove(&mut self, key: Key) {
        let slot = &mut self.slots[key.slot() as usize];
        debug_assert_eq!(slot.generation.get(), key.generation());
        debug_assert!(slot.state == State::TAKEN, "the key names a tenant");
        slot.tenant.vacate();
        self.tenants -= 1;
        match slot.generation.checked_add(1) {
            Some(next) if next <= self.last_generation => {
                slot.generation = next;
                slot.state = State::vacant(self.vacant.replace(key.slot()));
                self.vacant_count += 1;
            }
            _ => slot.state = State::RETIRED,
        }
    }
}

impl<T> Slab<T> {
    /// The tenant that a handle names.
    pub(crate) fn lookup(&self, key: Key) -> Result<&T, HandleFault> {
        let slot = self
            .slots
            .get(key.slot() as usize)
            .ok_or(HandleFault::Unknown)?;
        let is_taken = slot.state == State::TAKEN;
        match slot.generation.get().cmp(&key.generation()) {
            Ordering::Equal if is_taken => Ok(&slot.tenant),
            // The last tenant of a retired slot has left without the generation moving on.
            Ordering::Equal if slot.state == State::RETIRED => Err(HandleFault::Dead),
            Ordering::Greater => Err(HandleFault::Dead),
            _ => Err(HandleFault::Unknown),
        }
    }

    /// A tenant that the table itself refers to, and that is therefore there.
    #[inline(always)]
    pub(crate) fn get(&self, tenant: impl Reference) -> &T {
        let slot = &self.slots[tenant.slot()];
        debug_assert!(tenant.may_be(slot.generation));
        assert!(slot.state == State::TAKEN, "{ONLY_TENANTS}");
        &slot.tenant
    }

    /// See [`get`](Self::get).
    #[inline(always)]
    pub(crate) fn get_mut(&mut self, tenant: impl Reference) -> &mut T {
        let slot = &mut self.slots[tenant.slot()];
        debug_assert!(tenant.may_be(slot.generation));
        assert!(slot.state == State::TAKEN, "{ONLY_TENANTS}");
        &mut slot.tenant
    }

    /// The key of a tenant to which the table refers.
    #[inline(always)]
    pub(crate) fn key(&self, link: Link) -> Key {
        link.key(self.slots[link.slot()].generation)
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
            let key = Key::new(index, slot.generation);
            Slot {
                generation: slot.generation,
                state: slot.state,
                tenant: tenant(key, &slot.tenant),
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
                state: own,
                tenant: _,
            } = slot;
            (generation, own).hash(state);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.slots.iter().enumerate().filter_map(|(index, slot)| {
            let key = Key::new(index as u32, slot.generation);
            (slot.state == State::TAKEN).then_some((key, &slot.tenant))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Tenant for char {
        fn vacate(&mut self) {}
    }

    fn insert(slab: &mut Slab<char>, tenant: char) -> Key {
        assert!(slab.room(1));
        let (key, place) = slab.insert(|| tenant);
        *place = tenant;
        key
    }

    #[test]
    fn a_slot_is_used_again_under_a_new_generation() {
        let mut slab = Slab::new(NonZeroU32::MAX);
        let first = insert(&mut slab, 'a');
        slab.remove(first);
        let second = insert(&mut slab, 'b');
        assert_eq!(first.slot(), second.slot());
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
        assert_ne!(third.slot(), second.slot());
        assert_eq!(slab.lookup(second), Err(HandleFault::Dead));
        assert_eq!(slab.lookup(first), Err(HandleFault::Dead));
    }

    #[test]
    fn a_key_that_was_never_issued_is_unknown() {
        let mut slab = Slab::new(NonZeroU32::MAX);
        let key = insert(&mut slab, 'a');
        let first = NonZeroU32::MIN;
        let next = Key::new(key.slot(), first.saturating_add(1));
        let beyond = Key::new(key.slot() + 1, first);
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
