//! Paths of the system, made again on threads.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use nmr_search::System;

use crate::conditions::Conditions;
use crate::direct::{Action, Program};
use crate::engine::along;
use crate::engine::{Control, ExplorerOptions, Request};
use crate::engine_name::Engine;
use crate::op::Op;
use crate::scenario::{Attach, Scenario};
use crate::scenarios;
use crate::seed::{GAMMA, split_mix};

fn request(scenario: &Arc<Scenario>) -> Request {
    Request {
        scenario: scenario.clone(),
        conditions: Default::default(),
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

/// Sleepers that nobody has woken look on threads as they do without, and see the same.
#[test]
fn random_paths_with_spurious_wake_ups_are_made_again_on_threads_too() {
    let (mut seed, mut spurious) = (7, 0);
    for scenario in scenarios::all() {
        let scenario = Arc::new(scenario);
        let [plain, program] =
            [false, true].map(|it| Program::new(&scenario).waking_spuriously(it));
        for nth in 0..100 {
            let path = walk(&program, &mut seed);
            spurious += usize::from(!plain.has(&path));
            let request = Request {
                conditions: Conditions {
                    spurious_wakeups: true,
                    ..Conditions::default()
                },
                ..request(&scenario)
            };
            let tied = along::follow(&request, &program, &path);
            let name = &scenario.name;
            assert_eq!(tied.followed.error, None, "{name}, path {nth}");
            assert_eq!(tied.difference, None, "{name}, path {nth}");
        }
    }
    assert!(spurious > 1_000, "only {spurious} paths have one");
}

#[test]
fn random_paths_of_every_scenario_are_made_again_on_threads_step_by_step() {
    for scenario in scenarios::all() {
        let scenario = Arc::new(scenario);
        let mut seed = 7;
        for drops_at_once in [false, true] {
            let program = Program::new(&scenario).dropping_at_once(drops_at_once);
            let mut made = HashSet::new();
            for nth in 0..500 {
                let path = walk(&program, &mut seed);
                if !made.insert(path.clone()) {
                    continue;
                }
                let tied = along::follow(&request(&scenario), &program, &path);
                let name = &scenario.name;
                assert_eq!(tied.followed.error, None, "{name}, path {nth}");
                assert_eq!(tied.difference, None, "{name}, path {nth}");
            }
        }
    }
}

/// Who waits beside the registrar for what never comes may be woken without a reason, too, and that is no way out.
#[test]
fn a_ring_of_locks_is_a_deadlock_on_threads_too_where_wake_ups_are_spurious() {
    let text = r#"
        name = "crossed"
        summary = "Two threads take two locks, each in its own order."
        locks = ["l", "m"]
        [[module]]
        name = "c"
        side = "client"
        [[thread]]
        name = "a"
        ops = ["lock l", "lock m", "unlock m", "unlock l"]
        [[thread]]
        name = "b"
        ops = ["lock m", "lock l", "unlock l", "unlock m"]
        "#;
    let path = std::path::Path::new("crossed.toml");
    let scenario = Arc::new(Scenario::from_toml(path, text).expect("a scenario"));
    let program = Program::new(&scenario).waking_spuriously(true);
    let mut stuck = 0;
    for mut seed in 0..20 {
        let path = walk(&program, &mut seed);
        let tied = along::follow(
            &Request {
                conditions: Conditions {
                    spurious_wakeups: true,
                    ..Conditions::default()
                },
                ..request(&scenario)
            },
            &program,
            &path,
        );
        assert_eq!(
            (tied.followed.error, tied.difference),
            (None, None),
            "{seed}"
        );
        stuck += usize::from(tied.followed.finding.is_some());
    }
    assert!(stuck > 0, "each took both in turn");
}

/// What an owner has in hand when its call is not to be made is let go of without deregistering.
#[test]
fn an_owners_call_that_breaks_a_rule_ends_on_threads_as_it_does_without() {
    let text = |op: &str| {
        format!(
            r#"
            name = "leaves-in-a-detach"
            summary = "An owner leaves inside a detach callback, which does not wait."
            platform = "windows"
            before = ["register c", "register p", "own d"]
            after = ["deregister c"]
            [[module]]
            name = "c"
            side = "client"
            in-detach = ["{op} d"]
            [[module]]
            name = "p"
            side = "provider"
            [[module]]
            name = "d"
            side = "client"
            "#
        )
    };
    for op in ["release", "leave"] {
        let path = std::path::Path::new("leaves-in-a-detach.toml");
        let scenario = Scenario::from_toml(path, &text(op)).expect("a scenario");
        let scenario = Arc::new(scenario);
        let program = Program::new(&scenario);
        let (mut state, mut path) = (program.initial(), Vec::new());
        let broken = loop {
            let mut enabled = Vec::new();
            program.actions(&state, &mut enabled);
            let &action = enabled.first().expect("it breaks a rule before its end");
            path.push(action);
            if let Err(violation) = program.apply(&mut state, action) {
                break violation;
            }
        };
        assert_eq!(
            broken.rule.map(|rule| rule.to_string()).as_deref(),
            Some("W1")
        );
        let tied = along::follow(&request(&scenario), &program, &path);
        assert_eq!((tied.followed.error, tied.difference), (None, None), "{op}");
    }
}

/// A client and a provider meet and part, on one thread.
fn meeting() -> Scenario {
    let mut scenario = scenarios::named("two-lives").expect("a scenario");
    let all = scenario.threads.drain(..).flat_map(|thread| thread.ops);
    let (registers, others): (Vec<Op>, Vec<Op>) = all.partition(|op| matches!(op, Op::Register(_)));
    scenario.before = registers;
    scenario.after = others;
    scenario
}

/// What is told where the execution on threads is one of another scenario: as if one of the two were wrong.
fn difference(change: impl Fn(&mut Scenario)) -> String {
    let mut other = meeting();
    change(&mut other);
    let program = Program::new(&Arc::new(meeting()));
    let path = walk(&program, &mut 7);
    let tied = along::follow(&request(&Arc::new(other)), &program, &path);
    assert_eq!(tied.followed.error, None);
    tied.difference.expect("they are different")
}

#[test]
fn another_reply_is_a_difference() {
    let told = difference(|other| other.modules[0].attach = Attach::Decline);
    let expected = "without threads `main: attach c–p`, on threads `main: ⟨= failure⟩`";
    assert!(told.ends_with(expected), "{told}");
}

#[test]
fn another_table_after_the_same_events_is_a_difference() {
    let told = difference(|other| other.modules[0].null_context = true);
    let tables = told.matches("a critical section, after it table").count();
    assert_eq!(tables, 2, "{told}");
}

#[test]
fn an_execution_that_goes_on_is_a_difference_and_so_is_one_that_stops() {
    let more = difference(|other| other.after.push(Op::Register("c".to_owned())));
    let expected = "without threads `nothing more`, on threads `main: register c'1`";
    assert!(more.ends_with(expected), "{more}");
    let less = difference(|other| drop(other.after.pop()));
    let expected = "without threads `main: wait for p`, on threads `nothing more`";
    assert!(less.ends_with(expected), "{less}");
}

/// A path that means another execution by now is found out before it is made.
#[test]
fn a_path_that_does_not_fit_is_none() {
    let program = Program::new(&Arc::new(meeting()));
    let path = walk(&program, &mut 7);
    assert!(program.has(&path) && program.has(&path[1..]));
    let longer = [path.as_slice(), &path[..1]].concat();
    assert!(!program.has(&longer));
    let mut strange = path.clone();
    strange[0].thread = 1;
    assert!(!program.has(&strange));
}
