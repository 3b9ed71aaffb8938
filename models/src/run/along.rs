//! An execution on threads that goes along one without threads, milestone by milestone; and what differs.
//!
//! It decides whose turn it is and compares. That the threads go on as it says is a scheduler's matter
//! (`engine::along`).

use std::fmt;

use nmr::machine::{Characteristics, Table};
use nmr::{BindingContext, Seen, Translation};
use nmr_sync::thread::ThreadId;
use shuttle::current;
use shuttle::scheduler::TaskId;

use super::Run;
use super::module::{known, named};
use crate::direct::lent::{Instance, Module, Plain};
use crate::event::{RegId, What};
use crate::fingerprint::fingerprint;
use crate::interpreter::{Context, On};
use crate::invisible::{Invisible, lock};
use crate::milestone::{Milestone, Passed, Use};
use crate::permuted::ThreadNumber;
use crate::render::InWords;
use crate::scenario::Scenario;

/// The way of an execution without threads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Way {
    pub(crate) passed: Vec<Passed>,
    /// Which of several pending detaches is taken, where one is.
    pub(crate) taken: Vec<u32>,
    /// Who makes the last step, which may end before a milestone.
    pub(crate) last: u8,
}

/// What goes along it.
pub(crate) struct Follower {
    way: Way,
    state: Invisible<State>,
}

#[derive(Default)]
struct State {
    /// How many milestones, and choices of a pending detach, are behind it.
    passed: usize,
    taken: usize,
    /// The scheduler's number of each of the scenario's threads that is at work.
    tasks: Vec<(u8, TaskId)>,
    /// Tasks that have passed a critical section, and may have yet to wake others before they leave it.
    leaving: Vec<TaskId>,
    /// Calls of the registrar under test that each thread is inside of.
    inside: Vec<u8>,
    /// Whose each slot of the table is.
    slots: Vec<Option<RegId>>,
    /// What came in the place of a milestone.
    instead: Option<Passed>,
    /// How often somebody was chosen when every milestone was behind it.
    beyond: usize,
}

/// When every milestone is behind it, the thread of the last one is chosen so often: it may have something to come to that is none,
/// such as a panic.
const PATIENCE: usize = 200;

/// Then all have their turn, for others may be about to sleep: they are deadlocked only when they do. A thread that wakes without a
/// notification looks and sleeps again, so turns become longer, and one of them ends when all others sleep.
fn in_turn(can_go_on: &[TaskId], nth: usize) -> TaskId {
    let round = nth.isqrt();
    can_go_on[round % can_go_on.len()]
}

/// A way, and an execution that left it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Difference {
    /// The milestones that both passed.
    passed: usize,
    without_threads: Option<Passed>,
    on_threads: Option<Passed>,
}

impl Difference {
    /// Whether something was let go of on threads that is not there to be let go of without them: the last reference to
    /// something of a module's was where only a mistake of the registrar's can leave it.
    pub(crate) fn is_a_drop(&self) -> bool {
        let instead = self.on_threads.map(|passed| passed.milestone);
        matches!(instead, Some(Milestone::Observed(What::Dropped(_))))
    }

    /// With the scenario's names.
    pub(crate) fn told(self, scenario: &Scenario) -> String {
        format!(
            "after {} common steps, without threads `{}`, on threads `{}`",
            self.passed,
            Told(scenario, self.without_threads),
            Told(scenario, self.on_threads)
        )
    }
}

/// With the scenario's names.
struct Told<'a>(&'a Scenario, Option<Passed>);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Passed { thread, milestone }) = self.1 else {
            return f.write_str("nothing more");
        };
        write!(f, "{}: ", self.0.thread_name(thread))?;
        let module = |number: u8| &self.0.modules[usize::from(number)].name;
        let event = |number: u8| &self.0.events[usize::from(number)];
        let lock = |number: u8| &self.0.locks[usize::from(number)];
        match milestone {
            Milestone::Observed(what) => write!(f, "{}", InWords(self.0, what)),
            Milestone::Section(table) => {
                write!(f, "a critical section, after it table {table:016x}")
            }
            Milestone::Shared(one) => match one {
                Use::Noted(it) => write!(f, "the handle of {} is noted", module(it)),
                Use::LookedUp(it) => write!(f, "the handle of {} is looked up", module(it)),
                Use::BindingNoted(it) => write!(f, "the binding of {} is noted", module(it)),
                Use::BindingLookedUp(it) => write!(f, "the binding of {} is looked up", module(it)),
                Use::Pending => f.write_str("a detach becomes pending"),
                Use::Taken => f.write_str("a pending detach is taken"),
                Use::Waited => f.write_str("a wait is over"),
                Use::Rundown(it) => write!(f, "the rundown of {}", module(it)),
                Use::Admission(it) => write!(f, "the places of {}", module(it)),
                Use::Passed(On::Event(it)) => write!(f, "event {} is there", event(it)),
                Use::Passed(On::Lock(it)) => write!(f, "lock {} is taken", lock(it)),
                Use::Set(it) => write!(f, "event {} is set", event(it)),
                Use::Unlocked(it) => write!(f, "lock {} is given back", lock(it)),
            },
        }
    }
}

impl Follower {
    pub(crate) fn new(way: Way) -> Self {
        let state = Invisible::default();
        Self { way, state }
    }

    /// Another execution begins.
    pub(crate) fn begin(&self) {
        *lock(&self.state) = State::default();
    }

    /// What differs so far; at the end of the execution, milestones that nobody has come to as well.
    pub(crate) fn difference(&self, is_over: bool) -> Option<Difference> {
        let state = lock(&self.state);
        let next = self.way.passed.get(state.passed);
        let differs = state.instead.is_some() || is_over && next.is_some();
        differs.then(|| self.left_by(&state))
    }

