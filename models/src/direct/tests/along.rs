//! Paths of the system, made again on threads.

use std::sync::Arc;
use std::time::Duration;

use nmr_search::System;

use crate::direct::{Action, Program};
use crate::engine::along;
use crate::engine::{Control, ExplorerOptions, Request};
use crate::engine_name::Engine;
use crate::scenario::Scenario;
use crate::scenarios;
use crate::seed::{GAMMA, split_mix};

fn request(scenario: &Arc<Scenario>) -> Request {
    Request {
        scenario: scenario.clone(),
        engine: Engine::Explorer,
        seed: 0,
        budget: Duration::from_secs(60),
        executions: Arc::default(),
        explorer: ExplorerOptions::default(),
        control: Control::default(),
    }
}

/// A path to an end, each step by lot.
fn walk(program: &Program, seed: &mut u64) -> Vec<Action> {
    let mut state = program.initial();
    let (mut path, mut enabled) = (Vec::new(), Vec::new());
    loop {
        program.actions(&state, &mut enabled);
        if enabled.is_empty() {
            return path;
        }
        *seed = seed.wrapping_add(GAMMA);
        let action = enabled[(split_mix(*seed) % enabled.len() as u64) as usize];
        path.push(action);
        let stepped = program.apply(&mut state, action);
        stepped.expect("the scenario holds");
        enabled.clear();
    }
}

#[test]
fn random_paths_of_every_scenario_are_made_again_on_threads_step_by_step() {
    for scenario in scenarios::all() {
        let scenario = Arc::new(scenario);
        let mut seed = 7;
        for drops_at_once in [false, true] {
            let program = Program::new(&scenario).dropping_at_once(drops_at_once);
            for nth in 0..100 {
                let path = walk(&program, &mut seed);
                let tied = along::follow(&request(&scenario), &program, &path);
                let name = &scenario.name;
                assert_eq!(tied.followed.error, None, "{name}, path {nth}");
                assert_eq!(tied.difference, None, "{name}, path {nth}");
            }
        }
    }
}
