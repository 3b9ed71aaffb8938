//! A state of a scenario without threads of its own: all of it is a value, which is cloned and hashed.
//!
//! What threads share beside the registrar has no locks here: who comes first is the search's choice. Nothing is
//! executed here.

use std::hash::{Hash, Hasher};

use nmr::machine::{Act, Call, Table};
use nmr::{BindingHandle, Side};

use super::lent::Plain;
use super::rundown::Rundown;
use super::task::{Driven, Task};
use crate::event::{self, Event, Pair, RegId};
use crate::flat::clone_in_place;
use crate::interpreter::{After, AnyHandle, Context, Contexts, Issued, OpenCallback, Pending};
use crate::milestone::Passed;
use crate::oracle::Oracle;
use crate::permuted::{ModuleNumber, ThreadNumber};

/// A scenario at one moment, between two steps.
pub(crate) struct State {
    pub(super) table: Table<Plain>,
    pub(super) phase: Phase,
    /// By number; the first one is the main thread.
    pub(super) threads: Vec<Thread>,
    pub(super) shared: Shared,
    pub(super) oracle: Oracle,
    /// All that was observed, where that is wanted. No part of what tells states apart.
    pub(super) history: Option<Box<History>>,
}

clone_in_place!(State {
    table,
    phase,
    threads,
    shared,
    oracle,
    history,
});

/// What has happened.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    pub(super) events: Vec<Event>,
    /// The same with what no oracle hears of, for an execution on threads that goes along.
    pub(super) passed: Vec<Passed>,
    /// Which of several pending detaches was taken, each time.
    pub(super) taken: Vec<u32>,
}

/// How far the scenario is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Phase {
    /// The main thread is at work before the others.
    Before,
    Threads,
    /// It is at work after the others.
    After,
}

/// A thread: what it has still to do, and what it is inside of.
#[derive(Default)]
pub(super) struct Thread {
    /// The next one last.
    pub(super) tasks: Vec<Task>,
    /// Calls of the registrar that it is inside of, the innermost last.
    pub(super) calls: Vec<OpenCall>,
    /// Callbacks that it is inside of, the innermost last.
    pub(super) callbacks: Vec<OpenCallback>,
    /// It sleeps in a call, and nobody has woken it since.
    pub(super) is_asleep: bool,
}

clone_in_place!(Thread {
    tasks,
    calls,
    callbacks,
    is_asleep,
});

impl Thread {
    /// Whether it sleeps in its innermost call.
    pub(super) fn sleeps(&self) -> bool {
        self.is_asleep && self.tasks.last() == Some(&Task::Host(Driven::Woken))
    }
}

/// A call of the registrar that is open.
#[derive(Clone)]
pub(super) struct OpenCall {
    pub(super) what: event::Call,
    /// `None` if the bits of its handle are not this registrar's, so that it comes to no section.
    pub(super) call: Option<Call<Plain>>,
    /// What its latest section answered.
    pub(super) act: Act,
    /// Of an attach call: the client's context, until the provider is asked.
    pub(super) client: Option<Context>,
    /// What is done with its answer.
    pub(super) after: After,
    /// A callback of it panicked, which comes out of it.
    pub(super) panicked: bool,
}

/// What threads share beside the registrar.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) modules: Vec<ModuleState>,
    pub(super) pending: Pending,
    pub(super) contexts: Contexts,
    /// What stands behind null contexts, until its module is done with it.
    pub(super) kept: Vec<(Pair, Side)>,
    pub(super) issued: Issued,
    /// Which events are set.
    pub(super) events: Vec<bool>,
    /// Who has each lock.
    pub(super) locks: Vec<Option<ThreadNumber>>,
}

clone_in_place!(Shared {
    modules,
    pending,
    contexts,
    kept,
    issued,
    events,
    locks,
});

/// What is known of one module.
#[derive(Default)]
pub(super) struct ModuleState {
    pub(super) latest: Option<(RegId, AnyHandle)>,
    /// How many times it has registered.
    pub(super) registrations: u8,
    /// Those whose context is freed.
    pub(super) freed: Vec<RegId>,
    pub(super) last_binding: Option<(Pair, BindingHandle)>,
    /// Registrations that are owned, the latest one last.
    pub(super) owned: Vec<(RegId, AnyHandle)>,
    pub(super) rundown: Rundown,
    /// Of one that counts its bindings: how many places are taken.
    pub(super) taken: u8,
}

clone_in_place!(ModuleState {
    latest,
    registrations,
    freed,
    last_binding,
    owned,
    rundown,
    taken,
});

impl State {
    /// Writes all that tells it from another one.
    pub(super) fn hash_into(
        &self,
        counts_handles: bool,
        may_register: [bool; 2],
        state: &mut impl Hasher,
    ) {
        let Self {
            table,
            phase,
            threads,
            shared,
            oracle,
            history: _,
        } = self;
        table.hash_if(may_register, state);
        (phase, oracle).hash(state);
        let numbered = (0..).map(ThreadNumber).zip(threads);
        nmr_sync::unordered(numbered.map(|it| InTable(table, it)), state);
        shared.hash_into(counts_handles, state);
    }
}

/// A thread, and the table that its calls are about.
struct InTable<'a>(&'a Table<Plain>, (ThreadNumber, &'a Thread));

impl Hash for InTable<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self(table, (number, thread)) = self;
        let Thread {
            tasks,
            calls,
            callbacks,
            is_asleep,
        } = thread;
        (number, tasks, is_asleep, callbacks.len(), calls.len()).hash(state);
        for OpenCallback {
            callback,
            reply,
            second,
        } in callbacks
        {
            (callback, reply, second).hash(state);
        }
        for OpenCall {
            what,
            call,
            // Follows from the call.
            act: _,
            client,
            after,
            panicked,
        } in calls
        {
            let call = call.as_ref().map(|call| table.by_name(call));
            (what, call, client, after, panicked).hash(state);
        }
    }
}

impl Shared {
    /// Whether it counts which bits handles have.
    fn hash_into(&self, counts_handles: bool, state: &mut impl Hasher) {
        let Self {
            modules,
            pending,
            contexts,
            kept,
            issued,
            events,
            locks,
        } = self;
        nmr_sync::unordered((0..).map(ModuleNumber).zip(modules), state);
        (pending, contexts).hash(state);
        events.iter().for_each(|is_set| is_set.hash(state));
        locks.iter().for_each(|holder| holder.hash(state));
        nmr_sync::unordered(kept, state);
        if counts_handles {
            issued.hash_bits(state);
        }
    }
}

impl Hash for ModuleState {
    /// Without the bits of handles, which are known by what they name.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self {
            latest,
            registrations,
            freed,
            last_binding,
            owned,
            rundown,
            taken,
        } = self;
        (latest.map(|(reg, _)| reg), registrations).hash(state);
        nmr_sync::unordered(freed, state);
        last_binding.map(|(pair, _)| pair).hash(state);
        owned.len().hash(state);
        owned.iter().for_each(|(reg, _)| reg.hash(state));
        rundown.hash(state);
        taken.hash(state);
    }
}
