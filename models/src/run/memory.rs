//! The memory of registration contexts, which modules free and may use too late.

use std::sync::Arc;

use super::Run;
use super::shared::Memory;
use crate::event::RegId;
use crate::invisible::lock;

impl Run {
    pub(super) fn memory(&self, reg: RegId) -> Option<Arc<Memory>> {
        let memories = lock(&self.modules[usize::from(reg.module)].memories);
        memories.get(usize::from(reg.nth)).cloned()
    }

    /// Whether the wait for a registration has returned.
    pub(super) fn has_ended(&self, reg: RegId) -> bool {
        self.memory(reg).is_some_and(|memory| memory.is_freed())
    }
}
