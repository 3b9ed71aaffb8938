//! What the explorer knows of the program while an execution runs: its threads, what each will do
//! next, who holds which mutex, and who sleeps.
//!
//! Pure: it runs nothing and chooses nothing. It is also the semantics of the primitives under the
//! explorer, which uses none of shuttle's.

use std::hash::BuildHasher;
use std::panic::Location;

use nmr_sync::hook::{ObjectId, Operation};
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

use crate::checker::spin::{Round, Spins};

/// A thread of the program, by its number.
pub(crate) type Thread = usize;

/// Where something stands in the source.
pub(crate) type At = &'static Location<'static>;

/// What a thread does when it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Next {
    /// An operation that it has announced.
    Operation(Operation),
    /// Nothing, until it is woken.
    Asleep { condvar: ObjectId, mutex: ObjectId },
    /// It takes a mutex again after it was woken.
    Reacquire { condvar: ObjectId, mutex: ObjectId },
    /// Nothing, until something changes that it has looked at.
    Spins,
}

impl Next {
    /// The mutex that the thread has when it has come out in this way.
    pub(crate) const fn takes(self, outcome: usize) -> Option<ObjectId> {
        match self {
            Self::Operation(Operation::TryAcquire(_)) if outcome == 0 => None,
            Self::Operation(Operation::Acquire(mutex) | Operation::TryAcquire(mutex))
            | Self::Reacquire { mutex, .. }
            | Self::Asleep { mutex, .. } => Some(mutex),
            Self::Operation(_) | Self::Spins => None,
        }
    }

    /// Tells one from another. Not under a permutation, as a hash does.
    pub(crate) const fn code(self) -> (u8, u64, u64) {
        const fn one(object: ObjectId) -> u64 {
            (object.thread as u64) << 32 | object.nth as u64
        }
        match self {
            Self::Operation(Operation::Acquire(mutex)) => (0, one(mutex), 0),
            Self::Operation(Operation::TryAcquire(mutex)) => (1, one(mutex), 0),
            Self::Operation(Operation::Release(mutex)) => (2, one(mutex), 0),
            Self::Operation(Operation::Wait { condvar, mutex }) => (3, one(condvar), one(mutex)),
            Self::Operation(Operation::NotifyOne(condvar)) => (4, one(condvar), 0),
            Self::Operation(Operation::NotifyAll(condvar)) => (5, one(condvar), 0),
            Self::Operation(Operation::Choose(below)) => (6, below as u64, 0),
            Self::Operation(Operation::Linger) => (7, 0, 0),
            Self::Asleep { condvar, mutex } => (8, one(condvar), one(mutex)),
            Self::Reacquire { condvar, mutex } => (9, one(condvar), one(mutex)),
            Self::Operation(Operation::Load(atomic)) => (10, one(atomic), 0),
            Self::Operation(Operation::Update(atomic)) => (11, one(atomic), 0),
            Self::Operation(Operation::Join(thread)) => (12, thread as u64, 0),
            Self::Operation(Operation::JoinAll) => (13, 0, 0),
            Self::Operation(Operation::Yield) => (14, 0, 0),
            Self::Spins => (15, 0, 0),
        }
    }
}

/// One way to go on: a thread, and which of several outcomes its operation has.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub(crate) struct Choice {
    pub(crate) thread: u8,
    pub(crate) variant: u32,
}

impl Choice {
    pub(crate) const fn new(thread: Thread, variant: u32) -> Self {
        Self {
            thread: thread as u8,
            variant,
        }
    }

    pub(crate) const fn thread(self) -> Thread {
        self.thread as Thread
    }
}

/// One thread at a scheduling point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    pub(crate) next: Next,
    pub(crate) at: At,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct ThreadState {
    /// `None` while it runs, before its first step, and after its end.
    pub(crate) stop: Option<Stop>,
    /// It was started by another thread of the program.
    pub(crate) started: bool,
    pub(crate) ended: bool,
    /// Operations since the last choice.
    pub(crate) burst: u32,
    /// It has stopped before an operation that nobody can notice, to let others go on.
    pub(crate) rests: bool,
    /// What came of its last operation.
    pub(crate) outcome: usize,
    /// Mutexes, condvars and names that it has made.
    pub(crate) created: u32,
    /// Its next operation belongs to the step that it is in.
    pub(crate) lingers: bool,
    /// Nobody waits for its end.
    pub(crate) is_daemon: bool,
    /// What it has done since it yielded, if it has only looked.
    pub(crate) round: Option<Round>,
    /// While it waited for a change others went on.
    pub(crate) is_overtaken: bool,
    /// Where it has yielded, if it makes a round only because nobody else could go on.
    pub(crate) looks_in_vain: Option<At>,
}

/// What a thread does next, whether it has ended, whether that belongs to the step that it is in, and its round as
/// one number.
pub(crate) type Does = (Option<Next>, bool, bool, u64);

impl ThreadState {
    pub(crate) fn does(&self) -> Does {
        let round = self.round.as_ref();
        let round = round.map_or(0, |round| FxBuildHasher.hash_one(round));
        let next = self.stop.map(|stop| stop.next);
        (next, self.ended, self.lingers, round)
    }
}

