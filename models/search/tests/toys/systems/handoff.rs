//! Producers and consumers at a bounded buffer, with one condition variable for both: if an operation wakes one
//! sleeper only, it may be of the wrong kind, and the wake-up is lost.

use nmr_search::{Encoder, System};

#[derive(Clone)]
pub(crate) struct Handoff {
    /// Of each kind.
    pub(crate) threads: usize,
    /// Items that each of them has to put or to take.
    pub(crate) items: u8,
    pub(crate) wakes_all: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Thread {
    left: u8,
    sleeps: bool,
}

/// The threads, producers first, and whether the one place of the buffer is full.
pub(crate) type Threads = (Vec<Thread>, bool);

/// A thread goes on; if it wakes one thread, which.
pub(crate) type GoesOn = (usize, Option<usize>);

impl Handoff {
    fn is_blocked(&self, full: bool, thread: usize) -> bool {
        let produces = thread < self.threads;
        produces == full
    }
}

impl System for Handoff {
    type State = Threads;
    type Action = GoesOn;
    type Violation = String;
    type Permutation = ();

    fn identity(&self) -> String {
        format!("{} and {0} threads at a buffer", self.threads)
    }

    fn initial(&self) -> Threads {
        let left = self.items;
        let sleeps = false;
        (vec![Thread { left, sleeps }; 2 * self.threads], false)
    }

    fn actions(&self, (threads, full): &Threads, enabled: &mut Vec<GoesOn>) {
        for (it, thread) in threads.iter().enumerate() {
            if thread.sleeps || thread.left == 0 {
                continue;
            }
            let sleepers = (0..threads.len()).filter(|&other| threads[other].sleeps);
            let woken: Vec<_> = match self.wakes_all || self.is_blocked(*full, it) {
                true => Vec::new(),
                false => sleepers.map(Some).collect(),
            };
            match woken.is_empty() {
                true => enabled.push((it, None)),
                false => enabled.extend(woken.into_iter().map(|woken| (it, woken))),
            }
        }
    }

    fn apply(&self, (threads, full): &mut Threads, (it, woken): GoesOn) -> Result<(), String> {
        if self.is_blocked(*full, it) {
            threads[it].sleeps = true;
            return Ok(());
        }
        threads[it].left -= 1;
        *full = !*full;
        for (other, thread) in threads.iter_mut().enumerate() {
            if self.wakes_all || woken == Some(other) {
                thread.sleeps = false;
            }
        }
        Ok(())
    }

    fn finished(&self, (threads, _): &Threads) -> Result<(), String> {
        match threads.iter().any(|thread| thread.left > 0) {
            true => Err("a lost wake-up".to_owned()),
            false => Ok(()),
        }
    }

    fn encode(&self, (threads, full): &Threads, (): &(), encoder: &mut Encoder) {
        for thread in threads {
            encoder.put_u8(thread.left);
            encoder.put_bool(thread.sleeps);
        }
        encoder.put_bool(*full);
    }

    fn permutations(&self) -> &[()] {
        &[()]
    }
}
