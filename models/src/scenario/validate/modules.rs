//! What a module may be: which of its keys fit its side, and each other.

use super::{Checked, misuse};
use crate::op::Op;
use crate::scenario::place::Place;
use crate::scenario::{Attach, Detach, Fault, Module, Scenario, Side};

pub(super) fn check(scenario: &Scenario) -> Checked {
    for (index, module) in scenario.modules.iter().enumerate() {
        let place = Place::module(index);
        check_c_module(module, &place)?;
        check_attach(module, &place)?;
        check_first(module, &place)?;
        check_peers(scenario, module, &place)?;
        check_after_attach(module, &place)?;
        check_fault(module, &place)?;
        check_null_contexts(scenario, module, &place)?;
    }
    Ok(())
}

fn check_attach(
    Module {
        name, side, attach, ..
    }: &Module,
    place: &Place,
) -> Checked {
    let is_anyones = matches!(
        attach,
        Attach::Accept | Attach::Decline | Attach::OneAtATime | Attach::Panic
    );
    match side {
        Side::Provider if !is_anyones => misuse(
            place.clone().key("attach"),
            format!(
                "`{name}` is a provider: expected attach = accept, decline, one-at-a-time or panic"
            ),
        ),
        _ => Ok(()),
    }
}

/// What a module in C does in its callbacks is its own matter.
fn check_c_module(module: &Module, place: &Place) -> Checked {
    let Some(c_module) = &module.c_module else {
        return Ok(());
    };
    let plain = Module {
        c_module: Some(c_module.clone()),
        ..Module::new(module.name.as_str(), module.side, module.npi)
    };
    match *module == plain {
        true => Ok(()),
        false => misuse(
            place.clone().key("c-module"),
            format!(
                "`{}` is a module in C, whose callbacks do what they do: expected no other key beside it than name, \
                 side and npi",
                module.name
            ),
        ),
    }
}

fn check_first(module: &Module, place: &Place) -> Checked {
    match module.first {
        Some(_) if module.attach != Attach::Accept => misuse(
            place.clone().key("first"),
            format!(
                "`{}` attaches to the first ones alone: expected attach = \"accept\"",
                module.name
            ),
        ),
        _ => Ok(()),
    }
}

fn check_peers(scenario: &Scenario, module: &Module, place: &Place) -> Checked {
    for (nth, peer) in module.peers.iter().enumerate() {
        let fits = |it: &Module| it.name == *peer && it.side != module.side && it.npi == module.npi;
        if !scenario.modules.iter().any(fits) {
            return misuse(
                place.clone().key("peers").nth(nth),
                format!(
                    "`{peer}` is no peer of `{}`: expected a module of the other side, on its interface",
                    module.name
                ),
            );
        }
        if module.peers[..nth].contains(peer) {
            return misuse(
                place.clone().key("peers").nth(nth),
                format!("`{peer}` is there already: expected it once"),
            );
        }
    }
    Ok(())
}

fn check_after_attach(module: &Module, place: &Place) -> Checked {
    let attaches = !matches!(
        module.attach,
        Attach::Decline | Attach::Hollow | Attach::Panic
    );
    let has_attached = module.side == Side::Client && attaches;
    if module.after_attach.is_empty() || has_attached {
        return Ok(());
    }
    misuse(
        place.clone().key("after-attach"),
        format!(
            "`{}` does something after attaching: expected a client that attaches",
            module.name
        ),
    )
}

fn check_fault(module: &Module, place: &Place) -> Checked {
    let leaves_something = matches!(
        module.attach,
        Attach::ChangeOfMind | Attach::PanicAfterAttach
    );
    let complaint = match module.fault {
        Some(Fault::UnguardedDispatch | Fault::CallsAfterDetach)
            if module.detach != Detach::Rundown =>
        {
            "expected a module with detach = \"rundown\", which may call its peers"
        }
        Some(Fault::CallsInAttach) if module.side == Side::Client => {
            "expected a provider, which is asked when there is a client to call"
        }
        Some(Fault::LeaksContext) if !leaves_something => {
            "expected attach = \"change-of-mind\", where something can be left"
        }
        Some(_) if module.null_context => {
            "expected no null context, for that is what it treats wrongly"
        }
        _ => return Ok(()),
    };
    misuse(
        place.clone().key("fault"),
        format!("the fault of `{}`: {complaint}", module.name),
    )
}

/// A cleanup callback is told nothing but its context: where that is null, only one binding can
/// be meant.
fn check_null_contexts(scenario: &Scenario, module: &Module, place: &Place) -> Checked {
    if !module.null_context {
        return Ok(());
    }
    let registers = |name: &str| {
        let ops = scenario.operations();
        ops.filter(|(_, op)| matches!(op, Op::Register(module) | Op::Own(module) if module == name))
            .count()
    };
    let peers = scenario.modules.iter();
    let peers = peers.filter(|peer| peer.npi == module.npi && peer.side != module.side);
    let peers: usize = peers.map(|peer| registers(&peer.name)).sum();
    let plain = matches!(module.attach, Attach::Accept | Attach::Decline);
    if peers <= 1 && registers(&module.name) <= 1 && plain {
        return Ok(());
    }
    misuse(
        place.clone().key("null-context"),
        format!(
            "`{}` has null contexts: expected attach = accept or decline, at most one \
             registration of it, and one of the other side on its interface",
            module.name
        ),
    )
}
