//! The programs of a size once more, without any thought: all of them with names, however many are the same, each
//! then brought into one form by trying all renamings. What can be called is found out by executing.

use std::collections::BTreeSet;

use nmr::Side;

use crate::prove::{Act, Behaviour, Called, Inside, Manner, Member, Program, Size, Verb};
use crate::scenario::{Attach, Cleanup, Detach, Limits};

/// A program, so that the same ones are the same.
pub(super) type Form = Vec<u8>;

/// All programs of a size.
pub(super) fn programs(size: &Size) -> BTreeSet<Form> {
    let mut all = BTreeSet::new();
    for cast in casts(size) {
        for threads in threads(size, cast.len()) {
            for manners in product(cast.iter().map(|member| manners(size, *member)).collect()) {
                let program = Program {
                    cast: cast.clone(),
                    threads: threads.clone(),
                    behaviour: Behaviour {
                        manners,
                        ..Behaviour::default()
                    },
                };
                let called = called(&program);
                for program in insides(size, &program) {
                    for program in limited(size, &program, &called) {
                        if is_meant(size, &program, &called) {
                            all.insert(form(&program));
                        }
                    }
                }
            }
        }
    }
    all
}

fn product<T: Clone>(lists: Vec<Vec<T>>) -> Vec<Vec<T>> {
    lists.iter().fold(vec![Vec::new()], |all, list| {
        let longer = |start: &Vec<T>| {
            let more = |next: &T| [start.as_slice(), std::slice::from_ref(next)].concat();
            list.iter().map(more).collect::<Vec<_>>()
        };
        all.iter().flat_map(longer).collect()
    })
}

fn casts(size: &Size) -> Vec<Vec<Member>> {
    let mut all = Vec::new();
    let of = |side, count| {
        let each = (1..=size.interfaces as u8).map(|npi| Member { side, npi });
        product(vec![each.collect::<Vec<_>>(); count])
    };
    for clients in 0..=size.modules_a_side {
        for providers in 0..=size.modules_a_side {
            if (1..=size.modules).contains(&(clients + providers)) {
                for client in of(Side::Client, clients) {
                    let both = of(Side::Provider, providers).into_iter();
                    all.extend(both.map(|provider| [client.as_slice(), &provider].concat()));
                }
            }
        }
    }
    all
}

fn threads(size: &Size, modules: usize) -> Vec<Vec<Vec<Act>>> {
    let mut acts = Vec::new();
    for &verb in size.verbs {
        let on = if verb.has_module() { modules as u8 } else { 1 };
        acts.extend((0..on).map(|module| Act::new(verb, module)));
    }
    let ops = |length| product(vec![acts.clone(); length]);
    let sequences: Vec<_> = (1..=size.operations).flat_map(ops).collect();
    let all = (1..=size.threads).flat_map(|count| product(vec![sequences.clone(); count]));
    let fits = |threads: &Vec<Vec<Act>>| {
        threads.iter().map(Vec::len).sum::<usize>() <= size.operations_in_all
            && is_well_formed(modules, threads)
    };
    all.filter(fits).collect()
}

fn is_well_formed(modules: usize, threads: &[Vec<Act>]) -> bool {
    let has = |ops: &[Act], verb, module| ops.contains(&Act::new(verb, module));
    let any = |verb, module| threads.iter().any(|ops| has(ops, verb, module));
    let is_raced = |thread: usize, module| {
        let mut others = threads.iter().enumerate();
        others.any(|(other, ops)| other != thread && has(ops, Verb::Register, module))
    };
    (0..modules as u8).all(|module| any(Verb::Register, module))
        && threads.iter().enumerate().all(|(thread, ops)| {
            ops.iter().enumerate().all(|(index, act)| {
                let module = act.module;
                let known = has(&ops[..index], Verb::Register, module) || is_raced(thread, module);
                let ends = [Verb::Deregister, Verb::Leave, Verb::Release];
                let is_left = ends.iter().any(|&verb| any(verb, module));
                act.verb == Verb::Register
                    || !act.verb.has_module()
                    || (known && (act.verb != Verb::Wait || is_left))
            })
        })
}

