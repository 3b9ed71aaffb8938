//! The observer's side of [`Control`]: what the program does with the primitives, and what it tells.
//!
//! Follows who holds and knows what, notes which operations can conflict, and does at once what nobody
//! else can notice.

use std::panic::Location;

use nmr_sync::hook::{Kind, ObjectId, Observer, Operation, Told, Write};

use super::{BURST, Control, MAX_THREADS, State};
use crate::program::{At, Next, Stop, Thread};
use crate::reduction::Reduction;

/// Stands for a thread's beginning, and for its choices: places where it stops if it touches something
/// afterwards that others touch too.
const fn own(thread: Thread) -> ObjectId {
    ObjectId {
        thread: thread as u32,
        nth: u32::MAX,
    }
}

impl State {
    /// Whether the conflicts between threads count here.
    fn notes_conflicts(&self) -> bool {
        self.follows() && self.options.has(Reduction::LockAware)
    }

    /// Whether what a thread does after its beginning, or after a choice, is others' business.
    pub(super) fn is_disputed(&self, thread: Thread) -> bool {
        self.conflicts.is_visible(own(thread))
    }

    /// Whether others can notice the operation.
    pub(super) fn is_visible(&self, operation: Operation) -> bool {
        let is_visible =
            |object| !self.options.has(Reduction::LockAware) || self.conflicts.is_visible(object);
        match operation {
            Operation::Acquire(object)
            | Operation::NotifyOne(object)
            | Operation::NotifyAll(object) => is_visible(object),
            Operation::TryAcquire(_)
            | Operation::Release(_)
            | Operation::Wait { .. }
            | Operation::Choose(_)
            | Operation::Linger => true,
        }
    }

    /// See [`Observer::announce`].
    fn announce(&mut self, thread: Thread, operation: Operation, at: At) -> bool {
        self.note_use(thread, operation);
        if let Operation::Wait { condvar, mutex } = operation {
            self.section_ends(thread, mutex);
            self.execution.transition.footprint.add(condvar, true);
            self.execution.program.sleep(thread, condvar, mutex, at);
            return true;
        }
        let next = Next::Operation(operation);
        let ways = self.execution.program.ways(next);
        let known = self.execution.is_known();
        let lingers = &mut self.execution.program.thread(thread).lingers;
        let lingered = std::mem::replace(lingers, operation == Operation::Linger)
            && self.options.has(Reduction::VisibleOperations);
        let at_once = match operation {
            Operation::Choose(below) => known || below == 1 && !self.is_disputed(thread),
            Operation::Linger => known,
            _ => known || lingered || !self.is_visible(operation),
        };
        self.execution.burst += 1;
        let in_a_burst = self.execution.burst <= BURST;
        if at_once && ways == 1 && in_a_burst {
            self.perform(thread, next, 0, at);
            return false;
        }
        if !in_a_burst
            && !known
            && let Operation::Acquire(mutex) = operation
        {
            // It may be waiting for what only another thread can do.
            self.conflicts.tried(mutex);
        }
        self.execution.program.thread(thread).stop = Some(Stop { next, at });
        true
    }

    /// Adds to what is known of the conflicts between threads.
    fn note_use(&mut self, thread: Thread, operation: Operation) {
        self.note_last(thread, operation);
        if self.execution.is_old() {
            return;
        }
        let program = &self.execution.program;
        // Whatever is switched off: where others notice a release, or that somebody falls asleep, it stops.
        match operation {
            Operation::TryAcquire(mutex) => self.conflicts.tried(mutex),
            Operation::Wait { condvar, .. }
            | Operation::NotifyOne(condvar)
            | Operation::NotifyAll(condvar) => {
                self.conflicts.notified(condvar, program.held_by(thread));
            }
            _ => {}
        }
        if !self.notes_conflicts() {
            return;
        }
        match operation {
            Operation::Acquire(mutex) | Operation::TryAcquire(mutex) => {
                self.conflicts.used(mutex, thread);
            }
            Operation::Wait { .. } | Operation::NotifyOne(_) | Operation::NotifyAll(_) => {}
            Operation::Release(_) | Operation::Choose(_) | Operation::Linger => return,
        }
        for held in program.held_by(thread) {
            self.conflicts.nested(held);
        }
    }

    /// The mutex of the thread's last operation, if that may have been done without stopping.
    fn last_mutex(&self, thread: Thread) -> Option<ObjectId> {
        let mut last = self.execution.last.iter();
        last.find(|&&(other, _)| other == thread)
            .map(|&(_, mutex)| mutex)
    }

    /// See [`last_mutex`](Self::last_mutex).
    fn note_last(&mut self, thread: Thread, operation: Operation) {
        let last = &mut self.execution.last;
        match operation {
            Operation::Acquire(mutex) => {
                last.retain(|&(other, _)| other != thread);
                last.push((thread, mutex));
            }
            Operation::Choose(_) => {
                last.retain(|&(other, _)| other != thread);
                last.push((thread, own(thread)));
            }
            // These stop in any case, and others can go on there.
            Operation::TryAcquire(_) | Operation::Wait { .. } | Operation::Linger => {
                last.retain(|&(other, _)| other != thread);
            }
            Operation::Release(_) | Operation::NotifyOne(_) | Operation::NotifyAll(_) => {}
        }
    }

