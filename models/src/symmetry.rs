//! The symmetries of a scenario: modules and threads that can take each other's places, all at once,
//! so that it stays the same scenario. Who hashes under one is in `permuted`.
//!
//! Two states of an execution that differ by a symmetry alone have futures that differ by it alone
//! (Ip and Dill, "Better verification through symmetry", 1996). The threads' scripts say which module
//! goes where, so that each exchange of threads makes at most one symmetry.
//!
//! Left out, because something about them is not symmetric although the script is:
//! - modules whose state is behind a mutex that the main thread makes (raced handles, rundowns): it has
//!   no name that would move along with the module;
//! - scenarios in which some reservation fails, or slots are retired;
//! - scenarios with forged handles, which are made of the first module's that has one.

use crate::op::{Noun, Op};
use crate::permuted::{MAX_SYMMETRIC, Symmetry};
use crate::scenario::{Detach, Module, Scenario};

fn identity(scenario: &Scenario) -> Symmetry {
    Symmetry {
        modules: (0..scenario.modules.len() as u8).collect(),
        threads: (0..=scenario.threads.len() as u8).collect(),
    }
}

/// All symmetries of a scenario, of which there are at most 24. The first one changes nothing.
#[must_use]
pub fn symmetries(scenario: &Scenario) -> Vec<Symmetry> {
    let identity = identity(scenario);
    if !may_have_symmetries(scenario) {
        return vec![identity];
    }
    let all = orders(scenario.threads.len() as u8).into_iter();
    let all: Vec<_> = all.filter_map(|order| symmetry(scenario, &order)).collect();
    debug_assert_eq!(all.first(), Some(&identity), "the first order is the given");
    all
}

fn may_have_symmetries(scenario: &Scenario) -> bool {
    let limits = scenario.limits;
    scenario.threads.len() > 1
        && scenario.modules.len() <= MAX_SYMMETRIC
        && limits.fail_reservation.is_none()
        && limits.last_generation.is_none()
        && !scenario.operations().any(|(_, op)| op.is_forging())
}

/// All orders of the numbers 1 to `count`, beginning with theirs.
#[must_use]
pub fn orders(count: u8) -> Vec<Vec<u8>> {
    let longer = |orders: Vec<Vec<u8>>, _| {
        let more = |order: Vec<u8>| {
            let rest = (1..=count).filter(|number| !order.contains(number));
            let longer = rest.map(|number| [order.as_slice(), &[number]].concat());
            longer.collect::<Vec<_>>()
        };
        orders.into_iter().flat_map(more).collect()
    };
    (0..count).fold(vec![Vec::new()], longer)
}

/// The symmetry that puts the n-th thread into the place of the n-th one in `order`.
fn symmetry(scenario: &Scenario, order: &[u8]) -> Option<Symmetry> {
    let mut threads = vec![0];
    threads.extend(order);
    let modules = placed(scenario, order)?;
    let symmetry = Symmetry { modules, threads };
    let places = scenario.modules.iter().zip(&symmetry.modules);
    let mut moved = (0..)
        .zip(places)
        .filter(|(module, (_, place))| module != *place);
    let stuck = moved.any(|(_, (module, _))| must_stay(scenario, module));
    let fits = !stuck && exchanged(scenario, &symmetry) == *scenario;
    fits.then_some(symmetry)
}

fn must_stay(scenario: &Scenario, module: &Module) -> bool {
    module.detach == Detach::Rundown
        || module.places().is_some()
        || !module.in_drop.is_empty()
        || !module.in_context_drop.is_empty()
        || !module.peers.is_empty()
        || scenario
            .modules
            .iter()
            .any(|other| other.peers.contains(&module.name))
        || scenario.is_raced(&module.name)
        || scenario.is_binding_raced(&module.name)
}

