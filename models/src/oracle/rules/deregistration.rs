//! C10 deregistration: a wait returns only when every binding is cleaned up and no callback of the
//! registration is running; afterwards none begins.
//!
//! Not here: a wait inside the registration's own callback (C15) or without a deregister call (C14).

use crate::event::{Event, Side};
use crate::message::message;
use crate::oracle::check::Check;
use crate::oracle::facts::{Facts, beginning};
use crate::permuted::ThreadNumber;
use crate::rule::Rule;

const RULE: Rule = Rule::new(10);

pub(super) fn check(facts: &Facts, event: &Event, check: &mut Check<'_>) {
    if let Some((thread, reg)) = facts.waited(event)
        && facts.is_closing(reg)
        && (facts.bindings_of(reg).next().is_some() || facts.gone.any_of(reg))
    {
        let unfinished = facts.unfinished(reg);
        check.expect(RULE, unfinished.is_none(), || {
            let reason = unfinished.unwrap_or_default();
            message![
                "the wait for " {reg} " returns on thread " {ThreadNumber(thread)} ", but " {reason}
            ]
        });
    }
    if let Some((_, callback)) = beginning(event) {
        for side in Side::BOTH {
            let reg = callback.pair.side(side);
            let over = facts.registrations.get(&reg).is_some_and(|reg| reg.over);
            check.deny(
                RULE,
                over,
                || message![{callback} " begins after the wait for " {reg} " returned"],
            );
        }
    }
}
