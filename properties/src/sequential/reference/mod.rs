//! The specification: operation → answer and callbacks, for one thread. It is executable.
//!
//! Written from the contract (rules C1 to C19), as a recursive program: a callback is a function
//! call, and what the contract asks for next is the next statement. It shares no idea with the
//! registrar's table of transitions. It has no locks, no slots and no generations, and it knows
//! nothing of threads: where the registrar would wait for another thread, it says so.

mod binding;
mod registration;

pub use binding::REFUSAL;

use std::sync::Arc;

use nmr::{HandleFault, Side};
use nmr_models::scenario::Limits;

use super::event::{Answer, Event, Held, Name, Outcome, Pair, What};
use super::handle_ref::{HandleRef, Slot};
use super::ops::{Function, Hook, Op, Parts, Register};

/// Why an operation is not made: its handle was never issued.
pub const NO_SUCH_HANDLE: &str = "no such handle yet";
/// Why an operation is not made: the module has a registration.
pub const BUSY: &str = "the module is registered";
/// Why an operation is not made: the wait has to be ended by this same thread.
pub const BLOCKS: &str = "the wait would block";

/// A panic's text.
type Thrown = String;

/// The specification's state.
#[derive(Clone, Debug, Default)]
pub struct Model {
    limits: Limits,
    /// How many reservations have been made, over all register calls.
    reservations: usize,
    registrations: Vec<Registration>,
    bindings: Vec<Binding>,
    /// Registrations whose register call has returned their handle, in that order.
    issued: Vec<usize>,
    /// Bindings whose handle a client has seen, in that order.
    offered: Vec<usize>,
    trace: Vec<Event>,
    depth: usize,
    quiet: bool,
    stuck: bool,
}

#[derive(Clone, Debug)]
struct Registration {
    name: Name,
    script: Arc<Register>,
    state: State,
    /// The points of its script that it has come to; see [`Register::calls`].
    spent: Vec<Hook>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// Deregistration has begun.
    Closing,
    /// A wait has returned: the handle is dead.
    Gone,
}

#[derive(Clone, Debug)]
struct Binding {
    /// The registrations, client and provider.
    ends: [usize; 2],
    phase: Phase,
    /// The thread is inside one of its callbacks.
    inside: bool,
    /// The client changed its mind (C5): only the provider detaches and cleans up.
    provider_alone: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// To be offered by the register call that made it.
    Proposed,
    /// In the client's attach callback. `asked`: it has made its one attach call.
    Offered {
        asked: bool,
        accepted: bool,
    },
    Attached,
    Detaching([Part; 2]),
    CleaningUp,
    Gone,
}

/// One side's part of detaching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    NotAsked,
    Asked,
    /// It has completed inside its callback.
    Early,
    Pending,
    Done,
}

/// What a handle names here.
enum Target {
    Registration(usize),
    Binding(usize),
    Foreign,
}

impl Model {
    /// The state of a registrar with these limits and nothing in it. (The generations of slots are
    /// no concern of the specification.)
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// Carries out one operation; answers all that is to be seen of it.
    pub fn apply(&mut self, op: &Op) -> Vec<Event> {
        self.call(op);
        self.say(What::Holds(self.held()));
        std::mem::take(&mut self.trace)
    }

    /// Whether some call so far can never return on this one thread. Only the wait inside a panicking
    /// register call can be like that: every other one is not made.
    #[must_use]
    pub const fn is_stuck(&self) -> bool {
        self.stuck
    }

    /// From now on, scripts make no calls of their own.
    pub fn be_quiet(&mut self) {
        self.quiet = true;
    }

    /// The next operation that brings everything to its end; `None` at the end.
    #[must_use]
    pub fn shutdown_op(&self) -> Option<Op> {
        self.pending()
            .next()
            .map(|(side, handle)| Op::detach_complete(side, handle))
            .or_else(|| {
                let slot = self.open().next()?;
                Some(Op::deregister(slot.side, HandleRef::Registration(slot, 0)))
            })
            .or_else(|| {
                let slot = self.closing().next()?;
                Some(Op::wait(slot.side, HandleRef::Registration(slot, 0)))
            })
    }

