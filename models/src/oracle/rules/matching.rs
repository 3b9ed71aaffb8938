//! C1 match: a binding joins a client and a provider of the same NPIID, and only those.
//! C2 once: a pair is offered to its client at most once, and exactly once if neither side leaves.

use crate::event::{CallbackKind, Event, Pair, Side};
use crate::message::message;
use crate::oracle::check::Check;
use crate::oracle::facts::{Facts, Issue, beginning, beginning_of};
use crate::rule::Rule;

const MATCH: Rule = Rule::new(1);
const ONCE: Rule = Rule::new(2);

pub(super) fn check(facts: &Facts, event: &Event, check: &mut Check<'_>) {
    let Some((_, callback)) = beginning(event) else {
        return;
    };
    let pair = callback.pair;
    let [client, provider] = [pair.client, pair.provider].map(|reg| facts.registrations.get(&reg));
    if let (Some(client), Some(provider)) = (client, provider) {
        check.expect(MATCH, client.npi == provider.npi, || {
            let (client, provider) = (usize::from(client.npi), usize::from(provider.npi));
            message![{callback} " joins interfaces " {client} " and " {provider}]
        });
        let sides = (client.side, provider.side) == (Side::Client, Side::Provider);
        check.deny(MATCH, !sides, || {
            let (client, provider) = (client.side, provider.side);
            message![{callback} " joins a " {client} " and a " {provider}]
        });
    }
    if beginning_of(event, CallbackKind::Attach).is_some() && callback.side == Side::Client {
        let binding = facts.bindings.get(&pair);
        let offered = binding.is_some_and(|binding| binding.attach.has_begun());
        check.expect(
            ONCE,
            !offered,
            || message![{pair} " is offered to its client a second time"],
        );
    }
}

pub(super) fn quiet(facts: &Facts, check: &mut Check<'_>) {
    let open = |side| {
        let all = facts.registrations.iter();
        all.filter(move |(_, reg)| {
            reg.side == side && reg.issue == Issue::Registered && !reg.closing
        })
    };
    for (&client, one) in open(Side::Client) {
        for (&provider, other) in open(Side::Provider) {
            if one.npi != other.npi {
                continue;
            }
            let pair = Pair { client, provider };
            let binding = facts.bindings.get(&pair);
            let offered = binding.is_some_and(|binding| binding.attach.has_begun());
            check.expect(
                ONCE,
                offered,
                || message![{pair} " was never offered to its client, though neither deregistered"],
            );
        }
    }
}
