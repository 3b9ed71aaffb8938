//! What a search is asked.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::expand::Mode;
use crate::report::Report;
use crate::running::Running;
use crate::system::System;

/// Time between two checkpoints.
const MINUTE: Duration = Duration::from_secs(60);

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
    pub(crate) workers: usize,
    mode: Mode,
    pub(crate) max_memory: Option<u64>,
    pub(crate) max_states: Option<u64>,
    pub(crate) budget: Option<Duration>,
    pub(crate) stop: Option<Arc<AtomicBool>>,
    pub(crate) progress: Option<OnProgress>,
    pub(crate) checkpoint: Option<PathBuf>,
    pub(crate) interval: Duration,
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
            checkpoint: None,
            interval: MINUTE,
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

    /// Goes on from this file if it is there, and writes it at an interval and when the search is cut short. One that ends by
    /// itself removes it.
    ///
    /// A file of another system ([`System::identity`]), of other reductions or of another version of this crate is refused, and so is
    /// a damaged one: [`Outcome::HarnessError`](crate::Outcome::HarnessError), and the file stays as it is. The identity
    /// has to tell whatever changes what the system does: the search cannot see it otherwise. To write takes about 16
    /// bytes of memory for each state, which are not counted.
    pub fn checkpoint(mut self, file: impl Into<PathBuf>) -> Self {
        self.checkpoint = Some(file.into());
        self
    }

    /// Time between two checkpoints, one minute if not given; more if writing one takes longer.
    pub const fn checkpoint_interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// Searches.
    pub fn run<S: System>(&self, system: &S) -> Report<S::Action, S::Violation> {
        Running::new(self, system).run()
    }

    /// The reductions. Claims are believed, or verified, and not both.
    pub(crate) const fn mode(&self) -> Mode {
        let Mode {
            symmetry,
            ample,
            verify,
        } = self.mode;
        Mode {
            symmetry,
            ample: ample && !verify,
            verify,
        }
    }
}
