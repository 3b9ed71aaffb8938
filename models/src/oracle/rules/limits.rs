//! Limits and reservations that are made to fail: a register call is refused only if that was due in some
//! order of the calls that overlap, and accepted only if there was room.
//!
//! A refusal that was not due breaks C17 (all or nothing: a refused call before it has kept something, or it
//! refuses at its own pleasure) or, where registrations or bindings have come and gone, C19 (quiescence:
//! the room of what is gone did not come back). One that is too many breaks C17.
//!
//! Not here: what a refused call may not have done (`refusal`). Of a registrar whose limits are not known
//! every refusal is right.

use crate::event::{Answer, Call, CallbackKind, Event, RegId, Side};
use crate::message::message;
use crate::oracle::check::Check;
use crate::oracle::facts::{Facts, Issue, Most, Outcome};
use crate::oracle::record::outcome;
use crate::rule::Rule;
use crate::scenario::Limits;

const ALL_OR_NOTHING: Rule = Rule::new(17);
const QUIESCENCE: Rule = Rule::new(19);

/// Reservations that a register call makes: for the registration, for its interface, and for bindings if
/// there are any to make.
const FEWEST: usize = 2;
const MOST: usize = 3;

pub(super) fn check(facts: &Facts, event: &Event, check: &mut Check<'_>) {
    let Some(limits) = facts.known.limits else {
        return;
    };
    if let Some((_, open, answer)) = facts.returning(event)
        && let Call::Register { reg, .. } = open.call
    {
        match answer {
            Answer::InsufficientResources => refused(facts, limits, reg, check),
            Answer::Registered => registered(facts, limits, check),
            _ => {}
        }
    }
    attached(facts, limits, event, check);
}

fn refused(facts: &Facts, limits: Limits, reg: RegId, check: &mut Check<'_>) {
    let most = facts.registrations.get(&reg).map(|one| one.most);
    let Most {
        registrations,
        bindings,
    } = most.unwrap_or_default();
    let full = most.unwrap_or_default().fills(limits);
    check.expect(rule(facts), full || may_fail(facts, limits), || {
        let fault = limits.fail_reservation;
        let why = match fault {
            Some(k) => message![
                "reservation " {k} ", which is to fail, cannot be one of its own, or has failed already"
            ],
            None => "no reservation was to fail".into(),
        };
        let limit = |limit: Option<usize>| limit.map_or("none".to_owned(), |n| n.to_string());
        message![
            "registering " {reg} " answers insufficient resources, but there was room: at most "
            {registrations} " other registration(s) (limit " {limit(limits.max_registrations)} ") and "
            {bindings} " binding(s), its own included (limit " {limit(limits.max_bindings)} "); " {why}
        ]
    });
}

/// Whether the refusal may be the one reservation that is made to fail.
fn may_fail(facts: &Facts, limits: Limits) -> bool {
    let Some(k) = limits.fail_reservation else {
        return false;
    };
    let failed = facts.registrations.values().any(|one| one.by_fault);
    !failed && facts.registrations.len() * MOST >= k
}

/// What a wrong refusal breaks.
fn rule(facts: &Facts) -> Rule {
    let refused = |issue| issue == Issue::Refused;
    let mut registrations = facts.registrations.values();
    if registrations.any(|one| refused(one.issue)) {
        return ALL_OR_NOTHING;
    }
    let mut registrations = facts.registrations.values();
    let mut bindings = facts.pairs().map(|(_, binding)| binding);
    let gone = registrations.any(|one| one.over || one.abandoned)
        || facts.gone.any()
        || bindings.any(|binding| binding.dead);
    if gone { QUIESCENCE } else { ALL_OR_NOTHING }
}

fn registered(facts: &Facts, limits: Limits, check: &mut Check<'_>) {
    let Some(limit) = limits.max_registrations else {
        return;
    };
    let others = facts
        .registrations
        .values()
        .filter(|one| one.holds_a_place());
    let count = others.count() + 1;
    check.expect(
        ALL_OR_NOTHING,
        count <= limit,
        || message![{count} " registrations are there at a time, where " {limit} " is the limit"],
    );
}

/// Bindings that are attached, and that nobody is taking apart, are there at the same time.
fn attached(facts: &Facts, limits: Limits, event: &Event, check: &mut Check<'_>) {
    let (Some(limit), Some((callback, reply))) = (limits.max_bindings, facts.ending(event)) else {
        return;
    };
    if (callback.kind, callback.side) != (CallbackKind::Attach, Side::Client) {
        return;
    }
    let is_attached = |outcome| matches!(outcome, Some(Outcome::Attached { .. }));
    let Some(binding) = facts.bindings.get(&callback.pair) else {
        return;
    };
    if !is_attached(Some(outcome(binding, reply, false))) {
        return;
    }
    let others = facts.pairs().filter(|&(pair, binding)| {
        pair != callback.pair && is_attached(binding.outcome()) && !facts.is_either_closing(pair)
    });
    let count = others.count() + 1;
    check.expect(
        ALL_OR_NOTHING,
        count <= limit,
        || message![{count} " bindings are there at a time, where " {limit} " is the limit"],
    );
}

pub(super) fn quiet(facts: &Facts, check: &mut Check<'_>) {
    let Some(Limits {
        fail_reservation: Some(k),
        ..
    }) = facts.known.limits
    else {
        return;
    };
    let issued = |issue: Issue| {
        let all = facts.registrations.values();
        all.filter(|one| one.issue == issue).count()
    };
    // Whoever proposed the first binding reserved for it.
    let proposed = facts.pairs().next().is_some() || facts.gone.any();
    let made =
        (issued(Issue::Registered) + issued(Issue::Withdrawn)) * FEWEST + usize::from(proposed);
    let failed = issued(Issue::Refused) > 0;
    check.expect(ALL_OR_NOTHING, failed || made < k, || {
        message![
            "reservation " {k} " was to fail, at least " {made} " were made, and no register call was \
            refused"
        ]
    });
}
