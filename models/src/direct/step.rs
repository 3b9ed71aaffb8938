//! One step of a thread: from a gate to the next one. How calls are driven is in [`calls`](super::calls), which callbacks
//! they make in [`callbacks`](super::callbacks).

use super::Program;
use super::state::{ModuleState, OpenCall, Phase, State, Thread};
use super::task::{Driven, Task, is_gate};
use crate::event::{Event, RegId, Thing, What};
use crate::fingerprint::fingerprint;
use crate::interpreter::{Broken, Called, Done, Host, Interpreter, Script};
use crate::milestone::{Milestone, Passed};

/// A thread at work.
pub(super) struct Step<'a> {
    pub(super) program: &'a Program,
    pub(super) state: &'a mut State,
    pub(super) number: u8,
}

impl<'a> Step<'a> {
    /// A thread of a scenario, which interprets what it has to do.
    pub(super) fn of(
        program: &'a Program,
        state: &'a mut State,
        number: u8,
    ) -> Interpreter<'a, Self> {
        Interpreter {
            prepared: &program.prepared,
            host: Self {
                program,
                state,
                number,
            },
        }
    }
}

impl Interpreter<'_, Step<'_>> {
    /// Goes through the gate at which the thread stands, and on to the next one. `choice` is the place of the
    /// pending detach that it takes, where it has a choice.
    pub(super) fn take(&mut self, choice: usize) -> Done {
        let gate = self.host.me().tasks.pop();
        if gate == Some(Task::Host(Driven::Woken)) {
            // Perhaps by nobody.
            self.host.me().is_asleep = false;
        }
        if let Some(blocked @ Task::Blocked(_)) = gate {
            self.carry_out(blocked)?;
        }
        if let Some(Task::Pending(which, taker)) = gate {
            let pending = &self.host.state.shared.pending;
            let candidates: Vec<usize> = pending.candidates(which).collect();
            if let (Some(history), 2..) = (&mut self.host.state.history, candidates.len()) {
                history.taken.push(choice as u32);
            }
            let pending = &mut self.host.state.shared.pending;
            let taken = candidates.get(choice).map(|&place| pending.remove(place));
            self.took(which, taker, taken);
        }
        self.go_to_the_next_gate()
    }

    /// Does what there is to do before the first gate.
    pub(super) fn go_to_the_next_gate(&mut self) -> Done {
        while let Some(task) = self.host.me().tasks.pop_if(|task| !is_gate(task)) {
            self.carry_out(task)?;
        }
        Ok(())
    }

    pub(super) fn perform_from(&mut self, script: Script, index: u8) {
        let left = self.prepared.ops(script).len() - usize::from(index);
        if left > 1 {
            self.then([Task::Host(Driven::Ops(script, index + 1))]);
        }
        if left > 0 {
            self.then([Task::Op(script, index)]);
        }
    }

    /// Lets go of something of a module's, which its owner sees.
    pub(super) fn drop(&mut self, thing: Thing) -> Done {
        let owner = thing.owner();
        // A binding context that its module hands over much too late is not the registrar's to keep.
        if thing == Thing::Module(owner) && self.host.is_freed(owner) {
            self.host.record_of(None, What::UsedAfterFree(thing))?;
        }
        let called = match thing {
            Thing::Module(_) => Called::Drop,
            Thing::Context { .. } => Called::ContextDrop,
        };
        let script = Script::of(owner, called);
        if self.prepared.ops(script).is_empty() {
            return self.host.record_of(None, What::Dropped(thing));
        }
        self.host.record(What::Dropped(thing))?;
        self.then([Task::Script(script), Task::Host(Driven::Destroyed(thing))]);
        Ok(())
    }
}

impl Step<'_> {
    pub(super) fn me(&mut self) -> &mut Thread {
        &mut self.state.threads[usize::from(self.number)]
    }

    pub(super) fn open_call(&mut self) -> &mut OpenCall {
        let open = self.me().calls.last_mut();
        open.expect("the thread is inside a call")
    }

    pub(super) fn module(&mut self, module: u8) -> &mut ModuleState {
        &mut self.state.shared.modules[usize::from(module)]
    }

    pub(super) fn has_freed(&self, reg: RegId) -> bool {
        let module = &self.state.shared.modules[usize::from(reg.module)];
        module.freed.contains(&reg)
    }
}

/// What is observed.
impl Step<'_> {
    pub(super) fn record_of(&mut self, thread: Option<u8>, what: What) -> Done {
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
    pub(super) fn passes(&mut self, milestone: Milestone) {
        let thread = self.number;
        if let Some(history) = &mut self.state.history {
            history.passed.push(Passed { thread, milestone });
        }
    }

    /// A critical section of the registrar is over.
    pub(super) fn section_ends(&mut self) {
        if self.state.history.is_some() {
            let table = fingerprint(&self.state.table);
            self.passes(Milestone::Section(table));
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
                let thread = &mut self.threads[usize::from(number)];
                thread.tasks.push(Task::Script(script));
                Step::of(program, self, number).go_to_the_next_gate()?;
            }
        }
        Ok(())
    }
}
