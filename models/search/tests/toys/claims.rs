//! Claims that are wrong, each found as what it is.

use nmr_search::{Difference, Fault, Outcome, Search, WrongClaim};

use crate::systems::liar::{Liar, Lie};

fn verified(lie: Lie) -> Outcome<usize, String> {
    let search = Search::new().verify(true);
    let one = search.run(&Liar(lie)).outcome;
    assert_eq!(search.workers(2).run(&Liar(lie)).outcome, one);
    one
}

fn believed(lie: Lie) -> Outcome<usize, String> {
    Search::new().run(&Liar(lie)).outcome
}

#[track_caller]
fn assert_claim(lie: Lie, expected: &WrongClaim<usize>) {
    match verified(lie) {
        Outcome::WrongClaim { claim, .. } => assert_eq!(&claim, expected),
        outcome => panic!("{outcome:?}"),
    }
}

#[track_caller]
fn fault(outcome: Outcome<usize, String>) -> Fault<usize> {
    match outcome {
        Outcome::HarnessError { fault, .. } => fault,
        outcome => panic!("{outcome:?}"),
    }
}

#[test]
fn who_tells_the_truth_is_exhausted() {
    assert_eq!(verified(Lie::None), Outcome::Exhausted);
    assert_eq!(believed(Lie::None), Outcome::Exhausted);
}

#[test]
fn actions_that_do_not_commute_are_found() {
    let expected = WrongClaim::Order { ample: 0, other: 1 };
    assert_claim(Lie::Order, &expected);
}

#[test]
fn an_ample_action_that_disables_another_one_is_found() {
    let expected = WrongClaim::Disables {
        first: 0,
        second: 1,
    };
    assert_claim(Lie::Disables, &expected);
}

#[test]
fn a_set_that_is_not_claimed_any_more_is_found() {
    let expected = WrongClaim::NotKept {
        ample: vec![0],
        other: 1,
    };
    assert_claim(Lie::NotKept, &expected);
}

#[test]
fn an_encoding_that_leaves_something_out_is_found() {
    let expected = WrongClaim::SameEncoding {
        what: Difference::Successors,
        first: None,
    };
    assert_claim(Lie::LeavesOut, &expected);
}

#[test]
fn a_measure_that_does_not_grow_is_a_harness_error() {
    let expected = Fault::NoProgress {
        action: 0,
        before: 3,
        after: 3,
    };
    assert_eq!(fault(believed(Lie::NoProgress)), expected);
}

#[test]
fn a_set_that_is_no_part_of_what_is_enabled_is_a_harness_error() {
    for (lie, set) in [(Lie::EmptySet, vec![]), (Lie::NotEnabled, vec![5])] {
        for outcome in [believed(lie), verified(lie)] {
            let enabled = vec![0, 1];
            let set = set.clone();
            assert_eq!(fault(outcome), Fault::NoSubset { set, enabled });
        }
    }
}

#[test]
fn a_panic_of_the_system_is_a_harness_error() {
    for outcome in [believed(Lie::ApplyPanics), verified(Lie::ApplyPanics)] {
        assert_eq!(fault(outcome), Fault::Panicked("planted".to_owned()));
    }
}

#[test]
fn a_panic_of_a_states_copy_is_a_harness_error() {
    let plain = Search::new().ample(false).run(&Liar(Lie::ClonePanics));
    let panicked = Fault::Panicked("planted in clone".to_owned());
    assert_eq!(fault(plain.outcome), panicked);
    assert_eq!(fault(verified(Lie::ClonePanics)), panicked);
}

/// Either switch may be set first, and verifying is never the same as believing.
#[test]
fn claims_are_believed_or_verified_and_not_both() {
    let verified = Search::new().verify(true).ample(true).run(&Liar(Lie::None));
    assert!(verified.assumptions.verified && !verified.assumptions.ample_sets);
    let believed = Search::new().verify(true).verify(false);
    assert!(believed.run(&Liar(Lie::None)).assumptions.ample_sets);
}

/// Both actions are claimed, then each alone: the larger set first, and the smaller one is explored. 0, 0, 1.
#[test]
fn of_the_claimed_sets_the_smallest_is_explored() {
    let report = Search::new().run(&Liar(Lie::NoneOfTwoSizes));
    assert_eq!(report.counts.states, 4);
}
