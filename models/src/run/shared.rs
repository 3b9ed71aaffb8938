//! What the modules and threads of one execution share besides the registrar: handles, memory of
//! registration contexts, pending detaches, and rundowns.
//!
//! Where two threads really meet, the primitive is `nmr-sync`'s, so that loom and shuttle see it.

use nmr::{BindingHandle, ClientHandle, ProviderHandle, Side};
use nmr_sync::{Monitor, Mutex};

use crate::event::Pair;
use crate::invisible::{Invisible, lock};

/// A registration's handle, of either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AnyHandle {
    Client(ClientHandle),
    Provider(ProviderHandle),
}

impl AnyHandle {
    pub(super) const fn to_raw(self) -> (u32, u64) {
        match self {
            Self::Client(handle) => handle.to_raw(),
            Self::Provider(handle) => handle.to_raw(),
        }
    }

    pub(super) const fn from_raw(side: Side, (registrar, bits): (u32, u64)) -> Self {
        match side {
            Side::Client => Self::Client(ClientHandle::from_raw(registrar, bits)),
            Side::Provider => Self::Provider(ProviderHandle::from_raw(registrar, bits)),
        }
    }
}

/// The latest of something, with its name: a module's registration, or its binding.
pub(super) struct Latest<N, H> {
    /// Locked around each access if threads race for it: only then is their order part of what is
    /// explored.
    raced: Option<Mutex<()>>,
    value: Invisible<Option<(N, H)>>,
}

impl<N: Copy, H: Copy> Latest<N, H> {
    pub(super) fn new(raced: bool) -> Self {
        Self {
            raced: raced.then(|| Mutex::new(())),
            value: Invisible::new(None),
        }
    }

    pub(super) fn set(&self, name: N, handle: H) {
        let _order = self.raced.as_ref().map(Mutex::lock);
        *lock(&self.value) = Some((name, handle));
    }

    pub(super) fn get(&self) -> Option<(N, H)> {
        let _order = self.raced.as_ref().map(Mutex::lock);
        *lock(&self.value)
    }
}

/// The memory of a registration context. Its owner frees it when the wait for the registration has
/// returned; the owner's callbacks and the functions in its dispatch table use it.
pub(super) struct Memory {
    freed: Mutex<bool>,
}

impl Memory {
    pub(super) fn new() -> Self {
        Self {
            freed: Mutex::new(false),
        }
    }

    pub(super) fn free(&self) {
        *self.freed.lock() = true;
    }

    pub(super) fn is_freed(&self) -> bool {
        *self.freed.lock()
    }
}

/// A detach that was answered *pending*.
#[derive(Clone, Copy, Debug)]
pub(super) struct PendingDetach {
    pub(super) side: Side,
    pub(super) pair: Pair,
    pub(super) binding: BindingHandle,
}

/// The pending detaches of all modules.
pub(super) struct Pending {
    state: Monitor<PendingState>,
}

struct PendingState {
    detaches: Vec<PendingDetach>,
    /// For each module, the `wait` operations that the threads have still to finish.
    waits: Vec<usize>,
}

impl Pending {
    pub(super) fn new(waits: Vec<usize>) -> Self {
        Self {
            state: Monitor::new(PendingState {
                detaches: Vec::new(),
                waits,
            }),
        }
    }

    pub(super) fn push(&self, detach: PendingDetach) {
        self.state
            .enter_then_notify(|state| (state.detaches.push(detach), true));
    }

    /// A thread finished a `wait` operation for the module.
    pub(super) fn waited(&self, module: usize) {
        self.state.enter_then_notify(|state| {
            state.waits[module] = state.waits[module].saturating_sub(1);
            ((), true)
        });
    }

    /// The oldest pending detach of the module (of any, if `None`), as soon as there is one; `None`
    /// once no thread will wait any more.
    pub(super) fn next(&self, module: Option<usize>) -> Option<PendingDetach> {
        self.state.wait_until(|state| {
            if let Some(detach) = state.take(module) {
                return Some(Some(detach));
            }
            let mut waits = state.waits.iter().enumerate();
            let over = waits.all(|(index, &left)| left == 0 || module.is_some_and(|m| m != index));
            over.then_some(None)
        })
    }

    /// The oldest pending detach of the module, if there is one now.
    pub(super) fn try_next(&self, module: usize) -> Option<PendingDetach> {
        self.state.enter(|state| state.take(Some(module)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.state.enter(|state| state.detaches.is_empty())
    }
}

impl PendingState {
    fn take(&mut self, module: Option<usize>) -> Option<PendingDetach> {
        let mut detaches = self.detaches.iter();
        let index = detaches.position(|detach| {
            let owner = usize::from(detach.pair.side(detach.side).module);
            module.is_none_or(|module| module == owner)
        })?;
        Some(self.detaches.remove(index))
    }
}

/// A client's rundown protection: which bindings may be called through, and how many calls run.
pub(super) struct Rundown {
    bindings: Mutex<Vec<Guarded>>,
}

struct Guarded {
    pair: Pair,
    binding: BindingHandle,
    calls: u32,
    closing: bool,
}

impl Rundown {
    pub(super) fn new() -> Self {
        Self {
            bindings: Mutex::new(Vec::new()),
        }
    }

    pub(super) fn open(&self, pair: Pair, binding: BindingHandle) {
        self.bindings.lock().push(Guarded {
            pair,
            binding,
            calls: 0,
            closing: false,
        });
    }

    /// Closes a binding to new calls; whether none runs.
    pub(super) fn close(&self, binding: BindingHandle) -> bool {
        let mut bindings = self.bindings.lock();
        let Some(guarded) = bindings.iter_mut().find(|other| other.binding == binding) else {
            return true;
        };
        guarded.closing = true;
        guarded.calls == 0
    }

    /// Enters every open binding.
    pub(super) fn enter_all(&self) -> Vec<(Pair, BindingHandle)> {
        let mut bindings = self.bindings.lock();
        let open = bindings.iter_mut().filter(|guarded| !guarded.closing);
        open.map(|guarded| {
            guarded.calls += 1;
            (guarded.pair, guarded.binding)
        })
        .collect()
    }

    /// Leaves a binding; whether this was the last call of a closed one.
    pub(super) fn leave(&self, binding: BindingHandle) -> bool {
        let mut bindings = self.bindings.lock();
        let guarded = bindings.iter_mut().find(|other| other.binding == binding);
        guarded.is_some_and(|guarded| {
            guarded.calls -= 1;
            guarded.closing && guarded.calls == 0
        })
    }
}
