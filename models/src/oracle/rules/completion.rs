//! C8 completion: a side that answered pending completes with exactly one detach-complete call, at
//! any time from the beginning of its detach callback; any other answers invalid state and does
//! nothing.
//!
//! Such a call takes effect somewhere between its two events, and so does the callback's return; the
//! registrar may also be on its way into the callback. Every answer that some order of these allows
//! is accepted.

use crate::event::{Answer, Call, Event, Pair, Side};
use crate::message::message;
use crate::oracle::check::Check;
use crate::oracle::facts::{Detached, Facts, OpenCall, Outcome, Progress, Standing};
use crate::oracle::stuck::was_pending;
use crate::rule::Rule;

const RULE: Rule = Rule::new(8);

pub(super) fn check(facts: &Facts, event: &Event, check: &mut Check<'_>) {
    let Some((_, open, answer)) = facts.returning(event) else {
        return;
    };
    let Call::DetachComplete {
        side,
        pair: Some(pair),
    } = open.call
    else {
        return;
    };
    if open.standing != Standing::Live {
        return;
    }
    let fault = match answer {
        Answer::Done | Answer::Panicked => accepted(facts, open, pair, side),
        Answer::InvalidState => rejected(facts, open, pair, side),
        _ => None,
    };
    check.expect(
        RULE,
        fault.is_none(),
        || message!["`" {open.call} "` answers " {answer} ", but " {fault.unwrap_or_default()}],
    );
}

/// Why the call should not have been accepted.
fn accepted(facts: &Facts, open: &OpenCall, pair: Pair, side: Side) -> Option<&'static str> {
    let end = facts.bindings.get(&pair)?.end(side);
    if end.completed {
        Some("another such call had been accepted: expected invalid state")
    } else if open.complete {
        Some("that side was complete before: expected invalid state")
    } else if !end.detach.has_begun() && !facts.may_detach(pair, side) {
        Some("that side was not asked to detach: expected invalid state")
    } else {
        None
    }
}

/// Why the call should have been accepted, or should have done nothing.
fn rejected(facts: &Facts, open: &OpenCall, pair: Pair, side: Side) -> Option<&'static str> {
    let end = facts.bindings.get(&pair)?.end(side);
    let detaching = match end.detach {
        Progress::Running | Progress::Ended(Detached::Pending) => open.detaching,
        Progress::NotBegun | Progress::Ended(_) => false,
    };
    if open.called_back {
        Some("a callback was made inside: expected no effect")
    } else if detaching && !end.completed && end.completions_open == 1 {
        Some("that side was detaching and not complete: expected done")
    } else {
        None
    }
}

pub(super) fn quiet(facts: &Facts, check: &mut Check<'_>) {
    for (pair, binding) in facts.pairs() {
        let attached = matches!(binding.outcome(), Some(Outcome::Attached { .. }));
        if !attached || !was_pending(binding) || !binding.due().all(|(_, end)| end.is_complete()) {
            continue;
        }
        let forgotten = binding.due().find(|(_, end)| !end.cleanup.has_begun());
        check.expect(RULE, forgotten.is_none(), || {
            let side = forgotten.map_or(Side::Client, |(side, _)| side);
            message![
                "every pending detach of " {pair} " was completed, but its " {side} " was never asked to \
                clean up: the completion was lost"
            ]
        });
    }
}
