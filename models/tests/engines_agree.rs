//! The explorer against the sampling engines: whatever a schedule drawn at random comes to, an
//! exhausted search must have come to as well.
#![cfg(shuttle)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use nmr_models::engine::{Exploration, Request, explore, shuttle};
use nmr_models::report::{Engine, Extent, Verdict};
use nmr_models::scenario::Scenario;
use nmr_models::scenarios;

/// For a search that should be exhausted; the others are left out.
const BUDGET: Duration = Duration::from_secs(2);
/// Executions for each sampling engine.
const SAMPLES: u64 = 1_000;

fn request(scenario: &Arc<Scenario>, engine: Engine, budget: Duration) -> Request {
    Request {
        scenario: scenario.clone(),
        engine,
        seed: 11,
        budget,
        executions: Arc::default(),
        search: Default::default(),
    }
}

fn exhausted(scenario: &Arc<Scenario>) -> Option<Exploration> {
    let exploration = explore(&request(scenario, Engine::Explorer, BUDGET), |_| {});
    let complete =
        (exploration.verdict(), exploration.extent) == (Verdict::Holds, Extent::Complete);
    complete.then_some(exploration)
}

#[test]
fn an_exhausted_search_has_seen_whatever_sampling_sees() {
    let (mut compared, mut outcomes) = (0, 0);
    for scenario in scenarios::all() {
        let scenario = Arc::new(scenario);
        let Some(exploration) = exhausted(&scenario) else {
            continue;
        };
        compared += 1;
        outcomes += exploration.outcomes.len();
        for engine in [Engine::Random, Engine::Pct, Engine::Urw] {
            let sampling = request(&scenario, engine, Duration::from_secs(60));
            let sampled = shuttle::explore(&sampling, Some(SAMPLES)).outcomes;
            let missed: BTreeSet<_> = sampled.difference(&exploration.outcomes).collect();
            let (name, count) = (&scenario.name, missed.len());
            assert!(
                missed.is_empty(),
                "{name}: {engine} saw {count} ends that the explorer did not"
            );
        }
    }
    assert!(compared >= 45, "only {compared} scenarios were exhausted");
    assert!(
        outcomes > 3 * compared,
        "{outcomes} ends of {compared} scenarios compare little"
    );
}
