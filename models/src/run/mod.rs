//! One execution of a scenario: the registrar, the scripted modules, the threads, and the record of
//! what they do.
//!
//! It runs under any engine, or on real threads: it names `nmr-sync`'s primitives only. It judges
//! nothing; the [oracle](crate::oracle) does, event by event.

mod answer;
#[cfg(shuttle)]
mod changes;
mod module;
mod notes;
mod ops;
mod recorder;
mod scripts;
mod shared;
#[cfg(any(shuttle, all(test, not(loom))))]
mod state;
mod watch;

use std::any::Any;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Weak};

use nmr::{BindingHandle, NpiId, Registrar, RegistrationInstance};
use nmr_sync::thread::{self, ThreadId};
use nmr_sync::{forget, is_explored, linger, mark, remember};

use crate::event::{
    Answer, Call, Callback, CallbackKind, Pair, Quiet, RegId, Reply, Side, Thing, What,
};
use crate::fingerprint::fingerprint;
use crate::invisible::{Invisible, lock};
use crate::permuted::ThreadNumber;
use crate::render::{InWords, in_names};
use crate::rule::Rule;
use crate::scenario::{Detach, Fault, Module, Scenario, is_wait};
use scripts::{Reached, Script};
use shared::{AnyHandle, Latest, Memory, Owned, Pending, Rundown};

pub use recorder::Finding;
pub(crate) use watch::Watch;

/// Stripes of the registrar under test: few, for each is a lock that the model knows. The interfaces
/// 1 to 3 have one each.
const STRIPES: usize = 4;

/// Handle validity.
const VALIDITY: Rule = Rule::new(12);
/// Panics go on to the caller.
const PANICS: Rule = Rule::new(18);

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
    /// Whether the values of handles count in its state.
    #[cfg(any(shuttle, all(test, not(loom))))]
    hashes_handles: bool,
    /// The first thing that was found in this execution, until its engine takes it.
    finding: Invisible<Option<Finding>>,
    registrar: Registrar,
    modules: Vec<ModuleState>,
    pending: Pending,
    /// Whether somebody needs to hear that a wait is over.
    has_completer: bool,
    /// A thread's number for each callback that it is inside of, and whose callback that is; innermost
    /// last.
    inside: Invisible<Vec<(u8, RegId)>>,
    /// Binding contexts as their owners see them, and whether they are freed; of scenarios with a faulty
    /// module only.
    contexts: Invisible<BTreeMap<(Pair, bool), bool>>,
    /// How many panics of scripts are on their way from a callback through a call of the registrar.
    unwinding: Invisible<usize>,
    /// The callback that each thread has come out of, if it has done nothing since.
    last: Invisible<Vec<(u8, Callback)>>,
    /// What each registration was made with.
    instances: Invisible<Vec<(RegId, Weak<RegistrationInstance>)>>,
    /// What stands behind null contexts.
    kept: Invisible<Vec<Arc<module::Token>>>,
    /// The scenario's number of each of the engine's threads.
    threads: Invisible<Vec<(ThreadId, u8)>>,
    /// Threads that have begun and not ended; the main one only while it does something itself.
    active: Invisible<BTreeSet<u8>>,
    /// Where in their scripts the threads are. For words only: to an explorer it is their [`Place`].
    reached: Invisible<Reached>,
    /// The registrar's tables as they were, where their changes are shown.
    #[cfg(shuttle)]
    tables: Invisible<changes::Tables>,
    /// Which registration each handle was issued for.
    handles: Invisible<HashMap<AnyHandle, RegId>>,
    /// Which pair each binding handle was issued for.
    bindings: Invisible<HashMap<BindingHandle, Pair>>,
}

/// How far a thread has come, where it keeps nothing else. Threads that stand at the same place of
/// symmetric scripts are told apart by their numbers.
#[derive(Hash)]
enum Place {
    /// Of the main thread: what is next before the others start.
    Before(usize),
    /// Of the main thread: it waits for the others.
    Between,
    /// What is next of a thread's own operations.
    Thread(ThreadNumber, usize),
    /// The thread completes pending detaches as they come, and has done with one.
    Completing(ThreadNumber),
    /// Of the main thread: what is next after the others have ended.
    After(usize),
}

