//! shuttle's own depth-first search, without any reduction: what the explorer's speed is compared with,
//! and what it sees of scenarios that are small enough.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use shuttle::scheduler::{DfsScheduler, Schedule, Scheduler, Task, TaskId};
use shuttle::{Config, FailurePersistence, Runner};

use super::text;

/// How a search ended.
pub(super) enum Search {
    Exhausted,
    Cut(String),
    Failed(String),
}

/// Runs `program` until every order of its steps has been taken, or a limit is reached.
pub(super) fn search(
    program: impl Fn() + Send + Sync + 'static,
    budget: Duration,
    max_executions: Option<u64>,
) -> Search {
    let exhausted = Arc::new(AtomicBool::new(false));
    let scheduler = Limited {
        inner: DfsScheduler::new(None, false),
        deadline: Instant::now() + budget,
        left: max_executions,
        exhausted: exhausted.clone(),
    };
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None;
    config.silence_warnings = true;
    let ended = catch_unwind(AssertUnwindSafe(|| {
        Runner::new(scheduler, config).run(program)
    }));
    match ended {
        Ok(_) if exhausted.load(Ordering::Relaxed) => Search::Exhausted,
        Ok(executions) if max_executions == Some(executions as u64) => {
            Search::Cut(format!("{executions} executions were made"))
        }
        Ok(_) => Search::Cut(format!("{budget:?} were over")),
        Err(payload) => Search::Failed(format!("shuttle failed: {}", text(payload.as_ref()))),
    }
}

/// Ends another scheduler's search at a limit, and says whether it came to its end before that: shuttle
/// answers the same in both cases.
struct Limited {
    inner: DfsScheduler,
    deadline: Instant,
    left: Option<u64>,
    exhausted: Arc<AtomicBool>,
}

impl Scheduler for Limited {
    fn new_execution(&mut self) -> Option<Schedule> {
        if self.left == Some(0) || Instant::now() >= self.deadline {
            return None;
        }
        self.left = self.left.map(|left| left - 1);
        let schedule = self.inner.new_execution();
        let is_over = schedule.is_none();
        self.exhausted.store(is_over, Ordering::Relaxed);
        schedule
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        is_yielding: bool,
    ) -> Option<TaskId> {
        self.inner.next_task(runnable, current, is_yielding)
    }

    fn next_u64(&mut self) -> u64 {
        self.inner.next_u64()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::engine::{self, Request, current};
    use crate::engine_name::Engine;
    use crate::interpreter::Prepared;
    use crate::report::{Extent, Verdict};
    use crate::run::Watch;
    use crate::scenario::Scenario;
    use crate::scenarios;

    /// So many executions exhaust a scenario that is small enough.
    const FEW: u64 = 5_000;

    /// What can come out of a scenario, if it is small enough.
    fn outcomes(scenario: &Arc<Scenario>) -> Option<BTreeSet<u64>> {
        let watch = Arc::new(Watch::new(Arc::default(), |_, _| {}));
        let program = {
            let (prepared, watch) = (Prepared::new(scenario), watch.clone());
            move || {
                watch.begin();
                current::execute(&prepared, &watch);
            }
        };
        let search = search(program, Duration::from_secs(60), Some(FEW));
        let found = current::take_finding();
        current::leave();
        match search {
            Search::Exhausted => {
                assert_eq!(watch.unheard(), 0, "{}: something was found", scenario.name);
                Some(watch.outcomes())
            }
            Search::Cut(_) => None,
            Search::Failed(why) => panic!("{}: {why}: {:?}", scenario.name, found),
        }
    }

    #[test]
    fn what_comes_out_of_small_scenarios_is_what_the_explorer_sees() {
        let mut small = Vec::new();
        // The scheduler has no data to choose by.
        let deterministic = |scenario: &Scenario| !scenario.completes_any();
        for scenario in scenarios::all().into_iter().filter(deterministic) {
            let scenario = Arc::new(scenario);
            let Some(expected) = outcomes(&scenario) else {
                continue;
            };
            let request = Request {
                scenario: scenario.clone(),
                conditions: Default::default(),
                engine: Engine::Explorer,
                seed: 0,
                budget: Duration::from_secs(60),
                executions: Arc::default(),
                explorer: engine::ExplorerOptions::default(),
                control: engine::Control::default(),
            };
            let seen = engine::explore(&request, |seen| panic!("{:?}", seen.finding));
            let end = (seen.verdict(), seen.extent);
            assert_eq!(end, (Verdict::Holds, Extent::Complete), "{}", scenario.name);
            assert_eq!(seen.outcomes, expected, "{}", scenario.name);
            small.push(scenario.name.clone());
        }
        assert!(small.len() >= 10, "{small:?}");
    }
}
