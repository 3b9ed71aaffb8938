//! Doubly linked lists through the slots of a slab: oldest first, removal from anywhere, no
//! allocation. A tenant may be in several lists, told apart by side.

use super::slab::Slab;
use crate::handle::Key;
use crate::npi::Side;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct List {
    pub(crate) first: Option<Key>,
    pub(crate) last: Option<Key>,
    pub(crate) len: u32,
}

impl List {
    pub(crate) const EMPTY: Self = Self {
        first: None,
        last: None,
        len: 0,
    };

    pub(crate) const fn is_empty(&self) -> bool {
        self.first.is_none()
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Links {
    pub(crate) previous: Option<Key>,
    pub(crate) next: Option<Key>,
}

impl Links {
    pub(crate) const NONE: Self = Self {
        previous: None,
        next: None,
    };
}

pub(crate) trait Linked {
    fn links(&mut self, side: Side) -> &mut Links;
}

pub(crate) fn push<T: Linked>(list: &mut List, slab: &mut Slab<T>, key: Key, side: Side) {
    *slab.get_mut(key).links(side) = Links {
        previous: list.last,
        next: None,
    };
    match list.last {
        Some(last) => slab.get_mut(last).links(side).next = Some(key),
        None => list.first = Some(key),
    }
    list.last = Some(key);
    list.len += 1;
}

/// Takes out the one that had these `links`.
pub(crate) fn unlink<T: Linked>(list: &mut List, slab: &mut Slab<T>, links: Links, side: Side) {
    let Links { previous, next } = links;
    match previous {
        Some(previous) => slab.get_mut(previous).links(side).next = next,
        None => list.first = next,
    }
    match next {
        Some(next) => slab.get_mut(next).links(side).previous = previous,
        None => list.last = previous,
    }
    list.len -= 1;
}
