//! The operations of scripts, and what they do with what threads share.
//!
//! An operation on a module that has no handle yet passes a handle that names nothing, as a C program with an
//! uninitialised variable of zeros would: it never waits for another thread.

use nmr::{BindingHandle, Side};

use super::calls::Function;
use super::host::Host;
use super::script::Script;
use super::shared::{AnyHandle, PendingDetach, Which};
use super::task::{After, Attempt, ByName, Entry, Foreign, Forged, Gate, On, Piece, Taker, Task};
use super::{Done, Interpreter, Resolved};
use crate::event::{Call, Deed, Pair, RegId, Reply, What};
use crate::milestone::Use;
use crate::op::Op;
use crate::permuted::ModuleNumber;
use crate::scenario::Fault;

impl<H: Host> Interpreter<'_, H> {
    /// Comes to an operation. What it finds of what threads race for hangs on who comes first.
    pub(super) fn perform(&mut self, script: Script, index: u8) {
        let races = &self.prepared.races;
        let raced = match *self.op(script, index) {
            Op::Deregister(module) | Op::Wait(module) | Op::DeregisterForeign(module) => {
                races[module].registration
            }
            Op::CompleteAgain(module) | Op::Attach(module) => races[module].binding,
            Op::DeregisterWrong(module) => races[module].registration || races[module].binding,
            Op::DeregisterForged | Op::WaitForged | Op::CompleteForged => {
                races.iter().any(|races| races.registration)
            }
            _ => false,
        };
        self.gated(raced, Task::Now(script, index));
    }

    fn op(&self, script: Script, index: u8) -> &Resolved {
        &self.prepared.ops(script)[usize::from(index)]
    }

    pub(super) fn perform_now(&mut self, script: Script, index: u8) -> Done {
        match self.op(script, index).map(|_, &index| index as u8) {
            Op::Register(module) if self.prepared.is_in_c(module) => {
                self.enter(module, Entry::Register);
            }
            Op::Deregister(module) if self.prepared.is_in_c(module) => {
                self.enter(module, Entry::Deregister);
            }
            Op::Wait(module) if self.prepared.is_in_c(module) => self.enter(module, Entry::Wait),
            Op::Dispatch(module) if self.prepared.is_in_c(module) => {
                self.enter(module, Entry::Dispatch);
            }
            Op::Register(module) => self.register(module, false),
            Op::Own(module) => self.register(module, true),
            Op::Deregister(module) => {
                let (reg, handle) = self.latest(module);
                let after = After::Deregistered(ModuleNumber(module));
                self.deregister(reg, handle, after);
            }
            Op::Wait(module) => {
                let (reg, handle) = self.latest(module);
                let after = After::Waited(ModuleNumber(module), reg);
                self.open(Call::Wait(reg), Function::Wait(handle), after);
            }
            Op::Leave(module) => {
                if let Some((reg, handle)) = self.host.take_owned(module) {
                    self.leave(reg, handle);
                }
            }
            Op::Release(module) => {
                if let Some((reg, handle)) = self.host.take_owned(module) {
                    let after = After::Released(reg);
                    self.open(Call::Release(reg), Function::Release(handle), after);
                }
            }
            Op::Complete(module) => self.completes(Which::OldestOf(module), Taker::Completes),
            Op::CompleteAll => self.completes(Which::Oldest, Taker::Completes),
            Op::CompleteAny => self.completes(Which::Any, Taker::Completes),
            Op::CompleteWrong(module) => self.completes(Which::OldestOf(module), Taker::Mistakes),
            Op::TryComplete(module) => self.gated(true, Task::Piece(Piece::TryComplete(module))),
            Op::CompleteAgain(module) => {
                let (pair, binding) = self.last_binding(module);
                let side = self.side(module);
                self.detach_complete(side, pair, binding, After::Nothing);
            }
            Op::Attach(module) => {
                let (pair, binding) = self.last_binding(module);
                self.attach(pair, binding, Attempt::AtLarge);
            }
            Op::Dispatch(module) => self.gated(true, Task::Piece(Piece::EnterAll(module))),
            Op::DeregisterWrong(module) => self.deregister_wrong(module),
            Op::DeregisterForeign(module) => {
                let (_, handle) = self.latest(module);
                let function = Function::DeregisterForeign(module, handle);
                self.open(Call::Deregister(None), function, After::Nothing);
            }
            Op::DeregisterForged => self.forge(Forged::Deregister),
            Op::WaitForged => self.forge(Forged::Wait),
            Op::CompleteForged => self.forge(Forged::Complete),
            Op::Set(event) => self.gated(true, Task::Piece(Piece::Set(event))),
            Op::Await(event) => {
                self.host.record(What::Did(Deed::Await(event)))?;
                self.then([Task::Blocked(On::Event(event))]);
            }
            Op::Lock(lock) => {
                let takes = match self.prepared.is_spin_lock(lock) {
                    true => Deed::SpinLock(lock),
                    false => Deed::Lock(lock),
                };
                self.host.record(What::Did(takes))?;
                self.then([Task::Blocked(On::Lock(lock))]);
            }
            Op::Unlock(lock) => self.gated(true, Task::Piece(Piece::Unlock(lock))),
            Op::Unload(module) => {
                let unload = Task::Piece(Piece::Unload(module));
                self.then([Task::Gate(Gate::Lingering), unload]);
            }
            Op::Yield => self.host.yield_now(),
        }
        Ok(())
    }

    fn side(&self, module: u8) -> Side {
        self.prepared.scenario.modules[usize::from(module)].side
    }

    /// The module's latest registration, or a handle that names nothing.
    fn latest(&mut self, module: u8) -> (Option<RegId>, AnyHandle) {
        let latest = self.host.latest(module);
        if self.prepared.races[usize::from(module)].registration {
            self.host.come_to(Use::LookedUp(module));
        }
        match latest {
            Some((reg, handle)) => (Some(reg), handle),
            None => (None, AnyHandle::from_raw(self.side(module), (0, 0))),
        }
    }

    fn last_binding(&mut self, module: u8) -> (Option<Pair>, BindingHandle) {
        let last = self.host.last_binding(module);
        if self.prepared.races[usize::from(module)].binding {
            self.host.come_to(Use::BindingLookedUp(module));
        }
        match last {
            Some((pair, binding)) => (Some(pair), binding),
            None => (None, BindingHandle::from_raw(0, 0)),
        }
    }

    fn deregister_wrong(&mut self, module: u8) {
        let side = self.side(module);
        let (_, handle) = self.latest(module);
        let (_, binding) = self.last_binding(module);
        let peers = AnyHandle::from_raw(side.peer(), handle.to_raw());
        let bindings = AnyHandle::from_raw(side, binding.to_raw());
        let wrong = [peers, bindings].map(|wrong| Task::Piece(Piece::Deregister(None, wrong)));
        self.then(wrong);
    }
}

