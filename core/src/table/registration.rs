//! Registering, deregistering, and waiting for the end of it.

use std::collections::hash_map::Entry;

use super::link::Link;
use super::list::{self, List};
use super::{Binding, Characteristics, Dropped, Job, Npi, Phase, Registration, Step, Table, Visit};
use crate::error::{InsufficientResources, Resource};
use crate::handle::{HandleFault, Key};
use crate::lent::Lent;
use crate::npi::Side;

/// A wait that ends at once, without effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WaitFault {
    /// The handle names nothing of the kind (C12).
    Handle(HandleFault),
    /// Nobody has begun to deregister it (C14).
    NotDeregistered,
    /// The thread is inside one of its callbacks (C15).
    WouldDeadlock,
}

/// How a waiting thread leaves. The handle is dead in any case. The module is among what the section let go of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waited {
    /// Another waiter has seen to everything.
    Gone,
    /// The registration is gone but for its module, which this thread drops.
    Alone,
    /// This thread drops the module, then reports `let_go`, for which other waiters are waiting.
    First,
}

impl<L: Lent> Table<L> {
    /// Makes a registration and a proposed binding with each open one of the other side, or
    /// nothing at all (C17); `owned` says that an owner will come to wait for its end. Refused characteristics are dropped outside the lock.
    #[inline(always)]
    pub(crate) fn register(
        &mut self,
        brought: &mut Option<Characteristics<L>>,
        owned: bool,
        visit: &mut Visit<L>,
    ) -> Result<Step, InsufficientResources> {
        let characteristics = brought.as_ref().expect("it has yet to begin");
        let side = L::side(&characteristics.module);
        if let Err(refused) = self.make_room() {
            self.drop_outside(brought.take());
            return Err(refused);
        }
        let npi = self.npis.entry(L::npi(&characteristics.instance));
        let peers = match &npi {
            Entry::Occupied(npi) => npi.get().sides[side.peer() as usize],
            Entry::Vacant(_) => List::default(),
        };
        let wanted = peers.len(&self.registrations, side.peer());
        if wanted > 0
            && let Err(refused) = self
                .reserve
                .room(Resource::Binding, wanted, || self.bindings.room(wanted))
        {
            self.reserve.give_back(Resource::Registration, 1);
            self.drop_outside(brought.take());
            return Err(refused);
        }
        let own = &mut npi.or_insert(Npi::EMPTY).sides[side as usize];
        let name = L::name(&characteristics.module);
        let blank = || Registration::blank(name.clone());
        let (key, registration) = self.registrations.insert(blank);
        registration.begin(side, name, brought, owned);
        list::push(own, &mut self.registrations, key, side);
        let mut peer = peers.first;
        while let Some(other) = peer {
            self.propose(side, key, other);
            peer = self.registrations.get(other).links.next;
        }
        let registration = self.registrations.get_mut(key);
        registration.offers = registration.bindings.first;
        visit.job = Job::Register(key);
        Ok(self.next_offer(key, visit))
    }

    /// Room for one registration, and for its interface.
    fn make_room(&mut self) -> Result<(), InsufficientResources> {
        let reserve = &self.reserve;
        reserve.room(Resource::Registration, 1, || self.registrations.room(1))?;
        let npi = reserve.room(Resource::Interface, 1, || self.npis.try_reserve(1).is_ok());
        npi.inspect_err(|_| reserve.give_back(Resource::Registration, 1))
    }

    fn propose(&mut self, by: Side, new: Key, other: Link) {
        let other = self.registrations.key(other);
        let (client, provider) = match by {
            Side::Client => (new, other),
            Side::Provider => (other, new),
        };
        let blank = || Binding::blank(client);
        let (key, binding) = self.bindings.insert(blank);
        binding.begin(by, [client, provider]);
        for (side, owner) in [(Side::Client, client), (Side::Provider, provider)] {
            let owner = self.registrations.get_mut(owner);
            list::push(&mut owner.bindings, &mut self.bindings, key, side);
        }
    }

    /// The next pair that the register call of `key` offers, or the end of that call.
    #[inline]
    pub(super) fn next_offer(&mut self, key: Key, visit: &mut Visit<L>) -> Step {
        let registration = self.registrations.get_mut(key);
        let side = registration.side;
        while let Some(next) = registration.offers {
            let next = self.bindings.key(next);
            let binding = self.bindings.get(next);
            registration.offers = binding.ends[side as usize].links.next;
            if binding.phase == (Phase::Proposed { by: side }) {
                return self.offer(next, visit);
            }
        }
        registration.registering = false;
        if registration.is_finished() {
            self.settle(key);
        }
        Step::Done
    }

    #[inline(always)]
    fn registration_key(&self, key: Key, side: Side) -> Result<&Registration<L>, HandleFault> {
        let registration = self.registrations.lookup(key)?;
        // A slot serves both sides in turn; the kind in the handle's bits may be forged.
        if registration.side != side {
            Err(HandleFault::WrongKind)
        } else if registration.characteristics.is_none() {
            Err(HandleFault::Dead)
        } else {
            Ok(registration)
        }
    }

