//! Counters that each count to a limit, and know nothing of each other: everything commutes.

use nmr_search::{Claims, Encoder, System};

/// `counters` of them, each from 0 to `limit`; all together at the limit may be a violation.
#[derive(Clone)]
pub(crate) struct Counters {
    limit: u8,
    counters: usize,
    permutations: Vec<Vec<usize>>,
    pub(crate) end_is_wrong: bool,
}

impl Counters {
    pub(crate) fn new(counters: usize, limit: u8) -> Self {
        Self {
            limit,
            counters,
            permutations: permutations(counters),
            end_is_wrong: false,
        }
    }
}

/// All orders of `0..size`; the one that changes nothing first.
fn permutations(size: usize) -> Vec<Vec<usize>> {
    let Some(last) = size.checked_sub(1) else {
        return vec![Vec::new()];
    };
    let mut all = Vec::new();
    for shorter in permutations(last) {
        for place in (0..=last).rev() {
            let mut longer = shorter.clone();
            longer.insert(place, last);
            all.push(longer);
        }
    }
    all
}

impl System for Counters {
    type State = Vec<u8>;
    type Action = usize;
    type Violation = String;
    type Permutation = Vec<usize>;

    fn identity(&self) -> String {
        format!("{} counters to {}", self.counters, self.limit)
    }

    fn initial(&self) -> Vec<u8> {
        vec![0; self.counters]
    }

    fn actions(&self, state: &Vec<u8>, enabled: &mut Vec<usize>) {
        enabled.extend((0..self.counters).filter(|&counter| state[counter] < self.limit));
    }

    fn apply(&self, state: &mut Vec<u8>, counter: usize) -> Result<(), String> {
        state[counter] += 1;
        Ok(())
    }

    fn finished(&self, _: &Vec<u8>) -> Result<(), String> {
        match self.end_is_wrong {
            true => Err("all have come to their limits".to_owned()),
            false => Ok(()),
        }
    }

    fn process(&self, counter: usize) -> usize {
        counter
    }

    fn renamed(&self, counter: usize, names: &Vec<usize>) -> usize {
        names[counter]
    }

    fn encode(&self, state: &Vec<u8>, names: &Vec<usize>, encoder: &mut Encoder) {
        let mut renamed = [0; 8];
        for (counter, &value) in state.iter().enumerate() {
            renamed[names[counter]] = value;
        }
        encoder.put_bytes(&renamed[..self.counters]);
    }

    fn permutations(&self) -> &[Vec<usize>] {
        &self.permutations
    }

    fn ample(&self, _: &Vec<u8>, enabled: &[usize], claims: &mut Claims<usize>) {
        enabled.iter().for_each(|&counter| claims.add(&[counter]));
    }

    fn progress(&self, state: &Vec<u8>) -> u64 {
        state.iter().map(|&value| u64::from(value)).sum()
    }
}
