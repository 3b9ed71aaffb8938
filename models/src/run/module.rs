//! A module that does what the scenario's script says, and records that it was called.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Weak};

use nmr::{
    AttachError, Attachment, BindingContext, BindingHandle, ClientModule, Dispatch, ModuleId,
    Offer, ProviderModule, RegistrationInstance, Side, Status,
};

use super::identity::npi_id;
use super::observe::scripted_panic;
use super::scripts::{Called, Script};
use super::shared::{PendingDetach, Rundown};
use super::{Run, answer};
use crate::event::{Call, Callback, CallbackKind, Pair, RegId, Reply, Thing};
use crate::invisible::lock;
use crate::message::message;
use crate::milestone::Use;
use crate::rule::Rule;
use crate::scenario::{Attach, Cleanup, Detach, Fault, Module};

const PROTOCOL: Rule = Rule::new(3);
const LIFETIME: Rule = Rule::new(11);

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
}

#[cfg(shuttle)]
impl Token {
    pub(super) const fn pair(&self) -> Pair {
        self.pair
    }

    pub(super) const fn side(&self) -> Side {
        self.side
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
            run.dropped(Thing::Module(self.reg));
            run.perform_in_drop(Script::of(self.reg, Called::Drop));
        }
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        if let Some(run) = self.run.upgrade() {
            let (pair, side) = (self.pair, self.side);
            run.dropped(Thing::Context { pair, side });
            run.perform_in_drop(Script::of(pair.side(side), Called::ContextDrop));
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
        let pair = run.pair_of(self.reg, binding, context);
        let callback = Callback {
            kind: CallbackKind::Detach,
            side,
            pair,
        };
        let script = run.script(self.reg);
        run.callback(callback, || {
            run.check_context(context, pair, side, script.null_context);
            run.use_context(pair, side);
            run.perform_all(Script::of(self.reg, Called::Detach));
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
                    run.uses(Use::Pending);
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
                    let close = |rundown: &Rundown| {
                        let is_over = rundown.close(binding);
                        run.uses(Use::Rundown(self.reg.module));
                        is_over
                    };
                    match rundown.is_none_or(close) {
                        true => (Reply::Complete, nmr::Detach::Complete),
                        false => (Reply::Pending, nmr::Detach::Pending),
                    }
                }
            }
        })
    }

    fn clean_up(&self, side: Side, context: &BindingContext) {
        let run = self.run();
        let null = run.script(self.reg).null_context;
        // Windows names no binding here: a module with null contexts is a module with one binding (the
        // scenario's validation sees to it).
        let pair = match context.downcast_ref::<Token>() {
            Some(token) if !null => token.pair,
            _ => run.only_pair(self.reg),
        };
        let callback = Callback {
            kind: CallbackKind::Cleanup,
            side,
            pair,
        };
        let script = run.script(self.reg);
        run.callback(callback, || {
            run.check_context(context, pair, side, null);
            run.let_go(pair, side);
            if script.fault != Some(Fault::FreesInDetach) {
                run.use_context(pair, side);
                run.free_context(pair, side);
            }
            run.perform_all(Script::of(self.reg, Called::Cleanup));
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
        let callback = Callback {
            kind: CallbackKind::Attach,
            side: Side::Client,
            pair,
        };
        let script = run.script(self.reg);
        let attach = || run.attach(pair, offer);
        run.callback(callback, || {
            run.note(self.reg, pair, binding);
            run.perform_all(Script::of(self.reg, Called::Attach));
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
                run.uses(Use::Rundown(self.reg.module));
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
        let callback = Callback {
            kind: CallbackKind::Attach,
            side: Side::Provider,
            pair,
        };
        let script = run.script(self.reg);
        run.callback(callback, || {
            run.note(self.reg, pair, binding);
            run.check_handed(peer, pair, Side::Client);
            run.perform_all(Script::of(self.reg, Called::Attach));
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
        &self.prepared.scenario.modules[usize::from(reg.module)]
    }

    /// The binding that a module is called for, of which it was told when it was attached.
    fn pair_of(&self, reg: RegId, binding: BindingHandle, context: &BindingContext) -> Pair {
        let known = lock(&self.bindings).get(&binding).copied();
        known.unwrap_or_else(|| {
            let handle = binding.to_string();
            let why = message![{reg} " is asked to detach " {handle} ", of which nobody was told"];
            self.violated(PROTOCOL, why);
            let token = context.downcast_ref::<Token>();
            token.map_or_else(|| self.only_pair(reg), |token| token.pair)
        })
    }

    /// What a side handed over comes back to it, and to nobody else (its own context), or reaches its peer.
    fn check_context(&self, context: &BindingContext, pair: Pair, side: Side, null: bool) {
        let is_its_own = match context.downcast_ref::<Token>() {
            Some(token) => !null && (token.pair, token.side) == (pair, side),
            None => null && context.is_null(),
        };
        if !is_its_own {
            let what = if context.is_null() {
                "null"
            } else {
                "another one"
            };
            let why = message![
                "a callback gets " {what} " for the " {side} "'s binding context of " {pair}
            ];
            self.violated(LIFETIME, why);
        }
    }

    /// What one side hands over must reach the other side of the same binding.
    fn check_handed(&self, attachment: &Attachment, pair: Pair, side: Side) {
        let null = self.script(pair.side(side)).null_context;
        self.check_context(&attachment.context, pair, side, null);
        if attachment.dispatch.downcast_ref() != Some(&(pair, side)) {
            let why = message![
                "another dispatch table than the " {side} "'s is handed over for " {pair}
            ];
            self.violated(PROTOCOL, why);
        }
    }

    /// Remembers a binding that a module was called for.
    fn note(&self, reg: RegId, pair: Pair, binding: BindingHandle) {
        self.issued_binding(pair, binding);
        self.note_binding(reg, pair, binding);
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
    fn attach(self: &Arc<Self>, pair: Pair, offer: Offer<'_>) -> Result<(), Status> {
        let client = self.attachment(pair, Side::Client);
        match self.call_attach(Some(pair), || offer.attach(client)) {
            Some(answer) => answer.map_err(AttachError::status),
            None => scripted_panic(),
        }
    }

    /// Makes a call of `client_attach_provider`, and looks at what the provider has handed over. It is dropped
    /// then: the registrar has it.
    pub(super) fn call_attach(
        &self,
        pair: Option<Pair>,
        attach: impl FnOnce() -> Result<Attachment, AttachError>,
    ) -> Option<Result<(), AttachError>> {
        let attach = || {
            let provider = attach()?;
            if let Some(pair) = pair {
                self.check_handed(&provider, pair, Side::Provider);
            }
            Ok(())
        };
        let answer = self.call(Call::AttachProvider(pair), attach, answer::attached);
        if let (Some(pair), false) = (pair, matches!(answer, Some(Ok(())))) {
            self.let_go(pair, Side::Client);
        }
        answer
    }
}
