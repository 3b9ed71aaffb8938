//! The search's side of [`Control`](super::Control): what is chosen where several threads can go on, and
//! whether a repeated execution does what it did before.

use std::hash::{BuildHasher, Hash, Hasher};

use nmr_sync::hook::Operation;
use rustc_hash::FxBuildHasher;

use super::{Choices, Execution, Phase, State, Stopped};
use crate::checker::fingerprint::{Fingerprint, Symmetries, fingerprint};
use crate::checker::knowledge::Snapshot;
use crate::checker::options::Options;
use crate::checker::program::{Choice, Next, Stop, words};
use crate::checker::visited::Visit;
use crate::checker::walk::{Place, Turn};

/// What a repeated execution does otherwise than before.
const OTHER_CHOICES: &str = "the threads can do other things than before";
const OTHER_STATE: &str = "what the threads know, or what the mutexes protect, is not what it was";
pub(super) const OTHER_END: &str = "the program is at its end already";

impl State {
    /// Asks the search.
    pub(super) fn choose(&mut self, options: &[Choice]) -> Option<Choice> {
        if let &[only] = options {
            return Some(only);
        }
        let digest = self.digest(options);
        if self.walk.is_replaying() {
            self.replay(options, digest)
        } else {
            self.walk_on(options, digest)
        }
    }

    /// The state's fingerprint, and the permutation under which it has it.
    fn fingerprint(&mut self) -> (Fingerprint, usize) {
        match self.keeps_states() {
            true => self.execution.fingerprint(&self.options, &self.symmetries),
            false => (self.execution.path_fingerprint(), 0),
        }
    }

    /// Chooses by what is left at the state.
    fn walk_on(&mut self, options: &[Choice], digest: u64) -> Option<Choice> {
        let (fingerprint, permutation) = self.fingerprint();
        let place = Place {
            digest,
            fingerprint,
            permutation,
        };
        let named = self.named(options, permutation);
        let index = match self.visited.visit(fingerprint, &named) {
            Visit::New => {
                let (execution, options) = (&self.execution, &self.options);
                let snapshot = || execution.snapshot(options);
                self.walk.discover(place, &self.visited, snapshot);
                0
            }
            Visit::Unexplored(left) => match named.iter().position(|&one| one == left) {
                Some(index) => index,
                None => return self.diverged(OTHER_CHOICES),
            },
            Visit::Exhausted => {
                self.execution.become_redundant();
                return Some(options[0]);
            }
        };
        self.walk.take(fingerprint, named[index]);
        self.walk.choose(place, options[index]);
        Some(options[index])
    }

    /// Goes along the known path, up to the turn.
    fn replay(&mut self, options: &[Choice], digest: u64) -> Option<Choice> {
        let step = self.walk.replayed();
        let turn = self.walk.turn().filter(|_| step.is_none());
        let known = step.map(|step| (step.digest, step.fingerprint));
        let known = known.or(turn.map(|turn| (turn.place.digest, turn.place.fingerprint)));
        let (known_digest, known_fingerprint) = known.expect("it is replaying");
        if digest != known_digest {
            return self.diverged(OTHER_CHOICES);
        }
        let compares = self.execution.verifies || turn.is_some();
        if compares && self.follows() {
            let (fingerprint, _) = self.fingerprint();
            if fingerprint != known_fingerprint {
                return self.diverged(OTHER_STATE);
            }
        }
        match (step, turn) {
            (Some(step), _) => {
                self.walk.replay();
                Some(step.choice)
            }
            (None, Some(turn)) => self.turn(options, turn),
            (None, None) => unreachable!("it is replaying"),
        }
    }

    /// Leaves the known path.
    fn turn(&mut self, options: &[Choice], turn: Turn) -> Option<Choice> {
        if self.execution.phase == Phase::FastForward {
            let snapshot = self.walk.snapshot().expect("it was skipped for that");
            self.execution.knowledge = snapshot.knowledge.clone();
            if let (Some(snapshots), Some(external_state)) =
                (&self.options.snapshots, &snapshot.external_state)
            {
                (snapshots.restore)(&**external_state);
            }
        }
        self.execution.phase = Phase::Explore;
        let named = self.named(options, turn.place.permutation);
        let Some(index) = named.iter().position(|&one| one == turn.choice) else {
            return self.diverged(OTHER_CHOICES);
        };
        self.walk.choose(turn.place, options[index]);
        Some(options[index])
    }

