//! The registrar's table: registrations, bindings, and the transitions between their states.
//!
//! Pure: it takes no lock and calls nobody. A transition takes what happened and answers which
//! callback the calling thread has to make next (a [`Step`]); whoever drives it reports the
//! callback's return as the next transition. All that a thread ever knows of the table is what an
//! answer told it.
//!
//! One table holds the interfaces of one stripe. Clients and providers of an interface are linked
//! lists through the slots, and so are a registration's bindings: nothing scans all registrations
//! or all bindings, and nothing allocates after registering.

mod attach;
mod check;
mod detach;
mod distance;
mod link;
mod list;
mod registration;
#[cfg(shuttle)]
mod seen;
mod slab;
mod state;
#[cfg(test)]
mod tests;
mod view;

use std::collections::HashMap;
use std::num::NonZeroU32;

use rustc_hash::FxBuildHasher;

use crate::drive::Real;
use crate::error::Resource;
use crate::handle::Key;
use crate::lent::Lent;
use crate::module::Detach;
use crate::npi::{NpiId, Side};
use crate::registrar::Count;
use crate::reserve::Reserve;
use link::Link;
use list::{Linked, Links, List};
use slab::{Slab, Tenant};

pub(crate) use attach::AttachCall;
pub use registration::WaitFault;
pub(crate) use registration::Waited;
#[cfg(shuttle)]
pub use seen::{Seen, Translation, observe};
pub(crate) use state::{ByName, In};
pub use view::{BindingView, InterfaceView, RegistrationView, View};

/// A module as the registrar holds it: its callbacks and what it says of itself.
#[derive(Clone, Debug)]
pub struct Characteristics<L: Lent = Real> {
    /// Whom to call.
    pub module: L::Module,
    /// What it says of itself.
    pub instance: L::Instance,
}

/// What the calling thread has to do next, before it reports that with [`Table::returned`]. What the
/// callbacks are given is in its [`Visit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// Make the client's attach callback.
    Attach(Key),
    /// Make the client's detach callback.
    DetachClient(Key),
    /// Make the provider's.
    DetachProvider(Key),
    /// Make the cleanup callbacks in order, and let go of what they are given: when a wait returns,
    /// the contexts are gone too (C11).
    CleanUp(Key),
    /// Nothing more.
    Done,
}

impl Step {
    /// Make one side's detach callback.
    // Not a variant of two parts: each step is two words, and answered in two registers.
    const fn detach(key: Key, side: Side) -> Self {
        match side {
            Side::Client => Self::DetachClient(key),
            Side::Provider => Self::DetachProvider(key),
        }
    }
}

/// The callback of a [`Step`] has returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Returned {
    /// The client's attach callback, with success or not.
    Attach(Key, bool),
    /// The detach callback of one side.
    Detach(Key, Side, Detach),
    /// The cleanup callbacks.
    CleanUp(Key),
}

/// One thread's way through one call, from its first critical section to its last.
#[derive(Clone)]
pub(crate) struct Visit<L: Lent = Real> {
    pub(crate) thread: L::Thread,
    pub(crate) job: Job,
    pub(crate) hand: Hand<L>,
}

/// What callbacks are called on and given. Empty between a callback's return and the next
/// step; references to modules and contexts, from which a thread learns only what its step does not
/// say of cleaning up: which sides have a context.
#[derive(Clone)]
pub struct Hand<L: Lent = Real> {
    /// The modules to call, by side.
    pub modules: [Option<L::Module>; 2],
    /// Their contexts of the binding.
    pub contexts: [Option<L::Context>; 2],
    /// What the peer of the module that is called in an attach callback says of itself.
    pub peer: Option<L::Instance>,
}

impl<L: Lent> Default for Hand<L> {
    fn default() -> Self {
        Self {
            modules: [None, None],
            contexts: [None, None],
            peer: None,
        }
    }
}

