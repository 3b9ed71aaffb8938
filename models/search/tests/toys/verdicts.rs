//! Counts derived by hand, and that workers and reductions change what they may change and nothing else.

use nmr_search::{Choice, Outcome, Replay, Report, Search, System, replay};

use crate::systems::counters::Counters;
use crate::systems::graph::Graph;
use crate::systems::handoff::Handoff;
use crate::systems::peterson::Peterson;
use crate::systems::philosophers::Philosophers;
use crate::systems::tokens::Tokens;

type ReportOf<S> = Report<<S as System>::Action, <S as System>::Violation>;

/// The report of one worker, after two and four have come to the same.
fn run<S: System>(search: &Search, system: &S) -> ReportOf<S>
where
    S::Violation: PartialEq,
{
    let one = search.clone().workers(1).run(system);
    for workers in [2, 4] {
        let several = search.clone().workers(workers).run(system);
        assert_eq!(several.outcome, one.outcome, "{workers} workers");
        assert_eq!(several.counts, one.counts, "{workers} workers");
    }
    one
}

fn plain() -> Search {
    Search::new().symmetry(false).ample(false)
}

fn states<S: System<Violation = String>>(search: &Search, system: &S) -> u64 {
    let report = run(search, system);
    report.assert_exhausted();
    report.counts.states
}

/// A shortest way to the violation, which is done again.
fn violated<S: System<Violation = String>>(search: &Search, system: &S) -> (String, usize) {
    let report = run(search, system);
    let Outcome::Violated(found) = &report.outcome else {
        panic!("{report}");
    };
    assert_eq!(found.choice, Choice::Shortest);
    match replay(system, &found.path) {
        Replay::Violated { violation, steps } if violation == found.violation => {
            assert_eq!(steps, found.path.len());
        }
        _ => panic!("it is not there again: {report}"),
    }
    (found.violation.clone(), found.path.len())
}

/// 4⁶ states; up to an exchange of counters, multisets of 6 of 4 values: 9 over 3. With ample sets one way: 6 · 3 + 1.
#[test]
fn independent_counters_are_counted_by_hand() {
    let counters = Counters::new(6, 3);
    assert_eq!(states(&plain(), &counters), 4096);
    assert_eq!(states(&plain().symmetry(true), &counters), 84);
    assert_eq!(states(&plain().ample(true), &counters), 19);
    assert_eq!(states(&Search::new(), &counters), 19);
    assert_eq!(states(&Search::new().verify(true), &counters), 84);
    // From a state each counter that is not at its limit: 6 · 3 · 4⁵.
    let counts = plain().run(&counters).counts;
    assert_eq!((counts.transitions, counts.ends), (18_432, 1));
}

/// 12 over 6 states; up to turning, necklaces of 12 beads, 6 of them black: by Burnside
/// (turns of order 1, 2, 3 and 6 leave 924, 20, 6 and 2 of them alone, and there are 1, 1, 2 and 2 such).
#[test]
fn tokens_on_a_ring_are_counted_by_hand() {
    let tokens = Tokens::new(12, 6);
    assert_eq!(states(&plain(), &tokens), 924);
    assert_eq!(
        states(&plain().symmetry(true), &tokens),
        (924 + 20 + 2 * 6 + 2 * 2) / 12
    );
    assert_eq!(
        run(&plain(), &tokens).counts.ends,
        0,
        "it is a cyclic system"
    );
}

/// All five take a fork each, and there is no shorter way into the deadlock.
#[test]
fn philosophers_starve_unless_one_is_left_handed() {
    for symmetry in [false, true] {
        let search = plain().symmetry(symmetry);
        let (what, actions) = violated(&search, &Philosophers::new(5, false));
        assert_eq!((what.as_str(), actions), ("deadlock", 5));
        states(&search, &Philosophers::new(5, true));
    }
}

