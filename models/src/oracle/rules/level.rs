//! W1 detach does not wait: a detach callback waits for nothing, for it may be called at a raised level.
//! W2 raised level: nor does a thread that has a spin lock.
//!
//! What calls for a low level is a wait beside the registrar, and each function whose page says so: to register, to attach,
//! and to wait for a deregistration. To deregister and to complete a detach may be done at any level that there is here.

use crate::event::{Call, CallbackKind, Deed, Event, What};
use crate::message::message;
use crate::oracle::check::Check;
use crate::oracle::facts::Facts;
use crate::permuted::ThreadNumber;
use crate::rule::Rule;

const DETACH_DOES_NOT_WAIT: Rule = Rule::windows(1);
const RAISED_LEVEL: Rule = Rule::windows(2);

pub(super) fn check(facts: &Facts, event: &Event, check: &mut Check<'_>) {
    let (true, Some(thread)) = (facts.known.terms.is_windows(), event.thread) else {
        return;
    };
    let mut callbacks = facts.callbacks(thread);
    let detaching = callbacks.find(|callback| callback.kind == CallbackKind::Detach);
    let is_raised = facts.raised.contains_key(&ThreadNumber(thread));
    if matches!(event.what, What::End(_)) && detaching.is_some() {
        check.saw(DETACH_DOES_NOT_WAIT);
    }
    if matches!(event.what, What::Did(Deed::SpinUnlock(_))) {
        check.saw(RAISED_LEVEL);
    }
    let Some(does) = needs_a_low_level(event.what) else {
        return;
    };
    check.deny(DETACH_DOES_NOT_WAIT, detaching.is_some(), || {
        let &callback = detaching.expect("it is inside one");
        message![
            {callback} " " {does} ", and may be called at a raised level (the module's fault, not the registrar's)"
        ]
    });
    check.deny(RAISED_LEVEL, is_raised, || {
        let thread = ThreadNumber(thread);
        message![
            "thread " {thread} " " {does} " while it has a spin lock (the modules' fault, not the \
            registrar's)"
        ]
    });
}

/// What a thread is about to do, if that cannot be done at a raised level.
fn needs_a_low_level(what: What) -> Option<&'static str> {
    Some(match what {
        What::Did(Deed::Await(_)) => "waits for an event",
        What::Did(Deed::Lock(_)) => "takes a lock that is no spin lock",
        What::Call(Call::Wait(_) | Call::Release(_)) => "waits for a deregistration",
        What::Call(Call::Register { .. }) => "registers a module",
        What::Call(Call::AttachProvider(_)) => "attaches",
        _ => return None,
    })
}
