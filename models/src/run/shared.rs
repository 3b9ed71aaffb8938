//! What the modules and threads of one execution share besides the registrar: handles, memory of
//! registration contexts, pending detaches, and rundowns.
//!
//! Where two threads really meet, the primitive is `nmr-sync`'s, so that loom and shuttle see it. To an
//! explorer each says what it protects and what is learnt of it, in names: a handle is known by what it
//! names.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use nmr::{
    BindingHandle, ClientHandle, ClientRegistration, ProviderHandle, ProviderRegistration, Side,
};
use nmr_sync::{
    Monitor, Mutex, Name, choose_among, describe, is_explored, learn, touch, unordered,
};

use crate::event::Pair;
use crate::invisible::{Invisible, lock};
use crate::permuted::ModuleNumber;

/// A registration's handle, of either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum AnyHandle {
    Client(ClientHandle),
    Provider(ProviderHandle),
}

impl AnyHandle {
    pub(crate) const fn to_raw(self) -> (u32, u64) {
        match self {
            Self::Client(handle) => handle.to_raw(),
            Self::Provider(handle) => handle.to_raw(),
        }
    }

    pub(crate) const fn from_raw(side: Side, (registrar, bits): (u32, u64)) -> Self {
        match side {
            Side::Client => Self::Client(ClientHandle::from_raw(registrar, bits)),
            Side::Provider => Self::Provider(ProviderHandle::from_raw(registrar, bits)),
        }
    }
}

/// The latest of something, with its name: a module's registration, or its binding. Hashed by the name,
/// if some operation ever uses it.
pub(super) struct Latest<N, H> {
    /// Locked around each access if threads race for it: only then is their order part of what is
    /// explored. It protects nothing of its own: the value is told to an explorer beside it.
    raced: Option<Mutex<()>>,
    /// See [`touch`].
    key: u32,
    is_used: bool,
    value: Invisible<Option<(N, H)>>,
}

impl<N: Copy + Hash, H: Copy> Latest<N, H> {
    pub(super) fn new(raced: bool, is_used: bool, key: u32) -> Self {
        Self {
            raced: raced.then(|| Mutex::new(())),
            key,
            is_used,
            value: Invisible::new(None),
        }
    }

    pub(super) fn set(&self, name: N, handle: H) {
        let raced = self.raced.as_ref().map(Mutex::lock);
        touch(self.key);
        *lock(&self.value) = Some((name, handle));
        if let Some(raced) = &raced {
            describe(raced);
            learn(&());
        }
    }

    pub(super) fn get(&self) -> Option<(N, H)> {
        let raced = self.raced.as_ref().map(Mutex::lock);
        touch(self.key);
        let value = *lock(&self.value);
        if let Some(raced) = &raced {
            describe(raced);
            learn(&value.map(|(name, _)| name));
        }
        value
    }
}

impl<N: Copy, H> Latest<N, H> {
    /// The name, for whoever looks from outside of the execution.
    pub(super) fn peek(&self) -> Option<N> {
        lock(&self.value).as_ref().map(|&(name, _)| name)
    }
}

impl<N: Hash, H> Hash for Latest<N, H> {
    fn hash<S: Hasher>(&self, state: &mut S) {
        let value = lock(&self.value);
        let name = value.as_ref().map(|(name, _)| name);
        name.filter(|_| self.is_used).hash(state);
    }
}

/// The memory of a registration context. Its owner frees it when the wait for the registration has
/// returned; the owner's callbacks and the functions in its dispatch table use it. Hashed by its name and
/// whether it is freed.
pub(super) struct Memory {
    /// Made by the thread that registers, right before the registrar makes its own name for the
    /// registration: to an explorer it says which of the registrar's is meant by which
    /// [`RegId`](crate::event::RegId).
    name: Name,
    /// See [`touch`].
    key: u32,
    /// Locked for loom and shuttle's schedulers, so that every order of its uses is tried. To an explorer
    /// a use is no operation of its own: a callback, which begins and ends with one,
    /// [lingers](nmr_sync::linger) in between.
    order: Mutex<()>,
    freed: Invisible<bool>,
}

impl Memory {
    pub(super) fn new(key: u32) -> Self {
        Self {
            name: Name::new(),
            key,
            order: Mutex::new(()),
            freed: Invisible::new(false),
        }
    }

    pub(super) fn free(&self) {
        self.used(|freed| *freed = true);
    }

    pub(super) fn is_freed(&self) -> bool {
        self.used(|freed| *freed)
    }

    fn used<R>(&self, how: impl FnOnce(&mut bool) -> R) -> R {
        if is_explored() {
            touch(self.key);
            return how(&mut lock(&self.freed));
        }
        let _order = self.order.lock();
        how(&mut lock(&self.freed))
    }
}

impl Hash for Memory {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.name, *lock(&self.freed)).hash(state);
    }
}

/// A detach that was answered *pending*. Hashed without its handle, of which there is one for a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PendingDetach {
    pub(crate) side: Side,
    pub(crate) pair: Pair,
    pub(crate) binding: BindingHandle,
}

impl Hash for PendingDetach {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.side, self.pair).hash(state);
    }
}

/// The pending detaches of all modules.
pub(super) struct Pending {
    state: Monitor<PendingState>,
}

struct PendingState {
    /// The oldest first.
    detaches: Vec<PendingDetach>,
    /// Any of them is completed: their order says nothing.
    unordered: bool,
    /// For each module, the `wait` operations that the threads have still to finish.
    waits: Vec<usize>,
}

impl Hash for PendingState {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.unordered {
            true => unordered(&self.detaches, state),
            false => self.detaches.hash(state),
        }
        let waits = self.waits.iter().enumerate();
        let waits = waits.map(|(module, left)| (ModuleNumber(module as u8), left));
        unordered(waits, state);
    }
}

