//! What a search is asked, and how it is carried out: workers, then the way to what they found.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::expand::{Expander, Mode};
use crate::finding::{Finding, Found};
use crate::market::{Close, Market};
use crate::memory::{Memory, half_of_the_machines};
use crate::report::{Assumptions, Choice, Counterexample, Counts, Cut, Effort, Outcome, Report};
use crate::shortest;
use crate::system::System;
use crate::verify::Signatures;
use crate::visited::{Insertion, Visited};
use crate::worker::{Job, Shared, Worker};

/// How often progress is told, and whether time is over is looked at.
const INTERVAL: Duration = Duration::from_millis(100);

/// How far a search is.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Progress {
    /// States met.
    pub states: u64,
    /// Actions done.
    pub transitions: u64,
    /// Since it began.
    pub elapsed: Duration,
    /// An estimate of the share that is done, from 0 to 1: of each state's actions each is taken to lead to as much. It
    /// is too high as long as what was seen first led to less than what comes.
    pub share: f64,
}

type OnProgress = Arc<dyn Fn(&Progress) + Send + Sync>;

/// A search, to be set up and [run](Self::run).
#[derive(Clone)]
#[must_use = "it searches when it is run"]
pub struct Search {
    workers: usize,
    mode: Mode,
    max_memory: Option<u64>,
    max_states: Option<u64>,
    budget: Option<Duration>,
    stop: Option<Arc<AtomicBool>>,
    progress: Option<OnProgress>,
}

impl Default for Search {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Search")
            .field("workers", &self.workers)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

impl Search {
    /// One worker, symmetry and ample sets, half of the machine's memory, and all the time there is.
    pub const fn new() -> Self {
        Self {
            workers: 1,
            mode: Mode {
                symmetry: true,
                ample: true,
                verify: false,
            },
            max_memory: None,
            max_states: None,
            budget: None,
            stop: None,
            progress: None,
        }
    }

    /// So many threads, at least 1. What comes out is the same for any number.
    pub const fn workers(mut self, workers: usize) -> Self {
        self.workers = if workers == 0 { 1 } else { workers };
        self
    }

    /// Whether states are one that differ by a permutation of names. Default: yes.
    pub const fn symmetry(mut self, symmetry: bool) -> Self {
        self.mode.symmetry = symmetry;
        self
    }

    /// Whether ample sets are explored alone that the system claims. Default: yes.
    pub const fn ample(mut self, ample: bool) -> Self {
        self.mode.ample = ample;
        self
    }

    /// Whether the system's claims are tried out, in every state of the search without ample sets, instead of being
    /// believed. Default: no. It takes several times as long, and more memory.
    pub const fn verify(mut self, verify: bool) -> Self {
        self.mode.verify = verify;
        if verify {
            self.mode.ample = false;
        }
        self
    }

    /// The most bytes for states; at the limit the search is cut short. Default: half of the machine's.
    pub const fn max_memory(mut self, bytes: u64) -> Self {
        self.max_memory = Some(bytes);
        self
    }

    /// The most states; with more the search is cut short. Default: any number.
    pub const fn max_states(mut self, states: u64) -> Self {
        self.max_states = Some(states);
        self
    }

    /// The most time. Default: any.
    pub const fn budget(mut self, budget: Duration) -> Self {
        self.budget = Some(budget);
        self
    }

    /// The search is cut short soon after this becomes true.
    pub fn stop(mut self, stop: Arc<AtomicBool>) -> Self {
        self.stop = Some(stop);
        self
    }

    /// Hears from time to time how far the search is.
    pub fn progress(mut self, progress: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(progress));
        self
    }

    /// Searches.
    pub fn run<S: System>(&self, system: &S) -> Report<S::Action, S::Violation> {
        let running = Running {
            search: self,
            system,
            begun: Instant::now(),
            signatures: Signatures::default(),
            visited: Visited::new(),
            memory: Memory::new(self.max_memory.unwrap_or_else(half_of_the_machines)),
        };
        running.run()
    }
}

/// A search that runs.
struct Running<'a, S> {
    search: &'a Search,
    system: &'a S,
    begun: Instant,
    signatures: Signatures,
    visited: Visited,
    memory: Memory,
}

