//! A scenario out of a draft.
//!
//! It names modules and threads, registers beforehand what no thread registers, and cuts threads to
//! [`OPERATIONS`]. That the result is fair is [`mended`](fair::mended)'s doing.

use nmr::Side;
use nmr_models::op::Op;
use nmr_models::scenario::{Attach, Detach, Module, Scenario, Thread};
use proptest::sample::Index;

use super::fair;
use super::generate::{Draft, HandOver, ModuleDraft, Phrase, Section, Step, Verb};

/// The most operations of a thread.
pub const OPERATIONS: usize = 6;

/// Makes a valid and fair scenario.
#[must_use]
pub fn assemble(draft: &Draft) -> Scenario {
    let names = names(draft);
    let threads = draft.threads.iter().enumerate().map(|(index, phrases)| {
        let ops = phrases.iter().flat_map(|phrase| spelled(phrase, &names));
        Thread {
            name: format!("t{}", index + 1),
            ops: ops.take(OPERATIONS).collect(),
        }
    });
    let mut threads: Vec<Thread> = threads.collect();
    if let Some((provider, thread)) = draft.calling {
        for thread in &mut threads {
            thread.ops.retain(|op| !matches!(op, Op::Register(_)));
        }
        let provider = draft.clients.len() + provider.index(draft.providers.len());
        let ops = &mut threads[thread.index(draft.threads.len())].ops;
        ops.insert(0, Op::Dispatch(names[provider].clone()));
    }
    let drafts = draft.clients.iter().chain(&draft.providers);
    let registered_before = drafts.clone().zip(&names).filter(|(module, name)| {
        let register = Op::Register((*name).clone());
        module.twice || !threads.iter().any(|thread| thread.ops.contains(&register))
    });
    let before = registered_before
        .map(|(_, name)| Op::Register(name.clone()))
        .collect();
    let after = names.iter().filter(|_| draft.shut_down);
    let after = after.flat_map(|name| [Op::Deregister(name.clone()), Op::Wait(name.clone())]);
    let modules = drafts.clone().enumerate().map(|(index, module)| {
        let side = match index < draft.clients.len() {
            true => Side::Client,
            false => Side::Provider,
        };
        named(module, side, &names[index], &names)
    });
    let mut modules: Vec<Module> = modules.collect();
    if let Some((provider, _)) = draft.calling {
        let provider = draft.clients.len() + provider.index(draft.providers.len());
        modules[provider].detach = Detach::Rundown;
    }
    for (module, draft) in drafts.enumerate() {
        choose_peer(&mut modules, module, draft);
    }
    for section in &draft.sections {
        lock(section, &mut threads, &mut modules);
    }
    for (number, hand_over) in (1..).zip(&draft.hand_overs) {
        tell(hand_over, &event(number), &mut threads, &mut modules);
    }
    for thread in &mut threads {
        thread.ops.truncate(OPERATIONS);
    }
    fair::mended(Scenario {
        name: "generated".to_owned(),
        summary: "drawn at random".to_owned(),
        limits: draft.limits,
        events: (1..=draft.hand_overs.len()).map(event).collect(),
        locks: LOCKS.map(str::to_owned).into(),
        before,
        after: after.collect(),
        modules,
        threads,
        ..Scenario::default()
    })
}

/// The locks, in the order in which they may be taken; the last one is that of callbacks.
const LOCKS: [&str; 3] = ["outer", "inner", "leaf"];

/// `e1`, `e2`, …
fn event(number: usize) -> String {
    format!("e{number}")
}

/// A module chooses one of those that it could attach to.
fn choose_peer(modules: &mut [Module], module: usize, draft: &ModuleDraft) {
    let (own, all) = (&modules[module], &*modules);
    let peers = all
        .iter()
        .filter(|peer| peer.side != own.side && peer.npi == own.npi);
    let peers: Vec<String> = peers.map(|peer| peer.name.clone()).collect();
    if let Some(chosen) = draft.peer.filter(|_| peers.len() > 1) {
        modules[module].peers = vec![chosen.get(&peers).clone()];
    }
}

/// The callback of a module.
fn callback(modules: &mut [Module], (module, called): (Index, Index)) -> &mut Vec<Op> {
    let module = &mut modules[module.index(modules.len())];
    let Module {
        in_attach,
        in_detach,
        in_cleanup,
        ..
    } = module;
    match called.index(3) {
        0 => in_attach,
        1 => in_detach,
        _ => in_cleanup,
    }
}

