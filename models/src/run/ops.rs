//! The operations of threads and callbacks, carried out.
//!
//! An operation on a module that has no handle yet passes a handle that names nothing, as a C
//! program with an uninitialised variable of zeros would: it never waits for another thread.

use std::mem::ManuallyDrop;
use std::sync::Arc;

use nmr::{
    Attachment, BindingContext, BindingHandle, ClientModule, Detach, ModuleId, Offer,
    ProviderModule, RegisterError, Registrar, RegistrationInstance, Side, Status,
};
use nmr_sync::{forget, linger, thread, touch};

use super::identity::{MEMORIES, MEMORY, OWNED, key, npi_id};
use super::module::{Scripted, instance};
use super::observe::order;
use super::prepared::Resolved;
use super::shared::{AnyHandle, Memory, Owned, PendingDetach, Which};
use super::{Place, Run, answer, registrars};
use crate::event::{Answer, Call, Pair, RegId, What};
use crate::invisible::lock;
use crate::milestone::{Milestone, Use};
use crate::op::Op;
use crate::permuted::ThreadNumber;
use crate::scenario::{Fault, Module};

impl Run {
    pub(super) fn perform(self: &Arc<Self>, op: &Resolved) {
        match *op {
            Op::Register(module) => self.register(module),
            Op::Deregister(module) => {
                let (reg, handle) = self.latest(module);
                self.deregister(&self.registrar, reg, handle);
            }
            Op::Wait(module) => self.wait_for(module),
            Op::Complete(module) => self.complete_until_waited(Which::OldestOf(module)),
            Op::CompleteAll => self.complete_until_waited(Which::Oldest),
            Op::CompleteAny => self.complete_until_waited(Which::Any),
            Op::CompleteWrong(module) => self.complete_wrong(module),
            Op::Own(module) => self.own(module),
            Op::Leave(module) => self.leave_owned(module),
            Op::Release(module) => self.release(module),
            Op::TryComplete(module) => {
                let detach = self.pending.try_next(module);
                self.uses(Use::Taken);
                if let Some(detach) = detach {
                    self.complete_pending(detach);
                }
            }
            Op::CompleteAgain(module) => {
                let (pair, binding) = self.last_binding(module);
                self.detach_complete(self.side(module), pair, binding);
            }
            Op::Attach(module) => {
                let (pair, binding) = self.last_binding(module);
                self.attach_at_large(pair, binding);
            }
            Op::Dispatch(module) => self.dispatch(module),
            Op::DeregisterWrong(module) => {
                let side = self.side(module);
                let (_, handle) = self.latest(module);
                let (_, binding) = self.last_binding(module);
                let peers = AnyHandle::from_raw(side.peer(), handle.to_raw());
                let bindings = AnyHandle::from_raw(side, binding.to_raw());
                for wrong in [peers, bindings] {
                    self.deregister(&self.registrar, None, wrong);
                }
            }
            Op::DeregisterForeign(module) => {
                let (_, handle) = self.latest(module);
                let foreign = registrars(self.prepared.uses_stale_handles).build();
                crowd(&foreign, &self.prepared.scenario.modules[module]);
                self.deregister(&foreign, None, handle);
            }
            Op::DeregisterForged => self.forge(|handle| {
                self.deregister(&self.registrar, None, handle);
            }),
            Op::WaitForged => self.forge(|handle| {
                self.wait(None, handle);
            }),
            Op::CompleteForged => self.complete_forged(),
            Op::Yield => thread::yield_now(),
        }
    }

    fn side(&self, module: usize) -> Side {
        self.prepared.scenario.modules[module].side
    }

    /// The module's latest registration, or a handle that names nothing.
    fn latest(&self, module: usize) -> (Option<RegId>, AnyHandle) {
        let latest = self.modules[module].latest.get();
        if self.prepared.races[module].registration {
            self.uses(Use::LookedUp(module as u8));
        }
        match latest {
            Some((reg, handle)) => (Some(reg), handle),
            None => (None, AnyHandle::from_raw(self.side(module), (0, 0))),
        }
    }

