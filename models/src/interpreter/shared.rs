//! What the modules and threads of a scenario share beside the registrar, as plain values: handles, the memory of
//! contexts, and pending detaches. Whoever runs them side by side puts locks around them.

use std::hash::{Hash, Hasher};

use nmr::{BindingHandle, ClientHandle, NpiId, ProviderHandle, Side};

use crate::event::{Pair, RegId};
use crate::flat::clone_in_place;
use crate::permuted::ModuleNumber;

/// A registration's handle, of either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum AnyHandle {
    Client(ClientHandle),
    Provider(ProviderHandle),
}

impl AnyHandle {
    pub(crate) fn to_raw(self) -> (u32, u64) {
        match self {
            Self::Client(handle) => handle.to_raw(),
            Self::Provider(handle) => handle.to_raw(),
        }
    }

    pub(crate) fn from_raw(side: Side, (registrar, bits): (u32, u64)) -> Self {
        match side {
            Side::Client => Self::Client(ClientHandle::from_raw(registrar, bits)),
            Side::Provider => Self::Provider(ProviderHandle::from_raw(registrar, bits)),
        }
    }

    /// As whose handle it is used.
    pub(crate) const fn side(self) -> Side {
        match self {
            Self::Client(_) => Side::Client,
            Self::Provider(_) => Side::Provider,
        }
    }
}

/// A binding context, as its module knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Context {
    /// It shows nobody whose it is.
    Null,
    /// That of a side, which is seen to be let go of.
    Of(Pair, Side),
}

/// The memory of binding contexts as their owners see it, of scenarios with a faulty module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Contexts(Vec<(Pair, Side, bool)>);

impl Contexts {
    pub(super) fn take(&mut self, pair: Pair, side: Side) {
        self.0.retain(|&(other, of, _)| (other, of) != (pair, side));
        self.0.push((pair, side, false));
    }

    pub(super) fn free(&mut self, pair: Pair, side: Side) {
        let mut contexts = self.0.iter_mut();
        if let Some((.., freed)) = contexts.find(|(other, of, _)| (*other, *of) == (pair, side)) {
            *freed = true;
        }
    }

    pub(super) fn is_freed(&self, pair: Pair, side: Side) -> bool {
        self.0.contains(&(pair, side, true))
    }

    /// One that its owner has not freed, the first of them, of a pair of whose both registrations `has_ended` says so:
    /// while a registration is there, its bindings may be.
    pub(crate) fn leaked(&self, has_ended: impl Fn(RegId) -> bool) -> Option<(Pair, Side)> {
        let all = self.0.iter().filter(|(.., freed)| !freed);
        let ended = |pair: Pair| pair.registrations().into_iter().all(&has_ended);
        let leaked = all.filter(|&&(pair, ..)| ended(pair));
        leaked.map(|&(pair, side, _)| (pair, side)).min()
    }
}

impl Hash for Contexts {
    fn hash<H: Hasher>(&self, state: &mut H) {
        nmr_sync::unordered(&self.0, state);
    }
}

/// The handles that a registrar issued, and for what. A dead one is not issued again (C12).
#[derive(Debug, Default)]
pub(crate) struct Issued {
    registrations: Vec<(AnyHandle, RegId)>,
    bindings: Vec<(BindingHandle, Pair)>,
}

clone_in_place!(Issued {
    registrations,
    bindings,
});

impl Issued {
    /// One is issued for a registration; whether it was not before.
    pub(super) fn add(&mut self, handle: AnyHandle, reg: RegId) -> bool {
        let is_new = self.registrations.iter().all(|&(other, _)| other != handle);
        self.registrations.push((handle, reg));
        is_new
    }

    /// What a registration's handle was issued for.
    #[cfg(shuttle)]
    pub(super) fn registration(&self, handle: AnyHandle) -> Option<RegId> {
        let mut registrations = self.registrations.iter();
        let found = registrations.find(|&&(issued, _)| issued == handle);
        found.map(|&(_, reg)| reg)
    }

    /// Whether the register call has returned, after which its caller is ready.
    pub(super) fn has(&self, reg: RegId) -> bool {
        self.registrations.iter().any(|&(_, issued)| issued == reg)
    }

