//! What a table holds, for people: registrations, bindings, lists, what is left of the limits.
//!
//! A view is a copy of what the table is, taken where whoever has the table looks at it. It judges nothing, and is
//! taken of a broken table, too: a list ends where it leads to what is not there.

use super::link::{Link, Reference};
use super::list::{Linked, List};
use super::slab::Slab;
use super::{Attaching, Binding, Characteristics, Detaching, Phase, Registration, Table};
use crate::drive::Real;
use crate::handle::Key;
use crate::lent::Lent;
use crate::npi::{NpiId, Side};
use crate::reserve::Left;

/// What a table holds. Slots name registrations and bindings as long as they are there; a slot is used again.
///
/// ```
/// use nmr::machine::{Table, View};
///
/// let table = Table::<nmr::machine::Real>::unlimited();
/// let View { registrations, bindings, .. } = table.view();
/// assert!(registrations.is_empty() && bindings.is_empty());
/// ```
#[derive(Clone)]
#[expect(
    missing_debug_implementations,
    reason = "it refers to modules, which need not have one"
)]
#[non_exhaustive]
pub struct View<'a, L: Lent = Real> {
    /// Registrations by slot.
    pub registrations: Vec<RegistrationView<'a, L>>,
    /// Bindings by slot.
    pub bindings: Vec<BindingView<'a, L>>,
    /// Interfaces that have open registrations, by name.
    pub interfaces: Vec<InterfaceView>,
    /// What is left of the limits.
    pub left: Left,
}

/// A registration.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "as above")]
#[non_exhaustive]
pub struct RegistrationView<'a, L: Lent = Real> {
    /// Its slot.
    pub slot: u32,
    /// Its side.
    pub side: Side,
    /// Its module; `None` once one of several waiters has taken it out, to drop it.
    pub characteristics: Option<&'a Characteristics<L>>,
    /// `registering`, `open`, `closing`, or `closed` once nothing of it is in use.
    pub stage: &'static str,
    /// The slots of its bindings, oldest first.
    pub bindings: Vec<u32>,
    /// The binding that its register call looks at next.
    pub offers: Option<u32>,
    /// The binding that its deregister call looks at next.
    pub teardown: Option<u32>,
    /// Threads inside a wait for it.
    pub waiters: u32,
    /// Whether nobody will wait for it.
    pub abandoned: bool,
}

/// A binding.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "as above")]
#[non_exhaustive]
pub struct BindingView<'a, L: Lent = Real> {
    /// Its slot.
    pub slot: u32,
    /// The slots of the client and the provider.
    pub registrations: [u32; 2],
    /// `proposed`; `offered`, `attaching`, `refused`, `accepted`, all inside the client's attach callback; `attached`;
    /// `detaching`; `cleaning up`.
    pub stage: &'static str,
    /// While it is detached, how far the client and the provider are: `to be asked`, `asked`, `completed early`,
    /// `pending`, `complete`. Otherwise empty.
    pub sides: [&'static str; 2],
    /// The thread that is inside one of its callbacks.
    pub running: Option<&'a L::Thread>,
    /// Whether the table has a context of the client and of the provider.
    pub contexts: [bool; 2],
}

/// An interface.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InterfaceView {
    /// Its name.
    pub npi: NpiId,
    /// The slots of its open clients and providers, oldest first.
    pub open: [Vec<u32>; 2],
}

impl<L: Lent> Table<L> {
    /// What it holds now.
    #[must_use]
    pub fn view(&self) -> View<'_, L> {
        let registrations = self.registrations.iter();
        let bindings = self.bindings.iter();
        let interfaces = self.npis.iter().map(|(&npi, lists)| InterfaceView {
            npi,
            open: Side::BOTH
                .map(|side| slots(lists.sides[side as usize], &self.registrations, side)),
        });
        let mut interfaces: Vec<_> = interfaces.collect();
        interfaces.sort_unstable_by_key(|interface| interface.npi);
        View {
            registrations: registrations
                .map(|(key, one)| self.registration_view(key, one))
                .collect(),
            bindings: bindings.map(|(key, one)| one.view(key)).collect(),
            interfaces,
            left: self.reserve.left(),
        }
    }

    fn registration_view<'a>(
        &'a self,
        key: Key,
        one: &'a Registration<L>,
    ) -> RegistrationView<'a, L> {
        let slot = |link: Link| link.slot() as u32;
        RegistrationView {
            slot: key.slot(),
            side: one.side,
            characteristics: one.characteristics.as_ref(),
            stage: one.stage(),
            bindings: slots(one.bindings, &self.bindings, one.side),
            offers: one.offers.map(slot),
            teardown: one.teardown.map(slot),
            waiters: one.waiters,
            abandoned: one.abandoned,
        }
    }
}

/// The slots of a list, as far as it leads to what is there.
fn slots<T: Linked>(list: List, slab: &Slab<T>, side: Side) -> Vec<u32> {
    list.iter(slab, side).map(Key::slot).collect()
}

impl<L: Lent> Registration<L> {
    fn stage(&self) -> &'static str {
        match (self.closing, self.registering) {
            _ if self.is_finished() => "closed",
            (true, _) => "closing",
            (false, true) => "registering",
            (false, false) => "open",
        }
    }
}

impl<L: Lent> Binding<L> {
    fn view(&self, key: Key) -> BindingView<'_, L> {
        let (stage, sides) = self.stage();
        BindingView {
            slot: key.slot(),
            registrations: self.ends.each_ref().map(|end| end.registration.slot()),
            stage,
            sides,
            running: self.running.as_ref(),
            contexts: self.ends.each_ref().map(|end| end.context.is_some()),
        }
    }

    fn stage(&self) -> (&'static str, [&'static str; 2]) {
        let phase = match self.phase {
            Phase::Proposed { .. } => "proposed",
            Phase::Attaching(Attaching::Offered) => "offered",
            Phase::Attaching(Attaching::CallingProvider) => "attaching",
            Phase::Attaching(Attaching::Refused) => "refused",
            Phase::Attaching(Attaching::Accepted) => "accepted",
            Phase::Attached => "attached",
            Phase::Detaching(sides) => return ("detaching", sides.map(Detaching::words)),
            Phase::CleaningUp => "cleaning up",
        };
        (phase, [""; 2])
    }
}

impl Detaching {
    const fn words(self) -> &'static str {
        match self {
            Self::ToCall => "to be asked",
            Self::Calling => "asked",
            Self::CompletedEarly => "completed early",
            Self::Pending => "pending",
            Self::Complete => "complete",
        }
    }
}
