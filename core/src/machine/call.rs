//! A call of the registrar as a value: what it does between its critical sections, and with which it comes to
//! the next one.
//!
//! It decides nothing about bindings: that is the table's, whose answers it follows. And it makes no callback:
//! it says which one is next, and is told what came of it.

use std::hash::{Hash, Hasher};

use super::Layout;
use crate::error::{InsufficientResources, RegisterError};
use crate::handle::{
    BindingHandle, Handle, HandleFault, HandleKind, Key, OfClient, OfProvider, Place,
};
use crate::lent::Lent;
use crate::module::Detach;
use crate::npi::{NpiId, Side};
use crate::registrar::RegistrationKind;
use crate::table::{
    AttachCall, ByName, Characteristics, Dropped, Hand, In, Job, Returned, Step, Table, Visit,
    WaitFault, Waited,
};

/// One call of one of the registrar's functions, by one thread.
#[derive(Clone)]
pub struct Call<L: Lent> {
    pub(super) layout: Layout,
    pub(super) stripe: u32,
    pub(super) visit: Visit<L>,
    pub(super) at: At,
    /// What a register call brings, until it has begun. Beside the place, which is copied in each section.
    pub(super) brought: Option<Characteristics<L>>,
    /// Of an attach call: the client's context until it has begun, the provider's once it has attached.
    context: Option<L::Context>,
    answer: Option<Answer>,
    /// What it goes on with when its callbacks are made.
    pub(super) then: Then,
    /// One of its callbacks panicked.
    pub(super) panicked: bool,
    /// What its latest section let go of.
    dropped: Option<Dropped<L>>,
}

/// Where a call is.
#[derive(Clone, Copy)]
pub(crate) enum At {
    /// It has yet to begin. Whether an owner will wait for the registration's end.
    Register {
        owned: bool,
    },
    Deregister(Key, Side),
    Wait(Key, Side),
    Attach(Key),
    Complete(Key, Side),
    /// A step is being carried out, or has been.
    Making(Step),
    Made(Returned),
    /// The provider is asked, or has answered.
    Asking(Key),
    Asked(Key),
    /// It waits for a registration's end.
    Asleep(Key),
    /// It lets go of the module for which other waiters are waiting.
    LettingGo(Key),
    /// A register call lets go of something last, which may panic.
    Dropping,
    /// It has deregistered, and will wait.
    Turning(Key, Side),
    Over,
}

/// What follows when a call has no more callbacks to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Then {
    /// It is over.
    Nothing,
    /// If one of the callbacks panicked, nobody will have the handle: it takes the registration back.
    TakeBack(Side),
    /// If one of the callbacks panicked, it waits for the end of the deregistration.
    WaitAfterPanic(Key, Side),
    /// It waits for the end of the deregistration, and where it must not wait, nobody will.
    Wait(Key, Side),
}

/// What a call's driver has to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// Make the client's attach callback, and [resume](Call::resume) with [`Outcome::Offered`].
    Offer(BindingHandle),
    /// Make the provider's attach callback; [`Outcome::Asked`].
    Ask(BindingHandle),
    /// Make one side's detach callback; [`Outcome::Detached`].
    Detach(BindingHandle, Side),
    /// Make the cleanup callbacks of the sides that have a context, the client's first, and let go of module and
    /// context of each before the next (C9, C11); [`Outcome::CleanedUp`].
    CleanUp(BindingHandle),
    /// Nothing but letting go of what this section [dropped](Call::take_dropped), if it did: others are waiting for it,
    /// or the call depends on whether that panics, or has another section to do; [`Outcome::LetGo`].
    LetGo,
    /// Sleep until another section on this table answers to [wake](Section::wake), then do a section again
    /// without resuming. To come too early does no harm.
    Sleep,
    /// The call is over: pass on [its answer](Call::answer), or a panic.
    Return,
}

/// What a critical section came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Section {
    /// What the driver has to do next.
    pub act: Act,
    /// Whether every call that sleeps on this table has to look again.
    pub wake: bool,
}

/// What came of an [`Act`].
///
/// A callback that panicked counts as one that declined, completed or returned (C18); the driver says besides
/// that [it panicked](Call::panicked), and passes the panic on when the call is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<C> {
    /// The client's attach callback has returned.
    Offered {
        /// Whether it answered success.
        success: bool,
    },
    /// The provider's attach callback has returned; with its binding context if it attached.
    Asked(Option<C>),
    /// A detach callback has returned.
    Detached(Detach),
    /// The cleanup callbacks have returned.
    CleanedUp,
    /// What was dropped is dropped.
    LetGo,
}

