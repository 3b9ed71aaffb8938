//! What changes in the registrar's tables, for executions that look at it: into the history of one that is repeated
//! to be shown, and for one that goes [along](super::along) another.
//!
//! The registrar shows a table at the end of each critical section, while it is locked: what is noted here
//! stands in the history where it happened. No search asks for it, and no state has it in it.

use std::collections::BTreeMap;

use nmr::Seen;

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
        let thread = self.number();
        for subject in subjects {
            let (from, to) = (before.get(&subject).copied(), now.get(&subject).copied());
            if from != to {
                let change = Change { subject, from, to };
                self.recorder.note(Some(thread), What::Changed(change));
            }
        }
    }
}

fn stages(seen: &Seen<'_>) -> BTreeMap<Subject, Stage> {
    let registrations = seen.registrations.iter().filter_map(|&(instance, stage)| {
        let reg = scripted(instance)?;
        let sides = [""; 2];
        Some((Subject::Registration(reg), Stage { stage, sides }))
    });
    let bindings = seen.bindings.iter().filter_map(|&(owners, stage, sides)| {
        let [client, provider] = owners.map(scripted);
        let (client, provider) = (client?, provider?);
        let pair = Pair { client, provider };
        Some((Subject::Binding(pair), Stage { stage, sides }))
    });
    registrations.chain(bindings).collect()
}

/// The registration, if it is of a scenario's module: a scenario has other registrars, with strangers in them.
fn scripted(instance: &nmr::RegistrationInstance) -> Option<RegId> {
    let reg = named(instance);
    (instance.module.0 == u128::from(reg.module) + 1).then_some(reg)
}
