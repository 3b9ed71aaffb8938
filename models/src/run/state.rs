//! What an execution keeps beside the primitives, as a hash: for an explorer that has to find out which
//! states are the same.
//!
//! With what the primitives protect and what the threads know it is all that decides what comes. Left
//! out is what follows from the rest: which number each of the engine's threads has, and the handles'
//! bits, as long as each names something whenever it is used. Nothing is in an order that is one of
//! numbers of modules or threads.

use std::hash::{Hash, Hasher};
use std::sync::Weak;

use nmr::RegistrationInstance;
use nmr_sync::unordered;

#[cfg(shuttle)]
use super::recorder::Kept;
use super::{ModuleState, Run};
use crate::event::{Callback, RegId, Thing};
use crate::invisible::lock;
use crate::permuted::{ModuleNumber, ThreadNumber};

impl Run {
    /// What the oracle knows here, so that it need not judge again what was judged.
    #[cfg(shuttle)]
    pub(crate) fn keep(&self) -> Kept {
        self.recorder.keep()
    }

    /// The execution has come again to where this was kept.
    #[cfg(shuttle)]
    pub(crate) fn put_back(&self, kept: &Kept) {
        self.recorder.put_back(kept);
    }

    /// Hashes it, under a [symmetry](crate::symmetry) if that is wanted.
    pub(crate) fn hash_state(&self, mut state: &mut dyn Hasher) {
        let state = &mut state;
        self.recorder.hash(state);
        unordered((0..).map(ModuleNumber).zip(&self.modules), state);
        let inside = |&(thread, it): &(u8, Callback)| (ThreadNumber(thread), it.pair.side(it.side));
        unordered(lock(&self.inside).iter().map(inside), state);
        let destroying = |&(thread, thing): &(u8, Thing)| (ThreadNumber(thread), thing);
        unordered(lock(&self.destroying).iter().map(destroying), state);
        let thread = |&number: &u8| ThreadNumber(number);
        unordered(lock(&self.active).iter().map(thread), state);
        lock(&self.contexts).hash(state);
        unordered(lock(&self.kept).iter(), state);
        let instances = lock(&self.instances);
        let is_held = |(reg, instance): &(RegId, Weak<RegistrationInstance>)| {
            (*reg, instance.strong_count() > 0)
        };
        unordered(instances.iter().map(is_held), state);
        drop(instances);
        #[cfg(shuttle)]
        self.foreign.hash(state);
        if self.prepared.uses_stale_handles {
            lock(&self.issued).hash_bits(state);
        }
    }
}

impl Hash for ModuleState {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self {
            latest,
            owned,
            memories,
            last_binding,
            // Described by their mutexes.
            protection: _,
            taken: _,
        } = self;
        let owned = lock(owned).iter().map(|(reg, _)| *reg).collect::<Vec<_>>();
        (latest, owned, &*lock(memories), last_binding).hash(state);
    }
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use std::hash::DefaultHasher;
    use std::sync::Arc;

    use super::super::{Prepared, Watch};
    use super::*;
    use crate::scenarios;

    fn run(scenario: &str) -> Arc<Run> {
        let scenario = scenarios::named(scenario).expect("a scenario");
        let watch = Watch::new(Arc::default(), |_, _| {});
        Run::new(&Prepared::new(&Arc::new(scenario)), &Arc::new(watch))
    }

    fn hash(run: &Run) -> u64 {
        let mut hasher = DefaultHasher::new();
        run.hash_state(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn the_same_execution_comes_to_the_same_state_in_each_registrar() {
        let [one, other] = [(), ()].map(|()| run("completed-uninvited"));
        let before = hash(&one);
        assert_eq!(before, hash(&other));
        one.clone().to_the_end();
        assert_ne!(hash(&one), before);
        other.clone().to_the_end();
        assert_eq!(hash(&one), hash(&other));
        assert_eq!(one.watch.outcomes(), other.watch.outcomes());
    }
}
