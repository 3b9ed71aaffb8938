//! What the threads of an execution do, as events for the [recorder](super::recorder): calls of the registrar,
//! callbacks, and what it drops. And where others may come between, for an explorer.

use std::any::Any;
use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use nmr_sync::{linger, mark, remember};

use super::identity::key;
use super::{Run, recorder};
use crate::event::{Answer, Call, Callback, CallbackKind, RegId, Reply, Side, Thing, What};
use crate::fingerprint::fingerprint;
use crate::invisible::lock;
use crate::message::message;
use crate::milestone::Milestone;
use crate::permuted::ThreadNumber;
use crate::render::InWords;
use crate::rule::Rule;
use crate::scenario::Fault;

/// Panics go on to the caller.
const PANICS: Rule = Rule::new(18);

/// The panic of a script. Nobody is told of it but whoever catches it.
struct ScriptedPanic;

pub(super) fn scripted_panic() -> ! {
    resume_unwind(Box::new(ScriptedPanic))
}

impl Run {
    /// Something came of something: an answer of a call, a reply of a callback.
    pub(super) fn came(&self, of: impl Hash, what: impl Hash) {
        if !is_redundant() {
            let thread = ThreadNumber(self.number());
            self.watch
                .saw(&self.prepared, || fingerprint(&(thread, &of, &what)));
        }
    }

    pub(super) fn record(&self, what: What) {
        mark(&InWords(&self.prepared.scenario, what));
        self.passes(Milestone::Observed(what));
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
    pub(super) fn dropped(&self, thing: Thing) {
        if self.is_taken_apart() {
            return;
        }
        linger();
        order(thing.registrations());
        let owner = thing.owner();
        let is_freed = self.memory(owner).is_some_and(|memory| memory.is_freed());
        // A binding context that its module hands over much too late is not the registrar's to keep.
        if is_freed && thing == Thing::Module(owner) {
            self.record_dropped(What::UsedAfterFree(thing));
        }
        self.record_dropped(What::Dropped(thing));
    }

    /// Whether what is dropped now is dropped by an engine that takes the execution apart, and not by the
    /// registrar. An engine unwinds its threads; the registrar lets go of things while it unwinds, too, but with
    /// the panic of a script only. (In shuttle's models all threads seem to panic when one does.)
    pub(super) fn is_taken_apart(&self) -> bool {
        std::thread::panicking() && *lock(&self.unwinding) == 0
    }

    /// Never panics, for it is called from `drop`.
    pub(super) fn record_dropped(&self, what: What) {
        self.passes(Milestone::Observed(what));
        #[cfg(shuttle)]
        if is_redundant() {
            return self.recorder.note(None, what);
        }
        if let Some(finding) = self.recorder.record_dropped(what) {
            self.found(finding);
        }
    }

    /// Makes a call of the registrar. `None`: a callback's panic came out of it.
    pub(super) fn call<R>(
        &self,
        call: Call,
        function: impl FnOnce() -> R,
        answer: impl FnOnce(&R) -> Answer,
    ) -> Option<R> {
        // A call begins as late as it may: what the oracle allows for a call that is open, because it
        // may have come early, is then allowed only where it was.
        linger();
        let thread = self.number();
        self.comes(thread, call.registrations());
        self.record(What::Call(call));
        let remembered = remember();
        let result = self.catching(function);
        if result.is_none() {
            *lock(&self.unwinding) -= 1;
        }
        self.comes(thread, call.registrations());
        let answer = result.as_ref().map_or(Answer::Panicked, answer);
        // A handle in it is known by what it names.
        remembered.and(&answer);
        self.came(call, answer);
        self.record(What::Return(answer));
        if self.counts_on_its_calls(thread) {
            self.misused(call, answer);
        }
        result
    }

    /// Whether the call was one of a module's own that counts on it.
    pub(super) fn counts_on_its_calls(&self, thread: u8) -> bool {
        let inside = lock(&self.inside);
        let mut innermost = inside.iter().rev();
        let innermost = innermost.find(|&&(other, _)| other == thread);
        innermost.is_some_and(|&(_, reg)| self.script(reg).strict)
    }

    /// A call that somebody counts on was answered.
    pub(super) fn misused(&self, call: Call, answer: Answer) {
        let refused = matches!(
            answer,
            Answer::InvalidParameter | Answer::InvalidState | Answer::WouldDeadlock
        );
        if refused {
            self.record(What::Misused { call, answer });
        }
    }

    /// Runs a callback's body, which answers its reply and what to return to the registrar.
    pub(super) fn callback<R>(&self, callback: Callback, body: impl FnOnce() -> (Reply, R)) -> R {
        let thread = self.number();
        let last = self.comes(thread, callback.pair.registrations());
        // The two cleanups of a binding come one right after the other.
        let lingered = last.is_some_and(|last| {
            (last.kind, last.side) == (CallbackKind::Cleanup, Side::Client)
                && last.pair == callback.pair
        });
        self.record(What::Begin(callback));
        self.touch(callback.pair.side(callback.side));
        let owner = callback.pair.side(callback.side);
        lock(&self.inside).push((thread, owner));
        if self.script(owner).fault == Some(Fault::NotReady) && !self.is_ready(owner) {
            self.record(What::NotReady { reg: owner });
        }
        let remembered = remember();
        let answer = self.catching(body);
        remembered.and(&answer.as_ref().map(|(reply, _)| reply));
        // A callback takes its time. To whoever judges it, it goes on as long as it may: whatever must
        // not happen before its end must not happen before a later one.
        if !lingered {
            linger();
        }
        self.touch(callback.pair.side(callback.side));
        self.comes(thread, callback.pair.registrations());
        self.leave_callback(thread);
        lock(&self.last).push((thread, callback));
        match answer {
            Some((reply, answer)) => {
                self.came(callback, reply);
                self.record(What::End(reply));
                answer
            }
            None => {
                self.record(What::End(Reply::Panicked));
                *lock(&self.unwinding) += 1;
                scripted_panic();
            }
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

    pub(super) fn is_inside_callback(&self) -> bool {
        let thread = self.number();
        lock(&self.inside).iter().any(|&(other, _)| other == thread)
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

/// Where executions go along others.
#[cfg(not(shuttle))]
impl Run {
    /// Nobody goes along here.
    pub(super) const fn passes(&self, _: Milestone) {}
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
