//! Callbacks of scripted modules, from the act that asks for one to the outcome with which its call goes on.

use nmr::machine::{Act, Outcome};
use nmr::{BindingHandle, Side};

use super::lent::{self, Context};
use super::state::{Guarded, OpenCallback};
use super::step::{Broken, Done, Step};
use super::task::{Body, Piece, Task};
use crate::event::{Callback, CallbackKind, Pair, RegId, Reply, Thing, What};
use crate::message::message;
use crate::rule::Rule;
use crate::run::{Called, PendingDetach, Script};
use crate::scenario::{Attach, Cleanup, Detach, Fault};

const PROTOCOL: Rule = Rule::new(3);
const LIFETIME: Rule = Rule::new(11);
const VALIDITY: Rule = Rule::new(12);

/// How callbacks begin.
impl Step<'_> {
    /// Does what the call's latest section answered.
    pub(super) fn make(&mut self) -> Done {
        let open = self.open_call();
        let act = open.act;
        let hand = match &mut open.call {
            Some(call) => call.hand_mut(),
            None => unreachable!("it comes to a section"),
        };
        match act {
            Act::Offer(binding) => {
                let [client, _] = std::mem::take(&mut hand.modules);
                let (client, provider) = both(client, hand.peer.take());
                self.offered(Pair { client, provider }, binding)
            }
            Act::Ask(binding) => {
                let [_, provider] = std::mem::take(&mut hand.modules);
                let (provider, client) = both(provider, hand.peer.take());
                open.client = None;
                self.asked(Pair { client, provider }, binding)
            }
            Act::Detach(binding, side) => {
                let module = hand.modules[side as usize].take();
                let context = hand.contexts[side as usize].take();
                let (Some(module), Some(context)) = (module, context) else {
                    unreachable!("a side that detaches is at hand")
                };
                self.asked_to_detach(module.reg, side, binding, context)
            }
            Act::CleanUp(_) => {
                self.then([Task::CleanUp(false)]);
                Ok(())
            }
            Act::LetGo => {
                self.resume(Outcome::LetGo);
                Ok(())
            }
            Act::Sleep | Act::Return => unreachable!("there is nothing to make"),
        }
    }

    fn offered(&mut self, pair: Pair, binding: BindingHandle) -> Done {
        let callback = Callback {
            kind: CallbackKind::Attach,
            side: Side::Client,
            pair,
        };
        self.called(callback, binding)?;
        self.then_script(pair.client, Called::Attach, Body::Client);
        self.note(pair.client, pair, binding)
    }

    fn asked(&mut self, pair: Pair, binding: BindingHandle) -> Done {
        let callback = Callback {
            kind: CallbackKind::Attach,
            side: Side::Provider,
            pair,
        };
        self.called(callback, binding)?;
        self.then_script(pair.provider, Called::Attach, Body::Provider);
        self.note(pair.provider, pair, binding)
    }

    fn asked_to_detach(
        &mut self,
        reg: RegId,
        side: Side,
        binding: BindingHandle,
        context: Context,
    ) -> Done {
        let known = self.state.shared.bindings.iter();
        let known = known.copied().find(|&(other, _)| other == binding);
        let Some((_, pair)) = known else {
            let bits = binding.to_string();
            let message =
                message![{reg} " is asked to detach " {bits} ", of which nobody was told"];
            return Err(Broken {
                rule: PROTOCOL,
                message,
            });
        };
        let callback = Callback {
            kind: CallbackKind::Detach,
            side,
            pair,
        };
        self.called(callback, binding)?;
        self.check_context(context, pair, side)?;
        self.use_context(pair, side)?;
        self.then_script(reg, Called::Detach, Body::Detach);
        Ok(())
    }

    /// Of a binding that is cleaned up: the callback of the next side that has a context, or that all is done.
    pub(super) fn clean_up(&mut self, second: bool) -> Done {
        let open = self.open_call();
        let hand = match &mut open.call {
            Some(call) => call.hand_mut(),
            None => unreachable!("it comes to a section"),
        };
        let next = Side::BOTH.into_iter().find_map(|side| {
            let module = hand.modules[side as usize].take();
            let context = hand.contexts[side as usize].take();
            (module.is_some() || context.is_some()).then_some((side, module, context))
        });
        let (side, reg, context) = match next {
            None => {
                self.resume(Outcome::CleanedUp);
                return Ok(());
            }
            Some((side, Some(module), Some(context))) => (side, module.reg, context),
            // Of one side only, which is not asked, what there is goes.
            Some((_, _, context)) => {
                self.then([Task::CleanUp(second)]);
                self.lets_go_of(context);
                return Ok(());
            }
        };
        let pair = match context {
            Context::Of(pair, _) => pair,
            // Windows names no binding here: a module with null contexts is a module with one binding (the
            // scenario's validation sees to it).
            Context::Null => self.only_pair(reg),
        };
        let callback = Callback {
            kind: CallbackKind::Cleanup,
            side,
            pair,
        };
        let Act::CleanUp(binding) = self.open_call().act else {
            unreachable!("the binding is cleaned up")
        };
        self.called(callback, binding)?;
        self.open_callback().second = second;
        self.check_context(context, pair, side)?;
        let body = [
            Task::Ops(Script::of(reg, Called::Cleanup), 0),
            Task::Body(Body::Cleanup),
        ];
        self.then(body);
        self.then([
            Task::Piece(Piece::LetGo(pair, side)),
            Task::Piece(Piece::Free(pair, side)),
        ]);
        Ok(())
    }

    fn called(&mut self, callback: Callback, binding: BindingHandle) -> Done {
        let owner = callback.pair.side(callback.side);
        self.record(What::Begin(callback))?;
        self.touch(owner)?;
        self.me().callbacks.push(OpenCallback {
            callback,
            binding,
            reply: Reply::Success,
            second: false,
        });
        let is_ready = |&(_, issued): &(_, RegId)| issued == owner;
        if self.script(owner).fault == Some(Fault::NotReady)
            && !self.state.shared.handles.iter().any(is_ready)
        {
            self.record(What::NotReady { reg: owner })?;
        }
        Ok(())
    }

    fn then_script(&mut self, reg: RegId, called: Called, body: Body) {
        self.then([Task::Ops(Script::of(reg, called), 0), Task::Body(body)]);
    }

    /// Remembers a binding that a module was called for.
    fn note(&mut self, reg: RegId, pair: Pair, binding: BindingHandle) -> Done {
        let bindings = &mut self.state.shared.bindings;
        match bindings.iter().find(|&&(other, _)| other == binding) {
            Some(&(_, before)) if before != pair => {
                let message = message!["the handle of " {pair} " was issued before"];
                return Err(Broken {
                    rule: VALIDITY,
                    message,
                });
            }
            Some(_) => {}
            None => bindings.push((binding, pair)),
        }
        self.remember_binding(reg.module, pair, binding);
        Ok(())
    }

    /// Notes the binding for whoever uses it, if anybody does.
    pub(super) fn remember_binding(&mut self, module: u8, pair: Pair, binding: BindingHandle) {
        let races = self.program.prepared.races[usize::from(module)];
        if races.is_binding_used {
            let piece = Piece::SetLastBinding(module, pair, binding);
            self.gated(races.binding, Task::Piece(piece));
        }
    }

    /// What a side handed over comes back to it, and to nobody else.
    fn check_context(&self, context: Context, pair: Pair, side: Side) -> Done {
        let expected = match self.script(pair.side(side)).null_context {
            true => Context::Null,
            false => Context::Of(pair, side),
        };
        if context == expected {
            return Ok(());
        }
        let what = match context {
            Context::Null => "null",
            Context::Of(..) => "another one",
        };
        let message =
            message!["a callback gets " {what} " for the " {side} "'s binding context of " {pair}];
        Err(Broken {
            rule: LIFETIME,
            message,
        })
    }

    fn only_pair(&self, reg: RegId) -> Pair {
        let mut pairs = self.state.shared.bindings.iter().map(|&(_, pair)| pair);
        let pair = pairs.find(|pair| pair.registrations().contains(&reg));
        pair.expect("a binding is cleaned up after it was attached")
    }
}

