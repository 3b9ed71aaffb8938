//! Makes the callbacks that the table's answers name, one after the other, outside every lock (C15).
//!
//! It decides nothing: which callback comes next, and whether there is one, is the answer of the
//! transition that reports the last one's return. A panic is kept until everything is done (C18).
//!
//! The provider's attach callback is none of these: it is made inside the client's, whenever that asks for
//! it (C3), and [`calls`](crate::calls) reports its return.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use nmr_sync::remember;
use tracing::debug;

use crate::handle::BindingHandle;
use crate::module::{Attachment, BindingContext, Detach, ProviderModule};
use crate::npi::{RegistrationInstance, Side};
use crate::offer::Offer;
use crate::registrar::Registrar;
use crate::status::Status;
use crate::table::{Hand, Module, Returned, Step, Visit};

pub(crate) type Payload = Box<dyn Any + Send>;

impl Registrar {
    /// Carries out `step` and all that follows from it; answers the first panic.
    #[inline]
    pub(crate) fn drive(&self, stripe: u32, step: Step, visit: &mut Visit) -> Option<Payload> {
        match step {
            Step::Done => None,
            step => self.carry_out(stripe, step, visit),
        }
    }

    fn carry_out(&self, stripe: u32, mut step: Step, visit: &mut Visit) -> Option<Payload> {
        let mut panic = None;
        let remembered = remember();
        while let Some(returned) = self.call_back(stripe, step, &mut visit.hand, &mut panic) {
            let panicked = panic.is_some();
            step = self.enter_keeping(stripe, &mut panic, visit, |table, visit| {
                // However it came here: the step that it is told says how it goes on.
                remembered.and(&panicked);
                table.returned(returned, visit)
            });
        }
        panic
    }

    /// Makes the callback of one step, or the two of cleaning up, and empties `hand`: the references
    /// to modules are gone before the table, and with it a waiting thread, hears that the callback is
    /// over (C11).
    fn call_back(
        &self,
        stripe: u32,
        step: Step,
        hand: &mut Hand,
        panic: &mut Option<Payload>,
    ) -> Option<Returned> {
        match step {
            Step::Done => None,
            Step::Attach(key) => {
                let success = self.call_attach(self.binding(stripe, key), hand, panic);
                Some(Returned::Attach(key, success))
            }
            Step::Detach(key, side) => {
                let binding = self.binding(stripe, key);
                let answer = match (&hand.modules[side as usize], &hand.contexts[side as usize]) {
                    (Some(module), Some(context)) => {
                        catching(panic, || module.detach(binding, context))
                    }
                    _ => unreachable!("a side that detaches is at hand"),
                };
                hand.modules[side as usize] = None;
                hand.contexts[side as usize] = None;
                let answer = answer.unwrap_or(Detach::Complete);
                debug!(%binding, %side, ?answer, "detach callback returned");
                Some(Returned::Detach(key, side, answer))
            }
            Step::CleanUp(key) => {
                for (module, context) in hand.modules.iter_mut().zip(&mut hand.contexts) {
                    if let (Some(module), Some(context)) = (&*module, &*context) {
                        catching(panic, || module.clean_up(context));
                    }
                    *module = None;
                    catching(panic, || *context = None);
                }
                debug!(binding = %self.binding(stripe, key), "cleaned up");
                Some(Returned::CleanUp(key))
            }
        }
    }

    /// The client's attach callback, and whether it answered success.
    fn call_attach(
        &self,
        binding: BindingHandle,
        hand: &mut Hand,
        panic: &mut Option<Payload>,
    ) -> bool {
        let (Some(Module::Client(client)), Some(provider)) =
            (&hand.modules[Side::Client as usize], &hand.offered)
        else {
            unreachable!("a client that is made an offer is at hand")
        };
        let registrar = self;
        let offer = Offer {
            registrar,
            binding,
            provider,
        };
        let answer = catching(panic, || client.attach_provider(offer));
        hand.modules[Side::Client as usize] = None;
        hand.offered = None;
        let success = matches!(answer, Some(Ok(())));
        debug!(%binding, success, "client's attach callback returned");
        success
    }
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

/// The provider's attach callback; what it was called on and given is let go of before the table hears
/// that it is over (C11).
pub(crate) fn call_attach_client(
    binding: BindingHandle,
    provider: Arc<dyn ProviderModule>,
    instance: Arc<RegistrationInstance>,
    client: Attachment,
) -> Result<Result<Attachment, Status>, Payload> {
    let answer = catch_unwind(AssertUnwindSafe(|| {
        provider.attach_client(binding, &instance, &client)
    }));
    drop((provider, instance, client));
    answer
}

/// Makes a callback, or a drop of something that is a module's; keeps the first of several panics.
pub(crate) fn catching<R>(panic: &mut Option<Payload>, callback: impl FnOnce() -> R) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(callback)) {
        Ok(answer) => Some(answer),
        Err(payload) => {
            panic.get_or_insert(payload);
            None
        }
    }
}
