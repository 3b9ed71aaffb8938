//! One step of a thread: from a gate to the next one. What tasks do that are about calls and callbacks is in
//! [`calls`](super::calls) and [`callbacks`](super::callbacks).

use super::Program;
use super::state::{ModuleState, OpenCall, OpenCallback, Phase, State, Thread};
use super::task::{Taker, Task};
use crate::event::{Event, Pair, RegId, Side, Thing, What};
use crate::fingerprint::fingerprint;
use crate::milestone::{Milestone, Passed, Use};
use crate::permuted::ThreadNumber;
use crate::rule::Rule;
use crate::run::{Called, PendingDetach, Script, Which};
use crate::scenario::Module;

/// What broke, before its words have the scenario's names.
pub(super) struct Broken {
    pub(super) rule: Rule,
    pub(super) message: crate::message::Message,
}

pub(super) type Done = Result<(), Broken>;

/// A thread at work.
pub(super) struct Step<'a> {
    pub(super) program: &'a Program,
    pub(super) state: &'a mut State,
    pub(super) number: u8,
}

impl Step<'_> {
    /// Goes through the gate at which the thread stands, and on to the next one. `choice` is the place of the
    /// pending detach that it takes, where it has a choice.
    pub(super) fn take(&mut self, choice: usize) -> Done {
        let gate = self.me().tasks.pop();
        if let Some(Task::Pending(which, taker)) = gate {
            self.take_pending(which, taker, choice);
        }
        self.go_to_the_next_gate()
    }

    /// Does what there is to do before the first gate.
    pub(super) fn go_to_the_next_gate(&mut self) -> Done {
        while let Some(task) = self.me().tasks.pop_if(|task| !task.is_gate()) {
            self.carry_out(task)?;
        }
        Ok(())
    }

    fn carry_out(&mut self, task: Task) -> Done {
        match task {
            Task::Gate | Task::Woken | Task::Pending(..) => unreachable!("a step ends there"),
            Task::Ops(script, index) => self.perform_from(script, index),
            Task::Op(script, index) => self.perform(script, index),
            Task::Now(script, index) => self.perform_now(script, index),
            Task::Piece(piece) => return self.piece(piece),
            Task::Begin => return self.begin(),
            Task::Section => self.section(),
            Task::Make => return self.make(),
            Task::Return => return self.returns(),
            Task::Body(body) => return self.body(body),
            Task::End => return self.end(),
            Task::Drop(thing) => return self.drop(thing),
            Task::CleanUp(second) => return self.clean_up(second),
        }
        Ok(())
    }

    fn perform_from(&mut self, script: Script, index: u8) {
        let left = self.program.prepared.ops(script).len() - usize::from(index);
        if left > 1 {
            self.then([Task::Ops(script, index + 1)]);
        }
        if left > 0 {
            self.then([Task::Op(script, index)]);
        }
    }

    /// The pending detaches that the thread can take, by their places.
    pub(super) fn candidates(state: &State, which: Which) -> impl Iterator<Item = usize> {
        let all = state.shared.pending.iter().enumerate();
        let fits = move |detach: &PendingDetach| match which {
            Which::OldestOf(module) => usize::from(detach.pair.side(detach.side).module) == module,
            Which::Oldest | Which::Any => true,
        };
        let all = all.filter(move |(_, detach)| fits(detach));
        let most = if which == Which::Any { usize::MAX } else { 1 };
        all.map(|(place, _)| place).take(most)
    }

    /// Whether no thread will wait any more for whom such detaches are to be completed.
    pub(super) fn is_over(state: &State, which: Which) -> bool {
        let waits = &state.shared.waits;
        match which {
            Which::OldestOf(module) => waits[module] == 0,
            Which::Oldest | Which::Any => waits.iter().all(|&left| left == 0),
        }
    }

    fn take_pending(&mut self, which: Which, taker: Taker, choice: usize) {
        let candidates: Vec<usize> = Self::candidates(self.state, which).collect();
        self.uses(Use::Taken);
        if let (Some(history), 2..) = (&mut self.state.history, candidates.len()) {
            history.taken.push(choice as u32);
        }
        if let Some(&place) = candidates.get(choice) {
            let detach = self.state.shared.pending.remove(place);
            let taken = match taker {
                Taker::Completes => super::task::Piece::Complete(detach),
                Taker::Mistakes => super::task::Piece::Mistake(detach),
            };
            self.then([Task::Piece(taken), Task::Pending(which, taker)]);
        }
    }

    /// Lets go of something of a module's, which its owner sees.
    fn drop(&mut self, thing: Thing) -> Done {
        let owner = thing.owner();
        // A binding context that its module hands over much too late is not the registrar's to keep.
        if thing == Thing::Module(owner) && self.is_freed(owner) {
            self.record_of(None, What::UsedAfterFree(thing))?;
        }
        self.record_of(None, What::Dropped(thing))?;
        let called = match thing {
            Thing::Module(_) => Called::Drop,
            Thing::Context { .. } => Called::ContextDrop,
        };
        self.then([Task::Ops(Script::of(owner, called), 0)]);
        Ok(())
    }

    /// Puts tasks before those that there are.
    pub(super) fn then<T>(&mut self, tasks: T)
    where
        T: IntoIterator<Item = Task, IntoIter: DoubleEndedIterator>,
    {
        let tasks = tasks.into_iter().rev();
        self.me().tasks.extend(tasks);
    }

    /// The same behind a gate, if there is a reason for one.
    pub(super) fn gated(&mut self, gate: bool, task: Task) {
        self.then([task]);
        if gate {
            self.then([Task::Gate]);
        }
    }

    pub(super) fn me(&mut self) -> &mut Thread {
        &mut self.state.threads[usize::from(self.number)]
    }

    pub(super) fn open_call(&mut self) -> &mut OpenCall {
        let open = self.me().calls.last_mut();
        open.expect("the thread is inside a call")
    }

    pub(super) fn open_callback(&mut self) -> &mut OpenCallback {
        let open = self.me().callbacks.last_mut();
        open.expect("the thread is inside a callback")
    }

    pub(super) fn is_inside_callback(&mut self) -> bool {
        !self.me().callbacks.is_empty()
    }

    pub(super) fn script(&self, reg: RegId) -> &Module {
        &self.program.prepared.scenario.modules[usize::from(reg.module)]
    }

    pub(super) fn module(&mut self, module: usize) -> &mut ModuleState {
        &mut self.state.shared.modules[module]
    }

    pub(super) fn thread_number(&self) -> ThreadNumber {
        ThreadNumber(self.number)
    }
}

