//! Uniform random walk (Zhao, Wolff, Mathur and Roychoudhury, "Selectively Uniform Concurrency Testing", ASPLOS 2025): each
//! next thread is drawn with a weight of as many choices as it has yet to make, its children's included, so that
//! all interleavings are about as likely. The choices are counted in the first execution, which draws evenly.
//!
//! shuttle has the same, but wants to see each thread as soon as it is there; the explorer shows those that can
//! go on.

use crate::seed::{GAMMA, split_mix};
use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};

/// What is known of a thread.
#[derive(Clone, Copy, Debug, Default)]
struct Thread {
    parent: Option<usize>,
    /// Choices that it makes, its children's included, as counted in the first execution.
    choices: u64,
    /// Of these, the ones that are left in the execution at hand.
    left: u64,
    /// Whether it has been seen in the execution at hand.
    is_seen: bool,
}

/// See the [module's documentation](self).
pub(super) struct UniformWalk {
    state: u64,
    executions: u64,
    threads: Vec<Thread>,
}

impl UniformWalk {
    pub(super) const fn new(seed: u64) -> Self {
        Self {
            state: seed,
            executions: 0,
            threads: Vec::new(),
        }
    }

    const fn is_counting(&self) -> bool {
        self.executions == 1
    }

    /// What the children do is their parents' as long as they are not seen.
    fn add_children(&mut self) {
        for child in (0..self.threads.len()).rev() {
            let Thread {
                parent, choices, ..
            } = self.threads[child];
            if let Some(parent) = parent.filter(|&parent| parent < child) {
                self.threads[parent].choices += choices;
            }
        }
    }

    /// A thread can go on.
    fn see(&mut self, task: &Task) {
        let number = usize::from(task.id());
        if self.threads.len() <= number {
            self.threads.resize(number + 1, Thread::default());
        }
        if std::mem::replace(&mut self.threads[number].is_seen, true) {
            return;
        }
        let parent = task.parent_task_id().map(usize::from);
        let own = self.threads[number].choices;
        self.threads[number].parent = parent;
        if let Some(parent) = parent.filter(|_| !self.is_counting()) {
            let left = &mut self.threads[parent].left;
            *left = left.saturating_sub(own);
        }
    }

    fn weight(&self, task: &Task) -> u64 {
        match self.is_counting() {
            true => 1,
            false => self.threads[usize::from(task.id())].left.max(1),
        }
    }
}

impl Scheduler for UniformWalk {
    fn new_execution(&mut self) -> Option<Schedule> {
        if self.is_counting() {
            self.add_children();
        }
        self.executions += 1;
        for thread in &mut self.threads {
            (thread.left, thread.is_seen) = (thread.choices, false);
        }
        Some(Schedule::new(self.state))
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        _current: Option<TaskId>,
        _is_yielding: bool,
    ) -> Option<TaskId> {
        runnable.iter().for_each(|task| self.see(task));
        let total: u64 = runnable.iter().map(|task| self.weight(task)).sum();
        let mut drawn = self.next_u64() % total.max(1);
        let next = runnable.iter().find(|task| {
            let weight = self.weight(task);
            let is_it = drawn < weight;
            drawn = drawn.saturating_sub(weight);
            is_it
        })?;
        let thread = &mut self.threads[usize::from(next.id())];
        match self.executions {
            1 => thread.choices += 1,
            _ => thread.left = thread.left.saturating_sub(1),
        }
        Some(next.id())
    }

    fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GAMMA);
        split_mix(self.state)
    }
}
