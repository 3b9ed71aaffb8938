//! Drives a [call](crate::machine::Call) to its end: its critical sections under the monitor, and outside every
//! lock (C15) the callbacks of real modules, and the drops of what the registrar lets go of.
//!
//! It decides nothing: which callback comes next, and whether there is one, is the call's. A panic is kept until
//! everything is done (C18).

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use nmr_sync::thread::ThreadId;
use nmr_sync::{Name, Remembered, learn, linger, remember};
use tracing::debug;

use crate::handle::BindingHandle;
use crate::lent::Lent;
use crate::machine::{Act, Answer, Call, Outcome};
use crate::module::{Attachment, BindingContext, ClientModule, Detach, ProviderModule};
use crate::npi::{NpiId, RegistrationInstance, Side};
use crate::offer::Offer;
use crate::registrar::Registrar;
use crate::status::Status;
use crate::table::{Hand, Table};

pub(crate) type Payload = Box<dyn Any + Send>;

/// What real modules lend: references to them, to their instances, and to their contexts.
#[derive(Clone, Debug)]
pub enum Real {}

/// A module's callbacks.
#[derive(Clone)]
pub enum Module {
    /// A client's.
    Client(Arc<dyn ClientModule>),
    /// A provider's.
    Provider(Arc<dyn ProviderModule>),
}

impl Lent for Real {
    type Module = Module;
    type Instance = Arc<RegistrationInstance>;
    type Context = BindingContext;
    type Thread = ThreadId;
    type Name = Name;

    fn side(module: &Module) -> Side {
        match module {
            Module::Client(_) => Side::Client,
            Module::Provider(_) => Side::Provider,
        }
    }

    fn npi(instance: &Arc<RegistrationInstance>) -> NpiId {
        instance.npi
    }

    fn is_null(context: &BindingContext) -> bool {
        context.is_null()
    }

    fn name(_: &Module) -> Name {
        Name::new()
    }
}

/// What the driver of a call keeps beside it.
#[derive(Default)]
struct Kept<'a> {
    /// The first panic of a callback, or of a drop.
    panic: Option<Payload>,
    /// Of an attach call: what the client hands over, and what the provider answered.
    client: Option<&'a mut Attachment>,
    peer: Option<Result<Attachment, Status>>,
}

impl Registrar {
    /// Carries out a call; its answer. Most calls are over with their first section: the caller says which of
    /// [`go_on`](Call::go_on) and its like does that best.
    ///
    /// # Panics
    /// With the first panic of a callback or a drop, when everything is done.
    #[cfg_attr(shuttle, track_caller)]
    #[inline(always)]
    pub(crate) fn drive(
        &self,
        call: &mut Call<Real>,
        first: impl Fn(&mut Call<Real>, &mut Table) -> bool,
    ) -> Answer {
        let remembered = remember();
        self.enter(call, first, &remembered);
        // What the section has dropped goes with the call.
        if !call.is_over() {
            self.carry_out(call, &mut Kept::default(), &remembered);
        }
        *call.answer().expect("it is over")
    }

    /// Carries out a call of `client_attach_provider`, for what the client hands over, which is let go of as soon as
    /// the provider has had it; the provider's answer, if it was asked. That of the call is in it.
    ///
    /// # Panics
    /// With the provider's panic.
    #[cfg_attr(shuttle, track_caller)]
    #[inline(always)]
    pub(crate) fn drive_attach(
        &self,
        call: &mut Call<Real>,
        client: &mut Attachment,
    ) -> Option<Result<Attachment, Status>> {
        let mut kept = Kept {
            client: Some(client),
            ..Kept::default()
        };
        let remembered = remember();
        self.enter(call, Call::go_on_attaching, &remembered);
        if !call.is_over() {
            self.carry_out(call, &mut kept, &remembered);
        }
        kept.peer
    }

    /// One critical section, or those in which a wait looks whether it is over.
    #[cfg_attr(shuttle, track_caller)]
    #[inline(always)]
    fn enter(
        &self,
        call: &mut Call<Real>,
        go_on: impl Fn(&mut Call<Real>, &mut Table) -> bool,
        remembered: &Remembered,
    ) {
        let monitor = &self.shared.stripes[call.stripe() as usize];
        monitor.enter_until(|table| {
            // However it came here: the call says how it goes on.
            remembered.and(&());
            let wake = go_on(call, table);
            learn(&table.by_name(call));
            #[cfg(shuttle)]
            table.show();
            ((!call.is_asleep()).then_some(()), wake)
        });
    }