/// The answer of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The bits of the new registration's handle. After a panic nobody may be given it: the registration is
    /// taken back (C18).
    Register(Result<(u32, u64), InsufficientResources>),
    /// Accepted: Windows' STATUS_PENDING.
    Deregister(Result<(), DeregisterFault>),
    /// The deregistration is over.
    Wait(Result<(), WaitFault>),
    /// The provider attached.
    Attach(Result<(), AttachFault>),
    /// The completion was accepted.
    Complete(Result<(), CompleteFault>),
}

/// Why nothing began to be deregistered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeregisterFault {
    /// The handle names nothing of the kind (C12).
    Handle(HandleFault),
    /// It is being deregistered already (C13).
    Already,
}

/// Why the provider did not attach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttachFault {
    /// The handle names nothing of the kind (C12).
    Handle(HandleFault),
    /// This is not the one call at the right time (C3).
    InvalidState,
    /// A closing door (C6).
    NoInterface,
    /// The provider declined.
    Refused,
}

/// Why a completion changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CompleteFault {
    /// The handle names nothing of the kind (C12).
    Handle(HandleFault),
    /// The side is not detaching, or complete already (C8).
    InvalidState,
}

/// How calls begin. Each takes the thread that makes it.
impl<L: Lent> Call<L> {
    /// See [`Registrar::register_client`](crate::Registrar::register_client).
    ///
    /// # Errors
    /// Of the nil interface.
    pub fn register(
        layout: Layout,
        characteristics: Characteristics<L>,
        thread: L::Thread,
    ) -> Result<Self, RegisterError> {
        Self::register_as(layout, characteristics, false, thread)
    }

    /// As [`register`](Self::register), of a [`Registration`](crate::Registration): its owner will come to wait for the end
    /// of the deregistration, by [`release`](Self::release) or [`finish`](Self::finish), and who waits by the handle
    /// meanwhile does not let go of the module without it.
    ///
    /// # Errors
    /// Of the nil interface.
    pub fn own(
        layout: Layout,
        characteristics: Characteristics<L>,
        thread: L::Thread,
    ) -> Result<Self, RegisterError> {
        Self::register_as(layout, characteristics, true, thread)
    }

    fn register_as(
        layout: Layout,
        characteristics: Characteristics<L>,
        owned: bool,
        thread: L::Thread,
    ) -> Result<Self, RegisterError> {
        let npi = L::npi(&characteristics.instance);
        if npi == NpiId::NIL {
            return Err(RegisterError::InvalidParameter(npi));
        }
        let then = Then::TakeBack(L::side(&characteristics.module));
        let stripe = layout.stripe_of(npi);
        Ok(Self {
            brought: Some(characteristics),
            ..Self::new(layout, stripe, At::Register { owned }, then, thread)
        })
    }

    /// See [`Registrar::deregister_client`](crate::Registrar::deregister_client).
    ///
    /// # Errors
    /// Of a handle whose bits are none of this registrar's.
    pub fn deregister<K: RegistrationKind>(
        layout: Layout,
        handle: Handle<K>,
        thread: L::Thread,
    ) -> Result<Self, HandleFault> {
        let begin = |key| At::Deregister(key, K::SIDE);
        Self::with(layout, handle, begin, |_| Then::Nothing, thread)
    }

    /// See [`Registrar::wait_for_client_deregister`](crate::Registrar::wait_for_client_deregister).
    ///
    /// # Errors
    /// As [`deregister`](Self::deregister).
    pub fn wait<K: RegistrationKind>(
        layout: Layout,
        handle: Handle<K>,
        thread: L::Thread,
    ) -> Result<Self, HandleFault> {
        let begin = |key| At::Wait(key, K::SIDE);
        Self::with(layout, handle, begin, |_| Then::Nothing, thread)
    }

    /// Deregisters, and after a panic waits as [`finish`](Self::finish) does: of a
    /// [`Registration`](crate::Registration), whose owner is left with nothing then.
    ///
    /// # Errors
    /// As [`deregister`](Self::deregister).
    pub fn leave<K: RegistrationKind>(
        layout: Layout,
        handle: Handle<K>,
        thread: L::Thread,
    ) -> Result<Self, HandleFault> {
        let begin = |key| At::Deregister(key, K::SIDE);
        let then = |key| Then::WaitAfterPanic(key, K::SIDE);
        Self::with(layout, handle, begin, then, thread)
    }

