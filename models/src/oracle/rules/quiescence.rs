//! C19 quiescence: when all registrations are gone, nothing is left.

use crate::event::{Quiet, Side};
use crate::message::{Message, message};
use crate::oracle::check::Check;
use crate::oracle::facts::{Facts, Issue};
use crate::rule::Rule;

const RULE: Rule = Rule::new(19);

pub(super) fn quiet(facts: &Facts, quiet: &Quiet, check: &mut Check<'_>) {
    if !all_gone(facts, quiet) {
        return;
    }
    check.expect(
        RULE,
        quiet.registrations == 0 && quiet.bindings == 0,
        || message!["all registrations are gone, but " {left(quiet)} " is left"],
    );
    let kept = kept(facts);
    check.deny(RULE, kept.is_some(), || {
        let kept = kept.unwrap_or_default();
        message!["all registrations are gone, but the registrar still holds " {kept}]
    });
    check.deny(RULE, quiet.instances > 0, || {
        let count = quiet.instances;
        message![
            "all registrations are gone, but the registrar still holds " {count} " registration instance(s)"
        ]
    });
}

/// Whether there were registrations, and all of them are gone.
pub(super) fn all_gone(facts: &Facts, quiet: &Quiet) -> bool {
    let gone = facts.registrations.values().all(|reg| match reg.issue {
        Issue::Calling => false,
        Issue::Registered => reg.over || reg.abandoned,
        Issue::Refused | Issue::Withdrawn => true,
    });
    quiet.drained && gone && !facts.registrations.is_empty()
}

/// What the registrar says is left.
pub(super) fn left(quiet: &Quiet) -> Message {
    message![{quiet.registrations} " registration(s) and " {quiet.bindings} " binding(s)"]
}

fn kept(facts: &Facts) -> Option<Message> {
    let module = facts
        .registrations
        .iter()
        .find(|(_, reg)| !reg.module_dropped);
    if let Some((reg, _)) = module {
        return Some(message!["the module of " {*reg}]);
    }
    facts.pairs().find_map(|(pair, binding)| {
        let mut sides = Side::BOTH.into_iter();
        let side = sides.find(|&side| binding.is_holding(side))?;
        Some(message!["the " {side} "'s binding context of " {pair}])
    })
}
