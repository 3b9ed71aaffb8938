//! The table's state and what a thread learns of it, as hashes, for an explorer that has to find out
//! which states are the same. No other build hashes anything.
//!
//! The hash is complete: whatever may have an influence on a later answer is in it. And it is the same
//! for all orders in which slots were taken: what keys refer to is hashed by name, a registration's own
//! or those of a binding's two registrations (C2: there is one binding of a pair), and the tenants of a
//! slab in no order.
//!
//! - **Slots and generations** are left out, for a handle is only compared and looked up: one that was
//!   issued names the same registration or binding in whatever slot, and nothing when that is gone. What
//!   could tell two such states apart is a handle that nobody was issued, or a table that takes a dead
//!   one for alive. Who tries such handles has to say so
//!   ([`Builder::hash_slots`](crate::Builder::hash_slots)): then slots and keys are hashed too. So they are
//!   where slots are retired.
//! - **Modules, their instances and binding contexts** are opaque: only whether they are there, for
//!   which interface, and whether a context is null. What else is behind them follows from what the
//!   thread knew that handed them over; where that is not so, the program has to say it elsewhere.
//! - A thread learns the answer, but also what is [at hand](super::Hand), for whose context is missing
//!   is not in the step; and which things the section has let go of, for the thread drops them.

use std::hash::{Hash, Hasher};

use nmr_sync::{bits, unordered};

use super::{
    Attaching, Binding, Dropped, End, Hand, Npi, Phase, Registration, Returned, Step, Table, Visit,
};
use crate::handle::Key;
use crate::lent::Lent;
use crate::machine::Call;
use crate::npi::Side;

/// Is hashed by the names of what it refers to in a table.
pub(crate) trait ByName<L: Lent> {
    fn hash_in(&self, table: &Table<L>, state: &mut impl Hasher);
}

/// Something [`ByName`], and the table to which it refers.
pub(crate) struct In<'a, L: Lent, T>(pub(crate) &'a Table<L>, pub(crate) &'a T);

impl<L: Lent, T: ByName<L>> Hash for In<'_, L, T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.1.hash_in(self.0, state);
    }
}

impl<L: Lent> Hash for Table<L> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.hash_if([true; 2], state);
    }
}

impl<L: Lent> Table<L> {
    /// As [`Hash`], where it is known on which sides somebody may yet register. Where [orders are
    /// forgotten](Self::forgetting_orders), that of the open registrations of an interface counts no more if nobody may
    /// come whom they would meet.
    pub fn hash_if(&self, may_register: [bool; 2], state: &mut impl Hasher) {
        let Self {
            npis,
            registrations,
            bindings,
            // Other tables change it too: its counters are known to an explorer by themselves.
            reserve: _,
            wake,
            dropped,
            // The same in all states.
            hash_slots: _,
            forgets_orders: _,
        } = self;
        let npis = npis.iter();
        unordered(
            npis.map(|(id, npi)| (id, Open(self, npi, may_register))),
            state,
        );
        let of_registration = |(key, it)| (self.registration_name(key), In(self, it));
        unordered(registrations.iter().map(of_registration), state);
        let of_binding = |(key, it)| (self.binding_name(key), In(self, it));
        unordered(bindings.iter().map(of_binding), state);
        (wake, In(self, dropped)).hash(state);
        if self.slots_count() {
            registrations.hash_slots(state);
            bindings.hash_slots(state);
        }
    }
}

impl<L: Lent> Table<L> {
    /// A call, hashed by the names of what it is about: all by which what it does next could differ.
    #[inline]
    pub fn by_name<'a>(&'a self, call: &'a Call<L>) -> impl Hash + 'a {
        In(self, call)
    }

    fn slots_count(&self) -> bool {
        self.hash_slots || self.registrations.retires()
    }

    /// The key itself, where it counts.
    fn slot(&self, key: Key) -> Option<Key> {
        self.slots_count().then_some(key)
    }

    /// Nothing for a dead key, to which no table refers that is consistent.
    pub(crate) fn registration_name(&self, key: Key) -> impl Hash {
        let registration = self.registrations.lookup(key).ok();
        Named {
            name: registration.map(Registration::name),
            slot: self.slot(key),
        }
    }

    /// See [`registration_name`](Self::registration_name).
    pub(crate) fn binding_name(&self, key: Key) -> impl Hash {
        let binding = self.bindings.lookup(key).ok();
        Named {
            name: binding.map(|binding| {
                let owners = binding.ends.each_ref().map(|end| end.registration);
                owners.map(|owner| {
                    self.registrations
                        .lookup(owner)
                        .ok()
                        .map(Registration::name)
                })
            }),
            slot: self.slot(key),
        }
    }

    /// A binding, to whoever knows one of its registrations: by the other one.
    fn peer_name(&self, key: Key, own: Side) -> impl Hash {
        let binding = self.bindings.lookup(key).ok();
        let peer = binding.map(|binding| binding.ends[own.peer() as usize].registration);
        let peer = peer.and_then(|peer| self.registrations.lookup(peer).ok());
        Named {
            name: peer.map(Registration::name),
            slot: self.slot(key),
        }
    }

    /// The bindings of a registration, in order. A table that is not consistent has an end, too.
    pub(super) fn bindings_of(&self, registration: &Registration<L>) -> impl Iterator<Item = Key> {
        registration
            .bindings
            .iter(&self.bindings, registration.side)
    }

