//! Calls of the registrar: from the operation that makes one to what is done with its answer. How one is made is the
//! host's matter.

use nmr::{BindingHandle, Side};

use super::host::Host;
use super::shared::AnyHandle;
use super::task::{After, Attempt, ByName, Gate, Piece, Task};
use super::{Broken, Done, Interpreter};
use crate::event::{Answer, Call, Pair, Refusal, RegId, Reply, Thing, What};
use crate::message::message;
use crate::permuted::ModuleNumber;
use crate::rule::Rule;
use crate::scenario::Fault;

const VALIDITY: Rule = Rule::new(12);

/// Which function of the registrar is called, with what.
#[derive(Debug)]
pub(crate) enum Function<A> {
    /// A module is registered; whether through the owning API.
    Register {
        owned: bool,
    },
    Deregister(AnyHandle),
    /// The same of another registrar; a handle of that module's.
    DeregisterForeign(u8, AnyHandle),
    Wait(AnyHandle),
    /// The two steps in which an owned registration is left.
    Leave(AnyHandle),
    Finish(AnyHandle),
    /// An owned registration is dropped.
    Release(AnyHandle),
    /// A client attaches, with its context.
    Attach(BindingHandle, A),
    Complete(BindingHandle),
}

/// What came of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Returned {
    pub(crate) answer: Answer,
    /// What a register call has given.
    pub(crate) handle: Option<AnyHandle>,
}

/// How calls begin.
impl<H: Host> Interpreter<'_, H> {
    pub(super) fn register(&mut self, module: u8, owned: bool) {
        let reg = self.host.new_registration(module);
        let script = self.script(reg);
        let (side, npi) = (script.side, script.npi);
        let call = Call::Register { reg, side, npi };
        let function = Function::Register { owned };
        self.open(call, function, After::Registered(reg, owned));
    }

    pub(super) fn deregister(&mut self, reg: Option<RegId>, handle: AnyHandle, after: After) {
        let function = Function::Deregister(handle);
        self.open(Call::Deregister(reg), function, after);
    }

    /// The first of the two steps in which an owned registration is left.
    pub(super) fn leave(&mut self, reg: RegId, handle: AnyHandle) {
        let after = After::Left(reg, ByName(handle));
        self.open(Call::Deregister(Some(reg)), Function::Leave(handle), after);
    }

    /// The second one.
    fn finish(&mut self, reg: RegId, handle: AnyHandle) {
        let after = After::Waited(ModuleNumber(reg.module), Some(reg));
        self.open(Call::Wait(Some(reg)), Function::Finish(handle), after);
    }

    /// A call of `client_attach_provider`.
    pub(super) fn attach(&mut self, pair: Option<Pair>, binding: BindingHandle, attempt: Attempt) {
        let attachment = match pair {
            Some(pair) => self.attachment(pair, Side::Client),
            None => H::no_attachment(),
        };
        let function = Function::Attach(binding, attachment);
        self.open(
            Call::AttachProvider(pair),
            function,
            After::Attach(pair, attempt),
        );
    }

    /// What a side gives out.
    pub(crate) fn attachment(&mut self, pair: Pair, side: Side) -> H::Attachment {
        self.take_context(pair, side);
        self.host.attachment(pair, side)
    }

    pub(super) fn detach_complete(
        &mut self,
        side: Side,
        pair: Option<Pair>,
        binding: BindingHandle,
        after: After,
    ) {
        let call = Call::DetachComplete { side, pair };
        self.open(call, Function::Complete(binding), after);
    }

    pub(super) fn open(&mut self, call: Call, function: Function<H::Attachment>, after: After) {
        self.host.open(call, function, after);
        // A call begins as late as it may: what the oracle allows for a call that is open, because it may have come
        // early, is then allowed only where it was.
        self.then([Task::Gate(Gate::Lingering), Task::Begin]);
    }

    pub(super) fn begin(&mut self) -> Done {
        let call = self.host.opened();
        self.host.record(What::Call(call))?;
        H::enter(self)
    }
}