    /// One is issued for a binding, of which both sides are told; whether it was not before for another one.
    pub(super) fn add_binding(&mut self, binding: BindingHandle, pair: Pair) -> bool {
        let before = self.pair(binding);
        if before.is_none() {
            self.bindings.push((binding, pair));
        }
        before.is_none_or(|before| before == pair)
    }

    /// What it was issued for.
    pub(crate) fn pair(&self, binding: BindingHandle) -> Option<Pair> {
        let mut bindings = self.bindings.iter();
        bindings
            .find(|&&(other, _)| other == binding)
            .map(|&(_, pair)| pair)
    }

    /// The binding of a registration that has but one.
    pub(super) fn only_pair(&self, reg: RegId) -> Option<Pair> {
        let mut pairs = self.bindings.iter().map(|&(_, pair)| pair);
        pairs.find(|pair| pair.registrations().contains(&reg))
    }

    /// All of them, bit by bit, without the registrar's number, which is another one in each execution.
    pub(crate) fn hash_bits(&self, state: &mut impl Hasher) {
        let registrations = self.registrations.iter();
        let registrations = registrations.map(|(handle, reg)| (handle.to_raw().1, reg));
        nmr_sync::unordered(registrations, state);
        let bindings = self.bindings.iter();
        let bindings = bindings.map(|(binding, pair)| (binding.to_raw().1, pair));
        nmr_sync::unordered(bindings, state);
    }
}

/// A detach that was answered *pending*. Hashed without its handle, of which there is one for a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PendingDetach {
    pub(crate) side: Side,
    pub(crate) pair: Pair,
    pub(crate) binding: BindingHandle,
}

impl PendingDetach {
    /// The index of the module that owes the completion.
    pub(crate) fn module(&self) -> u8 {
        self.pair.side(self.side).module
    }
}

impl Hash for PendingDetach {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.side, self.pair).hash(state);
    }
}

/// Which pending detach is completed next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// The oldest of all.
    Oldest,
    /// The oldest of a module's.
    OldestOf(u8),
    /// Any.
    Any,
}

impl Hash for Which {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        if let Self::OldestOf(module) = *self {
            ModuleNumber(module).hash(state);
        }
    }
}

/// The pending detaches of all modules.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    /// The oldest first.
    detaches: Vec<PendingDetach>,
    /// For each module, the `wait` operations that threads have still to finish.
    waits: Vec<u16>,
    /// Any of them is completed: their order says nothing.
    is_unordered: bool,
}

clone_in_place!(Pending {
    detaches,
    waits,
    is_unordered,
});

impl Pending {
    pub(crate) fn new(waits: &[u16], is_unordered: bool) -> Self {
        Self {
            detaches: Vec::new(),
            waits: waits.to_vec(),
            is_unordered,
        }
    }

    pub(crate) fn push(&mut self, detach: PendingDetach) {
        self.detaches.push(detach);
    }

    /// A thread finished a `wait` operation for the module.
    pub(crate) fn has_waited(&mut self, module: u8) {
        let left = &mut self.waits[usize::from(module)];
        *left = left.saturating_sub(1);
    }

    /// Those that can be taken, by their places.
    pub(crate) fn candidates(&self, which: Which) -> impl Iterator<Item = usize> {
        let fits = move |detach: &PendingDetach| match which {
            Which::OldestOf(module) => detach.module() == module,
            Which::Oldest | Which::Any => true,
        };
        let all = self.detaches.iter().enumerate();
        let all = all.filter(move |(_, detach)| fits(detach));
        let most = if which == Which::Any { usize::MAX } else { 1 };
        all.map(|(place, _)| place).take(most)
    }

    /// Whether no thread will wait any more for whom such detaches are to be completed.
    pub(crate) fn is_over(&self, which: Which) -> bool {
        match which {
            Which::OldestOf(module) => self.waits[usize::from(module)] == 0,
            Which::Oldest | Which::Any => self.waits.iter().all(|&left| left == 0),
        }
    }

    /// A module in C has completed its side of a binding; whether that was pending.
    #[cfg(shuttle)]
    pub(crate) fn completed(&mut self, pair: Pair, side: Side) -> bool {
        let before = self.detaches.len();
        self.detaches
            .retain(|detach| (detach.pair, detach.side) != (pair, side));
        self.detaches.len() != before
    }

