//! Bytes that a search takes, and how many it may.

use std::sync::atomic::{AtomicU64, Ordering};

/// See the [module's documentation](self).
#[derive(Debug)]
pub(crate) struct Memory {
    used: AtomicU64,
    most: u64,
}

/// There is no room for what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoRoom;

impl Memory {
    /// So many bytes at most.
    pub(crate) const fn new(most: u64) -> Self {
        Self {
            used: AtomicU64::new(0),
            most,
        }
    }

    /// Takes so many bytes.
    pub(crate) fn take(&self, bytes: u64) -> Result<(), NoRoom> {
        let used = self.used.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if used > self.most {
            self.give_back(bytes);
            return Err(NoRoom);
        }
        Ok(())
    }

    pub(crate) fn give_back(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(crate) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    pub(crate) const fn most(&self) -> u64 {
        self.most
    }
}

/// Half of what this machine has, in bytes.
pub(crate) fn half_of_the_machines() -> u64 {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    match system.total_memory() / 2 {
        0 => u64::MAX,
        half => half,
    }
}
