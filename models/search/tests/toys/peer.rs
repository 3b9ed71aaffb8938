//! The same systems given to stateright, which shares nothing with the search but the system: it tells states
//! apart by what is written of them, under no permutation, and knows no ample sets.
//!
//! Compared are states, the verdict, and the length of a shortest way to what is wrong.

use std::fmt;
use std::hash::{Hash, Hasher};

use nmr_search::{Encoder, Outcome, Search, System};
use stateright::{Checker, Model, Property};

use crate::systems::counters::Counters;
use crate::systems::graph::Graph;
use crate::systems::handoff::Handoff;
use crate::systems::peterson::Peterson;
use crate::systems::philosophers::Philosophers;
use crate::systems::tokens::Tokens;

/// A system, as stateright asks for it.
struct Peer<S>(S);

#[derive(Clone)]
struct Node<T> {
    state: T,
    encoding: Vec<u8>,
    is_wrong: bool,
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
            state,
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
            self.0.actions(&node.state, actions);
        }
    }

    fn next_state(&self, node: &Self::State, action: S::Action) -> Option<Self::State> {
        let mut state = node.state.clone();
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
    S: System<State: Send + Sync> + Send + 'static,
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

fn agree<S>(system: S)
where
    S: System<State: Send + Sync> + Send + Clone + 'static,
{
    let peer = of_the_peer(system.clone());
    for workers in [1, 2, 4] {
        assert_eq!(
            of_the_search(&system, workers),
            peer,
            "{}",
            system.identity()
        );
    }
}

#[test]
fn stateright_counts_the_same_states() {
    agree(Counters::new(4, 6));
    agree(Tokens::new(12, 6));
    agree(Philosophers::new(6, true));
    agree(Peterson {
        gives_the_turn: true,
    });
    agree(Handoff {
        threads: 2,
        items: 3,
        wakes_all: true,
    });
}

#[test]
fn stateright_sees_the_same_things_wrong_as_near() {
    agree(Philosophers::new(6, false));
    agree(Peterson {
        gives_the_turn: false,
    });
    agree(Handoff {
        threads: 2,
        items: 3,
        wakes_all: false,
    });
    let mut counters = Counters::new(4, 6);
    counters.end_is_wrong = true;
    agree(counters);
}

/// Each planted difference is between what the search and what the peer is given.
#[test]
fn the_comparison_sees_planted_differences() {
    let graph = |edges: &[&[usize]], no_ends: &[usize]| Graph {
        edges: edges.iter().map(|to| to.to_vec()).collect(),
        forbidden: Vec::new(),
        no_ends: no_ends.to_vec(),
    };
    let right = graph(&[&[1, 2], &[3], &[3], &[]], &[]);
    let a_state_is_missing = graph(&[&[1], &[3], &[3], &[]], &[]);
    let an_end_is_wrong = graph(&[&[1, 2], &[3], &[3], &[]], &[3]);
    let the_way_is_longer = graph(&[&[1, 2], &[2], &[1, 4], &[], &[3]], &[3]);
    let peer = of_the_peer(right);
    assert_ne!(of_the_search(&a_state_is_missing, 1), peer);
    assert_ne!(of_the_search(&an_end_is_wrong, 1), peer);
    let peer = of_the_peer(an_end_is_wrong);
    assert_ne!(of_the_search(&the_way_is_longer, 1), peer);
}