    /// Closes the door (C6) and begins to detach what is attached (C7). `Ok(None)`: it was being
    /// deregistered already (C13).
    #[inline(always)]
    pub(crate) fn deregister(
        &mut self,
        key: Key,
        side: Side,
        visit: &mut Visit<L>,
    ) -> Result<Option<Step>, HandleFault> {
        if self.registration_key(key, side)?.closing {
            return Ok(None);
        }
        let registration = self.registrations.get_mut(key);
        registration.closing = true;
        let links = std::mem::take(&mut registration.links);
        let npi = L::npi(&registration.characteristics().instance);
        let Entry::Occupied(mut npi) = self.npis.entry(npi) else {
            unreachable!("an open registration's interface is noted")
        };
        let sides = &mut npi.get_mut().sides;
        list::unlink(
            &mut sides[side as usize],
            &mut self.registrations,
            links,
            side,
        );
        if sides.iter().all(List::is_empty) {
            npi.remove();
        }
        self.withdraw_proposals(key, side);
        let registration = self.registrations.get_mut(key);
        registration.teardown = registration.bindings.first;
        visit.job = Job::Deregister(key);
        Ok(Some(self.next_teardown(key, visit)))
    }

    /// Pairs that were not offered yet never will be (C6).
    fn withdraw_proposals(&mut self, key: Key, side: Side) {
        let mut cursor = self.registrations.get(key).bindings.first;
        while let Some(next) = cursor {
            let next = self.bindings.key(next);
            let binding = self.bindings.get(next);
            cursor = binding.ends[side as usize].links.next;
            if matches!(binding.phase, Phase::Proposed { .. }) {
                self.remove_binding(next);
            }
        }
    }

    /// The next attached binding that the deregister call of `key` begins to detach. Bindings are
    /// taken one by one, so that the other side's own deregistration need not wait for this thread.
    #[inline]
    pub(super) fn next_teardown(&mut self, key: Key, visit: &mut Visit<L>) -> Step {
        // The registration may be gone: its last binding was just cleaned up, and nobody waits.
        if !self.registrations.contains(key) {
            return Step::Done;
        }
        let registration = self.registrations.get_mut(key);
        while let Some(next) = registration.teardown {
            let next = self.bindings.key(next);
            let binding = self.bindings.get(next);
            registration.teardown = binding.ends[registration.side as usize].links.next;
            if binding.phase == Phase::Attached {
                return self.begin_detach(next, visit);
            }
        }
        Step::Done
    }

    /// Enters a wait; see [`end_wait`](Self::end_wait). An owner, of whom others know that it will come, enters until the
    /// registration is gone, the others until one of them has taken the module out.
    #[inline(always)]
    pub(crate) fn begin_wait(
        &mut self,
        key: Key,
        side: Side,
        owner: bool,
        thread: L::Thread,
    ) -> Result<(), WaitFault> {
        let registration = match self.registrations.lookup(key) {
            Ok(it) if owner && it.owned && it.side == side => it,
            _ => self
                .registration_key(key, side)
                .map_err(WaitFault::Handle)?,
        };
        if !registration.closing {
            return Err(WaitFault::NotDeregistered);
        }
        let mut cursor = registration.bindings.first;
        while let Some(next) = cursor {
            let binding = self.bindings.get(next);
            if binding.running == Some(thread) {
                return Err(WaitFault::WouldDeadlock);
            }
            cursor = binding.ends[side as usize].links.next;
        }
        let registration = self.registrations.get_mut(key);
        registration.waiters += 1;
        registration.owned &= !owner;
        Ok(())
    }

    /// Ends a wait that was entered, if it is over. No waiter leaves before the module is dropped (C11)
    /// and the registration, and with it the handle, is gone (C12).
    #[inline(always)]
    pub(crate) fn end_wait(
        &mut self,
        key: Key,
        dropped: &mut Option<Dropped<L>>,
    ) -> Option<Waited> {
        if !self.registrations.contains(key) {
            return Some(Waited::Gone);
        }
        let registration = self.registrations.get_mut(key);
        if !registration.is_finished() {
            return None;
        }
        if registration.waiters == 1 && !registration.owned {
            self.free_registration(key, dropped);
            return Some(Waited::Alone);
        }
        // `None`: the first of the waiters is dropping it.
        let module = registration.characteristics.take()?;
        dropped.get_or_insert_default().put(module);
        Some(Waited::First)
    }

    /// The module that [`Waited::First`] handed out is dropped; the other waiters may leave.
    pub(crate) fn let_go(&mut self, key: Key) {
        self.free_registration(key, &mut None);
        self.wake = true;
    }

    /// Nobody will wait for this registration, whose deregistration has begun.
    pub(crate) fn abandon(&mut self, key: Key) {
        if self.registrations.contains(key) {
            let registration = self.registrations.get_mut(key);
            registration.abandoned = true;
            registration.owned = false;
            self.settle(key);
        }
    }
}