    /// Modules without a registration.
    pub fn free(&self) -> impl Iterator<Item = Slot> {
        Slot::all().filter(|&slot| !self.is_busy(slot))
    }

    /// Modules whose registration is open.
    pub fn open(&self) -> impl Iterator<Item = Slot> {
        self.in_state(State::Open)
    }

    /// Modules whose registration is being deregistered.
    pub fn closing(&self) -> impl Iterator<Item = Slot> {
        self.in_state(State::Closing)
    }

    fn in_state(&self, state: State) -> impl Iterator<Item = Slot> {
        let all = self.registrations.iter();
        all.filter(move |r| r.state == state).map(|r| r.name.slot)
    }

    /// Bindings that are not gone, as the operations refer to them.
    pub fn bound(&self) -> impl Iterator<Item = HandleRef> {
        let live = (0..self.bindings.len()).filter(|&b| self.bindings[b].phase != Phase::Gone);
        live.map(|b| self.binding_ref(b))
    }

    /// The sides whose detach is pending.
    pub fn pending(&self) -> impl Iterator<Item = (Side, HandleRef)> {
        (0..self.bindings.len()).flat_map(move |b| {
            let parts = match self.bindings[b].phase {
                Phase::Detaching(parts) => parts,
                _ => [Part::Done; 2],
            };
            let handle = self.binding_ref(b);
            let sides = Side::BOTH.into_iter();
            sides
                .filter(move |&side| parts[side as usize] == Part::Pending)
                .map(move |side| (side, handle))
        })
    }

    /// Every handle that has been seen, dead ones too, as the operations refer to them.
    pub fn handles(&self) -> impl Iterator<Item = HandleRef> {
        // The age of a handle is how many of its name came after it.
        let newest_first = |list: &[usize], name: &dyn Fn(usize, u8) -> HandleRef| {
            let mut seen: Vec<HandleRef> = Vec::new();
            for &index in list.iter().rev() {
                let older = seen.iter().filter(|other| other.newest() == name(index, 0));
                let age = u8::try_from(older.count()).expect("sequences are short");
                seen.push(name(index, age));
            }
            seen
        };
        let registration =
            |r: usize, age| HandleRef::Registration(self.registrations[r].name.slot, age);
        let binding = |b: usize, age| {
            let pair = self.pair(b);
            HandleRef::Binding(pair.client.slot, pair.provider.slot, age)
        };
        let registrations = newest_first(&self.issued, &registration);
        registrations
            .into_iter()
            .chain(newest_first(&self.offered, &binding))
    }

    /// What the registrar holds.
    #[must_use]
    pub fn held(&self) -> Held {
        let there = self.registrations.iter();
        let registrations = there.filter(|r| r.state != State::Gone).count();
        let bindings = self.bindings.iter().filter(|b| b.phase != Phase::Gone);
        let contexts = bindings.clone().map(|b| self.contexts(b)).sum();
        Held {
            registrations,
            bindings: bindings.count(),
            modules: registrations,
            instances: registrations,
            contexts,
        }
    }

    /// How many contexts that are not null a binding holds between two operations.
    fn contexts(&self, binding: &Binding) -> usize {
        let held = |&side: &Side| {
            let out = binding.provider_alone && side == Side::Client;
            !out && !self.registrations[binding.ends[side as usize]]
                .script
                .null_context
        };
        Side::BOTH.iter().filter(|side| held(side)).count()
    }

    fn say(&mut self, what: What) {
        let depth = self.depth;
        self.trace.push(Event { depth, what });
    }

    /// One call of a registrar function, by the sequence or by a script.
    fn call(&mut self, op: &Op) -> Answer {
        self.say(What::Called(op.to_string()));
        self.depth += 1;
        let answer = self.answer(op);
        self.depth -= 1;
        self.say(What::Answered(answer.clone()));
        answer
    }

