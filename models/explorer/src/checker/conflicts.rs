//! Which objects the threads of the program can disagree about. An operation on any other one is
//! invisible: nobody can tell when it happened, and nothing branches there.
//!
//! A mutex is invisible as long as only one thread has used it, or all of its critical sections only
//! read, and nothing else was done inside any of them (a thread that holds it and waits for something, a
//! join for instance, is noticed by those who wait for it), and nobody has only tried to take it. Only what
//! says so reads: a section of a mutex that nobody describes changes it, also one of a `Mutex<()>`. An
//! atomic is invisible as long as only one thread uses it, or all only load, or all uses happen under one
//! common mutex. A condvar's notifications are invisible as long as they and
//! its waits all happen under one common mutex (the lock sets of Eraser: Savage et al., TOCS 1997). A
//! mutex after whose operations something is [touched](nmr_sync::touch) that several threads touch is
//! visible, for there is no other place to branch at.
//!
//! The search is optimistic: objects start as independent, and the first execution that shows a conflict adds it
//! and begins the search again. That is sound: the first conflict of any execution comes after a prefix without
//! one, an equivalent of which was explored, and there the conflict was met. The set that the search ends with does
//! not depend on the order in which conflicts are met.
//!
//! LAPOR (Kokologiannakis, Raad and Vafeiadis, OOPSLA 2019) decides for each pair of critical sections,
//! this for each lock.

use std::collections::BTreeMap;

use nmr_sync::hook::ObjectId;

use crate::checker::fingerprint::Symmetries;
use crate::checker::program::Thread;

/// What is known of one object, over all executions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Uses {
    /// Threads that have used it, as bits.
    users: u64,
    /// Threads that have changed what it protects.
    writers: u64,
    /// A thread that held it did something else meanwhile.
    nested: bool,
    /// A thread only tried to take it, and can tell an early release from a late one.
    release_visible: bool,
    /// The mutexes that were held at each use of a condvar or an atomic.
    common: Option<Vec<ObjectId>>,
    /// It is an atomic.
    atomic: bool,
    /// What was touched after an operation on this mutex and before the next operation.
    touches: Vec<ObjectId>,
}

impl Uses {
    const fn is_shared(&self) -> bool {
        self.users.count_ones() > 1
    }

    /// No mutex was held at all uses of a condvar or an atomic.
    fn is_used_without_a_lock(&self) -> bool {
        self.common.as_ref().is_some_and(Vec::is_empty)
    }

    /// It was used with these mutexes held; whether that is news.
    fn used_under(&mut self, held: impl Iterator<Item = ObjectId>) -> bool {
        let held: Vec<ObjectId> = held.collect();
        match &mut self.common {
            None => {
                self.common = Some(held);
                true
            }
            Some(common) => {
                let before = common.len();
                common.retain(|mutex| held.contains(mutex));
                common.len() != before
            }
        }
    }
}

/// See the [module's documentation](self).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Conflicts {
    objects: BTreeMap<ObjectId, Uses>,
    /// Something was added since the last [`Conflicts::take_changed`].
    changed: bool,
}

const fn bit(thread: Thread) -> u64 {
    1 << (thread % 64)
}

impl Conflicts {
    pub(crate) fn is_visible(&self, object: ObjectId) -> bool {
        let Some(uses) = self.objects.get(&object) else {
            return false;
        };
        if uses.release_visible {
            return true;
        }
        if uses.atomic {
            return uses.is_shared() && uses.writers != 0 && uses.is_used_without_a_lock()
                || self.is_before_a_touch(uses);
        }
        if uses.common.is_some() {
            return uses.is_used_without_a_lock();
        }
        // A sole writer who is not the sole user has readers.
        let disputed = uses.is_shared() && (uses.nested || uses.writers != 0);
        disputed || self.is_before_a_touch(uses)
    }

    /// Whether something is touched after its operations that several threads touch.
    fn is_before_a_touch(&self, uses: &Uses) -> bool {
        let shared = |key| self.objects.get(key).is_some_and(Uses::is_shared);
        uses.touches.iter().any(shared)
    }

    /// Whether others notice when a mutex is released, or when somebody falls asleep on a condvar.
    pub(crate) fn needs_release_point(&self, object: ObjectId) -> bool {
        let uses = self.objects.get(&object);
        uses.is_some_and(|uses| uses.release_visible || uses.is_used_without_a_lock())
    }

    fn note(&mut self, object: ObjectId, note: impl FnOnce(&mut Uses) -> bool) {
        self.changed |= note(self.objects.entry(object).or_default());
    }

