//! Makes the callbacks that the table's answers name, one after the other, outside every lock (C15).
//!
//! It decides nothing: which callback comes next, and whether there is one, is the answer of the
//! transition that reports the last one's return. A panic is kept until everything is done (C18).

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use nmr_sync::thread::ThreadId;
use tracing::debug;

use crate::handle::BindingHandle;
use crate::module::{BindingContext, Detach, Offer};
use crate::registrar::Registrar;
use crate::table::{Job, Module, Returned, Step};

pub(crate) type Payload = Box<dyn Any + Send>;

impl Registrar {
    /// Carries out `step` and all that follows from it; answers the first panic.
    #[inline]
    pub(crate) fn drive(
        &self,
        stripe: u32,
        step: Step,
        job: Job,
        thread: ThreadId,
    ) -> Option<Payload> {
        if matches!(step, Step::Done) {
            return None;
        }
        self.carry_out(stripe, step, job, thread)
    }

    fn carry_out(
        &self,
        stripe: u32,
        mut step: Step,
        job: Job,
        thread: ThreadId,
    ) -> Option<Payload> {
        let mut panic = None;
        while let Some(returned) = self.call_back(stripe, &mut step, &mut panic) {
            step = self.enter_keeping(stripe, &mut panic, |table| {
                table.returned(returned, job, thread)
            });
        }
        panic
    }

    /// Makes the callback of one step, or the two of cleaning up. The step's references to modules
    /// are gone when it returns, before the table, and with it a waiting thread, hears that the
    /// callback is over (C11).
    fn call_back(
        &self,
        stripe: u32,
        step: &mut Step,
        panic: &mut Option<Payload>,
    ) -> Option<Returned> {
        let returned = match step {
            Step::Done => return None,
            Step::Attach {
                binding,
                client,
                provider,
            } => {
                let offer = Offer {
                    registrar: self,
                    binding: self.binding(stripe, *binding),
                    provider,
                };
                let answer = catching(panic, || client.attach_provider(offer));
                let success = matches!(answer, Some(Ok(())));
                debug!(binding = %offer.binding, success, "client's attach callback returned");
                Returned::Attach(*binding, success)
            }
            Step::Detach {
                binding,
                module,
                context,
            } => {
                let (side, handle) = (module.side(), self.binding(stripe, *binding));
                let answer = catching(panic, || module.detach(handle, context));
                let answer = answer.unwrap_or(Detach::Complete);
                debug!(binding = %handle, %side, ?answer, "detach callback returned");
                Returned::Detach(*binding, side, answer)
            }
            Step::CleanUp { binding, sides } => {
                for side in sides {
                    if let Some((module, context)) = side {
                        catching(panic, || module.clean_up(context));
                        catching(panic, || *side = None);
                    }
                }
                debug!(binding = %self.binding(stripe, *binding), "cleaned up");
                Returned::CleanUp(*binding)
            }
        };
        *step = Step::Done;
        Some(returned)
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