    /// Waits for the end of a deregistration that has begun, or where it must not wait, lets the registration
    /// free itself, and says so: of a [`Deregistering`](crate::Deregistering).
    ///
    /// # Errors
    /// As [`deregister`](Self::deregister).
    pub fn finish<K: RegistrationKind>(
        layout: Layout,
        handle: Handle<K>,
        thread: L::Thread,
    ) -> Result<Self, HandleFault> {
        let begin = |key| At::Wait(key, K::SIDE);
        Self::with(
            layout,
            handle,
            begin,
            |key| Then::Wait(key, K::SIDE),
            thread,
        )
    }

    /// Deregisters and waits, or where it must not wait, lets the registration free itself: the drop of a
    /// [`Registration`](crate::Registration).
    ///
    /// # Errors
    /// As [`deregister`](Self::deregister).
    pub fn release<K: RegistrationKind>(
        layout: Layout,
        handle: Handle<K>,
        thread: L::Thread,
    ) -> Result<Self, HandleFault> {
        let begin = |key| At::Deregister(key, K::SIDE);
        Self::with(
            layout,
            handle,
            begin,
            |key| Then::Wait(key, K::SIDE),
            thread,
        )
    }

    /// See [`Registrar::client_attach_provider`](crate::Registrar::client_attach_provider); the caller holds on
    /// to the client's `context` as well, until the call is over.
    ///
    /// # Errors
    /// As [`deregister`](Self::deregister).
    pub fn attach(
        layout: Layout,
        binding: BindingHandle,
        context: L::Context,
        thread: L::Thread,
    ) -> Result<Self, HandleFault> {
        let call = Self::with(layout, binding, At::Attach, |_| Then::Nothing, thread)?;
        Ok(Self {
            context: Some(context),
            ..call
        })
    }

    /// See [`Registrar::client_detach_complete`](crate::Registrar::client_detach_complete).
    ///
    /// # Errors
    /// As [`deregister`](Self::deregister).
    pub fn detach_complete(
        layout: Layout,
        binding: BindingHandle,
        side: Side,
        thread: L::Thread,
    ) -> Result<Self, HandleFault> {
        let begin = |key| At::Complete(key, side);
        Self::with(layout, binding, begin, |_| Then::Nothing, thread)
    }

    fn with<K: HandleKind>(
        layout: Layout,
        handle: Handle<K>,
        begin: impl FnOnce(Key) -> At,
        then: impl FnOnce(Key) -> Then,
        thread: L::Thread,
    ) -> Result<Self, HandleFault> {
        let Place { stripe, key } = layout.place(handle)?;
        Ok(Self::new(layout, stripe, begin(key), then(key), thread))
    }

    fn new(layout: Layout, stripe: u32, at: At, then: Then, thread: L::Thread) -> Self {
        Self {
            layout,
            stripe,
            visit: Visit::new(thread),
            at,
            brought: None,
            context: None,
            answer: None,
            then,
            panicked: false,
            dropped: None,
        }
    }
}

/// How calls go on.
impl<L: Lent> Call<L> {
    /// The stripe on whose table it works.
    #[must_use]
    pub const fn stripe(&self) -> u32 {
        self.stripe
    }

    /// Who makes it.
    #[must_use]
    pub const fn thread(&self) -> L::Thread {
        self.visit.thread
    }

    /// The modules and contexts for the callbacks of the latest act. The driver takes them, and has let go of
    /// them before the next section (C11).
    pub const fn hand_mut(&mut self) -> &mut Hand<L> {
        &mut self.visit.hand
    }

    /// See [`hand_mut`](Self::hand_mut).
    #[must_use]
    pub const fn hand(&self) -> &Hand<L> {
        &self.visit.hand
    }

    /// What the latest section let go of, to be dropped outside of it: a module's own drop may call the
    /// registrar.
    #[must_use]
    pub const fn take_dropped(&mut self) -> Option<Dropped<L>> {
        self.dropped.take()
    }

    /// Says that a callback of this call panicked.
    pub const fn panicked(&mut self) {
        self.panicked = true;
    }

