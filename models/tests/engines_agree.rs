//! The explorer against itself with each reduction off, and against the sampling engines: the same answers
//! and replies, the same ends, the same verdict.
#![cfg(shuttle)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use nmr_explorer::Reduction;
use nmr_models::engine::{Control, Exploration, ExplorerOptions, Request, explore, shuttle};
use nmr_models::engine_name::Engine;
use nmr_models::report::{Extent, Verdict};
use nmr_models::scenario::Scenario;
use nmr_models::scenarios;

/// Executions for each sampling engine.
const SAMPLES: u64 = 300;

/// A scenario is small if a search of it with all reductions needs no more executions: most need less than 100.
const SMALL: u64 = 5_000;
/// Without one of them a search may not come to an end in reasonable time: it may make so many executions.
const MANY: u64 = 5_000;
/// Without several of them hardly any large one does.
const FEW: u64 = 2_000;

/// How often the executions are counted.
const TICK: Duration = Duration::from_millis(1);
/// Of time there is enough: what is looked at must not depend on the machine.
const TIME: Duration = Duration::from_secs(600);

fn request(scenario: &Arc<Scenario>, engine: Engine) -> Request {
    Request {
        scenario: scenario.clone(),
        conditions: Default::default(),
        engine,
        seed: 11,
        budget: TIME,
        executions: Arc::default(),
        explorer: ExplorerOptions::default(),
        control: Control::default(),
    }
}

/// A search that may make `most` executions. It is asked to stop when it has made them, and makes some more
/// until it hears of that; one that needs no more comes to its end, however slow the machine is.
fn explored(scenario: &Arc<Scenario>, without: &[Reduction], most: u64) -> Exploration {
    let mut request = request(scenario, Engine::Explorer);
    request.explorer.without = without.to_vec();
    let stop = request.control.stop.insert(Arc::default()).clone();
    let executions = request.executions.clone();
    thread::scope(|scope| {
        let (running, ended) = mpsc::channel::<()>();
        scope.spawn(move || {
            while ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                let enough = executions.load(Ordering::Relaxed) >= most;
                stop.store(enough, Ordering::Relaxed);
            }
        });
        let exploration = explore(&request, |_| {});
        drop(running);
        exploration
    })
}

fn is_exhausted(exploration: &Exploration) -> bool {
    (exploration.verdict(), exploration.extent) == (Verdict::Holds, Extent::Complete)
}

/// All scenarios that the explorer exhausts in a few executions, with what comes out.
fn small() -> Vec<(Arc<Scenario>, Exploration)> {
    let all = scenarios::all();
    let count = all.len();
    let explored = all.into_iter().map(Arc::new).map(|scenario| {
        let exploration = explored(&scenario, &[], SMALL);
        (scenario, exploration)
    });
    let small: Vec<_> = explored
        .filter(|(_, exploration)| is_exhausted(exploration))
        .collect();
    assert!(
        small.len() * 10 >= count * 9,
        "only {} of {count} were exhausted",
        small.len()
    );
    small
}

#[test]
fn no_reduction_changes_what_comes_out() {
    let (mut searches, mut compared) = (0, 0);
    let each = Reduction::ALL.map(|one| vec![one]).into_iter();
    // Without these two nothing is followed, and nothing kept.
    let sets = each.chain([vec![Reduction::VisitedStates, Reduction::LockAware]]);
    let sets: Vec<_> = sets.collect();
    for (scenario, expected) in small() {
        for off in &sets {
            let most = if off.len() == 1 { MANY } else { FEW };
            let without = explored(&scenario, off, most);
            searches += 1;
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
        compared * 5 >= searches * 4,
        "only {compared} of {searches} searches came to their end"
    );
}

#[test]
fn an_exhausted_search_has_seen_whatever_sampling_sees() {
    let (mut compared, mut outcomes) = (0, 0);
    for (scenario, exploration) in small() {
        compared += 1;
        outcomes += exploration.outcomes.len();
        for engine in [Engine::Random, Engine::Pct, Engine::Urw] {
            let sampling = request(&scenario, engine);
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
        let mut request = request(&scenario, Engine::Explorer);
        request.explorer.workers = 3;
        let several = explore(&request, |_| {});
        let name = &scenario.name;
        assert_eq!(several.verdict(), one.verdict(), "{name}");
        assert_eq!(several.states, one.states, "{name}");
        assert_eq!(several.outcomes, one.outcomes, "{name}");
    }
}
