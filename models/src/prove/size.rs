//! The sizes: what bounds the programs of each.

use super::act::Verb;
use crate::scenario::{Attach, Cleanup, Detach};

/// Bounds of programs. A size holds every program within all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Its name.
    pub name: &'static str,
    /// What it holds, in a line.
    pub summary: &'static str,
    /// The most clients, and the most providers, over all interfaces.
    pub modules_a_side: usize,
    /// The most modules of both sides together.
    pub modules: usize,
    /// The most interfaces.
    pub interfaces: usize,
    /// Their numbers, as scenarios give them: each of these lists, as far as there are interfaces. They count for nothing
    /// but that 0 is none, and that some differ from others in a part of their GUIDs alone.
    pub numbers: &'static [&'static [u8]],
    /// The most threads, at most four: a fifth may be needed to complete pending detaches.
    pub threads: usize,
    /// The most operations of a thread.
    pub operations: usize,
    /// The most operations of all threads together.
    pub operations_in_all: usize,
    /// What threads may do. Everything else is named with what it may depart to.
    pub verbs: &'static [Verb],
    /// What attach callbacks may do: of clients all of it, of providers what they can.
    pub attach: &'static [Attach],
    /// What detach callbacks may do.
    pub detach: &'static [Detach],
    /// What cleanup callbacks may do.
    pub cleanup: &'static [Cleanup],
    /// Whether providers may have rundowns, too, and call their clients.
    pub providers_dispatch: bool,
    /// Whether modules may be registered through the owning API.
    pub owned: bool,
    /// Whether contexts may be null.
    pub null_contexts: bool,
    /// What one callback may do before it answers: nothing, or one of these.
    pub inside: &'static [Verb],
    /// Whether the registrar may have limits and faults.
    pub limits: bool,
    /// The most of all this that is not as in a program of plain modules without limits: so many callbacks that
    /// do something else than accept, complete or return, null contexts, operations inside callbacks, and limits.
    pub departures: usize,
}

/// Interfaces that differ in the GUID's first bits.
const IN_ORDER: &[&[u8]] = &[&[1, 2, 3, 4]];

const LIFE: &[Verb] = &[Verb::Register, Verb::Deregister, Verb::Wait];

const EVERY_VERB: &[Verb] = &[
    Verb::Register,
    Verb::Deregister,
    Verb::Wait,
    Verb::Dispatch,
    Verb::TryComplete,
    Verb::CompleteAgain,
];

const EVERY_ATTACH: &[Attach] = &[
    Attach::Accept,
    Attach::Decline,
    Attach::Hollow,
    Attach::ChangeOfMind,
    Attach::Twice,
    Attach::Panic,
    Attach::PanicAfterAttach,
];

/// All that do not depend on calls through dispatch tables.
const EVERY_DETACH: &[Detach] = &[
    Detach::Complete,
    Detach::Pending,
    Detach::CompleteEarly,
    Detach::Panic,
];

const EVERY_DETACH_AND_RUNDOWN: &[Detach] = &[
    Detach::Complete,
    Detach::Pending,
    Detach::CompleteEarly,
    Detach::Rundown,
    Detach::Panic,
];

const EVERY_CLEANUP: &[Cleanup] = &[Cleanup::Return, Cleanup::Panic];