    /// `thread` touches something after its last operation, which was on `mutex`.
    pub(crate) fn touched(&mut self, key: ObjectId, thread: Thread, mutex: Option<ObjectId>) {
        self.used(key, thread);
        if let Some(mutex) = mutex {
            self.note(mutex, |uses| {
                let new = !uses.touches.contains(&key);
                if new {
                    uses.touches.push(key);
                }
                new
            });
        }
    }

    /// `thread` uses an object.
    pub(crate) fn used(&mut self, mutex: ObjectId, thread: Thread) {
        self.note(mutex, |uses| {
            let before = uses.users;
            uses.users |= bit(thread);
            uses.users != before
        });
    }

    /// `thread` has changed what a mutex protects.
    pub(crate) fn wrote(&mut self, mutex: ObjectId, thread: Thread) {
        self.note(mutex, |uses| {
            let before = uses.writers;
            uses.writers |= bit(thread);
            uses.writers != before
        });
    }

    /// A mutex was held while its holder did something else.
    pub(crate) fn nested(&mut self, mutex: ObjectId) {
        self.note(mutex, |uses| !std::mem::replace(&mut uses.nested, true));
    }

    /// A mutex was only tried; or it is taken to be, to have its operations seen.
    pub(crate) fn mark_release_visible(&mut self, mutex: ObjectId) {
        self.note(mutex, |uses| {
            !std::mem::replace(&mut uses.release_visible, true)
        });
    }

    /// A condvar was used by a thread that held these mutexes.
    pub(crate) fn notified(&mut self, condvar: ObjectId, held: impl Iterator<Item = ObjectId>) {
        self.note(condvar, |uses| uses.used_under(held));
    }

    /// An atomic is used by a thread that holds these mutexes.
    pub(crate) fn accessed(
        &mut self,
        atomic: ObjectId,
        thread: Thread,
        held: impl Iterator<Item = ObjectId>,
    ) {
        self.used(atomic, thread);
        self.note(atomic, |uses| {
            uses.atomic = true;
            uses.used_under(held)
        });
    }

    /// Whether something was added since this was last asked.
    pub(crate) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// What is known, and the same of the images of objects and threads.
    pub(crate) fn under(&self, symmetries: &Symmetries) -> Self {
        let mut all = Self::default();
        for number in 0..symmetries.len() {
            let thread = |thread| symmetries.image(number, thread);
            let object = |object: ObjectId| ObjectId {
                thread: thread(object.thread as usize) as u32,
                ..object
            };
            let threads = |bits: u64| {
                let threads = (0..64).filter(|&one| bits & bit(one) != 0);
                threads.fold(0, |all, one| all | bit(thread(one)))
            };
            let objects = self.objects.iter().map(|(&name, uses)| {
                let uses = Uses {
                    users: threads(uses.users),
                    writers: threads(uses.writers),
                    common: uses
                        .common
                        .as_ref()
                        .map(|held| held.iter().copied().map(object).collect()),
                    touches: uses.touches.iter().copied().map(object).collect(),
                    ..uses.clone()
                };
                (object(name), uses)
            });
            all.merge(&Self {
                objects: objects.collect(),
                changed: false,
            });
        }
        all
    }

    /// Adds what another search knows; whether something that was invisible here is visible now.
    pub(crate) fn merge(&mut self, other: &Self) -> bool {
        let before: Vec<_> = self.visible().collect();
        for (&object, more) in &other.objects {
            let uses = self.objects.entry(object).or_default();
            uses.users |= more.users;
            uses.writers |= more.writers;
            uses.nested |= more.nested;
            uses.release_visible |= more.release_visible;
            uses.atomic |= more.atomic;
            match (&mut uses.common, &more.common) {
                (Some(common), Some(held)) => common.retain(|mutex| held.contains(mutex)),
                (None, Some(held)) => uses.common = Some(held.clone()),
                (_, None) => {}
            }
            for &key in &more.touches {
                if !uses.touches.contains(&key) {
                    uses.touches.push(key);
                }
            }
        }
        !self.visible().eq(before)
    }

    /// The visible objects, and whether their releases are visible too.
    fn visible(&self) -> impl Iterator<Item = (ObjectId, bool)> {
        let objects = self.objects.iter();
        let visible = objects.filter(|&(&object, _)| self.is_visible(object));
        visible.map(|(&object, _)| (object, self.needs_release_point(object)))
    }
}

