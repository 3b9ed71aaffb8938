//! The observer's side of [`Control`]: what the program does with the primitives, and what it tells.
//!
//! Follows who holds and knows what, notes which operations can conflict, and does at once what nobody
//! else can notice.

use std::fmt;
use std::hash::Hash;
use std::panic::Location;

use nmr_sync::hook::{self, First, Kind, ObjectId, Observer, Operation, Start, Told, Write};

use super::{
    BURST, Control, Execution, LED_BURST, Lead, MAX_OPERATIONS, MAX_OPERATIONS_AFTER_THE_END,
    MAX_THREADS, Phase, State, Stopped, ThreadPanic,
};
use crate::checker::deadlock;
use crate::checker::program::{At, Next, Stop, Thread};
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
            | Operation::NotifyAll(object)
            | Operation::Load(object)
            | Operation::Update(object) => is_visible(object),
            Operation::TryAcquire(_)
            | Operation::Release(_)
            | Operation::Wait { .. }
            | Operation::Choose(_)
            | Operation::Linger => true,
            // Who waits for a thread's end goes on when it comes: nobody can tell when.
            Operation::Join(_) | Operation::Yield => false,
            Operation::JoinAll => self.execution.program.has_daemons(),
        }
    }

    /// Whether the execution has stopped on its way: nothing that is done now counts.
    fn is_over(&self) -> bool {
        self.stopped.is_some() || self.alarm.raised().is_some() || hook::is_abandoned()
    }

    /// See [`Observer::announce`].
    fn announce(&mut self, thread: Thread, operation: Operation, at: At) -> First {
        if let Some(first) = self.first_after_the_end() {
            return first;
        }
        match self.stops(thread, operation, at) {
            true => First::Stops,
            false => First::GoesOn,
        }
    }

    /// What a thread does first if the execution has ended: it goes on with its destructors, but not for ever.
    fn first_after_the_end(&mut self) -> Option<First> {
        if !self.is_torn_down && !self.execution.is_over {
            return None;
        }
        self.execution.operations_after_the_end += 1;
        if self.execution.operations_after_the_end > MAX_OPERATIONS_AFTER_THE_END {
            self.never_leaves();
            return Some(First::Stays);
        }
        // A daemon that has not begun yet stops and is dismissed.
        match self.is_torn_down || std::thread::panicking() {
            true => Some(First::GoesOn),
            false => Some(First::Stops),
        }
    }

    /// A thread does not come to its end after that of the execution. While that is taken apart its stack is left as
    /// it is. A daemon that is dismissed would stay so in every execution, which the search cannot bear.
    fn never_leaves(&mut self) {
        self.is_stuck_in_a_drop |= self.is_torn_down;
        if !self.is_torn_down {
            let thread =
                deadlock::Names(self.execution.labels.as_ref()).thread(self.execution.current);
            self.stop::<()>(Stopped::NeverLeaves(format!(
                "the program is over, and its daemon {thread} does not come to its end when it is unwound: it catches \
                 the panic that unwinds it, or a destructor of it waits for what cannot come any more; let it wait for \
                 work outside of catch_unwind, and end it in the program if its destructors wait"
            )));
        }
    }

    /// Whether a thread stops before an operation.
    fn stops(&mut self, thread: Thread, operation: Operation, at: At) -> bool {
        // Where nothing unwinds, what has begun to was caught.
        if !self.execution.unwinding.is_empty() && !std::thread::panicking() {
            self.execution.unwinding.clear();
        }
        self.execution.operations += 1;
        if self.execution.operations > MAX_OPERATIONS {
            let why = self.too_long();
            self.stop::<()>(Stopped::Cut(why));
        }
        if self.is_over() {
            return true;
        }
        self.note_use(thread, operation);
        if let Operation::Wait { condvar, mutex } = operation {
            if let Some(labels) = self.labels_mut() {
                labels.notifications.sleeps(thread, condvar, at);
            }
            self.section_ends(thread, mutex);
            self.execution.program.sleep(thread, condvar, mutex, at);
            return true;
        }
        if operation == Operation::Yield
            && (self.execution.program.repeats(thread) || self.is_probed(thread))
        {
            self.execution.program.spins.has_waited = true;
            let next = Next::Spins;
            self.execution.program.thread(thread).stop = Some(Stop { next, at });
            self.note_wait(thread, at);
            return true;
        }
        let next = Next::Operation(operation);
        let ways = self.execution.program.ways(next);
        let redundant = self.execution.is_redundant();
        let state = self.execution.program.thread(thread);
        let lingered = std::mem::replace(&mut state.lingers, operation == Operation::Linger)
            && self.options.has(Reduction::VisibleOperations)
            && !self.options.every_step;
        let runs_on = self.runs_on(thread, next);
        // A schedule says nothing of where a thread runs on, and it may be far.
        let longest = match runs_on {
            Some(true) => LED_BURST,
            _ => BURST,
        };
        let at_once = match operation {
            // With it daemons are over, whatever a schedule says.
            Operation::JoinAll => redundant || !self.is_visible(operation),
            _ if let Some(runs_on) = runs_on => runs_on,
            Operation::Choose(below) => redundant || below == 1 && !self.is_disputed(thread),
            _ => redundant || lingered || !self.is_visible(operation),
        };
        let state = self.execution.program.thread(thread);
        state.burst += 1;
        let goes_on = at_once && ways == 1;
        if goes_on && state.burst <= longest {
            self.perform(thread, next, 0, at);
            return false;
        }
        state.rests = goes_on;
        state.stop = Some(Stop { next, at });
        true
    }

    /// Why an execution is not followed any farther. Who has looked again and again was not known to have only looked.
    fn too_long(&self) -> String {
        let hint = match self.execution.program.spins.has_begun() {
            true => {
                "; a thread that yields waits for a change only if it has borrowed no data mutably in between, or \
                 described them (nmr_sync::describe)"
            }
            false => {
                "; a thread that looks again and again has to yield in between (nmr_sync::thread::yield_now)"
            }
        };
        format!("an execution has more than {MAX_OPERATIONS} operations{hint}")
    }

    /// Adds to what is known of the conflicts between threads.
    fn note_use(&mut self, thread: Thread, operation: Operation) {
        self.note_last(thread, operation);
        if self.execution.is_noted() {
            return;
        }
        let program = &self.execution.program;
        // Whatever is switched off: where others notice a release, or that somebody falls asleep, it stops.
        match operation {
            Operation::TryAcquire(mutex) => self.conflicts.mark_release_visible(mutex),
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
            Operation::Load(atomic) | Operation::Update(atomic) => {
                self.conflicts
                    .accessed(atomic, thread, program.held_by(thread));
                // It waits for nobody: only if others can come between is it noticed by who wants a lock.
                if !self.conflicts.is_visible(atomic) {
                    return;
                }
            }
            Operation::Wait { .. }
            | Operation::NotifyOne(_)
            | Operation::NotifyAll(_)
            | Operation::Join(_)
            | Operation::JoinAll => {}
            Operation::Release(_) | Operation::Choose(_) | Operation::Linger | Operation::Yield => {
                return;
            }
        }
        for held in program.held_by(thread) {
            self.conflicts.nested(held);
        }
    }

    /// A thread's end: what it holds it holds for ever.
    pub(super) fn thread_ends(&mut self, thread: Thread) {
        if !self.execution.is_noted() && self.notes_conflicts() {
            for held in self.execution.program.held_by(thread) {
                self.conflicts.nested(held);
            }
        }
        self.execution.program.thread(thread).ended = true;
        self.execution.program.acts(thread);
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
            Operation::Acquire(object) | Operation::Load(object) | Operation::Update(object) => {
                last.retain(|&(other, _)| other != thread);
                last.push((thread, object));
            }
            Operation::Choose(_) => {
                last.retain(|&(other, _)| other != thread);
                last.push((thread, own(thread)));
            }
            // These stop in any case, and others can go on there.
            Operation::TryAcquire(_)
            | Operation::Wait { .. }
            | Operation::Linger
            | Operation::Yield => {
                last.retain(|&(other, _)| other != thread);
            }
            Operation::Release(_)
            | Operation::NotifyOne(_)
            | Operation::NotifyAll(_)
            | Operation::Join(_)
            | Operation::JoinAll => {}
        }
    }

    /// A thread leaves a critical section.
    fn section_ends(&mut self, thread: Thread, mutex: ObjectId) {
        let follows = self.follows();
        if let Some(labels) = self.labels_mut() {
            labels.done(thread, Next::Operation(Operation::Release(mutex)));
            labels.notifications.releases(thread, mutex);
        }
        let execution = &mut self.execution;
        execution.program.release(mutex);
        execution.program.note_release(thread, mutex);
        // An operation like others, with which a step ends that lingers.
        execution.program.thread(thread).lingers = false;
        if !follows {
            return;
        }
        let described = execution
            .knowledge
            .released(&self.symmetries, thread, mutex);
        let taken = execution.taken.iter().position(|&(one, _)| one == mutex);
        let before = taken.and_then(|index| execution.taken.swap_remove(index).1);
        // What was taken in another transition has kept others out meanwhile.
        let only_read = described && before.is_some() && before == execution.knowledge.mark(mutex);
        if !only_read && self.notes_conflicts() {
            self.conflicts.wrote(mutex, thread);
        }
    }

    /// An atomic's value is told after each of its operations.
    fn accessed(&mut self, thread: Thread, atomic: ObjectId, write: Write<'_>) {
        let notes_conflicts = self.notes_conflicts();
        let Execution {
            knowledge,
            program,
            told,
            ..
        } = &mut self.execution;
        let before = knowledge.mark(atomic);
        knowledge.describe(&self.symmetries, thread, atomic, write, *told);
        let is_new = before.is_none();
        if !is_new && before != knowledge.mark(atomic) && notes_conflicts {
            self.conflicts.wrote(atomic, thread);
            // Whatever the lock is said to protect, it has kept others away from this.
            for held in program.held_by(thread) {
                self.conflicts.wrote(held, thread);
            }
        }
    }

    /// See [`Observer::told`].
    fn told(&mut self, thread: Thread, what: Told, write: Write<'_>) {
        self.execution.told += 1;
        self.execution.program.note_told(thread, what, write);
        self.trace_told(&(thread, what), write);
        if self.execution.phase == Phase::FastForward {
            self.compare_skipped(write);
        }
        if !self.follows() {
            return;
        }
        let forgets = self.options.has(Reduction::Forgetting);
        let execution = &mut self.execution;
        let (knowledge, symmetries) = (&mut execution.knowledge, &self.symmetries);
        let told = execution.told;
        match what {
            Told::Found(mutex) => {
                knowledge.found(symmetries, thread, mutex, write, told);
                let mark = knowledge.mark(mutex);
                let mut taken = execution.taken.iter_mut();
                if let Some((_, before @ None)) = taken.find(|(one, _)| *one == mutex) {
                    *before = mark;
                }
            }
            Told::Data(mutex) => knowledge.describe(symmetries, thread, mutex, write, told),
            Told::Value(atomic) => self.accessed(thread, atomic, write),
            Told::Remembers => knowledge.remembers(symmetries, thread),
            Told::RememberedAnd if forgets => {
                knowledge.back_to_remembered(thread);
                knowledge.learn_told(symmetries, thread, write, told);
            }
            Told::NoLongerRemembers => knowledge.no_longer_remembers(thread),
            Told::Learnt | Told::RememberedAnd => {
                knowledge.learns_no_more(thread);
                knowledge.learn_told(symmetries, thread, write, told);
            }
            Told::Known if forgets => {
                knowledge.forget(thread);
                knowledge.learn_told(symmetries, thread, write, told);
            }
            Told::Kept | Told::Known => knowledge.learn_told(symmetries, thread, write, told),
        }
    }
}