impl<S: System> Running<'_, S> {
    fn run(self) -> Report<S::Action, S::Violation> {
        let mut expander = Expander::new(self.system, self.search.mode, &self.signatures);
        let mut actions = Vec::new();
        let began = expander.begin().and_then(|(state, canonical)| {
            let before = expander.expand(&state, canonical.permutation, &mut actions)?;
            Ok((state, canonical, before))
        });
        let (state, canonical, before) = match began {
            Ok(began) => began,
            Err(finding) => {
                let path = Vec::new();
                return self.found(Found { path, finding }, Counts::default(), 0);
            }
        };
        if self.visited.insert(canonical.fingerprint, &self.memory) != Ok(Insertion::New) {
            let cut = Outcome::Incomplete(Cut::Memory(self.memory.most()));
            return self.report(cut, Counts::default(), 0);
        }
        let ends = u64::from(actions.is_empty());
        let market = Market::new(
            self.search.workers,
            vec![Job::whole(state, actions, before)],
        );
        let shared = Shared::new(market, &self.visited, &self.memory);
        shared.add(Counts {
            states: 1,
            transitions: 0,
            ends,
        });
        let cut = self.work(&shared);
        let (found, counts, deepest, end) = shared.over();
        match (found, cut) {
            (Some(found), _) => self.found(found, counts, deepest),
            (None, Some(cut)) => self.report(Outcome::Incomplete(cut), counts, deepest),
            (None, None) if end == Some(Close::Done) => {
                self.report(Outcome::Exhausted, counts, deepest)
            }
            (None, None) => {
                let cut = Cut::Memory(self.memory.most());
                self.report(Outcome::Incomplete(cut), counts, deepest)
            }
        }
    }

    /// Has the workers work until they are done, or the search is cut short: then why.
    fn work(&self, shared: &Shared<'_, S>) -> Option<Cut> {
        std::thread::scope(|scope| {
            for _ in 0..self.search.workers {
                scope.spawn(|| {
                    let expander = Expander::new(self.system, self.search.mode, &self.signatures);
                    Worker::new(expander, shared).run();
                });
            }
            loop {
                let over = shared.market.wait(INTERVAL);
                if over.is_some() {
                    return None;
                }
                self.tell(shared);
                if let Some(cut) = self.cut(shared) {
                    shared.market.close();
                    return Some(cut);
                }
            }
        })
    }

    fn cut(&self, shared: &Shared<'_, S>) -> Option<Cut> {
        let Search {
            max_states,
            budget,
            stop,
            ..
        } = self.search;
        let states = shared.counts().states;
        if let Some(most) = max_states.filter(|&most| states > most) {
            return Some(Cut::States(most));
        }
        if stop
            .as_ref()
            .is_some_and(|stop| stop.load(Ordering::Relaxed))
        {
            return Some(Cut::Stopped);
        }
        let is_over = budget.is_some_and(|budget| self.begun.elapsed() > budget);
        is_over.then_some(Cut::Deadline)
    }

    fn tell(&self, shared: &Shared<'_, S>) {
        if let Some(progress) = &self.search.progress {
            let Counts {
                states,
                transitions,
                ..
            } = shared.counts();
            progress(&Progress {
                states,
                transitions,
                elapsed: self.begun.elapsed(),
                share: shared.share(),
            });
        }
    }

    /// Something was found: the way to it that is reported is the same for any number of workers, if it can be.
    fn found(
        &self,
        found: Found<S::Action, S::Violation>,
        counts: Counts,
        deepest: usize,
    ) -> Report<S::Action, S::Violation> {
        let fault = match found.finding {
            Finding::Fault(fault) => fault,
            finding => {
                let found = Found {
                    finding,
                    path: found.path,
                };
                return self.found_by_the_shortest_way(found, counts, deepest);
            }
        };
        let outcome = Outcome::HarnessError {
            fault,
            path: found.path,
        };
        self.report(outcome, counts, deepest)
    }

    fn found_by_the_shortest_way(
        &self,
        found: Found<S::Action, S::Violation>,
        counts: Counts,
        deepest: usize,
    ) -> Report<S::Action, S::Violation> {
        let shortest = shortest::search(self.system, self.search.mode, found.path.len());
        let (found, counts, choice) = match shortest {
            Ok((shortest, counts)) => (shortest, counts, Choice::Shortest),
            Err(why) if self.search.workers == 1 => (found, counts, Choice::DepthFirst(why)),
            Err(why) => (found, counts, Choice::AsFound(why)),
        };
        let path = found.path;
        let outcome = match found.finding {
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
        };
        self.report(outcome, counts, deepest)
    }

    fn report(
        &self,
        outcome: Outcome<S::Action, S::Violation>,
        counts: Counts,
        deepest: usize,
    ) -> Report<S::Action, S::Violation> {
        let Mode {
            symmetry,
            ample,
            verify,
        } = self.search.mode;
        let symmetries = match symmetry {
            true => self.system.permutations().len(),
            false => 1,
        };
        Report {
            system: self.system.identity(),
            version: env!("CARGO_PKG_VERSION"),
            outcome,
            counts,
            assumptions: Assumptions::new(symmetries, ample, verify, counts.states),
            effort: Effort {
                elapsed: self.begun.elapsed(),
                deepest,
                memory: self.memory.used(),
                workers: self.search.workers,
            },
        }
    }
}
