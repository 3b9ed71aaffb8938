//! What tells one state of the program from another, as [fingerprints](crate::checker::fingerprint): what each mutex
//! protects, and what each thread has learnt.
//!
//! A thread is a deterministic program: what it will do follows from what it has learnt since it
//! started, in which order. What a mutex protects is what the program [says](nmr_sync::describe) of it
//! or, where it says nothing, follows from who changed it, in which order and knowing what: such
//! histories tell states apart that are the same, never the other way round.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use nmr_sync::hook::{ObjectId, Write, image};
use smallvec::SmallVec;

use crate::checker::fingerprint::{Fingerprint, Fingerprints, Symmetries, fingerprint};
use crate::checker::program::{Does, Program, Thread};
use crate::checker::spin::Round;

/// What one thread knows.
#[derive(Clone, Debug, Default)]
struct Known {
    /// All that it has learnt.
    learnt: Fingerprints,
    /// The critical sections that it is in.
    sections: SmallVec<[Section; 1]>,
    /// What it knew when it began what it is doing, and how many critical sections it was in then;
    /// innermost last.
    remembered: SmallVec<[(Fingerprints, usize); 2]>,
    /// Its part of the state's fingerprint, and what the thread did next when that was made. Empty if
    /// something of the above has changed since.
    part: Fingerprints,
    part_is_of: Does,
    /// What the program last said of it.
    last_told: Option<Learnt>,
}

/// What the program said that a thread has learnt: how often it had said something by then, and all that
/// the thread had learnt before it and after it.
#[derive(Clone, Copy, Debug)]
struct Learnt {
    told: u32,
    before: Option<u128>,
    after: u128,
}

/// A critical section that has begun.
#[derive(Clone, Debug)]
struct Section {
    mutex: ObjectId,
    /// What the thread may still learn there: all that there was, unless it has said what it learns.
    may_learn: Option<Fingerprints>,
    /// Whether the thread has said what the mutex protects now.
    described: bool,
}

/// What one mutex protects, or what was done to something that is no mutex.
#[derive(Clone, Debug, Default)]
struct Data {
    fingerprints: Fingerprints,
    /// Whether the program said what it is. Otherwise `fingerprints` stands for its history.
    described: bool,
    /// Its part of the state's fingerprint.
    part: Fingerprints,
}

/// See the [module's documentation](self). Clones share what does not change.
#[derive(Clone, Debug)]
pub(crate) struct Knowledge {
    threads: Vec<Rc<Known>>,
    data: Vec<Entry>,
}

/// What is known of one object.
#[derive(Clone, Debug)]
struct Entry {
    object: ObjectId,
    data: Rc<Data>,
    /// How often the program had said something when it last said what this is.
    told: Option<u32>,
}

/// What there was at a scheduling point, to go on from it in a later execution.
pub(crate) struct Snapshot {
    pub(crate) knowledge: Knowledge,
    /// The program's part of it.
    pub(crate) external_state: Option<Box<dyn Any>>,
}

impl Snapshot {
    /// About how many bytes it takes, without external state: most is shared with the snapshots nearby,
    /// but for what changes from one state to the next, a thread or two and what they have changed.
    pub(crate) const fn bytes(&self) -> u64 {
        let Knowledge { threads, data } = &self.knowledge;
        let shared = size_of_val(threads.as_slice()) + size_of_val(data.as_slice());
        (size_of::<Self>() + shared + 2 * size_of::<Known>() + 3 * size_of::<Data>()) as u64
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.knowledge.fmt(f)
    }
}

impl Knowledge {
    pub(crate) const fn new() -> Self {
        Self {
            threads: Vec::new(),
            data: Vec::new(),
        }
    }

    /// As at the beginning.
    pub(crate) fn clear(&mut self) {
        self.threads.clear();
        self.data.clear();
    }

    /// What a thread knows, to be changed.
    fn thread(&mut self, thread: Thread) -> &mut Known {
        if self.threads.len() <= thread {
            self.threads.resize(thread + 1, Rc::default());
        }
        let known = Rc::make_mut(&mut self.threads[thread]);
        known.part.clear();
        known
    }