    /// Where the execution stands if nobody whose turn it is can go on.
    pub(crate) fn halted(&self) -> Difference {
        self.left_by(&lock(&self.state))
    }

    fn left_by(&self, state: &State) -> Difference {
        Difference {
            passed: state.passed,
            without_threads: self.way.passed.get(state.passed).copied(),
            on_threads: state.instead,
        }
    }

    /// The task that goes on, of those that can; `None` if none of them may.
    pub(crate) fn next(&self, can_go_on: &[TaskId]) -> Option<TaskId> {
        let mut state = lock(&self.state);
        if state.passed == self.way.passed.len() && state.instead.is_none() {
            state.beyond += 1;
            if state.beyond > PATIENCE {
                return Some(in_turn(can_go_on, state.beyond));
            }
        }
        let task = self.task(&state, can_go_on);
        state.leaving.retain(|&other| Some(other) != task);
        task
    }

    /// The one whose turn it is. If that one cannot go on, somebody may still hold a lock; or be not at work for the
    /// scenario, because it has yet to begin or has ended.
    fn task(&self, state: &State, can_go_on: &[TaskId]) -> Option<TaskId> {
        if state.instead.is_some() {
            return None;
        }
        let next = self.way.passed.get(state.passed);
        let thread = next.map_or(self.way.last, |passed| passed.thread);
        let task = state.tasks.iter().find(|&&(other, _)| other == thread);
        let is_there = |task: &TaskId| can_go_on.contains(task);
        if let Some(task) = task.map(|&(_, task)| task).filter(is_there) {
            return Some(task);
        }
        let is_at_work = |task: TaskId| state.tasks.iter().any(|&(_, other)| other == task);
        let mut leaving = state.leaving.iter();
        let leaving = leaving.find(|&task| is_there(task)).copied();
        let mut all = can_go_on.iter().copied();
        leaving.or_else(|| all.find(|&task| next.is_none() || !is_at_work(task)))
    }

    /// Which of the pending detaches is taken.
    pub(crate) fn choose(&self) -> u32 {
        let mut state = lock(&self.state);
        let choice = self.way.taken.get(state.taken).copied();
        state.taken += 1;
        choice.unwrap_or_default()
    }

    pub(super) fn begins(&self, thread: u8) {
        let task = current::me();
        let tasks = &mut lock(&self.state).tasks;
        // Where there is but one thread it needs no task of its own.
        tasks.retain(|&(_, other)| other != task);
        tasks.push((thread, task));
    }

    pub(super) fn ends(&self, thread: u8) {
        lock(&self.state)
            .tasks
            .retain(|&(other, _)| other != thread);
    }

    /// A thread comes to a milestone.
    fn passes(&self, passed: Passed) {
        let mut state = lock(&self.state);
        if state.instead.is_some() {
            return;
        }
        match self.way.passed.get(state.passed) {
            Some(expected) if *expected == passed => state.passed += 1,
            _ => state.instead = Some(passed),
        }
    }
}

impl Run {
    pub(super) fn passes(&self, milestone: Milestone) {
        let Some(follower) = self.watch.follower() else {
            return;
        };
        // What is let go of in the end counts no more.
        if lock(&self.finding).is_some() {
            return;
        }
        let thread = self.number();
        match milestone {
            Milestone::Observed(What::Call(_)) => lock(&follower.state).inside.push(thread),
            Milestone::Observed(What::Return(_)) => {
                let inside = &mut lock(&follower.state).inside;
                let innermost = inside.iter().rposition(|&other| other == thread);
                innermost.map(|index| inside.remove(index));
            }
            _ => {}
        }
        follower.passes(Passed { thread, milestone });
    }

    /// A critical section ends. Those of other registrars are in no call that is observed.
    pub(super) fn section_ends(&self, follower: &Follower, seen: &Seen<'_>) {
        let thread = self.number();
        let mut state = lock(&follower.state);
        if !state.inside.contains(&thread) {
            return;
        }
        let run = self;
        let slots = &mut state.slots;
        let table: Table<Plain> = seen.translated(&mut Plainly { run, slots });
        drop(state);
        let milestone = Milestone::Section(fingerprint(&table));
        follower.passes(Passed { thread, milestone });
        lock(&follower.state).leaving.push(current::me());
    }
}

/// What is lent on threads, as it is lent without them.
struct Plainly<'a> {
    run: &'a Run,
    slots: &'a mut Vec<Option<RegId>>,
}

impl Translation<Plain> for Plainly<'_> {
    fn registration(
        &mut self,
        slot: u32,
        module: Option<&Characteristics>,
    ) -> (RegId, Option<Characteristics<Plain>>) {
        let slot = slot as usize;
        if self.slots.len() <= slot {
            self.slots.resize(slot + 1, None);
        }
        let known = module.map(|module| named(&module.instance));
        let reg = known.or(self.slots[slot]);
        let reg = reg.expect("its module was there when it was registered");
        self.slots[slot] = Some(reg);
        let script = self.run.script(reg);
        let characteristics = module.map(|_| Characteristics {
            module: Module {
                reg,
                side: script.side,
            },
            instance: Instance {
                reg,
                npi: script.npi,
            },
        });
        (reg, characteristics)
    }

    fn context(&mut self, context: &BindingContext) -> Context {
        known(context).unwrap_or(Context::Null)
    }

    fn thread(&mut self, thread: ThreadId) -> ThreadNumber {
        let threads = lock(&self.run.threads);
        let found = threads.iter().find(|(other, _)| *other == thread);
        ThreadNumber(found.expect("it is one of the scenario's").1)
    }
}