/// Where the modules have to go for the scripts to fit. A module that no script leads to stays.
fn placed(scenario: &Scenario, order: &[u8]) -> Option<Vec<u8>> {
    let mut pairs = Vec::new();
    for (thread, &place) in scenario.threads.iter().zip(order) {
        let place = &scenario.threads[usize::from(place) - 1];
        pairs.extend(named(scenario, &thread.ops, &place.ops));
    }
    let mut places = vec![None; scenario.modules.len()];
    while let Some((module, place)) = pairs.pop() {
        match places[module] {
            Some(other) if other != place => return None,
            Some(_) => {}
            None => {
                places[module] = Some(place);
                let (from, to) = (&scenario.modules[module], &scenario.modules[place]);
                for (from, to) in from.scripts().into_iter().zip(to.scripts()) {
                    pairs.extend(named(scenario, from, to));
                }
            }
        }
    }
    let places = places.into_iter().enumerate();
    let places: Vec<u8> = places
        .map(|(module, place)| place.unwrap_or(module) as u8)
        .collect();
    let all_taken = (0..places.len() as u8).all(|place| places.contains(&place));
    all_taken.then_some(places)
}

/// The modules that one script names and another one names at the same positions.
fn named(scenario: &Scenario, from: &[Op], to: &[Op]) -> Vec<(usize, usize)> {
    let modules = |op: &Op| scenario.module(op.module()?);
    let pairs = from.iter().zip(to);
    pairs
        .filter_map(|(from, to)| Some((modules(from)?, modules(to)?)))
        .collect()
}

