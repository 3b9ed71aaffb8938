//! What stands between the program and the search: follows the program's operations on `nmr-sync`'s
//! primitives, and carries out the search's choices as a shuttle scheduler.
//!
//! It branches only before operations that others can notice: between them a thread runs on, for what
//! it does there nobody else can tell the time of. It never lets a thread run into a mutex that is held.
//! It decides nothing itself, except that where nothing has to be chosen the current thread goes on, and
//! that an execution of which everything is known is run to its end on a path that starves nobody (to
//! stop it would leave its stacks behind).

mod choose;
mod observe;
mod schedule;

use std::cell::RefCell;
use std::hash::Hash;
use std::rc::Rc;
use std::sync::Arc;

use nmr_sync::hook::{self, ObjectId, Operation, Write};
use smallvec::SmallVec;

use crate::conflicts::Conflicts;
use crate::deadlock;
use crate::knowledge::{Knowledge, Symmetries};
use crate::options::Options;
use crate::program::{At, Choice, Next, Program, Stop, Thread};
use crate::reduction::Reduction;
use crate::search::{Footprint, Search};
use crate::visited::Visited;
use crate::walk::Walk;
use choose::OTHER_END;

pub(crate) use schedule::Controlled;

/// What can come next at one scheduling point.
type Choices = SmallVec<[Choice; 8]>;

/// Threads of a program, the main one included: as many as there are bits to tell them apart.
const MAX_THREADS: usize = 64;
/// Operations in a row that a thread may do without a scheduling point: it may be waiting for another.
const BURST: u32 = 200;
/// Of so many executions one is hashed on its way to new ground, to see that it is the same way; and more
/// of the first ones.
const VERIFY_EVERY: u64 = 64;

/// See the [module's documentation](self). One for each worker.
pub(crate) struct Control {
    state: RefCell<State>,
}

/// How much of the current execution is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ground {
    /// It was made before up to here and farther; what is known is not followed, for what is known
    /// farther on was kept.
    Skipped,
    /// It was made before up to here.
    Repeated,
    /// It is new.
    New,
    /// All that will come is known.
    Known(Reason),
}

pub(crate) struct State {
    options: Arc<Options>,
    symmetries: Symmetries,
    pub(crate) visited: Arc<Visited>,
    /// The search where states are kept.
    pub(crate) walk: Walk,
    /// The search where they are not.
    pub(crate) search: Search,
    pub(crate) conflicts: Conflicts,
    /// The search decides who goes next: whatever goes wrong now is not the program's doing.
    pub(crate) is_picking: bool,
    /// Why the search cannot go on.
    pub(crate) error: Option<String>,
    /// The program cannot go on, for this reason.
    pub(crate) deadlock: Option<String>,
    executions: u64,
    execution: Execution,
}

/// What is known of the current execution.
struct Execution {
    ground: Ground,
    /// Whether it is compared on its way to new ground with what there was before.
    verifies: bool,
    program: Program,
    knowledge: Knowledge,
    /// What has been chosen.
    schedule: Vec<Choice>,
    /// Switches away from a thread that could have gone on.
    preemptions: u32,
    /// The thread that runs.
    current: Thread,
    /// The thread whose transition this is.
    running: Option<Thread>,
    transition: Transition,
    /// For each thread whose last operation took a mutex, which.
    last: Vec<(Thread, ObjectId)>,
    burst: u32,
}

/// What happens from one choice to the next.
#[derive(Default)]
struct Transition {
    footprint: Footprint,
    /// Mutexes taken in it, and what they protected then.
    taken: Vec<(ObjectId, Option<u128>)>,
}

impl Execution {
    fn new(spurious: bool) -> Self {
        Self {
            ground: Ground::New,
            verifies: false,
            program: Program::new(spurious),
            knowledge: Knowledge::new(),
            schedule: Vec::new(),
            preemptions: 0,
            current: 0,
            running: None,
            transition: Transition::default(),
            last: Vec::new(),
            burst: 0,
        }
    }

    /// Another one begins: as a new one, in the same memory.
    fn begin(&mut self) {
        let Self {
            ground,
            verifies,
            program,
            knowledge,
            schedule,
            preemptions,
            current,
            running,
            transition: Transition { footprint, taken },
            last,
            burst,
        } = self;
        (*ground, *verifies) = (Ground::New, false);
        program.begin();
        knowledge.clear();
        schedule.clear();
        (*preemptions, *current, *running) = (0, 0, None);
        footprint.clear();
        taken.clear();
        last.clear();
        *burst = 0;
    }

    const fn is_known(&self) -> bool {
        matches!(self.ground, Ground::Known(_))
    }

    /// Whether all that happens here was noted in another execution.
    const fn is_old(&self) -> bool {
        matches!(self.ground, Ground::Known(_) | Ground::Skipped)
    }
}

