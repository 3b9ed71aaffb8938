//! Peterson's mutual exclusion of two processes (1981), and what is left of it without the turn.

use nmr_search::{Encoder, System};

#[derive(Clone)]
pub(crate) struct Peterson {
    /// Whether a process gives the other one the turn before it waits.
    pub(crate) gives_the_turn: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Processes {
    /// 0 wants, 1 gives the turn, 2 waits, 3 is in the critical section.
    at: [u8; 2],
    turn: usize,
}

impl Processes {
    fn wants(self, process: usize) -> bool {
        self.at[process] > 0
    }
}

impl System for Peterson {
    type State = Processes;
    type Action = usize;
    type Violation = String;
    type Permutation = [usize; 2];

    fn identity(&self) -> String {
        "Peterson".to_owned()
    }

    fn initial(&self) -> Processes {
        let at = [0; 2];
        Processes { at, turn: 0 }
    }

    fn actions(&self, state: &Processes, enabled: &mut Vec<usize>) {
        let waits = |process: usize| {
            let other = 1 - process;
            let is_others = self.gives_the_turn && state.turn == other;
            state.at[process] == 2 && state.wants(other) && is_others
        };
        enabled.extend((0..2).filter(|&process| !waits(process)));
    }

    fn apply(&self, state: &mut Processes, process: usize) -> Result<(), String> {
        if state.at[process] == 1 {
            state.turn = 1 - process;
        }
        state.at[process] = (state.at[process] + 1) % 4;
        match state.at {
            [3, 3] => Err("both are in the critical section".to_owned()),
            _ => Ok(()),
        }
    }

    fn process(&self, process: usize) -> usize {
        process
    }

    fn encode(&self, state: &Processes, names: &[usize; 2], encoder: &mut Encoder) {
        // An exchange of two is its own inverse.
        names
            .iter()
            .for_each(|&name| encoder.put_u8(state.at[name]));
        encoder.put_u8(names[state.turn] as u8);
    }

    fn permutations(&self) -> &[[usize; 2]] {
        &[[0, 1], [1, 0]]
    }
}
