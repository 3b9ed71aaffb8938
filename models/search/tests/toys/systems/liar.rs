//! A system that claims something that is not so.

use nmr_search::{Claims, Encoder, System};

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    None,
    /// Nothing either, but it claims all that is enabled first.
    NoneOfTwoSizes,
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
    /// The second action of a set does not count.
    HalfProgress,
    ApplyPanics,
    ClonePanics,
}

/// Process 0 counts to two; process 1 makes one step.
pub(crate) struct Liar(pub(crate) Lie);

#[derive(Debug)]
pub(crate) struct State {
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
            Lie::HalfProgress if enabled == [0, 1] => claims.add(&[0, 1]),
            Lie::HalfProgress => {}
            Lie::NotKept if state.other.is_some() => {}
            Lie::NoneOfTwoSizes => {
                claims.add(enabled);
                claims.add(&enabled[..1]);
            }
            _ if enabled.contains(&0) => claims.add(&[0]),
            _ => {}
        }
    }

    fn progress(&self, state: &State) -> u64 {
        match self.0 {
            Lie::NoProgress => 3,
            Lie::NoneOfTwoSizes => u64::from(state.count) + u64::from(state.other.is_some()),
            _ => u64::from(state.count),
        }
    }
}
