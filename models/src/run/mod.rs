//! One execution of a scenario: the registrar, the scripted modules, the threads, and the record of
//! what they do.
//!
//! It runs under any engine, or on real threads: it names `nmr-sync`'s primitives only. It judges
//! nothing; the [oracle](crate::oracle) does, event by event.

mod module;
mod ops;
mod recorder;
mod shared;
mod watch;

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Weak};

use nmr::{BindingHandle, NpiId, Registrar};
use nmr_sync::thread::{self, ThreadId};

use crate::event::{Answer, Call, Callback, Pair, Quiet, RegId, Reply, What};
use crate::invisible::{Invisible, lock};
use crate::op::Op;
use crate::render::in_names;
use crate::scenario::{Detach, Module, Scenario};
use shared::{AnyHandle, Latest, Memory, Pending, Rundown};

pub use recorder::Finding;
pub(crate) use watch::Watch;

/// Stripes of the registrar under test: few, for each is a lock that the model knows. The interfaces
/// 1 to 3 have one each.
const STRIPES: usize = 4;

/// The panic of a script. Nobody is told of it but whoever catches it.
struct ScriptedPanic;

fn scripted_panic() -> ! {
    resume_unwind(Box::new(ScriptedPanic))
}

/// See the [module's documentation](self).
pub(crate) struct Run {
    scenario: Arc<Scenario>,
    watch: Arc<Watch>,
    recorder: recorder::Recorder,
    registrar: Registrar,
    modules: Vec<ModuleState>,
    pending: Pending,
    /// Whether somebody needs to hear that a wait is over.
    has_completer: bool,
    /// A thread's number for each callback that it is inside of.
    inside: Invisible<Vec<u8>>,
    /// What stands behind null contexts.
    kept: Invisible<Vec<Arc<module::Token>>>,
    /// The scenario's number of each of the engine's threads.
    threads: Invisible<Vec<(ThreadId, u8)>>,
    /// Threads that have begun and not ended; the main one only while it does something itself.
    active: Invisible<BTreeSet<u8>>,
    /// Which pair a binding handle was last issued for.
    bindings: Invisible<HashMap<BindingHandle, Pair>>,
}

/// What one execution knows of one module.
struct ModuleState {
    latest: Latest<RegId, AnyHandle>,
    /// Of its registration contexts, one for each time that it registered.
    memories: Invisible<Vec<Arc<Memory>>>,
    /// The binding that it last completed, attached or was offered.
    last_binding: Latest<Pair, BindingHandle>,
    rundown: Option<Rundown>,
}

thread_local! {
    /// The execution that this OS thread is in, for the panic hook.
    static CURRENT: RefCell<Weak<Run>> = const { RefCell::new(Weak::new()) };
}

impl Run {
    /// An execution that has yet to begin. To be made, and run, inside the engine's model.
    pub(crate) fn new(scenario: &Arc<Scenario>, watch: &Arc<Watch>) -> Arc<Self> {
        let modules = scenario.modules.iter();
        Arc::new(Self {
            watch: watch.clone(),
            recorder: recorder::Recorder::new(),
            registrar: registrar(scenario),
            modules: modules
                .map(|module| ModuleState::new(scenario, module))
                .collect(),
            pending: Pending::new(waits(scenario)),
            has_completer: scenario.has_completer(),
            inside: Invisible::default(),
            kept: Invisible::default(),
            threads: Invisible::default(),
            active: Invisible::default(),
            bindings: Invisible::default(),
            scenario: scenario.clone(),
        })
    }

    /// Runs the scenario.
    pub(crate) fn to_the_end(self: Arc<Self>) {
        self.begin_thread(0);
        self.perform_all(&self.scenario.before);
        self.end_thread(0);
        match self.scenario.threads.as_slice() {
            [] => {}
            // With nothing beside it, it needs no thread.
            [_] => self.clone().thread(1),
            _ => self.side_by_side(),
        }
        self.begin_thread(0);
        self.perform_all(&self.scenario.after);
        self.end_thread(0);
        self.quiet();
    }

    fn side_by_side(self: &Arc<Self>) {
        let start = Arc::new(StartingLine::new(self.scenario.threads.len()));
        let numbers = 1..=self.scenario.threads.len() as u8;
        let threads = numbers.map(|number| {
            let (run, start) = (self.clone(), start.clone());
            thread::spawn(move || {
                start.wait();
                run.thread(number);
            })
        });
        let threads: Vec<_> = threads.collect();
        for thread in threads {
            if let Err(payload) = thread.join() {
                resume_unwind(payload);
            }
        }
    }

