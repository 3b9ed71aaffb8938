//! Callbacks of scripted modules, from where the registrar makes one to its answer.

use nmr::{BindingHandle, Side};

use super::host::{Host, OpenCallback};
use super::ops::call;
use super::script::{Called, Script};
use super::shared::{Context, PendingDetach};
use super::task::{Attempt, Body, ByName, Foreign, Piece, Task};
use super::{Broken, Done, Interpreter};
use crate::event::{Callback, CallbackKind, Pair, RegId, Reply, What};
use crate::message::message;
use crate::milestone::Use;
use crate::rule::Rule;
use crate::scenario::{Attach, Cleanup, Detach, Fault};

const PROTOCOL: Rule = Rule::new(3);
const LIFETIME: Rule = Rule::new(11);
const VALIDITY: Rule = Rule::new(12);

/// How callbacks begin.
impl<H: Host> Interpreter<'_, H> {
    /// A provider is offered to a client.
    pub(crate) fn offered(&mut self, pair: Pair, binding: BindingHandle) -> Done {
        self.attach_begins(pair, Side::Client, binding, Body::Client(ByName(binding)))
    }

    /// A client attaches to a provider, which is asked.
    pub(crate) fn asked(&mut self, pair: Pair, binding: BindingHandle) -> Done {
        self.attach_begins(
            pair,
            Side::Provider,
            binding,
            Body::Provider(ByName(binding)),
        )
    }

    fn attach_begins(
        &mut self,
        pair: Pair,
        side: Side,
        binding: BindingHandle,
        body: Body,
    ) -> Done {
        let kind = CallbackKind::Attach;
        self.called(Callback { kind, side, pair })?;
        let reg = pair.side(side);
        match self.prepared.is_in_c(reg.module) {
            true => self.then_foreign(Some(binding)),
            false => self.then_script(reg, Called::Attach, body),
        }
        self.note(reg, pair, binding)
    }

    /// A side is asked to detach, and given its context; which is none of any module's if it is `None`.
    pub(crate) fn asked_to_detach(
        &mut self,
        reg: RegId,
        side: Side,
        binding: BindingHandle,
        context: Option<Context>,
    ) -> Done {
        let Some(pair) = self.host.issued(|issued| issued.pair(binding)) else {
            let bits = binding.to_string();
            let message =
                message![{reg} " is asked to detach " {bits} ", of which nobody was told"];
            return Err(Broken {
                rule: PROTOCOL,
                message,
            });
        };
        let kind = CallbackKind::Detach;
        self.called(Callback { kind, side, pair })?;
        self.check_context(context, pair, side)?;
        if self.prepared.is_in_c(reg.module) {
            self.then_foreign(Some(binding));
            return Ok(());
        }
        self.use_context(pair, side)?;
        self.then_script(reg, Called::Detach, Body::Detach(ByName(binding)));
        Ok(())
    }

    /// A side's context is given back to it.
    pub(crate) fn asked_to_clean_up(
        &mut self,
        reg: RegId,
        side: Side,
        context: Option<Context>,
    ) -> Done {
        // Windows names no binding here: a module with null contexts is a module with one binding (the
        // scenario's validation sees to it).
        let pair = match context {
            Some(Context::Of(pair, _)) if !self.script(reg).null_context => pair,
            _ => {
                let only = self.host.issued(|issued| issued.only_pair(reg));
                only.expect("a binding is cleaned up after it was attached")
            }
        };
        let kind = CallbackKind::Cleanup;
        self.called(Callback { kind, side, pair })?;
        self.check_context(context, pair, side)?;
        if self.prepared.is_in_c(reg.module) {
            self.then_foreign(None);
            return Ok(());
        }
        self.then_script(reg, Called::Cleanup, Body::Cleanup);
        self.then([
            Task::Piece(Piece::LetGo(pair, side)),
            Task::Piece(Piece::Free(pair, side)),
        ]);
        Ok(())
    }

    fn called(&mut self, callback: Callback) -> Done {
        let owner = callback.pair.side(callback.side);
        self.host.record(What::Begin(callback))?;
        self.touch(owner)?;
        self.host.enter_callback(callback);
        let needs_its_handle = self.script(owner).fault == Some(Fault::NotReady);
        if needs_its_handle && !self.host.issued(|issued| issued.has(owner)) {
            self.host.record(What::NotReady { reg: owner })?;
        }
        Ok(())
    }

    fn then_script(&mut self, reg: RegId, called: Called, body: Body) {
        self.then([Task::Script(Script::of(reg, called)), Task::Body(body)]);
    }

    /// A callback of a module in C, for a binding that it is told of.
    fn then_foreign(&mut self, binding: Option<BindingHandle>) {
        self.then([Task::Foreign(Foreign::Callback(ByName(binding)))]);
    }

    /// Remembers a binding that a module was called for.
    fn note(&mut self, reg: RegId, pair: Pair, binding: BindingHandle) -> Done {
        if !self.host.issued(|issued| issued.add_binding(binding, pair)) {
            let message = message!["the handle of " {pair} " was issued before"];
            return Err(Broken {
                rule: VALIDITY,
                message,
            });
        }
        self.remember_binding(reg.module, pair, binding);
        Ok(())
    }

    /// Notes the binding for whoever uses it, if anybody does.
    pub(super) fn remember_binding(&mut self, module: u8, pair: Pair, binding: BindingHandle) {
        let races = self.prepared.races[usize::from(module)];
        if races.is_binding_used {
            let piece = Piece::SetLastBinding(module, pair, binding);
            self.gated(races.binding, Task::Piece(piece));
        }
    }

    /// What a side handed over comes back to it, and to nobody else (its own context), or reaches its peer.
    pub(crate) fn check_context(&self, context: Option<Context>, pair: Pair, side: Side) -> Done {
        let expected = match self.script(pair.side(side)).null_context {
            true => Context::Null,
            false => Context::Of(pair, side),
        };
        if context == Some(expected) {
            return Ok(());
        }
        let what = match context {
            Some(Context::Null) => "null",
            _ => "another one",
        };
        let message =
            message!["a callback gets " {what} " for the " {side} "'s binding context of " {pair}];
        Err(Broken {
            rule: LIFETIME,
            message,
        })
    }
}

