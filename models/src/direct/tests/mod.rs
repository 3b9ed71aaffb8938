//! The system of a scenario, searched naively here.

use std::collections::HashSet;
use std::sync::Arc;

use nmr_search::{Encoder, Search, System};

use super::{Action, Program, State, Violation};
use crate::scenario::Scenario;
use crate::scenarios;

#[cfg(shuttle)]
mod along;
#[cfg(not(any(loom, shuttle)))]
#[path = "../../../search/tests/toys/stateright.rs"]
mod stateright;

/// What a search of all states comes to: their number, that of the transitions, and what was found.
fn search(program: &Program, symmetry: bool) -> (usize, usize, Option<Violation>) {
    let code = |state: &State| {
        let mut encoder = Encoder::default();
        let all = program.permutations();
        let all = if symmetry { all } else { &all[..1] };
        let codes = all.iter().map(|names| {
            encoder.clear();
            program.encode(state, names, &mut encoder);
            encoder.as_bytes().to_vec()
        });
        codes.min().expect("there is the identity")
    };
    let initial = program.initial();
    let mut seen = HashSet::from([code(&initial)]);
    let mut open = vec![initial];
    let mut transitions = 0;
    let mut enabled: Vec<Action> = Vec::new();
    while let Some(state) = open.pop() {
        enabled.clear();
        program.actions(&state, &mut enabled);
        if enabled.is_empty()
            && let Err(violation) = program.finished(&state)
        {
            return (seen.len(), transitions, Some(violation));
        }
        for &action in &enabled {
            let mut next = state.clone();
            transitions += 1;
            if let Err(violation) = program.apply(&mut next, action) {
                return (seen.len(), transitions, Some(violation));
            }
            if seen.insert(code(&next)) {
                open.push(next);
            }
        }
    }
    (seen.len(), transitions, None)
}

#[test]
fn what_comes_out_is_what_the_engines_on_threads_see() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outcomes.txt");
    let text = std::fs::read_to_string(&file).expect("it is there");
    for line in text.lines() {
        let (name, numbers) = line.split_once(' ').expect("a name and numbers");
        let numbers = numbers
            .split(' ')
            .map(|hex| u64::from_str_radix(hex, 16).expect("hex"));
        let scenario = scenarios::named(name).expect("a scenario");
        let program = Program::new(&Arc::new(scenario)).noting_outcomes();
        let (.., found) = search(&program, true);
        assert_eq!(found, None, "{name}");
        let seen = program
            .outcomes
            .expect("they are noted")
            .into_inner()
            .unwrap();
        assert_eq!(seen, numbers.collect(), "{name}");
    }
}

/// Ample sets, the measure of progress, and the encoding under all symmetries: tried out in every state.
#[test]
fn what_the_system_claims_of_a_scenario_is_so() {
    for scenario in scenarios::all() {
        let name = scenario.name.clone();
        // It takes a minute where nothing is optimised; the tests of the model builds are.
        if name == "four-lives" && cfg!(debug_assertions) {
            continue;
        }
        let scenario = Arc::new(scenario);
        // Of four lives there are too many states without the other reductions.
        let all = [(true, true), (true, false), (false, false)];
        let small = if name == "four-lives" { 1 } else { all.len() };
        for (drops_at_once, forgets_orders) in all.into_iter().take(small) {
            let program = Program::new(&scenario)
                .dropping_at_once(drops_at_once)
                .forgetting_orders(forgets_orders);
            let report = Search::new().verify(true).run(&program);
            assert!(
                report.is_exhausted(),
                "{name}, drops at once {drops_at_once}, forgets orders {forgets_orders}: {report}"
            );
        }
    }
}

#[test]
fn reductions_change_no_verdict_and_leave_out_states() {
    let scenario = Arc::new(scenarios::named("three-lives").expect("a scenario"));
    let all = [
        (false, false, false),
        (true, false, false),
        (true, true, false),
        (true, true, true),
    ];
    let states = all.map(|(symmetry, ample, orders)| {
        let program = Program::new(&scenario)
            .dropping_at_once(true)
            .forgetting_orders(orders);
        let search = Search::new().symmetry(symmetry).ample(ample);
        let report = search.workers(2).run(&program);
        report.assert_exhausted();
        report.counts.states
    });
    assert!(states.is_sorted_by(|one, other| one > other), "{states:?}");
}

