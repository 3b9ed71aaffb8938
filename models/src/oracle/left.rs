//! What the modules leave over at the end of an execution: no rule of the registrar's is broken by it, and it
//! is seldom meant.

use std::collections::BTreeMap;

use super::facts::{Detached, Facts, Issue, Progress, Registration};

/// Something that is left over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Leftover {
    /// A registration of a module's that nobody deregistered.
    Registration(u8),
    /// A detach of the first module from the second one that it answered pending, and did not complete.
    Detach(u8, u8),
}

/// How many of each are left; nothing is left none of.
pub(crate) type Left = BTreeMap<Leftover, usize>;

pub(super) fn at_the_end(facts: &Facts) -> Left {
    let registrations = facts.registrations.iter().filter(|(_, it)| stays(it));
    let registrations = registrations.map(|(reg, _)| Leftover::Registration(reg.module));
    let pending = Progress::Ended(Detached::Pending);
    let detaches = facts.pairs().flat_map(|(pair, binding)| {
        let open = binding.due();
        let open = open.filter(|(_, end)| end.detach == pending && !end.completed);
        open.map(move |(side, _)| {
            Leftover::Detach(pair.side(side).module, pair.side(side.peer()).module)
        })
    });
    let mut left = Left::new();
    for leftover in registrations.chain(detaches) {
        *left.entry(leftover).or_default() += 1;
    }
    left
}

/// Nobody has asked for its end.
fn stays(registration: &Registration) -> bool {
    let asked = registration.deregistered || registration.released || registration.abandoned;
    registration.issue == Issue::Registered && !asked && !registration.over
}