/// How callbacks end.
impl<H: Host> Interpreter<'_, H> {
    /// What is left of the innermost callback after its script.
    pub(super) fn body(&mut self, body: Body) -> Done {
        let Callback { pair, side, .. } = self.host.callback().callback;
        match body {
            Body::Client(binding) => self.client_body(pair, binding),
            Body::Attached(binding, first) => self.client_attached(pair, binding, first),
            Body::AfterAttach(binding) => self.client_goes_on(pair, binding),
            Body::Provider(binding) => self.provider_body(pair, binding),
            Body::Asked(binding) => self.provider_answers(pair, binding),
            Body::Detach(ByName(binding)) => self.detach_body(PendingDetach {
                side,
                pair,
                binding,
            }),
            Body::Cleanup => {
                let reply = match self.script(pair.side(side)).cleanup {
                    Cleanup::Return => Reply::Success,
                    Cleanup::Panic => Reply::Panicked,
                };
                self.replies(reply);
                self.parts(pair.side(side));
            }
        }
        Ok(())
    }

    fn client_body(&mut self, pair: Pair, binding: ByName<BindingHandle>) {
        if !self.takes(pair.client, pair.provider) {
            return self.client_replies(Reply::Failure, binding);
        }
        let script = self.script(pair.client);
        match script.attach {
            _ if script.places().is_some() => self.gated(true, Task::Piece(Piece::Admit(binding))),
            Attach::Decline => self.client_replies(Reply::Failure, binding),
            Attach::Hollow => self.replies(Reply::Success),
            Attach::Panic => self.replies(Reply::Panicked),
            Attach::Accept
            | Attach::OneAtATime
            | Attach::ChangeOfMind
            | Attach::Twice
            | Attach::PanicAfterAttach => {
                self.client_attaches(pair, binding);
            }
        }
    }

    fn client_attaches(&mut self, pair: Pair, binding: ByName<BindingHandle>) {
        self.then([Task::Body(Body::Attached(binding, true))]);
        self.attach(Some(pair), binding.0, Attempt::First);
    }

    /// Whether a module attaches to the other one at all.
    fn takes(&self, reg: RegId, other: RegId) -> bool {
        let peers = &self.script(reg).peers;
        peers.is_empty() || peers.contains(&self.script(other).name)
    }

    /// A module that counts its bindings takes this one, if it has a place for it.
    pub(super) fn admit(&mut self, binding: ByName<BindingHandle>) {
        let Callback { pair, side, .. } = self.host.callback().callback;
        let module = pair.side(side).module;
        let places = self.script(pair.side(side)).places().unwrap_or(u8::MAX);
        let is_admitted = self.host.admit(module, places);
        self.host.come_to(Use::Admission(module));
        match (side, is_admitted) {
            (Side::Client, true) => self.client_attaches(pair, binding),
            (Side::Client, false) => self.client_replies(Reply::Failure, binding),
            (Side::Provider, true) => self.provider_attaches(pair, binding),
            (Side::Provider, false) => self.replies(Reply::Failure),
        }
    }

    /// A binding of a module that takes one at a time is over.
    fn parts(&mut self, reg: RegId) {
        if self.script(reg).attach == Attach::OneAtATime {
            self.gated(true, Task::Piece(Piece::Part(reg.module)));
        }
    }

    /// One that had its place has not come about.
    fn gives_up(&mut self, reg: RegId) {
        if self.script(reg).places().is_some() {
            self.gated(true, Task::Piece(Piece::Part(reg.module)));
        }
    }

    fn client_attached(&mut self, pair: Pair, binding: ByName<BindingHandle>, first: bool) {
        let reply = self.host.callback().reply;
        let script = Script::of(pair.client, Called::Attached);
        match reply {
            // The provider's panic goes through the client's callback.
            Reply::Panicked => {
                self.replies(reply);
                self.gives_up(pair.client);
            }
            _ if !first => self.client_replies(reply, binding),
            Reply::Success if !self.prepared.ops(script).is_empty() => {
                let body = Task::Body(Body::AfterAttach(binding));
                self.then([Task::Script(script), body]);
            }
            _ => self.client_goes_on(pair, binding),
        }
    }

    fn client_goes_on(&mut self, pair: Pair, binding: ByName<BindingHandle>) {
        let reply = self.host.callback().reply;
        match self.script(pair.client).attach {
            Attach::ChangeOfMind => self.client_replies(Reply::Failure, binding),
            Attach::PanicAfterAttach => self.replies(Reply::Panicked),
            Attach::Twice => {
                self.then([Task::Body(Body::Attached(binding, false))]);
                self.attach(Some(pair), binding.0, Attempt::Again);
            }
            _ => {
                self.client_replies(reply, binding);
                if reply == Reply::Failure {
                    self.gives_up(pair.client);
                }
            }
        }
    }

    /// A client's attach callback answers, and did not panic.
    fn client_replies(&mut self, reply: Reply, ByName(binding): ByName<BindingHandle>) {
        let pair = self.host.callback().callback.pair;
        self.replies(reply);
        let script = self.script(pair.client);
        match reply {
            // Nobody will ask to free it. (After a panic the module's own destructors do.)
            Reply::Failure if script.fault != Some(Fault::LeaksContext) => {
                self.free_context(pair, Side::Client);
            }
            Reply::Success if script.detach == Detach::Rundown => {
                self.gated(true, Task::Piece(Piece::Open(pair, binding)));
            }
            _ => {}
        }
    }

    fn provider_body(&mut self, pair: Pair, binding: ByName<BindingHandle>) {
        if !self.takes(pair.provider, pair.client) {
            return self.replies(Reply::Failure);
        }
        if self.script(pair.provider).fault == Some(Fault::CallsInAttach) {
            self.then([Task::Body(Body::Asked(binding))]);
            return self.then(call(pair, Side::Provider));
        }
        self.provider_answers(pair, binding);
    }

    fn provider_answers(&mut self, pair: Pair, binding: ByName<BindingHandle>) {
        let script = self.script(pair.provider);
        match script.attach {
            Attach::Panic => self.replies(Reply::Panicked),
            Attach::Decline => self.replies(Reply::Failure),
            _ if script.places().is_some() => self.gated(true, Task::Piece(Piece::Admit(binding))),
            _ => self.provider_attaches(pair, binding),
        }
    }

    fn provider_attaches(&mut self, pair: Pair, ByName(binding): ByName<BindingHandle>) {
        let attachment = self.attachment(pair, Side::Provider);
        self.host.hand_over(attachment);
        self.replies(Reply::Success);
        if self.script(pair.provider).detach == Detach::Rundown {
            self.gated(true, Task::Piece(Piece::Open(pair, binding)));
        }
    }

    fn detach_body(&mut self, detach: PendingDetach) {
        let PendingDetach {
            side,
            pair,
            binding,
        } = detach;
        let script = self.script(pair.side(side));
        let (behaviour, fault) = (script.detach, script.fault);
        if fault == Some(Fault::FreesInDetach) {
            self.free_context(pair, side);
        }
        match behaviour {
            Detach::Complete => self.replies(Reply::Complete),
            Detach::Panic => self.replies(Reply::Panicked),
            Detach::Pending => {
                self.replies(Reply::Pending);
                self.gated(true, Task::Piece(Piece::Push(detach)));
            }
            Detach::CompleteEarly => {
                self.replies(Reply::Pending);
                self.then([Task::Piece(Piece::Complete(detach))]);
            }
            Detach::Rundown if fault == Some(Fault::UnguardedDispatch) => {
                self.replies(Reply::Complete);
            }
            Detach::Rundown => {
                self.replies(Reply::Pending);
                self.gated(true, Task::Piece(Piece::Close(binding)));
            }
        }
    }

    /// The innermost callback will end so.
    pub(super) fn replies(&mut self, reply: Reply) {
        self.host.callback().reply = reply;
        self.then([Task::End]);
        H::delay_end(self);
    }

    pub(super) fn end(&mut self) -> Done {
        let callback = self.host.callback().callback;
        self.touch(callback.pair.side(callback.side))?;
        let open = self.host.leave_callback();
        let OpenCallback { reply, .. } = open;
        if reply != Reply::Panicked {
            self.host.saw((self.host.thread(), callback, reply));
        }
        self.host.record(What::End(reply))?;
        H::has_ended(self, open);
        Ok(())
    }
}
