//! Keeps the [`Facts`] up to date.
//!
//! An event tells two things: that it happened, and that everything which its thread did before is
//! over. [`Facts::arrive`] notes the second, before the rules judge the event; [`Facts::record`]
//! notes the first, after. It judges nothing.

use crate::event::{
    Answer, Call, Callback, CallbackKind, Deed, Event, RegId, Reply, Side, Thing, What,
};

use super::facts::{
    Binding, Detached, Facts, Frame, Issue, Most, OpenCall, Outcome, Progress, Registration,
    Standing, may_attach_next,
};
use crate::flat::Threads;
use crate::permuted::{ModuleNumber, ThreadNumber};

impl Facts {
    /// The thread of `event` has come to it.
    pub(super) fn arrive(&mut self, event: &Event) {
        let Some(thread) = event.thread else { return };
        if !is_of_a_destructor(self, thread, event.what) {
            self.goes_on(thread);
        }
        if let Some(open) = self.innermost_call(thread)
            && open.standing == Standing::Live
            && let Call::Deregister(Some(reg)) | Call::Release(reg) = open.call
        {
            self.mark_begun(reg, thread);
        }
    }

    /// The call that a thread is inside of has gone on after the last callback that it made.
    fn goes_on(&mut self, thread: u8) {
        for binding in self.bindings.values_mut() {
            if binding.leaving == Some(ThreadNumber(thread)) {
                binding.leaving = None;
                binding.dead = true;
            }
            for end in binding.ends_mut() {
                if end.detach == Progress::Ended(Detached::Completing(ThreadNumber(thread))) {
                    end.detach = Progress::Ended(Detached::Complete);
                }
            }
        }
    }

    /// The deregistration of `reg` has certainly begun.
    fn mark_begun(&mut self, reg: RegId, by: u8) {
        let registration = self.registrations.get_mut(&reg).expect("a live handle's");
        if !registration.begun {
            registration.begun = true;
            let others = self
                .threads
                .iter()
                .filter(|&(&thread, frames)| thread != ThreadNumber(by) && may_attach_next(frames));
            registration.unaware = others.map(|(&thread, _)| thread).collect();
        }
    }

    /// `event` has happened.
    ///
    /// # Panics
    /// If the events of its thread do not nest: the harness's fault, not the registrar's.
    pub(super) fn record(&mut self, event: &Event) {
        if let Some(thread) = event.thread {
            let is_of_a_destructor = is_of_a_destructor(self, thread, event.what);
            self.record_of(thread, event.what);
            if !is_of_a_destructor {
                for registration in self.registrations.values_mut() {
                    registration.unaware.remove(ThreadNumber(thread));
                }
            }
            if self.frames(thread).is_empty() {
                self.threads.remove(&ThreadNumber(thread));
            }
        } else if let What::Dropped(thing) = event.what {
            self.dropped(thing);
        }
        self.forget_what_is_over();
        self.note_room();
    }

    /// Notes for each register call that is open how little room it may have found.
    fn note_room(&mut self) {
        if self.known.limits.is_none_or(|limits| !limits.has_room()) {
            return;
        }
        let all = self.registrations.iter();
        let calling = all.filter(|(_, one)| one.issue == Issue::Calling);
        let calling: Vec<RegId> = calling.map(|(&reg, _)| reg).collect();
        for reg in calling {
            let others = self
                .registrations
                .iter()
                .filter(|(other, _)| **other != reg);
            let registrations = others.filter(|(_, one)| one.may_hold_a_place()).count();
            let bindings = self.possible_bindings(reg);
            let most = &mut self.registrations.get_mut(&reg).expect("calling").most;
            most.registrations = most.registrations.max(registrations);
            most.bindings = most.bindings.max(bindings);
        }
    }

    /// What is over breaks a rule if it goes on, however it came to its end: that is forgotten, so that
    /// histories which differ by it alone are equal.
    fn forget_what_is_over(&mut self) {
        for registration in self.registrations.values_mut() {
            if registration.issue != Issue::Calling {
                registration.called = false;
                registration.most = Most::default();
            }
            if registration.is_settled() {
                registration.begun = true;
                registration.contested = false;
                registration.deregistered = true;
                registration.released = false;
            }
        }
        let registrations = &self.registrations;
        let is_over = |reg| registrations.get(&reg).is_some_and(|one| one.over);
        let is_shut = |reg| registrations.get(&reg).is_some_and(Registration::is_shut);
        let gone = &mut self.gone;
        self.bindings.retain(|pair, binding| {
            // A call with its dead handle has brought it back.
            if gone.contains(*pair) {
                return false;
            }
            let [client, provider] = pair.registrations();
            // With the door shut, no callback can begin for a pair that was never called for either.
            let shut = [client, provider]
                .into_iter()
                .any(|reg| is_shut(reg) || is_over(reg));
            let forget = binding.is_plain() && binding.is_settled() && shut;
            if forget {
                gone.insert(*pair);
            }
            !forget
        });
    }