/// How calls end.
impl<H: Host> Interpreter<'_, H> {
    /// The innermost call returns.
    pub(crate) fn returned(&mut self, call: Call, returned: Returned, after: After) -> Done {
        let answer = returned.answer;
        self.host.saw((self.host.thread(), call, answer));
        self.host.record(What::Return(answer))?;
        let inside = self.host.inside();
        if inside.is_some_and(|inside| self.script(inside).strict) {
            self.misused(call, answer)?;
        }
        self.follow_up(returned, after)
    }

    /// A call that somebody counts on was answered.
    fn misused(&mut self, call: Call, answer: Answer) -> Done {
        match answer {
            Answer::InvalidParameter | Answer::InvalidState | Answer::WouldDeadlock => {
                self.host.record(What::Misused { call, answer })
            }
            _ => Ok(()),
        }
    }

    fn follow_up(&mut self, returned: Returned, after: After) -> Done {
        let answer = returned.answer;
        match after {
            After::Nothing => {}
            After::Deregistered(module) => {
                return self.refused(module, Refusal::Deregister, answer);
            }
            After::Registered(reg, owned) => return self.registered(returned, reg, owned),
            After::Waited(ModuleNumber(module), reg) => {
                if let (Answer::Done, Some(reg)) = (answer, reg) {
                    self.host.free(reg);
                }
                self.has_waited(module);
                return self.refused(ModuleNumber(module), Refusal::Wait, answer);
            }
            #[cfg(shuttle)]
            After::ForeignWaited(module, reg) => {
                if let (Answer::Done, Some(reg)) = (answer, reg) {
                    self.host.free(reg);
                }
                return self.refused(module, Refusal::Wait, answer);
            }
            After::Left(reg, ByName(handle)) => match answer {
                Answer::Panicked => self.has_waited(reg.module),
                _ => self.finish(reg, handle),
            },
            After::Released(reg) => {
                // It has no answer that would say whether it was waited for.
                if !self.is_in_a_callback() {
                    self.host.free(reg);
                }
                self.has_waited(reg.module);
            }
            After::Attach(pair, attempt) => self.attached(pair, attempt, answer),
            After::Completed(pair, side) => {
                if self.script(pair.side(side)).fault == Some(Fault::UsesAfterComplete) {
                    return self.use_context(pair, side);
                }
            }
            After::Mistaken(ModuleNumber(module), side) => {
                if self.prepared.scenario.modules[usize::from(module)].strict {
                    return self.misused(Call::DetachComplete { side, pair: None }, answer);
                }
            }
        }
        Ok(())
    }

    /// A module's call for its registration was answered.
    fn refused(
        &mut self,
        ModuleNumber(module): ModuleNumber,
        refusal: Refusal,
        answer: Answer,
    ) -> Done {
        match answer {
            Answer::InvalidParameter => self.host.record(What::Refused { module, refusal }),
            _ => Ok(()),
        }
    }

    fn registered(&mut self, returned: Returned, reg: RegId, owned: bool) -> Done {
        if returned.answer == Answer::Panicked && !self.is_in_a_callback() {
            // It has taken the registration back, and waited.
            self.host.free(reg);
        }
        let Some(handle) = returned.handle else {
            return Ok(());
        };
        if !self.host.issued(|issued| issued.add(handle, reg)) {
            let message = message!["the handle of " {reg} " was issued before"];
            return Err(Broken {
                rule: VALIDITY,
                message,
            });
        }
        if owned {
            self.then([Task::Piece(Piece::Keep(reg, handle))]);
        }
        let raced = self.prepared.races[usize::from(reg.module)].registration;
        self.gated(raced, Task::Piece(Piece::SetLatest(reg, handle)));
        Ok(())
    }

    /// Whether the thread may be inside of what a wait would wait for: a callback, or the destructor of a binding's
    /// context, which is a part of the cleanup callback.
    fn is_in_a_callback(&self) -> bool {
        let is_context = |thing| matches!(thing, Thing::Context { .. });
        self.host.inside().is_some() || self.host.is_destroying(is_context)
    }

    /// A wait is over. Only those of threads' own scripts are counted.
    pub(super) fn has_waited(&mut self, module: u8) {
        let is_counted = self.prepared.has_completer && self.host.thread().0 > 0;
        let is_its_own = self.host.inside().is_none() && !self.host.is_destroying(|_| true);
        if is_counted && is_its_own {
            self.gated(true, Task::Piece(Piece::Waited(module)));
        }
    }

    fn attached(&mut self, pair: Option<Pair>, attempt: Attempt, answer: Answer) {
        let reply = match (attempt, answer) {
            (Attempt::AtLarge, _) => None,
            // The provider's panic goes through the client's callback.
            (_, Answer::Panicked) => Some(Reply::Panicked),
            (Attempt::Again, _) => None,
            (Attempt::First, Answer::Attached) => Some(Reply::Success),
            (Attempt::First, _) => Some(Reply::Failure),
        };
        if let Some(reply) = reply {
            self.host.callback().reply = reply;
        }
        if let (Some(pair), false) = (pair, answer == Answer::Attached) {
            self.then([Task::Piece(Piece::LetGo(pair, Side::Client))]);
        }
    }
}