/// A mutex that is held.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    pub(crate) mutex: ObjectId,
    pub(crate) by: Thread,
    pub(crate) at: At,
}

/// See the [module's documentation](self).
#[derive(Clone, Debug, Default)]
pub(crate) struct Program {
    pub(crate) threads: Vec<ThreadState>,
    pub(crate) held: Vec<Held>,
    /// Whether a sleeping thread may wake without a reason.
    pub(crate) spurious: bool,
    pub(crate) spins: Spins,
}

impl Program {
    pub(crate) fn new(spurious: bool) -> Self {
        Self {
            spurious,
            ..Self::default()
        }
    }

    /// As before its first step.
    pub(crate) fn begin(&mut self) {
        self.threads.clear();
        self.held.clear();
        self.spins.begin();
    }

    /// A choice is carried out: whoever rested has had its rest.
    pub(crate) fn begin_transition(&mut self) {
        for thread in &mut self.threads {
            (thread.burst, thread.rests) = (0, false);
        }
    }

    pub(crate) fn thread(&mut self, thread: Thread) -> &mut ThreadState {
        if self.threads.len() <= thread {
            self.threads.resize(thread + 1, ThreadState::default());
        }
        &mut self.threads[thread]
    }

    pub(crate) fn stop_of(&self, thread: Thread) -> Option<Stop> {
        self.threads.get(thread).and_then(|state| state.stop)
    }

    pub(crate) fn holder(&self, mutex: ObjectId) -> Option<&Held> {
        self.held.iter().find(|held| held.mutex == mutex)
    }

    /// The mutexes that a thread holds.
    pub(crate) fn held_by(&self, thread: Thread) -> impl Iterator<Item = ObjectId> {
        let held = self.held.iter().filter(move |held| held.by == thread);
        held.map(|held| held.mutex)
    }

    /// Whether somebody who switches away from a thread interrupts it: it could go on, has not come to the program's
    /// end, and does not sleep.
    pub(crate) fn is_interrupted(&self, thread: Thread) -> bool {
        let stop = self.stop_of(thread);
        stop.is_some_and(|Stop { next, .. }| {
            let is_over = next == Next::Operation(Operation::JoinAll);
            self.ways(next) > 0 && !self.sleeps(thread) && !is_over
        })
    }

    /// Whether a daemon is there, which the end of the program would cut short.
    pub(crate) fn has_daemons(&self) -> bool {
        let mut threads = self.threads.iter();
        threads.any(|state| state.is_daemon && !state.ended)
    }

    /// Whether a thread sleeps, and nobody has woken it.
    pub(crate) fn sleeps(&self, thread: Thread) -> bool {
        let next = self.stop_of(thread).map(|stop| stop.next);
        matches!(next, Some(Next::Asleep { .. }))
    }

    /// The threads that sleep on a condvar.
    pub(crate) fn sleepers(&self, condvar: ObjectId) -> impl Iterator<Item = Thread> {
        let threads = self.threads.iter().enumerate();
        threads.filter_map(move |(thread, state)| match state.stop?.next {
            Next::Asleep { condvar: on, .. } if on == condvar => Some(thread),
            _ => None,
        })
    }

    /// The sleepers whom an operation wakes, in one of its ways.
    pub(crate) fn woken(&self, operation: Operation, variant: u32) -> SmallVec<[Thread; 4]> {
        match operation {
            Operation::NotifyOne(condvar) => {
                let mut sleepers = self.sleepers(condvar);
                sleepers.nth(variant as usize).into_iter().collect()
            }
            Operation::NotifyAll(condvar) => self.sleepers(condvar).collect(),
            _ => SmallVec::new(),
        }
    }

    /// In how many ways an operation can be done now: 0 if not at all.
    pub(crate) fn ways(&self, next: Next) -> u32 {
        match next {
            Next::Operation(Operation::Acquire(mutex)) | Next::Reacquire { mutex, .. } => {
                u32::from(self.holder(mutex).is_none())
            }
            Next::Asleep { mutex, .. } => u32::from(self.spurious && self.holder(mutex).is_none()),
            Next::Operation(Operation::NotifyOne(condvar)) => {
                (self.sleepers(condvar).count() as u32).max(1)
            }
            Next::Operation(Operation::Choose(below)) => {
                u32::try_from(below).expect("fewer than 2^32 choices")
            }
            Next::Operation(Operation::Join(thread)) => u32::from(self.has_ended(thread)),
            Next::Operation(Operation::JoinAll) => {
                let mut others = self.threads.iter().skip(1);
                u32::from(others.all(|state| state.ended || state.is_daemon))
            }
            Next::Spins => 0,
            Next::Operation(_) => 1,
        }
    }

    /// Whether the thread is known: the main one, or one that another one of the program has started.
    pub(crate) fn has_started(&self, thread: Thread) -> bool {
        thread == 0 || self.threads.get(thread).is_some_and(|state| state.started)
    }

