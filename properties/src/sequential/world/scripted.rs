//! A module that follows its script and reports its callbacks to the [`World`].

use std::panic::resume_unwind;
use std::sync::Arc;

use nmr::{
    Attachment, BindingContext, BindingHandle, ClientModule, Detach, Offer, ProviderModule,
    RegistrationInstance, Side, Status,
};
use nmr_sync::Mutex;

use super::{World, label_of};
use crate::sequential::event::{Answer, Callback, Name, Outcome, Pair, What};
use crate::sequential::handle_ref::HandleRef;
use crate::sequential::ops::{Attach, DetachScript, Hook, Op, Register};
use crate::sequential::reference::{REFUSAL, panic_text};

/// A module that follows a script, for one registration.
pub(super) struct Scripted {
    pub(super) world: Arc<World>,
    pub(super) name: Name,
    pub(super) script: Register,
    /// The points of its script that it has come to.
    pub(super) spent: Mutex<Vec<Hook>>,
}

impl Scripted {
    fn hook(&self, hook: Hook) {
        if self.world.ledger.lock().quiet || self.spent.lock().contains(&hook) {
            return;
        }
        self.spent.lock().push(hook);
        for op in self.script.calls(hook) {
            self.world.call(op);
        }
    }

    /// A callback begins; whether the script is followed.
    fn begin(&self, callback: Callback) -> bool {
        let follow = self.world.say(What::Callback(callback));
        self.world.deeper();
        follow
    }

    fn end(&self, outcome: Outcome) {
        self.world.back();
        self.world.say(What::Returned(outcome));
    }

    /// Panics without a word on the terminal.
    fn panic(&self, callback: &str) -> ! {
        resume_unwind(Box::new(panic_text(self.name, callback)))
    }

    fn client_attach(&self, handle: HandleRef) -> Result<bool, String> {
        let attach = self.script.attach;
        self.hook(Hook::BeforeAttach);
        match attach {
            Attach::Decline => return Ok(false),
            Attach::Hollow => return Ok(true),
            Attach::Panic => return Err(panic_text(self.name, "attach")),
            _ => {}
        }
        let call = Op::AttachProvider(handle);
        let attached = match self.world.call(&call) {
            Answer::Panicked(text) if attach != Attach::Insist => return Err(text),
            answer => matches!(answer, Answer::Attached { .. }),
        };
        if attach == Attach::Twice {
            self.world.call(&call);
        }
        self.hook(Hook::AfterAttach);
        match attach {
            Attach::ChangeOfMind => Ok(false),
            Attach::Insist => Ok(true),
            Attach::AttachThenPanic => Err(panic_text(self.name, "attach")),
            _ => Ok(attached),
        }
    }

    fn detach(&self, side: Side, binding: BindingHandle, context: &BindingContext) -> Detach {
        let pair = self.world.pair_of(binding.to_raw());
        let follow = self.begin(Callback::Detach {
            module: self.name,
            binding: pair,
            context: label_of(context),
        });
        let Some(pair) = pair.filter(|_| follow) else {
            self.end(Outcome::Complete);
            return Detach::Complete;
        };
        self.hook(Hook::Detach);
        let detach = self.script.detach;
        use DetachScript::{AtOnce, Early, EarlyThenComplete, EarlyThenPanic, Panic, Pending};
        if matches!(detach, Early | EarlyThenComplete | EarlyThenPanic) {
            let handle = HandleRef::Binding(pair.client.slot, pair.provider.slot, 0);
            self.world.call(&Op::detach_complete(side, handle));
        }
        match detach {
            AtOnce | EarlyThenComplete => {
                self.end(Outcome::Complete);
                Detach::Complete
            }
            Pending | Early => {
                self.end(Outcome::Pending);
                Detach::Pending
            }
            Panic | EarlyThenPanic => {
                self.end(Outcome::Panics);
                self.panic("detach")
            }
        }
    }

    fn clean_up(&self, context: &BindingContext) {
        let follow = self.begin(Callback::CleanUp {
            module: self.name,
            context: label_of(context),
        });
        if follow {
            self.hook(Hook::Cleanup);
        }
        if follow && self.script.cleanup_panics {
            self.end(Outcome::Panics);
            self.panic("cleanup");
        }
        self.end(Outcome::Complete);
    }
}

impl ClientModule for Scripted {
    fn attach_provider(&self, offer: Offer<'_>) -> Result<(), Status> {
        let provider = Name::of(offer.provider()).unwrap_or(self.name);
        let pair = Pair {
            client: self.name,
            provider,
        };
        let raw = offer.binding().to_raw();
        self.world.ledger.lock().offered.push((pair, raw));
        if !self.begin(Callback::ClientAttach { binding: pair }) {
            self.end(Outcome::Declines);
            return Err(REFUSAL);
        }
        let handle = HandleRef::Binding(self.name.slot, provider.slot, 0);
        match self.client_attach(handle) {
            Ok(true) => {
                self.end(Outcome::Success);
                Ok(())
            }
            Ok(false) => {
                self.end(Outcome::Declines);
                Err(REFUSAL)
            }
            Err(text) => {
                self.end(Outcome::Panics);
                resume_unwind(Box::new(text))
            }
        }
    }

    fn detach_provider(&self, binding: BindingHandle, context: &BindingContext) -> Detach {
        self.detach(Side::Client, binding, context)
    }

    fn cleanup_binding_context(&self, context: &BindingContext) {
        self.clean_up(context);
    }
}

impl ProviderModule for Scripted {
    fn attach_client(
        &self,
        binding: BindingHandle,
        client: &RegistrationInstance,
        peer: &Attachment,
    ) -> Result<Attachment, Status> {
        let pair = Pair {
            client: Name::of(client).unwrap_or(self.name),
            provider: self.name,
        };
        let known = self.world.pair_of(binding.to_raw()) == Some(pair);
        let follow = self.begin(Callback::ProviderAttach {
            binding: pair,
            context: label_of(&peer.context),
            dispatch: label_of(&peer.dispatch),
        });
        if !follow || !known {
            self.end(Outcome::Declines);
            return Err(REFUSAL);
        }
        self.hook(Hook::BeforeAttach);
        match self.script.attach {
            Attach::Decline => {
                self.end(Outcome::Declines);
                Err(REFUSAL)
            }
            Attach::Panic => {
                self.end(Outcome::Panics);
                self.panic("attach")
            }
            _ => {
                let attachment = self.world.attachment(pair, Side::Provider);
                self.end(Outcome::Success);
                Ok(attachment)
            }
        }
    }

    fn detach_client(&self, binding: BindingHandle, context: &BindingContext) -> Detach {
        self.detach(Side::Provider, binding, context)
    }

    fn cleanup_binding_context(&self, context: &BindingContext) {
        self.clean_up(context);
    }
}
