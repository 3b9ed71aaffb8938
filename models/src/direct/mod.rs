//! Scenarios without threads: the registrar's calls, driven section by section on states that are cloned.
//!
//! Under the other engines a scenario's threads run, and the registrar calls its modules. Here a thread is a stack
//! of what it has still to do, the registrar is its table and the calls that are open ([`nmr::machine`]), and a step
//! is one critical section with what its thread does up to the next one: what [`nmr_search`] searches. The
//! [interpreter](crate::interpreter) is the same, the oracle hears the same events, and judges by the same rules.
//!
//! What cannot be here: unwinding itself (that a callback panicked is an outcome), the last reference to something
//! (each drop is an act of its own), several monitors (all interfaces are in one table, so that sections of
//! different interfaces are ordered too), and memory order. The engines on threads are for these.

mod ample;
mod callbacks;
mod calls;
mod codes;
mod engine;
mod host;
pub(crate) mod lent;
mod positions;
mod registering;
mod rundown;
mod state;
mod step;
mod task;
#[cfg(test)]
mod tests;
mod walks;

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crossbeam_utils::CachePadded;
use nmr::machine::{Layout, Reserve, Table};
use nmr_search::{Claims, Encoder, System};
use serde::{Deserialize, Serialize};

use crate::event::{Event, Quiet};
use crate::fingerprint::fingerprint;
use crate::interpreter::{Ahead, Broken, Done, Gate, On, Pending, Prepared, Script};
use crate::invisible::{Invisible, lock};
use crate::oracle::Oracle;
use crate::permuted::{Symmetry, with_symmetry};
use crate::render::with_names;
use crate::rule::Rule;
use crate::run::Watch;
#[cfg(shuttle)]
use crate::run::Way;
use crate::scenario::Scenario;
pub(crate) use engine::{explore, explore_once, explore_up_to};
use positions::InState;
#[cfg(shuttle)]
use state::History;
use state::{ModuleState, Phase, Shared, State, Thread};
use step::Step;
use task::{Driven, Task};
pub(crate) use walks::walk;

/// Of the counters of rules.
const SHARDS: usize = 16;

thread_local! {
    /// The shard that this thread uses.
    static SHARD: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS
    };
}

/// A scenario as a transition system.
pub(crate) struct Program {
    prepared: Arc<Prepared>,
    layout: Layout,
    may_claim: bool,
    /// On which sides callbacks and destructors register.
    registers_inside: [bool; 2],
    /// Whether what the registrar lets go of is dropped at once, and not at some time after.
    drops_at_once: bool,
    /// Whether places in the table's lists count only where they can still matter.
    forgets_orders: bool,
    /// Whether who sleeps may wake without having been woken.
    wakes_spuriously: bool,
    /// How often each rule could have failed, by shards of which each thread uses one.
    exercised: Vec<CachePadded<[AtomicU64; Rule::COUNT]>>,
    /// Who hears of what is left over at the ends.
    watch: Option<Arc<Watch>>,
    /// The different things that came out of something, where that is wanted.
    outcomes: Option<Invisible<BTreeSet<u64>>>,
}

/// A step of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Action {
    /// The thread's number.
    pub(crate) thread: u8,
    /// Which of the pending detaches it takes, where it has a choice.
    pub(crate) choice: u8,
}

