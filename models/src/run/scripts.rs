//! Where the threads of an execution are in their scripts.

use super::Run;
use crate::event::{Callback, CallbackKind, Pair, Side};
use crate::interpreter::{Called, On, Positions, Prepared, Resolved, Script};
use crate::invisible::lock;
use crate::oracle::HeldUp;

/// An operation that a thread is inside of.
#[derive(Clone, Copy, Debug)]
struct Position {
    thread: u8,
    script: Script,
    index: usize,
}

/// The operations that the threads are inside of, of each thread the innermost last.
#[derive(Debug, Default)]
pub(super) struct Reached(Vec<Position>);

impl Reached {
    pub(super) fn enter(&mut self, thread: u8, script: Script, index: usize) {
        self.0.push(Position {
            thread,
            script,
            index,
        });
    }

    /// Where an engine takes the execution apart nobody comes out: what is said of it is said then.
    pub(super) fn leave(&mut self, thread: u8) {
        if let Some(innermost) = self.0.iter().rposition(|it| it.thread == thread) {
            self.0.remove(innermost);
        }
    }

    /// Of a thread, the innermost first.
    fn of(&self, thread: u8) -> impl Iterator<Item = Position> {
        let all = self.0.iter().rev();
        all.filter(move |it| it.thread == thread).copied()
    }
}

fn is_clients_attach(callback: &Callback) -> bool {
    (callback.kind, callback.side) == (CallbackKind::Attach, Side::Client)
}

impl Run {
    /// Whether the main thread has yet to start the others.
    fn is_before(&self) -> bool {
        let reached = lock(&self.reached);
        let mut main = reached.of(0);
        main.any(|it| it.script == Script::Before)
    }
}

impl Positions for Run {
    fn prepared(&self) -> &Prepared {
        &self.prepared
    }

    fn rests(&self, thread: u8) -> Vec<(Script, usize)> {
        let positions: Vec<_> = lock(&self.reached).of(thread).collect();
        let rests = positions.iter().map(|it| (it.script, it.index + 1));
        let unbegun = match (self.held_up(thread), thread) {
            (Some(HeldUp::Unstarted), number) => Some((Script::Thread(number), 0)),
            (Some(HeldUp::Joining), _) => Some((Script::After, 0)),
            (None, 0) if self.is_before() => Some((Script::After, 0)),
            _ => None,
        };
        rests.chain(unbegun).collect()
    }

    fn doing(&self, thread: u8) -> Option<Resolved> {
        let innermost = lock(&self.reached).of(thread).next()?;
        self.prepared
            .ops(innermost.script)
            .get(innermost.index)
            .cloned()
    }

    fn last_binding(&self, module: u8) -> Option<Pair> {
        self.modules[usize::from(module)].last_binding.peek()
    }

    fn held_up(&self, thread: u8) -> Option<HeldUp> {
        let active = lock(&self.active);
        match thread {
            0 => (!active.contains(&0)).then_some(HeldUp::Joining),
            _ => {
                drop(active);
                self.is_before().then_some(HeldUp::Unstarted)
            }
        }
    }

    fn attaching(&self, thread: u8) -> Vec<u8> {
        let inside = lock(&self.inside);
        let its = inside.iter().rev().filter(|&&(other, _)| other == thread);
        let clients =
            its.filter_map(|(_, it)| is_clients_attach(it).then_some(it.pair.client.module));
        let reached: Vec<_> = lock(&self.reached).of(thread).collect();
        let has_begun = |module: u8| {
            let script = Script::Module(module, Called::Attached);
            reached.iter().any(|it| it.script == script)
        };
        clients.filter(|&module| !has_begun(module)).collect()
    }

    fn blocked_on(&self, thread: u8) -> Option<On> {
        let blocked = lock(&self.blocked);
        let mut of_it = blocked.iter().filter(|&&(other, _)| other == thread);
        of_it.next().map(|&(_, on)| on)
    }

    fn holder(&self, lock: u8) -> Option<u8> {
        *crate::invisible::lock(&self.holders[usize::from(lock)])
    }

    fn spin(&self) -> bool {
        *lock(&self.spins)
    }
}
