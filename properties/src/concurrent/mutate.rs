//! A program that is another one with a few changes: valid, fair and within the generator's bounds, or none at all.

use nmr::Side;
use nmr_models::op::Op;
use nmr_models::scenario::{Attach, Cleanup, Detach, Limits, Module, Scenario, Thread};
use nmr_models::seed::{GAMMA, split_mix};

use super::assemble::OPERATIONS;
use super::fair;
use super::simplify::renumbered;

/// The most threads and modules of a program, as the generator makes them.
const THREADS: usize = 4;
const MODULES: usize = 8;

/// How often it is tried.
const TRIES: usize = 8;

/// Numbers from a seed, the same everywhere.
#[derive(Clone, Debug)]
pub struct Numbers(u64);

impl Numbers {
    /// Those of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next one below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(GAMMA);
        (split_mix(self.0) % end as u64) as usize
    }

    fn one_of<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        match of.len() {
            0 => None,
            length => of.get(self.below(length)),
        }
    }
}

/// The program with one to three changes; threads may come from another one.
#[must_use]
pub fn mutated(of: &Scenario, other: &Scenario, numbers: &mut Numbers) -> Option<Scenario> {
    (0..TRIES).find_map(|_| {
        let mut changed = of.clone();
        for _ in 0..=numbers.below(3) {
            change(&mut changed, other, numbers);
        }
        changed.threads.retain(|thread| !thread.ops.is_empty());
        let mended = renumbered(&fair::mended(changed));
        (is_within(&mended) && fair::is_fair(&mended) && mended != *of).then_some(mended)
    })
}

fn is_within(scenario: &Scenario) -> bool {
    let threads = &scenario.threads;
    (1..=THREADS).contains(&threads.len())
        && (1..=MODULES).contains(&scenario.modules.len())
        && threads.iter().all(|thread| thread.ops.len() <= OPERATIONS)
}

fn change(scenario: &mut Scenario, other: &Scenario, numbers: &mut Numbers) {
    match numbers.below(12) {
        0..=2 => insert(scenario, numbers),
        3 | 4 => remove(scenario, numbers),
        5 => hand_on(scenario, numbers),
        6..=8 => behave(scenario, numbers),
        9 => add_module(scenario, numbers),
        10 => take_thread(scenario, other, numbers),
        _ => limit(scenario, numbers),
    }
}

fn operation(scenario: &Scenario, numbers: &mut Numbers) -> Option<Op> {
    const OPERATIONS: [fn(String) -> Op; 12] = [
        Op::Register,
        Op::Deregister,
        Op::Deregister,
        Op::Wait,
        Op::Wait,
        Op::TryComplete,
        Op::CompleteAgain,
        Op::Attach,
        Op::Dispatch,
        Op::DeregisterWrong,
        Op::DeregisterForeign,
        |_| Op::Yield,
    ];
    let module = numbers.one_of(&scenario.modules)?.name.clone();
    let operation = OPERATIONS[numbers.below(OPERATIONS.len())];
    Some(operation(module))
}

/// Into a thread, the main thread's part before the others, or a callback.
fn insert(scenario: &mut Scenario, numbers: &mut Numbers) {
    let Some(op) = operation(scenario, numbers) else {
        return;
    };
    let ops = match numbers.below(8) {
        0 => &mut scenario.before,
        1 => {
            let module = numbers.below(scenario.modules.len());
            let module = &mut scenario.modules[module];
            match numbers.below(3) {
                0 => &mut module.in_attach,
                1 => &mut module.in_detach,
                _ => &mut module.in_cleanup,
            }
        }
        _ => {
            let thread = numbers.below(scenario.threads.len().max(1));
            match scenario.threads.get_mut(thread) {
                Some(thread) => &mut thread.ops,
                None => &mut scenario.before,
            }
        }
    };
    let at = numbers.below(ops.len() + 1);
    ops.insert(at, op);
}

fn remove(scenario: &mut Scenario, numbers: &mut Numbers) {
    let threads = scenario.threads.iter_mut().map(|thread| &mut thread.ops);
    let outside = [&mut scenario.before, &mut scenario.after];
    let mut lists: Vec<_> = threads
        .chain(outside)
        .filter(|ops| !ops.is_empty())
        .collect();
    if lists.is_empty() {
        return;
    }
    let list = numbers.below(lists.len());
    let at = numbers.below(lists[list].len());
    lists[list].remove(at);
}

/// Another thread does the end of what one does.
fn hand_on(scenario: &mut Scenario, numbers: &mut Numbers) {
    let count = scenario.threads.len();
    if count < 2 {
        return;
    }
    let (from, to) = (numbers.below(count), numbers.below(count));
    if from == to {
        return;
    }
    let at = numbers.below(scenario.threads[from].ops.len() + 1);
    let end = scenario.threads[from].ops.split_off(at);
    scenario.threads[to].ops.extend(end);
}