    fn thread(self: Arc<Self>, number: u8) {
        self.begin_thread(number);
        self.perform_all(&self.scenario.threads[usize::from(number) - 1].ops);
        self.end_thread(number);
    }

    fn begin_thread(self: &Arc<Self>, number: u8) {
        CURRENT.set(Arc::downgrade(self));
        let id = thread::current_id();
        let mut threads = lock(&self.threads);
        // An operating system may give a new thread the name of one that has ended.
        threads.retain(|&(other, _)| other != id);
        threads.push((id, number));
        lock(&self.active).insert(number);
    }

    fn end_thread(&self, number: u8) {
        lock(&self.active).remove(&number);
    }

    fn perform_all(self: &Arc<Self>, ops: &[Op]) {
        for op in ops {
            self.perform(op);
        }
    }

    fn quiet(&self) {
        let count = self.registrar.count();
        let quiet = Quiet {
            registrations: count.registrations,
            bindings: count.bindings,
            drained: self.pending.is_empty(),
        };
        if let Some(finding) = self.recorder.quiet(&quiet) {
            self.found(finding);
        } else {
            self.watch.add_exercised(&self.recorder.exercised());
            self.watch.add_outcome(self.recorder.outcome());
        }
    }

    /// The execution that the calling OS thread is in.
    pub(crate) fn current() -> Option<Arc<Self>> {
        CURRENT.with_borrow(Weak::upgrade)
    }

    /// The calling OS thread is in no execution any more: one that hung may live on.
    #[cfg(shuttle)]
    pub(crate) fn leave() {
        CURRENT.set(Weak::new());
    }

    /// The execution cannot go on: what is found, if nothing was before.
    pub(crate) fn stuck(&self) {
        let blocked: Vec<u8> = lock(&self.active).iter().copied().collect();
        if let Some(finding) = self.recorder.stuck(&blocked) {
            self.found(finding);
        }
    }

    /// Something panicked that no script asked to.
    pub(crate) fn crashed(&self, message: &str) {
        let message = format!("the program under test panicked: {message}");
        if let Some(finding) = self.recorder.crashed(message) {
            self.found(finding);
        }
    }

    fn found(&self, mut finding: Finding) {
        finding.message = in_names(&self.scenario, &finding.message);
        self.watch.add_exercised(&self.recorder.exercised());
        self.watch.found(finding);
    }

    fn number(&self) -> u8 {
        let id = thread::current_id();
        let threads = lock(&self.threads);
        let found = threads.iter().find(|(other, _)| *other == id);
        found
            .expect("the registrar makes callbacks on its callers' threads only")
            .1
    }

    fn record(&self, what: What) {
        if let Some(finding) = self.recorder.record(self.number(), what) {
            self.found(finding);
            resume_unwind(Box::new(recorder::Stop));
        }
    }

    /// Called from `drop`. While a thread unwinds, the engine may be taking the execution apart; the
    /// registrar lets go of nothing then.
    fn record_dropped(&self, what: What) {
        if std::thread::panicking() {
            return;
        }
        if let Some(finding) = self.recorder.record_dropped(what) {
            self.found(finding);
        }
    }

    /// Makes a call of the registrar. `None`: a callback's panic came out of it.
    fn call<R>(
        &self,
        call: Call,
        function: impl FnOnce() -> R,
        answer: impl FnOnce(&R) -> Answer,
    ) -> Option<R> {
        order(call.registrations());
        self.record(What::Call(call));
        let result = self.catching(function);
        order(call.registrations());
        self.record(What::Return(
            result.as_ref().map_or(Answer::Panicked, answer),
        ));
        result
    }

    /// Runs a callback's body, which answers its reply and what to return to the registrar.
    fn callback<R>(&self, callback: Callback, body: impl FnOnce() -> (Reply, R)) -> R {
        let thread = self.number();
        order(callback.pair.registrations());
        self.record(What::Begin(callback));
        self.touch(callback.pair.side(callback.side));
        lock(&self.inside).push(thread);
        let answer = self.catching(body);
        order(callback.pair.registrations());
        self.leave_callback(thread);
        match answer {
            Some((reply, answer)) => {
                self.record(What::End(reply));
                answer
            }
            None => {
                self.record(What::End(Reply::Panicked));
                scripted_panic();
            }
        }
    }

    fn leave_callback(&self, thread: u8) {
        let mut inside = lock(&self.inside);
        if let Some(index) = inside.iter().position(|&other| other == thread) {
            inside.swap_remove(index);
        }
    }

    fn is_inside_callback(&self) -> bool {
        lock(&self.inside).contains(&self.number())
    }

