//! What a search is asked to do.

use std::any::Any;
use std::fmt;
use std::hash::Hasher;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::progress::Progress;
use crate::reduction::{Reduction, Reductions};

type Beside = Arc<dyn Fn(&mut dyn Hasher) + Send + Sync>;
type Keep = Arc<dyn Fn() -> Box<dyn Any> + Send + Sync>;
type PutBack = Arc<dyn Fn(&dyn Any) + Send + Sync>;
type After = Arc<dyn Fn() + Send + Sync>;
type OnProgress = Arc<dyn Fn(&Progress) + Send + Sync>;
type Kind = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// Keeps what the program has beside the primitives, and puts it back.
#[derive(Clone)]
pub(crate) struct Keeper {
    /// About how many bytes one takes that is kept.
    pub(crate) bytes: u64,
    pub(crate) keep: Keep,
    pub(crate) put_back: PutBack,
}

/// See the [module's documentation](self).
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) budget: Option<Duration>,
    pub(crate) max_executions: Option<u64>,
    /// In bytes; half of the machine's if not given.
    pub(crate) max_memory: Option<u64>,
    pub(crate) workers: usize,
    pub(crate) reductions: Reductions,
    /// For each symmetry, in whose place each thread stands; the first changes nothing.
    pub(crate) symmetries: Vec<Vec<usize>>,
    pub(crate) beside: Option<Beside>,
    pub(crate) keeper: Option<Keeper>,
    pub(crate) after: Option<After>,
    pub(crate) spurious: bool,
    /// A bound on the preemptions, for the smallest counterexample.
    pub(crate) preemptions: Option<u32>,
    pub(crate) minimise: bool,
    pub(crate) kind: Option<Kind>,
    /// Only a violation of this kind counts.
    pub(crate) only: Option<String>,
    pub(crate) checkpoint: Option<PathBuf>,
    pub(crate) interval: Duration,
    pub(crate) stop: Option<Arc<AtomicBool>>,
    pub(crate) on_progress: Option<OnProgress>,
}

impl Options {
    pub(crate) fn new() -> Self {
        Self {
            name: "program".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            budget: None,
            max_executions: None,
            max_memory: None,
            workers: 1,
            reductions: Reductions::all(),
            symmetries: Vec::new(),
            beside: None,
            keeper: None,
            after: None,
            spurious: false,
            preemptions: None,
            minimise: true,
            kind: None,
            only: None,
            checkpoint: None,
            interval: Duration::from_secs(60),
            stop: None,
            on_progress: None,
        }
    }

    pub(crate) const fn has(&self, reduction: Reduction) -> bool {
        self.reductions.has(reduction)
    }

    /// Whether what threads know and mutexes protect counts.
    pub(crate) const fn follows(&self) -> bool {
        self.has(Reduction::VisitedStates) || self.has(Reduction::LockAware)
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("name", &self.name)
            .field("workers", &self.workers)
            .field("reductions", &self.reductions.names())
            .finish_non_exhaustive()
    }
}