/// Whoever is woken looks again, and sleeps: no state is new.
#[test]
fn spurious_wake_ups_add_steps_and_no_states() {
    let mut more = 0;
    for scenario in scenarios::all() {
        let name = scenario.name.clone();
        if matches!(&*name, "four-lives" | "three-lives") {
            continue;
        }
        let scenario = Arc::new(scenario);
        let [plain, spurious] = [false, true].map(|wakes| {
            let program = Program::new(&scenario).waking_spuriously(wakes);
            let report = Search::new().ample(false).run(&program);
            report.assert_exhausted();
            report.counts
        });
        assert_eq!(plain.states, spurious.states, "{name}");
        assert_eq!(plain.ends, spurious.ends, "{name}");
        assert!(plain.transitions <= spurious.transitions, "{name}");
        more += usize::from(plain.transitions < spurious.transitions);
    }
    assert!(more > 50, "only {more} scenarios have somebody who sleeps");
}

#[test]
fn a_sleeper_that_only_a_spurious_wake_up_could_wake_is_deadlocked() {
    let text = include_str!("../../../examples/never-completes.toml");
    let path = std::path::Path::new("never-completes.toml");
    let scenario = Arc::new(Scenario::from_toml(path, text).expect("a scenario"));
    let found = [false, true].map(|wakes| {
        let program = Program::new(&scenario).waking_spuriously(wakes);
        search(&program, true).2.expect("nobody completes").rule
    });
    assert_eq!(found.map(|rule| rule.expect("a rule").number()), [16, 16]);
}

/// The other side has the interpreter and the oracle in common with this one, and nothing else: there the registrar's calls are
/// made on threads, and another search orders them.
#[cfg(shuttle)]
#[test]
fn the_explorer_sees_the_same_come_out_of_every_small_scenario() {
    use crate::engine::{Control, ExplorerOptions, Request, explore};
    use crate::engine_name::Engine;
    use crate::report::{Extent, Verdict};

    for scenario in scenarios::all() {
        let name = scenario.name.clone();
        if ["four-lives", "three-lives"].contains(&name.as_str()) {
            continue;
        }
        let scenario = Arc::new(scenario);
        let request = Request {
            scenario: scenario.clone(),
            conditions: Default::default(),
            engine: Engine::Explorer,
            seed: 0,
            budget: std::time::Duration::from_secs(600),
            executions: Arc::default(),
            explorer: ExplorerOptions::default(),
            control: Control::default(),
        };
        let explored = explore(&request, |_| {});
        let end = (explored.verdict(), explored.extent);
        assert_eq!(end, (Verdict::Holds, Extent::Complete), "{name}");
        let program = Program::new(&scenario).noting_outcomes();
        let (.., found) = search(&program, true);
        assert_eq!(found, None, "{name}");
        let seen = program
            .outcomes
            .expect("they are noted")
            .into_inner()
            .unwrap();
        assert_eq!(seen, explored.outcomes, "{name}");
    }
}

/// Of each scenario with so many states, reductions off: the same states and the same verdict as those of stateright,
/// which knows nothing of this crate's search.
#[cfg(not(any(loom, shuttle)))]
#[test]
fn stateright_counts_the_same_states_of_every_small_scenario() {
    use stateright::{of_the_peer, of_the_search};

    const SMALL: u64 = 3_000;

    let mut compared = 0;
    for scenario in scenarios::all() {
        let scenario = Arc::new(scenario);
        let search = Search::new().symmetry(false).max_states(SMALL);
        if search.run(&Program::new(&scenario)).is_exhausted() {
            let own = of_the_search(&Program::new(&scenario), 1);
            let peer = of_the_peer(Program::new(&scenario));
            assert_eq!(own, peer, "{}", scenario.name);
            compared += 1;
        }
    }
    assert!(compared > 120, "{compared}");
}

/// As near to what is wrong, in a scenario with a module that never completes.
#[cfg(not(any(loom, shuttle)))]
#[test]
fn stateright_finds_the_same_wrong_as_near() {
    use stateright::{Answer, of_the_peer, of_the_search};

    let mut scenario = scenarios::named("late-comer-pending").expect("a scenario");
    scenario
        .threads
        .retain(|thread| thread.name != "completing");
    let scenario = Arc::new(scenario);
    let own = of_the_search(&Program::new(&scenario), 1);
    assert!(matches!(own, Answer::Violated { .. }), "{own:?}");
    assert_eq!(own, of_the_peer(Program::new(&scenario)));
}
