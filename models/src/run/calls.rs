//! The registrar's functions, called: what each is given, and what it answers.

use std::mem::ManuallyDrop;
use std::sync::Arc;

use nmr::{
    AttachError, Attachment, BindingContext, BindingHandle, ClientModule, Deregistering, Detach,
    ModuleId, OfClient, OfProvider, Offer, ProviderModule, Registrar, RegistrationInstance, Status,
};

use super::frame::Frame;
use super::module::{Handed, Scripted, handed, instance};
use super::shared::Owned;
use super::{Run, answer, registrars};
use crate::event::{Answer, Call, Pair, RegId, Side};
use crate::interpreter::{After, AnyHandle, Attempt, Function, Returned, npi_id};
use crate::invisible::lock;
use crate::scenario::Module;

/// A call that is yet to be made. One that never is does nothing: what it holds of an owner's would deregister when it is dropped.
pub(super) type Opened<'a> = Box<dyn FnOnce() -> Made + 'a>;

/// What came of a call.
pub(super) struct Made {
    pub(super) returned: Returned,
    /// What it gave, of the owning API.
    pub(super) kept: Option<Kept>,
    /// With what an attach call was refused.
    pub(super) refusal: Option<Status>,
    /// What stands behind what the provider hands over, if it is a module in C.
    pub(super) peer: Option<Handed>,
}

/// A registration that its owner holds as a value, between two operations of it.
pub(super) enum Kept {
    Owned(Owned),
    Client(Deregistering<OfClient>),
    Provider(Deregistering<OfProvider>),
}

impl Made {
    pub(super) const fn answered(answer: Answer) -> Self {
        let returned = Returned {
            answer,
            handle: None,
        };
        Self {
            returned,
            kept: None,
            refusal: None,
            peer: None,
        }
    }

    fn registered(answer: Answer, handle: Option<AnyHandle>) -> Self {
        Self {
            returned: Returned { answer, handle },
            ..Self::answered(answer)
        }
    }

    fn keeping(self, kept: Kept) -> Self {
        Self {
            kept: Some(kept),
            ..self
        }
    }
}

impl<'a> Frame<'a> {
    /// How the call is made.
    pub(super) fn function(
        &mut self,
        call: Call,
        function: Function<Attachment>,
        after: After,
    ) -> Opened<'a> {
        let run = self.run;
        match function {
            Function::Register { owned } => {
                let Call::Register { reg, .. } = call else {
                    unreachable!("it is a register call")
                };
                run.registration(reg, owned)
            }
            Function::Deregister(handle) => {
                Box::new(move || Made::answered(deregistered(&run.registrar, handle)))
            }
            Function::DeregisterForeign(module, handle) => {
                let foreign = registrars(run.prepared.uses_stale_handles).build();
                crowd(
                    &foreign,
                    &run.prepared.scenario.modules[usize::from(module)],
                );
                Box::new(move || Made::answered(deregistered(&foreign, handle)))
            }
            Function::Wait(handle) => Box::new(move || {
                Made::answered(match handle {
                    AnyHandle::Client(handle) => {
                        answer::waited(run.registrar.wait_for_client_deregister(handle))
                    }
                    AnyHandle::Provider(handle) => {
                        answer::waited(run.registrar.wait_for_provider_deregister(handle))
                    }
                })
            }),
            Function::Leave(_) => {
                let owned = self.take_kept();
                Box::new(move || {
                    let left = match ManuallyDrop::into_inner(owned) {
                        Kept::Owned(Owned::Client(owned)) => Kept::Client(owned.deregister()),
                        Kept::Owned(Owned::Provider(owned)) => Kept::Provider(owned.deregister()),
                        left => left,
                    };
                    Made::answered(Answer::Pending).keeping(left)
                })
            }
            Function::Finish(_) => {
                let left = self.take_kept();
                Box::new(move || {
                    Made::answered(match ManuallyDrop::into_inner(left) {
                        Kept::Client(left) => answer::waited(left.wait()),
                        Kept::Provider(left) => answer::waited(left.wait()),
                        Kept::Owned(_) => unreachable!("it was left"),
                    })
                })
            }
            Function::Release(_) => {
                let owned = self.take_kept();
                Box::new(move || {
                    drop(ManuallyDrop::into_inner(owned));
                    Made::answered(Answer::Done)
                })
            }
            Function::Attach(binding, client) => {
                let Call::AttachProvider(pair) = call else {
                    unreachable!("it is an attach call")
                };
                let is_own = !matches!(after, After::Attach(_, Attempt::AtLarge));
                let offer = self.offer.filter(|_| is_own);
                Box::new(move || {
                    run.attached(
                        pair,
                        match offer {
                            Some(offer) => offer.attach(client),
                            None => run.registrar.client_attach_provider(binding, client),
                        },
                    )
                })
            }
            Function::Complete(binding) => {
                let Call::DetachComplete { side, .. } = call else {
                    unreachable!("it is a detach-complete call")
                };
                Box::new(move || {
                    Made::answered(answer::completed(match side {
                        Side::Client => run.registrar.client_detach_complete(binding),
                        Side::Provider => run.registrar.provider_detach_complete(binding),
                    }))
                })
            }
        }
    }
}