/// [`Conflicts`] for a file: thread and number for each object.
pub(crate) type Saved = Vec<(SavedId, SavedUses)>;
type SavedId = (u32, u32);
type SavedUses = (u64, u64, [bool; 3], Option<Vec<SavedId>>, Vec<SavedId>);

impl Conflicts {
    pub(crate) fn saved(&self) -> Saved {
        let id = |object: &ObjectId| (object.thread, object.nth);
        let ids = |objects: &Vec<ObjectId>| objects.iter().map(id).collect();
        let objects = self.objects.iter().map(|(object, uses)| {
            let saved = (
                uses.users,
                uses.writers,
                [uses.nested, uses.release_visible, uses.atomic],
                uses.common.as_ref().map(ids),
                ids(&uses.touches),
            );
            (id(object), saved)
        });
        objects.collect()
    }

    pub(crate) fn restored(saved: Saved) -> Self {
        let id = |(thread, nth)| ObjectId { thread, nth };
        let ids = |objects: Vec<SavedId>| objects.into_iter().map(id).collect();
        let objects = saved.into_iter().map(|(object, uses)| {
            let (users, writers, [nested, release_visible, atomic], common, touches) = uses;
            let uses = Uses {
                users,
                writers,
                nested,
                release_visible,
                common: common.map(ids),
                atomic,
                touches: ids(touches),
            };
            (id(object), uses)
        });
        Self {
            objects: objects.collect(),
            changed: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MUTEX: ObjectId = ObjectId { thread: 0, nth: 0 };
    const OTHER: ObjectId = ObjectId { thread: 0, nth: 1 };
    const CONDVAR: ObjectId = ObjectId { thread: 0, nth: 2 };

    #[test]
    fn a_mutex_of_one_thread_is_invisible_whatever_it_does() {
        let mut conflicts = Conflicts::default();
        conflicts.used(MUTEX, 1);
        conflicts.wrote(MUTEX, 1);
        conflicts.nested(MUTEX);
        assert!(!conflicts.is_visible(MUTEX));
        conflicts.used(MUTEX, 2);
        assert!(conflicts.is_visible(MUTEX));
    }

    #[test]
    fn sections_that_only_read_are_invisible_until_something_is_done_inside_one() {
        let mut conflicts = Conflicts::default();
        conflicts.used(MUTEX, 1);
        conflicts.used(MUTEX, 2);
        assert!(!conflicts.is_visible(MUTEX));
        conflicts.nested(MUTEX);
        assert!(conflicts.is_visible(MUTEX));
    }

    #[test]
    fn a_condvar_needs_one_mutex_in_common() {
        let mut conflicts = Conflicts::default();
        conflicts.notified(CONDVAR, [MUTEX, OTHER].into_iter());
        conflicts.notified(CONDVAR, [MUTEX].into_iter());
        assert!(!conflicts.is_visible(CONDVAR));
        conflicts.notified(CONDVAR, [OTHER].into_iter());
        assert!(conflicts.is_visible(CONDVAR));
    }

    #[test]
    fn that_the_release_of_a_visible_mutex_is_visible_is_news() {
        let mut conflicts = Conflicts::default();
        conflicts.used(MUTEX, 1);
        conflicts.used(MUTEX, 2);
        conflicts.wrote(MUTEX, 1);
        let mut other = Conflicts::default();
        other.mark_release_visible(MUTEX);
        assert!(conflicts.is_visible(MUTEX));
        assert!(conflicts.merge(&other));
    }

    #[test]
    fn what_several_threads_touch_makes_the_operation_before_visible() {
        let key = ObjectId {
            thread: ObjectId::NO_THREAD,
            nth: 7,
        };
        let mut conflicts = Conflicts::default();
        conflicts.used(MUTEX, 1);
        conflicts.touched(key, 1, Some(MUTEX));
        assert!(!conflicts.is_visible(MUTEX));
        conflicts.touched(key, 2, Some(OTHER));
        assert!(conflicts.is_visible(MUTEX) && conflicts.is_visible(OTHER));
    }

    #[test]
    fn what_two_searches_know_apart_can_be_a_conflict_together() {
        let (mut one, mut two) = (Conflicts::default(), Conflicts::default());
        one.used(MUTEX, 1);
        one.wrote(MUTEX, 1);
        two.used(MUTEX, 2);
        assert!(!one.is_visible(MUTEX) && !two.is_visible(MUTEX));
        assert!(one.merge(&two));
        assert!(one.is_visible(MUTEX));
        assert!(!one.merge(&two), "nothing new");
    }
}
