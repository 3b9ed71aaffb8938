//! Whether a scenario makes sense, and where it does not: what may be named how (`names`), what a module may be
//! (`modules`), what is counted from 1 (`limits`), which operation may stand in which list (`operations`), and what has no end (`ends`).
//!
//! It does not say whether a scenario ends: a wait for a module that nobody deregisters is refused by
//! the registrar, a pending detach that nobody completes is found as a deadlock.

mod ends;
mod limits;
mod modules;
mod names;
mod operations;
#[cfg(test)]
mod tests;

use super::place::Place;
use super::{Module, Scenario, Thread};
use crate::op::Op;

pub(super) use operations::is_completer;
pub(crate) use operations::is_wait;

/// What makes no sense, and where it stands.
#[derive(Debug)]
pub(super) struct Misuse {
    pub(super) place: Place,
    pub(super) message: String,
}

/// Nothing to complain of, or the first thing.
type Checked = Result<(), Misuse>;

fn misuse(place: Place, message: impl Into<String>) -> Checked {
    let message = message.into();
    Err(Misuse { place, message })
}

/// A list of operations.
struct List<'a> {
    /// Who performs it: a thread, a module, or `before` or `after`, which are the main thread's.
    owner: &'a str,
    kind: Kind,
    place: Place,
    ops: &'a [Op],
}

/// Who performs a list of operations.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Main,
    Thread,
    Callback,
}

impl List<'_> {
    /// The operations and where each stands.
    fn each(&self) -> impl DoubleEndedIterator<Item = (Place, &Op)> {
        let ops = self.ops.iter().enumerate();
        ops.map(|(index, op)| (self.place.clone().nth(index), op))
    }
}

impl Scenario {
    pub(super) fn validate(&self) -> Checked {
        names::check(self)?;
        limits::check(self)?;
        modules::check(self)?;
        ends::check(self)?;
        operations::check_lists(self)?;
        operations::check_each(self)
    }

    /// The lists of operations.
    fn lists(&self) -> impl Iterator<Item = List<'_>> {
        let main = [("before", &self.before), ("after", &self.after)];
        let main = main.into_iter().map(|(key, ops)| List {
            owner: key,
            kind: Kind::Main,
            place: Place::of(key),
            ops,
        });
        let threads = self.threads.iter().enumerate();
        let threads = threads.map(|(index, Thread { name, ops })| List {
            owner: name,
            kind: Kind::Thread,
            place: Place::thread(index).key("ops"),
            ops,
        });
        let modules = self.modules.iter().enumerate();
        let callbacks = modules.flat_map(|(index, module)| {
            let scripts = Module::SCRIPTS.into_iter().zip(module.scripts());
            scripts.map(move |(key, ops)| List {
                owner: &module.name,
                kind: Kind::Callback,
                place: Place::module(index).key(key),
                ops,
            })
        });
        main.chain(threads).chain(callbacks)
    }
}
