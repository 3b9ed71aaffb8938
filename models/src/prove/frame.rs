//! A program as a scenario: what has to be around it for it to come to an end, whatever the interleaving.
//!
//! - **A thread completes** what is pending, in any order, if something can be: nobody else might.
//! - **The main thread ends it**: when the threads have ended it takes every module of which they cannot be known to have
//!   seen the end, deregisters it, completes what is pending, and waits. First those that threads deregister: what
//!   is missing of their ends nobody else has brought about then. So every program comes to the state in which nothing may be
//!   left (C19), but for registrations of which a module has lost sight by registering again.
//! - **A thread that registers waits at last**, if a callback can panic and something be pending: a register call
//!   that panics waits for the end of its registration (C18), and the thread that completes stays only as long as
//!   somebody has a `wait` to do. It waits for the module that it registered last; if nobody deregisters that, it is
//!   refused (C14).

use nmr::Side;

use super::act::{Act, Verb};
use super::callable::Callable;
use super::facts::Facts;
use super::program::{Called, Manner, Member, Program};
use crate::op::Op;
use crate::scenario::{Attach, Cleanup, Detach, Module, Scenario, Thread};

impl Program {
    /// The scenario, under a name.
    #[must_use]
    pub fn scenario(&self, name: &str, summary: &str) -> Scenario {
        let names = names(&self.cast);
        let frame = Frame::new(self);
        let op = |act: &Act| act.op(&names, self.is_owned(act.module));
        let ops = |acts: &[Act]| acts.iter().map(op).collect::<Vec<_>>();
        let mut threads: Vec<Thread> = (1..)
            .zip(&self.threads)
            .map(|(number, acts)| {
                let last = frame.closing_wait(acts);
                Thread {
                    name: format!("t{number}"),
                    ops: ops(&[acts.as_slice(), last.as_slice()].concat()),
                }
            })
            .collect();
        if !frame.pending.is_empty() {
            threads.push(Thread {
                name: "completing".to_owned(),
                ops: vec![Op::CompleteAny],
            });
        }
        Scenario {
            name: name.to_owned(),
            summary: summary.to_owned(),
            limits: self.behaviour.limits,
            after: ops(&frame.end()),
            modules: self.modules(&names),
            threads,
            ..Scenario::default()
        }
    }

    fn is_owned(&self, module: u8) -> bool {
        self.behaviour.manners[usize::from(module)].owned
    }

    fn modules(&self, names: &[String]) -> Vec<Module> {
        let each = self.cast.iter().zip(&self.behaviour.manners).zip(names);
        let modules = each.zip(0..).map(|(((member, manner), name), number)| {
            let mut module = Module {
                attach: manner.attach,
                detach: manner.detach,
                cleanup: manner.cleanup,
                null_context: manner.null_context,
                ..Module::new(name.as_str(), member.side, member.npi)
            };
            let inside = self
                .behaviour
                .inside
                .filter(|inside| inside.module == number);
            if let Some(inside) = inside {
                let script = match inside.called {
                    Called::Attach => &mut module.in_attach,
                    Called::Attached => &mut module.after_attach,
                    Called::Detach => &mut module.in_detach,
                    Called::Cleanup => &mut module.in_cleanup,
                };
                script.push(inside.act.op(names, self.is_owned(inside.act.module)));
            }
            module
        });
        modules.collect()
    }
}

/// Clients are `c`, `d` …, providers `p`, `q` ….
fn names(cast: &[Member]) -> Vec<String> {
    let (mut clients, mut providers) = ('c'..='o', 'p'..='z');
    let name = |member: &Member| match member.side {
        Side::Client => clients.next(),
        Side::Provider => providers.next(),
    };
    let names = cast.iter().map(name);
    names
        .map(|name| name.expect("there are few modules").to_string())
        .collect()
}

struct Frame<'a> {
    program: &'a Program,
    facts: Facts,
    /// The modules whose detaches can be pending.
    pending: Vec<u8>,
    /// Whether a callback can panic.
    panics: bool,
}

impl<'a> Frame<'a> {
    fn new(program: &'a Program) -> Self {
        let manners = &program.behaviour.manners;
        let facts = Facts::new(&program.cast, &program.threads);
        let callable = Callable::new(&program.cast, &facts, manners);
        let is_pending = |&(module, manner): &(usize, &Manner)| {
            manner.detach == Detach::Pending && callable.may(module, Called::Detach)
        };
        let pending = manners.iter().enumerate().filter(is_pending);
        Self {
            program,
            pending: pending.map(|(module, _)| module as u8).collect(),
            panics: manners.iter().any(can_panic),
            facts,
        }
    }

    fn closing_wait(&self, acts: &[Act]) -> Option<Act> {
        if self.pending.is_empty() || !self.panics {
            return None;
        }
        let last = acts.iter().rposition(|act| act.verb == Verb::Register)?;
        let waits = acts[last..].iter().any(|act| act.verb == Verb::Wait);
        (!waits).then(|| Act::new(Verb::Wait, acts[last].module))
    }

    /// What the main thread does when the others have ended.
    fn end(&self) -> Vec<Act> {
        let modules = 0..self.program.cast.len() as u8;
        let mut open: Vec<u8> = modules.filter(|&module| !self.has_ended(module)).collect();
        open.sort_by_key(|&module| !self.is_deregistered(module));
        let end_of = |&module: &u8| {
            if self.program.is_owned(module) {
                return vec![Act::new(Verb::Release, module)];
            }
            let complete = self.pending.iter().flat_map(|&module| {
                vec![Act::new(Verb::TryComplete, module); self.bindings_of(module)]
            });
            let deregister = std::iter::once(Act::new(Verb::Deregister, module));
            let wait = std::iter::once(Act::new(Verb::Wait, module));
            deregister.chain(complete).chain(wait).collect::<Vec<_>>()
        };
        open.iter().flat_map(end_of).collect()
    }

    /// Whether some thread deregisters the module.
    fn is_deregistered(&self, module: u8) -> bool {
        let mut acts = self.program.threads.iter().flatten();
        acts.any(|act| act.verb.deregisters() && act.module == module)
    }

    /// How many bindings a module has at most.
    fn bindings_of(&self, module: u8) -> usize {
        let module = usize::from(module);
        let all = 0..self.program.cast.len();
        let met = all.filter(|&other| self.facts.meet(module, other));
        let peers: usize = met
            .map(|peer| usize::from(self.facts.registers[peer]))
            .sum();
        usize::from(self.facts.registers[module]) * peers
    }

    /// Whether the one thread that registers the module has deregistered it afterwards, and waited.
    fn has_ended(&self, module: u8) -> bool {
        let is = |verb| move |act: &Act| *act == Act::new(verb, module);
        let threads = self.program.threads.iter();
        let mut registering = threads.filter(|acts| acts.iter().any(is(Verb::Register)));
        let (Some(acts), None) = (registering.next(), registering.next()) else {
            return false;
        };
        let last = acts
            .iter()
            .rposition(is(Verb::Register))
            .unwrap_or_default();
        let acts = &acts[last..];
        // The owner waits within.
        if self.program.is_owned(module) {
            return acts
                .iter()
                .any(|act| act.verb.is_an_owners() && act.module == module);
        }
        let mut rest = acts.iter();
        rest.any(is(Verb::Deregister)) && rest.any(is(Verb::Wait))
    }
}

fn can_panic(manner: &Manner) -> bool {
    matches!(manner.attach, Attach::Panic | Attach::PanicAfterAttach)
        || manner.detach == Detach::Panic
        || manner.cleanup == Cleanup::Panic
}
