//! Events that are set in the end: rule 7 of [`fair`](super).
//!
//! A thread awaits only what another one sets before it first waits for anything. So nothing stands between a thread
//! and what it sets but its own calls. These end, except where something panics: then they may wait for a completion
//! (C18), and so a completer awaits nothing where something panics.
//!
//! A callback may be made by any thread that calls the registrar, also by the one that would set what it awaits. So it
//! awaits only what a thread sets before it calls anything; and it is none that the main thread may come to before there
//! are threads.

use std::collections::BTreeSet;

use nmr_models::op::Op;
use nmr_models::scenario::{Attach, Module, Scenario};

use super::{can_panic, is_completer, is_wait};

/// Takes out what may be awaited for ever, and what nobody awaits.
pub(super) fn mend(scenario: &mut Scenario) {
    let is_event = |op: &Op| matches!(op, Op::Set(_) | Op::Await(_));
    for ops in [&mut scenario.before, &mut scenario.after] {
        ops.retain(|op| !is_event(op));
    }
    for module in &mut scenario.modules {
        for ops in module.scripts_mut() {
            ops.retain(|op| !matches!(op, Op::Set(_)));
        }
    }
    mend_callbacks(scenario);
    let panics = scenario.modules.iter().any(can_panic);
    while let Some((thread, index)) = first_in_vain(scenario, panics) {
        scenario.threads[thread].ops.remove(index);
    }
    let awaited: BTreeSet<String> = operations(scenario).filter_map(awaited).cloned().collect();
    for thread in &mut scenario.threads {
        thread.ops.retain(|op| match op {
            Op::Set(event) => awaited.contains(event),
            _ => true,
        });
    }
    scenario.events.retain(|event| awaited.contains(event));
}

fn operations(scenario: &Scenario) -> impl Iterator<Item = &Op> {
    let threads = scenario.threads.iter().flat_map(|thread| &thread.ops);
    let modules = scenario.modules.iter();
    threads.chain(modules.flat_map(|module| module.scripts().into_iter().flatten()))
}

const fn awaited(op: &Op) -> Option<&String> {
    match op {
        Op::Await(event) => Some(event),
        _ => None,
    }
}

/// Whether a thread sets the event before the first operation of this kind.
fn sets_before(ops: &[Op], event: &str, is_first: impl Fn(&Op) -> bool) -> bool {
    let set = Op::Set(event.to_owned());
    let set = ops.iter().position(|op| *op == set);
    set.is_some_and(|set| !ops[..set].iter().any(is_first))
}

/// The first `await` of a thread that may be in vain.
fn first_in_vain(scenario: &Scenario, panics: bool) -> Option<(usize, usize)> {
    let threads = &scenario.threads;
    threads.iter().enumerate().find_map(|(thread, own)| {
        let completes = own.ops.iter().any(is_completer);
        let is_set = |event: &String| {
            let others = threads.iter().enumerate();
            let mut others = others.filter(|(other, _)| *other != thread);
            let waits = |op: &Op| is_wait(op) || matches!(op, Op::Await(_));
            others.any(|(_, other)| sets_before(&other.ops, event, waits))
        };
        let in_vain = |op: &Op| {
            let event = awaited(op);
            event.is_some_and(|event| completes && panics || !is_set(event))
        };
        Some((thread, own.ops.iter().position(in_vain)?))
    })
}

fn mend_callbacks(scenario: &mut Scenario) {
    let calls = |op: &Op| {
        !matches!(
            op,
            Op::Yield | Op::Set(_) | Op::DeregisterForged | Op::WaitForged | Op::CompleteForged
        )
    };
    let before = scenario.clone();
    let is_set = |event: &String| {
        let mut threads = before.threads.iter();
        threads.any(|thread| sets_before(&thread.ops, event, calls))
    };
    // The main thread registers beforehand: then there are attach callbacks, and where somebody changes his mind, or
    // deregisters inside of them, others.
    let registers = !before.before.is_empty();
    let goes_back = |module: &Module| {
        can_panic(module)
            || matches!(module.attach, Attach::ChangeOfMind)
            || [&module.in_attach, &module.after_attach]
                .iter()
                .any(|ops| !ops.is_empty())
    };
    let detaches = registers && before.modules.iter().any(goes_back);
    for module in &mut scenario.modules {
        let [
            in_attach,
            after_attach,
            in_detach,
            in_cleanup,
            in_drop,
            in_context_drop,
        ] = module.scripts_mut();
        let may = |ops: &mut Vec<Op>, may: bool| {
            ops.retain(|op| awaited(op).is_none_or(|event| may && is_set(event)));
        };
        may(in_attach, !registers);
        may(after_attach, !registers);
        may(in_detach, !detaches);
        may(in_cleanup, !detaches);
        may(in_drop, false);
        may(in_context_drop, false);
    }
}
