//! How a search is carried out: workers, checkpoints between them, then the way to what they found.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::checkpoint::{self, About};
use crate::expand::{Expander, Mode};
use crate::finding::{Fault, Finding, Found};
use crate::market::Market;
use crate::memory::{Memory, NoRoom, half_of_the_machines};
use crate::report::{Assumptions, Choice, Counterexample, Counts, Cut, Effort, Outcome, Report};
use crate::resume;
use crate::search::{Progress, Search};
use crate::shared::{End, Shared, Sums};
use crate::shortest;
use crate::stack::{Frame, Stack};
use crate::system::System;
use crate::verify::{SIGNATURE_BYTES, Signatures};
use crate::visited::{Insertion, Visited};
use crate::worker::Worker;

/// How often progress is told, and whether time is over is looked at.
const INTERVAL: Duration = Duration::from_millis(100);

type OutcomeOf<S> = Outcome<<S as System>::Action, <S as System>::Violation>;
type ReportOf<S> = Report<<S as System>::Action, <S as System>::Violation>;
type FoundOf<S> = Found<<S as System>::Action, <S as System>::Violation>;

/// A search that runs.
pub(crate) struct Running<'a, S> {
    search: &'a Search,
    system: &'a S,
    mode: Mode,
    begun: Instant,
    signatures: Signatures,
    visited: Visited,
    memory: Memory,
    /// States that were taken over from a checkpoint.
    resumed: u64,
}

/// What is to be done, and what was.
type Work<S> = (Vec<Stack<S>>, Sums);

/// Why a search ends before it has begun.
enum NoStart<S: System> {
    Found(FoundOf<S>),
    Cut(Cut),
    Fault(Fault<S::Action>),
}

impl<'a, S: System> Running<'a, S> {
    pub(crate) fn new(search: &'a Search, system: &'a S) -> Self {
        let bytes = search.max_memory.unwrap_or_else(half_of_the_machines);
        Self {
            search,
            system,
            mode: search.mode(),
            begun: Instant::now(),
            signatures: Signatures::default(),
            visited: Visited::new(),
            memory: Memory::new(bytes).with_states(search.max_states),
            resumed: 0,
        }
    }

    pub(crate) fn run(mut self) -> ReportOf<S> {
        let resumed = self.resume();
        let started = resumed.and_then(|work| work.map_or_else(|| self.start(), Ok));
        let (mut stacks, mut sums) = match started {
            Ok(work) => work,
            Err(NoStart::Found(found)) => return self.found(found, Sums::default()),
            Err(NoStart::Cut(cut)) => {
                return self.report(Outcome::Incomplete(cut), &Sums::default());
            }
            Err(NoStart::Fault(fault)) => return self.fault(fault, &Sums::default()),
        };
        let mut interval = self.search.interval;
        loop {
            let (end, now) = self.work(stacks, sums, interval);
            sums = now;
            (stacks, sums) = match end {
                End::Found(found) => return self.found(found, sums),
                End::Done => {
                    self.remove();
                    return self.report(Outcome::Exhausted, &sums);
                }
                End::Cut(cut, stacks) => {
                    return match self.write(&stacks, &sums) {
                        Ok(()) => self.report(Outcome::Incomplete(cut), &sums),
                        Err(fault) => self.fault(fault, &sums),
                    };
                }
                End::Paused(stacks) => {
                    let begun = Instant::now();
                    if let Err(fault) = self.write(&stacks, &sums) {
                        return self.fault(fault, &sums);
                    }
                    // No more than half of the time is for writing.
                    interval = self.search.interval.max(begun.elapsed());
                    (stacks, sums)
                }
            };
        }
    }

    /// The initial state, to be searched from.
    fn start(&self) -> Result<Work<S>, NoStart<S>> {
        let mut expander = Expander::new(self.system, self.mode, &self.signatures);
        let mut actions = Vec::new();
        let began = expander.begin().and_then(|(state, canonical)| {
            let before = expander.expand(&state, canonical.permutation, &mut actions)?;
            Ok((state, canonical, before))
        });
        let (state, canonical, before) = began.map_err(|finding| {
            let path = Vec::new();
            NoStart::Found(Found { path, finding })
        })?;
        self.insert(canonical.fingerprint)?;
        let counts = Counts {
            states: 1,
            transitions: 0,
            ends: u64::from(actions.is_empty()),
        };
        let sums = Sums {
            counts,
            ..Sums::default()
        };
        let frame = Frame::new(self.system, state, actions, before, 1.0);
        let stack = Stack {
            prefix: Vec::new(),
            frames: vec![frame],
        };
        Ok((vec![stack], sums))
    }

    fn insert(&self, fingerprint: crate::encoder::Fingerprint) -> Result<Insertion, NoStart<S>> {
        let inserted = self.visited.insert(fingerprint, &self.memory);
        inserted.map_err(|no_room| NoStart::Cut(self.memory.cut(no_room)))
    }

    /// What a checkpoint has left, if there is one.
    fn resume(&mut self) -> Result<Option<Work<S>>, NoStart<S>> {
        let Some(path) = &self.search.checkpoint else {
            return Ok(None);
        };
        let about = About::new(self.system, self.mode);
        let mut no_room: Option<NoRoom> = None;
        let read = checkpoint::read(path, &about, |fingerprint| {
            if let Err(error) = self.visited.insert(fingerprint, &self.memory) {
                no_room = Some(error);
            }
        });
        let read = read.map_err(|error| NoStart::Fault(Fault::Checkpoint(error.to_string())))?;
        let Some(saved) = read else {
            return Ok(None);
        };
        let signatures = saved.signatures.len() as u64 * SIGNATURE_BYTES;
        let no_room = no_room.or_else(|| self.memory.take(signatures).err());
        if let Some(no_room) = no_room {
            return Err(NoStart::Cut(self.memory.cut(no_room)));
        }
        self.resumed = saved.counts.states;
        self.signatures = Signatures::restored(saved.signatures);
        let sums = Sums {
            counts: saved.counts,
            deepest: saved.deepest,
            share: saved.share,
        };
        let stacks = saved.stacks.into_iter();
        let stacks: Result<_, _> = stacks.map(|it| resume::stack(self.system, it)).collect();
        let stacks = stacks.map_err(|why| NoStart::Fault(Fault::NotTheSame(why)))?;
        Ok(Some((stacks, sums)))
    }