/// The scenario with each module and each thread in its new place. Threads are known by their place.
fn exchanged(scenario: &Scenario, symmetry: &Symmetry) -> Scenario {
    let place = |module: usize| usize::from(symmetry.modules[module]);
    let name = |module: usize| &scenario.modules[place(module)].name;
    let other = |noun, own: &String| match scenario.module(own) {
        Some(module) if noun == Noun::Module => name(module).clone(),
        _ => own.clone(),
    };
    let op = |op: &Op| op.map(other);
    let ops = |list: &[Op]| list.iter().map(op).collect::<Vec<_>>();
    let mut other = scenario.clone();
    for (index, module) in scenario.modules.iter().enumerate() {
        let exchanged = &mut other.modules[place(index)];
        *exchanged = Module {
            name: name(index).clone(),
            ..module.clone()
        };
        for script in exchanged.scripts_mut() {
            *script = ops(script);
        }
    }
    for (thread, &place) in scenario.threads.iter().zip(&symmetry.threads[1..]) {
        other.threads[usize::from(place) - 1].ops = ops(&thread.ops);
    }
    other.before = ops(&scenario.before);
    other.after = ops(&scenario.after);
    other
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::scenario::Attach;
    use crate::scenarios;

    fn of_named(name: &str) -> Vec<Symmetry> {
        symmetries(&scenarios::named(name).expect("a scenario"))
    }

    /// Two clients, `c` and `d`, and two providers, `p` and `q`, each with a thread of its own that
    /// registers it, and `rest`.
    fn four(rest: &str) -> usize {
        let modules = ["c", "d", "p", "q"].map(|name| {
            let side = if name < "p" { "client" } else { "provider" };
            format!("[[module]]\nname = \"{name}\"\nside = \"{side}\"\n")
        });
        let threads = ["c", "d", "p", "q"]
            .map(|name| format!("[[thread]]\nname = \"t{name}\"\nops = [\"register {name}\"]\n"));
        let text = format!("name = \"s\"\nsummary = \"s\"\n{rest}\n");
        let text = [text, modules.concat(), threads.concat()].concat();
        let scenario = Scenario::from_toml(Path::new("s.toml"), &text);
        symmetries(&scenario.unwrap_or_else(|error| panic!("{error}"))).len()
    }

    #[test]
    fn lives_of_one_side_can_take_each_others_places() {
        assert_eq!(of_named("two-lives").len(), 1);
        assert_eq!(of_named("three-lives").len(), 2);
        let all = of_named("four-lives");
        let by_hand = [
            ([0, 1, 2, 3], [0, 1, 2, 3, 4]),
            ([0, 1, 3, 2], [0, 1, 2, 4, 3]),
            ([1, 0, 2, 3], [0, 2, 1, 3, 4]),
            ([1, 0, 3, 2], [0, 2, 1, 4, 3]),
        ];
        let by_hand = by_hand.map(|(modules, threads)| Symmetry {
            modules: modules.to_vec(),
            threads: threads.to_vec(),
        });
        assert_eq!(all, by_hand);
    }

    #[test]
    fn threads_alone_can_take_each_others_places() {
        let exchange = Symmetry {
            modules: vec![0, 1],
            threads: vec![0, 1, 3, 2],
        };
        assert_eq!(of_named("both-pending")[1..], [exchange]);
    }

    #[test]
    fn what_the_main_thread_does_is_part_of_the_scenario() {
        assert_eq!(four(""), 4);
        // Another order of registering is another scenario.
        assert_eq!(four("before = [\"register c\", \"register d\"]"), 2);
        assert_eq!(four("after = [\"deregister p\"]"), 2);
        assert_eq!(
            four("before = [\"register c\"]\nafter = [\"deregister q\"]"),
            1
        );
    }

    #[test]
    fn what_is_not_symmetric_in_the_harness_stays() {
        assert_eq!(four("limits = { max-registrations = 3 }"), 4);
        assert_eq!(four("limits = { fail-reservation = 3 }"), 1);
        assert_eq!(four("limits = { last-generation = 1 }"), 1);
        assert_eq!(four("after = [\"deregister-forged\"]"), 1);
        let mut scenario = scenarios::named("four-lives").expect("a scenario");
        scenario.modules[0].detach = Detach::Rundown;
        assert_eq!(symmetries(&scenario).len(), 2);
        scenario.modules[1].detach = Detach::Rundown;
        assert_eq!(symmetries(&scenario).len(), 2);
        // What has a lock of its own stays, though its like has one, too.
        let mut scenario = scenarios::named("four-lives").expect("a scenario");
        for client in &mut scenario.modules[..2] {
            client.attach = Attach::OneAtATime;
        }
        assert_eq!(symmetries(&scenario).len(), 2);
        let mut scenario = scenarios::named("four-lives").expect("a scenario");
        scenario.modules[0].peers = vec![scenario.modules[2].name.clone()];
        assert_eq!(symmetries(&scenario).len(), 1);
    }

    #[test]
    fn callbacks_lead_to_further_modules() {
        let mut scenario = scenarios::named("four-lives").expect("a scenario");
        let scripts = ["e", "f"].map(|name| {
            scenario.modules.push(Module {
                name: name.to_owned(),
                npi: 2,
                ..scenario.modules[0].clone()
            });
            vec![Op::Deregister(name.to_owned())]
        });
        let [first, second] = scripts;
        scenario.modules[0].in_detach = first.clone();
        assert_eq!(symmetries(&scenario).len(), 2);
        scenario.modules[1].in_detach = first;
        assert_eq!(symmetries(&scenario).len(), 4);
        scenario.modules[1].in_detach = second;
        let all = symmetries(&scenario);
        assert_eq!(all.len(), 4);
        assert_eq!(all[3].modules, [1, 0, 3, 2, 5, 4]);
    }

    #[test]
    fn symmetries_are_closed_under_composition() {
        let compose = |one: &[u8], other: &[u8]| -> Vec<u8> {
            one.iter().map(|&it| other[usize::from(it)]).collect()
        };
        for scenario in scenarios::all() {
            let all = symmetries(&scenario);
            for one in &all {
                for other in &all {
                    let composed = Symmetry {
                        modules: compose(&one.modules, &other.modules),
                        threads: compose(&one.threads, &other.threads),
                    };
                    assert!(all.contains(&composed), "{}", scenario.name);
                }
            }
        }
    }
}
