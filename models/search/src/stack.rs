//! What is left of a search: states on a path, with the actions that are left to be done in each.

use crate::expand::Progress;
use crate::system::System;

/// A state on the way, and what is left to be done there.
pub(crate) struct Frame<S: System> {
    /// `None` once it became the state after its last action. So it is there as long as an action is left, but for one
    /// that was taken back when the search was cut short.
    pub(crate) state: Option<S::State>,
    pub(crate) actions: Vec<S::Action>,
    /// The first that is left. The one before it is under way, if there is a frame above this one.
    pub(crate) next: usize,
    pub(crate) before: Progress,
    /// The share of the whole search that is behind each of its actions.
    pub(crate) share: f64,
    /// Bytes that it took when it was made.
    pub(crate) bytes: u64,
}

impl<S: System> Frame<S> {
    /// A frame whose actions are all left; `share` is behind all of them together.
    pub(crate) fn new(
        system: &S,
        state: S::State,
        actions: Vec<S::Action>,
        before: Progress,
        share: f64,
    ) -> Self {
        let bytes =
            system.state_bytes(&state) + size_of_val(actions.as_slice()) + size_of::<Self>();
        Self {
            share: share / actions.len().max(1) as f64,
            state: Some(state),
            actions,
            next: 0,
            before,
            bytes: bytes as u64,
        }
    }

    pub(crate) fn left(&self) -> &[S::Action] {
        &self.actions[self.next..]
    }
}

/// Frames, each one of the state that the action under way in the one below leads to.
pub(crate) struct Stack<S: System> {
    /// The way to the first frame.
    pub(crate) prefix: Vec<S::Action>,
    pub(crate) frames: Vec<Frame<S>>,
}

impl<S: System> Default for Stack<S> {
    fn default() -> Self {
        Self {
            prefix: Vec::new(),
            frames: Vec::new(),
        }
    }
}

impl<S: System> Stack<S> {
    /// The way to where the first `frames` of its frames have led.
    pub(crate) fn path(&self, frames: usize) -> Vec<S::Action> {
        let steps = self.frames[..frames].iter();
        let steps = steps.map(|frame| frame.actions[frame.next - 1]);
        self.prefix.iter().copied().chain(steps).collect()
    }

    /// Actions from the initial state to the last frame's.
    pub(crate) fn depth(&self) -> usize {
        self.prefix.len() + self.frames.len().saturating_sub(1)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.frames.iter().map(|frame| frame.bytes).sum()
    }

    /// The first frame of which something can be given away. What has nothing under way keeps an action: or
    /// nothing would be left of it.
    pub(crate) fn first_to_share(&self) -> Option<usize> {
        self.frames.iter().position(|frame| {
            let left = frame.left().len();
            left > 1 || left == 1 && frame.next > 0
        })
    }

    /// Splits off half of what is left in a frame, the last actions, with this copy of its state.
    pub(crate) fn split(&mut self, index: usize, state: S::State) -> Self {
        let prefix = self.path(index);
        let frame = &mut self.frames[index];
        let kept = frame.actions.len() - frame.left().len().div_ceil(2);
        let actions = frame.actions.split_off(kept);
        if frame.left().is_empty() {
            frame.state = None;
        }
        let split = Frame {
            state: Some(state),
            actions,
            next: 0,
            ..*frame
        };
        Self {
            prefix,
            frames: vec![split],
        }
    }
}
