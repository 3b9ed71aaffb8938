//! Fairness: a scenario that can end, whatever the interleaving, under a registrar that keeps its
//! contract. Otherwise each hang would be the scenario's and not a finding.
//!
//! What can make a thread wait is a `wait`, and a register call that panics, which waits for the end
//! of the registration that it takes back (C18). Both wait for callbacks, which end because nothing
//! in them waits for another thread, and for pending detaches, which a thread with `complete-all`
//! completes for as long as a `wait` is still to come. Hence the rules, which [`mended`] brings about:
//!
//! 1. In callbacks, `wait` only for the own module and only if it registers once: then it is the
//!    registration whose callback this is, and the answer is immediate (C15).
//! 2. In callbacks, `register` only modules of a higher interface: registrations of registrations
//!    end.
//! 3. Where detaches are pending, the main thread does not wait and, if any thread does, one that does
//!    not ends with `complete-all`.
//! 4. Where detaches are pending and callbacks panic, only threads register, each of which has a
//!    `wait` to come (which keeps the completer there), and the completer registers nothing.
//! 5. A null context means one binding (the validity of scenarios asks for that), so the interface's
//!    modules are not registered in callbacks, which may come any number of times; and it is handed
//!    over once, by the module's own attach callback.
//! 6. Locks of the modules' own are no deadlock: see `fair/locks.rs`.
//! 7. What is awaited is set in the end: see `fair/events.rs`.
//!
//! 8. A provider calls its clients only in threads, and only if all registrations on its interface are the main
//!    thread's, before there are others: then their attach callbacks have returned success (C3).
//!
//! 9. Who calls peers through their dispatch tables does not complete again: it would answer for calls that are not over.
//!
//! So each deadlock is the registrar's fault, and no verdict has to tell whose it is.

use std::path::Path;

use nmr::Side;
use nmr_models::op::Op;
use nmr_models::scenario::{Attach, Cleanup, Detach, MAX_LOOM_THREADS, Module, Scenario, Thread};

use super::assemble::OPERATIONS;

mod events;
mod locks;

/// Whether a scenario is valid and keeps the rules above.
#[must_use]
pub fn is_fair(scenario: &Scenario) -> bool {
    scenario.check(Path::new("generated"), "").is_ok() && mended(scenario.clone()) == *scenario
}

/// The scenario with as little changed as makes it valid and fair. What is so stays as it is.
#[must_use]
pub fn mended(mut scenario: Scenario) -> Scenario {
    mend_peers(&mut scenario);
    mend_dispatches(&mut scenario);
    mend_completions(&mut scenario);
    mend_callbacks(&mut scenario);
    mend_null_contexts(&mut scenario);
    if has_pending(&scenario) {
        scenario.after.retain(|op| !matches!(op, Op::Wait(_)));
        scenario.before.retain(|op| !matches!(op, Op::Wait(_)));
        mend_completers(&mut scenario);
        if !keeps_completer(&scenario) {
            scenario.modules.iter_mut().for_each(calm);
        }
    } else {
        let threads = scenario.threads.iter_mut();
        threads.for_each(|thread| thread.ops.retain(|op| !is_completer(op)));
    }
    locks::mend(&mut scenario);
    events::mend(&mut scenario);
    scenario
}

fn has_pending(scenario: &Scenario) -> bool {
    let mut modules = scenario.modules.iter();
    modules.any(|module| module.detach == Detach::Pending)
}

const fn is_register(op: &Op) -> bool {
    matches!(op, Op::Register(_))
}

/// One that goes on for as long as a wait is still to come.
const fn is_completer(op: &Op) -> bool {
    matches!(op, Op::CompleteAll | Op::CompleteAny)
}

const fn is_wait(op: &Op) -> bool {
    matches!(op, Op::Wait(_))
}

fn operations(scenario: &Scenario) -> impl Iterator<Item = &Op> {
    let threads = scenario.threads.iter().flat_map(|thread| &thread.ops);
    let outside = scenario.before.iter().chain(&scenario.after).chain(threads);
    outside.chain(scenario.modules.iter().flat_map(Module::scripts).flatten())
}