    /// All that a thread can know: what it has learnt, and what there is in the critical sections that it
    /// is in.
    fn known(&mut self, symmetries: &Symmetries, thread: Thread) -> Fingerprints {
        let Known {
            learnt, sections, ..
        } = self.thread(thread);
        if sections.iter().all(|section| section.may_learn.is_none()) {
            return learnt.clone();
        }
        symmetries.each(|permutation| {
            fingerprint(|state| {
                learnt.get(permutation).hash(state);
                for section in &*sections {
                    let learns = section.may_learn.as_ref();
                    (section.mutex, learns.map(|data| data.get(permutation))).hash(state);
                }
            })
            .0
        })
    }

    fn data(&self, object: ObjectId) -> Option<&Data> {
        let found = self.data.iter().find(|entry| entry.object == object);
        found.map(|entry| &*entry.data)
    }

    /// `told`: how often the program has said something, if this is what it says.
    fn set_data(
        &mut self,
        symmetries: &Symmetries,
        object: ObjectId,
        fingerprints: Fingerprints,
        told: Option<u32>,
    ) {
        let described = told.is_some();
        let before = self.data.iter_mut().find(|entry| entry.object == object);
        if let Some(Entry {
            data, told: last, ..
        }) = before
            && data.described == described
            && data.fingerprints == fingerprints
        {
            *last = told;
            return;
        }
        let part = symmetries.each(|permutation| {
            fingerprint(|hasher| {
                hasher.write_u8(1);
                (object, fingerprints.get(permutation)).hash(hasher);
            })
            .0
        });
        let data = Rc::new(Data {
            fingerprints,
            described,
            part,
        });
        let entry = Entry { object, data, told };
        match self.data.iter_mut().find(|entry| entry.object == object) {
            Some(old) => *old = entry,
            None => self.data.push(entry),
        }
    }

    /// The thread learns what `write` writes, in addition to what it knew.
    pub(crate) fn learn(&mut self, symmetries: &Symmetries, thread: Thread, write: Write<'_>) {
        let before = std::mem::take(&mut self.thread(thread).learnt);
        let learnt = symmetries.each(|permutation| {
            let before = before.get(permutation).copied();
            fingerprint(|state| {
                before.hash(state);
                write(state);
            })
            .0
        });
        self.thread(thread).learnt = learnt;
    }

    /// The same, if the program says it.
    pub(crate) fn learn_told(
        &mut self,
        symmetries: &Symmetries,
        thread: Thread,
        write: Write<'_>,
        told: u32,
    ) {
        let before = self.thread(thread).learnt.first().copied();
        self.learn(symmetries, thread, write);
        let known = self.thread(thread);
        known.last_told = Some(Learnt {
            told,
            before,
            after: known.learnt[0],
        });
    }

    /// The thread knows nothing of what it has learnt.
    pub(crate) fn forget(&mut self, thread: Thread) {
        self.thread(thread).learnt.clear();
    }

    /// Whether this can be what the program says, as the `told`-th thing that it says: unless it is the last
    /// thing that counts of something, it can be anything.
    pub(crate) fn may_be_told(&self, symmetries: &Symmetries, told: u32, write: Write<'_>) -> bool {
        if let Some(entry) = self.data.iter().find(|entry| entry.told == Some(told)) {
            return entry.data.fingerprints[0] == symmetries.first(write);
        }
        let mut learnt = self.threads.iter().filter_map(|known| known.last_told);
        learnt
            .find(|learnt| learnt.told == told)
            .is_none_or(|learnt| {
                let after = symmetries.first(&|mut state| {
                    learnt.before.hash(&mut state);
                    write(state);
                });
                after == learnt.after
            })
    }

    /// The thread makes a mutex: what is in it follows from what the thread knows.
    pub(crate) fn created(&mut self, symmetries: &Symmetries, thread: Thread, mutex: ObjectId) {
        let known = self.known(symmetries, thread);
        self.set_data(symmetries, mutex, known, None);
    }

    /// The thread has taken a mutex.
    pub(crate) fn acquired(&mut self, thread: Thread, mutex: ObjectId) {
        let data = self.data(mutex).map(|data| data.fingerprints.clone());
        self.thread(thread).sections.push(Section {
            mutex,
            may_learn: Some(data.unwrap_or_default()),
            described: false,
        });
    }