    fn last_binding(&self, module: usize) -> (Option<Pair>, BindingHandle) {
        let last = self.modules[module].last_binding.get();
        if self.prepared.races[module].binding {
            self.uses(Use::BindingLookedUp(module as u8));
        }
        match last {
            Some((pair, binding)) => (Some(pair), binding),
            None => (None, BindingHandle::from_raw(0, 0)),
        }
    }

    /// Threads come to something that they share.
    pub(super) fn uses(&self, one: Use) {
        self.passes(Milestone::Shared(one));
    }

    fn note_handle(&self, reg: RegId, handle: AnyHandle) {
        let module = usize::from(reg.module);
        self.modules[module].latest.set(reg, handle);
        if self.prepared.races[module].registration {
            self.uses(Use::Noted(reg.module));
        }
    }

    pub(super) fn note_binding(&self, reg: RegId, pair: Pair, binding: BindingHandle) {
        let module = usize::from(reg.module);
        self.modules[module].last_binding.set(pair, binding);
        if self.prepared.races[module].binding {
            self.uses(Use::BindingNoted(reg.module));
        }
    }

    fn next_pending(&self, which: Which) -> Option<PendingDetach> {
        let next = self.pending.next(which);
        self.uses(Use::Taken);
        next
    }

    fn register(self: &Arc<Self>, module: usize) {
        let register =
            |instance: Arc<RegistrationInstance>, scripted: Arc<Scripted>, side| match side {
                Side::Client => {
                    let handle = self.registrar.register_client(instance, scripted);
                    handle.map(AnyHandle::Client)
                }
                Side::Provider => {
                    let handle = self.registrar.register_provider(instance, scripted);
                    handle.map(AnyHandle::Provider)
                }
            };
        let registered = self.registered(module, register, |handle| *handle);
        if let Some((reg, handle)) = registered {
            self.note_handle(reg, handle);
        }
    }

    /// Registers through the owning API.
    fn own(self: &Arc<Self>, module: usize) {
        let register =
            |instance: Arc<RegistrationInstance>, scripted: Arc<Scripted>, side| match side {
                Side::Client => self.registrar.client(instance, scripted).map(Owned::Client),
                Side::Provider => {
                    let owned = self.registrar.provider(instance, scripted);
                    owned.map(Owned::Provider)
                }
            };
        if let Some((reg, owned)) = self.registered(module, register, Owned::handle) {
            self.note_handle(reg, owned.handle());
            touch(OWNED | module as u32);
            lock(&self.modules[module].owned).push((reg, ManuallyDrop::new(owned)));
        }
    }

    /// The module's latest registration that is owned, if there is one.
    fn take_owned(&self, module: usize) -> Option<(RegId, Owned)> {
        touch(OWNED | module as u32);
        let (reg, owned) = lock(&self.modules[module].owned).pop()?;
        Some((reg, ManuallyDrop::into_inner(owned)))
    }

    /// Deregisters in the two steps of the owning API.
    fn leave_owned(&self, module: usize) {
        let Some((reg, owned)) = self.take_owned(module) else {
            return;
        };
        let answer = match owned {
            Owned::Client(registration) => self.leave_in_two_steps(reg, registration),
            Owned::Provider(registration) => self.leave_in_two_steps(reg, registration),
        };
        if answer == Some(Answer::Done) {
            self.free(reg);
        }
        self.has_waited(module);
    }

    fn leave_in_two_steps<K: nmr::RegistrationKind>(
        &self,
        reg: RegId,
        registration: nmr::Registration<K>,
    ) -> Option<Answer> {
        let deregister = || registration.deregister();
        let deregistering =
            self.call(Call::Deregister(Some(reg)), deregister, |_| Answer::Pending)?;
        let wait = || answer::waited(deregistering.wait());
        self.call(Call::Wait(Some(reg)), wait, |&answer| answer)
    }

