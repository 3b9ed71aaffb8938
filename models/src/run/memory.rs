//! The memory of the modules, which they free and may use too late: that of a registration context, and of a binding
//! context.

use std::sync::Arc;

use super::Run;
use super::shared::Memory;
use crate::event::{Pair, RegId, Side, Thing, What};
use crate::invisible::lock;

impl Run {
    pub(super) fn memory(&self, reg: RegId) -> Option<Arc<Memory>> {
        let memories = lock(&self.modules[usize::from(reg.module)].memories);
        memories.get(usize::from(reg.nth)).cloned()
    }

    /// Uses the memory of a registration context.
    pub(super) fn touch(&self, reg: RegId) {
        if self.memory(reg).is_some_and(|memory| memory.is_freed()) {
            self.record(What::UsedAfterFree(Thing::Module(reg)));
        }
    }

    /// A side takes memory for its context of a binding.
    pub(super) fn take_context(&self, pair: Pair, side: Side) {
        if self.prepared.scenario.has_fault() {
            lock(&self.contexts).insert((pair, side == Side::Provider), false);
        }
    }

    /// It frees it.
    pub(super) fn free_context(&self, pair: Pair, side: Side) {
        if let Some(freed) = lock(&self.contexts).get_mut(&(pair, side == Side::Provider)) {
            *freed = true;
        }
    }

    /// Somebody uses it.
    pub(super) fn use_context(&self, pair: Pair, side: Side) {
        let context = (pair, side == Side::Provider);
        let freed = lock(&self.contexts).get(&context).copied();
        if freed == Some(true) {
            self.record(What::UsedAfterFree(Thing::Context { pair, side }));
        }
    }

    pub(super) fn leaked_context(&self) -> Option<(Pair, Side)> {
        let contexts = lock(&self.contexts);
        let mut left = contexts.iter().filter(|(_, freed)| !**freed);
        // While a registration is there, its bindings may be.
        let (&(pair, of_provider), _) = left.find(|((pair, _), _)| self.has_ended(*pair))?;
        let side = if of_provider {
            Side::Provider
        } else {
            Side::Client
        };
        Some((pair, side))
    }

    /// Whether both registrations of a pair were waited for.
    pub(super) fn has_ended(&self, pair: Pair) -> bool {
        let freed = |reg| self.memory(reg).is_some_and(|memory| memory.is_freed());
        pair.registrations().into_iter().all(freed)
    }

    pub(super) fn free(&self, reg: RegId) {
        let memory =
            lock(&self.modules[usize::from(reg.module)].memories)[usize::from(reg.nth)].clone();
        memory.free();
    }
}
