//! A state of a scenario without threads of its own: all of it is a value, which is cloned and hashed.
//!
//! What threads share beside the registrar is here as it is under the other engines (`run::shared`), without
//! locks: who comes first is the search's choice. Nothing is executed here.

use std::hash::{Hash, Hasher};

use nmr::machine::{Act, Call, Table};
use nmr::{BindingHandle, Side};

use super::lent::{Context, Plain};
use super::task::{After, Task};
use crate::event::{self, Callback, Event, Pair, RegId, Reply};
use crate::milestone::Passed;
use crate::oracle::Oracle;
use crate::permuted::{ModuleNumber, ThreadNumber};
use crate::run::{AnyHandle, PendingDetach};

/// A scenario at one moment, between two steps.
#[derive(Clone)]
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
#[derive(Clone, Default)]
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

/// A callback that runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenCallback {
    pub(super) callback: Callback,
    pub(super) binding: BindingHandle,
    /// What it will answer.
    pub(super) reply: Reply,
    /// It is the second of two that come one right after the other.
    pub(super) second: bool,
}

/// What threads share beside the registrar.
#[derive(Clone, Default)]
pub(super) struct Shared {
    pub(super) modules: Vec<ModuleState>,
    /// Pending detaches, the oldest first.
    pub(super) pending: Vec<PendingDetach>,
    /// For each module, the `wait` operations that threads have still to finish.
    pub(super) waits: Vec<u8>,
    /// Binding contexts as their owners see them, and whether they are freed; of scenarios with a faulty module.
    pub(super) contexts: Vec<(Pair, Side, bool)>,
    /// What stands behind null contexts, until its module is done with it.
    pub(super) kept: Vec<(Pair, Side)>,
    /// Which registration each handle was issued for.
    pub(super) handles: Vec<(AnyHandle, RegId)>,
    /// Which pair each binding's handle was issued for.
    pub(super) bindings: Vec<(BindingHandle, Pair)>,
}

/// What is known of one module.
#[derive(Clone, Default)]
pub(super) struct ModuleState {
    pub(super) latest: Option<(RegId, AnyHandle)>,
    /// How many times it has registered.
    pub(super) registrations: u8,
    /// Those whose context is freed.
    pub(super) freed: Vec<RegId>,
    pub(super) last_binding: Option<(Pair, BindingHandle)>,
    /// Registrations that are owned, the latest one last.
    pub(super) owned: Vec<(RegId, AnyHandle)>,
    /// Its rundown, in the order in which bindings are called through.
    pub(super) guarded: Vec<Guarded>,
}

/// A binding under rundown protection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guarded {
    pub(super) pair: Pair,
    pub(super) binding: BindingHandle,
    pub(super) calls: u8,
    pub(super) closing: bool,
}

/// How much of a state counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counts {
    /// Which bits handles have.
    pub(super) handles: bool,
    /// In which order detaches became pending.
    pub(super) order_of_pending: bool,
}

impl State {
    /// Writes all that tells it from another one.
    pub(super) fn hash_into(
        &self,
        counts: Counts,
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
        shared.hash_into(counts, state);
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
            binding: _,
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
    fn hash_into(&self, counts: Counts, state: &mut impl Hasher) {
        let Self {
            modules,
            pending,
            waits,
            contexts,
            kept,
            handles,
            bindings,
        } = self;
        nmr_sync::unordered((0..).map(ModuleNumber).zip(modules), state);
        nmr_sync::unordered((0..).map(ModuleNumber).zip(waits), state);
        match counts.order_of_pending {
            true => pending.hash(state),
            false => nmr_sync::unordered(pending, state),
        }
        nmr_sync::unordered(contexts, state);
        nmr_sync::unordered(kept, state);
        if counts.handles {
            let bits = handles.iter().map(|(handle, reg)| (handle.to_raw(), reg));
            nmr_sync::unordered(bits, state);
            let bits = bindings.iter();
            let bits = bits.map(|(binding, pair)| (binding.to_raw(), pair));
            nmr_sync::unordered(bits, state);
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
            guarded,
        } = self;
        (latest.map(|(reg, _)| reg), registrations).hash(state);
        nmr_sync::unordered(freed, state);
        last_binding.map(|(pair, _)| pair).hash(state);
        owned.len().hash(state);
        owned.iter().for_each(|(reg, _)| reg.hash(state));
        guarded.len().hash(state);
        for Guarded {
            pair,
            binding: _,
            calls,
            closing,
        } in guarded
        {
            (pair, calls, closing).hash(state);
        }
    }
}