    /// Catches a script's panic. Any other one is the engine's, or means that the execution is over.
    fn catching<R>(&self, body: impl FnOnce() -> R) -> Option<R> {
        match catch_unwind(AssertUnwindSafe(body)) {
            Ok(result) => Some(result),
            Err(payload) if payload.is::<ScriptedPanic>() => None,
            Err(payload) => {
                self.recorder.freeze();
                resume_unwind(payload);
            }
        }
    }

    /// Uses the memory of a registration context.
    fn touch(&self, reg: RegId) {
        let memory = {
            let memories = lock(&self.modules[usize::from(reg.module)].memories);
            memories.get(usize::from(reg.nth)).cloned()
        };
        if memory.is_some_and(|memory| memory.is_freed()) {
            self.record(What::UsedAfterFree { reg });
        }
    }

    fn free(&self, reg: RegId) {
        let memory =
            lock(&self.modules[usize::from(reg.module)].memories)[usize::from(reg.nth)].clone();
        memory.free();
    }
}

impl ModuleState {
    fn new(scenario: &Scenario, module: &Module) -> Self {
        Self {
            latest: Latest::new(scenario.is_raced(&module.name)),
            memories: Invisible::default(),
            last_binding: Latest::new(scenario.is_binding_raced(&module.name)),
            rundown: (module.detach == Detach::Rundown).then(Rundown::new),
        }
    }
}

fn registrar(scenario: &Scenario) -> Registrar {
    let limits = scenario.limits;
    let mut builder = Registrar::builder().stripes(STRIPES);
    if let Some(limit) = limits.max_registrations {
        builder = builder.max_registrations(limit);
    }
    if let Some(limit) = limits.max_bindings {
        builder = builder.max_bindings(limit);
    }
    if let Some(k) = limits.fail_reservation {
        builder = builder.fail_reservation(k);
    }
    if let Some(generation) = limits.last_generation {
        builder = builder.last_generation(generation);
    }
    builder.build()
}

/// For each module, the number of `wait` operations in threads.
fn waits(scenario: &Scenario) -> Vec<usize> {
    let waits = |name: &str| {
        let ops = scenario.threads.iter().flat_map(|thread| &thread.ops);
        ops.filter(|op| matches!(op, Op::Wait(module) if module == name))
            .count()
    };
    scenario
        .modules
        .iter()
        .map(|module| waits(&module.name))
        .collect()
}

/// What is observed of a registration is observed in an order: the oracle judges by it.
fn order(registrations: impl IntoIterator<Item = RegId>) {
    for reg in registrations {
        nmr_sync::touch(u32::from(reg.module) << 8 | u32::from(reg.nth));
    }
}

fn npi_id(number: u8) -> NpiId {
    NpiId(u128::from(number))
}

/// Real threads start together, or the first would be over before the last has begun. In a model the
/// engine decides who begins.
struct StartingLine {
    #[cfg(not(any(loom, shuttle)))]
    missing: std::sync::atomic::AtomicUsize,
}

impl StartingLine {
    #[cfg(not(any(loom, shuttle)))]
    fn new(threads: usize) -> Self {
        Self {
            missing: std::sync::atomic::AtomicUsize::new(threads),
        }
    }

    #[cfg(any(loom, shuttle))]
    fn new(_threads: usize) -> Self {
        Self {}
    }

    fn wait(&self) {
        #[cfg(not(any(loom, shuttle)))]
        {
            use std::sync::atomic::Ordering;
            self.missing.fetch_sub(1, Ordering::AcqRel);
            while self.missing.load(Ordering::Acquire) > 0 {
                thread::yield_now();
            }
        }
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn the_first_three_interfaces_share_no_lock() {
        // Registrations of one interface are made inside an attach callback of another only if
        // their monitors differ or none is held; the stripe is in the handle's bits.
        let registrar = Registrar::builder().stripes(STRIPES).build();
        struct Nobody;
        impl nmr::ClientModule for Nobody {
            fn attach_provider(&self, _: nmr::Offer<'_>) -> Result<(), nmr::Status> {
                Ok(())
            }
            fn detach_provider(&self, _: BindingHandle, _: &nmr::BindingContext) -> nmr::Detach {
                nmr::Detach::Complete
            }
        }
        let stripes = [1, 2, 3].map(|number| {
            let instance = nmr::RegistrationInstance::new(npi_id(number), nmr::ModuleId(1));
            let handle = registrar
                .register_client(instance, Arc::new(Nobody))
                .unwrap();
            handle.to_raw().1 >> 52 & 0x3ff
        });
        let different: BTreeSet<u64> = stripes.into_iter().collect();
        assert_eq!(different.len(), 3, "{stripes:?}");
    }
}
