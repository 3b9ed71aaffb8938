//! One execution of a scenario: the registrar, the scripted modules, the threads, and the record of
//! what they do.
//!
//! It runs under any engine, or on real threads: it names `nmr-sync`'s primitives only. It judges
//! nothing; the [oracle](crate::oracle) does, event by event.

#[cfg(shuttle)]
mod along;
mod answer;
mod calls;
#[cfg(shuttle)]
mod changes;
#[cfg(shuttle)]
mod classes;
#[cfg(all(test, not(any(loom, shuttle))))]
mod foreign;
#[cfg(shuttle)]
pub(crate) mod foreign_module;
mod frame;
mod identity;
mod memory;
mod module;
mod notes;
mod observe;
mod protection;
mod recorder;
mod scripts;
mod shared;
mod start;
#[cfg(any(shuttle, all(test, not(loom))))]
mod state;
#[cfg(shuttle)]
mod traced;
mod watch;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Weak};

use nmr::{BindingHandle, Registrar, RegistrationInstance};
use nmr_sync::thread::{self, ThreadId};
use nmr_sync::{Monitor, Mutex, forget, is_explored, remember};

use crate::event::{Callback, Pair, Quiet, RegId, Thing};
use crate::interpreter::{
    Ahead, AnyHandle, Contexts, Issued, On, Pending, Prepared, Races, Script,
};
use crate::invisible::{Invisible, lock};
use crate::message::{Message, message};
use crate::oracle::Oracle;
use crate::permuted::ThreadNumber;
use crate::rule::Rule;
use crate::scenario::{Detach, Module};
use identity::{LAST_BINDING, LATEST};
use observe::is_redundant;
use protection::Protection;
use scripts::Reached;
use shared::{Latest, Memory, Owned, PendingDetaches};
use start::StartingLine;

#[cfg(shuttle)]
pub(crate) use along::{Difference, Follower, Way};
pub use recorder::Finding;
#[cfg(shuttle)]
pub(crate) use traced::{Held, Traced};
pub(crate) use watch::Watch;

/// Stripes of the registrar under test: few, for each is a lock that the model knows. The interfaces
/// 1 to 3 have one each.
const STRIPES: usize = 4;

/// See the [module's documentation](self).
pub(crate) struct Run {
    prepared: Arc<Prepared>,
    watch: Arc<Watch>,
    recorder: recorder::Recorder,
    /// The first thing that was found in this execution, until its engine takes it.
    finding: Invisible<Option<Finding>>,
    registrar: Registrar,
    modules: Vec<ModuleState>,
    pending: PendingDetaches,
    /// A thread's number for each callback that it is inside of, and that callback; innermost last.
    inside: Invisible<Vec<(u8, Callback)>>,
    /// The same for each destructor with a script that it is inside of, and what that destroys.
    destroying: Invisible<Vec<(u8, Thing)>>,
    /// Binding contexts as their owners see them, and whether they are freed; of scenarios with a faulty
    /// module only.
    contexts: Invisible<Contexts>,
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
    events: Vec<Monitor<bool>>,
    /// The modules' own locks, and who has each.
    locks: Vec<Monitor<Option<ThreadNumber>>>,
    /// The same for words, where nobody waits to look.
    holders: Vec<Invisible<Option<u8>>>,
    /// Taken where a module is unloaded, and where calls begin and return, if any is: loom orders what it sees, and this is
    /// nothing that it would see. Other engines are told where a thread lingers.
    unloads: Option<Mutex<()>>,
    /// Threads that wait for an event or a lock.
    blocked: Invisible<Vec<(u8, On)>>,
    /// They are in a livelock.
    spins: Invisible<bool>,
    /// Where in their scripts the threads are. For words only: to an explorer it is their [`Place`].
    reached: Invisible<Reached>,
    /// The registrar's tables as they were, where their changes are shown.
    #[cfg(shuttle)]
    tables: Invisible<changes::Tables>,
    /// What happened, and whose the slots of tables are, where an execution is shown.
    #[cfg(shuttle)]
    moments: Invisible<Vec<traced::Moment>>,
    #[cfg(shuttle)]
    slots: Invisible<traced::Slots>,
    /// What modules in C keep.
    #[cfg(shuttle)]
    foreign: foreign_module::State,
    /// The handles that were issued. They need no part in the state that an explorer sees, unless stale handles are used:
    /// a value that is issued again is found right then, and which value comes next follows from the slots.
    /// Where handles are not used once they are dead, no later verdict rests on them but this one.
    issued: Invisible<Issued>,
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
    protection: Option<Protection>,
    /// Of one that counts its bindings: how many places are taken.
    taken: Option<Mutex<u8>>,
}