    fn write(&self, stacks: &[Stack<S>], sums: &Sums) -> Result<(), Fault<S::Action>> {
        let Some(path) = &self.search.checkpoint else {
            return Ok(());
        };
        let about = About::new(self.system, self.mode);
        let saved = checkpoint::save(sums, &self.signatures, stacks);
        let written = checkpoint::write(path, &about, &saved, &self.visited);
        written.map_err(|error| Fault::Checkpoint(error.to_string()))
    }

    /// Nothing is left that could be gone on with. If the file cannot be removed, its part is searched again.
    fn remove(&self) {
        let remove = |path: &Path| std::fs::remove_file(path).ok();
        self.search.checkpoint.as_deref().and_then(remove);
    }

    /// Has workers work until they are done, or sent home.
    fn work(&self, stacks: Vec<Stack<S>>, sums: Sums, interval: Duration) -> (End<S>, Sums) {
        let market = Market::new(self.search.workers, stacks);
        let shared = Shared::new(market, &self.visited, &self.memory, sums);
        std::thread::scope(|scope| {
            for _ in 0..self.search.workers {
                scope.spawn(|| {
                    let expander = Expander::new(self.system, self.mode, &self.signatures);
                    Worker::new(self.system, expander, &shared).run();
                });
            }
            self.watch(&shared, interval);
        });
        shared.over()
    }

    /// Looks at the clock until the workers are home, or sends them.
    fn watch(&self, shared: &Shared<'_, S>, interval: Duration) {
        let checkpoint = self.search.checkpoint.as_ref();
        let pause = checkpoint.and_then(|_| Instant::now().checked_add(interval));
        let end = self.search.budget;
        let end = end.and_then(|budget| self.begun.checked_add(budget));
        loop {
            let now = Instant::now();
            let next = [pause, end].into_iter().flatten();
            let next = next.map(|at| at.saturating_duration_since(now)).min();
            let wait = next.map_or(INTERVAL, |next| next.min(INTERVAL));
            if shared.market.wait(wait).is_some() {
                return;
            }
            self.tell(shared);
            let now = Instant::now();
            let stop = self.search.stop.as_ref();
            if stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
                return shared.cut(Cut::Stopped);
            }
            if end.is_some_and(|end| now >= end) {
                return shared.cut(Cut::Deadline);
            }
            if pause.is_some_and(|pause| now >= pause) {
                return shared.market.close();
            }
        }
    }

    fn tell(&self, shared: &Shared<'_, S>) {
        if let Some(progress) = &self.search.progress {
            let sums = shared.sums();
            progress(&Progress {
                states: sums.counts.states,
                transitions: sums.counts.transitions,
                elapsed: self.begun.elapsed(),
                share: sums.share,
            });
        }
    }

    /// Something was found: the way to it that is reported is the same for any number of workers, if it can be. So is
    /// what is reported, if there is more than one thing wrong.
    fn found(&self, found: FoundOf<S>, sums: Sums) -> ReportOf<S> {
        // Whoever mends the system is not to go on from what it did before.
        self.remove();
        let depth = found.path.len();
        let bytes = self.memory.most();
        let shortest = shortest::search(self.system, self.mode, depth, bytes);
        let is_by_depth = self.search.workers == 1 && self.resumed == 0;
        let (found, counts, choice) = match shortest {
            Ok((shortest, counts)) => (shortest, counts, Choice::Shortest),
            Err(why) if is_by_depth => (found, sums.counts, Choice::DepthFirst(why)),
            Err(why) => (found, sums.counts, Choice::AsFound(why)),
        };
        self.report(outcome::<S>(found, choice), &Sums { counts, ..sums })
    }

    fn fault(&self, fault: Fault<S::Action>, sums: &Sums) -> ReportOf<S> {
        let path = Vec::new();
        self.report(Outcome::HarnessError { fault, path }, sums)
    }

    fn report(&self, outcome: OutcomeOf<S>, sums: &Sums) -> ReportOf<S> {
        let Mode {
            symmetry,
            ample,
            verify,
        } = self.mode;
        let symmetries = match symmetry {
            true => self.system.permutations().len(),
            false => 1,
        };
        Report {
            system: self.system.identity(),
            version: env!("CARGO_PKG_VERSION"),
            outcome,
            counts: sums.counts,
            assumptions: Assumptions::new(symmetries, ample, verify, sums.counts.states),
            effort: Effort {
                elapsed: self.begun.elapsed(),
                deepest: sums.deepest,
                memory: self.memory.peak(),
                workers: self.search.workers,
                resumed: self.resumed,
            },
        }
    }
}

fn outcome<S: System>(found: FoundOf<S>, choice: Choice) -> OutcomeOf<S> {
    let path = found.path;
    match found.finding {
        Finding::Violation(violation) => Outcome::Violated(Counterexample {
            violation,
            path,
            choice,
        }),
        Finding::WrongClaim(claim) => Outcome::WrongClaim {
            claim,
            path,
            choice,
        },
        Finding::Fault(fault) => Outcome::HarnessError { fault, path },
    }
}
