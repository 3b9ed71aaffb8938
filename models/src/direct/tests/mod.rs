//! The system of a scenario, searched naively here.

use std::collections::HashSet;
use std::sync::Arc;

use nmr_search::{Encoder, System};

use super::{Action, Program, State, Violation};
use crate::scenarios;

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

#[test]
fn measure() {
    let pending = crate::programs::four_lives_pending();
    let runs =
        ["two-lives", "three-lives", "four-lives"].map(|name| scenarios::named(name).unwrap());
    for scenario in runs.into_iter().chain([pending]) {
        let name = scenario.name.clone();
        let program = Program::new(&Arc::new(scenario)).dropping_at_once(true);
        let t = std::time::Instant::now();
        let mut encoder = Encoder::default();
        let mut candidates = Vec::new();
        let mut code = |state: &State| {
            candidates.clear();
            program.candidates(state, &mut candidates);
            let codes = candidates.iter().map(|&index| {
                encoder.clear();
                program.encode(state, &program.permutations()[index], &mut encoder);
                encoder.fingerprint()
            });
            codes.min().unwrap()
        };
        let initial = program.initial();
        let mut seen = HashSet::from([code(&initial)]);
        let mut open = vec![initial];
        let mut transitions = 0;
        let mut enabled: Vec<Action> = Vec::new();
        let mut spare: Vec<State> = Vec::new();
        while let Some(state) = open.pop() {
            enabled.clear();
            program.actions(&state, &mut enabled);
            if enabled.is_empty() {
                program.finished(&state).unwrap();
            }
            let mut claims = nmr_search::Claims::default();
            program.ample(&state, &enabled, &mut claims);
            let taken: Vec<Action> = claims
                .iter()
                .next()
                .map_or(enabled.clone(), <[Action]>::to_vec);
            let claimed = claims.len() > 0;
            for &action in &taken {
                let mut next = match spare.pop() {
                    Some(mut old) => {
                        old.clone_from(&state);
                        old
                    }
                    None => state.clone(),
                };
                transitions += 1;
                program.apply(&mut next, action).unwrap();
                assert!(!claimed || program.progress(&next) > program.progress(&state));
                if seen.insert(code(&next)) {
                    open.push(next);
                } else {
                    spare.push(next);
                }
            }
            spare.push(state);
        }
        let s = t.elapsed().as_secs_f64();
        println!(
            "{name}: {} {transitions} {s} {}/s",
            seen.len(),
            seen.len() as f64 / s
        );
    }
}

/// The other side shares no code with this one from the scenario to the oracle.
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
            engine: Engine::Explorer,
            seed: 0,
            budget: std::time::Duration::from_secs(60),
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