fn lock(section: &Section, threads: &mut [Thread], modules: &mut [Module]) {
    let [outer, inner, leaf] = LOCKS.map(str::to_owned);
    if let Some(inside) = section.inside {
        let ops = [Op::Lock(leaf.clone()), Op::Yield, Op::Unlock(leaf)];
        callback(modules, inside).extend(ops);
        return;
    }
    let lock = if section.outer { outer } else { inner };
    let ops = &mut threads[section.thread.index(threads.len())].ops;
    let from = section.from.index(ops.len().max(1)).min(ops.len());
    let to = (from + section.length).min(ops.len());
    ops.insert(to, Op::Unlock(lock.clone()));
    ops.insert(from, Op::Lock(lock));
}

fn tell(hand_over: &HandOver, event: &str, threads: &mut [Thread], modules: &mut [Module]) {
    let (set, awaits) = (Op::Set(event.to_owned()), Op::Await(event.to_owned()));
    let setting = hand_over.from.index(threads.len());
    let ops = &mut threads[setting].ops;
    if let Some(inside) = hand_over.inside {
        // Before any call: any other one could make the callback.
        ops.insert(0, set);
        callback(modules, inside).push(awaits);
        return;
    }
    let wait = ops
        .iter()
        .position(|op| matches!(op, Op::Wait(_) | Op::Await(_)));
    let most = wait.unwrap_or(ops.len());
    ops.insert(hand_over.set.index(most + 1), set);
    let others: Vec<usize> = (0..threads.len()).filter(|&it| it != setting).collect();
    let ops = &mut threads[*hand_over.to.get(&others)].ops;
    ops.insert(hand_over.awaited.index(ops.len() + 1), awaits);
}

/// `c1`, `c2`, …, `p1`, `p2`, …
fn names(draft: &Draft) -> Vec<String> {
    let clients = (1..=draft.clients.len()).map(|number| format!("c{number}"));
    let providers = (1..=draft.providers.len()).map(|number| format!("p{number}"));
    clients.chain(providers).collect()
}

fn named(draft: &ModuleDraft, side: Side, name: &str, names: &[String]) -> Module {
    let client_only = !matches!(
        draft.attach,
        Attach::Accept | Attach::Decline | Attach::OneAtATime | Attach::Panic
    );
    let attaches = !matches!(
        draft.attach,
        Attach::Decline | Attach::Hollow | Attach::Panic
    );
    let [in_attach, in_detach, in_cleanup, after_attach] = draft.calls.each_ref().map(|calls| {
        let ops = calls.iter().map(|&(verb, module)| op(verb, &module, names));
        ops.collect()
    });
    Module {
        attach: match side == Side::Provider && client_only {
            true => Attach::Accept,
            false => draft.attach,
        },
        detach: draft.detach,
        cleanup: draft.cleanup,
        null_context: draft.null_context,
        in_attach,
        after_attach: match side == Side::Client && attaches {
            true => after_attach,
            false => Vec::new(),
        },
        in_detach,
        in_cleanup,
        ..Module::new(name, side, if draft.elsewhere { 2 } else { 1 })
    }
}

fn spelled(phrase: &Phrase, names: &[String]) -> Vec<Op> {
    let op = |verb| op(verb, &phrase.module, names);
    match phrase.step {
        Step::Live(between) => [Some(Verb::Register), between, Some(Verb::Deregister)]
            .into_iter()
            .flatten()
            .chain([Verb::Wait])
            .map(op)
            .collect(),
        Step::Close => vec![op(Verb::Deregister), op(Verb::Wait)],
        Step::Do(verb) => vec![op(verb)],
    }
}

fn op(verb: Verb, module: &Index, names: &[String]) -> Op {
    let name = || module.get(names).clone();
    match verb {
        Verb::Register => Op::Register(name()),
        Verb::Deregister => Op::Deregister(name()),
        Verb::Wait => Op::Wait(name()),
        Verb::TryComplete => Op::TryComplete(name()),
        Verb::CompleteAgain => Op::CompleteAgain(name()),
        Verb::Attach => Op::Attach(name()),
        Verb::Dispatch => Op::Dispatch(name()),
        Verb::DeregisterWrong => Op::DeregisterWrong(name()),
        Verb::DeregisterForeign => Op::DeregisterForeign(name()),
        Verb::DeregisterForged => Op::DeregisterForged,
        Verb::WaitForged => Op::WaitForged,
        Verb::CompleteForged => Op::CompleteForged,
        Verb::Yield => Op::Yield,
    }
}
