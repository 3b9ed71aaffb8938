//! Transitions of the table, without threads: what each answers, and what the next one then does.
//!
//! Nobody makes the callbacks here; a test says what they answered.

mod attaching;
mod detaching;
mod state;
mod waiting;

use super::*;
use crate::error::InsufficientResources;
use crate::handle::HandleFault;
use Side::{Client, Provider};

const NPI: NpiId = NpiId(5);

/// Modules are their sides, callers are numbers, and of a context there is only whether it is null.
#[derive(Clone, Debug)]
enum Plain {}

impl Lent for Plain {
    type Module = Side;
    type Instance = NpiId;
    type Context = bool;
    type Thread = u8;
    type Name = u32;

    fn side(module: &Side) -> Side {
        *module
    }
    fn npi(instance: &NpiId) -> NpiId {
        *instance
    }
    fn is_null(context: &bool) -> bool {
        *context == NULL
    }
    fn name(_: &Side) -> u32 {
        0
    }
}

const NULL: bool = true;
const SOME: bool = false;

type Table = super::Table<Plain>;
type Visit = super::Visit<Plain>;

struct Bench {
    table: Table,
    me: u8,
    other: u8,
    /// What the last step's callbacks would have been given.
    hand: Hand<Plain>,
}

impl Bench {
    fn new() -> Self {
        Self::with(Reserve::unlimited())
    }

    fn with(reserve: Reserve) -> Self {
        Self::retiring(NonZeroU32::MAX, reserve)
    }

    fn retiring(last_generation: NonZeroU32, reserve: Reserve) -> Self {
        Self {
            table: Table::new(last_generation, reserve),
            me: 1,
            hand: Hand::default(),
            other: 2,
        }
    }

    fn try_add(&mut self, side: Side) -> Result<(Key, Step), InsufficientResources> {
        self.register(side, false)
    }

    fn register(&mut self, side: Side, owned: bool) -> Result<(Key, Step), InsufficientResources> {
        let characteristics = Characteristics {
            module: side,
            instance: NPI,
        };
        let mut visit = Visit::new(self.me);
        let step = self
            .table
            .register(&mut Some(characteristics), owned, &mut visit);
        self.leave();
        let Job::Register(key) = visit.job else {
            return Err(step.expect_err("it did not register"));
        };
        Ok((key, step?))
    }

    /// Registers; answers the key and the register call's first step.
    fn add(&mut self, side: Side) -> (Key, Step) {
        self.try_add(side).unwrap()
    }

    /// Registers for an owner.
    fn add_owned(&mut self, side: Side) -> Key {
        self.register(side, true).unwrap().0
    }

    /// Registers and attaches to everybody; answers the key and the bindings.
    fn add_attached(&mut self, side: Side) -> (Key, Vec<Key>) {
        let (key, mut step) = self.add(side);
        let mut bindings = Vec::new();
        while !matches!(step, Step::Done) {
            let binding = attach(step);
            self.accept(binding);
            step = self.attached(binding, true, key);
            bindings.push(binding);
        }
        (key, bindings)
    }

    /// The client calls `client_attach_provider` and the provider takes it.
    fn accept(&mut self, binding: Key) {
        let call = self.ask(binding, NULL, self.me);
        assert!(matches!(call, Ok(AttachCall::Provider)));
        self.table
            .provider_returned(binding, Some(NULL), &mut Visit::new(1));
        self.leave();
    }

    /// The client calls `client_attach_provider`.
    fn ask(&mut self, binding: Key, context: bool, thread: u8) -> Result<AttachCall, HandleFault> {
        let visit = &mut Visit::new(thread);
        let call = self.table.attach_provider(binding, context, visit);
        self.leave();
        call
    }

    fn visit(&self, job: Job) -> Visit {
        let mut visit = Visit::new(self.me);
        visit.job = job;
        visit
    }

    /// A callback returned, on the way of `job`.
    fn returned(&mut self, returned: Returned, job: Job) -> Step {
        let mut visit = self.visit(job);
        let step = self.table.returned(returned, &mut visit);
        self.hand = visit.hand;
        self.leave();
        step
    }

    /// The client's attach callback returned, inside the register call of `by`.
    fn attached(&mut self, binding: Key, success: bool, by: Key) -> Step {
        let returned = Returned::Attach(binding, success);
        let step = self.returned(returned, Job::Register(by));
        self.leave();
        step
    }

    fn deregister(&mut self, key: Key, side: Side, thread: u8) -> Step {
        let step = self.table.deregister(key, side, &mut Visit::new(thread));
        self.leave();
        step.unwrap().expect("it was not being deregistered")
    }

    fn detached(&mut self, (binding, side): (Key, Side), answer: Detach, job: Job) -> Step {
        self.returned(Returned::Detach(binding, side, answer), job)
    }

    fn complete(&mut self, binding: Key, side: Side) -> Option<Step> {
        let mut visit = Visit::new(self.other);
        let step = self.table.detach_complete(binding, side, &mut visit);
        self.leave();
        step.unwrap()
    }

    fn cleaned_up(&mut self, step: Step, job: Job) -> Step {
        self.returned(Returned::CleanUp(cleanup(step)), job)
    }

    /// Both sides complete at once and clean up.
    fn finish(&mut self, step: Step, job: Job) -> Step {
        let client = detach(step);
        assert_eq!(client.1, Side::Client, "the client is asked first");
        let step = self.detached(client, Detach::Complete, job);
        let provider = detach(step);
        assert_eq!(provider, (client.0, Side::Provider));
        let step = self.detached(provider, Detach::Complete, job);
        self.cleaned_up(step, job)
    }

    /// Registrations and bindings that are there.
    fn count(&self) -> (usize, usize) {
        let count = self.table.count();
        (count.registrations, count.bindings)
    }

    /// Ends a critical section, which also checks the table; whether waiters would be woken.
    fn leave(&mut self) -> bool {
        self.table.leave(&mut None)
    }
}

#[track_caller]
fn attach(step: Step) -> Key {
    match step {
        Step::Attach(binding) => binding,
        _ => panic!("expected an attach callback"),
    }
}

#[track_caller]
fn detach(step: Step) -> (Key, Side) {
    match step {
        Step::DetachClient(binding) => (binding, Client),
        Step::DetachProvider(binding) => (binding, Provider),
        _ => panic!("expected a detach callback"),
    }
}

#[track_caller]
fn cleanup(step: Step) -> Key {
    match step {
        Step::CleanUp(binding) => binding,
        _ => panic!("expected the cleanup callbacks"),
    }
}

#[track_caller]
fn done(step: Step) {
    assert!(matches!(step, Step::Done), "expected nothing more to do");
}
