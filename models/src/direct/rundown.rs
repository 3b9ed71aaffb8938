//! What a module calls its peers under, without threads: each change is one action, as if the whole of it were under a lock.
//! On threads it is [`nmr::Rundown`].

use std::hash::{Hash, Hasher};

use nmr::{BindingHandle, Side};

use crate::event::Pair;
use crate::flat::clone_in_place;
use crate::interpreter::PendingDetach;

/// A module's rundown protection: which bindings may be called through, and how many calls run.
#[derive(Debug, Default)]
pub(super) struct Rundown {
    /// In the order in which they are called through. One that is closed and not called any more is not there.
    bindings: Vec<Guarded>,
}

clone_in_place!(Rundown { bindings });

/// Hashed without its handle, of which there is one for a pair.
#[derive(Clone, Copy, Debug)]
struct Guarded {
    pair: Pair,
    binding: BindingHandle,
    calls: u8,
    closing: bool,
}

impl Hash for Guarded {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.pair, self.calls, self.closing).hash(state);
    }
}

impl Hash for Rundown {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bindings.hash(state);
    }
}

impl Rundown {
    /// A binding may be called through from now on.
    pub(super) fn open(&mut self, pair: Pair, binding: BindingHandle) {
        self.bindings.push(Guarded {
            pair,
            binding,
            calls: 0,
            closing: false,
        });
    }

    /// Closes a binding to new calls; whether none runs.
    pub(super) fn close(&mut self, binding: BindingHandle) -> bool {
        self.change(binding, |guarded| guarded.closing = true)
    }

    /// The same, by who forgets to close it where no call runs.
    pub(super) fn close_if_called(&mut self, binding: BindingHandle) -> bool {
        let mut all = self.bindings.iter_mut();
        let guarded = all.find(|other| other.binding == binding);
        guarded.is_none_or(|guarded| {
            guarded.closing = guarded.calls > 0;
            !guarded.closing
        })
    }

    /// A side enters every open binding; what is to be completed when one is left by the last.
    pub(super) fn enter_all(&mut self, side: Side) -> Vec<PendingDetach> {
        let open = self.bindings.iter_mut().filter(|guarded| !guarded.closing);
        let entered = open.map(|guarded| {
            guarded.calls += 1;
            PendingDetach {
                side,
                pair: guarded.pair,
                binding: guarded.binding,
            }
        });
        entered.collect()
    }

    /// Leaves a binding; whether this was the last call of a closed one.
    pub(super) fn leave(&mut self, binding: BindingHandle) -> bool {
        self.change(binding, |guarded| guarded.calls -= 1)
    }

    /// Whether the binding is closed then and not called.
    fn change(&mut self, binding: BindingHandle, change: impl FnOnce(&mut Guarded)) -> bool {
        let mut all = self.bindings.iter();
        let Some(index) = all.position(|other| other.binding == binding) else {
            return true;
        };
        let guarded = &mut self.bindings[index];
        change(guarded);
        let is_over = guarded.closing && guarded.calls == 0;
        if is_over {
            self.bindings.remove(index);
        }
        is_over
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::RegId;

    #[test]
    fn a_closed_binding_is_over_with_its_last_call_and_is_not_entered() {
        let binding = BindingHandle::from_raw(1, 7);
        let [client, provider] = [0, 1].map(|module| RegId { module, nth: 0 });
        let pair = Pair { client, provider };
        let mut rundown = Rundown::default();
        rundown.open(pair, binding);
        assert_eq!(rundown.enter_all(Side::Client).len(), 1);
        assert_eq!(rundown.enter_all(Side::Client).len(), 1);
        assert!(!rundown.close(binding));
        assert_eq!(rundown.enter_all(Side::Client), []);
        assert!(!rundown.leave(binding));
        assert!(rundown.leave(binding));
        // It is not there any more.
        assert!(rundown.close(binding));
    }
}
