//! Which callbacks a call makes, from the act that asks for one: as the registrar's own loop does on threads.

use nmr::Side;
use nmr::machine::{Act, Call, Outcome};

use super::lent::{Instance, Module};
use super::step::Step;
use super::task::{Driven, Task};
use crate::event::{Pair, RegId};
use crate::interpreter::{Done, Host, Interpreter};

impl Interpreter<'_, Step<'_>> {
    /// Does what the call's latest section answered.
    pub(super) fn make(&mut self) -> Done {
        let open = self.host.open_call();
        let hand = open.call.as_mut().map(Call::hand_mut);
        let hand = hand.expect("it comes to a section");
        match open.act {
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
                self.asked_to_detach(module.reg, side, binding, Some(context))
            }
            Act::CleanUp(_) => {
                self.then([Task::Host(Driven::CleanUp(false))]);
                Ok(())
            }
            Act::LetGo => {
                self.resume(Outcome::LetGo);
                Ok(())
            }
            Act::Sleep | Act::Return => unreachable!("there is nothing to make"),
        }
    }

    /// Of a binding that is cleaned up: the callback of the next side that has a context, or that all is done.
    pub(super) fn clean_up(&mut self, second: bool) -> Done {
        let open = self.host.open_call();
        let hand = open.call.as_mut().map(Call::hand_mut);
        let hand = hand.expect("it comes to a section");
        let next = Side::BOTH.into_iter().find_map(|side| {
            let module = hand.modules[side as usize].take();
            let context = hand.contexts[side as usize].take();
            (module.is_some() || context.is_some()).then_some((side, module, context))
        });
        match next {
            None => self.resume(Outcome::CleanedUp),
            Some((side, Some(module), Some(context))) => {
                self.asked_to_clean_up(module.reg, side, Some(context))?;
                self.host.callback().second = second;
            }
            // Of one side only, which is not asked, what there is goes.
            Some((_, _, context)) => {
                self.then([Task::Host(Driven::CleanUp(second))]);
                self.lets_go_of(context);
            }
        }
        Ok(())
    }
}

/// A module and its peer.
fn both(module: Option<Module>, peer: Option<Instance>) -> (RegId, RegId) {
    match (module, peer) {
        (Some(module), Some(peer)) => (module.reg, peer.reg),
        _ => unreachable!("a module that is called, and its peer, are at hand"),
    }
}