impl<L: Lent> Hand<L> {
    /// Whether there is something whose last reference this could be.
    pub(crate) fn is_empty(&self) -> bool {
        self.modules.iter().all(Option::is_none) && self.contexts.iter().all(Option::is_none)
    }
}

impl<L: Lent> Visit<L> {
    pub(crate) fn new(thread: L::Thread) -> Self {
        Self {
            thread,
            job: Job::Complete,
            hand: Hand::default(),
        }
    }
}

/// What a thread goes on with once the binding at hand needs nothing more of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Job {
    /// Its register call: the next pair to offer.
    Register(Key),
    /// Its deregister call: the next binding to detach.
    Deregister(Key),
    /// A detach-complete call: nothing.
    Complete,
}

#[derive(Clone)]
struct Registration<L: Lent = Real> {
    /// What it is hashed by, whatever its slot.
    name: L::Name,
    side: Side,
    /// `None` once one of several waiters has taken it out, to drop it before any of them returns
    /// (C11). The handle is dead from then on, although the slot is not yet free.
    characteristics: Option<Characteristics<L>>,
    /// Place among the interface's registrations of the same side. Linked until closing begins.
    links: Links,
    /// Its bindings, oldest first.
    bindings: List,
    /// The register call has not yet made all its offers.
    registering: bool,
    /// The next binding that the register call looks at.
    offers: Option<Link>,
    /// Deregistration has begun.
    closing: bool,
    /// The next binding that the deregister call looks at.
    teardown: Option<Link>,
    /// Threads inside a wait for it.
    waiters: u32,
    /// Its owner has not come to wait yet: until it does, whoever waits by the handle has company (C11).
    owned: bool,
    /// Nobody will wait: the slot is freed as soon as the deregistration is over.
    abandoned: bool,
}

impl<L: Lent> Registration<L> {
    /// What is in a slot before its first tenant.
    const fn blank(name: L::Name) -> Self {
        Self {
            name,
            side: Side::Client,
            characteristics: None,
            links: Links::NONE,
            bindings: List::EMPTY,
            registering: false,
            offers: None,
            closing: false,
            teardown: None,
            waiters: 0,
            owned: false,
            abandoned: false,
        }
    }

    /// Becomes another registration, whose register call begins.
    #[inline(always)]
    fn begin(
        &mut self,
        of: Side,
        called: L::Name,
        brought: &mut Option<Characteristics<L>>,
        has_owner: bool,
    ) {
        let Self {
            name,
            side,
            characteristics,
            links,
            bindings,
            registering,
            offers,
            closing,
            teardown,
            waiters,
            owned,
            abandoned,
        } = self;
        *name = called;
        *side = of;
        // What is left of the last tenant is nothing.
        std::mem::swap(characteristics, brought);
        *links = Links::NONE;
        *bindings = List::EMPTY;
        *registering = true;
        *offers = None;
        *closing = false;
        *teardown = None;
        *waiters = 0;
        *owned = has_owner;
        *abandoned = false;
    }

    /// The deregistration is over: no binding is left and no callback can start (C10).
    fn is_finished(&self) -> bool {
        self.closing && !self.registering && self.bindings.is_empty()
    }

    /// The module of a registration that is not yet finished.
    fn characteristics(&self) -> &Characteristics<L> {
        self.characteristics
            .as_ref()
            .expect("only a finished registration's module is taken out")
    }
}

impl<L: Lent> Linked for Registration<L> {
    fn links(&mut self, _side: Side) -> &mut Links {
        &mut self.links
    }

    fn next(&self, _side: Side) -> Option<Link> {
        self.links.next
    }
}

/// The life of a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    /// Matched, not yet offered to the client. The register call of `by` will offer it.
    Proposed { by: Side },
    /// Inside the client's attach callback.
    Attaching(Attaching),
    /// Both sides use each other.
    Attached,
    /// Each side is being asked to detach, or has been.
    Detaching([Detaching; 2]),
    /// Both sides are detached; their cleanup callbacks run.
    CleaningUp,
}

