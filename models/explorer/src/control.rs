//! What stands between the program and the search: follows the program's operations on `nmr-sync`'s
//! primitives, and carries out the search's choices as a shuttle scheduler.
//!
//! It branches only before visible operations (taking a mutex, notifying, and releasing a mutex that
//! some thread only tries to take): between them a thread runs on, for what it does there nobody else
//! can notice. It never lets a thread run into a mutex that is held. It decides nothing itself, except that where nothing has to be chosen the
//! current thread goes on, or the one with the lowest number.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use nmr_sync::hook::{ObjectId, Observer, Operation};
use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};

use crate::search::{Choice, Footprint, Search, Thread};

/// What a thread does when it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// An operation that it has announced.
    Operation(Operation),
    /// It takes a mutex again after it was woken from a condvar.
    Reacquire { mutex: ObjectId, condvar: ObjectId },
}

/// See the [module's documentation](self). Shared by the [`Observer`] and the [`Scheduler`].
pub(crate) struct Control {
    state: RefCell<State>,
}

pub(crate) struct State {
    pub(crate) search: Search<ObjectId>,
    /// Why the search cannot go on.
    pub(crate) error: Option<String>,
    /// Switches away from a thread that could have gone on, in the current execution.
    pub(crate) preemptions: u64,
    pub(crate) executions: u64,
    pub(crate) asleep: u64,
    /// Mutexes that some thread only tried to take, in any execution: their releases are visible.
    tried: BTreeSet<ObjectId>,
    /// One of them was not known before: what was searched without it does not count.
    again: bool,
    execution: Execution,
}

/// What is known of the current execution.
#[derive(Default)]
struct Execution {
    next: BTreeMap<Thread, Next>,
    /// On their way into a condvar's sleep: not asleep yet, and nothing to choose.
    falling_asleep: BTreeSet<Thread>,
    held: BTreeSet<ObjectId>,
    created: BTreeMap<Thread, u32>,
    /// The thread whose transition this is.
    running: Option<Thread>,
    /// What that transition has touched.
    touched: Footprint<ObjectId>,
}

impl Control {
    pub(crate) fn new() -> Rc<Self> {
        Rc::new(Self {
            state: RefCell::new(State {
                search: Search::new(),
                error: None,
                preemptions: 0,
                executions: 0,
                asleep: 0,
                tried: BTreeSet::new(),
                again: false,
                execution: Execution::default(),
            }),
        })
    }

    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        f(&mut self.state.borrow_mut())
    }

    /// An execution begins.
    pub(crate) fn begin(&self) {
        self.with(|state| {
            state.execution = Execution::default();
            state.preemptions = 0;
            state.executions += 1;
            state.search.begin();
        });
    }

    /// The execution has ended; whether there is another one to make.
    pub(crate) fn end(&self) -> bool {
        self.with(|state| {
            state.asleep += u64::from(state.search.is_asleep());
            let touched = std::mem::take(&mut state.execution.touched);
            if std::mem::take(&mut state.again) {
                state.search.start_again();
                return state.error.is_none();
            }
            state.error.is_none() && state.search.end(&touched)
        })
    }
}

fn me() -> Thread {
    let task = shuttle::current::get_current_task();
    usize::from(task.expect("the primitives are used by threads of the program"))
}

impl Observer for Control {
    fn before(&self, operation: Operation) {
        self.with(|state| {
            if let Operation::TryAcquire(mutex) = operation {
                state.again |= state.tried.insert(mutex);
            }
            let next = Next::Operation(operation);
            state.execution.next.insert(me(), next);
        });
    }

    fn is_tried(&self, mutex: ObjectId) -> bool {
        self.with(|state| state.tried.contains(&mutex))
    }

    fn touched(&self, object: ObjectId) {
        self.with(|state| {
            state.execution.touched.insert(object);
        });
    }

    fn acquired(&self, mutex: ObjectId) {
        self.with(|state| {
            state.execution.held.insert(mutex);
        });
    }

    fn released(&self, mutex: ObjectId) {
        self.with(|state| {
            state.execution.held.remove(&mutex);
            state.execution.touched.insert(mutex);
        });
    }

