//! What stands between the program and the search: follows the program's operations on `nmr-sync`'s
//! primitives, and carries out the search's choices as a shuttle scheduler.
//!
//! It branches only before operations that others can notice: between them a thread runs on, for what
//! it does there nobody else can tell the time of. It never lets a thread run into a mutex that is held,
//! or wait for a thread that has not ended. It decides nothing itself, except that where nothing has to be
//! chosen the current thread goes on, that a thread which goes on for long without a scheduling point rests
//! while others go on, and that an execution of which everything is known is run to its end on a path that
//! starves nobody (to stop it would leave its stacks behind).

mod choose;
mod led;
mod next;
mod observe;
mod probe;
mod schedule;
mod verify;

use std::cell::RefCell;
use std::hash::Hash;
use std::rc::Rc;
use std::sync::Arc;

use nmr_sync::hook::{self, Alarm, ObjectId, Operation, Write};
use smallvec::SmallVec;

use crate::checker::conflicts::Conflicts;
use crate::checker::deadlock::{self, Deadlock};
use crate::checker::fingerprint::{Fingerprints, Symmetries};
use crate::checker::judge::{Ending, Panic, Violation};
use crate::checker::knowledge::Knowledge;
use crate::checker::labels::Labels;
use crate::checker::livelock::Livelock;
use crate::checker::options::Options;
use crate::checker::program::{At, Choice, Next, Program, Stop, Thread};
use crate::checker::redundant::Reached;
use crate::checker::schedule::Step;
use crate::checker::visited::Visited;
use crate::checker::walk::Walk;
use crate::reduction::Reduction;
use choose::OTHER_END;
use probe::Probes;
use verify::Trace;

pub(crate) use led::{Lead, Script};
pub(crate) use schedule::Controlled;
pub(crate) use verify::Whole;

/// What can come next at one scheduling point.
type Choices = SmallVec<[Choice; 8]>;

/// Threads of a program, the main one included: as many as there are bits to tell them apart.
const MAX_THREADS: usize = 64;
/// Operations in a row that a thread may do without a scheduling point, before it rests: it may be waiting for another
/// one. There the others come first, but that it goes on is a choice like theirs, for what comes behind its next
/// operations may be noticed.
const BURST: u32 = 200;
/// The same where a schedule leads.
const LED_BURST: u32 = 100_000;
/// Operations of one execution; more than this is a livelock or a program that spins.
const MAX_OPERATIONS: u32 = 1_000_000;

/// Operations that destructors may do when an execution is taken apart, before the one at hand is taken to spin for ever.
const MAX_OPERATIONS_AFTER_THE_END: u32 = 10_000;

/// See the [module's documentation](self). One for each worker.
pub(crate) struct Control {
    state: RefCell<State>,
}

/// Where the current execution is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// It was made before up to here and farther; what is known is not followed, for there is a
    /// snapshot farther on.
    FastForward,
    /// It was made before up to here.
    Replay,
    /// It is new.
    Explore,
    /// All that will come is known: nothing is left to choose.
    Redundant,
    /// Something else than the search decides.
    Led,
}

pub(crate) struct State {
    options: Arc<Options>,
    symmetries: Symmetries,
    alarm: Arc<Alarm>,
    pub(crate) visited: Arc<Visited>,
    pub(crate) walk: Walk,
    pub(crate) conflicts: Conflicts,
    pub(crate) lead: Lead,
    probes: Probes,
    /// Whether names are kept in the executions to come.
    pub(crate) keeps_names: bool,
    /// The search decides who goes next: whatever goes wrong now is not the program's doing.
    pub(crate) is_picking: bool,
    /// Why the execution at hand did not go on to its end.
    stopped: Option<Stopped>,
    /// It goes no farther: what happens now is that its stacks are dropped.
    is_torn_down: bool,
    /// A destructor waited then: it goes no farther, of which shuttle tells by a panic.
    is_stuck_in_a_drop: bool,
    executions: u64,
    execution: Execution,
}

