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
mod observe;
mod schedule;
mod verify;

use std::cell::RefCell;
use std::hash::Hash;
use std::rc::Rc;
use std::sync::Arc;

use nmr_sync::hook::{self, Alarm, ObjectId, Operation, Write};
use shuttle::scheduler::Task;
use smallvec::SmallVec;

use crate::checker::conflicts::Conflicts;
use crate::checker::deadlock::{self, Deadlock};
use crate::checker::fingerprint::{Fingerprints, Symmetries};
use crate::checker::judge::{Ending, Panic, Violation};
use crate::checker::knowledge::Knowledge;
use crate::checker::labels::Labels;
use crate::checker::livelock::{self, Livelock};
use crate::checker::options::Options;
use crate::checker::program::{At, Choice, Next, Program, Stop, Thread};
use crate::checker::schedule::Step;
use crate::checker::visited::Visited;
use crate::checker::walk::Walk;
use crate::reduction::Reduction;
use choose::OTHER_END;
use led::Led;
use verify::Trace;

pub(crate) use led::{Lead, Script};
pub(crate) use schedule::Controlled;
pub(crate) use verify::Whole;

/// What can come next at one scheduling point.
type Choices = SmallVec<[Choice; 8]>;

/// Threads of a program, the main one included: as many as there are bits to tell them apart.
const MAX_THREADS: usize = 64;
/// Operations in a row that a thread may do without a scheduling point, before it rests until another
/// one has gone on: it may be waiting for that.
const BURST: u32 = 200;
/// Operations of one execution; more than this is a livelock or a program that spins.
const MAX_OPERATIONS: u32 = 1_000_000;

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
            is_over: false,
            preemptions: 0,
            current: 0,
            running: None,
            taken: Vec::new(),
            last: Vec::new(),
            among: Vec::new(),
            operations: 0,
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
            is_over,
            preemptions,
            current,
            running,
            taken,
            last,
            among,
            operations,
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
        (*preemptions, *current, *running) = (0, 0, None);
        taken.clear();
        last.clear();
        among.clear();
        (*operations, *told) = (0, 0);
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
            Lead::Schedule(_) | Lead::Sample(_) => false,
        };
        if self.stopped.is_none() && !hook::is_abandoned() && is_too_early {
            self.diverged::<()>(OTHER_END);
        }
    }

    /// How the execution ended, with this panic of the main thread or without one, if it went on to its end or to
    /// where it was `stuck`.
    pub(crate) fn ending(&self, stuck: Option<Ending>, panic: Option<String>) -> Ending {
        if hook::is_abandoned() {
            return Ending::Abandoned;
        }
        let names = deadlock::Names(self.execution.labels.as_ref());
        let main = panic.filter(|_| stuck.is_none());
        let Some(first) = self.panic_to_blame(main.as_deref()) else {
            return match main {
                Some(message) => Ending::Panicked(Panic {
                    thread: names.thread(0),
                    message,
                    then: None,
                }),
                None => stuck.unwrap_or(Ending::Completed),
            };
        };
        // Whoever only passes on what a join gives has nothing to add.
        let main = main.filter(|message| !self.passes_on(message));
        let main = main.map(|message| format!("the main thread panicked: {message}"));
        let stuck = || Some(Violation::of(&stuck?)?.to_string());
        Ending::Panicked(Panic {
            thread: names.thread(first.thread),
            message: first.message.clone(),
            then: main.or_else(stuck),
        })
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

    /// The execution has ended.
    pub(crate) fn end(&mut self) -> Ended {
        let execution = &self.execution;
        Ended {
            is_redundant: execution.is_redundant(),
            choices: execution.schedule.len(),
            preemptions: execution.preemptions,
            rounds_repeat: execution.program.spins.has_waited,
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

    /// The thread that goes next; `None` if none can, or none should.
    fn pick(
        &mut self,
        tasks: &[&Task],
        runnable: &[Thread],
        current: Option<Thread>,
    ) -> Option<Thread> {
        self.is_picking = true;
        let picked = self.pick_next(tasks, runnable, current);
        self.is_picking = false;
        self.is_torn_down |= picked.is_none();
        picked
    }

    fn pick_next(
        &mut self,
        tasks: &[&Task],
        runnable: &[Thread],
        current: Option<Thread>,
    ) -> Option<Thread> {
        if self.stopped.is_some() || self.alarm.raised().is_some() || hook::is_abandoned() {
            return None;
        }
        if self.execution.is_over {
            return self.next_to_leave(runnable);
        }
        if let Some(next) = self.next_without_choice(runnable, current) {
            return Some(self.go_on(next));
        }
        if let Some(error) = self.out_of_control(runnable) {
            return self.stop(Stopped::Error(error));
        }
        let options = self.options(runnable);
        // That a sleeper may wake without a reason does not mean that it ever will.
        let spurious = self.options.spurious;
        if options.is_empty() || spurious && options.iter().all(|&one| self.is_spurious(one)) {
            let current = self.execution.current;
            let next = self.next_that_rests(runnable);
            return match next.or_else(|| self.execution.program.next_round(current)) {
                Some(next) => Some(self.go_on(next)),
                None => self.cannot_go_on(),
            };
        }
        // Whoever makes a round because nobody else can go on chooses nothing.
        if let &[only] = &*options
            && self.execution.program.spins.is_fruitless()
        {
            return Some(self.go_on(only.thread()));
        }
        let choice = match self.execution.phase {
            Phase::Redundant => self.next_in_turn(&options),
            Phase::Led => match self.led(&options, tasks)? {
                Led::Choice(choice) => choice,
                Led::GoesOn(thread) => return Some(self.go_on(thread)),
            },
            _ => self.choose(&options)?,
        };
        self.go(choice);
        Some(choice.thread())
    }

    /// Whether a thread goes on without anybody noticing when.
    fn has_waited(&self, thread: Thread, next: Next) -> bool {
        let program = &self.execution.program;
        match next {
            Next::Operation(Operation::JoinAll) => !program.has_daemons(),
            Next::Operation(Operation::Join(_)) => true,
            Next::Operation(Operation::Yield) => !program.threads[thread].rests,
            _ => false,
        }
    }

    /// A thread that does nothing that others can notice: it is not at a scheduling point, or at one at
    /// which it has waited for another one's end, or for a change.
    fn next_without_choice(&self, runnable: &[Thread], current: Option<Thread>) -> Option<Thread> {
        let program = &self.execution.program;
        let goes_on = |thread: &Thread| match program.stop_of(*thread) {
            None => program.has_started(*thread),
            Some(stop) => self.has_waited(*thread, stop.next) && program.ways(stop.next) > 0,
        };
        let current = current.filter(|thread| runnable.contains(thread) && goes_on(thread));
        current.or_else(|| runnable.iter().copied().find(goes_on))
    }

    /// No thread can go on, or all that can have looked again and again.
    fn cannot_go_on<T>(&mut self) -> Option<T> {
        let Execution {
            program, labels, ..
        } = &self.execution;
        let names = labels.as_ref();
        let livelock = livelock::describe(program, names).map(Stopped::Livelock);
        let deadlock = || Stopped::Deadlock(deadlock::describe(program, names));
        let why = livelock.unwrap_or_else(deadlock);
        self.stop(why)
    }

    /// Who comes to its end when the program is over: daemons that are still there, then the main thread. A coroutine
    /// that does not come to its end cannot be used again, and its stack is made anew.
    fn next_to_leave(&mut self, runnable: &[Thread]) -> Option<Thread> {
        let threads = &self.execution.program.threads;
        let has_ended = |thread: Thread| threads.get(thread).is_some_and(|state| state.ended);
        let mut there = runnable.iter().copied();
        let daemon = there.find(|&thread| !has_ended(thread));
        let next = daemon.or_else(|| runnable.first().copied())?;
        self.execution.current = next;
        Some(next)
    }

    /// Of the threads that rest, the one whose turn it is.
    fn next_that_rests(&self, runnable: &[Thread]) -> Option<Thread> {
        let Execution {
            program, current, ..
        } = &self.execution;
        let resting = runnable.iter().copied();
        let resting = resting.filter(|&thread| program.threads[thread].rests);
        resting.min_by_key(|thread| (thread <= current, *thread))
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

    /// A thread that the search knows nothing of, or that waits for something that it knows nothing of.
    fn out_of_control(&self, runnable: &[Thread]) -> Option<String> {
        let program = &self.execution.program;
        let threads = &program.threads;
        if let Some(thread) = runnable
            .iter()
            .find(|&&thread| !program.has_started(thread))
        {
            return Some(format!(
                "thread {thread} was not started with nmr_sync::thread::spawn: the explorer does not know \
                 what it does"
            ));
        }
        let mut all = threads.iter().enumerate();
        let (thread, _) = all.find(|&(thread, state)| {
            !state.ended && state.stop.is_none() && !runnable.contains(&thread)
        })?;
        Some(format!(
            "thread {thread} waits for something that is not of nmr-sync (one of shuttle's own primitives, \
             perhaps): the explorer does not know what for"
        ))
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
        let rests = |thread: Thread| program.threads[thread].rests;
        // A choice of the thread's own is nobody else's business.
        let own = runnable.iter().find(|&&thread| self.is_own_choice(thread));
        if let Some(&own) = own {
            add(own);
            return options;
        }
        let goes_on = running.filter(|running| {
            runnable.contains(running) && !rests(*running) && program.is_interrupted(*running)
        });
        let can_go_on = goes_on.is_some_and(&mut add);
        let bound = self.options.preemptions;
        if can_go_on && bound.is_some_and(|most| self.execution.preemptions >= most) {
            return options;
        }
        for &thread in runnable {
            if Some(thread) != goes_on && !rests(thread) {
                add(thread);
            }
        }
        options
    }

    fn is_spurious(&self, choice: Choice) -> bool {
        self.execution.program.sleeps(choice.thread())
    }

    fn is_own_choice(&self, thread: Thread) -> bool {
        // A schedule says when, whoever else could go on.
        if matches!(self.lead, Lead::Schedule(_)) {
            return false;
        }
        let program = &self.execution.program;
        let stop = program
            .stop_of(thread)
            .filter(|_| !program.threads[thread].rests);
        match stop.map(|stop| stop.next) {
            Some(Next::Operation(Operation::Choose(_))) => !self.is_disputed(thread),
            Some(Next::Operation(operation @ Operation::NotifyOne(_))) => {
                !self.is_visible(operation)
            }
            _ => false,
        }
    }

    /// The rest of an execution that is redundant is run with each thread in turn.
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
