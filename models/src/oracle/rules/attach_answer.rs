//! W4 attach answer: a client's attach callback answers what `client_attach_provider` answered it, and does not answer
//! success without having called it.
//!
//! What the registrar makes of it where a client does otherwise is C4 and C5. A panic is no answer: Windows knows none.

use crate::event::{CallbackKind, Event, Reply, Side};
use crate::message::message;
use crate::oracle::check::Check;
use crate::oracle::facts::{Facts, Progress};
use crate::rule::Rule;

const RULE: Rule = Rule::windows(4);

pub(super) fn check(facts: &Facts, event: &Event, check: &mut Check<'_>) {
    let Some((callback, reply)) = facts.ending(event) else {
        return;
    };
    let is_asked = (callback.kind, callback.side) == (CallbackKind::Attach, Side::Client);
    if !facts.known.terms.is_windows() || !is_asked {
        return;
    }
    let binding = facts.bindings.get(&callback.pair);
    let attached =
        binding.is_some_and(|binding| binding.provider == Progress::Ended(Reply::Success));
    let (expected, instead) = match reply {
        Reply::Success => (attached, "success, and has not attached"),
        Reply::Failure => (!attached, "failure, and has attached"),
        _ => return,
    };
    check.expect(
        RULE,
        expected,
        || message![{callback} " answers " {instead} " (the module's fault, not the registrar's)"],
    );
}
