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
    /// The thread makes rounds, each like this one: so many more, from that operation on.
    Rounds { like: Round, left: u32, since: u32 },
    /// It has made all of them, or cannot be told to.
    Over,
    /// It has done something else.
    Caught,
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
        let looked = round.as_ref().map(Round::looked);
        let kind = FxBuildHasher.hash_one((thread, at, looked));
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
            // An execution that ends as it makes rounds has come to something else.
            Lead::Probe(Probe {
                wait,
                stage: Stage::Rounds { .. } | Stage::Caught,
                ..
            }) => Some((wait.thread, wait.at)),
            _ => None,
        }
    }

    /// Who goes on where a wait is tried out; nobody any more when that is over. `None` elsewhere.
    pub(super) fn probed_next(&mut self, runnable: &[Thread]) -> Option<Option<Thread>> {
        let Lead::Probe(probe) = &self.lead else {
            return None;
        };
        let thread = probe.wait.thread;
        let stage = self.next_stage(probe, runnable);
        let next = match stage {
            Stage::OnTheWay => return None,
            Stage::Rounds { .. } => Some(self.go_on_looking(thread)),
            Stage::Over | Stage::Caught => self.stop(Stopped::Misfit),
        };
        if let Lead::Probe(probe) = &mut self.lead {
            probe.stage = stage;
        }
        Some(next)
    }

    fn next_stage(&self, probe: &Probe, runnable: &[Thread]) -> Stage {
        let wait = probe.wait;
        let Some(state) = self.execution.program.threads.get(wait.thread) else {
            return Stage::OnTheWay;
        };
        let waits = state.stop.is_some_and(|stop| stop.next == Next::Spins);
        match (&probe.stage, &state.round) {
            (Stage::OnTheWay, _) if self.execution.schedule.len() < wait.choices || !waits => {
                Stage::OnTheWay
            }
            (Stage::OnTheWay, Some(round)) if self.others_go_on(wait.thread, runnable) => {
                Stage::Rounds {
                    like: round.clone(),
                    left: ROUNDS,
                    since: self.execution.operations,
                }
            }
            (Stage::OnTheWay | Stage::Over, _) => Stage::Over,
            (Stage::Rounds { like, left, since }, Some(round)) if !waits || round.is_like(like) => {
                match left.checked_sub(u32::from(waits)) {
                    Some(left) => self.after_a_look(state.stop, like, left, *since),
                    None => Stage::Over,
                }
            }
            (Stage::Rounds { .. } | Stage::Caught, _) => Stage::Caught,
        }
    }

    /// In the middle of its rounds, or between two of them.
    fn after_a_look(&self, stop: Option<Stop>, like: &Round, left: u32, since: u32) -> Stage {
        let is_blocked = |next| next != Next::Spins && self.execution.program.ways(next) == 0;
        match stop.map(|stop| stop.next) {
            // What it would look at when it has the lock nobody can say.
            Some(next @ Next::Operation(Operation::Acquire(_))) if is_blocked(next) => Stage::Over,
            Some(next) if is_blocked(next) => Stage::Caught,
            _ if self.execution.operations - since > MAX_OPERATIONS_OF_ROUNDS => Stage::Over,
            _ => Stage::Rounds {
                like: like.clone(),
                left,
                since,
            },
        }
    }

    /// A thread goes on that may wait for a change.
    fn go_on_looking(&mut self, thread: Thread) -> Thread {
        if let Some(stop) = &mut self.execution.program.thread(thread).stop
            && stop.next == Next::Spins
        {
            stop.next = Next::Operation(Operation::Yield);
        }
        self.go_on(thread)
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
