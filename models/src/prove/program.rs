//! A program: its modules, its threads, and how the modules behave. Data only.

use nmr::Side;

use super::act::Act;
use crate::scenario::{Attach, Cleanup, Detach, Limits};

/// A module's place among the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Member {
    /// Its side.
    pub side: Side,
    /// The number of its interface; 0 is none.
    pub npi: u8,
}

impl Member {
    /// Whether the two are for each other.
    pub(super) fn meets(self, other: Self) -> bool {
        self.side != other.side && self.npi == other.npi && self.npi != 0
    }
}

/// How a module behaves when it is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// Its attach callback.
    pub attach: Attach,
    /// Its detach callback.
    pub detach: Detach,
    /// Its cleanup callback.
    pub cleanup: Cleanup,
    /// Whether it hands over a null binding context.
    pub null_context: bool,
    /// Whether it is registered through the owning API. Then it is left or released, and so no departure of its own.
    pub owned: bool,
}

/// A callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Called {
    /// Attach: of a client before it attaches, of a provider before it answers.
    Attach,
    /// Attach, of a client that has attached and has yet to answer.
    Attached,
    /// Detach.
    Detach,
    /// Cleanup.
    Cleanup,
}

impl Called {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Attach, Self::Attached, Self::Detach, Self::Cleanup];
}

/// An operation inside a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Inside {
    /// The number of the module whose callback it is.
    pub module: u8,
    /// The callback.
    pub called: Called,
    /// The operation.
    pub act: Act,
}

/// What callbacks do, and what the registrar has room for: all of a program but its threads.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Behaviour {
    /// Of each module.
    pub manners: Vec<Manner>,
    /// The operation inside a callback, if there is one.
    pub inside: Option<Inside>,
    /// The registrar's limits and faults.
    pub limits: Limits,
}

/// One program. Which scenario it is, [`scenario`](super::Program::scenario) says.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// The modules: clients, then providers.
    pub cast: Vec<Member>,
    /// The operations of each thread.
    pub threads: Vec<Vec<Act>>,
    /// All the rest.
    pub behaviour: Behaviour,
}

/// What orders manners, and behaviours.
type MannerKey = (u8, u8, u8, bool, bool);
pub(super) type Key = (Vec<MannerKey>, Option<Inside>);

impl Manner {
    /// In how many ways it differs from a module that accepts, detaches at once and does nothing else.
    pub(super) fn departures(&self) -> usize {
        let plain = Self::default();
        usize::from(self.attach != plain.attach)
            + usize::from(self.detach != plain.detach)
            + usize::from(self.cleanup != plain.cleanup)
            + usize::from(self.null_context)
    }

    /// What orders manners.
    const fn key(&self) -> MannerKey {
        let Self {
            attach,
            detach,
            cleanup,
            null_context,
            owned,
        } = *self;
        (
            attach as u8,
            detach as u8,
            cleanup as u8,
            null_context,
            owned,
        )
    }
}

impl Behaviour {
    /// The behaviour in which each module has taken its place. The least of those of a set of places is the one
    /// that stands for all.
    pub(super) fn key(&self, places: &[u8]) -> Key {
        let mut manners = vec![(0, 0, 0, false, false); self.manners.len()];
        for (manner, &place) in self.manners.iter().zip(places) {
            manners[usize::from(place)] = manner.key();
        }
        let inside = self.inside.map(|inside| Inside {
            module: places[usize::from(inside.module)],
            act: inside.act.renamed(places),
            ..inside
        });
        (manners, inside)
    }
}