/// What is observed, and what modules do with their own memory.
impl Step<'_> {
    pub(super) fn record(&mut self, what: What) -> Done {
        self.record_of(Some(self.number), what)
    }

    fn record_of(&mut self, thread: Option<u8>, what: What) -> Done {
        let event = Event { thread, what };
        if let Some(history) = &mut self.state.history {
            history.events.push(event);
        }
        self.passes(Milestone::Observed(what));
        match self.state.oracle.step(&event) {
            None => Ok(()),
            Some(violation) => Err(Broken {
                rule: violation.rule,
                message: violation.message,
            }),
        }
    }

    /// The thread comes to something that others could notice.
    fn passes(&mut self, milestone: Milestone) {
        let thread = self.number;
        if let Some(history) = &mut self.state.history {
            history.passed.push(Passed { thread, milestone });
        }
    }

    /// The thread comes to something that threads share beside the registrar.
    pub(super) fn uses(&mut self, one: Use) {
        self.passes(Milestone::Shared(one));
    }

    /// A critical section of the registrar is over.
    pub(super) fn section_ends(&mut self) {
        if self.state.history.is_some() {
            let table = fingerprint(&self.state.table);
            self.passes(Milestone::Section(table));
        }
    }

    /// Uses the memory of a registration context.
    pub(super) fn touch(&mut self, reg: RegId) -> Done {
        match self.is_freed(reg) {
            true => self.record(What::UsedAfterFree(Thing::Module(reg))),
            false => Ok(()),
        }
    }

    pub(super) fn is_freed(&mut self, reg: RegId) -> bool {
        self.module(usize::from(reg.module)).freed.contains(&reg)
    }

    pub(super) fn free(&mut self, reg: RegId) {
        self.module(usize::from(reg.module)).freed.push(reg);
    }

    /// A side takes memory for its context of a binding.
    pub(super) fn take_context(&mut self, pair: Pair, side: Side) {
        if self.program.has_fault {
            let contexts = &mut self.state.shared.contexts;
            contexts.retain(|&(other, of, _)| (other, of) != (pair, side));
            contexts.push((pair, side, false));
        }
    }

    /// It frees it.
    pub(super) fn free_context(&mut self, pair: Pair, side: Side) {
        let mut contexts = self.state.shared.contexts.iter_mut();
        if let Some((.., freed)) = contexts.find(|(other, of, _)| (*other, *of) == (pair, side)) {
            *freed = true;
        }
    }

    /// Somebody uses it.
    pub(super) fn use_context(&mut self, pair: Pair, side: Side) -> Done {
        match self.state.shared.contexts.contains(&(pair, side, true)) {
            true => self.record(What::UsedAfterFree(Thing::Context { pair, side })),
            false => Ok(()),
        }
    }
}

impl State {
    /// Starts whoever comes when those before have ended.
    pub(super) fn next_phase(&mut self, program: &Program) -> Done {
        while self.threads.iter().all(|thread| thread.tasks.is_empty()) {
            let (phase, starts) = match self.phase {
                Phase::Before => (Phase::Threads, 1..self.threads.len()),
                Phase::Threads => (Phase::After, 0..1),
                Phase::After => return Ok(()),
            };
            self.phase = phase;
            for number in starts {
                let number = number as u8;
                let script = match number {
                    0 => Script::After,
                    number => Script::Thread(number),
                };
                self.threads[usize::from(number)]
                    .tasks
                    .push(Task::Ops(script, 0));
                let mut step = Step {
                    program,
                    state: self,
                    number,
                };
                step.go_to_the_next_gate()?;
            }
        }
        Ok(())
    }
}
