//! What a search takes, in bytes and in states, and how much it may.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::report::Cut;

/// See the [module's documentation](self).
#[derive(Debug)]
pub(crate) struct Memory {
    used: AtomicU64,
    /// The most that was used at a time.
    peak: AtomicU64,
    most: u64,
    states: AtomicU64,
    most_states: Option<u64>,
}

/// There is no room for what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoRoom {
    /// In bytes.
    Bytes,
    /// In states.
    States,
}

impl Memory {
    /// So many bytes at most, and any number of states.
    pub(crate) const fn new(most: u64) -> Self {
        Self {
            used: AtomicU64::new(0),
            peak: AtomicU64::new(0),
            most,
            states: AtomicU64::new(0),
            most_states: None,
        }
    }

    /// And so many states at most.
    pub(crate) const fn with_states(mut self, most: Option<u64>) -> Self {
        self.most_states = most;
        self
    }

    /// Takes so many bytes.
    pub(crate) fn take(&self, bytes: u64) -> Result<(), NoRoom> {
        let used = self.used.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if used > self.most {
            self.give_back(bytes);
            return Err(NoRoom::Bytes);
        }
        self.peak.fetch_max(used, Ordering::Relaxed);
        Ok(())
    }

    /// Takes a state. Without a limit on states nothing is counted: all workers would write to one place.
    pub(crate) fn take_state(&self) -> Result<(), NoRoom> {
        let Some(most) = self.most_states else {
            return Ok(());
        };
        let before = self.states.fetch_add(1, Ordering::Relaxed);
        if before >= most {
            self.states.fetch_sub(1, Ordering::Relaxed);
            return Err(NoRoom::States);
        }
        Ok(())
    }

    pub(crate) fn give_back(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(crate) fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }

    pub(crate) const fn most(&self) -> u64 {
        self.most
    }

    /// Why a search is cut short that has found no room.
    pub(crate) fn cut(&self, no_room: NoRoom) -> Cut {
        match (no_room, self.most_states) {
            (NoRoom::States, Some(most)) => Cut::States(most),
            _ => Cut::Memory(self.most),
        }
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
