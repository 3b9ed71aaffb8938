//! Where the threads of an execution are in their scripts, and what they would still have done: for the
//! words of a standstill.

use crate::interpreter::{Called, Resolved, Script};
use crate::invisible::lock;
use crate::message::{Message, message};
use crate::op::Op;
use crate::oracle::{Debtor, HeldUp, Missing, Scripts};
use crate::permuted::ModuleNumber;
use crate::scenario::is_wait;

use super::Run;

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

impl Run {
    /// The thread's operations that are still to be done, innermost first, and the script of each.
    fn ahead(&self, thread: u8) -> Vec<(Script, &Resolved)> {
        let positions: Vec<_> = lock(&self.reached).of(thread).collect();
        let rest = positions.iter().map(|it| (it.script, it.index + 1));
        let unbegun = match (self.held_up(thread), thread) {
            (Some(HeldUp::Unstarted), number) => Some((Script::Thread(number), 0)),
            (Some(HeldUp::Joining), _) => Some((Script::After, 0)),
            (None, 0) if self.is_before() => Some((Script::After, 0)),
            _ => None,
        };
        let scripts = rest.chain(unbegun);
        let ops = scripts.flat_map(|(script, from)| {
            let ops = self.prepared.ops(script).iter().skip(from);
            ops.map(move |op| (script, op))
        });
        ops.collect()
    }

    /// Whether the main thread has yet to start the others.
    fn is_before(&self) -> bool {
        let reached = lock(&self.reached);
        let mut main = reached.of(0);
        main.any(|it| it.script == Script::Before)
    }

    /// Whether the operation completes the pending detach.
    fn completes(&self, op: &Resolved, missing: Missing) -> bool {
        let module = usize::from(missing.owner().module);
        let is_its = op.target() == Some(&module);
        match op {
            Op::Complete(_) | Op::TryComplete(_) => is_its,
            Op::CompleteAgain(_) => {
                is_its && self.modules[module].last_binding.peek() == Some(missing.pair)
            }
            Op::CompleteAll | Op::CompleteAny => true,
            _ => false,
        }
    }
}

fn quoted(op: &Resolved) -> Message {
    match op.parts() {
        (verb, Some(&module)) => message!["`" {verb} " " {ModuleNumber(module as u8)} "`"],
        (verb, None) => message!["`" {verb} "`"],
    }
}

impl Scripts for Run {
    fn spin(&self) -> bool {
        *lock(&self.spins)
    }

    fn debtors(&self, missing: Missing) -> Vec<Debtor> {
        let threads = 0..=self.prepared.scenario.threads.len() as u8;
        let debtor = |thread: u8| {
            let mut ahead = self.ahead(thread).into_iter();
            let (script, op) = ahead.find(|(_, op)| self.completes(op, missing))?;
            let within = match script {
                Script::Module(module, called) => {
                    message![" in " {ModuleNumber(module)} "'s " {called.words()}]
                }
                _ => Message::default(),
            };
            let with = message![{quoted(op)} " still to do" {within}];
            Some(Debtor { thread, with })
        };
        threads.filter_map(debtor).collect()
    }

    fn uncalled(&self, missing: Missing) -> Vec<Message> {
        let modules = 0..self.prepared.scenario.modules.len() as u8;
        let scripts = modules.flat_map(|module| Called::ALL.map(|called| (module, called)));
        let uncalled = scripts.filter_map(|(module, called)| {
            let mut ops = self.prepared.ops(Script::Module(module, called)).iter();
            let op = ops.find(|op| self.completes(op, missing))?;
            let module = ModuleNumber(module);
            Some(message![{module} "'s " {called.words()} " has " {quoted(op)} " to do"])
        });
        uncalled.collect()
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

    fn doing(&self, thread: u8) -> Option<Message> {
        let innermost = lock(&self.reached).of(thread).next()?;
        let ops = self.prepared.ops(innermost.script);
        let op = ops.get(innermost.index)?;
        (!is_wait(op)).then(|| quoted(op))
    }
}