/// What a step breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Violation {
    /// The rule; `None` for a panic that names none.
    pub(crate) rule: Option<Rule>,
    /// Who did what, and what was expected.
    pub(crate) message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Program {
    /// The system of a scenario.
    pub(crate) fn new(scenario: &Arc<Scenario>) -> Self {
        let prepared = Prepared::new(scenario);
        Self {
            layout: Layout::new(1, 1),
            may_claim: ample::may_claim(scenario),
            registers_inside: registering::registers_inside(scenario),
            drops_at_once: false,
            forgets_orders: false,
            wakes_spuriously: false,
            outcomes: None,
            exercised: (0..SHARDS).map(|_| CachePadded::default()).collect(),
            watch: None,
            prepared,
        }
    }

    /// The same, whose ends are told of.
    fn heard_by(self, watch: &Arc<Watch>) -> Self {
        Self {
            watch: Some(watch.clone()),
            ..self
        }
    }

    /// How often each rule could have failed, over all steps.
    fn exercised(&self) -> [u64; Rule::COUNT] {
        let shards = self.exercised.iter();
        shards.fold([0; Rule::COUNT], |mut sum, shard| {
            for (sum, one) in sum.iter_mut().zip(&**shard) {
                *sum += one.load(Ordering::Relaxed);
            }
            sum
        })
    }

    /// The same, where the registrar's drops are a part of the step before, and no steps of their own. Who waits
    /// for them is not let go on before they are over: that is believed here.
    pub(crate) fn dropping_at_once(self, drops_at_once: bool) -> Self {
        Self {
            drops_at_once,
            ..self
        }
    }

    /// The same, in whose states places in lists count only where they can still matter.
    pub(crate) fn forgetting_orders(self, forgets_orders: bool) -> Self {
        Self {
            forgets_orders,
            ..self
        }
    }

    /// The same, in which who sleeps may look at any time whether its wait is over. What is claimed of steps does not
    /// reckon with that.
    pub(crate) fn waking_spuriously(self, wakes_spuriously: bool) -> Self {
        Self {
            may_claim: self.may_claim && !wakes_spuriously,
            wakes_spuriously,
            ..self
        }
    }

    /// The same, which notes what comes out: answers of calls, replies of callbacks, and ends, as under the engines
    /// on threads.
    #[cfg(test)]
    pub(crate) fn noting_outcomes(self) -> Self {
        Self {
            outcomes: Some(Invisible::default()),
            ..self
        }
    }

    /// Something came out that could have come out otherwise. What differs by a symmetry of the scenario alone is
    /// the same.
    fn saw(&self, outcome: impl Hash) {
        if let Some(outcomes) = &self.outcomes {
            let under = |symmetry| with_symmetry(symmetry, || fingerprint(&outcome));
            let least = self.prepared.symmetries.iter().map(under).min();
            lock(outcomes).extend(least);
        }
    }

    fn begin(&self) -> State {
        let scenario = &self.prepared.scenario;
        let limits = scenario.limits;
        let reserve = Reserve::own(
            limits.max_registrations,
            limits.max_bindings,
            limits.fail_reservation,
        );
        let last = limits.last_generation.and_then(NonZeroU32::new);
        let table = Table::new(last.unwrap_or(NonZeroU32::MAX), reserve);
        let counts = self.prepared.uses_stale_handles;
        let oracle = Oracle::of_scenario(scenario).remembering_what_is_gone(counts);
        let mut threads = vec![Thread::default(); scenario.threads.len() + 1];
        threads[0].tasks = vec![Task::Script(Script::Before), Task::Gate(Gate::Shared)];
        State {
            table: table
                .hashing_slots(counts)
                .forgetting_orders(self.forgets_orders),
            phase: Phase::Before,
            threads,
            shared: Shared {
                modules: vec![ModuleState::default(); scenario.modules.len()],
                events: vec![false; scenario.events.len()],
                locks: vec![None; scenario.locks.len()],
                pending: Pending::new(&self.prepared.waits, self.prepared.completes_any),
                ..Shared::default()
            },
            oracle,
            history: None,
        }
    }

    /// The same state, in which what is observed is kept.
    pub(crate) fn begin_with_history(&self) -> State {
        let mut state = self.begin();
        state.history = Some(Box::default());
        state
    }

    fn step(&self, state: &mut State, action: Action) -> Done {
        Step::of(self, state, action.thread).take(action.choice.into())?;
        if self.drops_at_once {
            self.go_on_with_the_woken(state)?;
        }
        state.next_phase(self)
    }

    /// Who was woken looks at once whether its wait is over.
    fn go_on_with_the_woken(&self, state: &mut State) -> Done {
        for number in 0..state.threads.len() {
            let thread = &state.threads[number];
            if thread.tasks.last() == Some(&Task::Host(Driven::Woken)) && !thread.is_asleep {
                Step::of(self, state, number as u8).take(0)?;
            }
        }
        Ok(())
    }

    /// Whether each step of the path can be made where it comes.
    #[cfg(shuttle)]
    pub(crate) fn has(&self, path: &[Action]) -> bool {
        let (mut state, mut enabled) = (self.begin(), Vec::new());
        path.iter().all(|&action| {
            enabled.clear();
            self.actions(&state, &mut enabled);
            let is_there = enabled.contains(&action);
            // After what breaks something there is nothing.
            if is_there && self.apply(&mut state, action).is_err() {
                state.threads.clear();
            }
            is_there
        })
    }

    /// A path, as an execution on threads can go along it; and what it breaks.
    #[cfg(shuttle)]
    pub(crate) fn way(&self, path: &[Action]) -> (Way, Option<Violation>) {
        let mut state = self.begin_with_history();
        let mut violation = None;
        for &action in path {
            assert!(violation.is_none(), "a path ends with what it breaks");
            violation = self.apply(&mut state, action).err();
        }
        let mut enabled = Vec::new();
        self.actions(&state, &mut enabled);
        if violation.is_none() && enabled.is_empty() {
            violation = self.finished(&state).err();
        }
        let History { passed, taken, .. } = *state.history.expect("it is kept");
        let last = path.last().map_or(0, |action| action.thread);
        let way = Way {
            passed,
            taken,
            last,
        };
        (way, violation)
    }

    fn violation(&self, Broken { rule, message }: Broken) -> Violation {
        Violation {
            rule: Some(rule),
            message: with_names(&self.prepared.scenario, &message),
        }
    }

    /// Adds how often the oracle exercised each rule since it was last asked.
    fn count(&self, oracle: &mut Oracle) {
        let shard = &self.exercised[SHARD.with(|shard| *shard)];
        for (total, more) in shard.iter().zip(oracle.take_exercised()) {
            if more > 0 {
                total.fetch_add(more, Ordering::Relaxed);
            }
        }
    }

    /// How an execution ended whose threads have all ended.
    fn quiet_of(&self, state: &State) -> Quiet {
        let count = state.table.count();
        let has_ended = |reg: crate::event::RegId| {
            let module = &state.shared.modules[usize::from(reg.module)];
            module.freed.contains(&reg)
        };
        Quiet {
            registrations: count.registrations,
            bindings: count.bindings,
            instances: count.registrations,
            drained: state.shared.pending.detaches().is_empty(),
            leaked: state.shared.contexts.leaked(has_ended),
        }
    }

    /// Judges the end of an execution whose threads have all ended.
    fn quiet(&self, state: &State) -> Result<(), Violation> {
        let quiet = self.quiet_of(state);
        let mut oracle = state.oracle.clone();
        let broken = oracle.quiet(&quiet);
        self.count(&mut oracle);
        match broken {
            None => Ok(()),
            Some(broken) => Err(self.violation(Broken {
                rule: broken.rule,
                message: broken.message,
            })),
        }
    }
}

