//! Whether a thread that waits for a change would really look again and again: the search lets it make no rounds while
//! others can go on, and so would not notice that it counts them.
//!
//! An execution in which a thread came to wait is made once more, up to there. Then the thread alone goes on, for as many
//! rounds as a livelock takes. Nothing that it looks at changes: if it does anything but look at the same again, what it
//! does there is left out by the search, which is then not exhausted.
//!
//! That is tried out for each kind of wait the first few times that there is one, and some later ones. What a thread does
//! after more rounds, or only at a wait that is not tried out, is not seen.

use std::hash::BuildHasher;

use nmr_sync::hook::Operation;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::verify::is_made_twice;
use super::{Lead, MAX_OPERATIONS, Phase, Script, State, Stopped};
use crate::checker::program::{At, Next, Stop, Thread};
use crate::checker::spin::{ROUNDS, Round};

/// Operations of a thread's rounds, if they have many, after which they are taken to repeat.
const MAX_OPERATIONS_OF_ROUNDS: u32 = MAX_OPERATIONS / 4;

/// A thread that came to wait for a change.
#[derive(Clone, Copy, Debug)]
struct Wait {
    thread: Thread,
    at: At,
    /// So many choices were made before.
    choices: usize,
    kind: u64,
}

/// What is tried out, and what was.
#[derive(Clone, Debug, Default)]
pub(super) struct Probes {
    /// How often a kind of wait was tried out, or might have been.
    kinds: FxHashMap<u64, u64>,
    /// Of the last execution of the search.
    waits: Vec<Wait>,
}

/// One wait, tried out.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    /// The execution in which there is one.
    pub(super) script: Script,
    wait: Wait,
    stage: Stage,
}

#[derive(Clone, Debug)]
enum Stage {
    /// It is not there yet.
    OnTheWay,
    /// The thread makes rounds, each like this one.
    Rounds {
        like: Round,
        left: u32,
        operations: u32,
    },
    /// It has made all of them, or cannot be told to.
    Over,
}

impl Probe {
    pub(super) const fn is_on_the_way(&self) -> bool {
        matches!(self.stage, Stage::OnTheWay)
    }
}

impl State {
    /// An execution of the search begins, or an earlier one is made again.
    pub(super) fn forget_waits(&mut self) {
        self.probes.waits.clear();
    }

    /// A thread has come to wait for a change.
    pub(super) fn note_wait(&mut self, thread: Thread, at: At) {
        if !matches!(self.lead, Lead::Search) || self.execution.phase != Phase::Explore {
            return;
        }
        let round = &self.execution.program.threads[thread].round;
        let kind = FxBuildHasher.hash_one((thread, at, round));
        self.probes.waits.push(Wait {
            thread,
            at,
            choices: self.execution.schedule.len(),
            kind,
        });
    }

    /// Lets the next execution try out a wait of the one that was just made, if there is one to be tried out.
    pub(crate) fn probe(&mut self) -> bool {
        let script = match std::mem::replace(&mut self.lead, Lead::Search) {
            Lead::Probe(probe) => probe.script,
            _ => self.execution.script(),
        };
        while let Some(wait) = self.probes.waits.pop() {
            let times = self.probes.kinds.entry(wait.kind).or_default();
            *times += 1;
            if is_made_twice(*times) {
                self.lead = Lead::Probe(Probe {
                    script,
                    wait,
                    stage: Stage::OnTheWay,
                });
                return true;
            }
        }
        false
    }

    /// The thread whose rounds are tried out, if it has to stop at the end of each.
    pub(super) fn is_probed(&self, thread: Thread) -> bool {
        match &self.lead {
            Lead::Probe(probe) => {
                probe.wait.thread == thread && matches!(probe.stage, Stage::Rounds { .. })
            }
            _ => false,
        }
    }

    /// That a thread did not do once more what it had done, where that was tried out: which, and where it yields.
    pub(super) fn caught(&self) -> Option<(Thread, At)> {
        match &self.lead {
            Lead::Probe(Probe {
                wait,
                stage: Stage::Rounds { .. },
                ..
            }) => Some((wait.thread, wait.at)),
            _ => None,
        }
    }

    /// Whether the execution at hand has nothing to do any more but to try out a wait, or is through with it. Who goes on
    /// then, if somebody does.
    pub(super) fn probed_next(&mut self, runnable: &[Thread]) -> Option<Option<Thread>> {
        let Lead::Probe(probe) = &self.lead else {
            return None;
        };
        let (wait, operations) = (probe.wait, self.execution.operations);
        let state = self.execution.program.threads.get(wait.thread);
        let stop = state.and_then(|state| state.stop);
        let round = state.and_then(|state| state.round.clone());
        let waits = stop.is_some_and(|stop| stop.next == Next::Spins);
        let stage = match (&probe.stage, round) {
            (Stage::OnTheWay, _) if self.execution.schedule.len() < wait.choices || !waits => {
                return None;
            }
            (Stage::OnTheWay, Some(round)) if self.others_go_on(wait.thread, runnable) => {
                Stage::Rounds {
                    like: round,
                    left: ROUNDS,
                    operations,
                }
            }
            (Stage::OnTheWay | Stage::Over, _) => Stage::Over,
            (
                Stage::Rounds {
                    like,
                    left,
                    operations: since,
                },
                Some(round),
            ) => {
                if waits && !round.is_like(like) {
                    return Some(self.stop(Stopped::Misfit));
                }
                match left.checked_sub(u32::from(waits)) {
                    Some(left) if operations - since < MAX_OPERATIONS_OF_ROUNDS => Stage::Rounds {
                        like: like.clone(),
                        left,
                        operations: *since,
                    },
                    _ => Stage::Over,
                }
            }
            // It has done something else.
            (Stage::Rounds { .. }, None) => return Some(self.stop(Stopped::Misfit)),
        };
        let is_blocked =
            stop.is_some_and(|stop| !waits && self.execution.program.ways(stop.next) == 0);
        let stage = match stop.map(|stop| stop.next) {
            // A lock that it would have to wait for: what it would look at nobody can say.
            Some(Next::Operation(Operation::Acquire(_))) if is_blocked => Stage::Over,
            _ => stage,
        };
        let is_over = is_blocked || matches!(stage, Stage::Over);
        self.set_stage(stage);
        if is_over {
            return Some(self.stop(Stopped::Misfit));
        }
        if let Some(stop) = &mut self.execution.program.thread(wait.thread).stop
            && waits
        {
            *stop = Stop {
                next: Next::Operation(Operation::Yield),
                at: stop.at,
            };
        }
        Some(Some(self.go_on(wait.thread)))
    }

    fn set_stage(&mut self, to: Stage) {
        if let Lead::Probe(probe) = &mut self.lead {
            probe.stage = to;
        }
    }

    /// Whether anybody else could go on, or looks again and again as well. If not, who waits makes rounds in the search too.
    fn others_go_on(&self, thread: Thread, runnable: &[Thread]) -> bool {
        let program = &self.execution.program;
        runnable.iter().any(|&other| {
            other != thread
                && program
                    .stop_of(other)
                    .is_none_or(|stop| stop.next == Next::Spins || program.ways(stop.next) > 0)
        })
    }
}
