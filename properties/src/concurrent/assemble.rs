//! A scenario out of a draft.
//!
//! It names modules and threads, registers beforehand what no thread registers, and cuts threads to
//! [`OPERATIONS`]. That the result is fair is [`mended`](fair::mended)'s doing.

use nmr::Side;
use nmr_models::op::Op;
use nmr_models::scenario::{Attach, Module, Scenario, Thread};
use proptest::sample::Index;

use super::fair;
use super::generate::{Draft, ModuleDraft, Phrase, Step, Verb};

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
    let threads: Vec<Thread> = threads.collect();
    let drafts = draft.clients.iter().chain(&draft.providers);
    let registered_before = drafts.clone().zip(&names).filter(|(module, name)| {
        let register = Op::Register((*name).clone());
        module.twice || !threads.iter().any(|thread| thread.ops.contains(&register))
    });
    let after = names.iter().filter(|_| draft.shut_down);
    let after = after.flat_map(|name| [Op::Deregister(name.clone()), Op::Wait(name.clone())]);
    let modules = drafts.clone().enumerate().map(|(index, module)| {
        let side = match index < draft.clients.len() {
            true => Side::Client,
            false => Side::Provider,
        };
        named(module, side, &names[index], &names)
    });
    fair::mended(Scenario {
        name: "generated".to_owned(),
        summary: "drawn at random".to_owned(),
        limits: draft.limits,
        before: registered_before
            .map(|(_, name)| Op::Register(name.clone()))
            .collect(),
        after: after.collect(),
        modules: modules.collect(),
        threads,
        ..Scenario::default()
    })
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
