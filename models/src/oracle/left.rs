//! What the modules leave over at the end of an execution: no rule of the contract is broken by it, and it is seldom
//! meant. Where a check is strict, [its rules](super::rules) forbid it.
//!
//! Not here: what cannot be left over. A list of operations gives back the locks that it takes, and a call through a
//! dispatch table gives back its reference of the rundown when it returns; an execution that ends has done both.

use std::collections::BTreeMap;

use super::facts::{Detached, End, Facts, Issue, Progress, Registration};
use crate::event::Refusal;
use crate::permuted::ModuleNumber;

/// Something that is left over. Modules by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Leftover {
    /// A registration of a module's that nobody deregistered.
    Registration(u8),
    /// One that was deregistered, and that nobody waited for.
    Unwaited(u8),
    /// A detach of the first module from the second one that it answered pending, and did not complete.
    Detach(u8, u8),
    /// A call for a registration that the module does not have, or not any more.
    Refused(u8, Refusal),
}

/// How many of each are left; nothing is left none of.
pub(crate) type Left = BTreeMap<Leftover, usize>;

pub(super) fn at_the_end(facts: &Facts) -> Left {
    let registrations =
        facts
            .registrations
            .iter()
            .filter_map(|(reg, it)| match (stays(it), is_unwaited(it)) {
                (true, _) => Some(Leftover::Registration(reg.module)),
                (_, true) => Some(Leftover::Unwaited(reg.module)),
                _ => None,
            });
    let detaches = facts.pairs().flat_map(|(pair, binding)| {
        let open = binding.due().filter(|(_, end)| is_pending(end));
        open.map(move |(side, _)| {
            Leftover::Detach(pair.side(side).module, pair.side(side.peer()).module)
        })
    });
    let refused = facts.refused.iter().map(|(&refused, ())| refused);
    let refused = refused.map(|(ModuleNumber(module), refusal)| Leftover::Refused(module, refusal));
    let mut left = Left::new();
    for leftover in registrations.chain(detaches).chain(refused) {
        *left.entry(leftover).or_default() += 1;
    }
    left
}

/// Nobody has asked for its end.
pub(super) fn stays(registration: &Registration) -> bool {
    let asked = registration.deregistered || registration.released || registration.abandoned;
    registration.issue == Issue::Registered && !asked && !registration.over
}

/// Somebody has, and nobody has waited for it. What its owner dropped inside a callback goes when it can.
pub(super) fn is_unwaited(registration: &Registration) -> bool {
    registration.issue == Issue::Registered
        && registration.deregistered
        && !registration.over
        && !registration.abandoned
}

/// It answered pending, and has not completed.
pub(super) fn is_pending(end: &End) -> bool {
    end.detach == Progress::Ended(Detached::Pending) && !end.completed
}
