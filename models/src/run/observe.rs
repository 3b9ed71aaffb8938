//! What the threads of an execution do, as events for the [recorder](super::recorder): calls of the registrar,
//! callbacks, and what it drops. And where others may come between, for an explorer.

use std::any::Any;
use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use nmr_sync::{linger, mark};

use super::identity::key;
use super::{Run, recorder};
use crate::event::{Callback, RegId, Thing, What};
use crate::fingerprint::fingerprint;
use crate::interpreter::{Called, Script};
use crate::invisible::lock;
use crate::message::message;
use crate::milestone::Milestone;
use crate::render::InWords;
use crate::rule::Rule;

/// Panics go on to the caller.
const PANICS: Rule = Rule::new(18);

/// The panic of a script. Nobody is told of it but whoever catches it.
struct ScriptedPanic;

pub(super) fn scripted_panic() -> ! {
    resume_unwind(Box::new(ScriptedPanic))
}

impl Run {
    /// Something came of something: an answer of a call, a reply of a callback.
    pub(super) fn came(&self, outcome: impl Hash) {
        if !is_redundant() {
            self.watch.saw(&self.prepared, || fingerprint(&outcome));
        }
    }

    pub(super) fn record(&self, what: What) {
        mark(&InWords(&self.prepared.scenario, what));
        self.passes(Milestone::Observed(what));
        self.moment();
        #[cfg(shuttle)]
        if is_redundant() {
            return self.recorder.note(Some(self.number()), what);
        }
        if let Some(finding) = self.recorder.record(self.number(), what) {
            self.found(finding);
            resume_unwind(Box::new(recorder::Stop));
        }
    }

    /// The registrar lets go of something of a module's. Others may come in between whatever its thread did
    /// before and this, which is the use of its owner's memory, too: a destructor is the module's code.
    pub(super) fn dropped(self: &Arc<Self>, thing: Thing, called: Called) {
        if self.is_taken_apart() {
            return;
        }
        linger();
        order(thing.registrations());
        let owner = thing.owner();
        let is_freed = self.has_ended(owner);
        // A binding context that its module hands over much too late is not the registrar's to keep.
        if is_freed && thing == Thing::Module(owner) {
            self.record_dropped(None, What::UsedAfterFree(thing));
        }
        let script = Script::of(owner, called);
        if self.prepared.ops(script).is_empty() {
            return self.record_dropped(None, What::Dropped(thing));
        }
        let thread = Some(self.number());
        self.record_dropped(thread, What::Dropped(thing));
        let destroying = (self.number(), thing);
        lock(&self.destroying).push(destroying);
        self.perform_in_drop(script);
        lock(&self.destroying).retain(|other| *other != destroying);
        if !self.is_taken_apart() {
            self.record_dropped(thread, What::Destroyed);
        }
    }

    /// Whether what is dropped now is dropped by an engine that takes the execution apart, and not by the
    /// registrar. An engine unwinds its threads; the registrar lets go of things while it unwinds, too, but with
    /// the panic of a script only. (In shuttle's models all threads seem to panic when one does.)
    pub(super) fn is_taken_apart(&self) -> bool {
        std::thread::panicking() && *lock(&self.unwinding) == 0
    }

    /// Never panics, for it is called from `drop`.
    fn record_dropped(&self, thread: Option<u8>, what: What) {
        self.passes(Milestone::Observed(what));
        self.moment();
        #[cfg(shuttle)]
        if is_redundant() {
            return self.recorder.note(thread, what);
        }
        if let Some(finding) = self.recorder.record_dropped(thread, what) {
            self.found(finding);
        }
    }

    pub(super) fn leave_callback(&self, thread: u8) {
        let mut inside = lock(&self.inside);
        if let Some(index) = inside.iter().rposition(|&(other, _)| other == thread) {
            inside.remove(index);
        }
    }

    /// A thread comes to an event about these registrations. It tells the oracle that what it did before
    /// is over, too: that is about the callback that it came out of, which is answered.
    pub(super) fn comes(
        &self,
        thread: u8,
        about: impl IntoIterator<Item = RegId>,
    ) -> Option<Callback> {
        order(about);
        let mut all = lock(&self.last);
        let index = all.iter().position(|&(other, _)| other == thread)?;
        let (_, last) = all.swap_remove(index);
        order(last.pair.registrations());
        Some(last)
    }

    /// Catches a script's panic. Any other one is the engine's, or means that the execution is over.
    pub(super) fn catching<R>(&self, body: impl FnOnce() -> R) -> Option<R> {
        match catch_unwind(AssertUnwindSafe(body)) {
            Ok(result) => Some(result),
            Err(payload) if payload.is::<ScriptedPanic>() => None,
            Err(payload) => {
                self.lost_panic(&*payload);
                self.recorder.freeze();
                resume_unwind(payload);
            }
        }
    }

    /// Somebody's panic came out where that of a script was on its way. The engine's own are told of by the
    /// panic hook, or are no text.
    pub(super) fn lost_panic(&self, payload: &(dyn Any + Send)) {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        if let Some(text) = text.filter(|_| *lock(&self.unwinding) > 0) {
            let why = message![
                "a callback's panic is to go on to the caller, and another one comes out: " {text}
            ];
            if let Some(finding) = self.recorder.violated(PANICS, why) {
                self.found(finding);
            }
        }
    }
}

/// Where executions go along others, and are shown.
#[cfg(not(shuttle))]
impl Run {
    /// Nobody goes along here.
    pub(super) const fn passes(&self, _: Milestone) {}

    /// Nobody is shown anything here.
    pub(super) const fn moment(&self) {}
}

/// What is observed of a registration is observed in an order: the oracle judges by it.
pub(super) fn order(registrations: impl IntoIterator<Item = RegId>) {
    for reg in registrations {
        nmr_sync::touch(key(reg));
    }
}

/// Whether nobody is interested any more in what comes in the execution at hand.
pub(super) fn is_redundant() -> bool {
    #[cfg(shuttle)]
    return nmr_explorer::is_redundant();
    #[cfg(not(shuttle))]
    false
}
