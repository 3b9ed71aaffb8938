//! Locks of the modules' own that no thread can be deadlocked by: rule 6 of [`fair`](super).
//!
//! A lock that some callback takes is a leaf: nothing but `yield` happens under it, wherever it is taken. Any other
//! lock is one of threads. Under it nothing waits that could wait for whoever wants it: no `wait`, no `await`, no
//! completer; and locks are taken in the order in which the scenario names them. What runs under it are calls and
//! their callbacks, which take leaves alone. So whoever holds the last of the locks that are held goes on.

use std::collections::BTreeSet;

use nmr_models::op::Op;
use nmr_models::scenario::Scenario;

use super::{is_completer, is_wait};

/// Takes out the locks that could be a deadlock, or that a list does not give back.
pub(super) fn mend(scenario: &mut Scenario) {
    let order = scenario.locks.clone();
    let is_lock = |op: &Op| matches!(op, Op::Lock(_) | Op::Unlock(_));
    for ops in [&mut scenario.before, &mut scenario.after] {
        ops.retain(|op| !is_lock(op));
    }
    for module in &mut scenario.modules {
        for ops in module.scripts_mut() {
            keep(ops, &order, |_| true);
        }
    }
    let modules = scenario.modules.iter();
    let leaves: BTreeSet<String> = modules
        .flat_map(|module| module.scripts().into_iter().flatten())
        .filter_map(lock_of)
        .cloned()
        .collect();
    for thread in &mut scenario.threads {
        keep(&mut thread.ops, &order, |lock| leaves.contains(lock));
    }
    let threads = scenario.threads.iter().flat_map(|thread| &thread.ops);
    let taken: BTreeSet<&String> = threads.filter_map(lock_of).chain(&leaves).collect();
    scenario.locks.retain(|lock| taken.contains(lock));
}

const fn lock_of(op: &Op) -> Option<&String> {
    match op {
        Op::Lock(lock) | Op::Unlock(lock) => Some(lock),
        _ => None,
    }
}

/// Keeps what is taken and given back again, if it may be held for that long.
fn keep(ops: &mut Vec<Op>, order: &[String], is_leaf: impl Fn(&String) -> bool) {
    while let Some(index) = ops.iter().enumerate().find_map(|(index, op)| match op {
        Op::Lock(lock) => {
            let end = end_of(&ops[index..], lock);
            let may = |end| may_hold(lock, &ops[index + 1..index + end], order, &is_leaf);
            (!end.is_some_and(may)).then_some(index)
        }
        Op::Unlock(lock) => {
            let is_taken = |op: &Op| *op == Op::Lock(lock.clone());
            let taken = ops[..index].iter().rposition(is_taken);
            let given = |from: usize| from + end_of(&ops[from..], lock).unwrap_or_default();
            (taken.map(given) != Some(index)).then_some(index)
        }
        _ => None,
    }) {
        if let Op::Lock(lock) = ops.remove(index)
            && let Some(end) = end_of(&ops[index..], &lock)
        {
            ops.remove(index + end);
        }
    }
}

fn end_of(ops: &[Op], lock: &str) -> Option<usize> {
    ops.iter().position(|op| *op == Op::Unlock(lock.to_owned()))
}

fn may_hold(
    lock: &String,
    inside: &[Op],
    order: &[String],
    is_leaf: impl Fn(&String) -> bool,
) -> bool {
    let place = |lock: &String| order.iter().position(|other| other == lock);
    let Some(own) = place(lock) else {
        return false;
    };
    inside.iter().all(|op| match op {
        Op::Yield => true,
        _ if is_leaf(lock) => false,
        // Nested: what is taken inside is given back inside.
        Op::Lock(other) => place(other) > Some(own) && inside.contains(&Op::Unlock(other.clone())),
        Op::Unlock(other) => inside.contains(&Op::Lock(other.clone())),
        op => !is_wait(op) && !is_completer(op) && !matches!(op, Op::Await(_)),
    })
}