/// Why an execution was not made to its end.
#[derive(Clone, Debug)]
pub(crate) enum Stopped {
    /// The program cannot go on, for this reason.
    Deadlock(Deadlock),
    /// It goes on, and nothing comes of it.
    Livelock(Livelock),
    /// The schedule that it follows does not fit.
    Misfit,
    /// The search cannot go on.
    Error(String),
    /// The same, where the program itself has come to its end: whatever it has broken is told of.
    NeverLeaves(String),
    /// It would take too long.
    Cut(String),
}

/// What is known of the current execution.
struct Execution {
    phase: Phase,
    /// Whether it is compared on its way to new ground with what there was before.
    verifies: bool,
    program: Program,
    knowledge: Knowledge,
    /// What has been chosen.
    schedule: Vec<Choice>,
    /// From which choice on nothing was left.
    redundant_from: Option<usize>,
    /// Choices since the end of the schedule that it followed.
    run_on: usize,
    /// By names, where these are kept.
    labels: Option<Labels>,
    steps: Vec<Step>,
    /// Panics of threads, and whether somebody was told of them.
    panics: Vec<ThreadPanic>,
    /// Panics that have begun, in this order, and are not known to be over: of the thread, what it said.
    unwinding: Vec<(Thread, String)>,
    /// The main thread and all others but daemons have ended.
    is_over: bool,
    /// Switches away from a thread that could have gone on.
    preemptions: u32,
    /// The thread that runs.
    current: Thread,
    /// The thread whose transition this is.
    running: Option<Thread>,
    /// Mutexes taken since the last choice, and what they protected then.
    taken: Vec<(ObjectId, Option<u128>)>,
    /// For each thread whose last operation took a mutex, which.
    last: Vec<(Thread, ObjectId)>,
    /// For each thread that chooses among several things, these.
    among: Vec<(Thread, Vec<Fingerprints>)>,
    operations: u32,
    operations_after_the_end: u32,
    /// How often the program has said something.
    told: u32,
    trace: Trace,
}

impl Execution {
    fn new(spurious: bool) -> Self {
        Self {
            phase: Phase::Explore,
            verifies: false,
            program: Program::new(spurious),
            knowledge: Knowledge::new(),
            schedule: Vec::new(),
            redundant_from: None,
            run_on: 0,
            labels: None,
            steps: Vec::new(),
            panics: Vec::new(),
            unwinding: Vec::new(),
            is_over: false,
            preemptions: 0,
            current: 0,
            running: None,
            taken: Vec::new(),
            last: Vec::new(),
            among: Vec::new(),
            operations: 0,
            operations_after_the_end: 0,
            told: 0,
            trace: Trace::default(),
        }
    }

    /// Another one begins: as a new one, in the same memory.
    fn begin(&mut self, phase: Phase, verifies: bool, keeps_names: bool) {
        let Self {
            phase: own_phase,
            verifies: own_verifies,
            program,
            knowledge,
            schedule,
            redundant_from,
            run_on,
            labels,
            steps,
            panics,
            unwinding,
            is_over,
            preemptions,
            current,
            running,
            taken,
            last,
            among,
            operations,
            operations_after_the_end,
            told,
            // Begun by whoever needs it.
            trace: _,
        } = self;
        (*own_phase, *own_verifies) = (phase, verifies);
        program.begin();
        knowledge.clear();
        schedule.clear();
        (*redundant_from, *run_on, *is_over) = (None, 0, false);
        *labels = keeps_names.then(Labels::default);
        steps.clear();
        panics.clear();
        unwinding.clear();
        (*preemptions, *current, *running) = (0, 0, None);
        taken.clear();
        last.clear();
        among.clear();
        (*operations, *operations_after_the_end, *told) = (0, 0, 0);
    }

    /// What a thread has chosen among several things, if it did so.
    fn take_chosen(&mut self, thread: Thread, variant: u32) -> Option<Fingerprints> {
        let index = self.among.iter().position(|(other, _)| *other == thread)?;
        let (_, fingerprints) = self.among.swap_remove(index);
        fingerprints.get(variant as usize).cloned()
    }

