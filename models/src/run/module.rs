//! A module that does what the scenario's script says, and records that it was called.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Weak};

use nmr::{
    AttachError, Attachment, BindingContext, BindingHandle, ClientModule, Dispatch, ModuleId,
    Offer, ProviderModule, RegistrationInstance, Side, Status,
};

use super::shared::PendingDetach;
use super::{Run, npi_id, scripted_panic};
use crate::event::{Answer, Call, Callback, CallbackKind, Pair, RegId, Reply, Thing};
use crate::invisible::lock;
use crate::scenario::{Attach, Cleanup, Detach, Fault, Module};

/// What the modules of a scenario say when they decline.
const DECLINED: Status = Status(0xC000_0001);

/// One registration of a module. The registrar has the only reference.
pub(super) struct Scripted {
    run: Weak<Run>,
    reg: RegId,
}

/// What stands behind a binding context; the registrar has the only lasting reference. Hashed by what
/// it is for.
pub(super) struct Token {
    run: Weak<Run>,
    pair: Pair,
    side: Side,
}

impl Hash for Token {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.pair, self.side).hash(state);
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        if let Some(run) = self.run.upgrade() {
            run.dropped(Thing::Module(self.reg));
            run.perform_in_drop(&run.script(self.reg).in_drop);
        }
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        if let Some(run) = self.run.upgrade() {
            let (pair, side) = (self.pair, self.side);
            run.dropped(Thing::Context { pair, side });
            run.perform_in_drop(&run.script(pair.side(side)).in_context_drop);
        }
    }
}

/// A registration's name travels as the implementation number, so that its peers know it.
pub(super) fn instance(module: &Module, reg: RegId) -> RegistrationInstance {
    RegistrationInstance {
        npi: npi_id(module.npi),
        module: ModuleId(u128::from(reg.module) + 1),
        number: u32::from(reg.module) << 8 | u32::from(reg.nth),
        npi_specific: Box::default(),
    }
}

fn named(instance: &RegistrationInstance) -> RegId {
    RegId {
        module: (instance.number >> 8) as u8,
        nth: instance.number as u8,
    }
}

impl Scripted {
    pub(super) fn new(run: &Arc<Run>, reg: RegId) -> Arc<Self> {
        let run = Arc::downgrade(run);
        Arc::new(Self { run, reg })
    }

    fn run(&self) -> Arc<Run> {
        let run = self.run.upgrade();
        run.expect("callbacks run inside calls, which keep the execution")
    }

    fn detach(&self, side: Side, binding: BindingHandle, context: &BindingContext) -> nmr::Detach {
        let run = self.run();
        let pair = context
            .downcast_ref::<Token>()
            .map(|token| token.pair)
            .unwrap_or_else(|| lock(&run.bindings)[&binding]);
        let callback = Callback {
            kind: CallbackKind::Detach,
            side,
            pair,
        };
        let script = run.script(self.reg);
        run.callback(callback, || {
            run.use_context(pair, side);
            run.perform_all(&script.in_detach);
            if script.fault == Some(Fault::FreesInDetach) {
                run.free_context(pair, side);
            }
            match script.detach {
                Detach::Complete => (Reply::Complete, nmr::Detach::Complete),
                Detach::Panic => scripted_panic(),
                Detach::Pending => {
                    run.pending.push(PendingDetach {
                        side,
                        pair,
                        binding,
                    });
                    (Reply::Pending, nmr::Detach::Pending)
                }
                Detach::CompleteEarly => {
                    run.complete(side, pair, binding);
                    (Reply::Pending, nmr::Detach::Pending)
                }
                Detach::Rundown => {
                    let rundown = run.modules[usize::from(self.reg.module)].rundown.as_ref();
                    let rundown =
                        rundown.filter(|_| script.fault != Some(Fault::UnguardedDispatch));
                    match rundown.is_none_or(|rundown| rundown.close(binding)) {
                        true => (Reply::Complete, nmr::Detach::Complete),
                        false => (Reply::Pending, nmr::Detach::Pending),
                    }
                }
            }
        })
    }

    fn clean_up(&self, side: Side, context: &BindingContext) {
        let run = self.run();
        let token = context.downcast_ref::<Token>();
        let pair = match token.map(|token| token.pair) {
            Some(pair) => pair,
            // Windows names no binding here: a module with null contexts is a module with one
            // binding (the scenario's validation sees to it).
            None => run.only_pair(self.reg),
        };
        let callback = Callback {
            kind: CallbackKind::Cleanup,
            side,
            pair,
        };
        let script = run.script(self.reg);
        run.callback(callback, || {
            run.let_go(pair, side);
            if script.fault != Some(Fault::FreesInDetach) {
                run.use_context(pair, side);
                run.free_context(pair, side);
            }
            run.perform_all(&script.in_cleanup);
            match script.cleanup {
                Cleanup::Return => (Reply::Success, ()),
                Cleanup::Panic => scripted_panic(),
            }
        });
    }
}

