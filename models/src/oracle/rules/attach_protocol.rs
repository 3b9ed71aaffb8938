//! C3 attach protocol: the provider's attach callback runs only inside the one valid
//! `client_attach_provider` call, whose answer is the provider's.
//!
//! Not here: when that call may or must answer no-interface (C6), invalid parameter (C12) or panic
//! (C18).

use crate::event::{Answer, Call, CallbackKind, Event, Reply, Side};
use crate::message::message;
use crate::oracle::check::Check;
use crate::oracle::facts::{Binding, Facts, OpenCall, Progress, Standing, beginning_of};
use crate::rule::Rule;

const RULE: Rule = Rule::new(3);

pub(super) fn check(facts: &Facts, event: &Event, check: &mut Check<'_>) {
    if let Some((thread, callback)) = beginning_of(event, CallbackKind::Attach)
        && callback.side == Side::Provider
    {
        let pair = callback.pair;
        let open = facts.innermost_call(thread);
        let valid =
            open.is_some_and(|open| open.valid && open.call == Call::AttachProvider(Some(pair)));
        check.expect(RULE, valid, || {
            message![
                "the provider's attach callback for " {pair} " begins outside the one \
                client_attach_provider call that its client may make while it is offered"
            ]
        });
        let again = facts
            .bindings
            .get(&pair)
            .is_some_and(|binding| binding.provider.has_begun());
        check.deny(
            RULE,
            again,
            || message!["the provider's attach callback for " {pair} " begins a second time"],
        );
    }
    if let Some((_, open, answer)) = facts.returning(event)
        && let Call::AttachProvider(Some(pair)) = open.call
        && let Some(binding) = facts.bindings.get(&pair)
        && open.standing == Standing::Live
    {
        answered(binding, open, answer, check);
    }
}

fn answered(binding: &Binding, open: &OpenCall, answer: Answer, check: &mut Check<'_>) {
    if matches!(answer, Answer::Panicked | Answer::InvalidParameter) {
        return;
    }
    let expected = match binding.provider {
        _ if !open.valid => Answer::InvalidState,
        Progress::Ended(Reply::Success) => Answer::Attached,
        Progress::Ended(Reply::Failure) => Answer::Refused,
        Progress::Ended(_) => return,
        Progress::NotBegun | Progress::Running => Answer::NoInterface,
    };
    check.expect(RULE, answer == expected, || {
        let why = match expected {
            Answer::InvalidState => ", it is not the one call inside the client's attach callback",
            Answer::NoInterface => " if the provider is not called",
            _ => ", as the provider's callback replied",
        };
        message!["`" {open.call} "` answers " {answer} ": expected " {expected} {why}]
    });
}