fn manners(size: &Size, member: Member) -> Vec<Manner> {
    let mut all = Vec::new();
    for &attach in size.attach {
        for &detach in size.detach {
            for &cleanup in size.cleanup {
                for (null_context, owned) in
                    [(false, false), (false, true), (true, false), (true, true)]
                {
                    all.push(Manner {
                        attach,
                        detach,
                        cleanup,
                        null_context,
                        owned,
                    });
                }
            }
        }
    }
    all.retain(|manner| {
        let can = matches!(
            manner.attach,
            Attach::Accept | Attach::Decline | Attach::OneAtATime | Attach::Panic
        );
        (can || member.side == Side::Client)
            && (size.null_contexts || !manner.null_context)
            && (size.owned || !manner.owned)
    });
    all
}

fn insides(size: &Size, program: &Program) -> Vec<Program> {
    let mut all = vec![program.clone()];
    let modules = 0..program.cast.len() as u8;
    for module in modules.clone() {
        for called in Called::ALL {
            for &verb in size.inside {
                for on in modules.clone() {
                    let mut more = program.clone();
                    let act = Act::new(verb, on);
                    more.behaviour.inside = Some(Inside {
                        module,
                        called,
                        act,
                    });
                    all.push(more);
                }
            }
        }
    }
    all
}

fn limited(size: &Size, program: &Program, called: &Calls) -> Vec<Program> {
    let mut all = vec![program.clone()];
    if size.limits {
        let registers = count(program, |act| act.verb == Verb::Register);
        let meets = called.pairs.iter().map(|&(client, provider)| {
            let of = |module| {
                count(program, |act| {
                    *act == Act::new(Verb::Register, module as u8)
                })
            };
            of(client) * of(provider)
        });
        let bindings: usize = meets.sum();
        let reservations = 2 * registers + if bindings > 0 { registers - 1 } else { 0 };
        let mut add = |limits| {
            let mut more = program.clone();
            more.behaviour.limits = limits;
            all.push(more);
        };
        let none = Limits::default();
        (1..registers).for_each(|room| {
            add(Limits {
                max_registrations: Some(room),
                ..none
            })
        });
        (0..bindings).for_each(|room| {
            add(Limits {
                max_bindings: Some(room),
                ..none
            })
        });
        (1..=reservations).for_each(|k| {
            add(Limits {
                fail_reservation: Some(k),
                ..none
            })
        });
    }
    all
}

fn count(program: &Program, which: impl Fn(&Act) -> bool) -> usize {
    program
        .threads
        .iter()
        .flatten()
        .filter(|act| which(act))
        .count()
}

/// What was called in some execution.
#[derive(Default)]
struct Calls {
    callbacks: BTreeSet<(usize, Called)>,
    pairs: BTreeSet<(usize, usize)>,
}

/// Executes the threads, an operation at a time, in every order.
fn called(program: &Program) -> Calls {
    let mut calls = Calls::default();
    let modules = program.cast.len();
    execute(
        program,
        &mut vec![0; program.threads.len()],
        &vec![Vec::new(); modules],
        &mut calls,
    );
    calls
}

/// For each module its registrations, and whether each is still open.
type Registered = Vec<Vec<bool>>;

fn execute(program: &Program, at: &mut Vec<usize>, registered: &Registered, calls: &mut Calls) {
    for thread in 0..at.len() {
        let Some(&act) = program.threads[thread].get(at[thread]) else {
            continue;
        };
        let mut registered = registered.clone();
        let module = usize::from(act.module);
        match act.verb {
            Verb::Register => {
                for (other, &peer) in program.cast.iter().enumerate() {
                    let own = program.cast[module];
                    let is_peer = own.npi == peer.npi && own.side != peer.side;
                    if is_peer && registered[other].contains(&true) {
                        let is_client = own.side == Side::Client;
                        let pair = if is_client {
                            (module, other)
                        } else {
                            (other, module)
                        };
                        offer(program, pair, calls);
                    }
                }
                registered[module].push(true);
            }
            Verb::Deregister | Verb::Leave | Verb::Release => {
                if let Some(latest) = registered[module].last_mut() {
                    *latest = false;
                }
            }
            _ => {}
        }
        at[thread] += 1;
        execute(program, at, &registered, calls);
        at[thread] -= 1;
    }
}