    fn record_of(&mut self, thread: u8, what: What) {
        match what {
            What::Call(call) => {
                let open = self.open(thread, call);
                self.called(&open);
                self.stack(thread).push(Frame::Call(open));
            }
            What::Return(answer) => match self.stack(thread).pop() {
                Some(Frame::Call(open)) => self.returned(thread, &open, answer),
                _ => panic!("thread {thread} returns from a call that it is not inside of"),
            },
            What::Begin(callback) => {
                if let Some(Frame::Call(open)) = self.stack(thread).last_mut() {
                    open.called_back = true;
                }
                self.stack(thread).push(Frame::Callback(callback));
                self.begun(callback);
            }
            What::End(reply) => match self.stack(thread).pop() {
                Some(Frame::Callback(callback)) => self.ended(thread, callback, reply),
                _ => panic!("thread {thread} returns from a callback that it is not inside of"),
            },
            What::DispatchBegin { pair, by } => {
                let end = self.bindings.or_default(pair).end_mut(by.peer());
                end.dispatches = end.dispatches.saturating_add(1);
            }
            What::DispatchEnd { pair, by } => {
                let end = self.bindings.or_default(pair).end_mut(by.peer());
                end.dispatches = end.dispatches.saturating_sub(1);
            }
            What::Dropped(thing) => {
                self.dropped(thing);
                self.stack(thread).push(Frame::Destructor(thing));
            }
            What::Destroyed => match self.stack(thread).pop() {
                Some(Frame::Destructor(_)) => {}
                _ => panic!("thread {thread} returns from a destructor that it is not inside of"),
            },
            What::Did(deed) => self.did(thread, deed),
            What::Refused { module, refusal } => {
                self.refused.insert((ModuleNumber(module), refusal), ());
            }
            What::UsedAfterFree(_)
            | What::NotReady { .. }
            | What::Misused { .. }
            | What::Changed(_) => {}
        }
    }

    fn did(&mut self, thread: u8, deed: Deed) {
        if !self.known.terms.is_windows() {
            return;
        }
        let thread = ThreadNumber(thread);
        match deed {
            Deed::SpinLock(_) => *self.raised.or_default(thread) += 1,
            Deed::SpinUnlock(_) => {
                let had = self.raised.remove(&thread).unwrap_or_default();
                if had > 1 {
                    self.raised.insert(thread, had - 1);
                }
            }
            Deed::Await(_) | Deed::Set(_) | Deed::Lock(_) | Deed::Unlock(_) | Deed::Unload(_) => {}
        }
    }

    fn stack(&mut self, thread: u8) -> &mut Vec<Frame> {
        self.threads.or_default(ThreadNumber(thread))
    }

    /// A call that begins, and what is known when it does.
    fn open(&self, thread: u8, call: Call) -> OpenCall {
        let mut open = OpenCall {
            call,
            standing: Standing::Unknown,
            begun: false,
            valid: false,
            detaching: false,
            complete: false,
            called_back: false,
            panicked: false,
            late: None,
        };
        match call {
            Call::Register { .. } => {}
            Call::Deregister(reg) => open.standing = self.standing(reg),
            Call::Release(reg) => open.standing = self.standing(Some(reg)),
            Call::Wait(reg) => {
                open.standing = self.standing(reg);
                let registration = reg.and_then(|reg| self.registrations.get(&reg));
                open.begun = registration.is_some_and(|registration| registration.begun);
            }
            Call::AttachProvider(pair) => {
                open.standing = self.binding_standing(pair);
                let binding = pair.and_then(|pair| self.bindings.get(&pair));
                let mut callbacks = self.callbacks(thread);
                open.valid = binding.is_some_and(|binding| !binding.tried)
                    && callbacks.any(|callback| {
                        Some(callback.pair) == pair
                            && callback.kind == CallbackKind::Attach
                            && callback.side == Side::Client
                    });
            }
            Call::DetachComplete { side, pair } => {
                open.standing = self.binding_standing(pair);
                if let Some(binding) = pair.and_then(|pair| self.bindings.get(&pair)) {
                    let end = binding.end(side);
                    let cleaning = binding.due().any(|(_, end)| end.cleanup.has_begun());
                    open.detaching = end.detach.has_begun();
                    open.complete = cleaning
                        || end.completed
                        || end.detach == Progress::Ended(Detached::Complete);
                }
            }
        }
        open
    }

