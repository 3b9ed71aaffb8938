//! C12 handle validity: a handle that names nothing (any more) is answered invalid parameter, with no
//! effect; one that names something is not.
//!
//! Not here: a second deregister call (C13), a wait before deregistering (C14). The nil NPIID is
//! judged here too, for it is answered alike.

use crate::event::{Answer, Call, Event};
use crate::message::message;
use crate::oracle::check::Check;
use crate::oracle::facts::{Facts, OpenCall, Standing, beginning};
use crate::rule::Rule;

const RULE: Rule = Rule::new(12);

pub(super) fn check(facts: &Facts, event: &Event, check: &mut Check<'_>) {
    if let Some((thread, callback)) = beginning(event)
        && let Some(open) = facts.innermost_call(thread)
    {
        check.deny(RULE, must_be_invalid(open), || {
            message![
                "`" {open.call} "` makes " {callback} ": expected no effect of a handle that names nothing"
            ]
        });
    }
    let Some((_, open, answer)) = facts.returning(event) else {
        return;
    };
    if must_be_invalid(open) {
        check.expect(RULE, answer == Answer::InvalidParameter, || {
            message![
                "`" {open.call} "` answers " {answer} ": expected invalid parameter, it names nothing"
            ]
        });
    } else if answer == Answer::InvalidParameter {
        let valid = is_certainly_valid(facts, open);
        check.expect(
            RULE,
            !valid,
            || message!["`" {open.call} "` answers invalid parameter, but what it names is there"],
        );
        check.deny(RULE, open.called_back, || {
            message!["`" {open.call} "` answers invalid parameter, but a callback was made inside"]
        });
    }
}

fn must_be_invalid(open: &OpenCall) -> bool {
    match open.call {
        Call::Register { npi, .. } => npi == 0,
        // A drop answers nothing: what it named may have been waited for by others.
        Call::Release(_) => false,
        _ => open.standing == Standing::Dead,
    }
}

/// Whether no order of what overlaps makes the handle invalid by now.
fn is_certainly_valid(facts: &Facts, open: &OpenCall) -> bool {
    match open.call {
        Call::Register { .. } => true,
        // Nobody else has ever called deregister; otherwise see C13.
        Call::Deregister(Some(reg)) => facts
            .registrations
            .get(&reg)
            .is_some_and(|reg| !reg.contested && !reg.deregistered && reg.deregisters_open == 1),
        Call::AttachProvider(Some(pair))
        | Call::DetachComplete {
            pair: Some(pair), ..
        } => {
            open.standing == Standing::Live
                && facts
                    .bindings
                    .get(&pair)
                    .is_some_and(|binding| !binding.may_be_gone())
        }
        _ => false,
    }
}