    /// Whether it is a register call whose first section is still to come.
    #[must_use]
    pub const fn is_unbegun(&self) -> bool {
        matches!(self.at, At::Register { .. })
    }

    /// The answer, once the call is over.
    #[must_use]
    pub const fn answer(&self) -> Option<&Answer> {
        self.answer.as_ref()
    }

    /// One critical section. The table's stripe has to be the call's, and nobody else's section may run on it
    /// meanwhile.
    ///
    /// # Panics
    /// If the call is over, or has to be [resumed](Self::resume) first.
    pub fn section(&mut self, table: &mut Table<L>) -> Section {
        let wake = self.go_on(table);
        let act = self.act();
        Section { act, wake }
    }

    /// What the driver has to do next, after a section: it follows from where the call is.
    ///
    /// Not an answer of the section, for a driver with threads looks at it when it has left the lock: what is written
    /// in parts is there as a whole only then (a load is not forwarded from several stores).
    #[inline(always)]
    pub(crate) fn act(&self) -> Act {
        let binding = |key| self.layout.binding(self.stripe, key);
        match self.at {
            At::Making(Step::Attach(key)) => Act::Offer(binding(key)),
            At::Making(Step::DetachClient(key)) => Act::Detach(binding(key), Side::Client),
            At::Making(Step::DetachProvider(key)) => Act::Detach(binding(key), Side::Provider),
            At::Making(Step::CleanUp(key)) => Act::CleanUp(binding(key)),
            At::Asking(key) => Act::Ask(binding(key)),
            At::Asleep(_) => Act::Sleep,
            At::LettingGo(_) | At::Dropping | At::Turning(..) => Act::LetGo,
            At::Over => Act::Return,
            _ => unreachable!("a section comes to an act"),
        }
    }

    /// Whether the call sleeps, after a section.
    #[inline(always)]
    pub(crate) const fn is_asleep(&self) -> bool {
        matches!(self.at, At::Asleep(_))
    }

    /// Whether the call is over.
    #[inline(always)]
    pub(crate) const fn is_over(&self) -> bool {
        matches!(self.at, At::Over)
    }

    /// [`section`](Self::section) without the act; whether to wake.
    // On its own: a loop into which it is inlined computes the addresses that any of its cases needs beforehand.
    #[inline(never)]
    pub(crate) fn go_on(&mut self, table: &mut Table<L>) -> bool {
        match self.at {
            At::Register { owned } => self.register_in(table, owned),
            At::Made(returned) => {
                let step = table.returned(returned, &mut self.visit);
                self.carry_out(table, step);
            }
            At::Deregister(key, side) => self.deregister_in(table, key, side),
            At::Wait(key, side) => self.wait_in(table, key, side),
            At::Asleep(key) => self.look(table, key),
            At::LettingGo(key) => {
                table.let_go(key);
                self.end(Answer::Wait(Ok(())));
            }
            At::Dropping => self.done(table),
            At::Attach(key) => self.attach_in(table, key),
            At::Asked(key) => {
                let context = self.context.take();
                let answer = context.is_some().then_some(()).ok_or(AttachFault::Refused);
                table.provider_returned(key, context, &mut self.visit);
                self.end(Answer::Attach(answer));
            }
            At::Complete(key, side) => self.complete_in(table, key, side),
            At::Making(_) | At::Asking(_) | At::Turning(..) => {
                panic!("the call is to be resumed first")
            }
            At::Over => panic!("the call is over"),
        }
        table.leave(&mut self.dropped)
    }

    /// What came of the act that the latest section answered.
    ///
    /// # Panics
    /// If it is the outcome of another act.
    #[inline(always)]
    pub fn resume(&mut self, outcome: Outcome<L::Context>) {
        match outcome {
            Outcome::Offered { success } => match self.at {
                At::Making(Step::Attach(key)) => self.at = At::Made(Returned::Attach(key, success)),
                _ => another_act(),
            },
            Outcome::Detached(answer) => match self.at {
                At::Making(Step::DetachClient(key)) => {
                    self.at = At::Made(Returned::Detach(key, Side::Client, answer));
                }
                At::Making(Step::DetachProvider(key)) => {
                    self.at = At::Made(Returned::Detach(key, Side::Provider, answer));
                }
                _ => another_act(),
            },
            Outcome::CleanedUp => match self.at {
                At::Making(Step::CleanUp(key)) => self.at = At::Made(Returned::CleanUp(key)),
                _ => another_act(),
            },
            Outcome::Asked(context) => match self.at {
                At::Asking(key) => {
                    self.context = context;
                    self.at = At::Asked(key);
                }
                _ => another_act(),
            },
            Outcome::LetGo => match self.at {
                At::LettingGo(_) | At::Dropping => {}
                At::Turning(key, side) => self.at = At::Wait(key, side),
                _ => another_act(),
            },
        }
    }
}