    /// Drops a registration that is owned.
    fn release(&self, module: usize) {
        let Some((reg, owned)) = self.take_owned(module) else {
            return;
        };
        let inside = self.is_inside_callback();
        self.call(Call::Release(reg), || drop(owned), |()| Answer::Done);
        // Inside a callback it may not have waited for the end of it.
        if !inside {
            self.free(reg);
        }
        self.has_waited(module);
    }

    /// Registers the module; what the call gives, and `handle` knows the handle of.
    fn registered<R>(
        self: &Arc<Self>,
        module: usize,
        register: impl FnOnce(
            Arc<RegistrationInstance>,
            Arc<Scripted>,
            Side,
        ) -> Result<R, RegisterError>,
        handle: impl Fn(&R) -> AnyHandle,
    ) -> Option<(RegId, R)> {
        let (script, state) = (
            &self.prepared.scenario.modules[module],
            &self.modules[module],
        );
        touch(MEMORIES | module as u32);
        let reg = {
            let mut memories = lock(&state.memories);
            let reg = RegId {
                module: module as u8,
                nth: u8::try_from(memories.len())
                    .expect("a module registers at most 256 times in one execution"),
            };
            memories.push(Arc::new(Memory::new(MEMORY | key(reg))));
            reg
        };
        let call = Call::Register {
            reg,
            side: script.side,
            npi: script.npi,
        };
        let (instance, scripted) = (Arc::new(instance(script, reg)), Scripted::new(self, reg));
        lock(&self.instances).push((reg, Arc::downgrade(&instance)));
        let register = || register(instance, scripted, script.side);
        match self.call(call, register, answer::registered) {
            Some(Ok(registered)) => {
                self.issued(reg, handle(&registered));
                return Some((reg, registered));
            }
            Some(Err(_)) => {}
            // A register call that panics has taken the registration back, but inside a callback it
            // may not have waited for the end of it.
            None if self.is_inside_callback() => {}
            None => self.free(reg),
        }
        None
    }

    fn deregister(&self, registrar: &Registrar, reg: Option<RegId>, handle: AnyHandle) {
        let deregister = || match handle {
            AnyHandle::Client(handle) => answer::deregistered(registrar.deregister_client(handle)),
            AnyHandle::Provider(handle) => {
                answer::deregistered(registrar.deregister_provider(handle))
            }
        };
        self.call(Call::Deregister(reg), deregister, |&answer| answer);
    }

    fn wait_for(&self, module: usize) {
        let (reg, handle) = self.latest(module);
        let answer = self.wait(reg, handle);
        if let (Some(Answer::Done), Some(reg)) = (answer, reg) {
            self.free(reg);
        }
        self.has_waited(module);
    }

    /// A wait is over. Only those of threads are counted.
    fn has_waited(&self, module: usize) {
        if self.prepared.has_completer && self.number() > 0 && !self.is_inside_callback() {
            self.pending.waited(module);
            self.uses(Use::Waited);
        }
    }

    fn wait(&self, reg: Option<RegId>, handle: AnyHandle) -> Option<Answer> {
        let wait = || match handle {
            AnyHandle::Client(handle) => {
                answer::waited(self.registrar.wait_for_client_deregister(handle))
            }
            AnyHandle::Provider(handle) => {
                answer::waited(self.registrar.wait_for_provider_deregister(handle))
            }
        };
        self.call(Call::Wait(reg), wait, |&answer| answer)
    }

    fn complete_until_waited(&self, which: Which) {
        while let Some(detach) = self.next_pending(which) {
            self.complete_pending(detach);
            // As between two operations: a completer is its thread's last one.
            forget(&Place::Completing(ThreadNumber(self.number())));
        }
    }

    /// Completes with the handle of the registration, taken for the binding's.
    fn complete_wrong(&self, module: usize) {
        while let Some(detach) = self.next_pending(Which::OldestOf(module)) {
            let (_, handle) = self.latest(module);
            let (registrar, bits) = handle.to_raw();
            let wrong = BindingHandle::from_raw(registrar, bits);
            let answer = self.detach_complete(detach.side, None, wrong);
            if let (true, Some(answer)) = (self.prepared.scenario.modules[module].strict, answer) {
                let call = Call::DetachComplete {
                    side: detach.side,
                    pair: None,
                };
                self.misused(call, answer);
            }
            forget(&Place::Completing(ThreadNumber(self.number())));
        }
    }

