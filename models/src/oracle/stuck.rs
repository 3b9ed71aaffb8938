//! Which rule is behind an execution that cannot go on.
//!
//! A deadlock breaks C16; most have a reason that another rule names, and that one is answered. It
//! judges what was observed before the standstill, so it may name a consequence where the cause left
//! no trace.

use crate::event::{Call, Pair};
use crate::message::{Message, message};
use crate::permuted::ThreadNumber;
use crate::rule::Rule;

use super::check::Violation;
use super::facts::{Binding, Detached, Facts, Frame, Outcome, Progress, involves};
use super::ring::{Missing, Outside, Standstill};

/// Names the rule.
pub(super) fn classify(standstill: Standstill<'_>) -> Violation {
    let of_the_registrar = || {
        call_in_callback(standstill)
            .or_else(|| wait_too_early(standstill))
            .or_else(|| call_outside(standstill))
            .or_else(|| each(standstill, missing_detach))
            .or_else(|| each(standstill, forgotten_cleanup))
    };
    // Where threads wait for each other outside the registrar, what it has not done is a consequence.
    let outside = standstill.has_ring_outside();
    let found = (!outside).then(of_the_registrar).flatten();
    // Where another rule names the reason, what else is missing is a consequence.
    let (rule, reason, rest) = match found {
        Some((rule, reason)) => (rule, reason, Message::default()),
        None => (16, no_progress(standstill), debts_and_rings(standstill)),
    };
    let situation = situation(standstill);
    let what = match standstill.scripts.spin() {
        true => "the threads go on for ever, and nothing changes",
        false => "the threads cannot go on",
    };
    Violation {
        rule: Rule::new(rule),
        message: message![{what} ": " {reason} {situation} {rest}],
    }
}

fn situation(standstill: Standstill<'_>) -> Message {
    let inside = |&thread: &u8| {
        let (thread, doing) = (ThreadNumber(thread), standstill.doing(thread));
        message!["; thread " {thread} " is inside " {doing}]
    };
    standstill.blocked.iter().map(inside).collect()
}

/// What no rule is about: who owes what, and who waits for whom.
fn debts_and_rings(standstill: Standstill<'_>) -> Message {
    let missing = standstill.missing().into_iter();
    let debts = missing.map(|missing| standstill.debt(missing));
    let lines = debts.chain(standstill.rings());
    lines.map(|line| message!["\n  " {line}]).collect()
}

/// A callback's call, or a destructor's, does not return: a lock is held while a module's code runs, or a
/// wait should have answered that it would deadlock (C15).
fn call_in_callback(standstill: Standstill<'_>) -> Option<(u8, Message)> {
    let Standstill { facts, blocked, .. } = standstill;
    let thread = blocked.iter().copied().find(|&thread| {
        let inside = facts.frames(thread).len() > 1;
        standstill.call(thread).is_some_and(|call| match call {
            Call::Wait(Some(reg)) | Call::Release(reg) => facts.may_be_inside(thread, reg),
            Call::Wait(None) => false,
            _ => inside,
        })
    })?;
    Some((
        15,
        message![
            "the call of a callback or a destructor on thread " {ThreadNumber(thread)} " does not return"
        ],
    ))
}

/// A wait goes on for what nobody deregisters (C14).
fn wait_too_early(standstill: Standstill<'_>) -> Option<(u8, Message)> {
    let Standstill { facts, blocked, .. } = standstill;
    let waits = blocked
        .iter()
        .filter_map(|&thread| match standstill.call(thread)? {
            Call::Wait(reg) => reg,
            _ => None,
        });
    let mut open = waits.filter(|reg| {
        let registration = facts.registrations.get(reg);
        registration.is_some_and(|registration| !registration.closing)
    });
    let reg = open.next()?;
    Some((
        14,
        message!["the wait for " {reg} " does not return, but nobody had called deregister for it"],
    ))
}

/// No call but a wait may wait for anything (C16).
fn call_outside(standstill: Standstill<'_>) -> Option<(u8, Message)> {
    let blocked = standstill.blocked.iter();
    let mut calls = blocked.filter_map(|&thread| standstill.call(thread));
    let call = calls.find(|call| !matches!(call, Call::Wait(_) | Call::Release(_)))?;
    Some((
        16,
        message!["`" {call} "` does not return, and has nothing to wait for"],
    ))
}