/// How far the client's attach callback has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Attaching {
    /// It has not called `client_attach_provider`.
    Offered,
    /// The provider's attach callback runs.
    CallingProvider,
    /// The one call that it has was refused.
    Refused,
    /// The provider attached.
    Accepted,
}

/// One side's part of detaching.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Detaching {
    /// Its detach callback has yet to be made, by the thread that began to detach the binding.
    ToCall,
    /// The callback runs.
    Calling,
    /// The callback still runs, but the side has already called its detach-complete function (C8).
    CompletedEarly,
    /// The callback answered *pending*.
    Pending,
    /// Detached.
    Complete,
}

#[derive(Clone)]
struct Binding<L: Lent = Real> {
    phase: Phase,
    /// The thread that is inside one of its callbacks. One at a time at most.
    running: Option<L::Thread>,
    ends: [End<L>; 2],
}

impl<L: Lent> Binding<L> {
    /// What is in a slot before its first tenant, of any registration.
    const fn blank(registration: Key) -> Self {
        Self {
            phase: Phase::CleaningUp,
            running: None,
            ends: [End::blank(registration), End::blank(registration)],
        }
    }

    /// Becomes another binding, of a client and a provider.
    #[inline(always)]
    fn begin(&mut self, by: Side, owners: [Key; 2]) {
        let Self {
            phase,
            running,
            ends,
        } = self;
        *phase = Phase::Proposed { by };
        *running = None;
        for (end, owner) in ends.iter_mut().zip(owners) {
            let End {
                registration,
                links,
                context,
                module,
            } = end;
            *registration = owner;
            *links = Links::NONE;
            *context = None;
            *module = None;
        }
    }

    /// A callback has returned. Its module is not let go of here, for the registration has it, too.
    #[inline(always)]
    fn take_back(&mut self, side: Side, hand: &mut Hand<L>) {
        std::mem::swap(
            &mut self.ends[side as usize].module,
            &mut hand.modules[side as usize],
        );
    }
}

/// One side of a binding.
#[derive(Clone)]
struct End<L: Lent = Real> {
    registration: Key,
    /// Place among that registration's bindings.
    links: Links,
    /// What this side remembers about the binding; `None` before it attached, and once the registrar
    /// has let go of it. Its dispatch table is the other side's matter: the registrar keeps none.
    context: Option<L::Context>,
    /// Its module, between two of this binding's callbacks of it: one reference serves them all.
    module: Option<L::Module>,
}

impl<L: Lent> End<L> {
    const fn blank(registration: Key) -> Self {
        Self {
            registration,
            links: Links::NONE,
            context: None,
            module: None,
        }
    }
}

impl<L: Lent> Tenant for Registration<L> {
    #[inline(always)]
    fn vacate(&mut self) {
        self.characteristics = None;
    }
}

impl<L: Lent> Tenant for Binding<L> {
    #[inline(always)]
    fn vacate(&mut self) {
        for end in &mut self.ends {
            end.context = None;
            end.module = None;
        }
    }
}

impl<L: Lent> Linked for Binding<L> {
    fn links(&mut self, side: Side) -> &mut Links {
        &mut self.ends[side as usize].links
    }

    fn next(&self, side: Side) -> Option<Link> {
        self.ends[side as usize].links.next
    }
}

/// The open registrations of one interface.
#[derive(Clone)]
struct Npi {
    sides: [List; 2],
}

impl Npi {
    const EMPTY: Self = Self {
        sides: [List::EMPTY; 2],
    };
}

