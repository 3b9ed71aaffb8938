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
fn all_scenarios() {
    for scenario in scenarios::all() {
        let name = scenario.name.clone();
        if name.contains("four-lives") || name.contains("three-lives-pending") {
            continue;
        }
        let program = Program::new(&Arc::new(scenario));
        let t = std::time::Instant::now();
        let (states, transitions, found) = search(&program, true);
        println!("{name}: {states} {transitions} {found:?} {:?}", t.elapsed());
    }
}

#[test]
fn measure() {
    for (name, glue) in [
        ("three-lives", false),
        ("three-lives", true),
        ("four-lives", true),
    ] {
        let scenario = scenarios::named(name).unwrap();
        let program = Program::new(&Arc::new(scenario)).dropping_at_once(glue);
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
            for &action in &enabled {
                let mut next = match spare.pop() {
                    Some(mut old) => {
                        old.clone_from(&state);
                        old
                    }
                    None => state.clone(),
                };
                transitions += 1;
                program.apply(&mut next, action).unwrap();
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
