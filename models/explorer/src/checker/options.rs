//! What a search is asked to do.

use std::any::Any;
use std::fmt;
use std::hash::Hasher;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::checker::judge::{Ending, Judgement, Violation};
use crate::checker::progress::Progress;
use crate::reduction::{Reduction, Reductions};

type ExternalState = Arc<dyn Fn(&mut dyn Hasher) + Send + Sync>;
type Take = Arc<dyn Fn() -> Box<dyn Any> + Send + Sync>;
type Restore = Arc<dyn Fn(&dyn Any) + Send + Sync>;
type After = Arc<dyn Fn() + Send + Sync>;
type OnRestart = Arc<dyn Fn() + Send + Sync>;
type OnProgress = Arc<dyn Fn(&Progress) + Send + Sync>;
type Judge = Arc<dyn Fn(&Ending) -> Result<Option<Judgement>, String> + Send + Sync>;

/// Takes snapshots of external state, and restores them.
#[derive(Clone)]
pub(crate) struct Snapshots {
    /// About how many bytes one has.
    pub(crate) bytes: u64,
    pub(crate) take: Take,
    pub(crate) restore: Restore,
}

/// How long a counterexample with fewer preemptions is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Minimise {
    /// Not at all.
    Never,
    /// For a multiple of the executions that it took to find the first one, and a few.
    Enough,
    /// For so many executions.
    Executions(u64),
}

impl Minimise {
    /// The most executions, where the first violation was found after so many.
    pub(crate) fn executions(self, after: u64) -> u64 {
        match self {
            Self::Never => 0,
            Self::Enough => after.saturating_mul(10).max(2_000),
            Self::Executions(most) => most,
        }
    }
}

/// See the [module's documentation](self).
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) name: String,
    pub(crate) budget: Option<Duration>,
    pub(crate) max_executions: Option<u64>,
    /// In bytes; half of the machine's if not given.
    pub(crate) max_memory: Option<u64>,
    pub(crate) workers: usize,
    pub(crate) reductions: Reductions,
    /// For each permutation of the threads the image of each; the first changes nothing.
    pub(crate) symmetries: Vec<Vec<usize>>,
    pub(crate) external_state: Option<ExternalState>,
    pub(crate) snapshots: Option<Snapshots>,
    pub(crate) after: Option<After>,
    pub(crate) on_restart: Option<OnRestart>,
    pub(crate) spurious: bool,
    /// Of each thread of the program, in bytes; shuttle's own choice if not given.
    pub(crate) stack_size: Option<usize>,
    /// A thread stops also at the operation right after it has lingered.
    pub(crate) every_step: bool,
    /// A bound on the preemptions, for the smallest counterexample.
    pub(crate) preemptions: Option<u32>,
    pub(crate) minimise: Minimise,
    pub(crate) judge: Option<Judge>,
    /// Only a violation of the kind of this one counts.
    pub(crate) only: Option<Violation>,
    /// The same, by the kind's name.
    pub(crate) only_kind: Option<String>,
    pub(crate) checkpoint: Option<PathBuf>,
    pub(crate) interval: Duration,
    pub(crate) stop: Option<Arc<AtomicBool>>,
    pub(crate) on_progress: Option<OnProgress>,
}

impl Options {
    pub(crate) fn new() -> Self {
        Self {
            name: "program".to_owned(),
            budget: None,
            max_executions: None,
            max_memory: None,
            workers: 1,
            reductions: Reductions::all(),
            symmetries: Vec::new(),
            external_state: None,
            snapshots: None,
            after: None,
            on_restart: None,
            spurious: false,
            stack_size: None,
            every_step: false,
            preemptions: None,
            minimise: Minimise::Enough,
            judge: None,
            only: None,
            only_kind: None,
            checkpoint: None,
            interval: Duration::from_secs(60),
            stop: None,
            on_progress: None,
        }
    }

    /// The same for executions that something else than the search leads: nothing is reduced but stops that nobody
    /// can make use of.
    pub(crate) fn led(&self) -> Self {
        let mut reductions = self.reductions;
        for one in Reduction::ALL {
            if one != Reduction::VisibleOperations {
                reductions = reductions.without(one);
            }
        }
        Self {
            reductions,
            symmetries: Vec::new(),
            preemptions: None,
            ..self.clone()
        }
    }

    pub(crate) const fn has(&self, reduction: Reduction) -> bool {
        self.reductions.has(reduction)
    }

    /// Whether a reduction has an effect: it is on, and there is something for it to reduce.
    pub(crate) fn in_force(&self, reduction: Reduction) -> bool {
        let keeps_states = self.has(Reduction::VisitedStates);
        self.has(reduction)
            && match reduction {
                Reduction::VisibleOperations | Reduction::VisitedStates | Reduction::LockAware => {
                    true
                }
                Reduction::Forgetting => keeps_states,
                // A bound counts who ran: states that differ by an exchange have different futures.
                Reduction::Symmetry => {
                    keeps_states && self.symmetries.len() > 1 && self.preemptions.is_none()
                }
            }
    }

    /// The reductions that have an effect, by name.
    pub(crate) fn names_in_force(&self) -> Vec<&'static str> {
        let in_force = Reduction::ALL.into_iter().filter(|&one| self.in_force(one));
        in_force.map(Reduction::name).collect()
    }

    /// Whether a violation is one of those that count.
    pub(crate) fn wants(&self, found: &Violation) -> bool {
        let is_of_the_kind = |wanted: &Violation| wanted.is_of_the_kind_of(found);
        let is_called = |kind: &String| kind == found.kind();
        self.only.as_ref().is_none_or(is_of_the_kind)
            && self.only_kind.as_ref().is_none_or(is_called)
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
