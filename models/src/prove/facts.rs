//! What the threads of a program say of its modules, whatever callbacks do.

use nmr::Side;

use super::act::{Act, Verb};
use super::program::Member;

/// A set of modules.
pub(super) type Modules = u16;

/// See the [module's documentation](self).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Facts {
    /// How many operations register each module.
    pub(super) registers: Vec<u8>,
    /// For each module the modules of the other side with which it may come to be offered.
    meets: Vec<Modules>,
    pub(super) dispatched: Modules,
    pub(super) try_completed: Modules,
    pub(super) completed_again: Modules,
    pub(super) attached: Modules,
    /// Deregistered by their handles, and as values: by `leave`, and by `release`.
    pub(super) deregistered: Modules,
    pub(super) left: Modules,
    pub(super) released: Modules,
    pub(super) waited: Modules,
    /// Called, by a provider, perhaps before it is ready: who calls a client has to know that it has attached (C3).
    pub(super) early: Modules,
}

/// The modules on which threads perform an operation.
fn of_verb<T: AsRef<[Act]>>(threads: &[T], verb: Verb) -> Modules {
    let acts = threads
        .iter()
        .flat_map(AsRef::as_ref)
        .filter(|act| act.verb == verb);
    acts.fold(0, |all, act| all | 1 << act.module)
}

/// What the well-formedness of a program hangs on, of one of its threads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Uses {
    pub(super) registered: Modules,
    /// Used before the thread itself has registered them.
    unregistered: Modules,
    waits: Modules,
    deregistered: Modules,
}

impl Uses {
    pub(super) fn new(ops: &[Act]) -> Self {
        let all = std::slice::from_ref(&ops);
        Self {
            registered: of_verb(all, Verb::Register),
            unregistered: unregistered_uses(ops),
            waits: of_verb(all, Verb::Wait),
            deregistered: of_verb(all, Verb::Deregister)
                | of_verb(all, Verb::Leave)
                | of_verb(all, Verb::Release),
        }
    }
}

/// Whether every module is registered, no operation comes before any thread can have registered its module, and
/// nobody waits for a module that no thread deregisters.
pub(super) fn is_well_formed(modules: usize, threads: &[Uses]) -> bool {
    let any = |of: fn(&Uses) -> Modules| threads.iter().fold(0, |all, uses| all | of(uses));
    let all_registered = any(|uses| uses.registered).count_ones() as usize == modules;
    all_registered
        && any(|uses| uses.waits) & !any(|uses| uses.deregistered) == 0
        && (0..threads.len()).all(|thread| {
            let others = threads
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != thread);
            let by_others = others.fold(0, |all, (_, uses)| all | uses.registered);
            threads[thread].unregistered & !by_others == 0
        })
}

/// The modules that a thread uses before it has registered them.
fn unregistered_uses(ops: &[Act]) -> Modules {
    let ops = ops.iter().filter(|act| act.verb.has_module());
    let uses = ops.fold((0, 0), |(registered, uses), act| {
        let module: Modules = 1 << act.module;
        match act.verb {
            Verb::Register => (registered | module, uses),
            _ => (registered, uses | (module & !registered)),
        }
    });
    uses.1
}

impl Facts {
    pub(super) fn new(cast: &[Member], threads: &[Vec<Act>]) -> Self {
        let mut registers = vec![0; cast.len()];
        for act in threads.iter().flatten() {
            registers[usize::from(act.module)] += u8::from(act.verb == Verb::Register);
        }
        let meets = |one: usize| {
            let others = (0..cast.len()).filter(|&other| {
                let (one, other) = (cast[one], cast[other]);
                one.meets(other)
            });
            let others = others.filter(|&other| may_meet(threads, [one as u8, other as u8]));
            others.fold(0, |all, other| all | 1 << other)
        };
        Self {
            registers,
            meets: (0..cast.len()).map(meets).collect(),
            dispatched: of_verb(threads, Verb::Dispatch),
            try_completed: of_verb(threads, Verb::TryComplete),
            completed_again: of_verb(threads, Verb::CompleteAgain),
            attached: of_verb(threads, Verb::Attach),
            deregistered: of_verb(threads, Verb::Deregister),
            left: of_verb(threads, Verb::Leave),
            released: of_verb(threads, Verb::Release),
            waited: of_verb(threads, Verb::Wait),
            early: (0..cast.len())
                .filter(|&module| calls_early(cast, threads, module))
                .fold(0, |all, module| all | 1 << module),
        }
    }

    pub(super) fn meet(&self, one: usize, other: usize) -> bool {
        self.meets[one] & 1 << other != 0
    }

    /// How many registrations there are at most.
    pub(super) fn registrations(&self) -> usize {
        self.registers.iter().map(|&count| usize::from(count)).sum()
    }

    /// How many bindings there are at most.
    pub(super) fn bindings(&self, cast: &[Member]) -> usize {
        let clients = (0..cast.len()).filter(|&module| cast[module].side == Side::Client);
        let pairs = clients.flat_map(|client| (0..cast.len()).map(move |other| (client, other)));
        let met = pairs.filter(|&(client, other)| self.meet(client, other));
        let times = |module: usize| usize::from(self.registers[module]);
        met.map(|(client, other)| times(client) * times(other))
            .sum()
    }
}

/// Whether a provider calls its peers where not all of them, and the provider, were registered before by the same thread:
/// only then have their register calls returned, and with these the attach callbacks.
fn calls_early(cast: &[Member], threads: &[Vec<Act>], module: usize) -> bool {
    let registers = |act: &&Act| {
        let other = usize::from(act.module);
        act.verb == Verb::Register && (other == module || cast[other].meets(cast[module]))
    };
    let all = threads.iter().flatten().filter(registers).count();
    let dispatch = Act::new(Verb::Dispatch, module as u8);
    let calls_early = |ops: &Vec<Act>| {
        let call = ops.iter().position(|act| *act == dispatch);
        call.is_some_and(|call| ops[..call].iter().filter(registers).count() < all)
    };
    cast[module].side == Side::Provider && threads.iter().any(calls_early)
}

/// Whether registrations of two modules may be there together. They may not if one thread registers both, and in its
/// order has always begun to deregister one before it registers the other; a registration that it loses sight of by
/// registering the module again stays.
fn may_meet(threads: &[Vec<Act>], pair: [u8; 2]) -> bool {
    let registers = |act: &Act| act.verb == Verb::Register && pair.contains(&act.module);
    let mut registering = threads.iter().filter(|ops| ops.iter().any(registers));
    let (Some(ops), None) = (registering.next(), registering.next()) else {
        return true;
    };
    let (mut there, mut latest) = ([0_u8; 2], [false; 2]);
    for act in ops {
        let Some(which) = pair.iter().position(|&module| act.is_on(module)) else {
            continue;
        };
        match act.verb {
            Verb::Register => {
                there[which] += 1;
                latest[which] = true;
            }
            verb if verb.deregisters() && latest[which] => {
                there[which] -= 1;
                latest[which] = false;
            }
            _ => {}
        }
        if there[0] > 0 && there[1] > 0 {
            return true;
        }
    }
    false
}