#[cold]
fn another_act() -> ! {
    panic!("the outcome of another act")
}

/// Sections for a driver that knows what it drives: the case with which such a call begins, and mostly is over, is
/// compiled for itself. The answer is whether to wake.
impl<L: Lent> Call<L> {
    #[inline(always)]
    pub(crate) fn go_on_registering(&mut self, table: &mut Table<L>) -> bool {
        match self.at {
            At::Register { owned } => {
                self.register_in(table, owned);
                table.leave(&mut self.dropped)
            }
            _ => self.go_on(table),
        }
    }

    #[inline(always)]
    pub(crate) fn go_on_deregistering(&mut self, table: &mut Table<L>) -> bool {
        match self.at {
            At::Deregister(key, side) => {
                self.deregister_in(table, key, side);
                table.leave(&mut self.dropped)
            }
            _ => self.go_on(table),
        }
    }

    #[inline(always)]
    pub(crate) fn go_on_waiting(&mut self, table: &mut Table<L>) -> bool {
        match self.at {
            At::Wait(key, side) => {
                self.wait_in(table, key, side);
                table.leave(&mut self.dropped)
            }
            _ => self.go_on(table),
        }
    }

    #[inline(always)]
    pub(crate) fn go_on_attaching(&mut self, table: &mut Table<L>) -> bool {
        match self.at {
            At::Attach(key) => {
                self.attach_in(table, key);
                table.leave(&mut self.dropped)
            }
            _ => self.go_on(table),
        }
    }
}

/// What calls do inside a section.
impl<L: Lent> Call<L> {
    /// Goes on with a step of the table's answers.
    #[inline(always)]
    fn carry_out(&mut self, table: &mut Table<L>, step: Step) {
        match step {
            Step::Attach(key) => self.at = At::Making(Step::Attach(key)),
            Step::DetachClient(key) => self.at = At::Making(Step::DetachClient(key)),
            Step::DetachProvider(key) => self.at = At::Making(Step::DetachProvider(key)),
            Step::CleanUp(key) => self.at = At::Making(Step::CleanUp(key)),
            Step::Done => self.done(table),
        }
    }

    /// There is no callback to make any more.
    #[inline(always)]
    fn done(&mut self, table: &mut Table<L>) {
        match (self.then, self.visit.job) {
            (Then::TakeBack(_), _) if table.has_dropped() => self.at = At::Dropping,
            (Then::TakeBack(side), Job::Register(key)) if self.panicked => {
                self.then = Then::Wait(key, side);
                self.take_back(table, key, side);
            }
            (Then::WaitAfterPanic(key, side), _) if self.panicked => {
                self.then = Then::Wait(key, side);
                self.at = At::Turning(key, side);
            }
            (Then::Wait(key, side), _) => self.at = At::Turning(key, side),
            (_, Job::Register(key)) => {
                let side = match self.then {
                    Then::TakeBack(side) => side,
                    _ => unreachable!("a register call takes back what panics"),
                };
                self.end(Answer::Register(Ok(self.bits(side, key))));
            }
            (_, Job::Deregister(_)) => self.end(Answer::Deregister(Ok(()))),
            (_, Job::Complete) => self.end(Answer::Complete(Ok(()))),
        }
    }

    #[inline(always)]
    fn register_in(&mut self, table: &mut Table<L>, owned: bool) {
        match table.register(&mut self.brought, owned, &mut self.visit) {
            Ok(step) => self.carry_out(table, step),
            Err(refused) => self.end(Answer::Register(Err(refused))),
        }
    }

    // On its own, for it is where a register call that has ended begins again.
    #[cold]
    #[inline(never)]
    fn take_back(&mut self, table: &mut Table<L>, key: Key, side: Side) {
        self.deregister_in(table, key, side);
    }

