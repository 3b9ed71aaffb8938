//! A scripted module as the registrar knows it: each of its callbacks is a frame in which the interpreter does what the
//! scenario's script says.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Weak};

use nmr::{
    Attachment, BindingContext, BindingHandle, ClientModule, ModuleId, Offer, ProviderModule,
    RegistrationInstance, Side, Status,
};

use super::Run;
use super::observe::scripted_panic;
use crate::event::{Pair, RegId, Reply, Thing};
use crate::interpreter::{Called, Context, npi_id};
use crate::message::message;
use crate::rule::Rule;
use crate::scenario::Module;

const PROTOCOL: Rule = Rule::new(3);

/// What the modules of a scenario say when they decline.
pub(super) const DECLINED: Status = Status(0xC000_0001);

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
    /// What stands behind it, of a module in C.
    handed: Handed,
}

/// What a module in C hands over: the addresses of its context and its dispatch table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Handed {
    pub(super) context: usize,
    pub(super) dispatch: usize,
}

/// What stands behind a context, if it is a module's.
pub(super) fn handed(context: &BindingContext) -> Option<Handed> {
    context.downcast_ref().map(|token: &Token| token.handed)
}

impl Token {
    pub(super) fn new(run: &Arc<Run>, pair: Pair, side: Side, handed: Handed) -> Self {
        let run = Arc::downgrade(run);
        Self {
            run,
            pair,
            side,
            handed,
        }
    }

    pub(super) fn is_of(&self, pair: Pair, side: Side) -> bool {
        (self.pair, self.side) == (pair, side)
    }
}

/// A binding context, as its module knows it; `None` if it is none of any module's.
pub(super) fn known(context: &BindingContext) -> Option<Context> {
    match context.downcast_ref::<Token>() {
        Some(token) => Some(Context::Of(token.pair, token.side)),
        None => context.is_null().then_some(Context::Null),
    }
}

impl Hash for Token {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.pair, self.side).hash(state);
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        if let Some(run) = self.run.upgrade() {
            run.dropped(Thing::Module(self.reg), Called::Drop);
        }
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        if let Some(run) = self.run.upgrade() {
            let (pair, side) = (self.pair, self.side);
            run.dropped(Thing::Context { pair, side }, Called::ContextDrop);
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

pub(super) fn named(instance: &RegistrationInstance) -> RegId {
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
        let mut frame = run.frame();
        run.stop_at(frame.asked_to_detach(self.reg, side, binding, known(context)));
        match frame.answer() {
            Reply::Panicked => scripted_panic(),
            Reply::Pending => nmr::Detach::Pending,
            _ => nmr::Detach::Complete,
        }
    }

    fn clean_up(&self, side: Side, context: &BindingContext) {
        let run = self.run();
        let mut frame = run.frame();
        run.stop_at(frame.asked_to_clean_up(self.reg, side, known(context)));
        if frame.answer() == Reply::Panicked {
            scripted_panic();
        }
    }
}

impl ClientModule for Scripted {
    fn attach_provider(&self, offer: Offer<'_>) -> Result<(), Status> {
        let run = self.run();
        let pair = Pair {
            client: self.reg,
            provider: named(offer.provider()),
        };
        let mut frame = run.frame();
        frame.host.offer = Some(offer);
        run.stop_at(frame.offered(pair, offer.binding()));
        match frame.answer() {
            Reply::Panicked => scripted_panic(),
            Reply::Success => Ok(()),
            _ => Err(frame.host.refusal.unwrap_or(DECLINED)),
        }
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
        let mut frame = run.frame();
        run.stop_at(frame.asked(pair, binding));
        run.check_handed(peer, pair, Side::Client);
        frame.host.peer = handed(&peer.context);
        match frame.answer() {
            Reply::Panicked => scripted_panic(),
            Reply::Success => Ok(frame.host.attachment.take().unwrap_or_default()),
            _ => Err(DECLINED),
        }
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
        &self.prepared.scenario.modules[usize::from(reg.module)]
    }

    /// What one side hands over must reach the other side of the same binding.
    pub(super) fn check_handed(self: &Arc<Self>, attachment: &Attachment, pair: Pair, side: Side) {
        let context = known(&attachment.context);
        self.stop_at(self.frame().check_context(context, pair, side));
        if attachment.dispatch.downcast_ref() != Some(&(pair, side)) {
            let why = message![
                "another dispatch table than the " {side} "'s is handed over for " {pair}
            ];
            self.violated(PROTOCOL, why);
        }
    }
}
