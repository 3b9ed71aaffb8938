//! The real registrar, driven by a sequence, with modules that follow their scripts.
//!
//! It runs in step with the events that the specification expects: a call that the specification
//! says is not to be made (a wait that would block) is not made, and after the first difference
//! nobody calls anybody any more, so that a faulty registrar is not driven on with a script that
//! does not fit. It decides nothing about right and wrong beyond that comparison.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};

use nmr::{
    AttachError, Attachment, BindingContext, BindingHandle, ClientHandle, DeregisterError,
    DetachCompleteError, Dispatch, HandleFault, HandleKind, ProviderHandle, RegisterError,
    Registrar, RegistrationInstance, Side, Status, WaitError,
};
use nmr_models::scenario::Limits;
use nmr_sync::Mutex;

use super::event::{Answer, Event, Held, Name, Pair, What};
use super::handle_ref::HandleRef;
use super::ops::{Function, LAST_GENERATION, Op, Parts, Register};

mod foreign;
mod scripted;
pub use foreign::Foreign;
use scripted::Scripted;

/// A handle of any kind, as numbers.
pub type Raw = (u32, u64);

/// The registrar under test and all that is known about it from outside.
pub struct World {
    registrar: Registrar,
    foreign: Foreign,
    ledger: Mutex<Ledger>,
}

#[derive(Default)]
struct Ledger {
    expected: Vec<Event>,
    got: Vec<Event>,
    /// An event was not the expected one; nothing is noted after it.
    differs: bool,
    depth: usize,
    quiet: bool,
    registered: Vec<Traces>,
    issued: Vec<(Name, Raw)>,
    offered: Vec<(Pair, Raw)>,
    contexts: Vec<Weak<String>>,
}

/// What tells whether the registrar has let go of a registration's things.
struct Traces {
    name: Name,
    null_context: bool,
    module: Weak<Scripted>,
    instance: Weak<RegistrationInstance>,
}

impl Traces {
    fn is_held(&self) -> bool {
        self.module.strong_count() + self.instance.strong_count() > 0
    }
}

impl World {
    /// A registrar with these limits and nothing in it, beside another one that owns the foreign handles.
    #[must_use]
    pub fn new(limits: Limits) -> Arc<Self> {
        // Few stripes, so that counting is quick.
        let builder = Registrar::builder()
            .stripes(4)
            .last_generation(LAST_GENERATION);
        Arc::new(Self {
            registrar: limits.apply(builder).build(),
            foreign: Foreign::new(),
            ledger: Mutex::new(Ledger::default()),
        })
    }

    /// Carries out one operation in step with `expected`; answers what was seen, up to and including
    /// the first event that is not the expected one.
    pub fn step(self: &Arc<Self>, op: &Op, expected: Vec<Event>) -> Vec<Event> {
        self.ledger.lock().expected = expected;
        self.call(op);
        if !self.ledger.lock().differs {
            let held = self.held();
            self.say(What::Holds(held));
        }
        std::mem::take(&mut self.ledger.lock().got)
    }

    /// From now on, scripts make no calls of their own.
    pub fn be_quiet(&self) {
        self.ledger.lock().quiet = true;
    }

    /// What the other registrar's modules saw of all this, if anything; shuts it down.
    ///
    /// # Errors
    /// What was seen.
    pub fn leave(&self) -> Result<(), String> {
        self.foreign.leave()
    }

    fn held(&self) -> Held {
        let count = self.registrar.count();
        let ledger = self.ledger.lock();
        let of = |held: fn(&Traces) -> usize| {
            let all = ledger.registered.iter();
            all.filter(|traces| held(traces) > 0).count()
        };
        let contexts = ledger.contexts.iter();
        Held {
            registrations: count.registrations,
            bindings: count.bindings,
            modules: of(|traces| traces.module.strong_count()),
            instances: of(|traces| traces.instance.strong_count()),
            contexts: contexts
                .filter(|context| context.strong_count() > 0)
                .count(),
        }
    }

