//! The registrars of the process: the default one, and those that were made beside it.
//!
//! A HANDLE says which one it is of. The numbers of registrars are not used twice, so a HANDLE of one that is
//! gone names nothing (C12).

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::LazyLock;

use nmr::{Builder, Handle, HandleKind, Registrar};
use nmr_sync::Mutex;

use crate::abi::HANDLE;
use crate::handle::{self, LAST_GENERATION, LAST_NUMBER, Named, STRIPES};

static DEFAULT: LazyLock<Registrar> = LazyLock::new(Registrar::new);

static OTHERS: Mutex<BTreeMap<u32, Other>> = Mutex::new(BTreeMap::new());

/// A registrar beside the default one.
struct Other {
    registrar: Registrar,
    /// Calls that are under way. What one registers may not be counted yet.
    calls: usize,
}

/// A registrar that was looked up; nobody takes it away while it is held.
pub(crate) enum Found {
    Default(&'static Registrar),
    Other(Calling),
}

/// A call in a registrar beside the default one.
pub(crate) struct Calling {
    number: u32,
    // `None` only while it is dropped.
    registrar: Option<Registrar>,
}

impl Drop for Calling {
    fn drop(&mut self) {
        let mut others = OTHERS.lock();
        if let Some(other) = others.get_mut(&self.number) {
            other.calls -= 1;
        }
        // Before the lock is released, after which the registrar may be taken away.
        self.registrar = None;
    }
}

impl Deref for Found {
    type Target = Registrar;

    fn deref(&self) -> &Registrar {
        match self {
            Self::Default(registrar) => registrar,
            Self::Other(calling) => calling.registrar.as_ref().expect("it is held"),
        }
    }
}

/// The default one.
pub(crate) fn default() -> Found {
    Found::Default(&DEFAULT)
}

/// The registrar that a HANDLE says it is of, and the handle there.
pub(crate) fn locate<K: HandleKind>(handle: HANDLE) -> Option<(Found, Handle<K>)> {
    match handle::unpack(handle) {
        Named::Default(bits) => {
            let default = &*DEFAULT;
            let handle = Handle::from_raw(default.number(), bits);
            Some((Found::Default(default), handle))
        }
        Named::Other(number, bits) => {
            let found = other(number)?;
            Some((found, Handle::from_raw(number, bits)))
        }
    }
}

/// The registrar that a HANDLE names, NULL the default one.
pub(crate) fn named(handle: HANDLE) -> Option<Found> {
    if handle.is_null() {
        return Some(default());
    }
    match handle::unpack(handle) {
        Named::Other(number, 0) => other(number),
        _ => None,
    }
}

fn other(number: u32) -> Option<Found> {
    let mut others = OTHERS.lock();
    let other = others.get_mut(&number)?;
    other.calls += 1;
    let registrar = Some(other.registrar.clone());
    Some(Found::Other(Calling { number, registrar }))
}

/// The HANDLE of something in one of the registrars.
pub(crate) fn handle_of<K: HandleKind>(handle: Handle<K>) -> HANDLE {
    handle::pack(handle, DEFAULT.number())
}

/// Makes another registrar; `None` if no HANDLE could name it.
pub(crate) fn create(limits: Builder) -> Option<HANDLE> {
    // The default one comes first, so that its number is none of theirs.
    LazyLock::force(&DEFAULT);
    let registrar = limits
        .stripes(STRIPES)
        .last_generation(LAST_GENERATION)
        .build();
    let number = registrar.number();
    if number > LAST_NUMBER {
        return None;
    }
    let other = Other {
        registrar,
        calls: 0,
    };
    let mut others = OTHERS.lock();
    others.insert(number, other);
    Some(handle::of_registrar(number))
}

/// Why a registrar was not taken away.
pub(crate) enum Kept {
    /// There is none by that name.
    Unknown,
    /// Something is registered there, or a call is under way.
    InUse,
}

/// Takes away a registrar in which nothing is registered.
pub(crate) fn destroy(handle: HANDLE) -> Result<(), Kept> {
    let Named::Other(number, 0) = handle::unpack(handle) else {
        return Err(Kept::Unknown);
    };
    let mut others = OTHERS.lock();
    let other = others.get(&number).ok_or(Kept::Unknown)?;
    // Nobody begins while the map is held.
    if other.calls != 0 || other.registrar.count().registrations != 0 {
        return Err(Kept::InUse);
    }
    others.remove(&number);
    Ok(())
}
