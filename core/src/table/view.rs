//! What a table holds, for whoever shows an execution to people or compares it with one without threads: seen at
//! the end of each critical section, by one observer, in the build that has an explorer. It is no part of any state.

use std::sync::OnceLock;

use nmr_sync::thread::ThreadId;

use super::{
    Attaching, Binding, Characteristics, Detaching, End, Phase, Registration, Reserve, Table,
};
use crate::lent::Lent;
use crate::module::BindingContext;
use crate::npi::RegistrationInstance;

/// A table at the end of a critical section.
#[expect(
    missing_debug_implementations,
    reason = "it has the table itself, which is the registrar's own"
)]
#[non_exhaustive]
pub struct Seen<'a> {
    /// Which table: another number than any other one's that is there at the same time.
    pub table: usize,
    /// Registrations, as their modules call themselves, and how far each is.
    pub registrations: Vec<(&'a RegistrationInstance, &'static str)>,
    /// Bindings, by the client and the provider; how far each is, and while it is detached, how far each side.
    pub bindings: Vec<(
        [&'a RegistrationInstance; 2],
        &'static str,
        [&'static str; 2],
    )>,
    shown: &'a Table,
}

/// What real modules lend, as another lender's.
pub trait Translation<L: Lent> {
    /// A registration: its name, and its module as long as the registrar has it. `slot` is the same for one
    /// registration as long as it is there.
    fn registration(
        &mut self,
        slot: u32,
        module: Option<&Characteristics>,
    ) -> (L::Name, Option<Characteristics<L>>);
    /// A binding context.
    fn context(&mut self, context: &BindingContext) -> L::Context;
    /// A thread that is inside a callback.
    fn thread(&mut self, thread: ThreadId) -> L::Thread;
}

impl Seen<'_> {
    /// The table as it would be if somebody else had lent what is in it, but for the limits: its hash is that of a
    /// table to which the same has happened without threads.
    pub fn translated<L: Lent>(&self, translation: &mut impl Translation<L>) -> Table<L> {
        let table = self.shown;
        let registrations = table.registrations.map(|key, it| {
            let (name, characteristics) =
                translation.registration(key.slot(), it.characteristics.as_ref());
            it.lent(name, characteristics)
        });
        let bindings = table.bindings.map(|_, it| it.translated(translation));
        Table {
            npis: table.npis.clone(),
            registrations,
            bindings,
            reserve: Reserve::unlimited(),
            wake: table.wake,
            dropped: None,
            hash_slots: table.hash_slots,
            forgets_orders: table.forgets_orders,
        }
    }
}

static OBSERVER: OnceLock<fn(&Seen<'_>)> = OnceLock::new();

/// Shows every table of this process to `observer` from now on; the first one stays. It must not call the
/// registrar.
pub fn observe(observer: fn(&Seen<'_>)) {
    OBSERVER.get_or_init(|| observer);
}

impl Table {
    pub(crate) fn show(&self) {
        if let Some(observer) = OBSERVER.get() {
            observer(&self.seen());
        }
    }

    fn seen(&self) -> Seen<'_> {
        let registrations = self.registrations.iter().filter_map(|(_, it)| {
            let own = it.characteristics.as_ref()?;
            Some((&*own.instance, it.stage()))
        });
        let bindings = self.bindings.iter().filter_map(|(_, it)| {
            let owners = self.registrations_of(it);
            let [client, provider] = owners.map(|owner| owner.characteristics.as_ref());
            let (phase, sides) = it.stage();
            Some(([&*client?.instance, &*provider?.instance], phase, sides))
        });
        Seen {
            table: std::ptr::from_ref(self).addr(),
            registrations: registrations.collect(),
            bindings: bindings.collect(),
            shown: self,
        }
    }
}

impl Registration {
    fn lent<L: Lent>(
        &self,
        name: L::Name,
        characteristics: Option<Characteristics<L>>,
    ) -> Registration<L> {
        Registration {
            name,
            side: self.side,
            characteristics,
            links: self.links,
            bindings: self.bindings,
            registering: self.registering,
            offers: self.offers,
            closing: self.closing,
            teardown: self.teardown,
            waiters: self.waiters,
            abandoned: self.abandoned,
        }
    }
}

impl Binding {
    fn translated<L: Lent>(&self, translation: &mut impl Translation<L>) -> Binding<L> {
        let running = self.running.map(|thread| translation.thread(thread));
        let ends = self.ends.each_ref().map(|end| End {
            registration: end.registration,
            links: end.links,
            context: end.context.as_ref().map(|it| translation.context(it)),
            module: None,
        });
        Binding {
            phase: self.phase,
            running,
            ends,
        }
    }
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