    fn called(&mut self, open: &OpenCall) {
        match open.call {
            Call::Register { reg, side, npi } => {
                self.registrations.insert(reg, Registration::new(side, npi));
            }
            Call::Deregister(Some(reg)) if open.standing == Standing::Live => {
                let registration = self.registrations.get_mut(&reg).expect("a live handle's");
                registration.closing = true;
                registration.contested |= registration.deregisters_open > 0;
                registration.deregisters_open += 1;
            }
            Call::Wait(Some(reg)) if open.standing == Standing::Live => {
                let registration = self.registrations.get_mut(&reg).expect("a live handle's");
                registration.waits_open += 1;
            }
            Call::Release(reg) if open.standing == Standing::Live => {
                let registration = self.registrations.get_mut(&reg).expect("a live handle's");
                registration.closing = true;
                registration.contested |= registration.deregisters_open > 0;
                registration.deregisters_open += 1;
                registration.waits_open += 1;
            }
            Call::AttachProvider(Some(pair)) => {
                let binding = self.bindings.or_default(pair);
                binding.tried |= open.valid;
                let end = binding.end_mut(Side::Client);
                end.handed = end.handed.saturating_add(1);
            }
            Call::DetachComplete {
                side,
                pair: Some(pair),
            } => {
                let end = self.bindings.or_default(pair).end_mut(side);
                end.completions_open += 1;
            }
            _ => {}
        }
    }

    fn returned(&mut self, thread: u8, open: &OpenCall, answer: Answer) {
        match open.call {
            Call::Register { reg, .. } => self.register_returned(thread, reg, answer),
            Call::Deregister(Some(reg)) if open.standing == Standing::Live => {
                let registration = self.registrations.get_mut(&reg).expect("a live handle's");
                registration.deregisters_open -= 1;
                registration.deregistered |= matches!(answer, Answer::Pending | Answer::Panicked);
            }
            Call::Wait(Some(reg)) if open.standing == Standing::Live => {
                let registration = self.registrations.get_mut(&reg).expect("a live handle's");
                registration.waits_open -= 1;
                registration.over |= answer == Answer::Done;
            }
            Call::Release(reg) if open.standing == Standing::Live => {
                let inside = self.may_be_inside(thread, reg);
                let registration = self.registrations.get_mut(&reg).expect("a live handle's");
                registration.deregisters_open -= 1;
                registration.waits_open -= 1;
                registration.deregistered |= !registration.contested;
                registration.released = true;
                // With a callback's panic it has waited, too.
                registration.over |= !inside;
                registration.abandoned |= inside;
            }
            Call::DetachComplete {
                side,
                pair: Some(pair),
            } => {
                let end = self.bindings.or_default(pair).end_mut(side);
                end.completions_open = end.completions_open.saturating_sub(1);
                end.completed |= matches!(answer, Answer::Done | Answer::Panicked);
            }
            _ => {}
        }
    }

    fn register_returned(&mut self, thread: u8, reg: RegId, answer: Answer) {
        let inside = self.callbacks(thread).next().is_some();
        let limits = self.known.limits.unwrap_or_default();
        let registration = self.registrations.get_mut(&reg).expect("registering");
        registration.by_fault = answer == Answer::InsufficientResources
            && limits.fail_reservation.is_some()
            && !registration.most.fills(limits);
        registration.issue = match answer {
            Answer::Registered => Issue::Registered,
            Answer::Panicked => Issue::Withdrawn,
            _ => Issue::Refused,
        };
        if answer == Answer::Panicked {
            registration.closing = true;
            registration.deregistered = true;
            registration.over = !inside;
            self.mark_begun(reg, thread);
        }
    }

