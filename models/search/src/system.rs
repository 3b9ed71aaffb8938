//! What a transition system says of itself.
//!
//! The search knows nothing else of it. Four methods make a system: `initial`, `actions`, `apply` and
//! `encode`. All others are for reductions, and a system that leaves them out has none.
//!
//! What a reduction claims is believed, unless the search is asked to verify it
//! (`Search::verify`).

use std::fmt::{Debug, Display};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::claims::Claims;
use crate::encoder::Encoder;

/// A system of states and actions.
///
/// Everything it answers has to follow from its arguments and from nothing else: a search makes the same
/// steps more than once, on several threads, and in a process that goes on from a checkpoint.
pub trait System: Sync {
    /// A state. Copies are made with `clone_from`, into one that is not needed any more: it pays to keep what that one has allocated.
    type State: Clone + Send;

    /// What can be done in a state: a small value, that a counterexample is made of.
    type Action: Copy + Eq + Debug + Send + Sync + Serialize + DeserializeOwned;

    /// What an action or an end may break.
    type Violation: Clone + Debug + Display + Send + Serialize;

    /// An exchange of names that makes one state into another that is as good: `()` if there are none.
    type Permutation;

    /// Whatever tells this system from another one, in one line: its name, its size, how it is set up. A
    /// checkpoint of another identity is refused.
    fn identity(&self) -> String;

    /// The state in which everything begins.
    fn initial(&self) -> Self::State;

    /// Appends the actions that are enabled in this state, in an order that is always the same.
    fn actions(&self, state: &Self::State, enabled: &mut Vec<Self::Action>);

    /// Does it.
    ///
    /// # Errors
    /// What the action breaks, here. The state is not looked at any more then.
    fn apply(&self, state: &mut Self::State, action: Self::Action) -> Result<(), Self::Violation>;

    /// Judges a state in which nothing is enabled: a proper end, or a deadlock.
    ///
    /// # Errors
    /// What is wrong with it. By default nothing is.
    fn finished(&self, state: &Self::State) -> Result<(), Self::Violation> {
        let _ = state;
        Ok(())
    }

    /// The process that does it: whose actions are not independent of each other. By default all actions are of
    /// one process.
    fn process(&self, action: Self::Action) -> usize {
        let _ = action;
        0
    }

    /// Writes what the state will do next and ever: whatever its future depends on, with all names
    /// exchanged as the permutation says. Two states with one encoding are one state to the search.
    fn encode(&self, state: &Self::State, names: &Self::Permutation, encoder: &mut Encoder);

    /// All permutations of names; the first one changes nothing. A system without symmetry has only that
    /// one: `&[()]`.
    ///
    /// They have to be a group, and automorphisms: what a state can do its image can do, with the names exchanged.
    fn permutations(&self) -> &[Self::Permutation];

    /// Appends the permutations, by their place in [`permutations`](Self::permutations), under which the
    /// state is to be encoded; the encoding with the least fingerprint stands for all. By default that are all of them.
    ///
    /// A system that sorts what has names by a code that does not depend on them needs one only, and several where
    /// codes are equal. The encodings that come of it have to be the same ones for a state and for its images: otherwise
    /// both are searched, and how many states there are depends on which was met first.
    fn candidates(&self, state: &Self::State, candidates: &mut Vec<usize>) {
        let _ = state;
        candidates.extend(0..self.permutations().len());
    }

    /// A process's name after the exchange. It is needed where there are both symmetry and ample sets. By default
    /// the name stays.
    fn renamed(&self, process: usize, names: &Self::Permutation) -> usize {
        let _ = names;
        process
    }

    /// Claims ample sets: subsets of the enabled actions, any of which may be explored alone.
    ///
    /// A claim says: however the system goes on from here without an action of the set, each of them stays enabled,
    /// and it comes to the same whether it is done before or after whatever else is done, violations included. So
    /// nothing is lost if one of them goes first. `Search::verify` checks it.
    ///
    /// All sets that can be claimed are to be claimed. The search takes the one with the fewest actions, and among
    /// these the one whose processes come first, with their names as in the encoding that stands for the state. A state's images
    /// have the same claims, renamed; and where two are of the same processes, in the same order.
    fn ample(
        &self,
        state: &Self::State,
        enabled: &[Self::Action],
        claims: &mut Claims<Self::Action>,
    ) {
        let _ = (state, enabled, claims);
    }

    /// A measure that grows with each action of a claimed ample set, whatever it does else, and that is the same for
    /// a state's images. So no cycle is made of actions of ample sets only, and what was put off is not put off
    /// for ever. The search checks it at each step. A system without ample sets needs none.
    fn progress(&self, state: &Self::State) -> u64 {
        let _ = state;
        0
    }

    /// About how many bytes a state takes, with what it owns: for the bound on memory. By default its
    /// own size.
    fn state_bytes(&self, state: &Self::State) -> usize {
        size_of_val(state)
    }
}
