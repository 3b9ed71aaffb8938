//! Tokens on a ring that move slowly until something has happened: so a test need not hope to be faster than the search.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nmr_search::{Encoder, System};

use crate::systems::tokens::Tokens;

/// Each step takes a millisecond or more, until `happened` was true.
pub(crate) struct Held<F> {
    tokens: Tokens,
    happened: F,
    has_happened: AtomicBool,
}

impl<F: Fn() -> bool> Held<F> {
    pub(crate) const fn new(tokens: Tokens, happened: F) -> Self {
        let has_happened = AtomicBool::new(false);
        Self {
            tokens,
            happened,
            has_happened,
        }
    }

    /// Whether it was while the search was running.
    pub(crate) fn has_happened(&self) -> bool {
        self.has_happened.load(Ordering::Relaxed)
    }
}

impl<F: Fn() -> bool + Sync> System for Held<F> {
    type State = u32;
    type Action = u32;
    type Violation = String;
    type Permutation = u32;

    fn identity(&self) -> String {
        self.tokens.identity()
    }

    fn initial(&self) -> u32 {
        self.tokens.initial()
    }

    fn actions(&self, state: &u32, enabled: &mut Vec<u32>) {
        self.tokens.actions(state, enabled);
    }

    fn apply(&self, state: &mut u32, from: u32) -> Result<(), String> {
        if !self.has_happened() {
            match (self.happened)() {
                true => self.has_happened.store(true, Ordering::Relaxed),
                false => std::thread::sleep(Duration::from_millis(1)),
            }
        }
        self.tokens.apply(state, from)
    }

    fn encode(&self, state: &u32, turn: &u32, encoder: &mut Encoder) {
        self.tokens.encode(state, turn, encoder);
    }

    fn permutations(&self) -> &[u32] {
        self.tokens.permutations()
    }
}
