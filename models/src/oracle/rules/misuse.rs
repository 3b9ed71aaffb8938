//! A call that a module counts on, and that is refused: the module's own fault, named by the rule that it
//! would have to keep. What the registrar should have answered is judged elsewhere.

use crate::event::{Answer, Call, Event, What};
use crate::message::message;
use crate::oracle::check::Check;
use crate::rule::Rule;

pub(super) fn check(event: &Event, check: &mut Check<'_>) {
    let What::Misused { call, answer } = event.what else {
        return;
    };
    check.expect(rule(call, answer), false, || {
        message![
            "`" {call} "` answers " {answer} ", and the module counts on it (the module's fault, not the \
            registrar's)"
        ]
    });
}

fn rule(call: Call, answer: Answer) -> Rule {
    Rule::new(match (call, answer) {
        (_, Answer::WouldDeadlock) => 15,
        (Call::DetachComplete { .. }, Answer::InvalidState) => 8,
        (Call::AttachProvider(_), Answer::InvalidState) => 3,
        _ => 12,
    })
}
