//! Tokens on a ring of places; each moves on to the next place if that is free. It never ends.

use nmr_search::{Encoder, System};

/// `tokens` on `places`, at first side by side. Turning the ring changes nothing.
#[derive(Clone)]
pub(crate) struct Tokens {
    places: u32,
    tokens: u32,
    turns: Vec<u32>,
}

impl Tokens {
    pub(crate) fn new(places: u32, tokens: u32) -> Self {
        Self {
            places,
            tokens,
            turns: (0..places).collect(),
        }
    }
}

impl System for Tokens {
    type State = u32;
    type Action = u32;
    type Violation = String;
    type Permutation = u32;

    fn identity(&self) -> String {
        format!("{} tokens on {} places", self.tokens, self.places)
    }

    fn initial(&self) -> u32 {
        (1 << self.tokens) - 1
    }

    fn actions(&self, &state: &u32, enabled: &mut Vec<u32>) {
        let is_there = |place: u32| state >> (place % self.places) & 1 == 1;
        enabled.extend((0..self.places).filter(|&place| is_there(place) && !is_there(place + 1)));
    }

    fn apply(&self, state: &mut u32, from: u32) -> Result<(), String> {
        *state ^= 1 << from | 1 << ((from + 1) % self.places);
        Ok(())
    }

    fn encode(&self, &state: &u32, &turn: &u32, encoder: &mut Encoder) {
        let all = (1 << self.places) - 1;
        encoder.put_u32((state << turn | state >> (self.places - turn)) & all);
    }

    fn permutations(&self) -> &[u32] {
        &self.turns
    }
}