/// How many operations register a module: of threads, and of callbacks.
fn registrations(scenario: &Scenario, module: &str) -> (usize, usize) {
    let threads = scenario.threads.iter().flat_map(|thread| &thread.ops);
    let outside = scenario.before.iter().chain(&scenario.after).chain(threads);
    let inside = scenario.modules.iter().flat_map(Module::scripts).flatten();
    let registers = |op: &&Op| is_register(op) && op.module() == Some(module);
    (
        outside.filter(registers).count(),
        inside.filter(registers).count(),
    )
}

/// Who is chosen is there, on the other side of the module's own interface.
fn mend_peers(scenario: &mut Scenario) {
    let all = scenario.modules.clone();
    for module in &mut scenario.modules {
        let is_peer = |name: &String| {
            all.iter().any(|other| {
                other.name == *name && other.side != module.side && other.npi == module.npi
            })
        };
        module.peers.retain(is_peer);
    }
}

/// Dispatching needs a rundown, and attaching a client.
fn mend_dispatches(scenario: &mut Scenario) {
    let of = |name: &str, test: &dyn Fn(&Module) -> bool| {
        let mut modules = scenario.modules.iter();
        modules.any(|module| module.name == name && test(module))
    };
    let makes_sense = |op: &Op| match op {
        Op::Attach(name) => of(name, &|module| module.side == Side::Client),
        Op::Dispatch(name) => of(name, &|module| module.detach == Detach::Rundown),
        _ => true,
    };
    // Rule 8.
    let is_provider = |op: &Op| match op {
        Op::Dispatch(name) => of(name, &|module| module.side == Side::Provider),
        _ => false,
    };
    let callbacks = scenario.modules.iter().flat_map(Module::scripts).flatten();
    let threads = scenario.threads.iter().flat_map(|thread| &thread.ops);
    let late: Vec<&Op> = threads
        .chain(callbacks)
        .filter(|op| is_register(op))
        .collect();
    let is_late = |op: &Op| {
        let module = op.module().and_then(|name| scenario.module(name));
        let npi = module.map(|index| scenario.modules[index].npi);
        let on_it = |name: &str| of(name, &|module| Some(module.npi) == npi);
        late.iter().any(|op| op.module().is_some_and(on_it))
    };
    let mut mended = scenario.clone();
    for thread in &mut mended.threads {
        thread.ops.retain(|op| !is_provider(op) || !is_late(op));
    }
    for ops in mended.modules.iter_mut().flat_map(Module::scripts_mut) {
        ops.retain(|op| !is_provider(op));
    }
    let threads = mended.threads.iter_mut().map(|thread| &mut thread.ops);
    let callbacks = mended.modules.iter_mut().flat_map(Module::scripts_mut);
    for ops in threads.chain(callbacks) {
        ops.retain(makes_sense);
    }
    *scenario = mended;
}

/// Rule 9.
fn mend_completions(scenario: &mut Scenario) {
    let before = scenario.clone();
    let dispatches =
        |name: &String| operations(&before).any(|op| *op == Op::Dispatch(name.clone()));
    let threads = scenario.threads.iter_mut().map(|thread| &mut thread.ops);
    let callbacks = scenario.modules.iter_mut().flat_map(Module::scripts_mut);
    let outside = [&mut scenario.before, &mut scenario.after];
    for ops in threads.chain(callbacks).chain(outside) {
        ops.retain(|op| !matches!(op, Op::CompleteAgain(name) if dispatches(name)));
    }
}

/// Rules 1 and 2. Waits come second: rule 2 takes registrations away.
fn mend_callbacks(scenario: &mut Scenario) {
    let interface = |scenario: &Scenario, name: &str| {
        let module = scenario.module(name);
        module.map_or(0, |index| scenario.modules[index].npi)
    };
    let before = scenario.clone();
    for module in &mut scenario.modules {
        let npi = module.npi;
        for ops in module.scripts_mut() {
            ops.retain(|op| match op {
                Op::Register(name) => interface(&before, name) > npi,
                Op::Complete(_) | Op::CompleteAll | Op::CompleteAny => false,
                _ => true,
            });
        }
    }
    let before = scenario.clone();
    for module in &mut scenario.modules {
        let name = module.name.clone();
        let (outside, inside) = registrations(&before, &name);
        let once = outside <= 1 && inside == 0;
        for ops in module.scripts_mut() {
            ops.retain(|op| !is_wait(op) || (once && op.module() == Some(&name)));
        }
    }
}

