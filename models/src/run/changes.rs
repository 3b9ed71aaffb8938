//! What changes in the registrar's tables, for executions that look at it: into the history of one that is repeated
//! to be shown, and for one that goes [along](super::along) another.
//!
//! The registrar shows a table at the end of each critical section, while it is locked: what is noted here
//! stands in the history where it happened. No search asks for it, and no state has it in it.

use std::collections::BTreeMap;

use nmr::Seen;
use nmr::machine::RegistrationView;

use super::Run;
use super::module::named;
use crate::event::{Change, Pair, RegId, Stage, Subject, What};
use crate::invisible::lock;

/// Which table, and as it was when it was last seen.
pub(super) type Tables = BTreeMap<usize, BTreeMap<Subject, Stage>>;

/// From now on the registrars of this process are seen by the executions that want to.
pub(super) fn observe() {
    nmr::observe(|seen| {
        let Some(run) = Run::current() else {
            return;
        };
        if run.watch.shows_changes() {
            run.saw(seen);
        }
        if let Some(follower) = run.watch.follower() {
            run.section_ends(follower, seen);
        }
    });
}

impl Run {
    fn saw(&self, seen: &Seen<'_>) {
        let now = stages(seen);
        let before = lock(&self.tables).insert(seen.table, now.clone());
        let before = before.unwrap_or_default();
        let new = now.keys().filter(|subject| !before.contains_key(subject));
        let mut subjects: Vec<Subject> = before.keys().chain(new).copied().collect();
        subjects.sort_unstable();
        let changes = subjects.into_iter().filter_map(|subject| {
            let (from, to) = (before.get(&subject).copied(), now.get(&subject).copied());
            (from != to).then_some(Change { subject, from, to })
        });
        let changes: Vec<Change> = changes.collect();
        self.section(seen, changes.len());
        let thread = self.number();
        for change in changes {
            self.recorder.note(Some(thread), What::Changed(change));
        }
    }
}

fn stages(seen: &Seen<'_>) -> BTreeMap<Subject, Stage> {
    let view = &seen.view;
    let reg = |one: &RegistrationView<'_>| scripted(&one.characteristics?.instance);
    let registrations = view.registrations.iter().filter_map(|one| {
        let (stage, sides) = (one.stage, [""; 2]);
        Some((Subject::Registration(reg(one)?), Stage { stage, sides }))
    });
    let owner = |slot: u32| {
        let mut all = view.registrations.iter();
        all.find(|one| one.slot == slot).and_then(reg)
    };
    let bindings = view.bindings.iter().filter_map(|one| {
        let [client, provider] = one.registrations.map(owner);
        let (client, provider) = (client?, provider?);
        let pair = Pair { client, provider };
        let (stage, sides) = (one.stage, one.sides);
        Some((Subject::Binding(pair), Stage { stage, sides }))
    });
    registrations.chain(bindings).collect()
}

/// The registration, if it is of a scenario's module: a scenario has other registrars, with strangers in them.
pub(super) fn scripted(instance: &nmr::RegistrationInstance) -> Option<RegId> {
    let reg = named(instance);
    (instance.module.0 == u128::from(reg.module) + 1).then_some(reg)
}