impl State {
    /// What was observed, where that is kept.
    pub(crate) fn history(&self) -> &[Event] {
        let history = self.history.as_deref();
        history.map_or(&[], |history| &history.events)
    }

    /// How many choices the thread has now: none, if it cannot go on.
    fn choices(&self, thread: &Thread) -> usize {
        match thread.tasks.last() {
            None => 0,
            Some(Task::Host(Driven::Woken)) => usize::from(!thread.is_asleep),
            Some(&Task::Blocked(On::Event(event))) => {
                usize::from(self.shared.events[usize::from(event)])
            }
            Some(&Task::Blocked(On::Lock(lock))) => {
                usize::from(self.shared.locks[usize::from(lock)].is_none())
            }
            Some(&Task::Pending(which, _)) => {
                let pending = &self.shared.pending;
                match pending.candidates(which).count() {
                    0 => usize::from(pending.is_over(which)),
                    some => some,
                }
            }
            Some(_) => 1,
        }
    }

    fn is_over(&self) -> bool {
        self.phase == Phase::After && self.threads.iter().all(|thread| thread.tasks.is_empty())
    }
}

impl System for Program {
    type State = State;
    type Action = Action;
    type Violation = Violation;
    type Permutation = Symmetry;

    fn identity(&self) -> String {
        self.prepared.scenario.to_toml()
    }

    fn initial(&self) -> State {
        self.begin()
    }

    fn actions(&self, state: &State, enabled: &mut Vec<Action>) {
        for (number, thread) in (0..).zip(&state.threads) {
            let choices = 0..state.choices(thread) as u8;
            enabled.extend(choices.map(|choice| Action {
                thread: number,
                choice,
            }));
        }
        // That a sleeper may wake without a reason does not mean that it ever will: alone it is a deadlock.
        if self.wakes_spuriously && !enabled.is_empty() {
            let sleepers = (0..).zip(&state.threads);
            let sleepers = sleepers.filter(|(_, thread)| thread.sleeps());
            enabled.extend(sleepers.map(|(thread, _)| Action { thread, choice: 0 }));
        }
    }

