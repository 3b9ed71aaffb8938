//! What the modules and threads of one execution share besides the registrar, behind locks: handles, memory of
//! registration contexts, pending detaches, and rundowns.
//!
//! Where two threads really meet, the primitive is `nmr-sync`'s, so that loom and shuttle see it. To an
//! explorer each says what it protects and what is learnt of it, in names: a handle is known by what it
//! names.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use nmr::{ClientRegistration, ProviderRegistration};
use nmr_sync::{Monitor, Mutex, Name, choose_among, describe, is_explored, learn, touch};

#[cfg(shuttle)]
use crate::event::{Pair, Side};
use crate::interpreter::{AnyHandle, Pending, PendingDetach, Which};
use crate::invisible::{Invisible, lock};

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

/// The pending detaches of all modules, for whoever waits for one.
pub(super) struct PendingDetaches(Monitor<Pending>);

impl PendingDetaches {
    pub(super) fn new(pending: Pending) -> Self {
        Self(Monitor::new(pending))
    }

    /// A detach is pending, unless that is over already.
    pub(super) fn push(&self, detach: PendingDetach, is_over: impl FnOnce() -> bool) {
        self.0.enter_then_notify(|pending| {
            if !is_over() {
                pending.push(detach);
            }
            learn(&());
            ((), true)
        });
    }

    /// A module in C completes a detach; what it is `otherwise` than pending.
    #[cfg(shuttle)]
    pub(super) fn complete(&self, pair: Pair, side: Side, otherwise: impl FnOnce()) {
        self.0.enter(|pending| {
            if !pending.completed(pair, side) {
                otherwise();
            }
            learn(&());
        });
    }

    /// A thread finished a `wait` operation for the module.
    pub(super) fn has_waited(&self, module: u8) {
        self.0.enter_then_notify(|pending| {
            pending.has_waited(module);
            learn(&());
            ((), true)
        });
    }

    /// A pending detach, as soon as there is one; `None` once no thread will wait any more.
    pub(super) fn next(&self, which: Which) -> Option<PendingDetach> {
        self.0.wait_until(|pending| {
            let detach = take(pending, which);
            if detach.is_none() && !pending.is_over(which) {
                return None;
            }
            learn(&detach);
            Some(detach)
        })
    }

    /// The oldest pending detach of the module, if there is one now.
    pub(super) fn try_next(&self, module: u8) -> Option<PendingDetach> {
        self.0.enter(|pending| {
            let detach = take(pending, Which::OldestOf(module));
            learn(&detach);
            detach
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.enter(|pending| {
            let is_empty = pending.detaches().is_empty();
            learn(&is_empty);
            is_empty
        })
    }
}

fn take(pending: &mut Pending, which: Which) -> Option<PendingDetach> {
    let oldest = pending.candidates(which).next()?;
    let place = match which {
        Which::Any => any(pending.detaches()),
        Which::Oldest | Which::OldestOf(_) => oldest,
    };
    Some(pending.remove(place))
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

/// Changes what a mutex protects, such as the list of a module's bindings.
pub(super) fn change<T: Hash, R: Hash>(shared: &Mutex<T>, how: impl FnOnce(&mut T) -> R) -> R {
    let mut shared = shared.lock();
    let result = how(&mut shared);
    describe(&shared);
    learn(&result);
    result
}
