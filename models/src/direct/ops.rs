//! The operations of scripts, and what they do with what threads share.

use nmr::machine::Layout;
use nmr::{BindingHandle, Side};

use super::step::{Done, Step};
use super::task::{After, Forged, Piece, Taker, Task};
use crate::event::{Pair, RegId, Reply, Thing, What};
use crate::milestone::Use;
use crate::op::Op;
use crate::permuted::ModuleNumber;
use crate::run::{AnyHandle, PendingDetach, Resolved, Script, Which};
use crate::scenario::Fault;

impl Step<'_> {
    /// Comes to an operation. What it finds of what threads race for hangs on who comes first.
    pub(super) fn perform(&mut self, script: Script, index: u8) {
        let races = &self.program.prepared.races;
        let raced = match self.op(script, index) {
            Op::Deregister(module) | Op::Wait(module) | Op::DeregisterForeign(module) => {
                races[*module].registration
            }
            Op::CompleteAgain(module) | Op::Attach(module) => races[*module].binding,
            Op::DeregisterWrong(module) => races[*module].registration || races[*module].binding,
            Op::DeregisterForged | Op::WaitForged | Op::CompleteForged => {
                races.iter().any(|races| races.registration)
            }
            _ => false,
        };
        self.gated(raced, Task::Now(script, index));
    }

    fn op(&self, script: Script, index: u8) -> &Resolved {
        &self.program.prepared.ops(script)[usize::from(index)]
    }

    pub(super) fn perform_now(&mut self, script: Script, index: u8) {
        match *self.op(script, index) {
            Op::Register(module) => self.register(module, false),
            Op::Own(module) => self.register(module, true),
            Op::Deregister(module) => {
                let (reg, handle) = self.latest(module);
                self.deregister(self.layout(), reg, handle);
            }
            Op::Wait(module) => {
                let (reg, handle) = self.latest(module);
                let after = After::Waited(ModuleNumber(module as u8), reg);
                self.wait(reg, handle, after);
            }
            Op::Leave(module) => {
                if let Some((reg, handle)) = self.module(module).owned.pop() {
                    self.leave(reg, handle);
                }
            }
            Op::Release(module) => {
                if let Some((reg, handle)) = self.module(module).owned.pop() {
                    self.release(reg, handle);
                }
            }
            Op::Complete(module) => self.completes(Which::OldestOf(module), Taker::Completes),
            Op::CompleteAll => self.completes(Which::Oldest, Taker::Completes),
            Op::CompleteAny => self.completes(Which::Any, Taker::Completes),
            Op::CompleteWrong(module) => self.completes(Which::OldestOf(module), Taker::Mistakes),
            Op::TryComplete(module) => {
                self.gated(true, Task::Piece(Piece::TryComplete(module as u8)));
            }
            Op::CompleteAgain(module) => {
                let (pair, binding) = self.last_binding(module);
                let side = self.side(module);
                self.detach_complete(side, pair, binding, After::Nothing);
            }
            Op::Attach(module) => {
                let (pair, binding) = self.last_binding(module);
                self.attach(pair, binding, false);
            }
            Op::Dispatch(module) => {
                self.gated(true, Task::Piece(Piece::EnterAll(module as u8)));
            }
            Op::DeregisterWrong(module) => self.deregister_wrong(module),
            Op::DeregisterForeign(module) => {
                let (_, handle) = self.latest(module);
                self.deregister(foreign(), None, handle);
            }
            Op::DeregisterForged => self.forge(Forged::Deregister),
            Op::WaitForged => self.forge(Forged::Wait),
            Op::CompleteForged => self.forge(Forged::Complete),
            Op::Yield => {}
        }
    }

    fn side(&self, module: usize) -> Side {
        self.program.prepared.scenario.modules[module].side
    }

    /// The module's latest registration, or a handle that names nothing.
    fn latest(&mut self, module: usize) -> (Option<RegId>, AnyHandle) {
        if self.program.prepared.races[module].registration {
            self.uses(Use::LookedUp(module as u8));
        }
        let side = self.side(module);
        match self.module(module).latest {
            Some((reg, handle)) => (Some(reg), handle),
            None => (None, AnyHandle::from_raw(side, (0, 0))),
        }
    }

    fn last_binding(&mut self, module: usize) -> (Option<Pair>, BindingHandle) {
        if self.program.prepared.races[module].binding {
            self.uses(Use::BindingLookedUp(module as u8));
        }
        match self.module(module).last_binding {
            Some((pair, binding)) => (Some(pair), binding),
            None => (None, BindingHandle::from_raw(0, 0)),
        }
    }

    fn completes(&mut self, which: Which, taker: Taker) {
        self.then([Task::Pending(which, taker)]);
    }

    fn deregister_wrong(&mut self, module: usize) {
        let side = self.side(module);
        let (_, handle) = self.latest(module);
        let (_, binding) = self.last_binding(module);
        let peers = AnyHandle::from_raw(side.peer(), handle.to_raw());
        let bindings = AnyHandle::from_raw(side, binding.to_raw());
        let wrong = [peers, bindings].map(|wrong| Task::Piece(Piece::Deregister(None, wrong)));
        self.then(wrong);
    }

    fn forge(&mut self, what: Forged) {
        self.then([Task::Piece(Piece::Forge(what, 0))]);
    }

    /// Uses the `nth` handle that nobody issued, and then the next one.
    fn forge_from(&mut self, what: Forged, nth: u8) {
        if nth == 0 {
            self.look_for_a_handle();
        }
        let forged = self.forged_bits();
        let uses: u8 = if what == Forged::Complete { 3 } else { 2 };
        let Some(&(registrar, bits)) = forged.get(usize::from(nth / uses)) else {
            return;
        };
        self.then([Task::Piece(Piece::Forge(what, nth + 1))]);
        let use_of = nth % uses;
        let side = if use_of == 0 {
            Side::Client
        } else {
            Side::Provider
        };
        let handle = AnyHandle::from_raw(side, (registrar, bits));
        let binding = BindingHandle::from_raw(registrar, bits);
        match what {
            Forged::Deregister => self.deregister(self.layout(), None, handle),
            Forged::Wait => self.wait(None, handle, After::Nothing),
            Forged::Complete if use_of == 2 => self.attach(None, binding, false),
            Forged::Complete => self.detach_complete(side, None, binding, After::Nothing),
        }
    }

    /// Looks at what is known of the modules' registrations, up to the first one that there is.
    fn look_for_a_handle(&mut self) {
        let mut modules = 0..self.state.shared.modules.len();
        modules.find(|&module| self.latest(module).0.is_some());
    }

    /// Bits that nobody issued: nothing, everything, and what an issued handle becomes with its
    /// generation moved on, or as one of the other side's.
    fn forged_bits(&self) -> [(u32, u64); 4] {
        let issued = self.state.shared.modules.iter().find_map(|it| it.latest);
        let (registrar, bits) = issued.map_or((1, 1), |(_, handle)| handle.to_raw());
        [
            (registrar, 0),
            (registrar, u64::MAX),
            (registrar, bits | 0xFFFF_0000),
            (registrar, bits ^ 3 << 62),
        ]
    }
}