impl Observer for Control {
    fn created(&self, kind: Kind, data: &'static str) -> ObjectId {
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
            if let Some(labels) = &mut execution.labels {
                labels.created(object, kind, data);
            }
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

    fn opened(&self, mutex: ObjectId, may_change: bool) {
        self.with(|state| {
            let thread = state.execution.current;
            if may_change {
                state.execution.program.changes(thread, mutex);
            }
            if state.follows() {
                let knowledge = &mut state.execution.knowledge;
                knowledge.opened(&state.symmetries, thread, mutex, may_change);
            }
        });
    }

    fn announce(&self, operation: Operation, at: &'static Location<'static>) -> First {
        self.with(|state| state.announce(state.execution.current, operation, at))
    }

    fn done(&self) -> usize {
        self.with(|state| state.execution.program.threads[state.execution.current].outcome)
    }

    fn waits_in_vain(&self) -> bool {
        self.with(|state| {
            let is_in_vain = state.is_torn_down || state.execution.is_over;
            if is_in_vain {
                state.never_leaves();
            }
            is_in_vain
        })
    }

    fn needs_release_point(&self, object: ObjectId) -> bool {
        self.with(|state| {
            !state.options.has(Reduction::VisibleOperations)
                || matches!(state.lead, Lead::Schedule(_))
                || state.conflicts.needs_release_point(object)
        })
    }

    fn released(&self, mutex: ObjectId) {
        self.with(|state| state.section_ends(state.execution.current, mutex));
    }

    fn chooses_among(&self, options: &[Write<'_>]) {
        self.with(|state| {
            let thread = state.execution.current;
            let fingerprints = options
                .iter()
                .map(|write| state.symmetries.fingerprints(write));
            let fingerprints = fingerprints.collect();
            state.execution.among.retain(|(other, _)| *other != thread);
            state.execution.among.push((thread, fingerprints));
        });
    }

    fn touched(&self, object: ObjectId) {
        self.with(|state| {
            let thread = state.execution.current;
            state.execution.program.changes(thread, object);
            if state.execution.is_noted() {
                return;
            }
            let last = state.last_mutex(thread);
            state.conflicts.touched(object, thread, last);
            // Whoever says what the external state is has said what this is.
            if state.follows() && state.options.external_state.is_none() {
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

    fn marked(&self, place: &dyn fmt::Display) {
        self.with(|state| {
            let thread = state.execution.current;
            // Something begins or is over: it is no repetition.
            state.execution.program.acts(thread);
            if let Some(labels) = state.labels_mut() {
                labels.marked(thread, &place.to_string());
            }
        });
    }

    fn changed(&self, mutex: ObjectId) {
        self.with(|state| {
            let thread = state.execution.current;
            state.execution.program.borrowed(thread, mutex);
        });
    }

    fn sleeps_with_another(&self, condvar: ObjectId, mutex: ObjectId) -> bool {
        self.with(|state| {
            let threads = state.execution.program.threads.iter();
            let mut nexts = threads.filter_map(|state| Some(state.stop?.next));
            nexts.any(|next| match next {
                Next::Asleep {
                    condvar: on,
                    mutex: with,
                } => on == condvar && with != mutex,
                _ => false,
            })
        })
    }

    fn panics(&self, message: &str) {
        // A panic of the search itself is not the program's.
        let Ok(mut state) = self.state.try_borrow_mut() else {
            return;
        };
        if !state.is_picking && !state.is_torn_down && !state.execution.is_over {
            let thread = state.execution.current;
            state.execution.unwinding.push((thread, message.to_owned()));
        }
    }

    fn panicked(&self, message: &str) {
        self.with(|state| {
            let thread = state.execution.current;
            let unwinding = &mut state.execution.unwinding;
            unwinding.retain(|(other, _)| *other != thread);
            // Whoever joins it finds out, whatever it has forgotten before.
            if state.follows() {
                let write: Write<'_> = &|mut state| ("panicked", message).hash(&mut state);
                let knowledge = &mut state.execution.knowledge;
                knowledge.learn(&state.symmetries, thread, write);
            }
            let message = message.to_owned();
            state.execution.panics.push(ThreadPanic {
                thread,
                message,
                is_told: false,
            });
        });
    }

    fn is_dismissed(&self) -> bool {
        self.with(|state| state.execution.is_over)
    }

    fn spawned(&self, child: usize, start: &Start<'_>) {
        self.with(|state| {
            let thread = state.execution.current;
            let follows = state.follows();
            let execution = &mut state.execution;
            execution.program.acts(thread);
            let spawned = execution.program.thread(child);
            (spawned.started, spawned.is_daemon) = (true, start.is_daemon);
            if let Some(labels) = &mut execution.labels {
                labels.spawned(child, start.name);
            }
            if child >= MAX_THREADS {
                let why = format!(
                    "the program has more than {MAX_THREADS} threads, the main one included"
                );
                state.stop::<()>(Stopped::Error(why));
                return;
            }
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
            for panic in &mut state.execution.panics {
                panic.is_told |= panic.thread == other;
            }
            if state.follows() {
                state
                    .execution
                    .knowledge
                    .joined(&state.symmetries, thread, other);
            }
        });
    }

    fn ended(&self) {
        self.with(|state| state.thread_ends(state.execution.current));
    }

    fn outsider(&self) {
        self.with(|state| {
            let why = "the program uses a mutex, a condvar or an atomic that was made before this execution \
                 began: make all of them inside the program, so that each execution starts anew";
            state.stop::<()>(Stopped::Error(why.to_owned()));
        });
    }
}