    pub(crate) fn remove(&mut self, place: usize) -> PendingDetach {
        self.detaches.remove(place)
    }

    pub(crate) fn detaches(&self) -> &[PendingDetach] {
        &self.detaches
    }

    /// How many waits are left, of all modules together.
    pub(crate) fn waits(&self) -> u64 {
        self.waits.iter().map(|&left| u64::from(left)).sum()
    }
}

impl Hash for Pending {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.is_unordered {
            true => nmr_sync::unordered(&self.detaches, state),
            false => self.detaches.hash(state),
        }
        nmr_sync::unordered((0..).map(ModuleNumber).zip(&self.waits), state);
    }
}

/// Takes one of so many places, if one is free.
pub(crate) fn admit(taken: &mut u8, places: u8) -> bool {
    let is_free = *taken < places;
    *taken += u8::from(is_free);
    is_free
}

/// The lower four bits of the number are the GUID's lowest ones; each of the upper four is a bit of another
/// part of it, by which alone an interface can differ from another one under the same monitor.
pub(crate) fn npi_id(number: u8) -> NpiId {
    const PARTS: [u32; 4] = [17, 33, 67, 97];
    let parts = PARTS.iter().enumerate();
    let parts = parts.map(|(nth, part)| u128::from(number >> (4 + nth) & 1) << part);
    NpiId(parts.sum::<u128>() | u128::from(number & 15))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reg(module: u8, nth: u8) -> RegId {
        RegId { module, nth }
    }

    fn pair(client: RegId) -> Pair {
        let provider = reg(1, 0);
        Pair { client, provider }
    }

    #[test]
    fn a_handle_is_issued_once() {
        let handle = |bits| AnyHandle::from_raw(Side::Client, (1, bits));
        let mut issued = Issued::default();
        assert!(issued.add(handle(7), reg(0, 0)));
        assert!(issued.add(handle(8), reg(0, 1)));
        assert!(!issued.add(handle(7), reg(0, 2)));
    }

    #[test]
    fn a_bindings_handle_is_told_to_both_sides_and_to_no_other_binding() {
        let binding = BindingHandle::from_raw(1, 7);
        let mut issued = Issued::default();
        assert!(issued.add_binding(binding, pair(reg(0, 0))));
        assert!(issued.add_binding(binding, pair(reg(0, 0))));
        assert!(!issued.add_binding(binding, pair(reg(0, 1))));
        assert_eq!(issued.pair(binding), Some(pair(reg(0, 0))));
    }

    #[test]
    fn a_module_is_owed_its_own_detaches_as_long_as_it_is_waited_for() {
        let detach = |client| PendingDetach {
            side: Side::Client,
            pair: pair(client),
            binding: BindingHandle::from_raw(1, 7),
        };
        let mut pending = Pending::new(&[1, 0, 2], false);
        for client in [reg(2, 0), reg(0, 0), reg(2, 1)] {
            pending.push(detach(client));
        }
        let places = |which| pending.candidates(which).collect::<Vec<_>>();
        assert_eq!(places(Which::Oldest), [0]);
        assert_eq!(places(Which::OldestOf(0)), [1]);
        assert_eq!(places(Which::OldestOf(1)), [0; 0]);
        assert_eq!(places(Which::Any), [0, 1, 2]);
        assert!(pending.is_over(Which::OldestOf(1)) && !pending.is_over(Which::OldestOf(2)));
        pending.has_waited(0);
        assert!(pending.is_over(Which::OldestOf(0)) && !pending.is_over(Which::Oldest));
    }

    #[test]
    fn of_contexts_that_are_left_only_those_of_ended_registrations_leak() {
        let mut contexts = Contexts::default();
        contexts.take(pair(reg(0, 1)), Side::Provider);
        contexts.take(pair(reg(0, 0)), Side::Client);
        let ended = [reg(0, 1), reg(1, 0)];
        let leaked = |contexts: &Contexts| contexts.leaked(|reg| ended.contains(&reg));
        assert_eq!(leaked(&contexts), Some((pair(reg(0, 1)), Side::Provider)));
        contexts.free(pair(reg(0, 1)), Side::Provider);
        assert!(contexts.is_freed(pair(reg(0, 1)), Side::Provider));
        assert_eq!(leaked(&contexts), None);
    }
}
