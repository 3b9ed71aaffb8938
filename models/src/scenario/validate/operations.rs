//! Which operation may stand in which list, and on what.

use super::{Checked, Kind, List, misuse};
use crate::op::{Noun, Op};
use crate::scenario::place::Place;
use crate::scenario::{Detach, Scenario, Side};

/// The most operations of a thread or a callback: an execution is a few hundred steps.
const MAX_OPS: usize = 250;

/// Whether it waits for a deregistration.
pub(crate) const fn is_wait<M>(op: &Op<M>) -> bool {
    matches!(op, Op::Wait(_) | Op::Leave(_) | Op::Release(_))
}

pub(in crate::scenario) const fn is_completer(op: &Op) -> bool {
    matches!(
        op,
        Op::Complete(_) | Op::CompleteAll | Op::CompleteAny | Op::CompleteWrong(_)
    )
}

pub(super) fn check_lists(scenario: &Scenario) -> Checked {
    for list in scenario.lists() {
        if list.ops.len() > MAX_OPS {
            return misuse(
                list.place.clone().nth(MAX_OPS),
                format!(
                    "`{}` has a list of more than {MAX_OPS} operations: expected a shorter one",
                    list.owner
                ),
            );
        }
        check_completers(&list)?;
        check_locks(&list)?;
    }
    Ok(())
}

/// A completer goes on until the others have done their waits: it must not stand in their way.
fn check_completers(list: &List<'_>) -> Checked {
    let Some((place, completer)) = list.each().find(|(_, op)| is_completer(op)) else {
        return Ok(());
    };
    let is_last = list.ops.last() == Some(completer);
    let waits = list.ops.iter().any(is_wait);
    match list.kind {
        Kind::Thread if is_last && !waits => Ok(()),
        Kind::Thread => misuse(
            place,
            format!(
                "`{completer}` goes on until the other threads' waits are done: expected it at \
                 the end of a thread that does not wait"
            ),
        ),
        Kind::Main | Kind::Callback => misuse(
            place,
            format!(
                "`{completer}` goes on until the threads' waits are done: expected it in a thread"
            ),
        ),
    }
}

/// A list of operations gives back the locks that it takes, and no others.
fn check_locks(list: &List<'_>) -> Checked {
    let owner = list.owner;
    let mut held: Vec<(Place, &String)> = Vec::new();
    for (place, op) in list.each() {
        match op {
            Op::Lock(lock) => held.push((place, lock)),
            Op::Unlock(lock) => {
                let Some(index) = held.iter().rposition(|(_, it)| *it == lock) else {
                    return misuse(
                        place,
                        format!(
                            "`{op}` in a list of `{owner}` that has not taken it: expected `lock {lock}` before"
                        ),
                    );
                };
                held.remove(index);
            }
            _ => {}
        }
    }
    match held.into_iter().next() {
        None => Ok(()),
        Some((place, lock)) => misuse(
            place,
            format!(
                "`lock {lock}` in a list of `{owner}` that keeps it: expected `unlock {lock}` after it"
            ),
        ),
    }
}

pub(super) fn check_each(scenario: &Scenario) -> Checked {
    for list in scenario.lists() {
        for (place, op) in list.each() {
            if let Some(complaint) = complaint(scenario, op) {
                return misuse(place, format!("`{op}`{complaint}"));
            }
        }
    }
    Ok(())
}

/// Why an operation cannot be done, after its own words.
fn complaint(scenario: &Scenario, op: &Op) -> Option<String> {
    let (_, Some(name)) = op.parts() else {
        return None;
    };
    let Some(index) = scenario.index(op.noun(), name) else {
        return Some(format!(" {}", unknown(scenario, op.noun())));
    };
    let uses = |is_it: &dyn Fn(&Op) -> bool| scenario.operations().any(|(_, op)| is_it(op));
    let is_owned = uses(&|op| matches!(op, Op::Own(module) if module == name));
    let is_in_c = |index: usize| scenario.modules[index].c_module.is_some();
    if op.noun() == Noun::Module && is_in_c(index) && !is_of_c_modules(op) {
        return Some(format!(
            ": `{name}` is a module in C: expected register, deregister, wait, complete, try-complete, dispatch or unload"
        ));
    }
    match op {
        Op::Await(event) if !uses(&|op| matches!(op, Op::Set(other) if other == event)) => Some(
            format!(": nobody sets it: expected `set {event}` somewhere"),
        ),
        Op::Dispatch(_) if scenario.modules[index].detach != Detach::Rundown && !is_in_c(index) => {
            Some(
                ": expected a module with detach = \"rundown\", which may call its peers"
                    .to_owned(),
            )
        }
        Op::Register(_) if is_owned => Some(format!(
            ": `{name}` is registered with `own` elsewhere: expected one of the two throughout"
        )),
        Op::Leave(_) | Op::Release(_) if !is_owned => Some(format!(
            ": expected a module that is registered with `own {name}`"
        )),
        Op::Leave(_) if uses(&|op| matches!(op, Op::Deregister(other) if other == name)) => {
            Some(format!(
                " beside `deregister {name}`: nobody could tell which of the two was accepted: expected \
                 `release {name}`, or one of the two throughout"
            ))
        }
        Op::Attach(_) if scenario.modules[index].side == Side::Provider => {
            Some(": expected a client, which attaches".to_owned())
        }
        _ => None,
    }
}

/// Whether a module in C can be asked for it.
const fn is_of_c_modules(op: &Op) -> bool {
    matches!(
        op,
        Op::Register(_)
            | Op::Deregister(_)
            | Op::Wait(_)
            | Op::Complete(_)
            | Op::TryComplete(_)
            | Op::Dispatch(_)
            | Op::Unload(_)
    )
}

/// Why an operation names nothing that there is.
fn unknown(scenario: &Scenario, noun: Noun) -> String {
    let (what, key, known): (_, _, Vec<&str>) = match noun {
        Noun::Module => {
            let names = scenario.modules.iter().map(|module| module.name.as_str());
            ("module", "", names.collect())
        }
        Noun::Event => (
            "event",
            "events",
            scenario.events.iter().map(String::as_str).collect(),
        ),
        Noun::Lock => (
            "lock",
            "locks",
            scenario.locks.iter().map(String::as_str).collect(),
        ),
    };
    match known.as_slice() {
        [] => format!("names no {what}: expected it in `{key} = [...]`, at the top"),
        known => format!("names no {what}: expected one of {}", known.join(", ")),
    }
}