    fn has_ended(&self, thread: Thread) -> bool {
        self.threads.get(thread).is_some_and(|state| state.ended)
    }

    /// Does what a thread announced, in one of its ways.
    pub(crate) fn go(&mut self, thread: Thread, next: Next, variant: u32, at: At) {
        let state = self.thread(thread);
        // What an earlier operation came to is nothing that the thread still has to know.
        (state.stop, state.outcome) = (None, 0);
        match next {
            Next::Operation(Operation::TryAcquire(mutex)) => {
                let free = self.holder(mutex).is_none();
                if free {
                    self.take(thread, mutex, at);
                }
                self.thread(thread).outcome = usize::from(free);
            }
            Next::Operation(Operation::Acquire(mutex))
            | Next::Reacquire { mutex, .. }
            | Next::Asleep { mutex, .. } => self.take(thread, mutex, at),
            Next::Operation(
                operation @ (Operation::NotifyOne(condvar) | Operation::NotifyAll(condvar)),
            ) => {
                let woken = self.woken(operation, variant);
                self.wake(condvar, &woken, thread);
            }
            Next::Operation(Operation::Choose(_)) => {
                self.thread(thread).outcome = variant as usize;
            }
            Next::Operation(
                Operation::Release(_)
                | Operation::Linger
                | Operation::Load(_)
                | Operation::Update(_)
                | Operation::Join(_)
                | Operation::JoinAll
                | Operation::Yield,
            ) => {}
            Next::Operation(Operation::Wait { .. }) => unreachable!("it is done at once"),
            Next::Spins => unreachable!("it goes on with what it has announced"),
        }
        self.note_round(thread, next);
    }

    /// A thread releases a mutex and falls asleep.
    pub(crate) fn sleep(&mut self, thread: Thread, condvar: ObjectId, mutex: ObjectId, at: At) {
        self.release(mutex);
        self.changes(thread, condvar);
        let next = Next::Asleep { condvar, mutex };
        self.thread(thread).stop = Some(Stop { next, at });
    }

    pub(crate) fn release(&mut self, mutex: ObjectId) {
        self.held.retain(|held| held.mutex != mutex);
    }

    fn take(&mut self, thread: Thread, mutex: ObjectId, at: At) {
        debug_assert!(self.holder(mutex).is_none(), "a mutex has one holder");
        let by = thread;
        self.held.push(Held { mutex, by, at });
    }

    fn wake(&mut self, condvar: ObjectId, woken: &[Thread], by: Thread) {
        if woken.is_empty() {
            // Whoever falls asleep there would hear the next one.
            self.looks(by, condvar);
        } else {
            self.acts(by);
        }
        for &thread in woken {
            if let Some(stop) = &mut self.threads[thread].stop
                && let Next::Asleep { condvar, mutex } = stop.next
            {
                stop.next = Next::Reacquire { condvar, mutex };
            }
        }
    }
}

/// An operation in words.
pub(crate) fn words(next: Next) -> String {
    match next {
        Next::Operation(Operation::Acquire(mutex)) => format!("takes mutex {}", name(mutex)),
        Next::Operation(Operation::TryAcquire(mutex)) => {
            format!("tries to take mutex {}", name(mutex))
        }
        Next::Operation(Operation::Release(mutex)) => format!("releases mutex {}", name(mutex)),
        Next::Operation(Operation::Wait { condvar, .. }) | Next::Asleep { condvar, .. } => {
            format!("sleeps on condvar {}", name(condvar))
        }
        Next::Reacquire { mutex, .. } => format!("takes mutex {} again", name(mutex)),
        Next::Operation(Operation::NotifyOne(condvar)) => {
            format!("notifies one thread on condvar {}", name(condvar))
        }
        Next::Operation(Operation::NotifyAll(condvar)) => {
            format!("notifies all threads on condvar {}", name(condvar))
        }
        Next::Operation(Operation::Choose(below)) => format!("chooses one of {below}"),
        Next::Operation(Operation::Linger) => "lets the others go on".to_owned(),
        Next::Operation(Operation::Load(atomic)) => format!("reads atomic {}", name(atomic)),
        Next::Operation(Operation::Update(atomic)) => format!("updates atomic {}", name(atomic)),
        Next::Operation(Operation::Join(thread)) => format!("waits for thread {thread} to end"),
        Next::Operation(Operation::JoinAll) => "waits for all other threads to end".to_owned(),
        Next::Operation(Operation::Yield) | Next::Spins => "lets the others go first".to_owned(),
    }
}

/// An object's name: the thread that made it, and how many it had made before.
pub(crate) fn name(object: ObjectId) -> String {
    format!("{}.{}", object.thread, object.nth)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_operation_came_to_is_over_with_the_next_one() {
        let mut program = Program::new(false);
        let at = Location::caller();
        program.go(1, Next::Operation(Operation::Choose(3)), 2, at);
        assert_eq!(program.threads[1].outcome, 2);
        program.go(1, Next::Operation(Operation::Linger), 0, at);
        // Two states would be one by all that is hashed of them, and another would follow from each.
        assert_eq!(program.threads[1].outcome, 0);
    }
}
