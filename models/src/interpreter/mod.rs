//! The interpreter of scenarios: what threads and scripted modules do, operation by operation and callback by callback.
//!
//! There is one, for every engine. What a thread has still to do is a stack of [tasks](task::Task), of which each may
//! put others on top of it, and the interpreter takes the uppermost one and does it. Whatever it needs for that of
//! the world is its [`Host`]'s: on [threads](crate::run) an execution, in which a call of the registrar blocks, and a
//! callback is a stack of its own inside of it; [without threads](crate::direct) a state, in which the registrar's calls
//! are values and a stack is left at each gate. Nothing here knows which of the two it is, and nothing is judged.
//!
//! What a host does by itself: it makes the calls, lets go of what the registrar drops, and says how a script's
//! operations follow each other.

mod ahead;
mod callbacks;
mod calls;
mod foreign;
#[cfg(shuttle)]
mod foreign_calls;
mod host;
mod ops;
mod prepared;
mod script;
mod shared;
mod task;

use crate::event::{Pair, RegId, Side, Thing, What};
use crate::message::Message;
use crate::milestone::Use;
use crate::rule::Rule;
use crate::scenario::Module;

pub(crate) use ahead::{Ahead, Positions};
pub(crate) use calls::{Function, Returned};
pub(crate) use host::{Host, OpenCallback};
pub(crate) use prepared::{Prepared, Races, Resolved};
pub(crate) use script::{Called, Script};
pub(crate) use shared::{
    AnyHandle, Context, Contexts, Issued, Pending, PendingDetach, Which, admit, npi_id,
};
#[cfg(shuttle)]
pub(crate) use task::Entry;
pub(crate) use task::{After, Attempt, Body, Foreign, Gate, On, Piece, Taker, Task};

/// A rule that broke in a way that is no event, or by an event; before its words have the scenario's names.
pub(crate) struct Broken {
    pub(crate) rule: Rule,
    pub(crate) message: Message,
}

/// Whether nothing broke.
pub(crate) type Done = Result<(), Broken>;

/// A thread at work. See the [module's documentation](self).
pub(crate) struct Interpreter<'a, H> {
    pub(crate) prepared: &'a Prepared,
    pub(crate) host: H,
}

impl<H: Host> Interpreter<'_, H> {
    /// Does the uppermost task, which is on the stack no more.
    pub(crate) fn carry_out(&mut self, task: Task<H::Task>) -> Done {
        match task {
            Task::Gate(gate) => self.host.pass(gate),
            Task::Pending(which, taker) => {
                let taken = self.host.next_pending(which);
                self.took(which, taker, taken);
            }
            Task::Blocked(on) => {
                self.host.block(on);
                self.host.come_to(Use::Passed(on));
            }
            Task::Script(script) => return H::perform(self, script),
            Task::Op(script, index) => self.perform(script, index),
            Task::Now(script, index) => return self.perform_now(script, index),
            Task::Piece(piece) => return self.piece(piece),
            Task::Begin => return self.begin(),
            Task::Body(body) => return self.body(body),
            Task::Foreign(foreign) => return self.foreign(foreign),
            Task::End => return self.end(),
            Task::Host(task) => return H::carry_out(self, task),
        }
        Ok(())
    }

    /// Puts tasks before those that there are.
    pub(crate) fn then<T>(&mut self, tasks: T)
    where
        T: IntoIterator<Item = Task<H::Task>, IntoIter: DoubleEndedIterator>,
    {
        let tasks = tasks.into_iter().rev();
        self.host.tasks().extend(tasks);
    }

    /// The same behind a gate, if there is a reason for one.
    pub(crate) fn gated(&mut self, gate: bool, task: Task<H::Task>) {
        self.then([task]);
        if gate {
            self.then([Task::Gate(Gate::Shared)]);
        }
    }

    /// What the scenario says of a registration's module.
    pub(crate) fn script(&self, reg: RegId) -> &Module {
        &self.prepared.scenario.modules[usize::from(reg.module)]
    }
}

/// What modules do with their own memory.
impl<H: Host> Interpreter<'_, H> {
    /// Uses the memory of a registration context.
    fn touch(&mut self, reg: RegId) -> Done {
        match self.host.is_freed(reg) {
            true => self.host.record(What::UsedAfterFree(Thing::Module(reg))),
            false => Ok(()),
        }
    }

    /// A side takes memory for its context of a binding.
    fn take_context(&mut self, pair: Pair, side: Side) {
        if self.prepared.has_fault {
            self.host.contexts(|contexts| contexts.take(pair, side));
        }
    }

    /// It frees it.
    fn free_context(&mut self, pair: Pair, side: Side) {
        if self.prepared.has_fault {
            self.host.contexts(|contexts| contexts.free(pair, side));
        }
    }

    /// Somebody uses it.
    fn use_context(&mut self, pair: Pair, side: Side) -> Done {
        let is_freed =
            self.prepared.has_fault && self.host.contexts(|contexts| contexts.is_freed(pair, side));
        match is_freed {
            true => self
                .host
                .record(What::UsedAfterFree(Thing::Context { pair, side })),
            false => Ok(()),
        }
    }
}
