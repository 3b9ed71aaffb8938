//! What a module calls its peers under on threads, as drivers do: a lock around the list of its bindings, and in each of
//! them a [`nmr::Rundown`], which is left without that lock.
//!
//! Not here: who is called, and what is completed afterwards; and what the direct engine has in its place
//! ([`rundown`](crate::direct)), where each change is one action.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use nmr::{BindingHandle, Closing, Released};
use nmr_sync::Mutex;

use super::shared::change;
use crate::event::Pair;
use crate::interpreter::PendingDetach;
use crate::invisible::{Invisible, lock};

/// A module's bindings under rundown protection.
#[derive(Default)]
pub(super) struct Protection {
    /// In the order in which they are called through.
    listed: Mutex<Vec<Guarded>>,
    /// What a call that has been let in holds on to, and a binding context points to: found without the lock.
    held: Invisible<Vec<Guarded>>,
}

#[derive(Clone)]
struct Guarded {
    pair: Pair,
    binding: BindingHandle,
    rundown: Arc<nmr::Rundown>,
}

/// How far its rundown is tell that one's own words.
impl Hash for Guarded {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.pair.hash(state);
    }
}

impl Protection {
    /// A binding may be called through from now on.
    pub(super) fn open(&self, pair: Pair, binding: BindingHandle) {
        let rundown = Arc::new(nmr::Rundown::new());
        let guarded = Guarded {
            pair,
            binding,
            rundown,
        };
        lock(&self.held).push(guarded.clone());
        change(&self.listed, |listed| listed.push(guarded));
    }

    /// Closes a binding to new calls; whether none runs. Who forgets where none runs lets calls in as before.
    pub(super) fn close(&self, binding: BindingHandle, forgets: bool) -> bool {
        change(&self.listed, |listed| {
            let Some(place) = listed.iter().position(|one| one.binding == binding) else {
                return true;
            };
            let rundown = &listed[place].rundown;
            let is_over = rundown.close() == Closing::RunDown;
            if is_over && forgets {
                rundown.reinitialise().expect("it is run down");
            } else if is_over {
                listed.remove(place);
            }
            is_over
        })
    }

    /// Enters every open binding of a side's.
    pub(super) fn enter_all(&self, side: nmr::Side) -> Vec<PendingDetach> {
        change(&self.listed, |listed| {
            let open = listed.iter().filter(|one| one.rundown.try_acquire());
            let entered = open.map(|one| PendingDetach {
                side,
                pair: one.pair,
                binding: one.binding,
            });
            entered.collect()
        })
    }

    /// Leaves a binding; whether this was the last call of a closed one.
    pub(super) fn leave(&self, binding: BindingHandle) -> bool {
        let held = lock(&self.held);
        let guarded = held.iter().rfind(|one| one.binding == binding);
        let rundown = guarded.map(|one| one.rundown.clone());
        drop(held);
        rundown.is_none_or(|rundown| rundown.release() == Released::Last)
    }
}