    /// The choices by the names under which the state knows the threads.
    fn named(&self, options: &[Choice], permutation: usize) -> Choices {
        if self.symmetries.len() == 1 && self.execution.among.is_empty() {
            return options.into();
        }
        let program = &self.execution.program;
        let image = |thread| self.symmetries.image(permutation, thread);
        let named = options.iter().map(|choice| {
            let stop = program.stop_of(choice.thread());
            let variant = match stop.map(|stop| stop.next) {
                // Which thread is woken, not which in the order of their numbers.
                Some(Next::Operation(Operation::NotifyOne(condvar))) => {
                    let woken = program.sleepers(condvar).nth(choice.variant as usize);
                    woken.map_or(0, |thread| image(thread) as u32)
                }
                Some(Next::Operation(Operation::Choose(_))) => {
                    self.rank(*choice, permutation).unwrap_or(choice.variant)
                }
                _ => choice.variant,
            };
            Choice::new(image(choice.thread()), variant)
        });
        named.collect()
    }

    /// Where something that is chosen stands among all, in the order of their fingerprints.
    fn rank(&self, choice: Choice, permutation: usize) -> Option<u32> {
        let mut among = self.execution.among.iter();
        let (_, fingerprints) = among.find(|(thread, _)| *thread == choice.thread())?;
        let own = fingerprints.get(choice.variant as usize)?[permutation];
        let before = fingerprints
            .iter()
            .filter(|fingerprints| fingerprints[permutation] < own);
        Some(before.count() as u32)
    }

    /// The program did not do what it did before in the same place: the search cannot go on.
    pub(super) fn diverged<T>(&mut self, what: &str) -> Option<T> {
        let step = self.execution.schedule.len() + 1;
        let program = &self.execution.program;
        let stops = program.threads.iter().enumerate();
        let stops = stops.filter_map(|(thread, state)| {
            let Stop { next, at } = state.stop?;
            Some(format!("\n  thread {thread} {} at {at}", words(next)))
        });
        let stops: String = stops.collect();
        let last = match self.execution.running {
            Some(thread) => format!(" after an operation of thread {thread}"),
            None => String::new(),
        };
        self.stop(Stopped::Error(format!(
            "at step {step} of a repeated execution{last} {what}: the program depends on something \
             that is not under control (time, a random number, the order of a hash map, something \
             left by an earlier execution). Now{stops}"
        )))
    }

    /// What each thread stops at and what can come next, as one number.
    fn digest(&self, options: &[Choice]) -> u64 {
        let mut hasher = FxBuildHasher.build_hasher();
        for thread in &self.execution.program.threads {
            thread.stop.map(|stop| stop.next.code()).hash(&mut hasher);
        }
        options.hash(&mut hasher);
        hasher.finish()
    }
}

impl Execution {
    /// A snapshot, and about how many bytes it has.
    fn snapshot(&self, options: &Options) -> (Snapshot, u64) {
        let snapshots = options.snapshots.as_ref();
        let snapshot = Snapshot {
            knowledge: self.knowledge.clone(),
            external_state: snapshots.map(|snapshots| (snapshots.take)()),
        };
        let bytes = snapshot.bytes() + snapshots.map_or(0, |snapshots| snapshots.bytes);
        (snapshot, bytes)
    }

    /// Of a state that is told apart by the way there alone.
    fn path_fingerprint(&self) -> Fingerprint {
        fingerprint(|hasher| self.schedule.hash(hasher))
    }

    /// The state's fingerprint, and the permutation under which it has it. Under a bound on preemptions what
    /// can still come depends on how many there were, and on who would be interrupted.
    fn fingerprint(&mut self, options: &Options, symmetries: &Symmetries) -> (Fingerprint, usize) {
        let external_state = options.external_state.as_deref();
        let bounded = options.preemptions.is_some();
        let bound = bounded.then_some((self.preemptions, self.running));
        let write = |state: &mut dyn Hasher| {
            let mut state = state;
            bound.hash(&mut state);
            if let Some(external_state) = external_state {
                external_state(state);
            }
        };
        self.knowledge.state(symmetries, &self.program, &write)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn under_a_bound_it_counts_how_many_preemptions_there_were_and_who_ran() {
        let fingerprint = |bound, preemptions, running| {
            let options = Options {
                preemptions: bound,
                ..Options::new()
            };
            let mut execution = Execution::new(false);
            execution.preemptions = preemptions;
            execution.running = Some(running);
            execution.fingerprint(&options, &Symmetries::new(&[])).0
        };
        assert_eq!(fingerprint(None, 1, 1), fingerprint(None, 2, 2));
        assert_eq!(fingerprint(Some(3), 1, 1), fingerprint(Some(3), 1, 1));
        assert_ne!(fingerprint(Some(3), 1, 1), fingerprint(Some(3), 2, 1));
        assert_ne!(fingerprint(Some(3), 1, 1), fingerprint(Some(3), 1, 2));
    }
}
