//! What would have no end: an attach callback that leads to itself.

use std::collections::BTreeSet;

use super::{Checked, misuse};
use crate::op::Op;
use crate::scenario::Scenario;
use crate::scenario::place::Place;

/// An attach callback that registers a module leads to attach callbacks of that module and of its
/// peers: none of them may lead back to itself.
pub(super) fn check(scenario: &Scenario) -> Checked {
    for (start, module) in scenario.modules.iter().enumerate() {
        let mut reached = BTreeSet::new();
        let mut next = led_to(scenario, start);
        while let Some(at) = next.pop() {
            if reached.insert(at) {
                next.extend(led_to(scenario, at));
            }
        }
        if reached.contains(&start) {
            return misuse(
                registering(scenario, start),
                format!(
                    "the attach callback of `{}` registers modules whose attaching calls it again, \
                     without end: expected another place to register them",
                    module.name
                ),
            );
        }
    }
    Ok(())
}

/// The modules that an attach callback registers.
fn registered(scenario: &Scenario, from: usize) -> impl Iterator<Item = (Place, usize)> {
    let module = &scenario.modules[from];
    let lists = [
        ("in-attach", &module.in_attach),
        ("after-attach", &module.after_attach),
    ];
    lists.into_iter().flat_map(move |(key, ops)| {
        let place = Place::module(from).key(key);
        let ops = ops.iter().enumerate();
        ops.filter_map(move |(index, op)| match op {
            Op::Register(name) | Op::Own(name) => {
                Some((place.clone().nth(index), scenario.module(name)?))
            }
            _ => None,
        })
    })
}

/// Where the first of them is registered.
fn registering(scenario: &Scenario, from: usize) -> Place {
    let first = registered(scenario, from).next();
    first.map_or_else(|| Place::module(from), |(place, _)| place)
}

/// The modules whose attach callbacks it leads to.
fn led_to(scenario: &Scenario, from: usize) -> Vec<usize> {
    let called = registered(scenario, from).flat_map(|(_, new)| {
        let module = &scenario.modules[new];
        let all = scenario.modules.iter().enumerate();
        all.filter(move |&(index, other)| {
            index == new || (other.npi == module.npi && other.side != module.side)
        })
        .map(|(index, _)| index)
    });
    called.collect()
}
