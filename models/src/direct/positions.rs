//! Where the threads of a state are in their scripts, read off their stacks.

use super::Program;
use super::state::{Phase, State};
use super::task::{Driven, Task};
use crate::event::Pair;
use crate::interpreter::{Body, On, Positions, Prepared, Resolved, Script, Taker, Which};
use crate::op::Op;
use crate::oracle::HeldUp;

/// A state of a program.
pub(super) struct InState<'a> {
    pub(super) program: &'a Program,
    pub(super) state: &'a State,
}

impl InState<'_> {
    fn top(&self, thread: u8) -> Option<&Task> {
        self.state.threads[usize::from(thread)].tasks.last()
    }
}

impl Positions for InState<'_> {
    fn prepared(&self) -> &Prepared {
        &self.program.prepared
    }

    fn rests(&self, thread: u8) -> Vec<(Script, usize)> {
        let tasks = self.state.threads[usize::from(thread)].tasks.iter().rev();
        let rests = tasks.filter_map(|task| match *task {
            Task::Script(script) => Some((script, 0)),
            Task::Op(script, from) | Task::Now(script, from) => Some((script, from.into())),
            Task::Host(Driven::Ops(script, from)) => Some((script, from.into())),
            _ => None,
        });
        let unbegun = match (self.state.phase, thread) {
            (Phase::Before | Phase::Threads, 0) => Some((Script::After, 0)),
            (Phase::Before, number) => Some((Script::Thread(number), 0)),
            _ => None,
        };
        rests.chain(unbegun).collect()
    }

    /// Whatever it waits in that is no call.
    fn doing(&self, thread: u8) -> Option<Resolved> {
        Some(match *self.top(thread)? {
            Task::Pending(which, taker) => match (which, taker) {
                (Which::OldestOf(module), Taker::Completes) => Op::Complete(module.into()),
                (Which::OldestOf(module), Taker::Mistakes) => Op::CompleteWrong(module.into()),
                (Which::Oldest, _) => Op::CompleteAll,
                (Which::Any, _) => Op::CompleteAny,
            },
            Task::Blocked(On::Event(event)) => Op::Await(event.into()),
            Task::Blocked(On::Lock(lock)) => Op::Lock(lock.into()),
            _ => return None,
        })
    }

    fn last_binding(&self, module: u8) -> Option<Pair> {
        let module = &self.state.shared.modules[usize::from(module)];
        module.last_binding.map(|(pair, _)| pair)
    }

    fn held_up(&self, thread: u8) -> Option<HeldUp> {
        match (self.state.phase, thread) {
            (Phase::Before, 1..) => Some(HeldUp::Unstarted),
            (Phase::Threads, 0) => Some(HeldUp::Joining),
            _ => None,
        }
    }

    /// A callback has one task that is left of it beside its scripts.
    fn attaching(&self, thread: u8) -> Vec<u8> {
        let thread = &self.state.threads[usize::from(thread)];
        let left = thread.tasks.iter().rev();
        let left = left.filter(|task| matches!(task, Task::Body(_) | Task::End));
        let open = thread.callbacks.iter().rev().map(|open| open.callback);
        let attaching = left.zip(open).filter_map(|(task, callback)| {
            matches!(task, Task::Body(Body::Client(_) | Body::Attached(_, true)))
                .then_some(callback.pair.client.module)
        });
        attaching.collect()
    }

    fn blocked_on(&self, thread: u8) -> Option<On> {
        match self.top(thread) {
            Some(&Task::Blocked(on)) => Some(on),
            _ => None,
        }
    }

    fn holder(&self, lock: u8) -> Option<u8> {
        let holder = self.state.shared.locks[usize::from(lock)];
        holder.map(|thread| thread.0)
    }
}
