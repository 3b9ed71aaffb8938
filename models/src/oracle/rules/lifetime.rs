//! C11 context lifetime: the registrar uses a module only between its register call and the end of
//! its deregistration, and a binding context only from attach to cleanup; it lets go of both then.

use crate::event::{Answer, Call, CallbackKind, Event, Pair, RegId, Side, Thing, What};
use crate::message::{Message, message};
use crate::oracle::check::Check;
use crate::oracle::facts::{Binding, Facts, Issue, Outcome, Progress, beginning};
use crate::oracle::record::outcome;
use crate::oracle::stuck::missing_cleanup;
use crate::rule::Rule;

const RULE: Rule = Rule::new(11);
const CHANGE_OF_MIND: Rule = Rule::new(5);

pub(super) fn check(facts: &Facts, event: &Event, check: &mut Check<'_>) {
    match event.what {
        What::UsedAfterFree(Thing::Module(reg)) => check.expect(RULE, false, || {
            message!["a callback uses the registration context of " {reg} ", which is freed"]
        }),
        What::UsedAfterFree(Thing::Context { pair, side }) => check.expect(RULE, false, || {
            message![
                "the binding context of the " {side} " of " {pair} " is used, which its owner has freed"
            ]
        }),
        What::NotReady { reg } => check.expect(RULE, false, || {
            message![
                {reg} " is called inside its register call, before it is ready: it registered too early \
                (the module's fault, not the registrar's)"
            ]
        }),
        What::Dropped(thing) => dropped(facts, thing, check),
        _ => {}
    }
    if let Some((_, callback)) = beginning(event) {
        let reg = callback.pair.side(callback.side);
        check.deny(
            RULE,
            !facts.registrations.contains_key(&reg),
            || message![{callback} " begins, but " {reg} " never registered"],
        );
    }
    if let Some((callback, reply)) = facts.ending(event)
        && (callback.kind, callback.side) == (CallbackKind::Attach, Side::Client)
        && let Some(binding) = facts.bindings.get(&callback.pair)
        && matches!(outcome(binding, reply, false), Outcome::Attached { .. })
    {
        let end = binding.end(Side::Client);
        check.deny(RULE, end.dropped >= end.handed, || {
            too_early(callback.pair, Side::Client)
        });
    }
    if let Some((_, open, answer)) = facts.returning(event)
        && let Call::Register { reg, .. } = open.call
        && let Some(registration) = facts.registrations.get(&reg)
    {
        let dropped = answer == Answer::Registered && registration.module_dropped;
        check.deny(RULE, dropped, || module_too_early(reg));
    }
    if let Some((_, reg)) = facts.waited(event)
        && facts.is_closing(reg)
    {
        let kept = kept(facts, reg);
        check.expect(RULE, kept.is_none(), || {
            let kept = kept.unwrap_or_default();
            message!["the wait for " {reg} " returns, but the registrar still holds " {kept}]
        });
    }
}

fn dropped(facts: &Facts, thing: Thing, check: &mut Check<'_>) {
    match thing {
        Thing::Module(reg) => {
            let registration = facts.registrations.get(&reg);
            let early =
                registration.is_some_and(|reg| reg.issue == Issue::Registered && !reg.closing);
            check.deny(RULE, early, || module_too_early(reg));
        }
        Thing::Context { pair, side } => {
            if let Some(binding) = facts.bindings.get(&pair) {
                let end = binding.end(side);
                let last = end.dropped.saturating_add(1) >= end.handed;
                let early = last && needs_context(binding, side);
                let forgotten = binding.outcome() == Some(Outcome::ChangedMind)
                    && !end.detach.has_begun()
                    && side == Side::Provider;
                check.deny(CHANGE_OF_MIND, early && forgotten, || {
                    message![
                        "the registrar drops the provider's binding context of " {pair} ", whose client \
                        did not attach in the end, and has not asked the provider to detach"
                    ]
                });
                let detached =
                    binding.is_due(side) && binding.due().all(|(_, end)| end.is_complete());
                check.deny(
                    Rule::new(missing_cleanup(binding)),
                    early && detached,
                    || {
                        message![
                            {pair} " is taken apart, and its " {side} " was never asked to clean up"
                        ]
                    },
                );
                check.deny(RULE, early, || too_early(pair, side));
            }
        }
    }
}

fn module_too_early(reg: RegId) -> Message {
    message!["the registrar drops the module of " {reg} ", which nobody deregistered"]
}

fn too_early(pair: Pair, side: Side) -> Message {
    message![
        "the registrar drops the " {side} "'s binding context of " {pair} " before its cleanup callback"
    ]
}

/// Whether this side's binding context will still be used.
fn needs_context(binding: &Binding, side: Side) -> bool {
    let attached = match binding.attach {
        Progress::NotBegun => false,
        Progress::Running => side == Side::Provider,
        Progress::Ended(_) => binding.is_due(side),
    };
    attached && !binding.end(side).cleanup.has_begun()
}

/// Something that the registrar has not let go of.
fn kept(facts: &Facts, reg: RegId) -> Option<Message> {
    if !facts.registrations.get(&reg)?.module_dropped {
        return Some("its module".into());
    }
    let mut bindings = facts.bindings_of(reg);
    bindings.find_map(|(pair, binding)| {
        let side = if pair.client == reg {
            Side::Client
        } else {
            Side::Provider
        };
        binding
            .is_holding(side)
            .then(|| message!["its binding context of " {pair}])
    })
}