    /// Notes an event; whether the run goes on.
    fn say(&self, what: What) -> bool {
        let mut ledger = self.ledger.lock();
        if !ledger.differs {
            let event = Event {
                depth: ledger.depth,
                what,
            };
            ledger.differs = ledger.expected.get(ledger.got.len()) != Some(&event);
            ledger.got.push(event);
        }
        !ledger.differs
    }

    fn deeper(&self) {
        self.ledger.lock().depth += 1;
    }

    fn back(&self) {
        self.ledger.lock().depth -= 1;
    }

    /// The reason for which the specification says that the call just noted is not made.
    fn not_made(&self) -> Option<&'static str> {
        let ledger = self.ledger.lock();
        match &ledger.expected.get(ledger.got.len())?.what {
            What::Answered(Answer::NotMade(reason)) => Some(reason),
            _ => None,
        }
    }

    fn call(self: &Arc<Self>, op: &Op) -> Answer {
        if !self.say(What::Called(op.to_string())) {
            return Answer::NotMade("the run has ended");
        }
        self.deeper();
        let answer = match self.not_made() {
            Some(reason) => Answer::NotMade(reason),
            None => catch_unwind(AssertUnwindSafe(|| self.make(op)))
                .unwrap_or_else(|payload| Answer::Panicked(text_of(&*payload))),
        };
        self.back();
        self.say(What::Answered(answer.clone()));
        answer
    }

    fn make(self: &Arc<Self>, op: &Op) -> Answer {
        match op.parts() {
            Parts::Register(register) => self.register(register),
            Parts::Call(function, handle) => self.invoke(function, self.raw(handle)),
        }
    }

    fn invoke(&self, function: Function, raw: Raw) -> Answer {
        let registrar = &self.registrar;
        let (id, bits) = raw;
        match function {
            Function::DeregisterClient => {
                deregistered(registrar.deregister_client(ClientHandle::from_raw(id, bits)))
            }
            Function::DeregisterProvider => {
                deregistered(registrar.deregister_provider(ProviderHandle::from_raw(id, bits)))
            }
            Function::WaitClient => {
                let waited = registrar.wait_for_client_deregister(ClientHandle::from_raw(id, bits));
                self.waited(raw, waited)
            }
            Function::WaitProvider => {
                let handle = ProviderHandle::from_raw(id, bits);
                self.waited(raw, registrar.wait_for_provider_deregister(handle))
            }
            Function::AttachProvider => self.attach(raw),
            Function::ClientDetachComplete => {
                completed(registrar.client_detach_complete(BindingHandle::from_raw(id, bits)))
            }
            Function::ProviderDetachComplete => {
                completed(registrar.provider_detach_complete(BindingHandle::from_raw(id, bits)))
            }
        }
    }

    /// What a handle's numbers name, if the registrar has issued it.
    #[must_use]
    pub fn named(&self, raw: Raw) -> Option<HandleRef> {
        let ledger = self.ledger.lock();
        if let Some(index) = ledger.issued.iter().position(|(_, other)| *other == raw) {
            let (name, _) = ledger.issued[index];
            let younger = ledger.issued[index + 1..].iter();
            let age = younger.filter(|(other, _)| other.slot == name.slot).count();
            return Some(HandleRef::Registration(name.slot, u8::try_from(age).ok()?));
        }
        let index = ledger.offered.iter().position(|(_, other)| *other == raw)?;
        let slots = |index: usize| {
            let (pair, _) = ledger.offered[index];
            (pair.client.slot, pair.provider.slot)
        };
        let younger =
            (index + 1..ledger.offered.len()).filter(|&other| slots(other) == slots(index));
        let (client, provider) = slots(index);
        let age = u8::try_from(younger.count()).ok()?;
        Some(HandleRef::Binding(client, provider, age))
    }

    /// The number of the registrar under test, which is part of its handles: known as soon as it has
    /// issued one.
    #[must_use]
    pub fn number(&self) -> Option<u32> {
        let ledger = self.ledger.lock();
        ledger.issued.first().map(|&(_, (number, _))| number)
    }

    /// Calls a function with any numbers for a handle, in step with `expected`. The call is noted as
    /// `text`, and answers what is wrong with the handle only as far as can be known from outside.
    pub fn probe(
        &self,
        function: Function,
        raw: Raw,
        text: &str,
        expected: Vec<Event>,
    ) -> Vec<Event> {
        self.ledger.lock().expected = expected;
        self.say(What::Called(text.to_owned()));
        self.deeper();
        let called = catch_unwind(AssertUnwindSafe(|| self.invoke(function, raw)));
        let answer = match called {
            Ok(Answer::InvalidParameter(fault)) if fault != HandleFault::Foreign => {
                Answer::InvalidHandle
            }
            Ok(answer) => answer,
            Err(payload) => Answer::Panicked(text_of(&*payload)),
        };
        self.back();
        self.say(What::Answered(answer));
        if !self.ledger.lock().differs {
            let held = self.held();
            self.say(What::Holds(held));
        }
        std::mem::take(&mut self.ledger.lock().got)
    }

    /// The numbers of a handle. One that was never issued becomes zeros, which name nothing.
    #[must_use]
    pub fn raw(&self, handle: HandleRef) -> Raw {
        let ledger = self.ledger.lock();
        let found = match handle {
            HandleRef::Foreign(kind) => return self.foreign.handle(kind),
            HandleRef::Registration(slot, age) => {
                let issued = ledger.issued.iter().rev();
                let mut of_slot = issued.filter(|(name, _)| name.slot == slot);
                of_slot.nth(age.into()).map(|&(_, raw)| raw)
            }
            HandleRef::Binding(client, provider, age) => {
                let offered = ledger.offered.iter().rev();
                let mut of_slots = offered.filter(|(pair, _)| {
                    (pair.client.slot, pair.provider.slot) == (client, provider)
                });
                of_slots.nth(age.into()).map(|&(_, raw)| raw)
            }
        };
        found.unwrap_or_default()
    }

    fn register(self: &Arc<Self>, script: &Register) -> Answer {
        let slot = script.module;
        let mut ledger = self.ledger.lock();
        let earlier = ledger.registered.iter().filter(|t| t.name.slot == slot);
        let turn = u32::try_from(earlier.count() + 1).expect("sequences are short");
        let name = Name { slot, turn };
        let instance = Arc::new(name.instance(script.npi));
        let module = Arc::new(Scripted {
            world: Arc::clone(self),
            name,
            script: script.clone(),
            spent: Mutex::new(Vec::new()),
        });
        if script.npi != 0 {
            ledger.registered.push(Traces {
                name,
                null_context: script.null_context,
                module: Arc::downgrade(&module),
                instance: Arc::downgrade(&instance),
            });
        }
        drop(ledger);
        let registered = match slot.side {
            Side::Client => {
                let handle = self.registrar.register_client(instance, module);
                handle.map(|handle| handle.to_raw())
            }
            Side::Provider => {
                let handle = self.registrar.register_provider(instance, module);
                handle.map(|handle| handle.to_raw())
            }
        };
        match registered {
            Ok(raw) => {
                self.ledger.lock().issued.push((name, raw));
                Answer::Registered(name)
            }
            Err(RegisterError::InvalidParameter(_)) => Answer::NilInterface,
            Err(RegisterError::InsufficientResources(error)) => {
                Answer::InsufficientResources(error)
            }
            Err(error) => Answer::Other(error.to_string()),
        }
    }

    /// C11: when a wait has returned, the registrar has let go of the module.
    fn waited<K: HandleKind>(&self, raw: Raw, waited: Result<(), WaitError<K>>) -> Answer {
        match waited {
            Ok(()) => {
                let ledger = self.ledger.lock();
                let issued = ledger.issued.iter().find(|(_, other)| *other == raw);
                let traces = issued.and_then(|(name, _)| {
                    let mut all = ledger.registered.iter();
                    all.find(|traces| traces.name == *name)
                });
                match traces.is_some_and(Traces::is_held) {
                    true => Answer::DoneButHeld,
                    false => Answer::Done,
                }
            }
            Err(WaitError::InvalidParameter { fault, .. }) => Answer::InvalidParameter(fault),
            Err(WaitError::NotDeregistered { .. }) => Answer::NotDeregistered,
            Err(WaitError::WouldDeadlock { .. }) => Answer::WouldDeadlock,
            Err(error) => Answer::Other(error.to_string()),
        }
    }

    fn attach(&self, raw: Raw) -> Answer {
        let client = match self.pair_of(raw) {
            Some(pair) => self.attachment(pair, Side::Client),
            None => Attachment::default(),
        };
        let binding = BindingHandle::from_raw(raw.0, raw.1);
        match self.registrar.client_attach_provider(binding, client) {
            Ok(provider) => Answer::Attached {
                context: label_of(&provider.context),
                dispatch: label_of(&provider.dispatch),
            },
            Err(AttachError::InvalidParameter { fault, .. }) => Answer::InvalidParameter(fault),
            Err(AttachError::InvalidState { .. }) => Answer::InvalidState,
            Err(AttachError::NoInterface { .. }) => Answer::NoInterface,
            Err(AttachError::Refused(status)) => Answer::Refused(status),
            Err(error) => Answer::Other(error.to_string()),
        }
    }

    fn pair_of(&self, raw: Raw) -> Option<Pair> {
        let ledger = self.ledger.lock();
        let mut offered = ledger.offered.iter();
        offered
            .find(|(_, other)| *other == raw)
            .map(|&(pair, _)| pair)
    }

    /// What one side hands over when it attaches.
    fn attachment(&self, pair: Pair, side: Side) -> Attachment {
        let mut ledger = self.ledger.lock();
        let mut registered = ledger.registered.iter();
        let own = registered.find(|traces| traces.name == pair.end(side));
        let context = if own.is_some_and(|traces| traces.null_context) {
            BindingContext::null()
        } else {
            let label = Arc::new(pair.context(side, false));
            ledger.contexts.push(Arc::downgrade(&label));
            BindingContext::from_arc(label)
        };
        Attachment {
            context,
            dispatch: Dispatch::new(pair.dispatch(side)),
        }
    }
}