    /// The acts of a call that is not over with its first section, and its other sections.
    #[cfg_attr(shuttle, track_caller)]
    #[inline(never)]
    fn carry_out(&self, call: &mut Call<Real>, kept: &mut Kept<'_>, remembered: &Remembered) {
        loop {
            if let Some(dropped) = call.take_dropped() {
                catching(&mut kept.panic, || drop(dropped));
            }
            match call.act() {
                Act::Offer(binding) => {
                    let outcome = self.call_attach(binding, call.hand_mut(), kept);
                    call.resume(outcome);
                }
                Act::Ask(binding) => {
                    let outcome = call_attach_client(binding, call.hand_mut(), kept);
                    call.resume(outcome);
                }
                Act::Detach(binding, side) => {
                    let outcome = call_detach(binding, side, call.hand_mut(), kept);
                    call.resume(outcome);
                }
                Act::CleanUp(binding) => {
                    let outcome = clean_up(binding, call.hand_mut(), kept);
                    call.resume(outcome);
                }
                Act::LetGo => call.resume(Outcome::LetGo),
                Act::Sleep => unreachable!("the monitor waits"),
                Act::Return => break,
            }
            if kept.panic.is_some() {
                call.panicked();
            }
            self.enter(call, Call::go_on, remembered);
        }
        // Whoever still has something at hand lets go of it here: others may have found it gone by then.
        if cfg!(any(loom, shuttle)) && !call.hand().is_empty() {
            linger();
        }
        if let Some(payload) = kept.panic.take() {
            resume_unwind(payload);
        }
    }

    /// The client's attach callback, and whether it answered success.
    fn call_attach(
        &self,
        binding: BindingHandle,
        hand: &mut Hand,
        kept: &mut Kept<'_>,
    ) -> Outcome<BindingContext> {
        let (Some(Module::Client(client)), Some(provider)) =
            (&hand.modules[Side::Client as usize], &hand.peer)
        else {
            unreachable!("a client that is made an offer is at hand")
        };
        let registrar = self;
        let offer = Offer {
            registrar,
            binding,
            provider,
        };
        let answer = catching(&mut kept.panic, || client.attach_provider(offer));
        hand.peer = None;
        let success = matches!(answer, Some(Ok(())));
        debug!(%binding, success, "client's attach callback returned");
        Outcome::Offered { success }
    }
}

/// The provider's attach callback. What it was called on and given is let go of before the table hears that it
/// is over (C11).
fn call_attach_client(
    binding: BindingHandle,
    hand: &mut Hand,
    kept: &mut Kept<'_>,
) -> Outcome<BindingContext> {
    let (Some(Module::Provider(provider)), Some(instance), Some(client)) = (
        &hand.modules[Side::Provider as usize],
        hand.peer.take(),
        kept.client.take(),
    ) else {
        unreachable!("a provider that is asked is at hand")
    };
    let client = std::mem::take(client);
    let attach = || provider.attach_client(binding, &instance, &client);
    kept.peer = catching(&mut kept.panic, attach);
    drop((instance, client));
    let context = match &kept.peer {
        Some(Ok(attachment)) => Some(attachment.context.clone()),
        Some(Err(_)) | None => None,
    };
    debug!(%binding, accepted = context.is_some(), "provider's attach callback returned");
    Outcome::Asked(context)
}

/// One side's detach callback.
fn call_detach(
    binding: BindingHandle,
    side: Side,
    hand: &mut Hand,
    kept: &mut Kept<'_>,
) -> Outcome<BindingContext> {
    let answer = match (&hand.modules[side as usize], &hand.contexts[side as usize]) {
        (Some(module), Some(context)) => {
            catching(&mut kept.panic, || module.detach(binding, context))
        }
        _ => unreachable!("a side that detaches is at hand"),
    };
    hand.contexts[side as usize] = None;
    let answer = answer.unwrap_or(Detach::Complete);
    debug!(%binding, %side, ?answer, "detach callback returned");
    Outcome::Detached(answer)
}

/// The cleanup callbacks, after each of which the context is let go of.
fn clean_up(
    binding: BindingHandle,
    hand: &mut Hand,
    kept: &mut Kept<'_>,
) -> Outcome<BindingContext> {
    for (module, context) in hand.modules.iter_mut().zip(&mut hand.contexts) {
        if let (Some(module), Some(context)) = (&*module, &*context) {
            catching(&mut kept.panic, || module.clean_up(context));
        }
        *module = None;
        catching(&mut kept.panic, || *context = None);
    }
    debug!(%binding, "cleaned up");
    Outcome::CleanedUp
}

impl Module {
    fn detach(&self, binding: BindingHandle, context: &BindingContext) -> Detach {
        match self {
            Self::Client(client) => client.detach_provider(binding, context),
            Self::Provider(provider) => provider.detach_client(binding, context),
        }
    }

    fn clean_up(&self, context: &BindingContext) {
        match self {
            Self::Client(client) => client.cleanup_binding_context(context),
            Self::Provider(provider) => provider.cleanup_binding_context(context),
        }
    }
}

/// Makes a callback, or a drop of something that is a module's; keeps the first of several panics.
fn catching<R>(panic: &mut Option<Payload>, callback: impl FnOnce() -> R) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(callback)) {
        Ok(answer) => Some(answer),
        Err(payload) => {
            panic.get_or_insert(payload);
            None
        }
    }
}
