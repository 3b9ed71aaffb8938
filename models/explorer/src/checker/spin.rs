//! Threads that look again and again: what a thread that yields waits for, and when nobody is left who could bring it.
//!
//! A round is what a thread does between two yields. One in which it has only looked would be the same again as long as
//! nothing that it has looked at changes: at its end the thread waits for such a change, made by another thread, so
//! that no order of others' steps is explored once more for each look. Where nobody else can go on, those who
//! wait make rounds in turn all the same, for a while: one of them may have counted them, and give up. If none does,
//! they are in a livelock.
//!
//! That is not Musuvathi and Qadeer's fair scheduler ("Fair stateless model checking", PLDI 2008), in which a yield
//! lowers a priority: here a yield after anything but looks is nothing at all, so that code which yields where it
//! need not is explored in every order. What is taken on trust is that a round of looks is repeated: a thread that
//! counts its rounds and does not [say](nmr_sync::learn) so gives up only where nobody else can go on. That is tried out
//! (`control/probe.rs`); and where it is seen to come too late, since others have gone on meanwhile, nothing is exhausted.
//!
//! Looks are sections whose data were not borrowed mutably, or were described as what they were; sections that were
//! tried in vain; loads, and updates that leave what there was; notifications that nobody hears. Whatever the phase is,
//! and whatever is switched off, this is followed alike: it decides who can go on.

use std::hash::{Hash, Hasher};

use nmr_sync::hook::{ObjectId, Operation, Told, Write};
use rustc_hash::FxHasher;
use smallvec::SmallVec;

use crate::checker::fingerprint::fingerprint;
use crate::checker::program::{At, Next, Program, Stop, Thread};

/// Rounds that each thread makes, where nobody else can go on, before that is a livelock.
pub(crate) const ROUNDS: u32 = 1_000;

/// What a thread has done since it yielded, if it has only looked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Round {
    /// What it has looked at.
    looked: SmallVec<[ObjectId; 2]>,
    /// Of these, mutexes of which it has noticed whether they were held.
    tried: SmallVec<[ObjectId; 1]>,
    /// What it has said, as one number; and what it had said in the round before.
    told: u64,
    told_before: u64,
    /// Something that it has looked at has changed since.
    is_stale: bool,
}

impl Round {
    fn look(&mut self, object: ObjectId) {
        if !self.looked.contains(&object) {
            self.looked.push(object);
        }
    }

    /// Whether the next round would be the same.
    const fn repeats(&self) -> bool {
        !self.is_stale && self.told == self.told_before
    }

    /// What was looked at.
    pub(crate) fn looked(&self) -> &[ObjectId] {
        &self.looked
    }

    /// Whether the same was looked at, and said.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let is_in =
            |ours: &[ObjectId], theirs: &[ObjectId]| ours.iter().all(|one| theirs.contains(one));
        let are_same =
            |ours: &[ObjectId], theirs: &[ObjectId]| is_in(ours, theirs) && is_in(theirs, ours);
        are_same(&self.looked, &other.looked)
            && are_same(&self.tried, &other.tried)
            && self.told == other.told
    }

    /// Whether this could be what it waits for. Of one that looks at nothing nobody can say.
    fn heeds(&self, object: ObjectId) -> bool {
        self.looked.is_empty() || self.looked.contains(&object)
    }
}

/// What something was last said to be.
#[derive(Clone, Copy, Debug)]
struct Said {
    object: ObjectId,
    is: u128,
    /// In the section that a thread is in.
    is_fresh: bool,
}

/// What is known of rounds, over all threads of an execution.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spins {
    /// Some thread has yielded: nobody makes rounds before.
    has_begun: bool,
    /// A thread has waited for a change.
    pub(crate) has_waited: bool,
    /// A thread that has done something else than before though nothing had changed, where it yielded; and others had
    /// gone on while it waited, so that it might have done that before them.
    pub(crate) gave_up: Option<(Thread, At)>,
    /// Rounds made since something else was done, where nobody else could go on.
    fruitless: u32,
    said: Vec<Said>,
    /// The last operation was a load: what is told of its atomic then it has not changed.
    is_loading: bool,
}