    /// From the critical section that it is in the thread learns nothing but what is said.
    pub(crate) fn learns_no_more(&mut self, thread: Thread) {
        if let Some(section) = self.thread(thread).sections.last_mut() {
            section.may_learn = None;
        }
    }

    /// The thread begins something.
    pub(crate) fn remembers(&mut self, symmetries: &Symmetries, thread: Thread) {
        let now = self.known(symmetries, thread);
        let known = self.thread(thread);
        known.remembered.push((now, known.sections.len()));
    }

    /// What it knew then is all that the thread knows.
    pub(crate) fn back_to_remembered(&mut self, thread: Thread) {
        let known = self.thread(thread);
        if let Some((remembered, sections)) = known.remembered.last() {
            known.learnt.clone_from(remembered);
            for section in known.sections.iter_mut().skip(*sections) {
                section.may_learn = None;
            }
        }
    }

    /// The thread is over with what it began last.
    pub(crate) fn no_longer_remembers(&mut self, thread: Thread) {
        self.thread(thread).remembered.pop();
    }

    /// The thread says what a mutex protects that it has just taken, unless that is known.
    pub(crate) fn found(
        &mut self,
        symmetries: &Symmetries,
        thread: Thread,
        mutex: ObjectId,
        write: Write<'_>,
        told: u32,
    ) {
        if self.data(mutex).is_some_and(|data| data.described) {
            return;
        }
        let fingerprints = symmetries.fingerprints(write);
        if let Some(section) = self.section(thread, mutex)
            && let Some(may_learn) = &mut section.may_learn
        {
            may_learn.clone_from(&fingerprints);
        }
        self.set_data(symmetries, mutex, fingerprints, Some(told));
    }

    fn section(&mut self, thread: Thread, mutex: ObjectId) -> Option<&mut Section> {
        let mut sections = self.thread(thread).sections.iter_mut();
        sections.find(|section| section.mutex == mutex)
    }

    /// The thread says what a mutex protects, or what is in an atomic.
    pub(crate) fn describe(
        &mut self,
        symmetries: &Symmetries,
        thread: Thread,
        object: ObjectId,
        write: Write<'_>,
        told: u32,
    ) {
        let fingerprints = symmetries.fingerprints(write);
        if let Some(section) = self.section(thread, object) {
            section.described = true;
        }
        self.set_data(symmetries, object, fingerprints, Some(told));
    }

    /// The thread releases a mutex. Whether it has said, in this critical section, what that protects
    /// now.
    pub(crate) fn released(
        &mut self,
        symmetries: &Symmetries,
        thread: Thread,
        mutex: ObjectId,
    ) -> bool {
        let sections = &mut self.thread(thread).sections;
        let Some(index) = sections.iter().position(|section| section.mutex == mutex) else {
            return false;
        };
        let section = sections.remove(index);
        if let Some(data) = section.may_learn {
            self.learn_fingerprints(symmetries, thread, &data);
        }
        if !section.described {
            self.grow_history(symmetries, thread, mutex);
        }
        section.described
    }

    /// Something without a description was changed by a thread, in a way that follows from what it
    /// was and what the thread knows.
    fn grow_history(&mut self, symmetries: &Symmetries, thread: Thread, object: ObjectId) {
        let known = self.known(symmetries, thread);
        let before = self.data(object).cloned().unwrap_or_default();
        let fingerprints = symmetries.each(|permutation| {
            let (before, known) = (before.fingerprints.get(permutation), known.get(permutation));
            fingerprint(|state| (before, known, image(thread)).hash(state)).0
        });
        self.set_data(symmetries, object, fingerprints, None);
    }

    /// The thread learns something of which these are the fingerprints.
    pub(crate) fn learn_fingerprints(
        &mut self,
        symmetries: &Symmetries,
        thread: Thread,
        more: &Fingerprints,
    ) {
        let before = std::mem::take(&mut self.thread(thread).learnt);
        let learnt = symmetries.each(|permutation| {
            fingerprint(|state| (before.get(permutation), more.get(permutation)).hash(state)).0
        });
        self.thread(thread).learnt = learnt;
    }

