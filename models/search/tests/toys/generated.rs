//! Random graphs, compared with a search by breadth that is as plain as can be, and with stateright.

use std::collections::{BTreeSet, VecDeque};

use nmr_search::System;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::stateright::{Answer, of_the_peer, of_the_search};
use crate::systems::graph::Graph;

/// Half of them have nothing wrong; of the others many have several things, and some of these nearly as near as others. The
/// initial state is no end: most graphs would be over there.
fn graphs() -> impl Strategy<Value = Graph> {
    (4_usize..40, any::<bool>()).prop_flat_map(|(nodes, is_right)| {
        let first = prop::collection::vec(0..nodes, 2..4);
        let others = prop::collection::vec(prop::collection::vec(0..nodes, 0..4), nodes - 1);
        let most = if is_right { 0 } else { nodes / 4 };
        let some = move |most| prop::collection::vec(1..nodes, 0..=most);
        let parts = (first, others, some(most), some(4 * most));
        parts.prop_map(|(first, others, forbidden, no_ends)| Graph {
            edges: std::iter::once(first).chain(others).collect(),
            forbidden,
            no_ends,
        })
    })
}

/// The states, or the length of a shortest way to what is wrong; from the graph, and by no method of the system.
fn plainly(graph: &Graph) -> Answer {
    let is_wrong_end = |node: usize| graph.edges[node].is_empty() && graph.no_ends.contains(&node);
    let mut seen = BTreeSet::from([0]);
    let mut queue = VecDeque::from([(0, 0)]);
    let mut shortest: Option<usize> = None;
    while let Some((node, actions)) = queue.pop_front() {
        let mut wrong = |actions: usize| {
            shortest = Some(shortest.map_or(actions, |least| least.min(actions)));
        };
        if is_wrong_end(node) {
            wrong(actions);
        }
        for &to in &graph.edges[node] {
            if graph.forbidden.contains(&to) {
                wrong(actions + 1);
            } else if seen.insert(to) {
                queue.push_back((to, actions + 1));
            }
        }
    }
    match shortest {
        Some(actions) => Answer::Violated { actions },
        None => Answer::Exhausted {
            states: seen.len() as u64,
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn random_graphs_have_the_same_answer_three_times(graph in graphs()) {
        let plainly = plainly(&graph);
        for workers in [1, 2, 4] {
            prop_assert_eq!(&of_the_search(&graph, workers), &plainly, "{}", graph.identity());
        }
        prop_assert_eq!(of_the_peer(graph), plainly);
    }
}