impl Spins {
    /// As before the first step.
    pub(crate) fn begin(&mut self) {
        (self.has_begun, self.has_waited, self.fruitless) = (false, false, 0);
        self.is_loading = false;
        self.gave_up = None;
        self.said.clear();
    }

    /// Whether some thread has yielded.
    pub(crate) const fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Whether some thread makes a round because nobody else can go on.
    pub(crate) const fn is_fruitless(&self) -> bool {
        self.fruitless > 0
    }

    /// Something is what is said. Whether it was not, or nobody knew.
    fn is_news(&mut self, object: ObjectId, write: Write<'_>) -> bool {
        let now = Said {
            object,
            is: fingerprint(|state| write(state)).0,
            is_fresh: true,
        };
        let mut said = self.said.iter_mut();
        match said.find(|said| said.object == object) {
            Some(said) => std::mem::replace(said, now).is != now.is,
            None => {
                self.said.push(now);
                true
            }
        }
    }
}

impl Program {
    /// Whether a thread that comes to yield would only do once more what it has done.
    pub(crate) fn repeats(&self, thread: Thread) -> bool {
        let round = self
            .threads
            .get(thread)
            .and_then(|state| state.round.as_ref());
        round.is_some_and(Round::repeats)
    }

    /// An operation is done.
    pub(crate) fn note_round(&mut self, thread: Thread, next: Next) {
        if !self.spins.has_begun && next != Next::Operation(Operation::Yield) {
            return;
        }
        self.spins.is_loading = matches!(next, Next::Operation(Operation::Load(_)));
        match next {
            Next::Operation(Operation::Yield) => self.begin_round(thread),
            Next::Operation(Operation::Acquire(mutex)) => {
                self.looks(thread, mutex);
                self.turns(thread, mutex);
            }
            Next::Operation(Operation::TryAcquire(mutex)) => {
                self.looks(thread, mutex);
                if let Some(round) = &mut self.threads[thread].round {
                    round.tried.push(mutex);
                    round.tried.dedup();
                }
                if self.threads[thread].outcome == 1 {
                    self.turns(thread, mutex);
                }
            }
            Next::Operation(Operation::Load(atomic) | Operation::Update(atomic)) => {
                self.looks(thread, atomic);
            }
            // Whether a notification was heard is known already.
            Next::Operation(
                Operation::NotifyOne(_)
                | Operation::NotifyAll(_)
                | Operation::Release(_)
                | Operation::Linger,
            ) => {}
            Next::Reacquire { mutex, .. } | Next::Asleep { mutex, .. } => {
                self.acts(thread);
                self.turns(thread, mutex);
            }
            Next::Operation(_) | Next::Spins => self.acts(thread),
        }
        self.overtakes();
    }

    /// Something was done. Not counted are rounds of those who look only because nobody else can go on.
    fn overtakes(&mut self) {
        if self.spins.has_begun && !self.spins.is_fruitless() {
            for state in &mut self.threads {
                state.is_overtaken |= state.stop.is_some_and(|stop| stop.next == Next::Spins);
            }
        }
    }

    fn begin_round(&mut self, thread: Thread) {
        self.spins.has_begun = true;
        let state = self.thread(thread);
        let told_before = state.round.as_ref().map_or(0, |round| round.told);
        state.is_overtaken &= state.looks_in_vain.is_some();
        state.round = Some(Round {
            told_before,
            ..Round::default()
        });
    }

    /// A thread looks at something.
    pub(crate) fn looks(&mut self, thread: Thread, object: ObjectId) {
        if let Some(round) = &mut self.threads[thread].round {
            round.look(object);
        }
    }

    /// A thread does something else than look.
    pub(crate) fn acts(&mut self, thread: Thread) {
        if self.spins.has_begun {
            let state = self.thread(thread);
            state.round = None;
            let in_vain = state.looks_in_vain.take();
            let gave_up = in_vain.filter(|_| std::mem::take(&mut state.is_overtaken));
            let spins = &mut self.spins;
            spins.gave_up = spins.gave_up.or(gave_up.map(|at| (thread, at)));
            spins.fruitless = 0;
            self.disturb(thread, |round| round.looked.is_empty());
            self.overtakes();
        }
    }