/// Why nothing new comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The same transitions were seen in another order.
    Asleep,
    /// The state was seen before.
    Known,
}

/// How an execution ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) reason: Option<Reason>,
    pub(crate) choices: usize,
    pub(crate) preemptions: u32,
}

impl Control {
    pub(crate) fn new(options: Arc<Options>, visited: Arc<Visited>) -> Rc<Self> {
        let sleep_sets = options.has(Reduction::SleepSets)
            && !options.has(Reduction::VisitedStates)
            && options.preemptions.is_none();
        let search = Search::new(sleep_sets);
        let symmetries = match options.has(Reduction::Symmetry) && options.preemptions.is_none() {
            true => Symmetries::new(&options.symmetries),
            false => Symmetries::new(&[]),
        };
        Rc::new(Self {
            state: RefCell::new(State {
                execution: Execution::new(options.spurious),
                options,
                symmetries,
                visited,
                walk: Walk::default(),
                search,
                conflicts: Conflicts::default(),
                is_picking: false,
                error: None,
                deadlock: None,
                executions: 0,
            }),
        })
    }

    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        f(&mut self.state.borrow_mut())
    }

    /// Whether what happens in the current execution is known: it happened before, and is kept, or all
    /// that comes is known.
    pub(crate) fn is_known(&self) -> bool {
        self.with(|state| match state.execution.ground {
            Ground::Known(_) => true,
            Ground::Skipped => state.options.keeper.is_some(),
            Ground::Repeated | Ground::New => false,
        })
    }
}

impl State {
    /// Whether what threads know and mutexes protect is followed here.
    fn follows(&self) -> bool {
        self.options.follows() && matches!(self.execution.ground, Ground::Repeated | Ground::New)
    }

    /// Whether an execution ends where it comes to a state seen before.
    pub(crate) fn keeps_states(&self) -> bool {
        self.options.has(Reduction::VisitedStates)
    }

    /// An execution begins.
    pub(crate) fn begin(&mut self) {
        self.executions += 1;
        hook::begin_execution();
        self.search.begin();
        let execution = &mut self.execution;
        execution.begin();
        execution.verifies =
            self.executions.is_power_of_two() || self.executions.is_multiple_of(VERIFY_EVERY);
        let repeats = self.walk.is_repeating() || self.search.is_repeating();
        execution.ground = match (repeats, self.walk.kept()) {
            (false, _) => Ground::New,
            (true, Some(_)) if !execution.verifies => Ground::Skipped,
            (true, _) => Ground::Repeated,
        };
    }

    /// The main thread has come to its end.
    pub(crate) fn main_ended(&mut self) {
        self.execution.program.thread(0).ended = true;
    }

    /// The execution has come to its end, and nothing has gone wrong in it.
    pub(crate) fn come_to_the_end(&mut self) {
        if self.deadlock.is_none() && self.error.is_none() && self.walk.is_repeating() {
            self.diverged::<()>(OTHER_END);
        }
    }

    /// The execution has ended.
    pub(crate) fn end(&mut self) -> Ended {
        self.close_transition();
        let execution = &self.execution;
        Ended {
            reason: match execution.ground {
                Ground::Known(reason) => Some(reason),
                _ => None,
            },
            choices: execution.schedule.len(),
            preemptions: execution.preemptions,
        }
    }

    /// What was chosen in the execution that has ended.
    pub(crate) fn schedule(&self) -> Vec<Thread> {
        let choices = self.execution.schedule.iter();
        choices.map(|choice| choice.thread()).collect()
    }

    /// The thread that goes next; `None` if none can, or none should.
    fn pick(&mut self, runnable: &[Thread], current: Option<Thread>) -> Option<Thread> {
        self.is_picking = true;
        let picked = self.pick_next(runnable, current);
        self.is_picking = false;
        picked
    }

    fn pick_next(&mut self, runnable: &[Thread], current: Option<Thread>) -> Option<Thread> {
        if self.error.is_some() {
            return None;
        }
        let program = &self.execution.program;
        let is_local = |thread: &Thread| program.stop_of(*thread).is_none();
        let goes_on = current.filter(|thread| is_local(thread) && runnable.contains(thread));
        if let Some(next) = goes_on.or_else(|| runnable.iter().copied().find(is_local)) {
            self.execution.current = next;
            return Some(next);
        }
        let options = self.options(runnable);
        // That a sleeper may wake without a reason does not mean that it ever will.
        let spurious = self.options.spurious;
        if options.is_empty() || spurious && options.iter().all(|&one| self.is_spurious(one)) {
            self.deadlock = Some(deadlock::describe(&self.execution.program));
            return None;
        }
        let choice = match self.execution.ground {
            Ground::Known(_) => self.next_in_turn(&options),
            _ => self.choose(&options)?,
        };
        self.go(choice);
        Some(choice.thread())
    }

