//! W3 unload: a module is unloaded only when the wait for each of its registrations has returned.
//!
//! That nothing of a module is called after a wait is C10, and judged with the callbacks.

use crate::event::{Deed, Event, What};
use crate::message::message;
use crate::oracle::check::Check;
use crate::oracle::facts::{Facts, Issue};
use crate::permuted::ModuleNumber;
use crate::rule::Rule;

const RULE: Rule = Rule::windows(3);

pub(super) fn check(facts: &Facts, event: &Event, check: &mut Check<'_>) {
    let (true, What::Did(Deed::Unload(module))) = (facts.known.terms.is_windows(), event.what)
    else {
        return;
    };
    let mut its = (facts.registrations.iter()).filter(|(reg, _)| reg.module == module);
    let there = its.find(|(_, it)| {
        let is_there = matches!(
            it.issue,
            Issue::Calling | Issue::Registered | Issue::Withdrawn
        );
        is_there && !it.over
    });
    check.expect(RULE, there.is_none(), || {
        let (&reg, registration) = there.expect("there is one");
        let module = ModuleNumber(module);
        let why = match registration.closing {
            true => message!["no wait for " {reg} " has returned"],
            false => message![{reg} " is registered"],
        };
        message![{module} " is unloaded, and " {why} " (the module's fault, not the registrar's)"]
    });
}