thread_local! {
    /// The execution that this OS thread is in, for the panic hook.
    static CURRENT: RefCell<Weak<Run>> = const { RefCell::new(Weak::new()) };
}

impl Run {
    /// An execution that has yet to begin. To be made, and run, inside the engine's model.
    pub(crate) fn new(prepared: &Arc<Prepared>, watch: &Arc<Watch>) -> Arc<Self> {
        let scenario = &prepared.scenario;
        let uses_stale_handles = prepared.uses_stale_handles;
        let modules = scenario.modules.iter().zip(&prepared.races);
        let oracle = Oracle::of_scenario(scenario);
        let registrar = registrars(uses_stale_handles).stripes(watch.stripes());
        let registrar = scenario.limits.apply(registrar);
        Arc::new(Self {
            watch: watch.clone(),
            recorder: recorder::Recorder::new(oracle.remembering_what_is_gone(uses_stale_handles)),
            finding: Invisible::default(),
            registrar: registrar.build(),
            modules: (0..)
                .zip(modules)
                .map(|(index, (module, &races))| ModuleState::new(index, module, races))
                .collect(),
            pending: PendingDetaches::new(Pending::new(&prepared.waits, prepared.completes_any)),
            inside: Invisible::default(),
            destroying: Invisible::default(),
            contexts: Invisible::default(),
            unwinding: Invisible::default(),
            instances: Invisible::default(),
            last: Invisible::default(),
            kept: Invisible::default(),
            threads: Invisible::default(),
            active: Invisible::default(),
            events: scenario
                .events
                .iter()
                .map(|_| Monitor::new(false))
                .collect(),
            locks: scenario.locks.iter().map(|_| Monitor::new(None)).collect(),
            holders: scenario
                .locks
                .iter()
                .map(|_| Invisible::default())
                .collect(),
            unloads: (cfg!(loom) && prepared.unloads).then(Mutex::default),
            blocked: Invisible::default(),
            spins: Invisible::default(),
            reached: Invisible::default(),
            #[cfg(shuttle)]
            tables: Invisible::default(),
            #[cfg(shuttle)]
            moments: Invisible::default(),
            #[cfg(shuttle)]
            slots: Invisible::default(),
            #[cfg(shuttle)]
            foreign: foreign_module::State::new(watch.c_modules().clone()),
            issued: Invisible::default(),
            prepared: prepared.clone(),
        })
    }

