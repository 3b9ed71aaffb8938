//! The scheduler's side of [`Control`]: carries out its choices under shuttle.

use std::rc::Rc;

use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};
use smallvec::SmallVec;

use super::{Control, State};
use crate::checker::program::Thread;

/// The scheduler's side. Asks `next` between executions whether to make another one.
pub(crate) struct Controlled<N> {
    pub(crate) control: Rc<Control>,
    pub(crate) next: N,
}

impl<N: FnMut(&Control) -> bool> Scheduler for Controlled<N> {
    fn new_execution(&mut self) -> Option<Schedule> {
        if !(self.next)(&self.control) {
            return None;
        }
        self.control.with(State::begin);
        Some(Schedule::new(0))
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        _is_yielding: bool,
    ) -> Option<TaskId> {
        let numbers = runnable.iter().map(|task| task.id().into());
        let numbers: SmallVec<[Thread; 8]> = numbers.collect();
        let picked = self
            .control
            .with(|state| state.pick(runnable, &numbers, current.map(usize::from)));
        picked.map(TaskId::from)
    }

    fn next_u64(&mut self) -> u64 {
        // A random number is none here: the same each time.
        0
    }
}