/// A module and its peer.
fn both(module: Option<lent::Module>, peer: Option<lent::Instance>) -> (RegId, RegId) {
    match (module, peer) {
        (Some(module), Some(peer)) => (module.reg, peer.reg),
        _ => unreachable!("a module that is called, and its peer, are at hand"),
    }
}

/// How callbacks end.
impl Step<'_> {
    /// What is left of the innermost callback after its script.
    pub(super) fn body(&mut self, body: Body) -> Done {
        let OpenCallback {
            callback, binding, ..
        } = *self.open_callback();
        let (pair, side) = (callback.pair, callback.side);
        match body {
            Body::Client => self.client_body(pair, binding),
            Body::Attached(first) => self.client_attached(pair, binding, first),
            Body::Provider => self.provider_body(pair),
            Body::Detach => return self.detach_body(pair, side, binding),
            Body::Cleanup => {
                let reply = match self.script(pair.side(side)).cleanup {
                    Cleanup::Return => Reply::Success,
                    Cleanup::Panic => Reply::Panicked,
                };
                self.replies(reply);
            }
        }
        Ok(())
    }

    fn client_body(&mut self, pair: Pair, binding: BindingHandle) {
        match self.script(pair.client).attach {
            Attach::Decline => self.client_replies(Reply::Failure),
            Attach::Hollow => self.replies(Reply::Success),
            Attach::Panic => self.replies(Reply::Panicked),
            Attach::Accept | Attach::ChangeOfMind | Attach::Twice | Attach::PanicAfterAttach => {
                self.then([Task::Body(Body::Attached(true))]);
                self.attach(Some(pair), binding, true);
            }
        }
    }

    fn client_attached(&mut self, pair: Pair, binding: BindingHandle, first: bool) {
        let reply = self.open_callback().reply;
        match self.script(pair.client).attach {
            // The provider's panic goes through the client's callback.
            _ if reply == Reply::Panicked => self.replies(reply),
            Attach::ChangeOfMind => self.client_replies(Reply::Failure),
            Attach::PanicAfterAttach => self.replies(Reply::Panicked),
            Attach::Twice if first => {
                self.then([Task::Body(Body::Attached(false))]);
                self.attach(Some(pair), binding, false);
            }
            _ => self.client_replies(reply),
        }
    }

    /// A client's attach callback answers, and did not panic.
    fn client_replies(&mut self, reply: Reply) {
        let OpenCallback {
            callback, binding, ..
        } = *self.open_callback();
        let pair = callback.pair;
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

    fn provider_body(&mut self, pair: Pair) {
        match self.script(pair.provider).attach {
            Attach::Panic => self.replies(Reply::Panicked),
            Attach::Decline => self.replies(Reply::Failure),
            _ => {
                self.attachment(pair, Side::Provider);
                self.replies(Reply::Success);
            }
        }
    }

    fn detach_body(&mut self, pair: Pair, side: Side, binding: BindingHandle) -> Done {
        let script = self.script(pair.side(side));
        let (detach, fault) = (script.detach, script.fault);
        if fault == Some(Fault::FreesInDetach) {
            self.free_context(pair, side);
        }
        let pending = PendingDetach {
            side,
            pair,
            binding,
        };
        match detach {
            Detach::Complete => self.replies(Reply::Complete),
            Detach::Panic => self.replies(Reply::Panicked),
            Detach::Pending => {
                self.replies(Reply::Pending);
                self.gated(true, Task::Piece(Piece::Push(pending)));
            }
            Detach::CompleteEarly => {
                self.replies(Reply::Pending);
                self.then([Task::Piece(Piece::Complete(pending))]);
            }
            Detach::Rundown if fault == Some(Fault::UnguardedDispatch) => {
                self.replies(Reply::Complete);
            }
            Detach::Rundown => {
                self.replies(Reply::Pending);
                self.gated(true, Task::Piece(Piece::Close(binding)));
            }
        }
        Ok(())
    }

    /// The innermost callback will end so. It takes its time: to whoever judges it, it goes on as long as it may.
    fn replies(&mut self, reply: Reply) {
        let open = self.open_callback();
        open.reply = reply;
        // The two cleanups of a binding come one right after the other.
        let gate = !open.second;
        self.gated(gate, Task::End);
    }

    pub(super) fn end(&mut self) -> Done {
        let open = *self.open_callback();
        let OpenCallback {
            callback, reply, ..
        } = open;
        let owner = callback.pair.side(callback.side);
        self.touch(owner)?;
        self.me().callbacks.pop();
        if reply != Reply::Panicked {
            self.program.saw((self.thread_number(), callback, reply));
        }
        self.record(What::End(reply))?;
        if reply == Reply::Panicked {
            self.open_call().panicked = true;
        }
        if callback.kind != CallbackKind::Cleanup {
            self.resume(self.program.outcome(&open));
            return Ok(());
        }
        let side = callback.side;
        self.then([Task::CleanUp(side == Side::Client)]);
        if !self.script(owner).null_context {
            let pair = callback.pair;
            self.lets_go(Thing::Context { pair, side });
        }
        Ok(())
    }

    /// Enters a binding into a client's rundown.
    pub(super) fn guard(&mut self, pair: Pair, binding: BindingHandle) {
        let guarded = Guarded {
            pair,
            binding,
            calls: 0,
            closing: false,
        };
        self.module(usize::from(pair.client.module))
            .guarded
            .push(guarded);
    }

    /// Changes a binding under rundown; whether it is closed then and not called.
    pub(super) fn change_guarded(
        &mut self,
        module: u8,
        binding: BindingHandle,
        change: impl FnOnce(&mut Guarded),
    ) -> bool {
        let all = &mut self.module(usize::from(module)).guarded;
        let Some(index) = all.iter().position(|other| other.binding == binding) else {
            return true;
        };
        let guarded = &mut all[index];
        change(guarded);
        let is_over = guarded.closing && guarded.calls == 0;
        if is_over {
            all.remove(index);
        }
        is_over
    }
}