    /// A thread leaves a critical section.
    fn section_ends(&mut self, thread: Thread, mutex: ObjectId) {
        let follows = self.follows();
        let execution = &mut self.execution;
        execution.program.release(mutex);
        let transition = &mut execution.transition;
        if !follows {
            transition.footprint.add(mutex, true);
            return;
        }
        let described = execution
            .knowledge
            .released(&self.symmetries, thread, mutex);
        let taken = transition.taken.iter().position(|&(one, _)| one == mutex);
        let before = taken.and_then(|index| transition.taken.swap_remove(index).1);
        // What was taken in another transition has kept others out meanwhile.
        let only_read = described && before.is_some() && before == execution.knowledge.mark(mutex);
        let writes = !only_read || !self.options.has(Reduction::LockAware);
        transition.footprint.add(mutex, writes);
        if !only_read && self.notes_conflicts() {
            self.conflicts.wrote(mutex, thread);
        }
    }

    /// See [`Observer::told`].
    fn told(&mut self, thread: Thread, what: Told, write: Write<'_>) {
        if !self.follows() {
            return;
        }
        let execution = &mut self.execution;
        let (knowledge, symmetries) = (&mut execution.knowledge, &self.symmetries);
        match what {
            Told::Found(mutex) => {
                knowledge.found(symmetries, thread, mutex, write);
                let mark = knowledge.mark(mutex);
                let mut taken = execution.transition.taken.iter_mut();
                if let Some((_, before @ None)) = taken.find(|(one, _)| *one == mutex) {
                    *before = mark;
                }
            }
            Told::Data(mutex) => knowledge.describe(symmetries, thread, mutex, write),
            Told::Remembers => knowledge.remembers(symmetries, thread),
            Told::RememberedAnd if self.options.has(Reduction::Forgetting) => {
                knowledge.remembered_and(symmetries, thread, write);
            }
            Told::RememberedAnd => knowledge.learn_from_section(symmetries, thread, write),
            Told::NoLongerRemembers => knowledge.no_longer_remembers(thread),
            Told::Learnt => knowledge.learn_from_section(symmetries, thread, write),
            Told::Known if self.options.has(Reduction::Forgetting) => {
                knowledge.forget(symmetries, thread, write);
            }
            Told::Known => knowledge.learn(symmetries, thread, write),
        }
    }
}

impl Observer for Control {
    fn created(&self, kind: Kind) -> ObjectId {
        self.with(|state| {
            let thread = state.execution.current;
            let follows = state.follows();
            let execution = &mut state.execution;
            let created = &mut execution.program.thread(thread).created;
            let object = ObjectId {
                thread: thread as u32,
                nth: *created,
            };
            *created += 1;
            if kind == Kind::Mutex && follows {
                execution
                    .knowledge
                    .created(&state.symmetries, thread, object);
            }
            object
        })
    }

    fn dropped(&self, object: ObjectId) {
        self.with(|state| state.execution.knowledge.dropped(object));
    }

    fn announce(&self, operation: Operation, at: &'static Location<'static>) -> bool {
        self.with(|state| state.announce(state.execution.current, operation, at))
    }

    fn done(&self) -> usize {
        self.with(|state| state.execution.program.threads[state.execution.current].outcome)
    }

    fn is_tried(&self, object: ObjectId) -> bool {
        self.with(|state| {
            !state.options.has(Reduction::VisibleOperations) || state.conflicts.is_tried(object)
        })
    }

    fn released(&self, mutex: ObjectId) {
        self.with(|state| state.section_ends(state.execution.current, mutex));
    }

    fn touched(&self, object: ObjectId) {
        self.with(|state| {
            if state.execution.is_old() {
                return;
            }
            let thread = state.execution.current;
            state.execution.transition.footprint.add(object, true);
            let last = state.last_mutex(thread);
            state.conflicts.touched(object, thread, last);
            // Whoever says what stands beside the primitives has said what this is.
            if state.follows() && state.options.beside.is_none() {
                state
                    .execution
                    .knowledge
                    .touched(&state.symmetries, thread, object);
            }
        });
    }

    fn told(&self, what: Told, write: Write<'_>) {
        self.with(|state| state.told(state.execution.current, what, write));
    }

    fn spawned(&self, child: usize) {
        self.with(|state| {
            let thread = state.execution.current;
            let follows = state.follows();
            let execution = &mut state.execution;
            if child >= MAX_THREADS {
                state.error.get_or_insert_with(|| {
                    format!(
                        "the program has more than {MAX_THREADS} threads, the main one included"
                    )
                });
                return;
            }
            execution.program.thread(child);
            execution.last.push((child, own(child)));
            if follows {
                execution
                    .knowledge
                    .spawned(&state.symmetries, thread, child);
            }
        });
    }

    fn joined(&self, other: usize) {
        self.with(|state| {
            let thread = state.execution.current;
            if state.follows() {
                state
                    .execution
                    .knowledge
                    .joined(&state.symmetries, thread, other);
            }
        });
    }

    fn ended(&self) {
        self.with(|state| {
            let thread = state.execution.current;
            state.execution.program.thread(thread).ended = true;
        });
    }

    fn outsider(&self) {
        self.with(|state| {
            state.error.get_or_insert_with(|| {
                "the program uses a mutex or a condvar that was made before this execution began: make \
                 all of them inside the program, so that each execution starts anew"
                    .to_owned()
            });
        });
    }
}
