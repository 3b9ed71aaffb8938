//! An execution without threads, made again on threads: section by section, with the registrar's table compared after
//! each. That is what ties the [direct](crate::direct) engine to the registrar as it is used.

use std::sync::Arc;

use nmr_explorer::Verdict;
use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};

use super::explorer::{Followed, builder, execution, finding};
use super::{Request, current};
use crate::direct::{Action, Program};
use crate::interpreter::Prepared;
use crate::run::{Difference, Follower, Watch, Way};

/// What came of it.
#[derive(Clone, Debug)]
pub(crate) struct Tied {
    /// The execution on threads.
    pub(crate) followed: Followed,
    /// Where the two differ.
    pub(crate) difference: Option<String>,
    /// Whether they do because of a drop that there is on threads only. That is no fault of the harness: the drop of a
    /// last reference is what the execution without threads cannot show.
    pub(crate) by_a_drop: bool,
}

/// Goes along the path of a search without threads, which may end in a violation.
pub(crate) fn follow(request: &Request, program: &Program, path: &[Action]) -> Tied {
    let (way, violation) = program.way(path);
    let is_broken = violation.is_some();
    let mut tied = follow_way(request, way);
    let rules = [
        violation.map(|violation| violation.rule),
        tied.followed.finding.as_ref().map(|finding| finding.rule),
    ];
    if tied.followed.error.is_none() && tied.difference.is_none() && rules[0] != rules[1] {
        let [without, on] = rules.map(|broken| match broken {
            None => "nothing breaks".to_owned(),
            Some(None) => "something panics".to_owned(),
            Some(Some(rule)) => format!("{rule} breaks"),
        });
        tied.difference = Some(format!("without threads {without}, on threads {on}"));
    }
    debug_assert!(is_broken || tied.followed.finding.is_none() || tied.difference.is_some());
    tied
}

fn follow_way(request: &Request, way: Way) -> Tied {
    let watch = Watch::new(request.executions.clone(), |_, _| {});
    let watch = Arc::new(watch.showing_changes().along(Follower::new(way)));
    let prepared = Prepared::new(&request.scenario);
    let builder = builder(request, &prepared);
    let builder = builder.every_step().max_executions(1);
    let scheduler = Along {
        watch: watch.clone(),
        is_begun: false,
    };
    let report = builder.sample(execution(&prepared, &watch), scheduler);
    current::leave();
    let follower = watch.follower().expect("it goes along");
    let mut followed = Followed::default();
    let mut is_over = true;
    match report.verdict {
        Verdict::Sampled => {}
        Verdict::Violated(found) => {
            followed.finding = finding(&found);
            followed.schedule = found.schedule;
        }
        Verdict::HarnessError(error) => followed.error = Some(error),
        // Nobody who may go on can.
        Verdict::Incomplete(_) => is_over = false,
        other => followed.error = Some(format!("a verdict that nobody knows: {other:?}")),
    }
    let scenario = &request.scenario;
    let difference = follower.difference(is_over);
    let difference = difference.or_else(|| (!is_over).then(|| follower.halted()));
    Tied {
        followed,
        by_a_drop: difference.as_ref().is_some_and(Difference::is_a_drop),
        difference: difference.map(|it| it.told(scenario)),
    }
}

/// Gives each thread its turn as the execution without threads did.
struct Along {
    watch: Arc<Watch>,
    is_begun: bool,
}

impl Scheduler for Along {
    fn new_execution(&mut self) -> Option<Schedule> {
        let begins = !std::mem::replace(&mut self.is_begun, true);
        begins.then(|| Schedule::new(0))
    }

    fn next_task(&mut self, tasks: &[&Task], _: Option<TaskId>, _: bool) -> Option<TaskId> {
        let tasks: Vec<TaskId> = tasks.iter().map(|task| task.id()).collect();
        self.watch.follower()?.next(&tasks)
    }

    fn next_u64(&mut self) -> u64 {
        let choice = self.watch.follower().map(Follower::choose);
        choice.unwrap_or_default().into()
    }
}