/// Handles that nobody issued.
impl<H: Host> Interpreter<'_, H> {
    /// Uses some. They are made of the handle of the first module that has one.
    fn forge(&mut self, what: Forged) {
        let mut modules = 0..self.prepared.scenario.modules.len() as u8;
        let issued = modules.find_map(|module| {
            let (reg, handle) = self.latest(module);
            reg.map(|reg| (reg, handle.to_raw()))
        });
        let (of, bits) = issued.unzip();
        // Nobody's: no registrar has that number.
        let bits = ByName(bits.unwrap_or((u32::MAX, 1)));
        self.then([Task::Piece(Piece::Forge(what, 0, of, bits))]);
    }

    /// Uses the `nth` of them, and then the next one.
    fn forge_from(&mut self, what: Forged, nth: u8, of: Option<RegId>, issued: ByName<(u32, u64)>) {
        let uses: u8 = if what == Forged::Complete { 3 } else { 2 };
        let forged = forged_bits(issued.0);
        let Some(&(registrar, bits)) = forged.get(usize::from(nth / uses)) else {
            return;
        };
        self.then([Task::Piece(Piece::Forge(what, nth + 1, of, issued))]);
        let use_of = nth % uses;
        let side = match use_of {
            0 => Side::Client,
            _ => Side::Provider,
        };
        let handle = AnyHandle::from_raw(side, (registrar, bits));
        let binding = BindingHandle::from_raw(registrar, bits);
        match what {
            Forged::Deregister => self.deregister(None, handle, After::Nothing),
            Forged::Wait => self.open(Call::Wait(None), Function::Wait(handle), After::Nothing),
            Forged::Complete if use_of == 2 => self.attach(None, binding, Attempt::AtLarge),
            Forged::Complete => self.detach_complete(side, None, binding, After::Nothing),
        }
    }
}

