//! S1 deregistered, S2 waited for, S3 completed: what a module has of the registrar is gone when everything is quiet.
//! S4 of what is registered: no module deregisters or waits for what it has not registered, or not any more.
//!
//! They are the modules' own, and in force where a check is strict. Elsewhere the same is a note ([`left`]).
//!
//! [`left`]: crate::oracle::left

use crate::event::{Answer, Call, Event, Refusal, What};
use crate::message::message;
use crate::oracle::check::Check;
use crate::oracle::facts::{Facts, Issue};
use crate::oracle::left::{is_pending, is_unwaited, stays};
use crate::permuted::ModuleNumber;
use crate::rule::Rule;

const DEREGISTERED: Rule = Rule::strict(1);
const WAITED_FOR: Rule = Rule::strict(2);
const COMPLETED: Rule = Rule::strict(3);
const OF_WHAT_IS_REGISTERED: Rule = Rule::strict(4);

pub(super) fn check(facts: &Facts, event: &Event, check: &mut Check<'_>) {
    if !facts.known.terms.strict {
        return;
    }
    if let What::Refused { module, refusal } = event.what {
        check.deny(OF_WHAT_IS_REGISTERED, true, || {
            let does = match refusal {
                Refusal::Deregister => "deregisters",
                Refusal::Wait => "waits for",
            };
            message![
                {ModuleNumber(module)} " " {does} " what it has not registered, or not any more (the module's fault, \
                not the registrar's)"
            ]
        });
    }
    match facts.returning(event) {
        Some((_, open, Answer::Done)) if matches!(open.call, Call::DetachComplete { .. }) => {
            check.saw(COMPLETED);
        }
        Some((_, open, _)) if matches!(open.call, Call::Deregister(_) | Call::Wait(_)) => {
            check.saw(OF_WHAT_IS_REGISTERED);
        }
        _ => {}
    }
}

pub(super) fn quiet(facts: &Facts, check: &mut Check<'_>) {
    if !facts.known.terms.strict {
        return;
    }
    for (pair, binding) in facts.pairs() {
        for (side, end) in binding.due() {
            check.deny(COMPLETED, is_pending(end), || {
                message![
                    "everything is quiet, and the " {side} " of " {pair} " has not completed the detach that it answered \
                    pending (the module's fault, not the registrar's)"
                ]
            });
        }
    }
    let all = facts.registrations.iter();
    for (&reg, registration) in all.filter(|(_, it)| it.issue == Issue::Registered) {
        check.expect(DEREGISTERED, !stays(registration), || {
            message![
                "everything is quiet, and nobody has deregistered " {reg} " (the module's fault, not the registrar's)"
            ]
        });
        check.expect(WAITED_FOR, !is_unwaited(registration), || {
            message![
                "everything is quiet, and nobody has waited for the end of " {reg} ", which was deregistered (the \
                module's fault, not the registrar's)"
            ]
        });
    }
}