/// Pieces of operations.
impl Step<'_> {
    pub(super) fn piece(&mut self, piece: Piece) -> Done {
        match piece {
            Piece::SetLatest(reg, handle) => {
                self.module(usize::from(reg.module)).latest = Some((reg, handle));
                if self.program.prepared.races[usize::from(reg.module)].registration {
                    self.uses(Use::Noted(reg.module));
                }
            }
            Piece::SetLastBinding(module, pair, binding) => {
                self.module(usize::from(module)).last_binding = Some((pair, binding));
                if self.program.prepared.races[usize::from(module)].binding {
                    self.uses(Use::BindingNoted(module));
                }
            }
            Piece::Keep(reg, handle) => {
                self.module(usize::from(reg.module))
                    .owned
                    .push((reg, handle));
            }
            Piece::Push(detach) => {
                self.state.shared.pending.push(detach);
                self.uses(Use::Pending);
            }
            Piece::Waited(module) => {
                let left = &mut self.state.shared.waits[usize::from(module)];
                *left = left.saturating_sub(1);
                self.uses(Use::Waited);
            }
            Piece::TryComplete(module) => {
                self.uses(Use::Taken);
                let which = Which::OldestOf(usize::from(module));
                let place = Self::candidates(self.state, which).next();
                if let Some(place) = place {
                    let detach = self.state.shared.pending.remove(place);
                    self.then([Task::Piece(Piece::Complete(detach))]);
                }
            }
            Piece::Complete(detach) => self.complete(detach),
            Piece::Mistake(detach) => self.mistake(detach),
            Piece::Completion(detach) => self.completion(detach),
            Piece::Deregister(reg, handle) => self.deregister(self.layout(), reg, handle),
            Piece::Open(pair, binding) => {
                self.guard(pair, binding);
                self.uses(Use::Rundown(pair.client.module));
            }
            Piece::Close(binding) => {
                let client = self.open_callback().callback.pair.client;
                let is_over =
                    self.change_guarded(client.module, binding, |guarded| guarded.closing = true);
                self.uses(Use::Rundown(client.module));
                if is_over {
                    self.open_callback().reply = Reply::Complete;
                }
            }
            Piece::EnterAll(module) => self.enter_all(module),
            Piece::DispatchBegin(_, pair, _) => {
                let by = Side::Client;
                self.record(What::DispatchBegin { pair, by })?;
                self.touch(pair.provider)?;
                self.use_context(pair, Side::Provider)?;
            }
            Piece::DispatchEnd(_, pair, _) => {
                self.touch(pair.provider)?;
                self.use_context(pair, Side::Provider)?;
                let by = Side::Client;
                self.record(What::DispatchEnd { pair, by })?;
            }
            Piece::Leave(module, pair, binding) => self.leave_guarded(module, pair, binding),
            Piece::LetGo(pair, side) => self.let_go(pair, side),
            Piece::Free(pair, side) => {
                if self.script(pair.side(side)).fault != Some(Fault::FreesInDetach) {
                    self.use_context(pair, side)?;
                    self.free_context(pair, side);
                }
            }
            Piece::Forge(what, nth) => self.forge_from(what, nth),
        }
        Ok(())
    }

    /// The module's own completion.
    fn complete(&mut self, detach: PendingDetach) {
        let PendingDetach {
            side,
            pair,
            binding,
        } = detach;
        let module = pair.side(side).module;
        self.then([Task::Piece(Piece::Completion(detach))]);
        self.remember_binding(module, pair, binding);
    }

    fn completion(&mut self, detach: PendingDetach) {
        let PendingDetach {
            side,
            pair,
            binding,
        } = detach;
        self.detach_complete(side, Some(pair), binding, After::Completed(pair, side));
    }

    /// Completes with the handle of the registration, taken for the binding's.
    fn mistake(&mut self, detach: PendingDetach) {
        let module = detach.pair.side(detach.side).module;
        let (_, handle) = self.latest(usize::from(module));
        let (registrar, bits) = handle.to_raw();
        let wrong = BindingHandle::from_raw(registrar, bits);
        let after = After::Mistaken(ModuleNumber(module), detach.side);
        self.detach_complete(detach.side, None, wrong, after);
    }

    /// Calls each provider of the client, as long as the rundown lets it.
    fn enter_all(&mut self, module: u8) {
        let guarded = self.module(usize::from(module)).guarded.iter_mut();
        let entered = guarded.filter(|guarded| !guarded.closing).map(|guarded| {
            guarded.calls += 1;
            (guarded.pair, guarded.binding)
        });
        let calls = entered.flat_map(|(pair, binding)| {
            [
                Task::Piece(Piece::DispatchBegin(module, pair, binding)),
                Task::Gate,
                Task::Piece(Piece::DispatchEnd(module, pair, binding)),
                Task::Piece(Piece::Leave(module, pair, binding)),
            ]
        });
        let calls: Vec<_> = calls.collect();
        self.uses(Use::Rundown(module));
        self.then(calls);
    }

    fn leave_guarded(&mut self, module: u8, pair: Pair, binding: BindingHandle) {
        let is_over = self.change_guarded(module, binding, |guarded| guarded.calls -= 1);
        self.uses(Use::Rundown(module));
        let script = &self.program.prepared.scenario.modules[usize::from(module)];
        if is_over && script.fault != Some(Fault::UnguardedDispatch) {
            let side = Side::Client;
            self.then([Task::Piece(Piece::Complete(PendingDetach {
                side,
                pair,
                binding,
            }))]);
        }
    }

    /// A module with null contexts is done with its side of a binding: what stands behind the context is gone.
    fn let_go(&mut self, pair: Pair, side: Side) {
        let kept = &mut self.state.shared.kept;
        if let Some(index) = kept.iter().position(|&it| it == (pair, side)) {
            kept.swap_remove(index);
            self.lets_go(Thing::Context { pair, side });
        }
    }
}

/// The layout of another registrar.
fn foreign() -> Layout {
    Layout::new(2, 1)
}
