//! The registrars of the process: the default one, and those that were made beside it.
//!
//! A HANDLE says which one it is of. The numbers of registrars are not used twice, so a HANDLE of one that is
//! gone names nothing (C12).

use std::collections::BTreeMap;
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

/// A call in a registrar beside the default one; nobody takes that away until it is over.
struct Calling {
    number: u32,
    // `None` only while it is dropped.
    registrar: Option<Registrar>,
}

impl Calling {
    /// Begins a call in the registrar by this number, if there is one.
    fn begin(number: u32) -> Option<Self> {
        let mut others = OTHERS.lock();
        let other = others.get_mut(&number)?;
        other.calls += 1;
        let registrar = Some(other.registrar.clone());
        Some(Self { number, registrar })
    }

    fn registrar(&self) -> &Registrar {
        self.registrar.as_ref().expect("it is held")
    }
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

/// Calls something in the default registrar.
#[inline]
pub(crate) fn in_default<R>(body: impl FnOnce(&Registrar) -> R) -> R {
    body(&DEFAULT)
}

/// Calls something in the registrar that a HANDLE says it is of, with the handle there; `None` if there is none.
#[inline]
pub(crate) fn in_that_of<K: HandleKind, R>(
    handle: HANDLE,
    body: impl FnOnce(&Registrar, Handle<K>) -> R,
) -> Option<R> {
    match handle::unpack(handle) {
        Named::Default(bits) => {
            let registrar = &*DEFAULT;
            let handle = Handle::from_raw(registrar.number(), bits);
            Some(body(registrar, handle))
        }
        Named::Other(number, bits) => in_other(number, |registrar| {
            body(registrar, Handle::from_raw(number, bits))
        }),
    }
}

/// Calls something in the registrar that a HANDLE names, NULL the default one; `None` if there is none.
pub(crate) fn in_named<R>(handle: HANDLE, body: impl FnOnce(&Registrar) -> R) -> Option<R> {
    if handle.is_null() {
        return Some(in_default(body));
    }
    match handle::unpack(handle) {
        Named::Other(number, 0) => in_other(number, body),
        _ => None,
    }
}

/// Out of the way of calls in the default one.
#[cold]
#[inline(never)]
fn in_other<R>(number: u32, body: impl FnOnce(&Registrar) -> R) -> Option<R> {
    let calling = Calling::begin(number)?;
    Some(body(calling.registrar()))
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
