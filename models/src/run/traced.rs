//! An execution that is repeated to be shown: its events, and what the registrar's tables held at the end of each critical
//! section. No search asks for it, and no state has it in it.

use nmr::Seen;
use nmr::machine::{BindingView, RegistrationView};
use nmr_explorer::Reached;

use super::Run;
use super::changes::scripted;
use crate::event::{Event, RegId};
use crate::interpreter::npi_id;
use crate::invisible::lock;
use crate::render::name;
use crate::trace::{Binding, Interface, Left, Registration};

/// See the [module's documentation](self).
#[derive(Clone, Debug, Default)]
pub(crate) struct Traced {
    pub(crate) history: Vec<Event>,
    /// One for each event that is no change in a table, and one for each critical section.
    pub(crate) moments: Vec<Moment>,
    /// Whether the last event is what broke something.
    pub(crate) by_event: bool,
}

/// Something that happened, and how far the execution was.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    pub(crate) scheduled: usize,
    pub(crate) preemptions: u32,
    /// Of a critical section, its thread and what its table held.
    pub(crate) section: Option<(u8, Held)>,
}

impl Moment {
    fn new(section: Option<(u8, Held)>) -> Self {
        let reached = nmr_explorer::reached();
        let Reached {
            steps, preemptions, ..
        } = reached.unwrap_or_default();
        Self {
            scheduled: steps,
            preemptions,
            section,
        }
    }
}

/// What a table held.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) table: usize,
    /// Which section of the execution has seen it.
    pub(crate) nth: usize,
    /// How many changes were noted.
    pub(crate) changes: usize,
    pub(crate) registrations: Vec<Registration>,
    pub(crate) bindings: Vec<Binding>,
    pub(crate) interfaces: Vec<Interface>,
    pub(crate) left: Left,
}

/// Whose each slot of a table is: a registration whose module is taken out has no name of its own any more.
pub(super) type Slots = std::collections::BTreeMap<(usize, u32), RegId>;

impl Run {
    /// Something is about to be recorded.
    pub(super) fn moment(&self) {
        if self.watch.shows_changes() {
            lock(&self.moments).push(Moment::new(None));
        }
    }

    /// A critical section ends, with so many changes. One of another registrar, which has strangers in it, is of no
    /// interest.
    pub(super) fn section(&self, seen: &Seen<'_>, changes: usize) {
        let registrations = &seen.view.registrations;
        let mut instances = registrations
            .iter()
            .filter_map(|one| one.characteristics.map(|it| &it.instance));
        if instances.any(|instance| scripted(instance).is_none()) {
            return;
        }
        let held = self.held(seen, changes);
        lock(&self.moments).push(Moment::new(Some((self.number(), held))));
    }

    fn held(&self, seen: &Seen<'_>, changes: usize) -> Held {
        let scenario = &self.prepared.scenario;
        let mut slots = lock(&self.slots);
        for one in &seen.view.registrations {
            if let Some(reg) = one.characteristics.and_then(|it| scripted(&it.instance)) {
                slots.insert((seen.table, one.slot), reg);
            }
        }
        let names = Names {
            of: &|slot| {
                let reg = slots.get(&(seen.table, slot));
                reg.map_or_else(|| "?".to_owned(), |&reg| name(scenario, reg))
            },
            bindings: &seen.view.bindings,
        };
        let thread = |id| {
            let threads = lock(&self.threads);
            let found = threads.iter().find(|(other, _)| *other == id);
            found.map(|&(_, number)| number)
        };
        let number = |npi| {
            let mut modules = scenario.modules.iter();
            let module = modules.find(|module| npi_id(module.npi) == npi);
            module.map_or(0, |module| module.npi)
        };
        let all = |slots: &[u32]| slots.iter().map(|&slot| (names.of)(slot)).collect();
        let interfaces = seen.view.interfaces.iter().map(|one| Interface {
            number: number(one.npi),
            clients: all(&one.open[0]),
            providers: all(&one.open[1]),
        });
        Held {
            table: seen.table,
            nth: lock(&self.moments).len(),
            changes,
            registrations: seen
                .view
                .registrations
                .iter()
                .map(|one| names.registration(one))
                .collect(),
            bindings: seen
                .view
                .bindings
                .iter()
                .map(|one| names.binding(one, one.running.and_then(|&id| thread(id))))
                .collect(),
            interfaces: interfaces.collect(),
            left: Left {
                registrations: seen.view.left.registrations,
                bindings: seen.view.left.bindings,
            },
        }
    }

    /// The execution is over, as far as it is shown.
    pub(super) fn traced(&self, history: Vec<Event>, by_event: bool) {
        if self.watch.shows_changes() {
            self.watch.keep_trace(Traced {
                history,
                moments: std::mem::take(&mut lock(&self.moments)),
                by_event,
            });
        }
    }
}

/// Names for slots of a table.
struct Names<'a> {
    of: &'a dyn Fn(u32) -> String,
    bindings: &'a [BindingView<'a>],
}

impl Names<'_> {
    fn pair(&self, owners: [u32; 2]) -> String {
        let [client, provider] = owners.map(self.of);
        format!("{client}–{provider}")
    }

    fn binding_at(&self, slot: u32) -> String {
        let mut all = self.bindings.iter();
        let found = all.find(|one| one.slot == slot);
        found.map_or_else(|| "?".to_owned(), |one| self.pair(one.registrations))
    }

    fn registration(&self, one: &RegistrationView<'_>) -> Registration {
        let binding = |slot| self.binding_at(slot);
        Registration {
            name: (self.of)(one.slot),
            side: one.side.to_string(),
            stage: one.stage.to_owned(),
            bindings: one.bindings.iter().map(|&slot| binding(slot)).collect(),
            offers: one.offers.map(binding),
            teardown: one.teardown.map(binding),
            waiters: one.waiters,
            abandoned: one.abandoned,
            has_module: one.characteristics.is_some(),
        }
    }

    fn binding(&self, one: &BindingView<'_>, running: Option<u8>) -> Binding {
        let [client, provider] = one.registrations.map(self.of);
        Binding {
            name: self.pair(one.registrations),
            client,
            provider,
            stage: one.stage.to_owned(),
            sides: one.sides.map(str::to_owned),
            running,
            contexts: one.contexts,
        }
    }
}
