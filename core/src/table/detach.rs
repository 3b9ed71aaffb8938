//! Detaching and cleaning up (C7 to C9).

use nmr_sync::thread::ThreadId;

use super::{Detaching, Job, Module, Phase, Step, Table};
use crate::handle::{HandleFault, Key};
use crate::module::Detach;
use crate::npi::Side;

impl Table {
    /// Takes an attached binding (or a late comer) into detaching; the calling thread makes both
    /// detach callbacks.
    pub(super) fn begin_detach(&mut self, key: Key, job: Job, thread: ThreadId) -> Step {
        self.bindings.get_mut(key).phase = Phase::Detaching([Detaching::ToCall; 2]);
        self.next_detach(key, job, thread)
    }

    /// The next callback of a binding that is detaching, or what the thread goes on with.
    pub(super) fn next_detach(&mut self, key: Key, job: Job, thread: ThreadId) -> Step {
        let binding = self.bindings.get_mut(key);
        let Phase::Detaching(sides) = &mut binding.phase else {
            unreachable!("the binding is detaching")
        };
        let next = Side::BOTH
            .into_iter()
            .find(|&side| sides[side as usize] == Detaching::ToCall);
        if let Some(side) = next {
            sides[side as usize] = Detaching::Calling;
            binding.running = Some(thread);
            return self.ask_to_detach(key, side);
        }
        if *sides == [Detaching::Complete; 2] {
            return self.begin_cleanup(key, thread);
        }
        binding.running = None;
        self.next(job, thread)
    }

    fn ask_to_detach(&self, key: Key, side: Side) -> Step {
        let end = &self.bindings.get(key).ends[side as usize];
        let context = end.context.as_ref();
        Step::Detach {
            binding: key,
            module: self.module(end.registration).clone(),
            context: context.expect("it has attached").clone(),
        }
    }

    fn module(&self, owner: Key) -> &Module {
        &self.registrations.get(owner).characteristics().module
    }

    fn begin_cleanup(&mut self, key: Key, thread: ThreadId) -> Step {
        let binding = self.bindings.get_mut(key);
        binding.phase = Phase::CleaningUp;
        binding.running = Some(thread);
        let ends = binding.ends.each_mut();
        let ends = ends.map(|end| (end.registration, end.context.take()));
        Step::CleanUp {
            binding: key,
            // A client that changed its mind has nothing to clean up (C5).
            sides: ends
                .map(|(owner, context)| context.map(|own| (self.module(owner).clone(), own))),
        }
    }

    /// One side's detach callback returned.
    pub(super) fn detach_returned(
        &mut self,
        key: Key,
        side: Side,
        answer: Detach,
        job: Job,
        thread: ThreadId,
    ) -> Step {
        let binding = self.bindings.get_mut(key);
        let Phase::Detaching(sides) = &mut binding.phase else {
            unreachable!("a detach callback returned in {:?}", binding.phase)
        };
        let state = &mut sides[side as usize];
        *state = match (*state, answer) {
            (Detaching::Calling, Detach::Pending) => Detaching::Pending,
            (Detaching::Calling, Detach::Complete) | (Detaching::CompletedEarly, _) => {
                Detaching::Complete
            }
            (state, _) => unreachable!("a detach callback returned in {state:?}"),
        };
        self.next_detach(key, job, thread)
    }

    /// One side called its detach-complete function. `Ok(None)`: at the wrong time (C8).
    pub(crate) fn detach_complete(
        &mut self,
        key: Key,
        side: Side,
        thread: ThreadId,
    ) -> Result<Option<Step>, HandleFault> {
        self.bindings.lookup(key)?;
        let Phase::Detaching(sides) = &mut self.bindings.get_mut(key).phase else {
            return Ok(None);
        };
        let state = &mut sides[side as usize];
        match *state {
            Detaching::Calling => {
                *state = Detaching::CompletedEarly;
                Ok(Some(Step::Done))
            }
            Detaching::Pending => {
                *state = Detaching::Complete;
                let last = *sides == [Detaching::Complete; 2];
                Ok(Some(if last {
                    self.begin_cleanup(key, thread)
                } else {
                    Step::Done
                }))
            }
            Detaching::ToCall | Detaching::CompletedEarly | Detaching::Complete => Ok(None),
        }
    }

    /// The cleanup callbacks have returned: the binding is gone, and its handle dead (C9).
    pub(super) fn cleaned_up(&mut self, key: Key, job: Job, thread: ThreadId) -> Step {
        debug_assert_eq!(self.bindings.get(key).phase, Phase::CleaningUp);
        self.remove_binding(key);
        self.next(job, thread)
    }
}