/// The registrations and bindings of one registrar, or of the interfaces of one of its stripes.
///
/// Reached through [calls](crate::machine::Call) only. A clone is a state of its own.
pub struct Table<L: Lent = Real> {
    npis: HashMap<NpiId, Npi, FxBuildHasher>,
    registrations: Slab<Registration<L>>,
    bindings: Slab<Binding<L>>,
    /// What is freed goes back to the limits at once, before anybody can learn that it is gone (C19).
    reserve: Reserve,
    /// A transition finished a registration that somebody waits for.
    wake: bool,
    /// What the registrar lets go of. Dropped outside the lock, for a module's own drop may call us.
    dropped: Option<Dropped<L>>,
    /// Whether slots and generations count for an explorer.
    hash_slots: bool,
    /// Whether places in lists count only where they can still matter.
    forgets_orders: bool,
}

impl<L: Lent + Clone> Clone for Table<L> {
    fn clone(&self) -> Self {
        Self {
            npis: self.npis.clone(),
            registrations: self.registrations.clone(),
            bindings: self.bindings.clone(),
            reserve: self.reserve.clone(),
            dropped: self.dropped.clone(),
            ..*self
        }
    }

    /// Into the room that the other one has: who searches the states of tables makes many copies.
    fn clone_from(&mut self, source: &Self) {
        let Self {
            npis,
            registrations,
            bindings,
            reserve,
            wake,
            dropped,
            hash_slots,
            forgets_orders,
        } = self;
        npis.clone_from(&source.npis);
        registrations.clone_from(&source.registrations);
        bindings.clone_from(&source.bindings);
        reserve.clone_from(&source.reserve);
        dropped.clone_from(&source.dropped);
        (*wake, *hash_slots, *forgets_orders) =
            (source.wake, source.hash_slots, source.forgets_orders);
    }
}

/// Modules' things on their way out, besides those that an answer hands over.
#[derive(Clone)]
pub struct Dropped<L: Lent = Real> {
    /// The binding context of a client that did not attach in the end.
    pub context: Option<L::Context>,
    /// Registrations that are over, or were refused, by side.
    pub modules: [Option<Characteristics<L>>; 2],
}

impl<L: Lent> Default for Dropped<L> {
    fn default() -> Self {
        Self {
            context: None,
            modules: [None, None],
        }
    }
}

impl<L: Lent> Table<L> {
    /// An empty table, whose slots are retired after the generation `last_generation`.
    #[must_use]
    pub fn new(last_generation: NonZeroU32, reserve: Reserve) -> Self {
        Self {
            npis: HashMap::default(),
            registrations: Slab::new(last_generation),
            bindings: Slab::new(last_generation),
            reserve,
            wake: false,
            dropped: None,
            hash_slots: false,
            forgets_orders: false,
        }
    }

    /// The same, in whose [hash](std::hash::Hash) slots count, or do not.
    #[must_use]
    pub fn hashing_slots(self, hash_slots: bool) -> Self {
        Self { hash_slots, ..self }
    }

    /// The same, in whose [hash](std::hash::Hash) a binding's place among those of its registrations counts as long as
    /// it is proposed or attached, or may yet become so: what a call then comes to next hangs on it. How far a call has
    /// come follows from what is left. That is so of the transitions of today: a claim, to be tried out.
    #[must_use]
    pub fn forgetting_orders(self, forgets_orders: bool) -> Self {
        Self {
            forgets_orders,
            ..self
        }
    }