/// Bits that nobody issued: nothing, everything, and what an issued handle becomes with its generation moved on, or as
/// one of the other side's.
fn forged_bits((registrar, bits): (u32, u64)) -> [(u32, u64); 4] {
    [
        (registrar, 0),
        (registrar, u64::MAX),
        (registrar, bits | 0xFFFF_0000),
        (registrar, bits ^ 3 << 62),
    ]
}

/// A call of a side through its peer's dispatch table, which goes on for a while.
pub(super) const fn call<T>(pair: Pair, by: Side) -> [Task<T>; 3] {
    [
        Task::Piece(Piece::DispatchBegin(pair, by)),
        Task::Gate(Gate::Lingering),
        Task::Piece(Piece::DispatchEnd(pair, by)),
    ]
}

/// Pieces of operations.
impl<H: Host> Interpreter<'_, H> {
    pub(super) fn piece(&mut self, piece: Piece) -> Done {
        match piece {
            Piece::SetLatest(reg, handle) => {
                self.host.set_latest(reg, handle);
                if self.prepared.races[usize::from(reg.module)].registration {
                    self.host.come_to(Use::Noted(reg.module));
                }
            }
            Piece::SetLastBinding(module, pair, binding) => {
                self.host.set_last_binding(module, pair, binding);
                if self.prepared.races[usize::from(module)].binding {
                    self.host.come_to(Use::BindingNoted(module));
                }
            }
            Piece::Keep(reg, handle) => self.host.keep_owned(reg, handle),
            Piece::Push(detach) => {
                self.host.push_pending(detach);
                self.host.come_to(Use::Pending);
            }
            Piece::Waited(module) => {
                self.host.has_waited(module);
                self.host.come_to(Use::Waited);
            }
            Piece::TryComplete(module) => {
                let taken = self.host.try_pending(module);
                self.host.come_to(Use::Taken);
                let taken = taken.map(|detach| Task::Piece(Piece::Complete(detach)));
                self.then(taken);
            }
            Piece::Complete(detach) => self.complete(detach),
            Piece::Mistake(detach) => self.mistake(detach),
            Piece::Completion(detach) => self.completion(detach),
            Piece::Deregister(reg, handle) => self.deregister(reg, handle, After::Nothing),
            Piece::Open(pair, binding) => {
                let owner = self.host.callback().owner();
                self.host.open_rundown(owner.module, pair, binding);
                self.host.come_to(Use::Rundown(owner.module));
            }
            Piece::Close(binding) => {
                let owner = self.host.callback().owner();
                let forgets = self.script(owner).fault == Some(Fault::CallsAfterDetach);
                let is_over = self.host.close_rundown(owner.module, binding, forgets);
                self.host.come_to(Use::Rundown(owner.module));
                if is_over {
                    self.host.callback().reply = Reply::Complete;
                }
            }
            Piece::EnterAll(module) => self.enter_all(module),
            Piece::DispatchBegin(pair, by) => {
                self.host.record(What::DispatchBegin { pair, by })?;
                self.touch(pair.side(by.peer()))?;
                if self.prepared.is_in_c(pair.side(by.peer()).module) {
                    self.then([Task::Foreign(Foreign::Called(pair, by.peer()))]);
                    return self.use_context(pair, by);
                }
                self.use_context(pair, by.peer())?;
                self.use_context(pair, by)?;
            }
            Piece::DispatchEnd(pair, by) => {
                self.touch(pair.side(by.peer()))?;
                if self.prepared.is_in_c(pair.side(by.peer()).module) {
                    let called = Task::Foreign(Foreign::Called(pair, by.peer()));
                    self.then([called, Task::Piece(Piece::DispatchEnded(pair, by))]);
                    return self.use_context(pair, by);
                }
                self.use_context(pair, by.peer())?;
                // What it knows of the peer, and its rundown, it has there.
                self.use_context(pair, by)?;
                self.host.record(What::DispatchEnd { pair, by })?;
            }
            Piece::DispatchEnded(pair, by) => {
                self.host.record(What::DispatchEnd { pair, by })?;
            }
            Piece::Leave(detach) => self.leave_rundown(detach),
            Piece::LetGo(pair, side) => H::let_go(self, pair, side),
            Piece::Admit(binding) => self.admit(binding),
            Piece::Part(module) => {
                self.host.part(module);
                self.host.come_to(Use::Admission(module));
            }
            Piece::Set(event) => {
                self.host.set(event);
                self.host.come_to(Use::Set(event));
                self.host.record(What::Did(Deed::Set(event)))?;
            }
            Piece::Unlock(lock) => {
                self.host.unlock(lock);
                self.host.come_to(Use::Unlocked(lock));
                let gives_back = match self.prepared.is_spin_lock(lock) {
                    true => Deed::SpinUnlock(lock),
                    false => Deed::Unlock(lock),
                };
                self.host.record(What::Did(gives_back))?;
            }
            Piece::Unload(module) => self.host.record(What::Did(Deed::Unload(module)))?,
            Piece::Free(pair, side) => {
                if self.script(pair.side(side)).fault != Some(Fault::FreesInDetach) {
                    self.use_context(pair, side)?;
                    self.free_context(pair, side);
                }
            }
            Piece::Forge(what, nth, of, issued) => self.forge_from(what, nth, of, issued),
        }
        Ok(())
    }

    fn completes(&mut self, which: Which, taker: Taker) {
        self.then([Task::Pending(which, taker)]);
    }

    /// A pending detach was taken, and the next one is waited for; or there will be none.
    pub(crate) fn took(&mut self, which: Which, taker: Taker, taken: Option<PendingDetach>) {
        self.host.come_to(Use::Taken);
        if let Some(detach) = taken {
            let piece = match taker {
                Taker::Completes => Piece::Complete(detach),
                Taker::Mistakes => Piece::Mistake(detach),
            };
            self.then([Task::Piece(piece), Task::Pending(which, taker)]);
        }
    }

    /// The module's own completion.
    fn complete(&mut self, detach: PendingDetach) {
        self.then([Task::Piece(Piece::Completion(detach))]);
        self.remember_binding(detach.module(), detach.pair, detach.binding);
    }

    fn completion(&mut self, detach: PendingDetach) {
        let PendingDetach {
            side,
            pair,
            binding,
        } = detach;
        if self.prepared.is_in_c(detach.module()) {
            return self.then([Task::Foreign(Foreign::Complete(detach))]);
        }
        self.detach_complete(side, Some(pair), binding, After::Completed(pair, side));
    }

    /// Completes with the handle of the registration, taken for the binding's.
    fn mistake(&mut self, detach: PendingDetach) {
        let module = detach.module();
        let (_, handle) = self.latest(module);
        let (registrar, bits) = handle.to_raw();
        let wrong = BindingHandle::from_raw(registrar, bits);
        let after = After::Mistaken(ModuleNumber(module), detach.side);
        self.detach_complete(detach.side, None, wrong, after);
    }

    /// Calls each peer of the module, as long as the rundown lets it.
    fn enter_all(&mut self, module: u8) {
        let side = self.side(module);
        let entered = self.host.enter_rundowns(module, side);
        self.host.come_to(Use::Rundown(module));
        let calls = entered.into_iter().flat_map(|detach| {
            let [begin, gate, end] = call(detach.pair, detach.side);
            [begin, gate, end, Task::Piece(Piece::Leave(detach))]
        });
        let calls: Vec<_> = calls.collect();
        self.then(calls);
    }

    fn leave_rundown(&mut self, detach: PendingDetach) {
        let module = detach.module();
        let is_over = self.host.leave_rundown(module, detach.binding);
        self.host.come_to(Use::Rundown(module));
        let script = self.script(detach.pair.side(detach.side));
        if is_over && script.fault != Some(Fault::UnguardedDispatch) {
            self.then([Task::Piece(Piece::Complete(detach))]);
        }
    }
}