    /// A thread changes something.
    pub(crate) fn changes(&mut self, thread: Thread, object: ObjectId) {
        if self.spins.has_begun {
            self.acts(thread);
            self.disturb(thread, |round| round.heeds(object));
        }
    }

    /// Somebody else holds a mutex than before, or nobody.
    pub(crate) fn turns(&mut self, thread: Thread, mutex: ObjectId) {
        if self.spins.has_begun {
            self.disturb(thread, |round| round.tried.contains(&mutex));
        }
    }

    /// The rounds of other threads that heed it are none that would be repeated: who waits at the end of one goes on.
    fn disturb(&mut self, by: Thread, heeds: impl Fn(&Round) -> bool) {
        for (thread, state) in self.threads.iter_mut().enumerate() {
            if thread != by
                && let Some(round) = &mut state.round
                && heeds(round)
            {
                round.is_stale = true;
                (state.looks_in_vain, state.is_overtaken) = (None, false);
                if let Some(stop) = &mut state.stop
                    && stop.next == Next::Spins
                {
                    stop.next = Next::Operation(Operation::Yield);
                }
            }
        }
    }

    /// The program says something.
    pub(crate) fn note_told(&mut self, thread: Thread, what: Told, write: Write<'_>) {
        if !self.spins.has_begun {
            return;
        }
        match what {
            Told::Value(atomic) => {
                if self.spins.is_news(atomic, write) && !self.spins.is_loading {
                    self.changes(thread, atomic);
                }
            }
            Told::Data(mutex) => {
                if self.spins.is_news(mutex, write) {
                    self.changes(thread, mutex);
                }
            }
            // What an atomic gave is what was told of it.
            Told::Found(_) | Told::Kept => {}
            _ => {
                if let Some(round) = &mut self.threads[thread].round {
                    let mut hasher = FxHasher::default();
                    (round.told, what, fingerprint(|state| write(state)).0).hash(&mut hasher);
                    round.told = hasher.finish();
                }
            }
        }
    }

    /// What a mutex protects was borrowed to change it. If it was described since, that says whether it was.
    pub(crate) fn borrowed(&mut self, thread: Thread, mutex: ObjectId) {
        let said = &mut self.spins.said;
        let is_described = said
            .iter()
            .any(|said| said.object == mutex && said.is_fresh);
        if !is_described {
            said.retain(|said| said.object != mutex);
            self.changes(thread, mutex);
        }
    }

    /// A section ends.
    pub(crate) fn note_release(&mut self, thread: Thread, mutex: ObjectId) {
        let mut said = self.spins.said.iter_mut();
        if let Some(said) = said.find(|said| said.object == mutex) {
            said.is_fresh = false;
        }
        self.turns(thread, mutex);
    }

    /// Those who wait for a change.
    pub(crate) fn spinning(&self) -> impl Iterator<Item = (Thread, Stop)> {
        let threads = self.threads.iter().enumerate();
        let stopped = threads.filter_map(|(thread, state)| Some((thread, state.stop?)));
        stopped.filter(|(_, stop)| stop.next == Next::Spins)
    }

    /// Where nobody else can go on: who makes a round all the same, one after the other. `None` if nobody does, or if
    /// each has made so many that nothing comes of it.
    pub(crate) fn next_round(&mut self, after: Thread) -> Option<Thread> {
        let spinning = || self.spinning().map(|(thread, _)| thread);
        let next = spinning().min_by_key(|&thread| (thread <= after, thread))?;
        if self.spins.fruitless >= ROUNDS * spinning().count() as u32 {
            return None;
        }
        self.spins.fruitless += 1;
        let state = &mut self.threads[next];
        let stop = state.stop.as_mut()?;
        stop.next = Next::Operation(Operation::Yield);
        state.looks_in_vain = Some(stop.at);
        Some(next)
    }
}
