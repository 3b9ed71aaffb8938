//! C17 all or nothing: a register call that answers insufficient resources has called nobody, issued
//! nothing and changed nothing. Whoever is refused for another reason gets its module back, too (C11).

use crate::event::{Answer, Call, Event, Quiet, Side};
use crate::message::message;
use crate::oracle::check::Check;
use crate::oracle::facts::{Facts, Issue, beginning};
use crate::oracle::rules::quiescence;
use crate::rule::Rule;

const RULE: Rule = Rule::new(17);
const LIFETIME: Rule = Rule::new(11);

pub(super) fn check(facts: &Facts, event: &Event, check: &mut Check<'_>) {
    if let Some((_, open, Answer::InsufficientResources)) = facts.returning(event)
        && let Call::Register { reg, .. } = open.call
    {
        let called = facts.registrations.get(&reg).is_some_and(|reg| reg.called);
        check.expect(RULE, !called, || {
            message!["registering " {reg} " answers insufficient resources, but it made a callback"]
        });
    }
    if let Some((_, open, answer)) = facts.returning(event)
        && let Call::Register { reg, .. } = open.call
        && !matches!(answer, Answer::Registered | Answer::Panicked)
    {
        let kept = facts
            .registrations
            .get(&reg)
            .is_some_and(|reg| !reg.module_dropped);
        let rule = match answer {
            Answer::InsufficientResources => RULE,
            _ => LIFETIME,
        };
        check.deny(rule, kept, || {
            message!["registering " {reg} " is refused, but the registrar still holds its module"]
        });
    }
    if let Some((_, callback)) = beginning(event) {
        for side in Side::BOTH {
            let reg = callback.pair.side(side);
            let registration = facts.registrations.get(&reg);
            check.deny(
                RULE,
                registration.is_some_and(|reg| reg.issue == Issue::Refused),
                || message![{callback} " begins, but the registration of " {reg} " was refused"],
            );
        }
    }
}

pub(super) fn quiet(facts: &Facts, quiet: &Quiet, check: &mut Check<'_>) {
    let refused = facts
        .registrations
        .values()
        .any(|reg| reg.issue == Issue::Refused);
    if refused && quiescence::all_gone(facts, quiet) {
        let nothing = quiet.registrations == 0 && quiet.bindings == 0;
        check.expect(RULE, nothing, || {
            message![
                "a register call was refused, and " {quiescence::left(quiet)} " is left when all \
                registrations are gone"
            ]
        });
    }
}
