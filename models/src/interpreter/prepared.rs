//! A scenario, prepared to be executed again and again: what follows from it, found out once.

use std::sync::Arc;

use super::script::{Called, Script};
use crate::op::Op;
use crate::permuted::Symmetry;
use crate::scenario::{Module, Scenario, is_wait};
use crate::symmetry::symmetries;

/// See the [module's documentation](self).
pub(crate) struct Prepared {
    pub(crate) scenario: Arc<Scenario>,
    pub(crate) symmetries: Vec<Symmetry>,
    /// Whether handles are used that outlive what they name.
    pub(crate) uses_stale_handles: bool,
    /// Whether pending detaches are completed in any order.
    pub(crate) completes_any: bool,
    /// Whether somebody needs to hear that a wait is over.
    pub(crate) has_completer: bool,
    /// Whether a module is unloaded.
    pub(crate) unloads: bool,
    /// For each module, the number of `wait` operations in threads.
    pub(crate) waits: Vec<u16>,
    /// Whether a module makes a mistake with its memory.
    pub(crate) has_fault: bool,
    pub(crate) races: Vec<Races>,
    before: Listed,
    threads: Vec<Listed>,
    after: Listed,
    modules: Vec<[Listed; Called::ALL.len()]>,
}

/// The operations of a script.
struct Listed {
    ops: Vec<Resolved>,
    /// On which sides those from a place on register, by that place; there is one more than operations.
    register: Vec<[bool; 2]>,
}

/// An operation with the index of its module.
pub(crate) type Resolved = Op<usize>;

/// What threads race for of a module.
#[derive(Clone, Copy)]
pub(crate) struct Races {
    /// The handle of its registration.
    pub(crate) registration: bool,
    /// The handle of its last binding.
    pub(crate) binding: bool,
    /// Whether anybody uses that one.
    pub(crate) is_binding_used: bool,
}

impl Prepared {
    /// # Panics
    /// If an operation names no module of the scenario, which is then none.
    pub(crate) fn new(scenario: &Arc<Scenario>) -> Arc<Self> {
        let listed = |ops: &Vec<Op>| Listed::new(scenario, ops);
        let races = |module: &Module| Races {
            registration: scenario.is_raced(&module.name),
            binding: scenario.is_binding_raced(&module.name),
            is_binding_used: scenario.is_last_binding_used(&module.name),
        };
        let modules = scenario.modules.iter();
        let threads = scenario.threads.iter();
        // What a module in C keeps nobody can exchange names in, and it may keep handles for as long as it likes.
        let has_c_modules = scenario.has_c_modules();
        let symmetries = match (symmetries(scenario), has_c_modules) {
            (all, false) => all,
            (all, true) => all.into_iter().take(1).collect(),
        };
        Arc::new(Self {
            symmetries,
            uses_stale_handles: scenario.uses_stale_handles() || has_c_modules,
            completes_any: scenario.completes_any(),
            has_completer: scenario.has_completer(),
            unloads: scenario.unloads(),
            has_fault: scenario.has_fault(),
            waits: modules
                .clone()
                .map(|module| waits(scenario, &module.name))
                .collect(),
            races: modules.clone().map(races).collect(),
            before: listed(&scenario.before),
            threads: threads.map(|thread| listed(&thread.ops)).collect(),
            after: listed(&scenario.after),
            modules: modules.map(|it| it.scripts().map(listed)).collect(),
            scenario: scenario.clone(),
        })
    }

    /// Whether whoever has the lock runs at a raised level.
    pub(crate) fn is_spin_lock(&self, lock: u8) -> bool {
        let name = &self.scenario.locks[usize::from(lock)];
        self.scenario.spin_locks.contains(name)
    }

    /// Whether a module is one in C.
    pub(crate) fn is_in_c(&self, module: u8) -> bool {
        self.scenario.modules[usize::from(module)]
            .c_module
            .is_some()
    }

    pub(crate) fn ops(&self, script: Script) -> &[Resolved] {
        &self.listed(script).ops
    }

    /// On which sides a script registers, from an operation on.
    pub(crate) fn registers_from(&self, script: Script, from: u8) -> [bool; 2] {
        self.listed(script).register[usize::from(from)]
    }

    fn listed(&self, script: Script) -> &Listed {
        match script {
            Script::Before => &self.before,
            Script::Thread(number) => &self.threads[usize::from(number) - 1],
            Script::After => &self.after,
            Script::Module(module, called) => &self.modules[usize::from(module)][called as usize],
        }
    }
}

impl Listed {
    fn new(scenario: &Scenario, ops: &[Op]) -> Self {
        let index = |noun, name: &String| {
            let index = scenario.index(noun, name);
            index.expect("a scenario's operations name what it has")
        };
        let ops: Vec<Resolved> = ops.iter().map(|op| op.map(index)).collect();
        let mut register = vec![[false; 2]; ops.len() + 1];
        for (place, op) in ops.iter().enumerate().rev() {
            register[place] = register[place + 1];
            if let Op::Register(module) | Op::Own(module) = op {
                register[place][scenario.modules[*module].side as usize] = true;
            }
        }
        Self { ops, register }
    }
}

fn waits(scenario: &Scenario, module: &str) -> u16 {
    let ops = scenario.threads.iter().flat_map(|thread| &thread.ops);
    let waits = ops.filter(|op| is_wait(op) && op.module() == Some(module));
    waits.count() as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::Noun;
    use crate::scenarios;

    #[test]
    fn scripts_are_those_of_the_scenario() {
        for scenario in scenarios::all() {
            let scenario = Arc::new(scenario);
            let prepared = Prepared::new(&scenario);
            let is = |script: Script, ops: &[Op]| {
                let name = |noun, &index: &usize| match noun {
                    Noun::Module => scenario.modules[index].name.clone(),
                    Noun::Event => scenario.events[index].clone(),
                    Noun::Lock => scenario.locks[index].clone(),
                };
                let named: Vec<Op> = (prepared.ops(script).iter())
                    .map(|op| op.map(name))
                    .collect();
                assert_eq!(named, ops, "{}: {script:?}", scenario.name);
            };
            is(Script::Before, &scenario.before);
            is(Script::After, &scenario.after);
            for (number, thread) in (1..).zip(&scenario.threads) {
                is(Script::Thread(number), &thread.ops);
            }
            for (index, module) in (0..).zip(&scenario.modules) {
                is(Script::Module(index, Called::Attach), &module.in_attach);
                is(
                    Script::Module(index, Called::Attached),
                    &module.after_attach,
                );
                is(Script::Module(index, Called::Detach), &module.in_detach);
                is(Script::Module(index, Called::Cleanup), &module.in_cleanup);
                is(Script::Module(index, Called::Drop), &module.in_drop);
                is(
                    Script::Module(index, Called::ContextDrop),
                    &module.in_context_drop,
                );
            }
        }
    }
}