impl Size {
    /// The size of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|size| size.name == name)
    }

    /// The named sizes, the smallest first.
    pub const ALL: [Self; 5] = [
        Self::SMALL,
        Self::CALLS,
        Self::CORNERS,
        Self::MEDIUM,
        Self::LARGE,
    ];

    /// For each change of the code.
    pub const SMALL: Self = Self {
        name: "small",
        summary: "1 client and 1 provider, 2 threads of up to 2 operations, every callback's every behaviour, \
                  limits, up to 2 departures",
        modules_a_side: 1,
        modules: 2,
        interfaces: 1,
        numbers: IN_ORDER,
        threads: 2,
        operations: 2,
        operations_in_all: 4,
        verbs: EVERY_VERB,
        attach: EVERY_ATTACH,
        detach: EVERY_DETACH_AND_RUNDOWN,
        cleanup: EVERY_CLEANUP,
        providers_dispatch: false,
        owned: false,
        null_contexts: true,
        inside: &[Verb::Deregister, Verb::Wait],
        limits: true,
        departures: 2,
    };

    /// Calls through dispatch tables, of either side, each guarded by a rundown.
    pub const CALLS: Self = Self {
        name: "calls",
        summary: "1 client and 1 provider, 2 threads of up to 3 operations, 5 in all, calls of both sides through \
                  dispatch tables, one binding at a time",
        operations: 3,
        operations_in_all: 5,
        verbs: &[Verb::Register, Verb::Deregister, Verb::Wait, Verb::Dispatch],
        attach: &[Attach::Accept, Attach::OneAtATime],
        detach: &[Detach::Complete, Detach::Pending, Detach::Rundown],
        providers_dispatch: true,
        departures: usize::MAX,
        ..Self::MEDIUM
    };

    /// What is at the edge of the contract, and beside the life of a binding: handles of another kind, of another registrar
    /// and of nobody; attach calls at any time; registrations that are owned; interfaces that differ in a part of their
    /// GUIDs alone, and none; and modules that take one binding at a time.
    pub const CORNERS: Self = Self {
        name: "corners",
        summary: "1 client and 1 provider, 2 threads of up to 2 operations, wrong, foreign and forged handles, attach calls \
                  at any time, owned registrations, interfaces that differ in a part, none at all, one binding at a \
                  time, limits, up to 2 departures",
        interfaces: 2,
        numbers: &[
            &[1, 2],
            &[1, 17],
            &[1, 33],
            &[1, 65],
            &[1, 129],
            &[0, 1],
            &[1, 0],
        ],
        verbs: &[
            Verb::Register,
            Verb::Deregister,
            Verb::Wait,
            Verb::Attach,
            Verb::DeregisterWrong,
            Verb::DeregisterForeign,
            Verb::Leave,
            Verb::Release,
            Verb::DeregisterForged,
            Verb::WaitForged,
            Verb::CompleteForged,
        ],
        attach: &[Attach::Accept, Attach::Decline, Attach::OneAtATime],
        detach: &[Detach::Complete, Detach::Pending],
        cleanup: &[Cleanup::Return],
        owned: true,
        null_contexts: false,
        inside: &[Verb::Release, Verb::Attach],
        ..Self::SMALL
    };

    /// Every attach and detach behaviour of two modules, with all that two threads can do to them in three
    /// operations each.
    pub const MEDIUM: Self = Self {
        name: "medium",
        summary: "1 client and 1 provider, 2 threads of up to 3 operations, every attach and detach behaviour",
        modules_a_side: 1,
        modules: 2,
        interfaces: 1,
        numbers: IN_ORDER,
        threads: 2,
        operations: 3,
        operations_in_all: 6,
        verbs: LIFE,
        attach: EVERY_ATTACH,
        detach: EVERY_DETACH,
        cleanup: &[Cleanup::Return],
        providers_dispatch: false,
        owned: false,
        null_contexts: false,
        inside: &[],
        limits: false,
        departures: usize::MAX,
    };

    /// For nights, and for many machines.
    pub const LARGE: Self = Self {
        name: "large",
        summary: "up to 3 modules on up to 2 interfaces, 3 threads of up to 3 operations, 5 in all, every \
                  callback's every behaviour, limits, up to 1 departure",
        modules_a_side: 2,
        modules: 3,
        interfaces: 2,
        numbers: IN_ORDER,
        threads: 3,
        operations: 3,
        operations_in_all: 5,
        verbs: EVERY_VERB,
        attach: EVERY_ATTACH,
        detach: EVERY_DETACH_AND_RUNDOWN,
        cleanup: EVERY_CLEANUP,
        providers_dispatch: false,
        owned: false,
        null_contexts: true,
        inside: &[Verb::Deregister, Verb::Wait],
        limits: true,
        departures: 1,
    };
}
