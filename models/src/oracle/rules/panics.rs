//! C18 panics: a callback's panic goes on to the caller of the call that made it, and counts as
//! declining, as complete, or as done.
//!
//! That a panicking detach or cleanup counts is what the rules on detaching assume.

use crate::event::{Answer, CallbackKind, Event};
use crate::message::message;
use crate::oracle::check::Check;
use crate::oracle::facts::{Facts, Outcome, beginning};
use crate::rule::Rule;

const RULE: Rule = Rule::new(18);

pub(super) fn check(facts: &Facts, event: &Event, check: &mut Check<'_>) {
    if let Some((_, open, answer)) = facts.returning(event) {
        if open.panicked {
            check.expect(RULE, answer == Answer::Panicked, || {
                message!["`" {open.call} "` answers " {answer} ": expected the panic of its callback"]
            });
        } else {
            check.deny(
                RULE,
                answer == Answer::Panicked,
                || message!["`" {open.call} "` panics, but no callback that it made did"],
            );
        }
    }
    if let Some((_, callback)) = beginning(event)
        && callback.kind != CallbackKind::Attach
        && let Some(binding) = facts.bindings.get(&callback.pair)
        && binding.outcome() == Some(Outcome::Panicked)
    {
        check.expect(
            RULE,
            false,
            || message![{callback} " begins, but the client's panic counts as declining"],
        );
    }
}
