//! Calls through dispatch tables: none before the peer's attach callback has returned success (C3), none after the
//! caller's own detach is complete (C9).
//!
//! They are the modules' own, and the registrar sees nothing of them: who calls too early or too late makes a mistake
//! of its own. That the peer's context is still there is C9 as well, and judged with its cleanup.

use crate::event::{Event, Reply, Side, What};
use crate::message::message;
use crate::oracle::check::Check;
use crate::oracle::facts::{Binding, Facts, Outcome, Progress};
use crate::rule::Rule;

const PROTOCOL: Rule = Rule::new(3);
const CLEANUP: Rule = Rule::new(9);

pub(super) fn check(facts: &Facts, event: &Event, check: &mut Check<'_>) {
    let What::DispatchBegin { pair, by } = event.what else {
        return;
    };
    // Of what is gone it is known that it was attached, and that it is too late.
    check.deny(CLEANUP, facts.gone.contains(pair), || {
        message!["the " {by} " of " {pair} " calls the " {by.peer()} ", but the binding is over"]
    });
    let Some(binding) = facts.bindings.get(&pair) else {
        return;
    };
    check.expect(PROTOCOL, has_attached(binding, by.peer()), || {
        let peer = by.peer();
        message![
            "the " {by} " of " {pair} " calls the " {peer} ", whose attach callback has not returned success"
        ]
    });
    check.deny(CLEANUP, binding.end(by).may_be_complete(), || {
        let peer = by.peer();
        message!["the " {by} " of " {pair} " calls the " {peer} ", but its own detach is complete"]
    });
}

fn has_attached(binding: &Binding, side: Side) -> bool {
    match side {
        Side::Client => matches!(binding.attach, Progress::Ended(Outcome::Attached { .. })),
        Side::Provider => binding.provider == Progress::Ended(Reply::Success),
    }
}
