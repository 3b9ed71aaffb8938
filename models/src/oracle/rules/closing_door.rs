//! C6 closing door: once a deregistration of either side has begun, no attach callback of the pair
//! begins; one that runs already may finish, and is then detached (a late comer).
//!
//! A thread that has been inside a call without any event since the deregistration began may have
//! chosen its next callback before; that is accepted.

use crate::event::{Answer, Call, CallbackKind, Event, Side, What};
use crate::message::message;
use crate::oracle::check::Check;
use crate::oracle::facts::{Facts, Outcome, beginning_of};
use crate::permuted::ThreadNumber;
use crate::rule::Rule;

const RULE: Rule = Rule::new(6);

/// A late comer of which a side has yet to be asked to detach.
const LATE: Option<Outcome> = Some(Outcome::Attached { late: true });

pub(super) fn check(facts: &Facts, event: &Event, check: &mut Check<'_>) {
    if let Some((thread, callback)) = beginning_of(event, CallbackKind::Attach) {
        let pair = callback.pair;
        for side in Side::BOTH {
            let Some(registration) = facts.registrations.get(&pair.side(side)) else {
                continue;
            };
            if !registration.closing {
                continue;
            }
            let shut = registration.begun && !registration.unaware.contains(ThreadNumber(thread));
            check.expect(RULE, !shut, || {
                message![
                    {callback} " begins, but the deregistration of " {pair.side(side)}
                    " had begun before thread " {ThreadNumber(thread)} " could choose it"
                ]
            });
        }
    }
    if let Some((_, callback)) = beginning_of(event, CallbackKind::Detach)
        && let Some(binding) = facts.bindings.get(&callback.pair)
        && binding.outcome() == LATE
    {
        check.saw(RULE);
    }
    let attaches = beginning_of(event, CallbackKind::Attach).is_some();
    if (attaches || matches!(event.what, What::Return(_)))
        && let Some(thread) = event.thread
        && let Some(pair) = facts.innermost_call(thread).and_then(|open| open.late)
    {
        check.deny(RULE, facts.is_forgotten(pair), || {
            message![
                {pair} " attached while one of its sides was deregistering, and thread " {ThreadNumber(thread)}
                ", inside whose call it did, goes on without having asked it to detach"
            ]
        });
    }
    if let Some((_, open, Answer::NoInterface)) = facts.returning(event)
        && let Call::AttachProvider(Some(pair)) = open.call
    {
        check.expect(RULE, facts.is_either_closing(pair), || {
            message![
                "`" {open.call} "` answers no-interface, but nobody had called deregister for either side"
            ]
        });
    }
}

pub(super) fn quiet(facts: &Facts, check: &mut Check<'_>) {
    for (pair, binding) in facts.pairs() {
        let forgotten = binding.due().find(|(_, end)| !end.detach.has_begun());
        if let Some((side, _)) = forgotten
            && binding.outcome() == LATE
        {
            check.expect(RULE, false, || {
                message![
                    {pair} " attached while one of its sides was deregistering, and its " {side}
                    " was never asked to detach"
                ]
            });
        }
    }
}