    /// What can come next. The thread that ran comes first: few preemptions are tried before many.
    fn options(&self, runnable: &[Thread]) -> Choices {
        let Execution {
            program, running, ..
        } = &self.execution;
        let mut options = Choices::new();
        let mut add = |thread: Thread| {
            let stop = program.stop_of(thread).expect("it has stopped");
            for variant in 0..program.ways(stop.next) {
                options.push(Choice::new(thread, variant));
            }
            !options.is_empty()
        };
        // A choice of the thread's own is nobody else's business.
        let own = runnable.iter().find(|&&thread| self.is_own_choice(thread));
        if let Some(&own) = own {
            add(own);
            return options;
        }
        let goes_on = running.filter(|running| runnable.contains(running));
        let can_go_on = goes_on.is_some_and(&mut add);
        let bound = self.options.preemptions;
        if can_go_on && bound.is_some_and(|most| self.execution.preemptions >= most) {
            return options;
        }
        for &thread in runnable {
            if Some(thread) != goes_on {
                add(thread);
            }
        }
        options
    }

    fn is_spurious(&self, choice: Choice) -> bool {
        let stop = self.execution.program.stop_of(choice.thread());
        matches!(stop.map(|stop| stop.next), Some(Next::Asleep { .. }))
    }

    fn is_own_choice(&self, thread: Thread) -> bool {
        let stop = self.execution.program.stop_of(thread);
        match stop.map(|stop| stop.next) {
            Some(Next::Operation(Operation::Choose(_))) => !self.is_disputed(thread),
            Some(Next::Operation(operation @ Operation::NotifyOne(_))) => {
                !self.is_visible(operation)
            }
            _ => false,
        }
    }

    /// Of an execution that is known the rest is run with each thread in turn.
    fn next_in_turn(&self, options: &[Choice]) -> Choice {
        let running = self.execution.running.unwrap_or(0);
        let options = options.iter().copied();
        let sensible = options.filter(|&choice| !self.is_spurious(choice));
        let later = |choice: &Choice| choice.thread() <= running;
        let next = sensible.min_by_key(|choice| (later(choice), choice.thread));
        next.expect("there is an option with a reason")
    }

    /// A choice is carried out.
    fn go(&mut self, choice: Choice) {
        let thread = choice.thread();
        let is_own = self.is_own_choice(thread);
        let execution = &mut self.execution;
        let Stop { next, at } = execution.program.stop_of(thread).expect("it has stopped");
        // A thread that chooses on its way to its first operation interrupts nobody.
        if !is_own {
            if let Some(last) = execution.running
                && last != thread
                && let Some(stop) = execution.program.stop_of(last)
                && execution.program.ways(stop.next) > 0
            {
                execution.preemptions += 1;
            }
            execution.running = Some(thread);
        }
        execution.current = thread;
        execution.burst = 0;
        execution.schedule.push(choice);
        self.perform(thread, next, choice.variant, at);
    }

    /// An operation is done, as a part of the current transition.
    fn perform(&mut self, thread: Thread, next: Next, variant: u32, at: At) {
        let follows = self.follows();
        let execution = &mut self.execution;
        let touched = execution.program.go(thread, next, variant, at);
        let took = match next {
            Next::Operation(Operation::Acquire(mutex))
            | Next::Reacquire { mutex, .. }
            | Next::Asleep { mutex, .. } => Some(mutex),
            Next::Operation(Operation::TryAcquire(mutex)) => {
                (execution.program.threads[thread].outcome == 1).then_some(mutex)
            }
            _ => None,
        };
        // A mutex that is taken to read only is noted as such when it is released.
        for object in touched.into_iter().flatten() {
            let tried = matches!(next, Next::Operation(Operation::TryAcquire(_)));
            let writes = !follows || tried || Some(object) != took;
            execution.transition.footprint.add(object, writes);
        }
        if !follows {
            return;
        }
        if let Some(mutex) = took {
            let before = execution.knowledge.mark(mutex);
            execution.transition.taken.push((mutex, before));
            execution.knowledge.acquired(thread, mutex);
        }
        // That it came so far is a part of what a thread knows, whatever else it learns.
        let outcome = execution.program.threads[thread].outcome;
        let write: Write<'_> = &|mut state| (next, outcome).hash(&mut state);
        execution.knowledge.learn(&self.symmetries, thread, write);
    }

    /// The current transition is over, or has come to a point where it may be.
    fn close_transition(&mut self) {
        let transition = &mut self.execution.transition;
        // Who still holds what it took keeps others out, whatever it does with it.
        for (mutex, _) in transition.taken.drain(..) {
            transition.footprint.add(mutex, true);
        }
        self.search.touched(&transition.footprint);
        transition.footprint.clear();
    }
}