    fn answer(&mut self, op: &Op) -> Answer {
        let (function, handle) = match op.parts() {
            Parts::Register(register) => return self.register(register),
            Parts::Call(function, handle) => (function, handle),
        };
        let Some(target) = self.resolve(handle) else {
            return Answer::NotMade(NO_SUCH_HANDLE);
        };
        let answer = match function {
            Function::DeregisterClient => self
                .registration(target, Side::Client)
                .map(|r| self.deregister(r)),
            Function::DeregisterProvider => self
                .registration(target, Side::Provider)
                .map(|r| self.deregister(r)),
            Function::WaitClient => self
                .registration(target, Side::Client)
                .map(|r| self.wait(r)),
            Function::WaitProvider => self
                .registration(target, Side::Provider)
                .map(|r| self.wait(r)),
            Function::AttachProvider => self.binding(target).map(|b| self.attach(b)),
            Function::ClientDetachComplete => self
                .binding(target)
                .map(|b| self.detach_complete(b, Side::Client)),
            Function::ProviderDetachComplete => self
                .binding(target)
                .map(|b| self.detach_complete(b, Side::Provider)),
        };
        answer.unwrap_or_else(Answer::InvalidParameter)
    }

    fn resolve(&self, handle: HandleRef) -> Option<Target> {
        let newest = |list: &[usize], age: u8, wanted: &dyn Fn(usize) -> bool| {
            let mut newest_first = list.iter().rev().copied().filter(|&i| wanted(i));
            newest_first.nth(age.into())
        };
        match handle {
            HandleRef::Foreign(_) => Some(Target::Foreign),
            HandleRef::Registration(slot, age) => {
                let of_slot = |r: usize| self.registrations[r].name.slot == slot;
                newest(&self.issued, age, &of_slot).map(Target::Registration)
            }
            HandleRef::Binding(client, provider, age) => {
                let of_slots = |b: usize| {
                    let pair = self.pair(b);
                    (pair.client.slot, pair.provider.slot) == (client, provider)
                };
                newest(&self.offered, age, &of_slots).map(Target::Binding)
            }
        }
    }

    /// C12 for the functions of registrations.
    fn registration(&self, target: Target, side: Side) -> Result<usize, HandleFault> {
        match target {
            Target::Foreign => Err(HandleFault::Foreign),
            Target::Registration(r) if self.registrations[r].name.slot.side == side => {
                match self.registrations[r].state {
                    State::Gone => Err(HandleFault::Dead),
                    State::Open | State::Closing => Ok(r),
                }
            }
            Target::Registration(_) | Target::Binding(_) => Err(HandleFault::WrongKind),
        }
    }

    /// C12 for the functions of bindings.
    fn binding(&self, target: Target) -> Result<usize, HandleFault> {
        match target {
            Target::Foreign => Err(HandleFault::Foreign),
            Target::Registration(_) => Err(HandleFault::WrongKind),
            Target::Binding(b) if self.bindings[b].phase == Phase::Gone => Err(HandleFault::Dead),
            Target::Binding(b) => Ok(b),
        }
    }

    fn pair(&self, binding: usize) -> Pair {
        let [client, provider] = self.bindings[binding]
            .ends
            .map(|r| self.registrations[r].name);
        Pair { client, provider }
    }

    fn binding_ref(&self, binding: usize) -> HandleRef {
        let pair = self.pair(binding);
        HandleRef::Binding(pair.client.slot, pair.provider.slot, 0)
    }

    fn script(&self, registration: usize) -> Arc<Register> {
        Arc::clone(&self.registrations[registration].script)
    }

    /// Makes the calls of a script at one point, the first time that the registration is there.
    fn hook(&mut self, registration: usize, hook: Hook) {
        let spent = &mut self.registrations[registration].spent;
        if self.quiet || spent.contains(&hook) {
            return;
        }
        spent.push(hook);
        for op in self.script(registration).calls(hook) {
            self.call(op);
        }
    }

    /// The text with which a registration's script panics.
    fn thrown(&self, registration: usize, callback: &str) -> Thrown {
        panic_text(self.registrations[registration].name, callback)
    }

    /// A callback returns.
    fn returned(&mut self, outcome: Outcome) {
        self.depth -= 1;
        self.say(What::Returned(outcome));
    }
}

/// The text with which a registration's script panics in one of its callbacks.
#[must_use]
pub fn panic_text(name: Name, callback: &str) -> String {
    format!("{name} in {callback}")
}

/// C18: the first panic of a call is the one that goes on to its caller.
fn keep_first(first: &mut Option<Thrown>, next: Option<Thrown>) {
    if first.is_none() {
        *first = next;
    }
}
