//! One worker of a search: depth first, through what it has, and what it gets from the market.

use crate::encoder::Fingerprint;
use crate::expand::Expander;
use crate::finding::{Finding, Found};
use crate::market::CloseOnPanic;
use crate::memory::NoRoom;
use crate::shared::{Shared, Sums};
use crate::stack::{Frame, Stack};
use crate::system::System;
use crate::verify::SIGNATURE_BYTES;
use crate::visited::Insertion;

/// After so many steps a worker adds what it has counted, and looks whether others have nothing to do.
const STRIDE: u32 = 256;

/// States that are kept to be written over.
const SPARE: usize = 64;

/// See the [module's documentation](self).
pub(crate) struct Worker<'a, S: System> {
    system: &'a S,
    expander: Expander<'a, S>,
    shared: &'a Shared<'a, S>,
    stack: Stack<S>,
    spare_states: Vec<S::State>,
    spare_actions: Vec<Vec<S::Action>>,
    sums: Sums,
    /// Bytes that it has, and how many of them the search's memory knows of.
    bytes: u64,
    told_bytes: u64,
    /// Bytes that are needed when it has gone home: of signatures.
    kept_bytes: u64,
    steps: u32,
    calls: u64,
}

/// Whether a worker goes on, or everybody was sent home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
enum Goes {
    On,
    Home,
}

impl<'a, S: System> Worker<'a, S> {
    pub(crate) fn new(system: &'a S, expander: Expander<'a, S>, shared: &'a Shared<'a, S>) -> Self {
        Self {
            system,
            expander,
            shared,
            stack: Stack::default(),
            spare_states: Vec::new(),
            spare_actions: Vec::new(),
            sums: Sums::default(),
            bytes: 0,
            told_bytes: 0,
            kept_bytes: 0,
            steps: 0,
            calls: shared.market.calls(),
        }
    }

    /// Works until there is nothing left to do, or everybody is sent home.
    pub(crate) fn run(mut self) {
        let shared = self.shared;
        let _close = CloseOnPanic(&shared.market);
        while let Some(stack) = shared.market.take() {
            self.bytes += stack.bytes();
            self.stack = stack;
            let goes = self.finish();
            // What was counted is known before somebody can think that nobody works any more.
            self.shared.add(&mut self.sums);
            if goes == Goes::Home {
                shared.leave(std::mem::take(&mut self.stack));
                break;
            }
        }
        let given_back = self.told_bytes.saturating_sub(self.kept_bytes);
        shared.memory.give_back(given_back);
    }

    /// Does all that is left of its frames.
    fn finish(&mut self) -> Goes {
        while !self.stack.frames.is_empty() {
            if self.step() == Goes::Home {
                return Goes::Home;
            }
            self.steps = self.steps.wrapping_add(1);
            if self.steps.is_multiple_of(STRIDE) && self.look_up() == Goes::Home {
                return Goes::Home;
            }
            let calls = self.shared.market.calls();
            if calls != self.calls {
                self.calls = calls;
                if self.shared.market.is_closed() {
                    return Goes::Home;
                }
            }
        }
        Goes::On
    }

    /// The next action of the last frame, or that it has none.
    fn step(&mut self) -> Goes {
        let Some(frame) = self.stack.frames.last_mut() else {
            return Goes::On;
        };
        let Some(&action) = frame.actions.get(frame.next) else {
            self.leave();
            return Goes::On;
        };
        frame.next += 1;
        let (before, share) = (frame.before, frame.share);
        // Its last action needs no copy.
        let own = frame
            .left()
            .is_empty()
            .then(|| frame.state.take())
            .flatten();
        let copied = match (own, &frame.state) {
            (Some(state), _) => Ok(state),
            (None, Some(state)) => self.expander.copy(state, self.spare_states.pop()),
            (None, None) => unreachable!("a frame with actions left has its state"),
        };
        self.sums.counts.transitions += 1;
        let stepped = copied.and_then(|mut state| {
            let canonical = self.expander.step(&mut state, action, before)?;
            Ok((state, canonical))
        });
        let (state, canonical) = match stepped {
            Ok(stepped) => stepped,
            Err(finding) => return self.ends_with(finding),
        };
        match self.insert(canonical.fingerprint) {
            Ok(Insertion::New) => self.enter(state, canonical.permutation, share),
            Ok(Insertion::Known) => {
                self.sums.share += share;
                self.keep(state);
                Goes::On
            }
            Err(no_room) => self.take_back(no_room),
        }
    }

