//! The cells of a running program: a number behind a mutex with a condvar, in a monitor, or beside a gate; and what is said
//! of them to an explorer.

use std::cell::RefCell;
use std::hash::Hash;
use std::sync::atomic::AtomicU64;

use nmr_sync::{Condvar, Monitor, Mutex, MutexGuard};

use crate::program::{Cover, SLOTS, Says};

/// A cell of a running program.
pub(super) enum Cell {
    Plain {
        number: Mutex<u64>,
        changed: Condvar,
        says: Says,
    },
    Monitor(Monitor<Watched>),
    /// A lock that protects nothing that anybody could see, and a number beside it. There is one in each
    /// program, after all others.
    Gate {
        lock: Mutex<()>,
        number: AtomicU64,
    },
}

/// A number that a monitor protects, and the cell that it is in.
#[derive(Hash)]
pub(super) struct Watched {
    pub(super) number: u64,
    cell: usize,
}

impl Drop for Watched {
    fn drop(&mut self) {
        LAST.with_borrow_mut(|last| last[self.cell] = self.number);
    }
}

impl Cell {
    pub(super) fn new(cell: usize, cover: Cover) -> Self {
        match cover {
            Cover::Monitor => Self::Monitor(Monitor::new(Watched { number: 0, cell })),
            Cover::Mutex(says) => Self::Plain {
                number: Mutex::new(0),
                changed: Condvar::new(),
                says,
            },
        }
    }

    pub(super) fn new_gate() -> Self {
        Self::Gate {
            lock: Mutex::new(()),
            number: AtomicU64::new(0),
        }
    }

    pub(super) fn plain(&self) -> (&Mutex<u64>, &Condvar, Says) {
        match self {
            Self::Plain {
                number,
                changed,
                says,
            } => (number, changed, *says),
            Self::Monitor(_) | Self::Gate { .. } => {
                unreachable!("no such operation is generated for a monitor or a gate")
            }
        }
    }

    /// The number at the end. Takes no lock: to an explorer that would be one more thread that uses it.
    pub(super) fn into_number(self, cell: usize) -> u64 {
        match self {
            Self::Plain { number, .. } => number.into_inner(),
            Self::Gate { number, .. } => number.into_inner(),
            Self::Monitor(monitor) => {
                drop(monitor);
                LAST.with_borrow(|last| last[cell])
            }
        }
    }
}

thread_local! {
    /// What was in monitors when they were dropped.
    static LAST: RefCell<[u64; 3]> = const { RefCell::new([0; 3]) };
    /// The external state of the execution that this OS thread runs: what is in the slots.
    pub(super) static EXTERNAL: RefCell<[u64; SLOTS]> = const { RefCell::new([0; SLOTS]) };
}

/// Writes what is in the slots.
#[cfg(shuttle)]
pub(crate) fn write_external_state(mut state: &mut dyn std::hash::Hasher) {
    EXTERNAL.with_borrow(|slots| slots.hash(&mut state));
}

/// Says that a section has changed the number for the last time, and what the thread takes along.
pub(super) fn say(guard: &MutexGuard<'_, u64>, says: Says, learnt: &impl Hash) {
    if says.data {
        nmr_sync::describe(guard);
    }
    if says.learnt {
        nmr_sync::learn(learnt);
    }
}