    fn sleeps(&self, condvar: ObjectId, mutex: ObjectId) {
        self.with(|state| {
            let execution = &mut state.execution;
            execution.held.remove(&mutex);
            execution.touched.extend([mutex, condvar]);
            execution
                .next
                .insert(me(), Next::Reacquire { mutex, condvar });
            execution.falling_asleep.insert(me());
        });
    }

    fn created(&self) -> ObjectId {
        let thread = me();
        self.with(|state| {
            let nth = state.execution.created.entry(thread).or_default();
            *nth += 1;
            ObjectId {
                thread: thread as u32,
                nth: *nth - 1,
            }
        })
    }
}

impl State {
    /// The thread that goes next.
    fn pick(&mut self, runnable: &[Thread], current: Option<Thread>) -> Thread {
        let execution = &mut self.execution;
        execution
            .falling_asleep
            .retain(|thread| runnable.contains(thread));
        let mut local = runnable.iter().copied().filter(|thread| {
            !execution.next.contains_key(thread) || execution.falling_asleep.contains(thread)
        });
        let first = local.next();
        if let Some(first) = first {
            let current = current.filter(|&thread| thread == first || local.any(|t| t == thread));
            return current.unwrap_or(first);
        }
        let mut enabled: Vec<Thread> = runnable.to_vec();
        enabled.retain(|&thread| execution.can_go(thread));
        // The one that ran goes on first: few preemptions come before many.
        enabled.sort_unstable_by_key(|&thread| (Some(thread) != execution.running, thread));
        if enabled.is_empty() {
            // Everybody waits for a mutex that is held: shuttle finds out.
            return runnable[0];
        }
        let chosen = match self.search.choose(&enabled, &execution.touched) {
            Ok(Choice::Go(thread)) => thread,
            Ok(Choice::Asleep) => enabled[0],
            Err(diverged) => {
                self.error.get_or_insert(diverged.to_string());
                enabled[0]
            }
        };
        let preempted = execution
            .running
            .is_some_and(|last| last != chosen && enabled.contains(&last));
        self.preemptions += u64::from(preempted);
        execution.go(chosen);
        chosen
    }
}

impl Execution {
    fn can_go(&self, thread: Thread) -> bool {
        match self.next.get(&thread) {
            Some(Next::Operation(Operation::Acquire(mutex)) | Next::Reacquire { mutex, .. }) => {
                !self.held.contains(mutex)
            }
            _ => true,
        }
    }

    /// The thread's next transition begins.
    fn go(&mut self, thread: Thread) {
        self.running = Some(thread);
        self.touched.clear();
        match self.next.remove(&thread) {
            Some(Next::Operation(Operation::Acquire(mutex))) => {
                self.held.insert(mutex);
                self.touched.insert(mutex);
            }
            Some(Next::Operation(
                Operation::TryAcquire(object)
                | Operation::Release(object)
                | Operation::Notify(object),
            )) => {
                self.touched.insert(object);
            }
            Some(Next::Reacquire { mutex, condvar }) => {
                self.held.insert(mutex);
                self.touched.extend([mutex, condvar]);
            }
            None => {}
        }
    }
}

/// The scheduler's side. Answers as many executions as the search wants and `limit` allows.
pub(crate) struct Controlled {
    pub(crate) control: Rc<Control>,
    /// Called between executions: why to stop, if there is a reason.
    pub(crate) limit: Box<dyn FnMut(&Control) -> bool>,
    pub(crate) begun: bool,
    pub(crate) exhausted: Rc<RefCell<bool>>,
}

impl Scheduler for Controlled {
    fn new_execution(&mut self) -> Option<Schedule> {
        if self.begun && !self.control.end() {
            *self.exhausted.borrow_mut() = self.control.with(|state| state.error.is_none());
            return None;
        }
        if (self.limit)(&self.control) {
            return None;
        }
        self.begun = true;
        self.control.begin();
        Some(Schedule::new(0))
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        _is_yielding: bool,
    ) -> Option<TaskId> {
        let numbers: Vec<Thread> = runnable.iter().map(|task| task.id().into()).collect();
        let picked = self
            .control
            .with(|state| state.pick(&numbers, current.map(usize::from)));
        Some(TaskId::from(picked))
    }

    fn next_u64(&mut self) -> u64 {
        // A random number is none here: the same each time.
        0
    }
}
