//! A search that was cut short says so, and one that ended by itself was not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nmr_search::{Cut, Outcome, Search};

use crate::systems::held::Held;
use crate::systems::tokens::Tokens;

fn plain(workers: usize) -> Search {
    Search::new().symmetry(false).ample(false).workers(workers)
}

/// 924 states: with room for one less it is incomplete, however soon it would be over.
#[test]
fn the_limit_on_states_is_exact() {
    for workers in [1, 2, 4] {
        let tokens = Tokens::new(12, 6);
        let enough = plain(workers).max_states(924).run(&tokens);
        enough.assert_exhausted();
        for most in [0, 1, 923] {
            let report = plain(workers).max_states(most).run(&tokens);
            assert_eq!(report.outcome, Outcome::Incomplete(Cut::States(most)));
            assert_eq!(report.counts.states, most);
        }
    }
}

#[test]
fn without_memory_it_is_incomplete() {
    for workers in [1, 2, 4] {
        let report = plain(workers).max_memory(50_000).run(&Tokens::new(16, 8));
        assert_eq!(report.outcome, Outcome::Incomplete(Cut::Memory(50_000)));
        assert!(report.effort.memory <= 50_000);
    }
}

#[test]
fn a_long_search_is_over_with_its_time() {
    for workers in [1, 2] {
        let search = plain(workers).budget(Duration::from_millis(1));
        let report = search.run(&Held::new(Tokens::new(16, 8), || false));
        assert_eq!(report.outcome, Outcome::Incomplete(Cut::Deadline));
    }
}

/// Stopped as soon as it has told of itself, long before the 12,870 states of a millisecond each.
#[test]
fn a_stopped_search_is_incomplete() {
    for workers in [1, 2] {
        let stop = Arc::new(AtomicBool::new(false));
        let also = Arc::clone(&stop);
        let search = plain(workers).progress(move |_| also.store(true, Ordering::Relaxed));
        let slow = Held::new(Tokens::new(16, 8), || false);
        let report = search.stop(stop).run(&slow);
        assert_eq!(report.outcome, Outcome::Incomplete(Cut::Stopped));
    }
}
