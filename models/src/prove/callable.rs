//! Which callbacks of a program can be called, and what of its behaviour can therefore matter.

use nmr::Side;

use super::facts::Facts;
use super::program::{Behaviour, Called, Inside, Manner, Member};
use crate::scenario::{Attach, Cleanup, Detach};

/// Which callbacks of each module can be called.
pub(super) struct Callable(Vec<[bool; 4]>);

/// Whether a client with such a callback calls `client_attach_provider`.
const fn attaches(attach: Attach) -> bool {
    matches!(
        attach,
        Attach::Accept
            | Attach::OneAtATime
            | Attach::ChangeOfMind
            | Attach::Twice
            | Attach::PanicAfterAttach
    )
}

/// Whether it is then attached, if the provider is.
const fn stays_attached(attach: Attach) -> bool {
    matches!(attach, Attach::Accept | Attach::OneAtATime | Attach::Twice)
}

/// Whether a provider with such a callback takes a client.
const fn takes(attach: Attach) -> bool {
    matches!(attach, Attach::Accept | Attach::OneAtATime)
}

impl Callable {
    pub(super) fn new(cast: &[Member], facts: &Facts, manners: &[Manner]) -> Self {
        let all = 0..cast.len();
        let attach = |module: usize| manners[module].attach;
        let of = |module: usize| {
            let met = all.clone().filter(|&other| facts.meet(module, other));
            let met: Vec<usize> = met.collect();
            match cast[module].side {
                Side::Client => {
                    let accepted = met.iter().any(|&other| takes(attach(other)));
                    let attaches = accepted && attaches(attach(module));
                    let attached = attaches && stays_attached(attach(module));
                    [!met.is_empty(), attaches, attached, attached]
                }
                Side::Provider => {
                    let asked = met.iter().any(|&other| attaches(attach(other)));
                    let attached = asked && takes(attach(module));
                    [asked, false, attached, attached]
                }
            }
        };
        Self(all.clone().map(of).collect())
    }

    pub(super) fn may(&self, module: usize, called: Called) -> bool {
        self.0[module][called as usize]
    }
}

/// The behaviour without what cannot matter in it: whatever a callback does that is never called.
pub(super) fn normal(cast: &[Member], facts: &Facts, behaviour: &Behaviour) -> Behaviour {
    let mut normal = behaviour.clone();
    // What providers answer depends on clients, and who is called later on both: attach callbacks first.
    for side in Side::BOTH {
        let callable = Callable::new(cast, facts, &normal.manners);
        for (module, manner) in normal.manners.iter_mut().enumerate() {
            if cast[module].side == side && !callable.may(module, Called::Attach) {
                manner.attach = Attach::Accept;
            }
            // There is never another binding.
            let one = bindings_of(cast, facts, module) <= 1;
            if manner.attach == Attach::OneAtATime && one {
                manner.attach = Attach::Accept;
            }
        }
    }
    let callable = Callable::new(cast, facts, &normal.manners);
    for (module, manner) in normal.manners.iter_mut().enumerate() {
        if !callable.may(module, Called::Detach) {
            manner.detach = Detach::Complete;
            manner.cleanup = Cleanup::Return;
        }
        manner.null_context &= callable.may(module, Called::Attach);
    }
    normal.inside = normal
        .inside
        .filter(|inside| callable.may(usize::from(inside.module), inside.called));
    normal
}

/// How many bindings a module has at most.
fn bindings_of(cast: &[Member], facts: &Facts, module: usize) -> u8 {
    let peers = (0..cast.len()).filter(|&other| facts.meet(module, other));
    let peers: u8 = peers.map(|peer| facts.registers[peer]).sum();
    facts.registers[module] * peers
}

/// Whether what threads do to modules fits what these do: a module calls its peers through a rundown if and only if it
/// has one, and something is tried to be completed, or completed once more, only if it can be there. Who has a rundown
/// completes when it is over: to complete by hand while calls run is the module's own mistake (C9).
pub(super) fn fits(cast: &[Member], facts: &Facts, manners: &[Manner]) -> bool {
    let callable = Callable::new(cast, facts, manners);
    let is_in = |set: u16, module: usize| set & 1 << module != 0;
    manners.iter().enumerate().all(|(module, manner)| {
        let detached = callable.may(module, Called::Detach);
        let is_client = cast[module].side == Side::Client;
        let has_rundown = manner.detach == Detach::Rundown && detached;
        let is_pending = manner.detach == Detach::Pending && detached;
        is_in(facts.dispatched, module) == has_rundown
            && (manner.detach != Detach::Rundown || has_rundown)
            && (is_pending || !is_in(facts.try_completed, module))
            && (callable.may(module, Called::Attach) && !has_rundown
                || !is_in(facts.completed_again, module))
            && (!manner.null_context || may_be_null(cast, facts, manners, module))
            && (callable.may(module, Called::Attach) && is_client || !is_in(facts.attached, module))
            && !is_in(facts.early, module)
            && (!manner.owned || may_be_owned(facts, manners, module))
    })
}

/// Whether a module is owned if and only if something is done that owners do: there is nothing else to tell it by.
pub(super) fn owners(facts: &Facts, manners: &[Manner], inside: Option<Inside>) -> bool {
    manners.iter().enumerate().all(|(module, manner)| {
        let by_threads = (facts.left | facts.released) & 1 << module != 0;
        let inside = inside
            .is_some_and(|it| it.act.verb.is_an_owners() && usize::from(it.act.module) == module);
        manner.owned == (by_threads || inside)
    })
}

/// An owner has one registration. Who leaves it does not deregister by the handle, too: nobody could tell whose call was
/// accepted. And its detaches do not pend, for the main thread waits for it in the end, and completes nothing meanwhile.
fn may_be_owned(facts: &Facts, manners: &[Manner], module: usize) -> bool {
    let both = facts.left & facts.deregistered & 1 << module != 0;
    let pending = manners
        .iter()
        .any(|manner| manner.detach == Detach::Pending);
    facts.registers[module] <= 1 && !both && !pending
}

/// See `validate_null_contexts`: with a null context a cleanup callback cannot tell two bindings apart. A module
/// that declines has no context.
fn may_be_null(cast: &[Member], facts: &Facts, manners: &[Manner], module: usize) -> bool {
    let is_peer = |other: &usize| {
        cast[*other].npi == cast[module].npi && cast[*other].side != cast[module].side
    };
    let peers = (0..cast.len()).filter(is_peer);
    let peers: u8 = peers.map(|peer| facts.registers[peer]).sum();
    manners[module].attach == Attach::Accept && facts.registers[module] <= 1 && peers <= 1
}
