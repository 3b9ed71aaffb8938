//! How many states a second a search goes through, with one worker and with two by turns, and the ratio.
//!
//! ```text
//! cargo run --release -p nmr-search --example speed [ROUNDS]
//! ```
//!
//! A million states with encodings of 100 bytes, and 5.4 transitions each. The system does next to nothing, so this is
//! what the search costs; of a system that takes longer over a step workers share more. Medians of the rounds.

use std::process::ExitCode;

use nmr_search::{Encoder, Search, System};

const COUNTERS: usize = 6;

/// So many values each counter has: 10⁶ states.
const VALUES: u64 = 10;

/// Counters that know nothing of each other.
struct Counters;

impl System for Counters {
    type State = [u64; COUNTERS];
    type Action = u8;
    type Violation = String;
    type Permutation = ();

    fn identity(&self) -> String {
        format!("{COUNTERS} counters of {VALUES} values")
    }

    fn initial(&self) -> Self::State {
        [0; COUNTERS]
    }

    fn actions(&self, state: &Self::State, enabled: &mut Vec<u8>) {
        let counters = (0..).zip(state);
        enabled.extend(counters.filter_map(|(it, &value)| (value + 1 < VALUES).then_some(it)));
    }

    fn apply(&self, state: &mut Self::State, counter: u8) -> Result<(), String> {
        state[usize::from(counter)] += 1;
        Ok(())
    }

    fn encode(&self, state: &Self::State, (): &(), encoder: &mut Encoder) {
        encoder.put_u32(COUNTERS as u32);
        for &value in state {
            encoder.put_u64(value);
            encoder.put_u64(!value);
        }
    }

    fn permutations(&self) -> &[()] {
        &[()]
    }
}

/// States a second.
fn speed(workers: usize) -> f64 {
    let report = Search::new().workers(workers).run(&Counters);
    report.assert_exhausted();
    assert_eq!(report.counts.states, VALUES.pow(COUNTERS as u32));
    report.counts.states as f64 / report.effort.elapsed.as_secs_f64()
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn main() -> ExitCode {
    let rounds = std::env::args().nth(1).map_or(Ok(5), |it| it.parse());
    let Ok(rounds @ 1..=1000) = rounds else {
        eprintln!("error: the number of rounds has to be from 1 to 1000");
        return ExitCode::FAILURE;
    };
    let round = |_: u32| [speed(1), speed(2)];
    let (one, two): (Vec<_>, Vec<_>) = (0..rounds).map(round).map(|[a, b]| (a, b)).unzip();
    let ratios = one.iter().zip(&two).map(|(one, two)| two / one).collect();
    println!("one worker:  {:>9.0} states/s", median(one));
    println!("two workers: {:>9.0} states/s", median(two));
    println!("ratio:       {:>9.2}", median(ratios));
    ExitCode::SUCCESS
}