    fn apply(&self, state: &mut State, action: Action) -> Result<(), Violation> {
        let stepped = catch_unwind(AssertUnwindSafe(|| self.step(state, action)));
        self.count(&mut state.oracle);
        match stepped {
            Ok(Ok(())) => Ok(()),
            Ok(Err(broken)) => Err(self.violation(broken)),
            Err(payload) => Err(crashed(&*payload)),
        }
    }

    fn finished(&self, state: &State) -> Result<(), Violation> {
        if state.is_over() {
            self.saw(state.oracle.end());
            if let Some(watch) = &self.watch {
                watch.ended(&self.prepared, &state.oracle.left());
            }
            return self.quiet(state);
        }
        let threads = (0..).zip(&state.threads);
        let blocked = threads.filter(|(_, thread)| !thread.tasks.is_empty());
        let blocked: Vec<u8> = blocked.map(|(number, _)| number).collect();
        let scripts = InState {
            program: self,
            state,
        };
        let stuck = state.oracle.stuck_in(&Ahead(&scripts), &blocked);
        Err(self.violation(Broken {
            rule: stuck.rule,
            message: stuck.message,
        }))
    }

    fn process(&self, action: Action) -> usize {
        action.thread.into()
    }

    fn encode(&self, state: &State, names: &Symmetry, encoder: &mut Encoder) {
        let may_register = match self.forgets_orders {
            true => self.registering(state).any(),
            false => [true; 2],
        };
        with_symmetry(names, || {
            let counts_handles = self.prepared.uses_stale_handles;
            state.hash_into(counts_handles, may_register, &mut Bytes(encoder));
        });
    }

    fn permutations(&self) -> &[Symmetry] {
        &self.prepared.symmetries
    }

    /// Those that put what stands for the modules and threads, without their names, in the least order.
    fn candidates(&self, state: &State, candidates: &mut Vec<usize>) {
        let all = &self.prepared.symmetries;
        if all.len() == 1 {
            return candidates.push(0);
        }
        let codes = state.codes();
        let mut least = (u64::MAX, u64::MAX);
        for (index, symmetry) in all.iter().enumerate() {
            let threads = codes.threads_under(symmetry);
            // Of most, the threads alone tell.
            if threads > least.0 {
                continue;
            }
            let order = (threads, codes.modules_under(symmetry));
            if order < least {
                least = order;
                candidates.clear();
            }
            if order == least {
                candidates.push(index);
            }
        }
    }

    /// Where the registrar's drops are a part of the step before.
    fn ample(&self, state: &State, enabled: &[Action], claims: &mut Claims<Action>) {
        if self.drops_at_once && self.may_claim {
            self.claim(state, enabled, claims);
        }
    }

    fn progress(&self, state: &State) -> u64 {
        u64::MAX - self.distance(state)
    }

    fn renamed(&self, process: usize, names: &Symmetry) -> usize {
        names.threads[process].into()
    }
}

/// What is hashed, as the bytes of an encoding.
struct Bytes<'a>(&'a mut Encoder);

impl Hasher for Bytes<'_> {
    fn finish(&self) -> u64 {
        unreachable!("it is the encoder that makes the hash")
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        self.0.put_bytes(bytes);
    }

    #[inline]
    fn write_u8(&mut self, value: u8) {
        self.0.put_u8(value);
    }

    #[inline]
    fn write_u16(&mut self, value: u16) {
        self.0.put_u16(value);
    }

    #[inline]
    fn write_u32(&mut self, value: u32) {
        self.0.put_u32(value);
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        self.0.put_u64(value);
    }

    #[inline]
    fn write_u128(&mut self, value: u128) {
        self.0.put_u128(value);
    }

    /// Lengths, and the numbers of variants.
    #[inline]
    fn write_usize(&mut self, value: usize) {
        match u8::try_from(value) {
            Ok(value @ 0..=0xFE) => self.0.put_u8(value),
            _ => {
                self.0.put_u8(u8::MAX);
                self.0.put_u64(value as u64);
            }
        }
    }

    #[inline]
    fn write_isize(&mut self, value: isize) {
        self.write_usize(value as usize);
    }
}

/// An assertion of the table's, or anything else that panicked.
fn crashed(payload: &(dyn std::any::Any + Send)) -> Violation {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let text = text.unwrap_or("no message");
    Violation {
        rule: crate::run::broken_rule(text),
        message: format!("the program under test panicked: {text}"),
    }
}
