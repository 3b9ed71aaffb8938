//! Detaching and cleaning up (C7 to C9).

use super::{Detaching, Phase, Step, Table, Visit};
use crate::handle::{HandleFault, Key};
use crate::lent::Lent;
use crate::module::Detach;
use crate::npi::Side;

impl<L: Lent> Table<L> {
    /// Takes an attached binding (or a late comer) into detaching; the calling thread makes both
    /// detach callbacks.
    pub(super) fn begin_detach(&mut self, key: Key, visit: &mut Visit<L>) -> Step {
        self.bindings.get_mut(key).phase = Phase::Detaching([Detaching::ToCall; 2]);
        self.next_detach(key, visit)
    }

    /// The next callback of a binding that is detaching, or what the thread goes on with.
    pub(super) fn next_detach(&mut self, key: Key, visit: &mut Visit<L>) -> Step {
        let binding = self.bindings.get_mut(key);
        let Phase::Detaching(sides) = &mut binding.phase else {
            unreachable!("the binding is detaching")
        };
        let next = Side::BOTH
            .into_iter()
            .find(|&side| sides[side as usize] == Detaching::ToCall);
        if let Some(side) = next {
            sides[side as usize] = Detaching::Calling;
            binding.running = Some(visit.thread);
            let end = &binding.ends[side as usize];
            debug_assert!(end.context.is_some(), "it has attached");
            visit.hand.contexts[side as usize].clone_from(&end.context);
            self.lend(key, side, &mut visit.hand);
            return Step::detach(key, side);
        }
        if *sides == [Detaching::Complete; 2] {
            return self.begin_cleanup(key, visit);
        }
        binding.running = None;
        self.next(visit)
    }

    fn begin_cleanup(&mut self, key: Key, visit: &mut Visit<L>) -> Step {
        let binding = self.bindings.get_mut(key);
        binding.phase = Phase::CleaningUp;
        binding.running = Some(visit.thread);
        for side in Side::BOTH {
            let binding = self.bindings.get_mut(key);
            let context = binding.ends[side as usize].context.take();
            // A client that changed its mind has nothing to clean up (C5).
            if context.is_some() {
                visit.hand.contexts[side as usize] = context;
                self.lend(key, side, &mut visit.hand);
            }
        }
        Step::CleanUp(key)
    }

    /// One side's detach callback returned.
    pub(super) fn detach_returned(
        &mut self,
        key: Key,
        side: Side,
        answer: Detach,
        visit: &mut Visit<L>,
    ) -> Step {
        let binding = self.bindings.get_mut(key);
        binding.take_back(side, &mut visit.hand);
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
        self.next_detach(key, visit)
    }

    /// One side called its detach-complete function. `Ok(None)`: at the wrong time (C8).
    pub(crate) fn detach_complete(
        &mut self,
        key: Key,
        side: Side,
        visit: &mut Visit<L>,
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
                    self.begin_cleanup(key, visit)
                } else {
                    Step::Done
                }))
            }
            Detaching::ToCall | Detaching::CompletedEarly | Detaching::Complete => Ok(None),
        }
    }

    /// The cleanup callbacks have returned: the binding is gone, and its handle dead (C9).
    pub(super) fn cleaned_up(&mut self, key: Key, visit: &mut Visit<L>) -> Step {
        debug_assert_eq!(self.bindings.get(key).phase, Phase::CleaningUp);
        self.remove_binding(key);
        self.next(visit)
    }
}
