//! What a function answers at all, by the contract's table of functions: anything else breaks the rule that
//! says what the function is for.
//!
//! Not here: which of its answers is right, and when.

use crate::event::{Answer, Call, Event};
use crate::message::message;
use crate::oracle::check::Check;
use crate::oracle::facts::Facts;
use crate::rule::Rule;

pub(super) fn check(facts: &Facts, event: &Event, check: &mut Check<'_>) {
    let Some((_, open, answer)) = facts.returning(event) else {
        return;
    };
    let (rule, answers): (u8, &[Answer]) = match open.call {
        Call::Register { .. } => (17, &[Answer::Registered, Answer::InsufficientResources]),
        Call::Deregister(_) => (13, &[Answer::Pending]),
        Call::Wait(_) | Call::Release(_) => (14, &[Answer::Done, Answer::WouldDeadlock]),
        Call::AttachProvider(_) => (3, &ATTACH),
        Call::DetachComplete { .. } => (8, &[Answer::Done, Answer::InvalidState]),
    };
    let is_any = matches!(answer, Answer::InvalidParameter | Answer::Panicked);
    check.deny(
        Rule::new(rule),
        !is_any && !answers.contains(&answer),
        || message!["`" {open.call} "` answers " {answer} ", which is none of its answers"],
    );
}

const ATTACH: [Answer; 4] = [
    Answer::Attached,
    Answer::Refused,
    Answer::NoInterface,
    Answer::InvalidState,
];
