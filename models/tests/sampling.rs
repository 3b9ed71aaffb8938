//! shuttle's engines as a library: the same seed makes the same executions.
#![cfg(shuttle)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nmr_models::engine::{Request, shuttle};
use nmr_models::engine_name::Engine;
use nmr_models::rule::Rule;
use nmr_models::scenario::Scenario;
use nmr_models::scenarios;

const SAMPLING: [Engine; 3] = [Engine::Random, Engine::Pct, Engine::Urw];

fn request(scenario: Scenario, engine: Engine, seed: u64) -> Request {
    Request {
        scenario: Arc::new(scenario),
        conditions: Default::default(),
        engine,
        seed,
        budget: Duration::from_secs(600),
        executions: Arc::default(),
        explorer: Default::default(),
        control: Default::default(),
    }
}

/// Two threads that deadlock by the scenario's own fault, in every interleaving.
fn stuck() -> Scenario {
    let text = r#"
name = "stuck"
summary = "a provider never completes"
before = ["register c", "register p", "deregister c"]
[[module]]
name = "c"
side = "client"
[[module]]
name = "p"
side = "provider"
detach = "pending"
[[thread]]
name = "one"
ops = ["wait c"]
[[thread]]
name = "two"
ops = ["yield", "wait c"]
"#;
    Scenario::from_toml(Path::new("stuck.toml"), text).unwrap()
}

#[test]
fn the_same_seed_makes_the_same_executions() {
    for engine in SAMPLING {
        let run = |seed| {
            let scenario = scenarios::named("three-lives").unwrap();
            shuttle::explore(&request(scenario, engine, seed), Some(1000)).exercised
        };
        assert_eq!(run(1), run(1), "{engine}");
        assert_ne!(run(1), run(2), "{engine}");
    }
}

#[test]
fn as_many_executions_are_made_as_were_asked_for() {
    for engine in SAMPLING {
        let scenario = scenarios::named("two-lives").unwrap();
        let exploration = shuttle::explore(&request(scenario, engine, 1), Some(17));
        assert_eq!(exploration.executions, 17, "{engine}");
        assert_eq!(exploration.finding, None);
    }
}

#[test]
fn a_deadlock_is_a_finding_and_the_process_goes_on() {
    for engine in SAMPLING {
        let exploration = shuttle::explore(&request(stuck(), engine, 1), Some(10));
        let finding = exploration.finding.expect("it is stuck");
        assert_eq!(finding.rule, Some(Rule::new(16)));
        assert_eq!(exploration.executions, 1);
    }
}