impl Pending {
    pub(super) fn new(waits: Vec<usize>, unordered: bool) -> Self {
        Self {
            state: Monitor::new(PendingState {
                detaches: Vec::new(),
                unordered,
                waits,
            }),
        }
    }

    pub(super) fn push(&self, detach: PendingDetach) {
        self.state.enter_then_notify(|state| {
            state.detaches.push(detach);
            learn(&());
            ((), true)
        });
    }

    /// A thread finished a `wait` operation for the module.
    pub(super) fn waited(&self, module: usize) {
        self.state.enter_then_notify(|state| {
            state.waits[module] = state.waits[module].saturating_sub(1);
            learn(&());
            ((), true)
        });
    }

    /// A pending detach, as soon as there is one; `None` once no thread will wait any more.
    pub(super) fn next(&self, which: Which) -> Option<PendingDetach> {
        let module = which.module();
        self.state.wait_until(|state| {
            let detach = state.take(which);
            if detach.is_none() {
                let mut waits = state.waits.iter().enumerate();
                let over =
                    waits.all(|(index, &left)| left == 0 || module.is_some_and(|m| m != index));
                if !over {
                    return None;
                }
            }
            learn(&detach);
            Some(detach)
        })
    }

    /// The oldest pending detach of the module, if there is one now.
    pub(super) fn try_next(&self, module: usize) -> Option<PendingDetach> {
        self.state.enter(|state| {
            let detach = state.take(Which::OldestOf(module));
            learn(&detach);
            detach
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.state.enter(|state| {
            let is_empty = state.detaches.is_empty();
            learn(&is_empty);
            is_empty
        })
    }
}

impl PendingState {
    fn take(&mut self, which: Which) -> Option<PendingDetach> {
        if self.detaches.is_empty() {
            return None;
        }
        let index = match which {
            Which::Oldest => 0,
            Which::OldestOf(module) => self.detaches.iter().position(|detach| {
                let owner = usize::from(detach.pair.side(detach.side).module);
                module == owner
            })?,
            Which::Any => any(&self.detaches),
        };
        Some(self.detaches.remove(index))
    }
}

/// Which pending detach is completed next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// The oldest of all.
    Oldest,
    /// The oldest of a module's.
    OldestOf(usize),
    /// Any.
    Any,
}

impl Which {
    const fn module(self) -> Option<usize> {
        match self {
            Self::OldestOf(module) => Some(module),
            Self::Oldest | Self::Any => None,
        }
    }
}

/// One of several: real threads take another one each time.
fn any(detaches: &[PendingDetach]) -> usize {
    if cfg!(any(loom, shuttle)) {
        return choose_among(detaches);
    }
    RandomState::new().hash_one(()) as usize % detaches.len()
}

/// A registration that its owner holds as a value. Never dropped by itself: that would call the registrar,
/// which an execution that goes no farther must not do.
pub(super) enum Owned {
    Client(ClientRegistration),
    Provider(ProviderRegistration),
}

impl Owned {
    pub(super) fn handle(&self) -> AnyHandle {
        match self {
            Self::Client(registration) => AnyHandle::Client(registration.handle()),
            Self::Provider(registration) => AnyHandle::Provider(registration.handle()),
        }
    }
}

/// A client's rundown protection: which bindings may be called through, and how many calls run.
pub(super) struct Rundown {
    /// In the order in which they are called through. One that is closed and not called any more is
    /// not there.
    bindings: Mutex<Vec<Guarded>>,
}

/// Hashed without its handle, of which there is one for a pair.
struct Guarded {
    pair: Pair,
    binding: BindingHandle,
    calls: u32,
    closing: bool,
}

impl Hash for Guarded {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.pair, self.calls, self.closing).hash(state);
    }
}

impl Rundown {
    pub(super) fn new() -> Self {
        Self {
            bindings: Mutex::new(Vec::new()),
        }
    }

    pub(super) fn open(&self, pair: Pair, binding: BindingHandle) {
        let mut bindings = self.bindings.lock();
        bindings.push(Guarded {
            pair,
            binding,
            calls: 0,
            closing: false,
        });
        describe(&bindings);
        learn(&());
    }

    /// Closes a binding to new calls; whether none runs.
    pub(super) fn close(&self, binding: BindingHandle) -> bool {
        self.change(binding, |guarded| guarded.closing = true)
    }

    /// Enters every open binding.
    pub(super) fn enter_all(&self) -> Vec<(Pair, BindingHandle)> {
        let mut bindings = self.bindings.lock();
        let open = bindings.iter_mut().filter(|guarded| !guarded.closing);
        let entered = open.map(|guarded| {
            guarded.calls += 1;
            (guarded.pair, guarded.binding)
        });
        let entered: Vec<_> = entered.collect();
        describe(&bindings);
        let pairs = entered.iter().map(|&(pair, _)| pair);
        learn(&pairs.collect::<Vec<_>>());
        entered
    }

    /// Leaves a binding; whether this was the last call of a closed one.
    pub(super) fn leave(&self, binding: BindingHandle) -> bool {
        self.change(binding, |guarded| guarded.calls -= 1)
    }

    /// Whether the binding is closed then and not called.
    fn change(&self, binding: BindingHandle, change: impl FnOnce(&mut Guarded)) -> bool {
        let mut bindings = self.bindings.lock();
        let index = bindings.iter().position(|other| other.binding == binding);
        let is_over = index.is_none_or(|index| {
            let guarded = &mut bindings[index];
            change(guarded);
            let is_over = guarded.closing && guarded.calls == 0;
            if is_over {
                bindings.remove(index);
            }
            is_over
        });
        describe(&bindings);
        learn(&is_over);
        is_over
    }
}