fn deregistered<K: HandleKind>(answer: Result<Status, DeregisterError<K>>) -> Answer {
    match answer {
        Ok(status) => Answer::Deregistering(status),
        Err(DeregisterError::InvalidParameter { fault, .. }) => Answer::InvalidParameter(fault),
        Err(DeregisterError::AlreadyDeregistering { .. }) => Answer::AlreadyDeregistering,
        Err(error) => Answer::Other(error.to_string()),
    }
}

fn completed(answer: Result<(), DetachCompleteError>) -> Answer {
    match answer {
        Ok(()) => Answer::Done,
        Err(DetachCompleteError::InvalidParameter { fault, .. }) => Answer::InvalidParameter(fault),
        Err(DetachCompleteError::InvalidState { .. }) => Answer::InvalidState,
        Err(error) => Answer::Other(error.to_string()),
    }
}

fn label_of(opaque: &nmr::Opaque) -> String {
    match opaque.downcast_ref::<String>() {
        Some(label) => label.clone(),
        None if opaque.is_null() => "null".to_owned(),
        None => "a stranger's".to_owned(),
    }
}

fn text_of(payload: &(dyn Any + Send)) -> String {
    let string = payload.downcast_ref::<String>().map(String::as_str);
    let text = string.or_else(|| payload.downcast_ref::<&str>().copied());
    text.unwrap_or("no text").to_owned()
}