    fn insert(&mut self, fingerprint: Fingerprint) -> Result<Insertion, NoRoom> {
        let Shared {
            visited, memory, ..
        } = self.shared;
        let insertion = visited.insert(fingerprint, memory)?;
        if insertion == Insertion::New && self.expander.verifies() {
            self.bytes += SIGNATURE_BYTES;
            self.kept_bytes += SIGNATURE_BYTES;
        }
        Ok(insertion)
    }

    /// There is no room for the state that the last action led to: it was not done.
    fn take_back(&mut self, no_room: NoRoom) -> Goes {
        let frame = self.stack.frames.last_mut();
        frame.expect("an action of it was done").next -= 1;
        self.sums.counts.transitions -= 1;
        self.shared.cut(self.shared.memory.cut(no_room));
        Goes::Home
    }

    /// Goes on in a new state.
    fn enter(&mut self, state: S::State, permutation: usize, share: f64) -> Goes {
        self.sums.counts.states += 1;
        let depth = self.stack.depth() + 1;
        self.sums.deepest = self.sums.deepest.max(depth);
        let mut actions = self.spare_actions.pop().unwrap_or_default();
        let before = match self.expander.expand(&state, permutation, &mut actions) {
            Ok(before) => before,
            Err(finding) => return self.ends_with(finding),
        };
        if actions.is_empty() {
            self.sums.counts.ends += 1;
            self.sums.share += share;
            self.spare_actions.push(actions);
            self.keep(state);
            return Goes::On;
        }
        let frame = Frame::new(self.system, state, actions, before, share);
        self.bytes += frame.bytes;
        self.stack.frames.push(frame);
        Goes::On
    }

    fn leave(&mut self) {
        if let Some(frame) = self.stack.frames.pop() {
            self.bytes -= frame.bytes;
            let mut actions = frame.actions;
            actions.clear();
            self.spare_actions.push(actions);
            if let Some(state) = frame.state {
                self.keep(state);
            }
        }
    }

    fn keep(&mut self, state: S::State) {
        if self.spare_states.len() < SPARE {
            self.spare_states.push(state);
        }
    }

    fn ends_with(&mut self, finding: Finding<S::Action, S::Violation>) -> Goes {
        let path = self.stack.path(self.stack.frames.len());
        self.shared.found(Found { path, finding });
        Goes::Home
    }

    /// From time to time: adds what it has counted, and gives work to whoever has none.
    fn look_up(&mut self) -> Goes {
        self.shared.add(&mut self.sums);
        if let Err(no_room) = self.tell_bytes() {
            self.shared.cut(self.shared.memory.cut(no_room));
            return Goes::Home;
        }
        match self.shared.market.is_hungry() {
            true => self.share_work(),
            false => Goes::On,
        }
    }

    fn tell_bytes(&mut self) -> Result<(), NoRoom> {
        let memory = self.shared.memory;
        match self.bytes.checked_sub(self.told_bytes) {
            Some(more) => memory.take(more)?,
            None => memory.give_back(self.told_bytes - self.bytes),
        }
        self.told_bytes = self.bytes;
        Ok(())
    }

    /// Gives half of what is left of its first frame that has something left to whoever has nothing.
    fn share_work(&mut self) -> Goes {
        let Some(index) = self.stack.first_to_share() else {
            return Goes::On;
        };
        let frame = &self.stack.frames[index];
        let state = frame.state.as_ref();
        let state = state.expect("a frame with actions left has its state");
        match self.expander.copy(state, None) {
            Ok(copy) => {
                let given = self.stack.split(index, copy);
                self.shared.market.give(given);
                Goes::On
            }
            Err(finding) => {
                let mut path = self.stack.path(index);
                path.extend(self.stack.frames[index].left().first());
                self.shared.found(Found { path, finding });
                Goes::Home
            }
        }
    }
}