/// The first binding of which `judge` says something, and for which no thread is still on its way: a
/// thread that is inside a callback, or a destructor that waits, goes on with its other bindings only afterwards.
fn each(
    standstill: Standstill<'_>,
    judge: fn(&Facts, Pair, &Binding) -> Option<(u8, Message)>,
) -> Option<(u8, Message)> {
    let Standstill { facts, blocked, .. } = standstill;
    let on_its_way = |pair: Pair| {
        let goes_on = |thread: u8, frame: &Frame| match frame {
            Frame::Callback(callback) => {
                let mut both = callback.pair.registrations().into_iter();
                both.any(|reg| involves(pair, reg))
            }
            Frame::Destructor(thing) => {
                let mut about = thing.registrations();
                about.any(|reg| involves(pair, reg))
            }
            Frame::Call(open) => {
                let mut named = open.call.registrations();
                standstill.is_outside(thread) && named.any(|reg| involves(pair, reg))
            }
        };
        blocked.iter().any(|&thread| {
            let mut frames = facts.frames(thread).iter();
            frames.any(|frame| goes_on(thread, frame))
        })
    };
    let mut pairs = facts.pairs().filter(|&(pair, _)| !on_its_way(pair));
    pairs.find_map(|(pair, binding)| judge(facts, pair, binding))
}

fn missing_detach(facts: &Facts, pair: Pair, binding: &Binding) -> Option<(u8, Message)> {
    let missing = binding.due().find(|(_, end)| !end.detach.has_begun());
    let (side, _) = missing.filter(|&(side, _)| facts.may_detach(pair, side))?;
    let rule = match binding.outcome() {
        Some(Outcome::ChangedMind) => 5,
        Some(Outcome::Attached { late: true }) => 6,
        _ => 7,
    };
    Some((
        rule,
        message!["the " {side} " of " {pair} " was never asked to detach"],
    ))
}

fn forgotten_cleanup(_facts: &Facts, pair: Pair, binding: &Binding) -> Option<(u8, Message)> {
    let detached = binding.due().all(|(_, end)| end.is_complete());
    let (side, _) = binding.due().find(|(_, end)| !end.cleanup.has_begun())?;
    if !detached {
        return None;
    }
    Some((
        missing_cleanup(binding),
        message![{pair} " is detached, but its " {side} " was never asked to clean up"],
    ))
}

/// The rule that is broken where a detached binding is never cleaned up.
pub(super) fn missing_cleanup(binding: &Binding) -> u8 {
    match binding.outcome() {
        Some(Outcome::ChangedMind) => 5,
        _ if was_pending(binding) => 8,
        _ => 9,
    }
}

/// Whether a side answered pending: its completion is then what the cleanup hung on.
pub(super) fn was_pending(binding: &Binding) -> bool {
    let pending = Progress::Ended(Detached::Pending);
    binding.due().any(|(_, end)| end.detach == pending)
}

const WAIT_FOR_EACH_OTHER: &str = "the threads wait for each other, in what the modules do (the modules' fault, not the registrar's)";

/// Nobody is left to do what a thread waits for beside the registrar.
fn unset(thread: u8, outside: Outside) -> Message {
    let uncalled = outside.uncalled.into_iter();
    let uncalled = uncalled.map(|callback| message!["; " {callback} ", and was not called"]);
    let uncalled: Message = uncalled.collect();
    message![
        "thread " {ThreadNumber(thread)} " waits for " {outside.what} ", and no thread has it still to do"
        {uncalled} " (the modules' fault, not the registrar's)"
    ]
}

/// Every call waits as it may (C16).
fn no_progress(standstill: Standstill<'_>) -> Message {
    let missing = standstill.missing();
    if standstill.has_ring_outside() {
        return WAIT_FOR_EACH_OTHER.into();
    }
    if let Some((thread, outside)) = standstill.unset() {
        return unset(thread, outside);
    }
    if standstill.groundless().is_some() || missing.is_empty() && standstill.rings().is_empty() {
        let so = match standstill.scripts.spin() {
            true => "somebody looks again and again, and does not see it",
            false => "a wake-up was lost",
        };
        return message!["nothing is missing that a call could wait for: " {so}];
    }
    let who = |it: &Missing| message!["the " {it.side} " of " {it.pair}];
    match missing.as_slice() {
        [] => WAIT_FOR_EACH_OTHER.into(),
        [it] => message![
            {who(it)} " answered pending and never sent its completion (the module's fault, not the \
            registrar's)"
        ],
        [all @ .., last] => message![
            {Message::joined(all.iter().map(who), ", ")} " and " {who(last)} " answered pending \
            and never sent their completions (the modules' fault, not the registrar's)"
        ],
    }
}
