//! What the threads of an execution would still have done, and what they wait for beside the registrar: for the words of
//! a standstill.

use super::prepared::{Prepared, Resolved};
use super::script::{Called, Script};
use super::task::On;
use crate::event::Pair;
use crate::message::{Message, message};
use crate::op::Op;
use crate::oracle::{Debtor, HeldUp, Missing, Outside, Scripts};
use crate::permuted::ModuleNumber;
use crate::scenario::is_wait;

/// Where the threads of an execution are in their scripts.
pub(crate) trait Positions {
    /// The scenario.
    fn prepared(&self) -> &Prepared;

    /// The lists of operations that a thread has still to do, the innermost first, and from which one on.
    fn rests(&self, thread: u8) -> Vec<(Script, usize)>;

    /// The operation that a thread is inside of.
    fn doing(&self, thread: u8) -> Option<Resolved>;

    /// The last binding of a module.
    fn last_binding(&self, module: u8) -> Option<Pair>;

    /// Why a thread that is not blocked does not come to what it has to do, if it has anything.
    fn held_up(&self, thread: u8) -> Option<HeldUp>;

    /// The clients in whose attach callback a thread is, and that have still to come to what they do after attaching.
    fn attaching(&self, thread: u8) -> Vec<u8>;

    /// What a thread waits for beside the registrar.
    fn blocked_on(&self, thread: u8) -> Option<On>;

    /// The thread that has a lock.
    fn holder(&self, lock: u8) -> Option<u8>;

    /// Whether threads go on for ever, and nothing changes: a livelock.
    fn spin(&self) -> bool {
        false
    }
}

/// Positions, as the [oracle](crate::oracle) asks for them.
pub(crate) struct Ahead<'a, P>(pub(crate) &'a P);

impl<P: Positions> Ahead<'_, P> {
    /// Threads that have such an operation still to do; with the module in whose callback it is, if it is in one.
    fn threads_with(&self, is_it: impl Fn(&Resolved) -> bool) -> Vec<Debtor> {
        let prepared = self.0.prepared();
        let threads = 0..=prepared.scenario.threads.len() as u8;
        let debtor = |thread: u8| {
            let attached = self.0.attaching(thread).into_iter();
            let attached = attached.map(|module| (Script::Module(module, Called::Attached), 0));
            let rests = attached.chain(self.0.rests(thread));
            let mut ahead = rests.flat_map(|(script, from)| {
                let ops = prepared.ops(script).iter().skip(from);
                ops.map(move |op| (script, op))
            });
            let (script, op) = ahead.find(|(_, op)| is_it(op))?;
            let within = match script {
                Script::Module(module, called) => {
                    message![" in " {ModuleNumber(module)} "'s " {called.words()}]
                }
                _ => Message::default(),
            };
            let with = message![{self.quoted(op)} " still to do" {within}];
            Some(Debtor { thread, with })
        };
        threads.filter_map(debtor).collect()
    }

    /// Callbacks that would have done it, in words.
    fn callbacks_with(&self, is_it: impl Fn(&Resolved) -> bool) -> Vec<Message> {
        let prepared = self.0.prepared();
        let modules = 0..prepared.scenario.modules.len() as u8;
        let scripts = modules.flat_map(|module| Called::ALL.map(|called| (module, called)));
        let callbacks = scripts.filter_map(|(module, called)| {
            let mut ops = prepared.ops(Script::Module(module, called)).iter();
            let op = ops.find(|op| is_it(op))?;
            let (module, op) = (ModuleNumber(module), self.quoted(op));
            Some(message![{module} "'s " {called.words()} " has " {op} " to do"])
        });
        callbacks.collect()
    }

    /// Whether the operation completes the pending detach.
    fn completes(&self, op: &Resolved, missing: Missing) -> bool {
        let module = usize::from(missing.owner().module);
        let is_its = op.target() == Some(&module);
        match op {
            Op::Complete(_) | Op::TryComplete(_) => is_its,
            Op::CompleteAgain(_) => {
                is_its && self.0.last_binding(missing.owner().module) == Some(missing.pair)
            }
            Op::CompleteAll | Op::CompleteAny => true,
            _ => false,
        }
    }

    fn quoted(&self, op: &Resolved) -> Message {
        let scenario = &self.0.prepared().scenario;
        match *op {
            Op::Set(event) | Op::Await(event) => {
                message!["`" {op.parts().0} " " {scenario.events[event].as_str()} "`"]
            }
            Op::Lock(lock) | Op::Unlock(lock) => {
                message!["`" {op.parts().0} " " {scenario.locks[lock].as_str()} "`"]
            }
            _ => match op.parts() {
                (verb, Some(&module)) => {
                    message!["`" {verb} " " {ModuleNumber(module as u8)} "`"]
                }
                (verb, None) => message!["`" {verb} "`"],
            },
        }
    }
}

impl<P: Positions> Scripts for Ahead<'_, P> {
    fn debtors(&self, missing: Missing) -> Vec<Debtor> {
        self.threads_with(|op| self.completes(op, missing))
    }

    fn uncalled(&self, missing: Missing) -> Vec<Message> {
        self.callbacks_with(|op| self.completes(op, missing))
    }

    fn outside(&self, thread: u8) -> Option<Outside> {
        let scenario = &self.0.prepared().scenario;
        Some(match self.0.blocked_on(thread)? {
            On::Event(event) => {
                let event = usize::from(event);
                let sets = |op: &Resolved| *op == Op::Set(event);
                Outside {
                    what: message!["event `" {scenario.events[event].as_str()} "`"],
                    debtors: self.threads_with(sets),
                    uncalled: self.callbacks_with(sets),
                }
            }
            On::Lock(lock) => {
                let what = message!["lock `" {scenario.locks[usize::from(lock)].as_str()} "`"];
                let holder = self.0.holder(lock).map(|thread| Debtor {
                    thread,
                    with: what.clone(),
                });
                Outside {
                    what,
                    debtors: holder.into_iter().collect(),
                    uncalled: Vec::new(),
                }
            }
        })
    }

    fn held_up(&self, thread: u8) -> Option<HeldUp> {
        self.0.held_up(thread)
    }

    fn doing(&self, thread: u8) -> Option<Message> {
        let op = self.0.doing(thread)?;
        (!is_wait(&op)).then(|| self.quoted(&op))
    }

    fn spin(&self) -> bool {
        self.0.spin()
    }
}