    const fn is_redundant(&self) -> bool {
        matches!(self.phase, Phase::Redundant)
    }

    /// Whether all that happens here was noted in another execution.
    const fn is_noted(&self) -> bool {
        matches!(self.phase, Phase::Redundant | Phase::FastForward)
    }
}

/// A thread's panic.
#[derive(Clone, Debug)]
struct ThreadPanic {
    thread: Thread,
    message: String,
    /// Somebody who joined the thread was told.
    is_told: bool,
}

/// What came of an execution.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    /// It came to a state where nothing is left.
    pub(crate) is_redundant: bool,
    pub(crate) choices: usize,
    pub(crate) preemptions: u32,
    /// A thread has waited for a change at the end of a round.
    pub(crate) rounds_repeat: bool,
    /// A thread did not repeat its rounds, in words: what the search takes on trust does not hold.
    pub(crate) gave_up: Option<String>,
}

impl Control {
    pub(crate) fn new(options: Arc<Options>, visited: Arc<Visited>, alarm: Arc<Alarm>) -> Rc<Self> {
        let symmetries = match options.in_force(Reduction::Symmetry) {
            true => Symmetries::new(&options.symmetries),
            false => Symmetries::new(&[]),
        };
        Rc::new(Self {
            state: RefCell::new(State {
                execution: Execution::new(options.spurious),
                options,
                symmetries,
                alarm,
                visited,
                walk: Walk::default(),
                conflicts: Conflicts::default(),
                lead: Lead::Search,
                probes: Probes::default(),
                keeps_names: false,
                is_picking: false,
                stopped: None,
                is_torn_down: false,
                is_stuck_in_a_drop: false,
                executions: 0,
            }),
        })
    }

    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        f(&mut self.state.borrow_mut())
    }

    /// See [`is_redundant`](crate::is_redundant).
    pub(crate) fn tells_nothing_new(&self) -> bool {
        self.with(|state| match state.execution.phase {
            Phase::Redundant => true,
            Phase::FastForward => state.options.snapshots.is_some(),
            Phase::Replay | Phase::Explore | Phase::Led => false,
        })
    }
}

impl State {
    /// See [`reached`](crate::reached).
    pub(crate) const fn reached(&self) -> Reached {
        Reached {
            steps: self.execution.steps.len(),
            preemptions: self.execution.preemptions,
        }
    }

    /// The stack of a thread, if the options say.
    pub(crate) fn stack_size(&self) -> Option<usize> {
        self.options.stack_size
    }

    /// Whether what threads know and mutexes protect is followed here.
    fn follows(&self) -> bool {
        self.options.follows() && matches!(self.execution.phase, Phase::Replay | Phase::Explore)
    }

    /// Whether states are told apart by what they are, and not by how they were come to.
    fn keeps_states(&self) -> bool {
        self.options.has(Reduction::VisitedStates)
    }

    /// An execution begins.
    pub(crate) fn begin(&mut self) {
        hook::begin_execution(&self.alarm);
        (self.stopped, self.is_torn_down, self.is_stuck_in_a_drop) = (None, false, false);
        if !matches!(self.lead, Lead::Search) {
            self.execution.begin(Phase::Led, false, self.keeps_names);
            if !self.execution.trace.is_compared() {
                self.execution.trace.rest();
            }
            return;
        }
        self.executions += 1;
        self.forget_waits();
        let verifies = verify::is_followed(self.executions);
        let phase = match (self.walk.is_replaying(), self.walk.snapshot()) {
            (false, _) => Phase::Explore,
            (true, Some(_)) if !verifies => Phase::FastForward,
            (true, _) => Phase::Replay,
        };
        self.execution.begin(phase, verifies, false);
        match verifies && verify::is_made_twice(self.executions) {
            true => self.execution.trace.record(),
            false => self.execution.trace.rest(),
        }
    }

    /// The main thread has come to its end, and so have all others but daemons.
    pub(crate) fn main_ended(&mut self) {
        self.thread_ends(0);
        self.execution.is_over = true;
    }