    fn complete_pending(&self, detach: PendingDetach) {
        self.complete(detach.side, detach.pair, detach.binding);
    }

    /// The module's own completion.
    pub(super) fn complete(&self, side: Side, pair: Pair, binding: BindingHandle) {
        self.note_binding(pair.side(side), pair, binding);
        self.detach_complete(side, Some(pair), binding);
        if self.script(pair.side(side)).fault == Some(Fault::UsesAfterComplete) {
            self.use_context(pair, side);
        }
    }

    fn detach_complete(
        &self,
        side: Side,
        pair: Option<Pair>,
        binding: BindingHandle,
    ) -> Option<Answer> {
        let complete = || {
            answer::completed(match side {
                Side::Client => self.registrar.client_detach_complete(binding),
                Side::Provider => self.registrar.provider_detach_complete(binding),
            })
        };
        self.call(Call::DetachComplete { side, pair }, complete, |&answer| {
            answer
        })
    }

    /// A call of `client_attach_provider` that is not a script's own.
    fn attach_at_large(self: &Arc<Self>, pair: Option<Pair>, binding: BindingHandle) {
        let client = pair.map(|pair| self.attachment(pair, Side::Client));
        let client = client.unwrap_or_default();
        self.call_attach(pair, || {
            self.registrar.client_attach_provider(binding, client)
        });
    }

    /// Calls each provider of the client, as long as the rundown lets it.
    fn dispatch(&self, module: usize) {
        let rundown = self.modules[module].rundown.as_ref();
        let rundown = rundown.expect("a scenario dispatches from modules with a rundown only");
        let entered = rundown.enter_all();
        self.uses(Use::Rundown(module as u8));
        for (pair, binding) in entered {
            let by = Side::Client;
            self.comes(self.number(), pair.registrations());
            self.record(What::DispatchBegin { pair, by });
            self.touch(pair.provider);
            self.use_context(pair, Side::Provider);
            linger();
            self.touch(pair.provider);
            self.use_context(pair, Side::Provider);
            order(pair.registrations());
            self.record(What::DispatchEnd { pair, by });
            let unguarded =
                self.prepared.scenario.modules[module].fault == Some(Fault::UnguardedDispatch);
            let is_over = rundown.leave(binding);
            self.uses(Use::Rundown(module as u8));
            if is_over && !unguarded {
                self.complete(by, pair, binding);
            }
        }
    }

    /// Registration handles that nobody issued.
    fn forge(&self, use_it: impl Fn(AnyHandle)) {
        for raw in self.forged_bits() {
            for side in Side::BOTH {
                use_it(AnyHandle::from_raw(side, raw));
            }
        }
    }

    fn complete_forged(self: &Arc<Self>) {
        for (registrar, bits) in self.forged_bits() {
            let binding = BindingHandle::from_raw(registrar, bits);
            self.detach_complete(Side::Client, None, binding);
            self.detach_complete(Side::Provider, None, binding);
            self.attach_at_large(None, binding);
        }
    }

    /// Bits that nobody issued: nothing, everything, and what an issued handle becomes with its
    /// generation moved on, or as one of the other side's.
    fn forged_bits(&self) -> [(u32, u64); 4] {
        let mut modules = 0..self.modules.len();
        let issued = modules.find_map(|module| {
            let (reg, handle) = self.latest(module);
            reg.map(|_| handle)
        });
        let (registrar, bits) = issued.map_or((1, 1), AnyHandle::to_raw);
        [
            (registrar, 0),
            (registrar, u64::MAX),
            (registrar, bits | 0xFFFF_0000),
            (registrar, bits ^ 3 << 62),
        ]
    }
}

/// Takes whatever an early handle of the module can name in a registrar.
fn crowd(registrar: &Registrar, module: &Module) {
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
