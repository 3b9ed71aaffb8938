//! The toys given to stateright: the same states, the same verdict, and as short a way to what is wrong.

use nmr_search::System;

use crate::stateright::{of_the_peer, of_the_search};
use crate::systems::counters::Counters;
use crate::systems::graph::Graph;
use crate::systems::handoff::Handoff;
use crate::systems::peterson::Peterson;
use crate::systems::philosophers::Philosophers;
use crate::systems::tokens::Tokens;

fn agree<S>(system: S)
where
    S: System<State: Send> + Send + Clone + 'static,
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