/// Rule 5.
fn mend_null_contexts(scenario: &mut Scenario) {
    let before = scenario.clone();
    for module in &mut scenario.modules {
        let peers = before.modules.iter();
        let peers = peers.filter(|peer| peer.npi == module.npi && peer.side != module.side);
        let peers = peers.map(|peer| registrations(&before, &peer.name));
        let (peers, inside) = peers.fold((0, 0), |sum, (outside, inside)| {
            (sum.0 + outside, sum.1 + inside)
        });
        let own = registrations(&before, &module.name);
        let plain = matches!(module.attach, Attach::Accept | Attach::Decline);
        let attach = Op::Attach(module.name.clone());
        let attached_at_large = operations(&before).any(|op| *op == attach);
        if peers > 1 || own.0 > 1 || own.1 + inside > 0 || !plain || attached_at_large {
            module.null_context = false;
        }
    }
}

/// Rule 3.
fn mend_completers(scenario: &mut Scenario) {
    let waits = |thread: &Thread| thread.ops.iter().any(is_wait);
    let completes = |thread: &Thread| thread.ops.last().is_some_and(is_completer);
    if !scenario.threads.iter().any(waits) {
        let threads = scenario.threads.iter_mut();
        threads.for_each(|thread| thread.ops.retain(|op| !is_completer(op)));
        return;
    }
    if scenario
        .threads
        .iter()
        .any(|thread| completes(thread) && !waits(thread))
    {
        return;
    }
    let idle = scenario.threads.iter().position(|thread| !waits(thread));
    match idle {
        Some(index) => append_completer(&mut scenario.threads[index]),
        None if scenario.threads.len() < MAX_LOOM_THREADS => {
            let mut completer = Thread {
                name: format!("t{}", scenario.threads.len() + 1),
                ops: Vec::new(),
            };
            append_completer(&mut completer);
            scenario.threads.push(completer);
        }
        None => {
            let last = scenario.threads.last_mut().expect("all of them wait");
            last.ops.retain(|op| !is_wait(op));
            append_completer(last);
            // It may have been the only one that waited.
            mend_completers(scenario);
        }
    }
}

fn append_completer(thread: &mut Thread) {
    thread.ops.retain(|op| !is_completer(op));
    thread.ops.truncate(OPERATIONS - 1);
    thread.ops.push(Op::CompleteAll);
}

/// Whether a callback of the module panics.
fn can_panic(module: &Module) -> bool {
    let attach = matches!(module.attach, Attach::Panic | Attach::PanicAfterAttach);
    attach || module.detach == Detach::Panic || module.cleanup == Cleanup::Panic
}

/// Rule 4, for a scenario with pending detaches.
fn keeps_completer(scenario: &Scenario) -> bool {
    if !scenario.modules.iter().any(can_panic) {
        return true;
    }
    let in_callbacks = scenario.modules.iter().flat_map(Module::scripts).flatten();
    let mut elsewhere = in_callbacks.chain(&scenario.before).chain(&scenario.after);
    let waits_afterwards = |thread: &Thread| {
        let last = thread.ops.iter().rposition(is_register);
        last.is_none_or(|last| thread.ops[last..].iter().any(is_wait))
    };
    !elsewhere.any(is_register) && scenario.threads.iter().all(waits_afterwards)
}

/// Nothing panics any more.
fn calm(module: &mut Module) {
    match module.attach {
        Attach::Panic => module.attach = Attach::Decline,
        Attach::PanicAfterAttach => module.attach = Attach::ChangeOfMind,
        _ => {}
    }
    if module.detach == Detach::Panic {
        module.detach = Detach::Complete;
    }
    module.cleanup = Cleanup::Return;
}
