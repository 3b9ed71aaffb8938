//! C4 hollow success: a client that answers success without having attached has declined.
//! C5 change of mind: a provider that attached to a client which then did not is detached and cleaned
//! up, alone.

use crate::event::{CallbackKind, Event, Quiet, Side};
use crate::message::message;
use crate::oracle::check::Check;
use crate::oracle::facts::{Facts, Outcome, beginning};
use crate::rule::Rule;

const HOLLOW: Rule = Rule::new(4);
const CHANGE_OF_MIND: Rule = Rule::new(5);

pub(super) fn check(facts: &Facts, event: &Event, check: &mut Check<'_>) {
    let Some((_, callback)) = beginning(event) else {
        return;
    };
    let Some(binding) = facts.bindings.get(&callback.pair) else {
        return;
    };
    if callback.kind == CallbackKind::Attach {
        return;
    }
    match binding.outcome() {
        Some(Outcome::Hollow) => check.expect(HOLLOW, false, || {
            message![{callback} " begins, but the client never attached: its success was hollow"]
        }),
        Some(Outcome::ChangedMind) => {
            check.expect(CHANGE_OF_MIND, callback.side == Side::Provider, || {
                message![{callback} " begins, but the client did not attach in the end"]
            });
            let end = binding.end(callback.side);
            let again = match callback.kind {
                CallbackKind::Detach => end.detach.has_begun(),
                _ => end.cleanup.has_begun(),
            };
            check.deny(CHANGE_OF_MIND, again, || {
                message![{callback} " begins a second time"]
            });
        }
        _ => {}
    }
}

pub(super) fn quiet(facts: &Facts, quiet: &Quiet, check: &mut Check<'_>) {
    if let Some((pair, side)) = quiet.leaked {
        check.expect(CHANGE_OF_MIND, false, || {
            message![
                "the " {side} "'s binding context of " {pair} " was never freed: of a binding to which it \
                did not attach in the end it is told nothing more (the module's fault, not the \
                registrar's)"
            ]
        });
    }
    for (pair, binding) in facts.pairs() {
        match binding.outcome() {
            Some(Outcome::Hollow) => check.saw(HOLLOW),
            Some(Outcome::ChangedMind) => {
                let end = binding.end(Side::Provider);
                check.expect(CHANGE_OF_MIND, end.detach.has_begun(), || {
                    message![
                        "the provider of " {pair} " attached, its client did not in the end, and the \
                        provider was never asked to detach"
                    ]
                });
                let forgotten = end.is_complete() && !end.cleanup.has_begun();
                check.deny(CHANGE_OF_MIND, forgotten, || {
                    message![
                        "the provider of " {pair} ", whose client did not attach in the end, is detached \
                        but was never asked to clean up"
                    ]
                });
            }
            _ => {}
        }
    }
}
