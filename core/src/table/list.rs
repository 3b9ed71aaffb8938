//! Doubly linked lists through the slots of a slab: oldest first, removal from anywhere, no
//! allocation. A tenant may be in several lists, told apart by side.

use super::link::Link;
use super::slab::Slab;
use crate::handle::Key;
use crate::npi::Side;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct List {
    pub(crate) first: Option<Link>,
    pub(crate) last: Option<Link>,
}

impl List {
    pub(crate) const EMPTY: Self = Self {
        first: None,
        last: None,
    };

    pub(crate) const fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// How many are in it: counted, for whoever asks does something with each.
    pub(crate) fn len<T: Linked>(&self, slab: &Slab<T>, side: Side) -> usize {
        self.iter(slab, side).count()
    }

    /// Those in it, oldest first. A list that is not consistent has an end, too.
    pub(crate) fn iter<T: Linked>(&self, slab: &Slab<T>, side: Side) -> impl Iterator<Item = Key> {
        let next = move |&key: &Key| {
            let link = slab.lookup(key).ok()?.next(side)?;
            Some(slab.key(link))
        };
        let first = self.first.map(|first| slab.key(first));
        std::iter::successors(first, next).take(slab.len())
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Links {
    pub(crate) previous: Option<Link>,
    pub(crate) next: Option<Link>,
}

impl Links {
    pub(crate) const NONE: Self = Self {
        previous: None,
        next: None,
    };
}

pub(crate) trait Linked {
    fn links(&mut self, side: Side) -> &mut Links;
    fn next(&self, side: Side) -> Option<Link>;
}

pub(crate) fn push<T: Linked>(list: &mut List, slab: &mut Slab<T>, key: Key, side: Side) {
    *slab.get_mut(key).links(side) = Links {
        previous: list.last,
        next: None,
    };
    let link = Some(Link::to(key));
    match list.last {
        Some(last) => slab.get_mut(last).links(side).next = link,
        None => list.first = link,
    }
    list.last = link;
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
}