    /// Runs the scenario.
    pub(crate) fn to_the_end(self: Arc<Self>) {
        self.begin_thread(0);
        self.follow(Script::Before, Place::Before);
        self.end_thread(0);
        match self.prepared.scenario.threads.as_slice() {
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
        let start = Arc::new(StartingLine::new(self.prepared.scenario.threads.len()));
        let numbers = 1..=self.prepared.scenario.threads.len() as u8;
        let threads = numbers.map(|number| {
            let (run, start) = (self.clone(), start.clone());
            let name = self.prepared.scenario.thread_name(number);
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

    /// Performs a thread's own operations.
    ///
    /// Between two of them it keeps nothing but its place: an operation answers nothing, no call of the
    /// registrar is open, nothing is caught or held, and whatever was handed out for later use (handles,
    /// names, pending detaches, tokens) is in this `Run`, where `hash_state` or the description of a
    /// mutex shows it.
    fn follow(self: &Arc<Self>, script: Script, place: impl Fn(usize) -> Place) {
        self.perform_each(script, |index| forget(&place(index + 1)));
    }

    /// Performs a destructor's operations. A panic of the harness's own, which says that the execution is
    /// over, must not come out of a destructor.
    fn perform_in_drop(self: &Arc<Self>, script: Script) {
        let performed = AssertUnwindSafe(|| {
            let remembered = remember();
            self.perform_each(script, |index| remembered.and(&index));
        });
        let _ = catch_unwind(performed);
    }

    fn quiet(&self) {
        if is_redundant() {
            return;
        }
        let count = self.registrar.count();
        let leaked = lock(&self.contexts).leaked(|reg| self.has_ended(reg));
        #[cfg(shuttle)]
        let leaked = leaked.or_else(|| self.foreign.leaked(|reg| self.has_ended(reg)));
        let quiet = Quiet {
            registrations: count.registrations,
            bindings: count.bindings,
            instances: lock(&self.instances)
                .iter()
                .filter(|(_, instance)| instance.strong_count() > 0)
                .count(),
            drained: self.pending.is_empty(),
            leaked,
        };
        if let Some(found) = self.recorder.quiet(&quiet) {
            self.found(found);
        } else {
            #[cfg(shuttle)]
            self.traced(self.recorder.history(), false);
            if !is_explored() {
                self.watch.add_exercised(&self.recorder.exercised());
            }
            #[cfg(shuttle)]
            self.watch
                .classify(&self.prepared, || classes::class(&self.recorder.history()));
            self.watch
                .saw(&self.prepared, || self.recorder.fingerprint());
            self.watch.ended(&self.prepared, &self.recorder.left());
        }
    }

    /// The execution is over, or nobody is interested in the rest of it.
    #[cfg(shuttle)]
    pub(crate) fn conclude(&self) {
        self.watch.add_exercised(&self.recorder.exercised_anew());
    }

    /// Why it cannot be driven, if it cannot.
    #[cfg(shuttle)]
    pub(crate) fn take_refusal(&self) -> Option<String> {
        self.foreign.take_refusal()
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
        if let Some(mut found) = self.recorder.stuck(&Ahead(self), &blocked) {
            if !details.is_empty() {
                found.message.extend([message!["\n" {details}]]);
            }
            self.found(found);
        }
    }

    /// Threads go on for ever, and nothing changes: as [`stuck`](Self::stuck).
    #[cfg(shuttle)]
    pub(crate) fn livelocked(&self, details: &str) {
        *lock(&self.spins) = true;
        self.stuck(details);
    }

    /// Something panicked that no script asked to.
    pub(crate) fn crashed(&self, message: &str) {
        let rule = broken_rule(message);
        let message = message!["the program under test panicked: " {message}];
        if let Some(found) = self.recorder.crashed(rule, message) {
            self.found(found);
        }
    }

    /// A rule broke in a way that is no event; the thread is stopped.
    fn violated(&self, rule: Rule, message: Message) {
        if let Some(found) = self.recorder.violated(rule, message) {
            self.found(found);
            resume_unwind(Box::new(recorder::Stop));
        }
    }

    fn found(&self, found: recorder::Found) {
        #[cfg(shuttle)]
        self.traced(found.history.clone(), found.by_event);
        let finding = found.named(&self.prepared.scenario);
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
}

impl Run {
    /// What a module that has a rundown calls its peers under.
    fn protection(&self, module: u8) -> &Protection {
        let protection = self.modules[usize::from(module)].protection.as_ref();
        protection.expect("a scenario dispatches from modules with a rundown only")
    }
}

impl ModuleState {
    fn new(index: u32, module: &Module, races: Races) -> Self {
        let used = races.is_binding_used;
        Self {
            latest: Latest::new(races.registration, true, LATEST | index),
            owned: Invisible::default(),
            memories: Invisible::default(),
            last_binding: Latest::new(races.binding, used, LAST_BINDING | index),
            protection: (module.detach == Detach::Rundown).then(Protection::default),
            taken: module.places().map(|_| Mutex::new(0)),
        }
    }
}

/// Where stale handles are used, it counts which slots a registrar gives out.
fn registrars(uses_stale_handles: bool) -> nmr::Builder {
    let builder = Registrar::builder().stripes(STRIPES);
    match uses_stale_handles {
        true => builder.hash_slots(),
        false => builder,
    }
}

/// The rule that the words of an assertion name.
pub(crate) fn broken_rule(message: &str) -> Option<Rule> {
    let compared = message.strip_prefix("assertion ");
    let compared = compared.and_then(|rest| rest.split_once(" failed: "));
    Rule::named_in(compared.map_or(message, |(_, words)| words))
}
