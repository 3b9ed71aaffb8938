//! Claims that are wrong, each found as what it is.

use nmr_search::{Claims, Difference, Encoder, Fault, Outcome, Search, System, WrongClaim};

/// What is wrong with it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lie {
    None,
    /// The copier reads what the counter writes.
    Order,
    /// The counter takes what the copier needs.
    Disables,
    /// The set is claimed until the other process has gone on.
    NotKept,
    /// What the copier has is not in the encoding.
    LeavesOut,
    NoProgress,
    EmptySet,
    NotEnabled,
    ApplyPanics,
    ClonePanics,
}

/// Process 0 counts to two; process 1 makes one step.
struct Liar(Lie);

#[derive(Debug)]
struct State {
    count: u8,
    other: Option<u8>,
    clone_panics: bool,
}

impl Clone for State {
    fn clone(&self) -> Self {
        assert!(!(self.clone_panics && self.count == 1), "planted in clone");
        Self { ..*self }
    }
}

impl System for Liar {
    type State = State;
    type Action = usize;
    type Violation = String;
    type Permutation = ();

    fn identity(&self) -> String {
        "liar".to_owned()
    }

    fn initial(&self) -> State {
        State {
            count: 0,
            other: None,
            clone_panics: self.0 == Lie::ClonePanics,
        }
    }

    fn actions(&self, state: &State, enabled: &mut Vec<usize>) {
        if state.count < 2 {
            enabled.push(0);
        }
        if state.other.is_none() && !(self.0 == Lie::Disables && state.count > 0) {
            enabled.push(1);
        }
        // What was left out shows here: who has 1 may do more.
        if self.0 == Lie::LeavesOut && state.count == 2 && state.other == Some(1) {
            enabled.push(2);
        }
    }

    fn apply(&self, state: &mut State, action: usize) -> Result<(), String> {
        match action {
            0 => {
                assert!(self.0 != Lie::ApplyPanics || state.count == 0, "planted");
                state.count += 1;
            }
            1 => {
                let copies = matches!(self.0, Lie::Order | Lie::LeavesOut);
                state.other = Some(if copies { state.count } else { 7 });
            }
            _ => state.other = Some(9),
        }
        Ok(())
    }

    fn process(&self, action: usize) -> usize {
        action
    }

    fn encode(&self, state: &State, (): &(), encoder: &mut Encoder) {
        encoder.put_u8(state.count);
        match self.0 {
            Lie::LeavesOut => encoder.put_bool(state.other.is_some()),
            _ => encoder.put_u8(state.other.map_or(0, |value| value + 1)),
        }
    }

    fn permutations(&self) -> &[()] {
        &[()]
    }

    fn ample(&self, state: &State, enabled: &[usize], claims: &mut Claims<usize>) {
        match self.0 {
            Lie::LeavesOut => {}
            Lie::EmptySet => claims.add(&[]),
            Lie::NotEnabled => claims.add(&[5]),
            Lie::NotKept if state.other.is_some() => {}
            _ if enabled.contains(&0) => claims.add(&[0]),
            _ => {}
        }
    }

    fn progress(&self, state: &State) -> u64 {
        match self.0 {
            Lie::NoProgress => 3,
            _ => u64::from(state.count),
        }
    }
}

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