impl ClientModule for Scripted {
    fn attach_provider(&self, offer: Offer<'_>) -> Result<(), Status> {
        let run = self.run();
        let binding = offer.binding();
        let pair = Pair {
            client: self.reg,
            provider: named(offer.provider()),
        };
        run.note(self.reg, pair, binding);
        let callback = Callback {
            kind: CallbackKind::Attach,
            side: Side::Client,
            pair,
        };
        let script = run.script(self.reg);
        let attach = || run.attach(pair, binding, run.attachment(pair, Side::Client));
        run.callback(callback, || {
            run.perform_all(&script.in_attach);
            let answer = match script.attach {
                Attach::Decline => Err(DECLINED),
                Attach::Hollow => Ok(()),
                Attach::Panic => scripted_panic(),
                Attach::Accept => attach(),
                Attach::ChangeOfMind => attach().and(Err(DECLINED)),
                Attach::Twice => {
                    let first = attach();
                    let _ = attach();
                    first
                }
                Attach::PanicAfterAttach => {
                    let _ = attach();
                    scripted_panic();
                }
            };
            let rundown = &run.modules[usize::from(self.reg.module)].rundown;
            if let (Ok(()), Some(rundown), false) =
                (answer, rundown, script.attach == Attach::Hollow)
            {
                rundown.open(pair, binding);
            }
            let reply = match answer {
                Ok(()) => Reply::Success,
                Err(_) => Reply::Failure,
            };
            // Nobody will ask to free it. (After a panic the module's own destructors do.)
            if answer.is_err() && script.fault != Some(Fault::LeaksContext) {
                run.free_context(pair, Side::Client);
            }
            (reply, answer)
        })
    }

    fn detach_provider(&self, binding: BindingHandle, context: &BindingContext) -> nmr::Detach {
        self.detach(Side::Client, binding, context)
    }

    fn cleanup_binding_context(&self, context: &BindingContext) {
        self.clean_up(Side::Client, context);
    }
}

impl ProviderModule for Scripted {
    fn attach_client(
        &self,
        binding: BindingHandle,
        client: &RegistrationInstance,
        peer: &Attachment,
    ) -> Result<Attachment, Status> {
        let run = self.run();
        let pair = Pair {
            client: named(client),
            provider: self.reg,
        };
        run.note(self.reg, pair, binding);
        check_handed(peer, pair, Side::Client);
        let callback = Callback {
            kind: CallbackKind::Attach,
            side: Side::Provider,
            pair,
        };
        let script = run.script(self.reg);
        run.callback(callback, || {
            run.perform_all(&script.in_attach);
            match script.attach {
                Attach::Panic => scripted_panic(),
                Attach::Decline => (Reply::Failure, Err(DECLINED)),
                _ => {
                    let attachment = run.attachment(pair, Side::Provider);
                    (Reply::Success, Ok(attachment))
                }
            }
        })
    }

    fn detach_client(&self, binding: BindingHandle, context: &BindingContext) -> nmr::Detach {
        self.detach(Side::Provider, binding, context)
    }

    fn cleanup_binding_context(&self, context: &BindingContext) {
        self.clean_up(Side::Provider, context);
    }
}

impl Run {
    pub(super) fn script(&self, reg: RegId) -> &Module {
        &self.scenario.modules[usize::from(reg.module)]
    }

    /// Remembers a binding that a module was called for.
    fn note(&self, reg: RegId, pair: Pair, binding: BindingHandle) {
        self.issued_binding(pair, binding);
        self.modules[usize::from(reg.module)]
            .last_binding
            .set(pair, binding);
    }

    fn only_pair(&self, reg: RegId) -> Pair {
        let bindings = lock(&self.bindings);
        let mut pairs = bindings.values();
        let pair = pairs.find(|pair| pair.client == reg || pair.provider == reg);
        *pair.expect("a binding is cleaned up after it was attached")
    }

    /// What a side gives out, and takes back only through the registrar. A null context cannot be
    /// seen to be dropped; the module keeps its token itself until it is done with the binding.
    pub(super) fn attachment(self: &Arc<Self>, pair: Pair, side: Side) -> Attachment {
        self.take_context(pair, side);
        let token = Arc::new(Token {
            run: Arc::downgrade(self),
            pair,
            side,
        });
        let context = if self.script(pair.side(side)).null_context {
            lock(&self.kept).push(token);
            BindingContext::null()
        } else {
            BindingContext::from_arc(token)
        };
        Attachment {
            context,
            dispatch: Dispatch::new((pair, side)),
        }
    }

    /// A module with null contexts is done with its side of a binding.
    pub(super) fn let_go(&self, pair: Pair, side: Side) {
        let kept = {
            let mut kept = lock(&self.kept);
            let index = kept
                .iter()
                .position(|token| (token.pair, token.side) == (pair, side));
            index.map(|index| kept.swap_remove(index))
        };
        drop(kept);
    }

    /// The client's call. A panic of the provider's callback goes through the client's.
    fn attach(&self, pair: Pair, binding: BindingHandle, client: Attachment) -> Result<(), Status> {
        let call = Call::AttachProvider(Some(pair));
        let answer = self.call(
            call,
            // What the provider handed over is dropped here: the registrar has it.
            || {
                self.registrar
                    .client_attach_provider(binding, client)
                    .map(drop)
            },
            attach_answer,
        );
        if !matches!(answer, Some(Ok(()))) {
            self.let_go(pair, Side::Client);
        }
        match answer {
            Some(answer) => answer.map_err(AttachError::status),
            None => scripted_panic(),
        }
    }
}

/// What one side hands over must reach the other side of the same binding.
fn check_handed(attachment: &Attachment, pair: Pair, side: Side) {
    let dispatch = attachment.dispatch.downcast_ref::<(Pair, Side)>();
    assert_eq!(
        dispatch,
        Some(&(pair, side)),
        "a stranger's dispatch table was handed over"
    );
    if let Some(token) = attachment.context.downcast_ref::<Token>() {
        let handed = (token.pair, token.side);
        assert_eq!(
            handed,
            (pair, side),
            "a stranger's binding context was handed over"
        );
    }
}

pub(super) fn attach_answer(answer: &Result<(), AttachError>) -> Answer {
    match answer {
        Ok(()) => Answer::Attached,
        Err(AttachError::Refused(_)) => Answer::Refused,
        Err(AttachError::NoInterface { .. }) => Answer::NoInterface,
        Err(AttachError::InvalidState { .. }) => Answer::InvalidState,
        Err(_) => Answer::InvalidParameter,
    }
}
