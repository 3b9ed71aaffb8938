//! C9 cleanup last: after both sides are detached each side's cleanup callback runs exactly once, and
//! nobody uses that side's binding context any more.
//!
//! A pending side counts as detached from the beginning of its detach-complete call: cleanup may run
//! inside it. Second detaches and offers after cleanup are C7 and C2.

use crate::event::{CallbackKind, Event, Side, What};
use crate::message::{Message, message};
use crate::oracle::check::Check;
use crate::oracle::facts::{Binding, Facts, Outcome, Progress, beginning_of};
use crate::oracle::stuck::was_pending;
use crate::rule::Rule;

const RULE: Rule = Rule::new(9);
const CHANGE_OF_MIND: Rule = Rule::new(5);
const DETACH_ONCE: Rule = Rule::new(7);

pub(super) fn check(facts: &Facts, event: &Event, check: &mut Check<'_>) {
    if let What::DispatchBegin { pair, by } = event.what {
        let owner = by.peer();
        let binding = facts.bindings.get(&pair);
        let cleaned_up = binding.is_some_and(|binding| binding.end(owner).cleanup.has_begun());
        check.deny(RULE, cleaned_up || facts.gone.contains(pair), || {
            message![
                "the " {by} " of " {pair} " calls the " {owner} ", whose binding context is cleaned up"
            ]
        });
    }
    let Some((_, callback)) = beginning_of(event, CallbackKind::Cleanup) else {
        return;
    };
    let (pair, side) = (callback.pair, callback.side);
    let none = Binding::default();
    let binding = facts.bindings.get(&pair).unwrap_or(&none);
    if matches!(binding.outcome(), Some(Outcome::Hollow | Outcome::Panicked)) {
        return;
    }
    // That a side is not asked to detach at all comes first.
    let unasked = binding.due().find(|(_, end)| !end.detach.has_begun());
    let rule = match binding.outcome() {
        Some(Outcome::ChangedMind) => CHANGE_OF_MIND,
        _ => DETACH_ONCE,
    };
    check.deny(rule, unasked.is_some(), || {
        let unasked = unasked.map_or(side, |(side, _)| side);
        message![
            "the " {side} " of " {pair} " is asked to clean up, but its " {unasked}
            " was not asked to detach"
        ]
    });
    let early = match facts.gone.contains(pair) {
        true => Some("its binding is over".into()),
        false => early(binding),
    };
    check.expect(RULE, early.is_none(), || {
        let reason = early.unwrap_or_default();
        message!["the " {side} " of " {pair} " is asked to clean up, but " {reason}]
    });
    check.deny(
        RULE,
        binding.end(side).cleanup.has_begun(),
        || message!["the " {side} " of " {pair} " is asked to clean up a second time"],
    );
    check.deny(RULE, binding.end(side).dispatches > 0, || {
        let peer = side.peer();
        message![
            "the " {side} " of " {pair} " is asked to clean up while a call of its " {peer}
            " uses its context"
        ]
    });
}

/// Why it is too early for cleanup.
fn early(binding: &Binding) -> Option<Message> {
    match binding.outcome() {
        None => Some("it is not attached yet".into()),
        Some(Outcome::Declined) => Some("the client had declined".into()),
        Some(_) => {
            let (side, end) = binding.due().find(|(_, end)| !end.may_be_complete())?;
            Some(match end.detach {
                Progress::NotBegun => message!["its " {side} " was not asked to detach yet"],
                Progress::Running => message!["its " {side} "'s detach callback is running"],
                Progress::Ended(_) => message![
                    "its " {side} "'s detach is pending and not completed"
                ],
            })
        }
    }
}

pub(super) fn quiet(facts: &Facts, check: &mut Check<'_>) {
    for (pair, binding) in facts.pairs() {
        let attached = matches!(binding.outcome(), Some(Outcome::Attached { .. }));
        if !attached || was_pending(binding) || !binding.due().all(|(_, end)| end.is_complete()) {
            continue;
        }
        for side in Side::BOTH {
            check.expect(RULE, binding.end(side).cleanup.has_begun(), || {
                message![
                    "both sides of " {pair} " are detached, but its " {side} " was never asked to clean up"
                ]
            });
        }
    }
}