fn offer(program: &Program, (client, provider): (usize, usize), calls: &mut Calls) {
    use Attach::{
        Accept, ChangeOfMind, Decline, Hollow, OneAtATime, Panic, PanicAfterAttach, Twice,
    };
    let attach = |module: usize| program.behaviour.manners[module].attach;
    calls.pairs.insert((client, provider));
    calls.callbacks.insert((client, Called::Attach));
    let stays = match attach(client) {
        Decline | Hollow | Panic => return,
        ChangeOfMind | PanicAfterAttach => false,
        Accept | OneAtATime | Twice => true,
    };
    calls.callbacks.insert((provider, Called::Attach));
    if matches!(attach(provider), Accept | OneAtATime) {
        calls.callbacks.insert((client, Called::Attached));
        let both = [(provider, true), (client, stays)];
        for (module, _) in both.into_iter().filter(|(_, detached)| *detached) {
            calls.callbacks.insert((module, Called::Detach));
            calls.callbacks.insert((module, Called::Cleanup));
        }
    }
}

/// Whether there is nothing in it that cannot matter or is not allowed.
fn is_meant(size: &Size, program: &Program, called: &Calls) -> bool {
    let Behaviour {
        manners,
        inside,
        limits,
    } = &program.behaviour;
    let may = |module: usize, callback| called.callbacks.contains(&(module, callback));
    let does = |verb, module: usize| count(program, |act| *act == Act::new(verb, module as u8)) > 0;
    let registers = |module: usize| {
        count(program, |act| {
            *act == Act::new(Verb::Register, module as u8)
        })
    };
    let mut departures = usize::from(inside.is_some()) + usize::from(*limits != Limits::default());
    for (module, manner) in manners.iter().enumerate() {
        let member = program.cast[module];
        let others = (0..manners.len()).filter(|&other| {
            program.cast[other].npi == member.npi && program.cast[other].side != member.side
        });
        let peers: usize = others.map(registers).sum();
        let has_rundown = manner.detach == Detach::Rundown;
        let is_client = member.side == Side::Client;
        let met = called
            .pairs
            .iter()
            .filter_map(|&(client, provider)| match is_client {
                true => (client == module).then_some(provider),
                false => (provider == module).then_some(client),
            });
        let bindings = registers(module) * met.map(registers).sum::<usize>();
        let inside_releases =
            inside.is_some_and(|it| it.act == Act::new(Verb::Release, module as u8));
        let leaves = does(Verb::Leave, module);
        let has_owner = leaves || does(Verb::Release, module) || inside_releases;
        let may_be_owned = registers(module) == 1
            && !(leaves && does(Verb::Deregister, module))
            && manners
                .iter()
                .all(|manner| manner.detach != Detach::Pending);
        let allowed = (manner.attach == Attach::Accept || may(module, Called::Attach))
            && (manner.detach == Detach::Complete || may(module, Called::Detach))
            && (manner.cleanup == Cleanup::Return || may(module, Called::Cleanup))
            && (!manner.null_context
                || may(module, Called::Attach)
                    && manner.attach == Attach::Accept
                    && registers(module) == 1
                    && peers == 1)
            && (has_rundown == does(Verb::Dispatch, module))
            && !(has_rundown && !is_client && !size.providers_dispatch)
            && (manner.attach != Attach::OneAtATime || bindings > 1)
            && (!does(Verb::Attach, module) || is_client && may(module, Called::Attach))
            && (is_client || !calls_early(program, module))
            && manner.owned == has_owner
            && (!manner.owned || may_be_owned)
            && (!does(Verb::TryComplete, module) || manner.detach == Detach::Pending)
            && (!does(Verb::CompleteAgain, module) || may(module, Called::Attach) && !has_rundown);
        if !allowed {
            return false;
        }
        departures += usize::from(manner.attach != Attach::Accept)
            + usize::from(manner.detach != Detach::Complete)
            + usize::from(manner.cleanup != Cleanup::Return)
            + usize::from(manner.null_context);
    }
    let inside_allowed = inside.is_none_or(|inside| {
        let module = usize::from(inside.module);
        let own = inside.act.module == inside.module && registers(module) == 1;
        let waits = matches!(inside.act.verb, Verb::Wait | Verb::Release);
        let on = program.cast[usize::from(inside.act.module)];
        may(module, inside.called)
            && (!waits || own)
            && (inside.act.verb != Verb::Attach || on.side == Side::Client)
    });
    inside_allowed && departures <= size.departures
}

