//! C15 open calls: a callback may call any registrar function; a wait inside a callback that it would
//! wait for answers that it would deadlock, and no other does.
//! C16 progress: has no event of its own, for it breaks when nothing happens any more. Here are the
//! occasions that it had.

use crate::event::{Answer, Call, Event, What};
use crate::message::message;
use crate::oracle::check::Check;
use crate::oracle::facts::{Facts, Standing};
use crate::permuted::ThreadNumber;
use crate::rule::Rule;

const OPEN_CALLS: Rule = Rule::new(15);
const PROGRESS: Rule = Rule::new(16);

pub(super) fn check(facts: &Facts, event: &Event, check: &mut Check<'_>) {
    if let (Some(thread), What::Call(_)) = (event.thread, event.what)
        && facts.callbacks(thread).next().is_some()
    {
        check.saw(OPEN_CALLS);
    }
    let Some((thread, open, answer)) = facts.returning(event) else {
        return;
    };
    let Call::Wait(Some(reg)) = open.call else {
        return;
    };
    let inside = facts.is_inside(thread, reg);
    if inside && open.begun && open.standing == Standing::Live {
        check.expect(OPEN_CALLS, answer == Answer::WouldDeadlock, || {
            message![
                "thread " {ThreadNumber(thread)} " waits for " {reg} " inside a callback for it: expected \
                the answer that it would deadlock"
            ]
        });
    } else if inside {
        check.deny(OPEN_CALLS, answer == Answer::Done, || {
            message![
                "thread " {ThreadNumber(thread)} " waited for " {reg} " inside a callback for it"
            ]
        });
    } else if !facts.may_be_inside(thread, reg) {
        check.deny(OPEN_CALLS, answer == Answer::WouldDeadlock, || {
            message![
                "the wait for " {reg} " answers that it would deadlock, but thread "
                {ThreadNumber(thread)} " is inside no callback for it"
            ]
        });
    }
    if answer == Answer::Done {
        check.saw(PROGRESS);
    }
}

pub(super) fn quiet(check: &mut Check<'_>) {
    check.saw(PROGRESS);
}