/// What one execution knows of one module.
struct ModuleState {
    latest: Latest<RegId, AnyHandle>,
    /// Registrations that are owned, the latest one last.
    owned: Invisible<Vec<(RegId, ManuallyDrop<Owned>)>>,
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
        let stale = watch.uses_stale_handles(scenario);
        Arc::new(Self {
            watch: watch.clone(),
            recorder: recorder::Recorder::new(scenario.limits, stale),
            #[cfg(any(shuttle, all(test, not(loom))))]
            hashes_handles: stale,
            finding: Invisible::default(),
            registrar: registrar(scenario, stale),
            modules: (0..)
                .zip(modules)
                .map(|(index, module)| ModuleState::new(scenario, index, module))
                .collect(),
            pending: Pending::new(waits(scenario), scenario.completes_any()),
            has_completer: scenario.has_completer(),
            inside: Invisible::default(),
            contexts: Invisible::default(),
            unwinding: Invisible::default(),
            instances: Invisible::default(),
            last: Invisible::default(),
            kept: Invisible::default(),
            threads: Invisible::default(),
            active: Invisible::default(),
            reached: Invisible::default(),
            #[cfg(shuttle)]
            tables: Invisible::default(),
            handles: Invisible::default(),
            bindings: Invisible::default(),
            scenario: scenario.clone(),
        })
    }

    /// Runs the scenario.
    pub(crate) fn to_the_end(self: Arc<Self>) {
        self.begin_thread(0);
        self.follow(Script::Before, Place::Before);
        self.end_thread(0);
        match self.scenario.threads.as_slice() {
            [] => {}
            // With nothing beside it, it needs no thread.
            [_] => self.clone().thread(1),
            _ => self.side_by_side(),
        }
        self.begin_thread(0);
        self.follow(Script::After, Place::After);
        self.end_thread(0);
        self.quiet();
    }

    fn side_by_side(self: &Arc<Self>) {
        let start = Arc::new(StartingLine::new(self.scenario.threads.len()));
        let numbers = 1..=self.scenario.threads.len() as u8;
        let threads = numbers.map(|number| {
            let (run, start) = (self.clone(), start.clone());
            let name = self.scenario.thread_name(number);
            let spawned = thread::Builder::new().name(name).spawn(move || {
                start.wait();
                run.thread(number);
            });
            spawned.expect("a thread can be started")
        });
        let threads: Vec<_> = threads.collect();
        // How many it has waited for follows from which have ended. Were it kept, the order would tell
        // threads apart that are the same.
        forget(&Place::Between);
        for thread in threads {
            if let Err(payload) = thread.join() {
                resume_unwind(payload);
            }
            forget(&Place::Between);
        }
    }

    fn thread(self: Arc<Self>, number: u8) {
        self.begin_thread(number);
        let script = Script::Thread(number);
        self.follow(script, |next| Place::Thread(ThreadNumber(number), next));
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

    /// Performs a thread's own operations.
    ///
    /// Between two of them it keeps nothing but its place: an operation answers nothing, no call of the
    /// registrar is open, nothing is caught or held, and whatever was handed out for later use (handles,
    /// names, pending detaches, tokens) is in this `Run`, where `hash_state` or the description of a
    /// mutex shows it.
    fn follow(self: &Arc<Self>, script: Script, place: impl Fn(usize) -> Place) {
        self.perform_each(script, |index| forget(&place(index + 1)));
    }

    /// Performs a callback's operations.
    fn perform_all(self: &Arc<Self>, script: Script) {
        let remembered = remember();
        self.perform_each(script, |index| remembered.and(&index));
    }

    fn perform_each(self: &Arc<Self>, script: Script, done: impl Fn(usize)) {
        let ops = script.ops(&self.scenario);
        if ops.is_empty() {
            return;
        }
        let thread = self.number();
        for (index, op) in ops.iter().enumerate() {
            lock(&self.reached).enter(thread, script, index);
            self.perform(op);
            lock(&self.reached).leave(thread);
            done(index);
        }
    }

    /// Performs a destructor's operations. A panic of the harness's own, which says that the execution is
    /// over, must not come out of a destructor.
    fn perform_in_drop(self: &Arc<Self>, script: Script) {
        if script.ops(&self.scenario).is_empty() || self.is_taken_apart() {
            return;
        }
        let _ = catch_unwind(AssertUnwindSafe(|| self.perform_all(script)));
    }

    fn quiet(&self) {
        if is_redundant() {
            return;
        }
        let count = self.registrar.count();
        let quiet = Quiet {
            registrations: count.registrations,
            bindings: count.bindings,
            instances: lock(&self.instances)
                .iter()
                .filter(|(_, instance)| instance.strong_count() > 0)
                .count(),
            drained: self.pending.is_empty(),
            leaked: self.leaked_context(),
        };
        if let Some(finding) = self.recorder.quiet(&quiet) {
            self.found(finding);
        } else {
            if !is_explored() {
                self.watch.add_exercised(&self.recorder.exercised());
            }
            self.watch
                .saw(&self.scenario, || self.recorder.fingerprint());
            self.watch.ended(&self.scenario, &self.recorder.left());
        }
    }

    /// The execution is over, or nobody is interested in the rest of it.
    #[cfg(shuttle)]
    pub(crate) fn conclude(&self) {
        self.watch.add_exercised(&self.recorder.exercised_anew());
    }

    /// Something came of something: an answer of a call, a reply of a callback.
    fn came(&self, of: impl Hash, what: impl Hash) {
        if !is_redundant() {
            let thread = ThreadNumber(self.number());
            self.watch
                .saw(&self.scenario, || fingerprint(&(thread, &of, &what)));
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

    /// The execution cannot go on: what is found, if nothing was before. `details` is what the engine
    /// says of it.
    pub(crate) fn stuck(&self, details: &str) {
        let blocked: Vec<u8> = lock(&self.active).iter().copied().collect();
        if let Some(mut finding) = self.recorder.stuck(self, &blocked) {
            if !details.is_empty() {
                finding.message = format!("{}\n{details}", finding.message);
            }
            self.found(finding);
        }
    }

    /// Something panicked that no script asked to.
    pub(crate) fn crashed(&self, message: &str) {
        let rule = broken_rule(message);
        let message = format!("the program under test panicked: {message}");
        if let Some(finding) = self.recorder.crashed(rule, message) {
            self.found(finding);
        }
    }

    /// A rule broke in a way that is no event; the thread is stopped.
    fn violated(&self, rule: Rule, message: String) {
        if let Some(finding) = self.recorder.violated(rule, message) {
            self.found(finding);
            resume_unwind(Box::new(recorder::Stop));
        }
    }

    /// The registrar issued a handle. Dead ones are not issued again (C12).
    ///
    /// What was issued before needs no part in the state that an explorer sees, unless
    /// handles are used there that outlive what they name: a value that is issued again is found right then, and
    /// which value comes next follows from the slots. Where those do not count, handles are not used
    /// once they are dead, and no later verdict rests on them but this one.
    fn issued(&self, reg: RegId, handle: AnyHandle) {
        if lock(&self.handles).insert(handle, reg).is_some() {
            self.violated(VALIDITY, format!("the handle of {reg} was issued before"));
        }
    }

    /// The same for a binding's handle, of which both sides are told.
    fn issued_binding(&self, pair: Pair, binding: BindingHandle) {
        let before = lock(&self.bindings).insert(binding, pair);
        if before.is_some_and(|before| before != pair) {
            self.violated(VALIDITY, format!("the handle of {pair} was issued before"));
        }
    }

    fn found(&self, mut finding: Finding) {
        finding.message = in_names(&self.scenario, &finding.message);
        self.watch.add_exercised(&self.recorder.exercised());
        lock(&self.finding).get_or_insert_with(|| finding.clone());
        // Nothing that comes now counts.
        #[cfg(shuttle)]
        nmr_sync::hook::abandon_execution();
        self.watch.found(&finding);
    }

    /// What was found in this execution, for its engine. loom's hears of it as it is found.
    #[cfg(not(loom))]
    pub(crate) fn take_finding(&self) -> Option<Finding> {
        let finding = lock(&self.finding).take();
        finding.inspect(|_| self.watch.heard())
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
        mark(&InWords(&self.scenario, what));
        #[cfg(shuttle)]
        if is_redundant() {
            return self.recorder.note(Some(self.number()), what);
        }
        if let Some(finding) = self.recorder.record(self.number(), what) {
            self.found(finding);
            resume_unwind(Box::new(recorder::Stop));
        }
    }

    /// The registrar lets go of something of a module's. Others may come in between whatever its thread did
    /// before and this, which is the use of its owner's memory, too: a destructor is the module's code.
    fn dropped(&self, thing: Thing) {
        if self.is_taken_apart() {
            return;
        }
        linger();
        order(thing.registrations());
        let owner = thing.owner();
        let is_freed = self.memory(owner).is_some_and(|memory| memory.is_freed());
        // A binding context that its module hands over much too late is not the registrar's to keep.
        if is_freed && thing == Thing::Module(owner) {
            self.record_dropped(What::UsedAfterFree(thing));
        }
        self.record_dropped(What::Dropped(thing));
    }

    /// Whether what is dropped now is dropped by an engine that takes the execution apart, and not by the
    /// registrar. An engine unwinds its threads; the registrar lets go of things while it unwinds, too, but with
    /// the panic of a script only. (In shuttle's models all threads seem to panic when one does.)
    fn is_taken_apart(&self) -> bool {
        std::thread::panicking() && *lock(&self.unwinding) == 0
    }

    /// Never panics, for it is called from `drop`.
    fn record_dropped(&self, what: What) {
        #[cfg(shuttle)]
        if is_redundant() {
            return self.recorder.note(None, what);
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
        // A call begins as late as it may: what the oracle allows for a call that is open, because it
        // may have come early, is then allowed only where it was.
        linger();
        let thread = self.number();
        self.comes(thread, call.registrations());
        self.record(What::Call(call));
        let remembered = remember();
        let result = self.catching(function);
        if result.is_none() {
            *lock(&self.unwinding) -= 1;
        }
        self.comes(thread, call.registrations());
        let answer = result.as_ref().map_or(Answer::Panicked, answer);
        // A handle in it is known by what it names.
        remembered.and(&answer);
        self.came(call, answer);
        self.record(What::Return(answer));
        if self.counts_on_its_calls(thread) {
            self.misused(call, answer);
        }
        result
    }

    /// Whether the call was one of a module's own that counts on it.
    fn counts_on_its_calls(&self, thread: u8) -> bool {
        let inside = lock(&self.inside);
        let mut innermost = inside.iter().rev();
        let innermost = innermost.find(|&&(other, _)| other == thread);
        innermost.is_some_and(|&(_, reg)| self.script(reg).strict)
    }

    /// A call that somebody counts on was answered.
    fn misused(&self, call: Call, answer: Answer) {
        let refused = matches!(
            answer,
            Answer::InvalidParameter | Answer::InvalidState | Answer::WouldDeadlock
        );
        if refused {
            self.record(What::Misused { call, answer });
        }
    }

    /// Runs a callback's body, which answers its reply and what to return to the registrar.
    fn callback<R>(&self, callback: Callback, body: impl FnOnce() -> (Reply, R)) -> R {
        let thread = self.number();
        let last = self.comes(thread, callback.pair.registrations());
        // The two cleanups of a binding come one right after the other.
        let lingered = last.is_some_and(|last| {
            (last.kind, last.side) == (CallbackKind::Cleanup, Side::Client)
                && last.pair == callback.pair
        });
        self.record(What::Begin(callback));
        self.touch(callback.pair.side(callback.side));
        let owner = callback.pair.side(callback.side);
        lock(&self.inside).push((thread, owner));
        if self.script(owner).fault == Some(Fault::NotReady) && !self.is_ready(owner) {
            self.record(What::NotReady { reg: owner });
        }
        let remembered = remember();
        let answer = self.catching(body);
        remembered.and(&answer.as_ref().map(|(reply, _)| reply));
        // A callback takes its time. To whoever judges it, it goes on as long as it may: whatever must
        // not happen before its end must not happen before a later one.
        if !lingered {
            linger();
        }
        self.touch(callback.pair.side(callback.side));
        self.comes(thread, callback.pair.registrations());
        self.leave_callback(thread);
        lock(&self.last).push((thread, callback));
        match answer {
            Some((reply, answer)) => {
                self.came(callback, reply);
                self.record(What::End(reply));
                answer
            }
            None => {
                self.record(What::End(Reply::Panicked));
                *lock(&self.unwinding) += 1;
                scripted_panic();
            }
        }
    }

    fn leave_callback(&self, thread: u8) {
        let mut inside = lock(&self.inside);
        if let Some(index) = inside.iter().rposition(|&(other, _)| other == thread) {
            inside.remove(index);
        }
    }

    /// Whether the register call has returned, after which its caller is ready.
    fn is_ready(&self, reg: RegId) -> bool {
        lock(&self.handles).values().any(|&issued| issued == reg)
    }

    /// A thread comes to an event about these registrations. It tells the oracle that what it did before
    /// is over, too: that is about the callback that it came out of, which is answered.
    fn comes(&self, thread: u8, about: impl IntoIterator<Item = RegId>) -> Option<Callback> {
        order(about);
        let mut all = lock(&self.last);
        let index = all.iter().position(|&(other, _)| other == thread)?;
        let (_, last) = all.swap_remove(index);
        order(last.pair.registrations());
        Some(last)
    }

    fn is_inside_callback(&self) -> bool {
        let thread = self.number();
        lock(&self.inside).iter().any(|&(other, _)| other == thread)
    }

    /// Catches a script's panic. Any other one is the engine's, or means that the execution is over.
    fn catching<R>(&self, body: impl FnOnce() -> R) -> Option<R> {
        match catch_unwind(AssertUnwindSafe(body)) {
            Ok(result) => Some(result),
            Err(payload) if payload.is::<ScriptedPanic>() => None,
            Err(payload) => {
                self.lost_panic(&*payload);
                self.recorder.freeze();
                resume_unwind(payload);
            }
        }
    }

    /// Somebody's panic came out where that of a script was on its way. The engine's own are told of by the
    /// panic hook, or are no text.
    fn lost_panic(&self, payload: &(dyn Any + Send)) {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        if let Some(text) = text.filter(|_| *lock(&self.unwinding) > 0) {
            let why = format!(
                "a callback's panic is to go on to the caller, and another one comes out: {text}"
            );
            if let Some(finding) = self.recorder.violated(PANICS, why) {
                self.found(finding);
            }
        }
    }

    fn memory(&self, reg: RegId) -> Option<Arc<Memory>> {
        let memories = lock(&self.modules[usize::from(reg.module)].memories);
        memories.get(usize::from(reg.nth)).cloned()
    }

    /// Uses the memory of a registration context.
    fn touch(&self, reg: RegId) {
        if self.memory(reg).is_some_and(|memory| memory.is_freed()) {
            self.record(What::UsedAfterFree(Thing::Module(reg)));
        }
    }

    /// A side takes memory for its context of a binding.
    fn take_context(&self, pair: Pair, side: Side) {
        if self.scenario.has_fault() {
            lock(&self.contexts).insert((pair, side == Side::Provider), false);
        }
    }

    /// It frees it.
    fn free_context(&self, pair: Pair, side: Side) {
        if let Some(freed) = lock(&self.contexts).get_mut(&(pair, side == Side::Provider)) {
            *freed = true;
        }
    }

    /// Somebody uses it.
    fn use_context(&self, pair: Pair, side: Side) {
        let context = (pair, side == Side::Provider);
        let freed = lock(&self.contexts).get(&context).copied();
        if freed == Some(true) {
            self.record(What::UsedAfterFree(Thing::Context { pair, side }));
        }
    }

    fn leaked_context(&self) -> Option<(Pair, Side)> {
        let contexts = lock(&self.contexts);
        let mut left = contexts.iter().filter(|(_, freed)| !**freed);
        // While a registration is there, its bindings may be.
        let (&(pair, of_provider), _) = left.find(|((pair, _), _)| self.has_ended(*pair))?;
        let side = if of_provider {
            Side::Provider
        } else {
            Side::Client
        };
        Some((pair, side))
    }

    /// Whether both registrations of a pair were waited for.
    fn has_ended(&self, pair: Pair) -> bool {
        let freed = |reg| self.memory(reg).is_some_and(|memory| memory.is_freed());
        pair.registrations().into_iter().all(freed)
    }

    fn free(&self, reg: RegId) {
        let memory =
            lock(&self.modules[usize::from(reg.module)].memories)[usize::from(reg.nth)].clone();
        memory.free();
    }
}

impl ModuleState {
    fn new(scenario: &Scenario, index: u32, module: &Module) -> Self {
        let (raced, binding_raced) = (
            scenario.is_raced(&module.name),
            scenario.is_binding_raced(&module.name),
        );
        Self {
            latest: Latest::new(raced, true, LATEST | index),
            owned: Invisible::default(),
            memories: Invisible::default(),
            last_binding: Latest::new(
                binding_raced,
                scenario.is_last_binding_used(&module.name),
                LAST_BINDING | index,
            ),
            rundown: (module.detach == Detach::Rundown).then(Rundown::new),
        }
    }
}

fn registrar(scenario: &Scenario, hash_slots: bool) -> Registrar {
    let builder = Registrar::builder().stripes(STRIPES);
    let builder = match hash_slots {
        true => builder.hash_slots(),
        false => builder,
    };
    scenario.limits.apply(builder).build()
}

/// For each module, the number of `wait` operations in threads.
fn waits(scenario: &Scenario) -> Vec<usize> {
    let waits = |name: &str| {
        let ops = scenario.threads.iter().flat_map(|thread| &thread.ops);
        ops.filter(|op| is_wait(op) && op.module() == Some(name))
            .count()
    };
    scenario
        .modules
        .iter()
        .map(|module| waits(&module.name))
        .collect()
}

/// Keys of what is no primitive and is used by several threads, with the module's index; see
/// [`touch`](nmr_sync::touch). Those of registrations are below.
const MEMORIES: u32 = 1 << 16;
const LATEST: u32 = 2 << 16;
const LAST_BINDING: u32 = 3 << 16;
const MEMORY: u32 = 4 << 16;
const OWNED: u32 = 5 << 16;

/// A registration, as a part of such a key.
fn key(reg: RegId) -> u32 {
    u32::from(reg.module) << 8 | u32::from(reg.nth)
}

/// What is observed of a registration is observed in an order: the oracle judges by it.
fn order(registrations: impl IntoIterator<Item = RegId>) {
    for reg in registrations {
        nmr_sync::touch(key(reg));
    }
}

/// The rule that the words of an assertion name.
fn broken_rule(message: &str) -> Option<Rule> {
    let compared = message.strip_prefix("assertion ");
    let compared = compared.and_then(|rest| rest.split_once(" failed: "));
    Rule::named_in(compared.map_or(message, |(_, words)| words))
}

/// The lower four bits of the number are the GUID's lowest ones; each of the upper four is a bit of another
/// part of it, by which alone an interface can differ from another one under the same monitor.
fn npi_id(number: u8) -> NpiId {
    const PARTS: [u32; 4] = [17, 33, 67, 97];
    let parts = PARTS.iter().enumerate();
    let parts = parts.map(|(nth, part)| u128::from(number >> (4 + nth) & 1) << part);
    NpiId(parts.sum::<u128>() | u128::from(number & 15))
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

/// Whether nobody is interested any more in what comes in the execution at hand.
fn is_redundant() -> bool {
    #[cfg(shuttle)]
    return nmr_explorer::is_redundant();
    #[cfg(not(shuttle))]
    false
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;
    use crate::scenarios;

    fn run() -> Arc<Run> {
        let scenario = scenarios::named("two-lives").expect("a scenario");
        let watch = Watch::new(Arc::default(), |_, _| {});
        Run::new(&Arc::new(scenario), &Arc::new(watch))
    }

    #[track_caller]
    fn finds(run: &Run, issue_again: impl FnOnce(), message: &str) {
        let stopped = catch_unwind(AssertUnwindSafe(issue_again));
        assert!(stopped.is_err_and(|payload| payload.is::<recorder::Stop>()));
        let finding = run.take_finding().expect("stopped by it");
        assert_eq!(finding.rule, Some(VALIDITY));
        assert_eq!(finding.message, message);
    }

    #[test]
    fn a_handle_is_issued_once() {
        let run = run();
        let reg = |nth| RegId { module: 0, nth };
        let handle = |bits| AnyHandle::from_raw(nmr::Side::Client, (1, bits));
        run.issued(reg(0), handle(7));
        run.issued(reg(1), handle(8));
        let again = || run.issued(reg(2), handle(7));
        finds(&run, again, "the handle of c'2 was issued before");
    }

    #[test]
    fn a_bindings_handle_is_told_to_both_sides_and_to_no_other_binding() {
        let run = run();
        let [client, provider] = [0, 1].map(|module| RegId { module, nth: 0 });
        let pair = Pair { client, provider };
        let binding = BindingHandle::from_raw(1, 7);
        run.issued_binding(pair, binding);
        run.issued_binding(pair, binding);
        let other = Pair {
            client: RegId { nth: 1, ..client },
            provider,
        };
        let again = || run.issued_binding(other, binding);
        finds(&run, again, "the handle of c'1–p was issued before");
    }

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
        let stripes = [1, 2, 3, 0x11, 0x21, 0x41, 0x81].map(|number| {
            let instance = nmr::RegistrationInstance::new(npi_id(number), nmr::ModuleId(1));
            let handle = registrar
                .register_client(instance, Arc::new(Nobody))
                .unwrap();
            handle.to_raw().1 >> 52 & 0x3ff
        });
        let different: BTreeSet<u64> = stripes[..3].iter().copied().collect();
        assert_eq!(different.len(), 3, "{stripes:?}");
        // The others differ from 1 in one part of the GUID alone, and are under the same monitor.
        assert!(
            stripes[3..].iter().all(|&stripe| stripe == stripes[0]),
            "{stripes:?}"
        );
    }
}
