//! C7 detach once: when either side of an attached binding deregisters, each side's detach callback
//! begins exactly once.
//!
//! Not here: bindings that came to nothing in a way that has its own rule (C4, C5, C18), and late
//! comers that were forgotten (C6).

use crate::event::{CallbackKind, Event};
use crate::message::message;
use crate::oracle::check::Check;
use crate::oracle::facts::{Facts, Outcome, Progress, beginning_of};
use crate::rule::Rule;

const RULE: Rule = Rule::new(7);

pub(super) fn check(facts: &Facts, event: &Event, check: &mut Check<'_>) {
    let Some((_, callback)) = beginning_of(event, CallbackKind::Detach) else {
        return;
    };
    let (pair, side) = (callback.pair, callback.side);
    let binding = facts.bindings.get(&pair);
    let attach = binding.map_or(Progress::NotBegun, |binding| binding.attach);
    match (attach, binding) {
        (Progress::Ended(Outcome::Attached { .. }), Some(binding)) => {
            check.expect(RULE, !binding.end(side).detach.has_begun(), || {
                message!["the " {side} " of " {pair} " is asked to detach a second time"]
            });
            check.deny(RULE, !facts.is_either_closing(pair), || {
                message![
                    "the " {side} " of " {pair} " is asked to detach, but neither side deregistered"
                ]
            });
        }
        (Progress::Ended(Outcome::Declined), _) => check.expect(RULE, false, || {
            message!["the " {side} " of " {pair} " is asked to detach, but the client had declined"]
        }),
        (Progress::NotBegun | Progress::Running, _) => check.expect(RULE, false, || {
            let reason = match facts.gone.contains(pair) {
                true => "its binding is over",
                false => "it is not attached yet",
            };
            message!["the " {side} " of " {pair} " is asked to detach, but " {reason}]
        }),
        _ => {}
    }
}

pub(super) fn quiet(facts: &Facts, check: &mut Check<'_>) {
    for (pair, binding) in facts.pairs() {
        let attached = matches!(binding.outcome(), Some(Outcome::Attached { .. }));
        if !attached || !facts.is_either_closing(pair) {
            continue;
        }
        for (side, end) in binding.due() {
            check.expect(
                RULE,
                end.detach.has_begun(),
                || message!["the " {side} " of " {pair} " was never asked to detach"],
            );
        }
    }
}