/// Whether a module calls its peers while one of them, or itself, may be registering.
fn calls_early(program: &Program, module: usize) -> bool {
    let member = program.cast[module];
    (0..program.threads.len()).any(|thread| {
        let ops = &program.threads[thread];
        let calls = |act: &Act| *act == Act::new(Verb::Dispatch, module as u8);
        let Some(first) = ops.iter().position(calls) else {
            return false;
        };
        let concerned = |act: &Act| {
            let other = program.cast[usize::from(act.module)];
            act.verb == Verb::Register
                && (usize::from(act.module) == module
                    || (other.npi, other.side) == (member.npi, member.side.peer()))
        };
        let later = ops[first..].iter().any(concerned);
        let mut others = (0..program.threads.len()).filter(|&other| other != thread);
        later || others.any(|other| program.threads[other].iter().any(concerned))
    })
}

fn orders(count: usize) -> Vec<Vec<usize>> {
    let all = product(vec![(0..count).collect::<Vec<_>>(); count]);
    let is_order = |order: &Vec<usize>| BTreeSet::from_iter(order).len() == count;
    all.into_iter().filter(is_order).collect()
}

/// The least of all that it becomes by renaming modules, interfaces and threads.
pub(super) fn form(program: &Program) -> Form {
    let mut forms = BTreeSet::new();
    let interfaces = program
        .cast
        .iter()
        .map(|member| usize::from(member.npi))
        .max();
    for modules in orders(program.cast.len()) {
        let moved = (0..modules.len()).map(|at| program.cast[modules[at]].side);
        if !moved.eq(program.cast.iter().map(|member| member.side)) {
            continue;
        }
        for interfaces in orders(interfaces.unwrap_or_default()) {
            for threads in orders(program.threads.len()) {
                forms.insert(renamed(program, &modules, &interfaces, &threads));
            }
        }
    }
    forms
        .into_iter()
        .next()
        .expect("one renaming changes nothing")
}

/// The program with, at each place, the module, interface or thread of that number.
fn renamed(program: &Program, modules: &[usize], interfaces: &[usize], threads: &[usize]) -> Form {
    let place = |order: &[usize], number: usize| {
        let place = order.iter().position(|&other| other == number);
        place.expect("each has a place") as u8
    };
    let act = |act: Act| match act.verb.has_module() {
        true => [act.verb as u8, place(modules, act.module.into())],
        false => [act.verb as u8, u8::MAX],
    };
    let mut form = Vec::new();
    for &module in modules {
        let (member, manner) = (program.cast[module], program.behaviour.manners[module]);
        form.extend([
            member.side as u8,
            place(interfaces, usize::from(member.npi) - 1),
            manner.attach as u8,
            manner.detach as u8,
            manner.cleanup as u8,
            u8::from(manner.null_context),
            u8::from(manner.owned),
        ]);
    }
    for &thread in threads {
        let ops = &program.threads[thread];
        form.push(ops.len() as u8);
        form.extend(ops.iter().flat_map(|&op| act(op)));
    }
    if let Some(inside) = program.behaviour.inside {
        form.extend([place(modules, inside.module.into()), inside.called as u8]);
        form.extend(act(inside.act));
    }
    form.extend(format!("{:?}", program.behaviour.limits).bytes());
    form
}