    /// Whether a deregister or register call may still come to the binding.
    fn has_a_place(&self, key: Key) -> bool {
        let Ok(binding) = self.bindings.lookup(key) else {
            return true;
        };
        let is_open = |end: &End<L>| {
            let owner = self.registrations.lookup(end.registration);
            owner.is_ok_and(|owner| !owner.closing)
        };
        match binding.phase {
            Phase::Proposed { .. } | Phase::Attached => true,
            Phase::Attaching(Attaching::Refused) => false,
            Phase::Attaching(_) => binding.ends.iter().all(is_open),
            Phase::Detaching(_) | Phase::CleaningUp => false,
        }
    }

    /// Hashes the bindings of a registration in their order, each by the other registration, and where calls are in it.
    fn hash_bindings(&self, registration: &Registration<L>, state: &mut impl Hasher) {
        let peer = |key| self.peer_name(key, registration.side);
        if !self.forgets_orders {
            self.bindings_of(registration)
                .for_each(|key| (true, peer(key)).hash(state));
            false.hash(state);
            for cursor in [registration.offers, registration.teardown] {
                let key = cursor.map(|link| self.bindings.key(link));
                key.map(peer).hash(state);
            }
            return;
        }
        for key in self.bindings_of(registration) {
            if self.has_a_place(key) {
                (true, peer(key)).hash(state);
            }
        }
        false.hash(state);
    }
}

/// A name, and the slot where that counts.
struct Named<N> {
    name: Option<N>,
    slot: Option<Key>,
}

impl<N: Hash> Hash for Named<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        if let Some(slot) = self.slot {
            slot.hash(state);
        }
    }
}

impl<L: Lent> Registration<L> {
    fn name(&self) -> L::Name {
        self.name.clone()
    }
}

/// The open registrations of an interface, in a table, and on which sides somebody may yet register.
struct Open<'a, L: Lent>(&'a Table<L>, &'a Npi, [bool; 2]);

impl<L: Lent> Hash for Open<'_, L> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let &Self(table, npi, may_register) = self;
        for (list, side) in npi.sides.iter().zip(Side::BOTH) {
            let names = list.iter(&table.registrations, side);
            let names = names.map(|key| table.registration_name(key));
            match table.forgets_orders && !may_register[side.peer() as usize] {
                true => unordered(names, state),
                false => {
                    names.for_each(|name| (true, name).hash(state));
                    false.hash(state);
                }
            }
        }
    }
}

impl<L: Lent> ByName<L> for Registration<L> {
    fn hash_in(&self, table: &Table<L>, state: &mut impl Hasher) {
        let Self {
            name: _,
            side,
            characteristics,
            // Its interface has the list.
            links: _,
            bindings: _,
            registering,
            offers: _,
            closing,
            teardown: _,
            waiters,
            owned,
            abandoned,
        } = self;
        let npi = characteristics.as_ref().map(|own| L::npi(&own.instance));
        (side, npi).hash(state);
        table.hash_bindings(self, state);
        (bits([*registering, *closing, *abandoned, *owned]), waiters).hash(state);
    }
}

impl<L: Lent> ByName<L> for Binding<L> {
    fn hash_in(&self, _: &Table<L>, state: &mut impl Hasher) {
        let Self {
            phase,
            running,
            ends,
        } = self;
        (phase, running).hash(state);
        let contexts = ends.each_ref().map(|end| {
            let End {
                registration: _,
                // Its registration has the list.
                links: _,
                context,
                // As its registration's.
                module: _,
            } = end;
            outline::<L>(context)
        });
        let [client, provider] = contexts;
        (client | provider << 2).hash(state);
    }
}

/// Whether a context is there, and whether it is null.
fn outline<L: Lent>(context: &Option<L::Context>) -> u8 {
    match context {
        None => 0,
        Some(context) => 1 + u8::from(L::is_null(context)),
    }
}

impl<L: Lent> ByName<L> for Dropped<L> {
    fn hash_in(&self, _: &Table<L>, state: &mut impl Hasher) {
        let Self { context, modules } = self;
        // Whose modules they are follows from what the thread was doing.
        let modules = modules.each_ref().map(Option::is_some);
        (outline::<L>(context), bits(modules)).hash(state);
    }
}

impl<L: Lent> ByName<L> for Visit<L> {
    fn hash_in(&self, _: &Table<L>, state: &mut impl Hasher) {
        // The thread and its job follow from its call.
        let Hand {
            modules,
            contexts,
            peer,
        } = &self.hand;
        let [client, provider] = modules.each_ref().map(Option::is_some);
        let [first, second] = contexts.each_ref().map(outline::<L>);
        let others = bits([client, provider, peer.is_some()]) as u8;
        (others | first << 3 | second << 5).hash(state);
    }
}

impl<L: Lent> ByName<L> for Step {
    fn hash_in(&self, table: &Table<L>, state: &mut impl Hasher) {
        std::mem::discriminant(self).hash(state);
        match *self {
            Self::Attach(key) | Self::CleanUp(key) => table.binding_name(key).hash(state),
            Self::DetachClient(key) => table.binding_name(key).hash(state),
            Self::DetachProvider(key) => table.binding_name(key).hash(state),
            Self::Done => {}
        }
    }
}

impl<L: Lent> ByName<L> for Returned {
    fn hash_in(&self, table: &Table<L>, state: &mut impl Hasher) {
        std::mem::discriminant(self).hash(state);
        match *self {
            Self::Attach(key, success) => (table.binding_name(key), success).hash(state),
            Self::Detach(key, side, answer) => {
                (table.binding_name(key), side, answer).hash(state);
            }
            Self::CleanUp(key) => table.binding_name(key).hash(state),
        }
    }
}

impl<L: Lent, T: ByName<L>> ByName<L> for Option<T> {
    fn hash_in(&self, table: &Table<L>, state: &mut impl Hasher) {
        self.as_ref().map(|it| In(table, it)).hash(state);
    }
}