    /// The execution has come to its end, and nothing has gone wrong in it.
    pub(crate) fn come_to_the_end(&mut self) {
        let is_too_early = match &self.lead {
            Lead::Search => self.walk.is_replaying(),
            Lead::Script(script) => {
                let is_short = self.execution.schedule.len() < script.choices.len();
                script.redundant_from.is_none() && is_short || !self.execution.trace.is_over()
            }
            Lead::Probe(probe) => probe.is_on_the_way(),
            Lead::Schedule(_) | Lead::Sample(_) => false,
        };
        if self.stopped.is_none() && !hook::is_abandoned() && is_too_early {
            self.diverged::<()>(OTHER_END);
        }
    }

    /// How the execution ended, with this panic of the main thread or without one, if it went on to its end, where a
    /// daemon perhaps `never_leaves`, or to where it was `stuck`.
    pub(crate) fn ending(
        &self,
        stuck: Option<Ending>,
        never_leaves: Option<&str>,
        panic: Option<String>,
    ) -> Ending {
        if hook::is_abandoned() {
            return Ending::Abandoned;
        }
        let names = deadlock::Names(self.execution.labels.as_ref());
        let main = panic.filter(|_| stuck.is_none());
        let panicked = |thread: Thread, message: &str, then: Option<String>| {
            Ending::Panicked(Panic {
                thread: names.thread(thread),
                message: message.to_owned(),
                then,
            })
        };
        let stuck_in_words = stuck.as_ref().and_then(Violation::of);
        let stuck_in_words = stuck_in_words.map(|stuck| stuck.to_string());
        let stuck_in_words = stuck_in_words.as_deref().or(never_leaves);
        let is_stuck = |unwinding: &[(Thread, String)]| {
            let stuck = stuck_in_words?;
            let before = unwinding.iter().map(|(thread, message)| {
                format!(
                    "thread {} panicked ({message}), then ",
                    names.thread(*thread)
                )
            });
            Some(before.collect::<String>() + stuck)
        };
        let unwinding = &*self.execution.unwinding;
        match (self.panic_to_blame(main.as_deref()), unwinding) {
            (Some(first), _) => {
                // Whoever only passes on what a join gives has nothing to add.
                let main = main.filter(|message| !self.passes_on(message));
                let main = main.map(|message| format!("the main thread panicked: {message}"));
                let then = main.or_else(|| is_stuck(unwinding));
                panicked(first.thread, &first.message, then)
            }
            // Who is stuck in a destructor may have panicked; nobody was told yet.
            (None, [(thread, message), rest @ ..]) if stuck_in_words.is_some() => {
                panicked(*thread, message, is_stuck(rest))
            }
            _ => match main {
                Some(message) => panicked(0, &message, None),
                None => stuck.unwrap_or(Ending::Completed),
            },
        }
    }

    /// The panic of another thread that an execution is broken by, which ends with this panic of the main thread: one
    /// that nobody was told of, or what was passed on by whoever was told.
    fn panic_to_blame(&self, main: Option<&str>) -> Option<&ThreadPanic> {
        let panics = &self.execution.panics;
        let untold = panics.iter().find(|panic| !panic.is_told);
        match untold.map(|panic| panic.message.as_str()).or(main) {
            Some(last) if self.passes_on(last) => panics.first(),
            _ => untold,
        }
    }

    /// Whether a panic says nothing but what whoever joined another thread was told.
    fn passes_on(&self, message: &str) -> bool {
        let mut panics = self.execution.panics.iter();
        // `unwrap` and `expect` end with the payload.
        message.ends_with(": Any { .. }")
            || panics.any(|panic| panic.is_told && panic.message == message)
    }

    /// Why the execution that has ended stopped on its way, if it did. What was noticed where no observer
    /// is comes before whatever followed from it.
    pub(crate) fn take_stopped(&mut self) -> Option<Stopped> {
        let stopped = self.stopped.take();
        let alarm = self.alarm.raised().map(str::to_owned);
        alarm.map(Stopped::Error).or(stopped)
    }

