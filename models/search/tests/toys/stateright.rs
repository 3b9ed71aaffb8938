//! A system given to stateright, which shares nothing with the search but the system: it tells states
//! apart by what is written of them, under no permutation, and knows no ample sets.
//!
//! Compared are states, the verdict, and the length of a shortest way to what is wrong.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Mutex;

use ::stateright::{Checker, Model, Property};
use nmr_search::{Encoder, Outcome, Search, System};

/// A system, as stateright asks for it.
struct Peer<S>(S);

/// A state, which need not be one that threads may look at together.
struct Node<T> {
    state: Mutex<T>,
    encoding: Vec<u8>,
    is_wrong: bool,
}

impl<T: Clone> Node<T> {
    fn state(&self) -> T {
        self.state.lock().expect("nobody panics with it").clone()
    }
}

impl<T: Clone> Clone for Node<T> {
    fn clone(&self) -> Self {
        Self {
            state: Mutex::new(self.state()),
            encoding: self.encoding.clone(),
            is_wrong: self.is_wrong,
        }
    }
}

impl<T> PartialEq for Node<T> {
    fn eq(&self, other: &Self) -> bool {
        (&self.encoding, self.is_wrong) == (&other.encoding, other.is_wrong)
    }
}

impl<T> Hash for Node<T> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        (&self.encoding, self.is_wrong).hash(hasher);
    }
}

impl<T> fmt::Debug for Node<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.encoding.fmt(f)
    }
}

impl<S: System> Peer<S> {
    fn node(&self, state: S::State, broken: bool) -> Node<S::State> {
        let mut encoder = Encoder::default();
        self.0
            .encode(&state, &self.0.permutations()[0], &mut encoder);
        let mut enabled = Vec::new();
        if !broken {
            self.0.actions(&state, &mut enabled);
        }
        let bad_end = !broken && enabled.is_empty() && self.0.finished(&state).is_err();
        Node {
            encoding: encoder.as_bytes().to_vec(),
            is_wrong: broken || bad_end,
            state: Mutex::new(state),
        }
    }
}

impl<S: System> Model for Peer<S> {
    type State = Node<S::State>;
    type Action = S::Action;

    fn init_states(&self) -> Vec<Self::State> {
        vec![self.node(self.0.initial(), false)]
    }

    fn actions(&self, node: &Self::State, actions: &mut Vec<S::Action>) {
        if !node.is_wrong {
            self.0.actions(&node.state(), actions);
        }
    }

    fn next_state(&self, node: &Self::State, action: S::Action) -> Option<Self::State> {
        let mut state = node.state();
        let broken = self.0.apply(&mut state, action).is_err();
        Some(self.node(state, broken))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("nothing is wrong", |_, node: &Node<_>| {
            !node.is_wrong
        })]
    }
}

/// What is compared: states if nothing is wrong, otherwise the actions of a shortest way.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Exhausted { states: u64 },
    Violated { actions: usize },
}

pub(crate) fn of_the_peer<S>(system: S) -> Answer
where
    S: System<State: Send> + Send + 'static,
{
    let checker = Peer(system).checker().spawn_bfs().join();
    match checker.discovery("nothing is wrong") {
        Some(path) => Answer::Violated {
            actions: path.into_actions().len(),
        },
        None => Answer::Exhausted {
            states: checker.unique_state_count() as u64,
        },
    }
}

/// Reductions are off.
pub(crate) fn of_the_search<S: System>(system: &S, workers: usize) -> Answer {
    let search = Search::new().symmetry(false).ample(false).workers(workers);
    let report = search.run(system);
    match &report.outcome {
        Outcome::Exhausted => Answer::Exhausted {
            states: report.counts.states,
        },
        Outcome::Violated(found) => Answer::Violated {
            actions: found.path.len(),
        },
        _ => panic!("{report}"),
    }
}
