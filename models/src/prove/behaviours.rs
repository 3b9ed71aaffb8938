//! What callbacks do in the programs of a skeleton: every behaviour that can matter, each once up to the renamings
//! that leave the skeleton as it is.

use nmr::Side;

use super::act::{Act, Verb};
use super::callable::{fits, normal, owners};
use super::facts::Facts;
use super::program::{Behaviour, Called, Inside, Manner, Member};
use super::size::Size;
use crate::scenario::{Attach, Detach, Limits};

/// What the behaviours of a skeleton hang on. Skeletons that agree in it have the same ones.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Ground {
    pub(super) cast: Vec<Member>,
    pub(super) facts: Facts,
    /// The renamings that leave the threads as they are.
    pub(super) renamings: Vec<Vec<u8>>,
}

impl Ground {
    /// All behaviours that can matter here.
    pub(super) fn behaviours(&self, size: &Size) -> Vec<Behaviour> {
        let mut all = Vec::new();
        for (manners, left) in self.manners(size) {
            if !fits(&self.cast, &self.facts, &manners) || !self.has(size, &manners) {
                continue;
            }
            for inside in self.insides(size, left > 0) {
                let left = left - usize::from(inside.is_some());
                let behaviour = Behaviour {
                    manners: manners.clone(),
                    inside,
                    limits: Limits::default(),
                };
                if !owners(&self.facts, &behaviour.manners, inside)
                    || normal(&self.cast, &self.facts, &behaviour) != behaviour
                    || !self.is_least(&behaviour)
                {
                    continue;
                }
                all.extend(self.limits(size, left > 0).map(|limits| Behaviour {
                    limits,
                    ..behaviour.clone()
                }));
            }
        }
        all
    }

    /// Whether the size has providers that call their clients, if there is one.
    fn has(&self, size: &Size, manners: &[Manner]) -> bool {
        let mut all = self.cast.iter().zip(manners);
        size.providers_dispatch
            || all.all(|(it, manner)| it.side == Side::Client || manner.detach != Detach::Rundown)
    }

    /// The manners of all modules, and how many departures are left.
    fn manners(&self, size: &Size) -> Vec<(Vec<Manner>, usize)> {
        let start = vec![(Vec::new(), size.departures)];
        self.cast.iter().fold(start, |all, member| {
            let own = manners(size, member.side);
            let longer = all.iter().flat_map(|(manners, left)| {
                let affordable = own.iter().filter(|manner| manner.departures() <= *left);
                affordable.map(move |manner| {
                    let longer = [manners.as_slice(), std::slice::from_ref(manner)].concat();
                    (longer, left - manner.departures())
                })
            });
            longer.collect()
        })
    }

    /// The operations that callbacks may have inside, and none. One that waits does so for its own module alone, if
    /// that registers once: it is then refused, for it would never end (C15).
    fn insides(&self, size: &Size, may_depart: bool) -> Vec<Option<Inside>> {
        let modules = 0..self.cast.len() as u8;
        let places = modules
            .clone()
            .flat_map(|module| Called::ALL.map(|called| (module, called)));
        let all = places.filter(|_| may_depart).flat_map(|(module, called)| {
            let acts = size
                .inside
                .iter()
                .flat_map(|&verb| modules.clone().map(move |on| Act::new(verb, on)));
            let acts = acts.filter(move |act| {
                let once = self.facts.registers[usize::from(module)] == 1;
                let waits = matches!(act.verb, Verb::Wait | Verb::Release);
                let is_client = self.cast[usize::from(act.module)].side == Side::Client;
                (!waits || (act.module == module && once))
                    && (act.verb != Verb::Attach || is_client)
            });
            acts.map(move |act| Inside {
                module,
                called,
                act,
            })
        });
        std::iter::once(None).chain(all.map(Some)).collect()
    }

    /// No limit, and each that may be felt: room for fewer registrations or bindings than there may be, and each
    /// reservation of memory that may be made (a registration's own, its interface's, and its bindings').
    fn limits(&self, size: &Size, may_depart: bool) -> impl Iterator<Item = Limits> + use<> {
        let registrations = self.facts.registrations();
        let bindings = self.facts.bindings(&self.cast);
        let reservations = match bindings {
            0 => 2 * registrations,
            _ => 3 * registrations - 1,
        };
        let none = Limits::default();
        let fewer = (1..registrations).map(move |room| Limits {
            max_registrations: Some(room),
            ..none
        });
        let unbound = (0..bindings).map(move |room| Limits {
            max_bindings: Some(room),
            ..none
        });
        let failing = (1..=reservations).map(move |k| Limits {
            fail_reservation: Some(k),
            ..none
        });
        let limited = size.limits && may_depart;
        let some = fewer.chain(unbound).chain(failing).filter(move |_| limited);
        std::iter::once(none).chain(some)
    }

    fn is_least(&self, behaviour: &Behaviour) -> bool {
        let own: Vec<u8> = (0..self.cast.len() as u8).collect();
        let own = behaviour.key(&own);
        self.renamings
            .iter()
            .all(|places| own <= behaviour.key(places))
    }
}

/// What a module of that side may do.
fn manners(size: &Size, side: Side) -> Vec<Manner> {
    let for_both = |attach: &&Attach| {
        matches!(
            attach,
            Attach::Accept | Attach::Decline | Attach::OneAtATime | Attach::Panic
        )
    };
    let attach = size.attach.iter();
    let attach = attach.filter(|attach| side == Side::Client || for_both(attach));
    let nulls: &[bool] = if size.null_contexts {
        &[false, true]
    } else {
        &[false]
    };
    let owned: &[bool] = if size.owned { &[false, true] } else { &[false] };
    let mut all = Vec::new();
    for &attach in attach {
        for &detach in size.detach {
            for &cleanup in size.cleanup {
                for &owned in owned {
                    all.extend(nulls.iter().map(|&null_context| Manner {
                        attach,
                        detach,
                        cleanup,
                        null_context,
                        owned,
                    }));
                }
            }
        }
    }
    all
}