    /// Whether its end left a destructor that waits.
    pub(crate) const fn is_stuck_in_a_drop(&self) -> bool {
        self.is_stuck_in_a_drop
    }

    /// See [`Ended::gave_up`].
    fn gave_up(&self) -> Option<String> {
        let (thread, at) = self.caught().or(self.execution.program.spins.gave_up)?;
        let thread = deadlock::Names(self.execution.labels.as_ref()).thread(thread);
        Some(format!(
            "thread {thread}, which yields at {at}, does not do the same again though nothing that it looks at has \
             changed: the orders in which it goes on before others do were left out; say in each round what it \
             counts (nmr_sync::learn)"
        ))
    }

    /// The execution has ended.
    pub(crate) fn end(&mut self) -> Ended {
        let execution = &self.execution;
        Ended {
            is_redundant: execution.is_redundant(),
            choices: execution.schedule.len(),
            preemptions: execution.preemptions,
            rounds_repeat: execution.program.spins.has_waited,
            gave_up: self.gave_up(),
        }
    }

    /// What was chosen in the execution that has ended.
    pub(crate) fn script(&self) -> Script {
        self.execution.script()
    }

    /// The execution does not go on.
    fn stop<T>(&mut self, why: Stopped) -> Option<T> {
        self.stopped.get_or_insert(why);
        None
    }

    /// A thread goes on that need not be chosen.
    fn go_on(&mut self, thread: Thread) -> Thread {
        self.execution.current = thread;
        if let Some(Stop { next, at }) = self.execution.program.stop_of(thread) {
            let state = self.execution.program.thread(thread);
            (state.rests, state.burst) = (false, 0);
            self.perform(thread, next, 0, at);
        }
        thread
    }

    /// A choice is carried out.
    fn go(&mut self, choice: Choice) {
        let thread = choice.thread();
        let is_own = self.is_own_choice(thread);
        let stop = self.execution.program.stop_of(thread);
        let Stop { next, at } = stop.expect("it has stopped");
        self.note_step(choice, next);
        let execution = &mut self.execution;
        // A thread that chooses on its way to its first operation interrupts nobody.
        if !is_own {
            if let Some(last) = execution.running
                && last != thread
                && execution.program.is_interrupted(last)
            {
                execution.preemptions += 1;
            }
            execution.running = Some(thread);
        }
        execution.current = thread;
        execution.program.begin_transition();
        execution.taken.clear();
        execution.schedule.push(choice);
        self.perform(thread, next, choice.variant, at);
    }

    /// An operation is done, as a part of the current transition.
    fn perform(&mut self, thread: Thread, next: Next, variant: u32, at: At) {
        let follows = self.follows();
        let execution = &mut self.execution;
        if let Some(labels) = &mut execution.labels
            && !matches!(next, Next::Operation(Operation::Release(_)))
        {
            labels.done(thread, next);
            if let Next::Operation(operation) = next {
                labels.notifies(&execution.program, thread, operation, variant, at);
            }
        }
        execution.program.go(thread, next, variant, at);
        let chosen = match next {
            Next::Operation(Operation::Choose(_)) => execution.take_chosen(thread, variant),
            _ => None,
        };
        let outcome = execution.program.threads[thread].outcome;
        self.trace(&(thread, next.code(), variant, outcome));
        if !follows {
            return;
        }
        let execution = &mut self.execution;
        if let Some(mutex) = next.takes(outcome) {
            let before = execution.knowledge.mark(mutex);
            execution.taken.push((mutex, before));
            execution.knowledge.acquired(thread, mutex);
        }
        // That it came so far is a part of what a thread knows, whatever else it learns; of what it has chosen
        // among several things it is which of them, and not its place among them.
        let outcome = chosen.is_none().then_some(outcome);
        let write: Write<'_> = &|mut state| (next, outcome).hash(&mut state);
        execution.knowledge.learn(&self.symmetries, thread, write);
        if let Some(chosen) = chosen {
            execution
                .knowledge
                .learn_fingerprints(&self.symmetries, thread, &chosen);
        }
    }
}
