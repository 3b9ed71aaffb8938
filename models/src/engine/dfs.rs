//! shuttle's own depth-first search, without any reduction: what the explorer's speed is compared with.

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
