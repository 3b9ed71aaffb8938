//! Dining philosophers (Dijkstra, 1971): who takes the left fork first, all of them, may starve with the others.

use nmr_search::{Encoder, System};

/// So many of them. If one is left-handed, there is no deadlock, and no symmetry.
#[derive(Clone)]
pub(crate) struct Philosophers {
    seats: usize,
    one_is_left_handed: bool,
    turns: Vec<usize>,
}

impl Philosophers {
    pub(crate) fn new(seats: usize, one_is_left_handed: bool) -> Self {
        let turns = if one_is_left_handed { 1 } else { seats };
        Self {
            seats,
            one_is_left_handed,
            turns: (0..turns).collect(),
        }
    }

    /// The fork that is taken first, or second.
    fn fork(&self, seat: usize, second: bool) -> usize {
        let is_left_handed = self.one_is_left_handed && seat + 1 == self.seats;
        (seat + usize::from(second != is_left_handed)) % self.seats
    }

    fn is_taken(&self, held: &[u8], fork: usize) -> bool {
        (0..self.seats).any(|seat| {
            let forks = (0..held[seat]).map(|which| self.fork(seat, which == 1));
            forks.into_iter().any(|held| held == fork)
        })
    }
}

impl System for Philosophers {
    /// How many forks each one holds.
    type State = Vec<u8>;
    type Action = usize;
    type Violation = String;
    type Permutation = usize;

    fn identity(&self) -> String {
        format!("{} philosophers", self.seats)
    }

    fn initial(&self) -> Vec<u8> {
        vec![0; self.seats]
    }

    fn actions(&self, held: &Vec<u8>, enabled: &mut Vec<usize>) {
        let can = |&seat: &usize| {
            held[seat] == 2 || !self.is_taken(held, self.fork(seat, held[seat] == 1))
        };
        enabled.extend((0..self.seats).filter(can));
    }

    fn apply(&self, held: &mut Vec<u8>, seat: usize) -> Result<(), String> {
        held[seat] = (held[seat] + 1) % 3;
        Ok(())
    }

    fn finished(&self, _: &Vec<u8>) -> Result<(), String> {
        Err("deadlock".to_owned())
    }

    fn process(&self, seat: usize) -> usize {
        seat
    }

    fn encode(&self, held: &Vec<u8>, &turn: &usize, encoder: &mut Encoder) {
        let (end, begin) = held.split_at(turn);
        encoder.put_bytes(begin);
        encoder.put_bytes(end);
    }

    fn permutations(&self) -> &[usize] {
        &self.turns
    }
}