#[test]
fn peterson_is_right_with_the_turn_and_wrong_without() {
    let right = Peterson {
        gives_the_turn: true,
    };
    let all = states(&plain(), &right);
    let up_to_exchange = states(&plain().symmetry(true), &right);
    assert!(up_to_exchange < all && all <= 2 * up_to_exchange);
    let wrong = Peterson {
        gives_the_turn: false,
    };
    // Each does three steps.
    for symmetry in [false, true] {
        let (_, actions) = violated(&plain().symmetry(symmetry), &wrong);
        assert_eq!(actions, 6);
    }
}

#[test]
fn a_wake_up_is_lost_if_one_is_woken_and_none_if_all_are() {
    let handoff = |wakes_all| Handoff {
        threads: 2,
        items: 3,
        wakes_all,
    };
    let (what, _) = violated(&plain(), &handoff(false));
    assert_eq!(what, "a lost wake-up");
    states(&plain(), &handoff(true));
}

#[test]
fn ample_sets_change_the_states_and_not_the_verdict() {
    let mut counters = Counters::new(5, 3);
    counters.end_is_wrong = true;
    for symmetry in [false, true] {
        let search = plain().symmetry(symmetry);
        let all = run(&search, &counters);
        let reduced = run(&search.ample(true), &counters);
        assert!(reduced.counts.states < all.counts.states);
        for report in [&all, &reduced] {
            let Outcome::Violated(found) = &report.outcome else {
                panic!("{report}");
            };
            assert_eq!(found.path.len(), 15);
        }
    }
}

/// The wrong end is nearer than the forbidden node, which the search by breadth meets first.
#[test]
fn a_wrong_end_is_not_passed_over_for_a_longer_way() {
    let graph = Graph {
        // 1 → 3 is forbidden, after two actions; 2 is an end, after one.
        edges: vec![vec![1, 2], vec![3], vec![], vec![]],
        forbidden: vec![3],
        no_ends: vec![2],
    };
    let (what, actions) = violated(&plain(), &graph);
    assert_eq!((what.as_str(), actions), ("node 2 is an end", 1));
}

/// Two ways are as short: the end after [0], and the forbidden node after [1].
#[test]
fn of_the_shortest_ways_the_first_in_the_order_of_actions_is_reported() {
    let graph = Graph {
        edges: vec![vec![1, 2], vec![], vec![]],
        forbidden: vec![2],
        no_ends: vec![1],
    };
    let (what, _) = violated(&plain(), &graph);
    assert_eq!(what, "node 1 is an end");
}

/// Shared out many times, among more workers than there are processors.
#[test]
fn counts_are_the_same_however_work_is_shared_out() {
    let tokens = Tokens::new(16, 6);
    let one = plain().run(&tokens);
    one.assert_exhausted();
    // 16 over 6.
    assert_eq!(one.counts.states, 8008);
    for round in 0..100 {
        let four = plain().workers(4).run(&tokens);
        assert_eq!(
            (&four.outcome, four.counts),
            (&one.outcome, one.counts),
            "round {round}"
        );
    }
}

#[test]
fn the_deepest_path_is_known_of_a_small_search_too() {
    // The first way of a depth-first search is one to the end, of six actions.
    assert_eq!(plain().run(&Counters::new(2, 3)).effort.deepest, 6);
}

/// Two bad ends after two actions each: by way of the first action, and by way of the second.
#[test]
fn the_order_of_actions_is_that_of_the_whole_way() {
    let graph = Graph {
        edges: vec![vec![1, 2], vec![5, 3], vec![4], vec![], vec![], vec![5]],
        forbidden: vec![],
        no_ends: vec![3, 4],
    };
    let (what, actions) = violated(&plain(), &graph);
    assert_eq!((what.as_str(), actions), ("node 3 is an end", 2));
}

/// By depth the first thing that is wrong is a panic, as there is no node 9; a bad end is nearer. Who finds what must not matter.
#[test]
fn of_a_fault_and_a_violation_the_nearer_one_is_reported() {
    let graph = Graph {
        edges: vec![vec![1, 3], vec![2], vec![9], vec![]],
        forbidden: vec![],
        no_ends: vec![3],
    };
    let (what, actions) = violated(&plain(), &graph);
    assert_eq!((what.as_str(), actions), ("node 3 is an end", 1));
}