    /// An empty table of a registrar without limits.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::new(NonZeroU32::MAX, Reserve::unlimited())
    }

    /// Registrations and bindings that are there.
    #[must_use]
    pub fn count(&self) -> Count {
        Count {
            registrations: self.registrations.len(),
            bindings: self.bindings.len(),
        }
    }

    #[inline]
    /// Ends a critical section: puts what the thread has to drop outside it into `dropped`, and
    /// answers whether to wake the waiters.
    pub(crate) fn leave(&mut self, dropped: &mut Option<Dropped<L>>) -> bool {
        if cfg!(any(debug_assertions, loom, shuttle)) {
            self.check();
        }
        // Most sections drop nothing: then nothing is moved.
        if self.dropped.is_some() {
            *dropped = self.dropped.take();
        }
        std::mem::take(&mut self.wake)
    }

    /// What follows from a callback's return.
    pub(crate) fn returned(&mut self, returned: Returned, visit: &mut Visit<L>) -> Step {
        match returned {
            Returned::Attach(key, success) => self.attach_returned(key, success, visit),
            Returned::Detach(key, side, answer) => self.detach_returned(key, side, answer, visit),
            Returned::CleanUp(key) => self.cleaned_up(key, visit),
        }
    }

    /// What the thread goes on with.
    fn next(&mut self, visit: &mut Visit<L>) -> Step {
        match visit.job {
            Job::Register(key) => self.next_offer(key, visit),
            Job::Deregister(key) => self.next_teardown(key, visit),
            Job::Complete => Step::Done,
        }
    }

    /// Takes a binding out of both registrations and frees its slot. The registrar has let go of
    /// what its sides handed over.
    fn remove_binding(&mut self, key: Key) {
        let ends = self.bindings.get(key).ends.each_ref().map(|end| {
            debug_assert!(end.context.is_none(), "dropped outside the lock");
            (end.registration, end.links)
        });
        self.bindings.remove(key);
        self.reserve.give_back(Resource::Binding, 1);
        for ((owner, links), side) in ends.into_iter().zip(Side::BOTH) {
            let registration = self.registrations.get_mut(owner);
            for cursor in [&mut registration.offers, &mut registration.teardown] {
                if *cursor == Some(Link::to(key)) {
                    *cursor = links.next;
                }
            }
            list::unlink(&mut registration.bindings, &mut self.bindings, links, side);
            if registration.is_finished() {
                self.settle(owner);
            }
        }
    }

    /// Puts the module of one side at hand, for a callback.
    #[inline(always)]
    fn lend(&mut self, key: Key, side: Side, hand: &mut Hand<L>) {
        let end = &mut self.bindings.get_mut(key).ends[side as usize];
        let at_hand = &mut hand.modules[side as usize];
        if end.module.is_some() {
            std::mem::swap(at_hand, &mut end.module);
        } else {
            let owner = self.registrations.get(end.registration);
            *at_hand = Some(owner.characteristics().module.clone());
        }
    }

    /// The two registrations of a binding.
    fn registrations_of(&self, binding: &Binding<L>) -> [&Registration<L>; 2] {
        let ends = binding.ends.each_ref();
        ends.map(|end| self.registrations.get(end.registration))
    }

    /// Wakes the waiters of a registration that has just finished, or frees it if none will come.
    fn settle(&mut self, key: Key) {
        let registration = self.registrations.get_mut(key);
        if !registration.is_finished() {
            return;
        }
        self.wake |= registration.waiters > 0;
        if registration.abandoned && registration.waiters == 0 {
            let mut dropped = self.dropped.take();
            self.free_registration(key, &mut dropped);
            self.dropped = dropped;
        }
    }

    /// Whether this section has let go of something.
    pub(crate) const fn has_dropped(&self) -> bool {
        self.dropped.is_some()
    }

    fn drop_outside(&mut self, module: Option<Characteristics<L>>) {
        let module = module.expect("it has yet to begin");
        self.dropped.get_or_insert_default().put(module);
    }

    /// Frees a registration's slot, and lets go of its module, unless a waiter has taken it.
    #[inline(always)]
    fn free_registration(&mut self, key: Key, dropped: &mut Option<Dropped<L>>) {
        self.reserve.give_back(Resource::Registration, 1);
        let registration = self.registrations.get_mut(key);
        if let Some(module) = registration.characteristics.take() {
            dropped.get_or_insert_default().put(module);
        }
        self.registrations.remove(key);
    }
}

impl<L: Lent> Dropped<L> {
    #[inline(always)]
    fn put(&mut self, module: Characteristics<L>) {
        let side = L::side(&module.module);
        let kept = &mut self.modules[side as usize];
        debug_assert!(kept.is_none(), "one registration of a side at a time");
        *kept = Some(module);
    }
}