    fn complete_in(&mut self, table: &mut Table<L>, key: Key, side: Side) {
        match table.detach_complete(key, side, &mut self.visit) {
            Ok(Some(step)) => self.carry_out(table, step),
            Ok(None) => self.end(Answer::Complete(Err(CompleteFault::InvalidState))),
            Err(fault) => self.end(Answer::Complete(Err(CompleteFault::Handle(fault)))),
        }
    }

    #[inline(always)]
    fn deregister_in(&mut self, table: &mut Table<L>, key: Key, side: Side) {
        let fault = match table.deregister(key, side, &mut self.visit) {
            Ok(Some(step)) => return self.carry_out(table, step),
            Ok(None) => DeregisterFault::Already,
            Err(fault) => DeregisterFault::Handle(fault),
        };
        match self.then {
            // Somebody has deregistered it already, with the handle: the owner waits all the same.
            Then::Wait(key, side) => self.at = At::Turning(key, side),
            _ => self.end(Answer::Deregister(Err(fault))),
        }
    }

    #[inline(always)]
    fn wait_in(&mut self, table: &mut Table<L>, key: Key, side: Side) {
        let owner = self.then != Then::Nothing;
        match table.begin_wait(key, side, owner, self.visit.thread) {
            Ok(()) => self.look(table, key),
            Err(fault) => {
                if fault == WaitFault::WouldDeadlock && owner {
                    table.abandon(key);
                }
                self.end(Answer::Wait(Err(fault)));
            }
        }
    }

    /// A wait looks whether it is over.
    #[inline(always)]
    fn look(&mut self, table: &mut Table<L>, key: Key) {
        match table.end_wait(key, &mut self.dropped) {
            None => self.at = At::Asleep(key),
            Some(Waited::First) => self.at = At::LettingGo(key),
            Some(Waited::Gone | Waited::Alone) => self.end(Answer::Wait(Ok(()))),
        }
    }

    #[inline(always)]
    fn attach_in(&mut self, table: &mut Table<L>, key: Key) {
        let context = self.context.take().expect("it has yet to begin");
        let fault = match table.attach_provider(key, context, &mut self.visit) {
            Ok(AttachCall::Provider) => return self.at = At::Asking(key),
            Ok(AttachCall::InvalidState) => AttachFault::InvalidState,
            Ok(AttachCall::NoInterface) => AttachFault::NoInterface,
            Err(fault) => AttachFault::Handle(fault),
        };
        self.end(Answer::Attach(Err(fault)));
    }

    #[inline(always)]
    fn end(&mut self, answer: Answer) {
        self.at = At::Over;
        self.answer = Some(answer);
    }

    fn bits(&self, side: Side, key: Key) -> (u32, u64) {
        match side {
            Side::Client => self.layout.handle::<OfClient>(self.stripe, key).to_raw(),
            Side::Provider => self.layout.handle::<OfProvider>(self.stripe, key).to_raw(),
        }
    }
}

impl<L: Lent> ByName<L> for Call<L> {
    /// All by which what it does next could differ.
    fn hash_in(&self, table: &Table<L>, state: &mut impl Hasher) {
        let Self {
            layout: _,
            stripe,
            visit,
            at,
            // As long as it has yet to begin.
            brought: _,
            context,
            answer,
            then,
            panicked,
            dropped,
        } = self;
        std::mem::discriminant(at).hash(state);
        match at {
            At::Register { owned } => owned.hash(state),
            At::Dropping => {}
            At::Deregister(key, _) | At::Wait(key, _) | At::Turning(key, _) => {
                table.registration_name(*key).hash(state);
            }
            At::Asleep(key) | At::LettingGo(key) => table.registration_name(*key).hash(state),
            At::Complete(key, side) => (table.binding_name(*key), side).hash(state),
            At::Attach(key) | At::Asking(key) | At::Asked(key) => {
                let context = context.as_ref().map(L::is_null);
                (table.binding_name(*key), context).hash(state);
            }
            At::Making(step) => In(table, step).hash(state),
            At::Made(returned) => In(table, returned).hash(state),
            // The bits of a handle are known by what it names.
            At::Over if matches!(answer, Some(Answer::Register(Ok(_)))) => {}
            At::Over => answer.hash(state),
        }
        let then = match then {
            Then::Nothing => None,
            Then::TakeBack(_) => Some(None),
            Then::Wait(key, _) | Then::WaitAfterPanic(key, _) => {
                Some(Some(table.registration_name(*key)))
            }
        };
        (stripe, In(table, visit), then, panicked, In(table, dropped)).hash(state);
    }
}
