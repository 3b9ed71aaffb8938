//! C13 deregister once: of all deregister calls for a handle one is accepted, and answers pending,
//! always; the others answer invalid parameter.
//! C14 wait after deregister: a wait before any deregister call answers invalid parameter, one after
//! it does not.

use crate::event::{Answer, Call, Event, RegId};
use crate::message::message;
use crate::oracle::check::Check;
use crate::oracle::facts::{Facts, OpenCall, Registration, Standing};
use crate::rule::Rule;

const DEREGISTER_ONCE: Rule = Rule::new(13);
const WAIT_AFTER: Rule = Rule::new(14);

pub(super) fn check(facts: &Facts, event: &Event, check: &mut Check<'_>) {
    let Some((thread, open, answer)) = facts.returning(event) else {
        return;
    };
    let (Call::Deregister(Some(reg)) | Call::Wait(Some(reg))) = open.call else {
        return;
    };
    let Some(registration) = facts.registrations.get(&reg) else {
        return;
    };
    if open.standing != Standing::Live {
        return;
    }
    match open.call {
        // Inside a callback for it another rule says what it answers.
        Call::Wait(_) if facts.may_be_inside(thread, reg) && open.begun => {}
        Call::Wait(_) => waited(facts, reg, registration, open, answer, check),
        _ => deregistered(reg, registration, answer, check),
    }
}

fn deregistered(reg: RegId, registration: &Registration, answer: Answer, check: &mut Check<'_>) {
    let accepted = registration.deregistered;
    match answer {
        Answer::InvalidParameter => {
            let lost = accepted || registration.released || registration.deregisters_open > 1;
            check.expect(DEREGISTER_ONCE, lost, || {
                message![
                    "no deregister call for " {reg} " is accepted: expected one to answer pending"
                ]
            });
        }
        Answer::Pending | Answer::Panicked => check.expect(DEREGISTER_ONCE, !accepted, || {
            message![
                "a second deregister call for " {reg} " is accepted: expected invalid parameter"
            ]
        }),
        // None of its answers: judged where those are.
        _ => check.saw(DEREGISTER_ONCE),
    }
}

fn waited(
    facts: &Facts,
    reg: RegId,
    registration: &Registration,
    open: &OpenCall,
    answer: Answer,
    check: &mut Check<'_>,
) {
    if !registration.closing {
        check.expect(WAIT_AFTER, answer == Answer::InvalidParameter, || {
            message![
                "the wait for " {reg} " answers " {answer} ", but nobody had called deregister for it"
            ]
        });
    } else if answer == Answer::InvalidParameter && open.begun {
        // Another wait may be over, or it went by itself.
        let may_be_gone = registration.waits_open > 1 || registration.abandoned;
        let is_gone = registration.over || may_be_gone && facts.unfinished(reg).is_none();
        check.expect(WAIT_AFTER, is_gone, || {
            message![
                "the wait for " {reg} " answers invalid parameter, but its deregistration had begun \
                before and is not waited for"
            ]
        });
    }
}