    fn begun(&mut self, callback: Callback) {
        for side in Side::BOTH {
            if let Some(reg) = self.registrations.get_mut(&callback.pair.side(side)) {
                reg.called = true;
            }
        }
        let binding = self.bindings.or_default(callback.pair);
        match (callback.kind, callback.side) {
            (CallbackKind::Attach, Side::Client) => binding.attach = Progress::Running,
            (CallbackKind::Attach, Side::Provider) => binding.provider = Progress::Running,
            (CallbackKind::Detach, side) => {
                binding.end_mut(side).detach = Progress::Running;
                let late = Progress::Ended(Outcome::Attached { late: true });
                if binding.attach == late && binding.due().all(|(_, end)| end.detach.has_begun()) {
                    // Nobody was forgotten: it is a binding like any other now.
                    binding.attach = Progress::Ended(Outcome::Attached { late: false });
                }
            }
            (CallbackKind::Cleanup, side) => binding.end_mut(side).cleanup = Progress::Running,
        }
    }

    fn ended(&mut self, thread: u8, callback: Callback, reply: Reply) {
        if reply == Reply::Panicked {
            self.panicked(thread);
        }
        let late = self.is_either_closing(callback.pair);
        let surely = self.has_either_begun_to_close(callback.pair);
        let mut comes_late = false;
        let binding = self.bindings.or_default(callback.pair);
        match (callback.kind, callback.side) {
            (CallbackKind::Attach, Side::Client) => {
                binding.attach = Progress::Ended(outcome(binding, reply, late));
                comes_late = surely && matches!(binding.outcome(), Some(Outcome::Attached { .. }));
            }
            (CallbackKind::Attach, Side::Provider) => {
                binding.provider = Progress::Ended(reply);
                let end = binding.end_mut(Side::Provider);
                end.handed += u8::from(reply == Reply::Success);
            }
            (CallbackKind::Detach, side) => {
                binding.end_mut(side).detach = Progress::Ended(match reply {
                    Reply::Pending => Detached::Pending,
                    _ => Detached::Completing(ThreadNumber(thread)),
                });
            }
            (CallbackKind::Cleanup, side) => {
                binding.end_mut(side).cleanup = Progress::Ended(());
            }
        }
        if binding.may_be_gone() {
            binding.leaving = Some(ThreadNumber(thread));
        }
        if comes_late && let Some(Frame::Call(open)) = self.stack(thread).last_mut() {
            open.late = Some(callback.pair);
        }
    }

    /// A callback's panic goes to the call that made it. In a register call, that is the beginning
    /// of taking the registration back (C18).
    fn panicked(&mut self, thread: u8) {
        let Some(Frame::Call(open)) = self.stack(thread).last_mut() else {
            return;
        };
        open.panicked = true;
        if let Call::Register { reg, .. } = open.call {
            self.registrations
                .get_mut(&reg)
                .expect("registering")
                .closing = true;
        }
    }

    fn dropped(&mut self, thing: Thing) {
        match thing {
            Thing::Module(reg) => {
                if let Some(registration) = self.registrations.get_mut(&reg) {
                    registration.module_dropped = true;
                }
            }
            Thing::Context { pair, side } => {
                let end = self.bindings.or_default(pair).end_mut(side);
                end.dropped = end.dropped.saturating_add(1);
            }
        }
    }
}

/// Whether an event is one of a destructor, its beginning and its end included: it comes between two steps of the call
/// that runs it.
fn is_of_a_destructor(facts: &Facts, thread: u8, what: What) -> bool {
    matches!(what, What::Dropped(_)) || facts.is_destroying(thread)
}

/// What an attach callback of the client comes to with this reply.
pub(super) fn outcome(binding: &Binding, reply: Reply, late: bool) -> Outcome {
    let accepted = binding.provider == Progress::Ended(Reply::Success);
    match (accepted, reply) {
        (true, Reply::Success) => Outcome::Attached { late },
        (true, _) => Outcome::ChangedMind,
        (false, Reply::Success) => Outcome::Hollow,
        (false, Reply::Panicked) => Outcome::Panicked,
        (false, _) => Outcome::Declined,
    }
}

impl Registration {
    fn new(side: Side, npi: u8) -> Self {
        Self {
            side,
            npi,
            issue: Issue::Calling,
            closing: false,
            begun: false,
            unaware: Threads::default(),
            deregisters_open: 0,
            contested: false,
            deregistered: false,
            waits_open: 0,
            over: false,
            abandoned: false,
            called: false,
            module_dropped: false,
            released: false,
            by_fault: false,
            most: Most::default(),
        }
    }
}