fn behave(scenario: &mut Scenario, numbers: &mut Numbers) {
    const CHANGES: [fn(&mut Module); 19] = [
        |module| module.attach = Attach::Accept,
        |module| module.attach = Attach::Decline,
        |module| module.attach = Attach::OneAtATime,
        |module| module.attach = Attach::Hollow,
        |module| module.attach = Attach::ChangeOfMind,
        |module| module.attach = Attach::Twice,
        |module| module.attach = Attach::Panic,
        |module| module.attach = Attach::PanicAfterAttach,
        |module| module.detach = Detach::Complete,
        |module| module.detach = Detach::Pending,
        |module| module.detach = Detach::CompleteEarly,
        |module| module.detach = Detach::Rundown,
        |module| module.detach = Detach::Panic,
        |module| module.cleanup = Cleanup::Panic,
        |module| module.cleanup = Cleanup::Return,
        |module| module.null_context ^= true,
        |module| module.npi = 3 - module.npi.clamp(1, 2),
        |module| module.in_detach.clear(),
        |module| module.in_attach.clear(),
    ];
    let change = CHANGES[numbers.below(CHANGES.len())];
    let module = numbers.below(scenario.modules.len().max(1));
    if let Some(module) = scenario.modules.get_mut(module) {
        let side = module.side;
        change(module);
        let is_a_client_s = !matches!(
            module.attach,
            Attach::Accept | Attach::Decline | Attach::OneAtATime | Attach::Panic
        );
        if side == Side::Provider && is_a_client_s {
            module.attach = Attach::Accept;
        }
    }
}

/// As one that is there, on either side.
fn add_module(scenario: &mut Scenario, numbers: &mut Numbers) {
    let Some(like) = numbers.one_of(&scenario.modules) else {
        return;
    };
    let side = [Side::Client, Side::Provider][numbers.below(2)];
    let name = format!("new{}", scenario.modules.len());
    let module = Module {
        detach: like.detach,
        ..Module::new(name.clone(), side, like.npi)
    };
    // Clients come first, as in what is generated.
    let at = match side {
        Side::Client => 0,
        Side::Provider => scenario.modules.len(),
    };
    scenario.modules.insert(at, module);
    let thread = numbers.below(scenario.threads.len().max(1));
    match scenario.threads.get_mut(thread) {
        Some(thread) if numbers.below(2) == 0 => thread.ops.insert(0, Op::Register(name)),
        _ => scenario.before.push(Op::Register(name)),
    }
}

/// What it does to modules of the same names.
fn take_thread(scenario: &mut Scenario, other: &Scenario, numbers: &mut Numbers) {
    let Some(thread) = numbers.one_of(&other.threads) else {
        return;
    };
    let is_known = |op: &&Op| {
        let is_there = |name| scenario.modules.iter().any(|module| module.name == name);
        let is_beside = matches!(op, Op::Set(_) | Op::Await(_) | Op::Lock(_) | Op::Unlock(_));
        !is_beside && op.module().is_none_or(is_there)
    };
    let ops = thread.ops.iter().filter(is_known).cloned().collect();
    let name = format!("t{}", scenario.threads.len() + 1);
    scenario.threads.push(Thread { name, ops });
}

fn limit(scenario: &mut Scenario, numbers: &mut Numbers) {
    let number = numbers.below(4);
    let limits = &mut scenario.limits;
    match numbers.below(5) {
        0 => limits.max_registrations = Some(number + 1),
        1 => limits.max_bindings = Some(number),
        2 => limits.fail_reservation = Some(3 * number + 1),
        3 => limits.last_generation = Some(number as u32 % 2 + 1),
        _ => *limits = Limits::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Numbers, is_within, mutated};
    use crate::concurrent::fair::is_fair;
    use crate::concurrent::series::{scenario, scenario_seed};
    use nmr_models::shard::Shard;

    #[test]
    fn mutants_are_fair_within_bounds_others_and_the_same_twice() {
        let drawn = |index| scenario(scenario_seed(9, Shard::WHOLE, index));
        let mut made = 0;
        for index in 0..300 {
            let (of, other) = (drawn(index), drawn(index + 1));
            let mutant = mutated(&of, &other, &mut Numbers::new(index.into()));
            assert_eq!(
                mutant,
                mutated(&of, &other, &mut Numbers::new(index.into()))
            );
            let Some(mutant) = mutant else { continue };
            made += 1;
            assert!(
                is_fair(&mutant) && is_within(&mutant),
                "{}",
                mutant.to_toml()
            );
            assert_ne!(mutant, of);
        }
        assert!(made > 250, "{made} of 300");
    }
}
