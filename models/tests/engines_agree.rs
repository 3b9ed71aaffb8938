//! The explorer against itself with each reduction off, and against the sampling engines: the same answers
//! and replies, the same ends, the same verdict.
#![cfg(shuttle)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use nmr_explorer::Reduction;
use nmr_models::engine::{Exploration, Request, Search, explore, shuttle};
use nmr_models::engine_name::Engine;
use nmr_models::report::{Extent, Verdict};
use nmr_models::scenario::Scenario;
use nmr_models::scenarios;

/// Executions for each sampling engine.
const SAMPLES: u64 = 300;

/// Without these a search may not come to an end in reasonable time: it gets this much.
const PATIENCE: Duration = Duration::from_secs(2);
/// Without several of them hardly any large one does.
const LITTLE_PATIENCE: Duration = Duration::from_millis(250);

fn request(scenario: &Arc<Scenario>, engine: Engine, budget: Duration) -> Request {
    Request {
        scenario: scenario.clone(),
        engine,
        seed: 11,
        budget,
        executions: Arc::default(),
        search: Search::default(),
    }
}

fn explored(scenario: &Arc<Scenario>, without: &[Reduction], budget: Duration) -> Exploration {
    let mut request = request(scenario, Engine::Explorer, budget);
    request.search.without = without.to_vec();
    explore(&request, |_| {})
}

fn is_exhausted(exploration: &Exploration) -> bool {
    (exploration.verdict(), exploration.extent) == (Verdict::Holds, Extent::Complete)
}

/// All scenarios that the explorer exhausts in less than a second or so, with what comes out.
fn small() -> Vec<(Arc<Scenario>, Exploration)> {
    let all = scenarios::all().into_iter().map(Arc::new);
    let explored = all.map(|scenario| {
        let exploration = explored(&scenario, &[], PATIENCE);
        (scenario, exploration)
    });
    let small: Vec<_> = explored
        .filter(|(_, exploration)| is_exhausted(exploration))
        .collect();
    assert!(small.len() >= 57, "only {} were exhausted", small.len());
    small
}

#[test]
fn no_reduction_changes_what_comes_out() {
    let mut compared = 0;
    let each = Reduction::ALL.map(|one| vec![one]).into_iter();
    // Without these two nothing is followed, and nothing kept.
    let sets = each.chain([vec![Reduction::VisitedStates, Reduction::LockAware]]);
    let sets: Vec<_> = sets.collect();
    for (scenario, expected) in small() {
        for off in &sets {
            let patience = if off.len() == 1 {
                PATIENCE
            } else {
                LITTLE_PATIENCE
            };
            let without = explored(&scenario, off, patience);
            let name = &scenario.name;
            if without.verdict() == Verdict::Incomplete {
                // It shows at least nothing that is not there.
                assert!(
                    without.outcomes.is_subset(&expected.outcomes),
                    "{name} without {off:?}"
                );
                continue;
            }
            compared += 1;
            assert!(is_exhausted(&without), "{name} without {off:?}");
            assert_eq!(
                without.outcomes, expected.outcomes,
                "{name} without {off:?}"
            );
        }
    }
    assert!(
        compared >= 300,
        "only {compared} searches came to their end"
    );
}

#[test]
fn an_exhausted_search_has_seen_whatever_sampling_sees() {
    let (mut compared, mut outcomes) = (0, 0);
    for (scenario, exploration) in small() {
        compared += 1;
        outcomes += exploration.outcomes.len();
        for engine in [Engine::Random, Engine::Pct, Engine::Urw] {
            let sampling = request(&scenario, engine, Duration::from_secs(60));
            let sampled = shuttle::explore(&sampling, Some(SAMPLES)).outcomes;
            let missed: BTreeSet<_> = sampled.difference(&exploration.outcomes).collect();
            let (name, count) = (&scenario.name, missed.len());
            assert!(
                missed.is_empty(),
                "{name}: {engine} saw {count} things that the explorer did not"
            );
        }
    }
    assert!(
        outcomes > 10 * compared,
        "{outcomes} outcomes of {compared} scenarios compare little"
    );
}

#[test]
fn as_many_workers_as_one_likes_come_to_the_same() {
    for (scenario, one) in small() {
        let mut request = request(&scenario, Engine::Explorer, Duration::from_secs(60));
        request.search.workers = 3;
        let several = explore(&request, |_| {});
        let name = &scenario.name;
        assert_eq!(several.verdict(), one.verdict(), "{name}");
        assert_eq!(several.states, one.states, "{name}");
        assert_eq!(several.outcomes, one.outcomes, "{name}");
    }
}
