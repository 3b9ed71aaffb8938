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
use crate::table::{Job, Module, Step};

pub(crate) type Payload = Box<dyn Any + Send>;

impl Registrar {
    /// Carries out `step` and all that follows from it; answers the first panic.
    pub(crate) fn drive(
        &self,
        stripe: u32,
        mut step: Step,
        job: Job,
        thread: ThreadId,
    ) -> Option<Payload> {
        let mut panic = None;
        loop {
            step = match step {
                Step::Done => return panic,
                Step::Attach {
                    binding,
                    client,
                    provider,
                } => {
                    let offer = Offer {
                        registrar: self,
                        binding: self.binding(stripe, binding),
                        provider: &provider,
                    };
                    let answer = catching(&mut panic, || client.attach_provider(offer));
                    let success = matches!(answer, Some(Ok(())));
                    debug!(binding = %offer.binding, success, "client's attach callback returned");
                    // References to modules are gone before the table hears that the callback is over.
                    drop((client, provider));
                    self.enter_keeping(stripe, &mut panic, |table| {
                        table.attach_returned(binding, success, job, thread)
                    })
                }
                Step::Detach {
                    binding,
                    module,
                    context,
                } => {
                    let (side, handle) = (module.side(), self.binding(stripe, binding));
                    let answer = catching(&mut panic, || module.detach(handle, &context));
                    let answer = answer.unwrap_or(Detach::Complete);
                    debug!(binding = %handle, %side, ?answer, "detach callback returned");
                    drop((module, context));
                    self.enter_keeping(stripe, &mut panic, |table| {
                        table.detach_returned(binding, side, answer, job, thread)
                    })
                }
                Step::CleanUp { binding, sides } => {
                    for (module, context) in sides.into_iter().flatten() {
                        catching(&mut panic, || module.clean_up(&context));
                        catching(&mut panic, || drop(context));
                    }
                    debug!(binding = %self.binding(stripe, binding), "cleaned up");
                    self.enter_keeping(stripe, &mut panic, |table| {
                        table.cleaned_up(binding, job, thread)
                    })
                }
            };
        }
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
