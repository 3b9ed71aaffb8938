//! Classes of executions: two are of the same class if each module saw the same of the same threads in the same order, and
//! so did each event and each lock of the modules' own.
//!
//! What happens to different modules commutes as far as this goes, so a class is coarser than an interleaving; it is what
//! can be told apart from outside.

use std::collections::BTreeMap;

use crate::event::{Deed, Event, RegId, What};
use crate::fingerprint::fingerprint;
use crate::permuted::{ModuleNumber, ThreadNumber};

/// What sees something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Witness {
    Module(u8),
    Event(u8),
    Lock(u8),
}

/// The class of an execution that has come to its end, under the symmetry that is current.
pub(super) fn class(history: &[Event]) -> u64 {
    let mut seen: BTreeMap<Witness, u64> = BTreeMap::new();
    // What each thread is inside of, and who sees how that ends.
    let mut inside: BTreeMap<Option<u8>, Vec<Vec<Witness>>> = BTreeMap::new();
    for event in history {
        let within = inside.entry(event.thread).or_default();
        let witnesses = match event.what {
            What::Return(_) | What::End(_) | What::Destroyed => within.pop().unwrap_or_default(),
            what => witnesses(what),
        };
        if matches!(event.what, What::Call(_) | What::Begin(_))
            || matches!((event.thread, event.what), (Some(_), What::Dropped(_)))
        {
            within.push(witnesses.clone());
        }
        let thread = event.thread.map(ThreadNumber);
        for witness in witnesses {
            let so_far = seen.entry(witness).or_default();
            *so_far = fingerprint(&(*so_far, thread, event.what));
        }
    }
    let each = seen.into_iter().map(|(witness, seen)| match witness {
        Witness::Module(module) => fingerprint(&(0, ModuleNumber(module), seen)),
        Witness::Event(event) => fingerprint(&(1, event, seen)),
        Witness::Lock(lock) => fingerprint(&(2, lock, seen)),
    });
    each.fold(0, u64::wrapping_add)
}

fn witnesses(what: What) -> Vec<Witness> {
    let of = |registrations: &mut dyn Iterator<Item = RegId>| {
        let mut modules = Vec::from_iter(registrations.map(|reg| Witness::Module(reg.module)));
        modules.dedup();
        modules
    };
    match what {
        What::Call(call) | What::Misused { call, .. } => of(&mut call.registrations()),
        What::Begin(callback) => of(&mut callback.pair.registrations().into_iter()),
        What::DispatchBegin { pair, .. } | What::DispatchEnd { pair, .. } => {
            of(&mut pair.registrations().into_iter())
        }
        What::UsedAfterFree(thing) | What::Dropped(thing) => of(&mut thing.registrations()),
        What::NotReady { reg } => vec![Witness::Module(reg.module)],
        What::Refused { module, .. } | What::Did(Deed::Unload(module)) => {
            vec![Witness::Module(module)]
        }
        What::Did(Deed::Await(event) | Deed::Set(event)) => vec![Witness::Event(event)],
        What::Did(
            Deed::Lock(lock) | Deed::Unlock(lock) | Deed::SpinLock(lock) | Deed::SpinUnlock(lock),
        ) => vec![Witness::Lock(lock)],
        What::Return(_) | What::End(_) | What::Destroyed | What::Changed(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::class;
    use crate::event::{Answer, Call, Event, RegId, Side, What};

    fn register(thread: u8, module: u8) -> [Event; 2] {
        let reg = RegId { module, nth: 0 };
        let side = Side::Client;
        let call = Call::Register { reg, side, npi: 1 };
        [What::Call(call), What::Return(Answer::Registered)].map(|what| Event {
            thread: Some(thread),
            what,
        })
    }

    #[test]
    fn what_different_modules_see_may_come_in_any_order() {
        let (one, other) = (register(1, 0), register(2, 1));
        let [begin, end] = one;
        let within = [&[begin][..], &other, &[end]].concat();
        assert_eq!(class(&[one, other].concat()), class(&[other, one].concat()));
        assert_eq!(class(&[one, other].concat()), class(&within));
    }

    #[test]
    fn what_a_module_sees_has_an_order_and_is_somebody_s() {
        let (one, other) = (register(1, 0), register(2, 0));
        assert_ne!(class(&[one, other].concat()), class(&[other, one].concat()));
        assert_ne!(class(&one), class(&other));
    }
}