    /// Something that is no primitive was used, and nobody says what it is.
    pub(crate) fn touched(&mut self, symmetries: &Symmetries, thread: Thread, object: ObjectId) {
        self.opened(symmetries, thread, object, true);
    }

    /// The thread finds out what something is, and may change it.
    pub(crate) fn opened(
        &mut self,
        symmetries: &Symmetries,
        thread: Thread,
        object: ObjectId,
        may_change: bool,
    ) {
        let data = self.data(object).cloned().unwrap_or_default();
        self.learn_fingerprints(symmetries, thread, &data.fingerprints);
        if may_change {
            self.grow_history(symmetries, thread, object);
        }
    }

    /// What a mutex protects, to be compared later; `None` if nobody says.
    pub(crate) fn mark(&self, mutex: ObjectId) -> Option<u128> {
        let data = self.data(mutex).filter(|data| data.described);
        data.map(|data| data.fingerprints[0])
    }

    /// A thread starts another one, which knows what it knew.
    pub(crate) fn spawned(&mut self, symmetries: &Symmetries, parent: Thread, child: Thread) {
        let known = self.known(symmetries, parent);
        let learnt = symmetries.each(|permutation| {
            fingerprint(|state| (known.get(permutation), image(child)).hash(state)).0
        });
        self.thread(child).learnt = learnt;
    }

    /// A thread learns what another one came to.
    pub(crate) fn joined(&mut self, symmetries: &Symmetries, thread: Thread, other: Thread) {
        let known = self.known(symmetries, other);
        self.learn_fingerprints(symmetries, thread, &known);
    }

    pub(crate) fn dropped(&mut self, object: ObjectId) {
        self.data.retain(|entry| entry.object != object);
    }

    /// The fingerprint of the state: of this, of what each thread does next, and of what `external_state` writes. And
    /// the permutation under which the state has it.
    pub(crate) fn state(
        &mut self,
        symmetries: &Symmetries,
        program: &Program,
        external_state: Write<'_>,
    ) -> (Fingerprint, usize) {
        if self.threads.len() < program.threads.len() {
            self.thread(program.threads.len() - 1);
        }
        for (thread, known) in self.threads.iter_mut().enumerate() {
            let does = program.threads[thread].does();
            if known.part.is_empty() || known.part_is_of != does {
                let round = program.threads[thread].round.as_ref();
                Rc::make_mut(known).make_part(symmetries, thread, does, round);
            }
        }
        let external_state = symmetries.fingerprints(&|hasher| {
            hasher.write_u8(2);
            external_state(hasher);
        });
        let fingerprints = symmetries.each(|permutation| {
            let threads = self.threads.iter().map(|known| known.part[permutation]);
            let data = self.data.iter().map(|entry| entry.data.part[permutation]);
            threads
                .chain(data)
                .fold(external_state[permutation], u128::wrapping_add)
        });
        let numbered = fingerprints.iter().zip(0..);
        let (least, permutation) = numbered.min().expect("there is one permutation at least");
        (Fingerprint(*least), permutation)
    }
}

impl Known {
    /// Makes the thread's part of the state's fingerprint.
    fn make_part(
        &mut self,
        symmetries: &Symmetries,
        thread: Thread,
        does: Does,
        round: Option<&Round>,
    ) {
        self.part_is_of = does;
        let (next, has_ended, lingers, _) = does;
        self.part = symmetries.each(|permutation| {
            fingerprint(|hasher| {
                hasher.write_u8(0);
                image(thread).hash(hasher);
                (next, has_ended, lingers).hash(hasher);
                self.learnt.get(permutation).hash(hasher);
                // More may be forgotten than what the thread has learnt last.
                for (remembered, sections) in &self.remembered {
                    (remembered.get(permutation), sections).hash(hasher);
                }
                for section in &self.sections {
                    let learns = section.may_learn.as_ref().map(|data| data.get(permutation));
                    (section.mutex, learns, section.described).hash(hasher);
                }
                if let Some(round) = round {
                    hasher.write_u8(3);
                    round.hash(hasher);
                }
            })
            .0
        });
    }
}
