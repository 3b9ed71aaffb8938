//! Who may yet register, and on which side: where nobody will, the order of those who are there counts no more, and
//! what reads it is independent.

use super::Program;
use super::state::{Phase, State, Thread};
use super::task::{Driven, Task};
use crate::event::Call;
use crate::interpreter::Script;
use crate::op::Op;
use crate::scenario::{self, Scenario};

/// Threads of a scenario, the main thread included, at most.
const MAX_THREADS: usize = scenario::MAX_THREADS + 1;

/// On which sides somebody may yet register.
pub(super) struct Registering {
    /// In scripts that nobody has begun.
    unbegun: [bool; 2],
    /// Each thread, in those that it has begun.
    threads: [[bool; 2]; MAX_THREADS],
}

impl Registering {
    /// Anybody.
    pub(super) fn any(&self) -> [bool; 2] {
        self.but(None)
    }

    /// Anybody but this thread.
    pub(super) fn but(&self, thread: Option<u8>) -> [bool; 2] {
        let mut sides = self.unbegun;
        for (number, own) in (0..).zip(self.threads) {
            if Some(number) != thread {
                either(&mut sides, own);
            }
        }
        sides
    }
}

fn either(sides: &mut [bool; 2], others: [bool; 2]) {
    sides
        .iter_mut()
        .zip(others)
        .for_each(|(side, other)| *side |= other);
}

/// On which sides callbacks and destructors register.
pub(super) fn registers_inside(scenario: &Scenario) -> [bool; 2] {
    let mut sides = [false; 2];
    let scripts = scenario.modules.iter().flat_map(|module| module.scripts());
    for op in scripts.flatten() {
        if let Op::Register(name) | Op::Own(name) = op
            && let Some(index) = scenario.module(name)
        {
            sides[scenario.modules[index].side as usize] = true;
        }
    }
    sides
}

impl Program {
    /// Who may yet register.
    pub(super) fn registering(&self, state: &State) -> Registering {
        let mut unbegun = self.registers_inside;
        let mut script =
            |script: Script| either(&mut unbegun, self.prepared.registers_from(script, 0));
        match state.phase {
            Phase::Before => {
                script(Script::After);
                (1..state.threads.len() as u8).for_each(|number| script(Script::Thread(number)));
            }
            Phase::Threads => script(Script::After),
            Phase::After => {}
        }
        let mut threads = [[false; 2]; MAX_THREADS];
        for (sides, thread) in threads.iter_mut().zip(&state.threads) {
            *sides = self.registers(thread);
        }
        Registering { unbegun, threads }
    }

    /// On which sides a thread may yet register, in scripts that it has begun.
    fn registers(&self, thread: &Thread) -> [bool; 2] {
        let mut sides = [false; 2];
        for task in &thread.tasks {
            let (script, from) = match *task {
                Task::Script(script) => (script, 0),
                Task::Host(Driven::Ops(script, from))
                | Task::Op(script, from)
                | Task::Now(script, from) => (script, from),
                _ => continue,
            };
            either(&mut sides, self.prepared.registers_from(script, from));
        }
        for open in &thread.calls {
            if let (Call::Register { side, .. }, Some(call)) = (open.what, &open.call) {
                sides[side as usize] |= call.is_unbegun();
            }
        }
        sides
    }
}
