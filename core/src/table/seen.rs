//! A table as it is at the end of each critical section, for whoever shows an execution to people or compares it with one
//! without threads: one observer, in the build that has an explorer. It is no part of any state.

use std::sync::OnceLock;

use nmr_sync::thread::ThreadId;

use super::view::View;
use super::{Binding, Characteristics, End, Registration, Reserve, Table};
use crate::lent::Lent;
use crate::module::BindingContext;

/// A table at the end of a critical section.
#[expect(
    missing_debug_implementations,
    reason = "it has the table itself, which is the registrar's own"
)]
#[non_exhaustive]
pub struct Seen<'a> {
    /// Which table: another number than any other one's that is there at the same time.
    pub table: usize,
    /// What it holds.
    pub view: View<'a>,
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
        Seen {
            table: std::ptr::from_ref(self).addr(),
            view: self.view(),
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
            owned: self.owned,
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