impl Run {
    /// The register call of a module.
    fn registration(self: &Arc<Self>, reg: RegId, owned: bool) -> Opened<'_> {
        let script = self.script(reg);
        let (instance, scripted) = (Arc::new(instance(script, reg)), Scripted::new(self, reg));
        lock(&self.instances).push((reg, Arc::downgrade(&instance)));
        let registrar = &self.registrar;
        match (script.side, owned) {
            (Side::Client, false) => Box::new(move || {
                let answer = registrar.register_client(instance, scripted);
                let told = answer::registered(&answer);
                Made::registered(told, answer.ok().map(AnyHandle::Client))
            }),
            (Side::Provider, false) => Box::new(move || {
                let answer = registrar.register_provider(instance, scripted);
                let told = answer::registered(&answer);
                Made::registered(told, answer.ok().map(AnyHandle::Provider))
            }),
            (Side::Client, true) => Box::new(move || {
                let answer = registrar.client(instance, scripted);
                owning(answer::registered(&answer), answer.ok().map(Owned::Client))
            }),
            (Side::Provider, true) => Box::new(move || {
                let answer = registrar.provider(instance, scripted);
                owning(
                    answer::registered(&answer),
                    answer.ok().map(Owned::Provider),
                )
            }),
        }
    }

    /// An attach call was answered. What the provider has handed over is looked at, and dropped then: the registrar has
    /// it.
    fn attached(
        self: &Arc<Self>,
        pair: Option<Pair>,
        answer: Result<Attachment, AttachError>,
    ) -> Made {
        if let (Some(pair), Ok(provider)) = (pair, &answer) {
            self.check_handed(provider, pair, Side::Provider);
        }
        let peer = (answer.as_ref().ok()).and_then(|provider| handed(&provider.context));
        let answer = answer.map(drop);
        Made {
            peer,
            refusal: answer.as_ref().err().map(|error| error.status()),
            ..Made::answered(answer::attached(&answer))
        }
    }
}

fn owning(answer: Answer, owned: Option<Owned>) -> Made {
    let made = Made::registered(answer, owned.as_ref().map(Owned::handle));
    match owned {
        Some(owned) => made.keeping(Kept::Owned(owned)),
        None => made,
    }
}

fn deregistered(registrar: &Registrar, handle: AnyHandle) -> Answer {
    match handle {
        AnyHandle::Client(handle) => answer::deregistered(registrar.deregister_client(handle)),
        AnyHandle::Provider(handle) => answer::deregistered(registrar.deregister_provider(handle)),
    }
}
/// Takes whatever an early handle of the module can name in a registrar: of the nil interface there is none.
fn crowd(registrar: &Registrar, module: &Module) {
    if module.npi == 0 {
        return;
    }
    let instance = RegistrationInstance::new(npi_id(module.npi), ModuleId(0));
    for _ in 0..4 {
        let taken = match module.side {
            Side::Client => {
                let client = registrar.register_client(instance.clone(), Arc::new(Stranger));
                client.is_ok()
            }
            Side::Provider => {
                let provider = registrar.register_provider(instance.clone(), Arc::new(Stranger));
                provider.is_ok()
            }
        };
        assert!(taken, "there is room in a registrar of its own");
    }
}

/// A module that is alone in its registrar.
struct Stranger;

impl ClientModule for Stranger {
    fn attach_provider(&self, _: Offer<'_>) -> Result<(), Status> {
        unreachable!("there is no provider")
    }

    fn detach_provider(&self, _: BindingHandle, _: &BindingContext) -> Detach {
        unreachable!("there is no binding")
    }
}

impl ProviderModule for Stranger {
    fn attach_client(
        &self,
        _: BindingHandle,
        _: &RegistrationInstance,
        _: &Attachment,
    ) -> Result<Attachment, Status> {
        unreachable!("there is no client")
    }

    fn detach_client(&self, _: BindingHandle, _: &BindingContext) -> Detach {
        unreachable!("there is no binding")
    }
}
