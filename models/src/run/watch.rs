//! What a search counts over all its executions, and what it found.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::recorder::Finding;
use crate::report::Rule;

/// The running totals of one search.
///
/// Its locks are std's, invisible to loom and shuttle.
pub(crate) struct Watch {
    executions: Arc<AtomicU64>,
    exercised: Mutex<[u64; Rule::COUNT]>,
    finding: Mutex<Option<Finding>>,
    /// Called with the first finding. An engine that cannot be stopped from inside ends the process
    /// here.
    on_finding: Box<dyn Fn(&Watch, &Finding) + Send + Sync>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watch {
    pub(crate) fn new(
        executions: Arc<AtomicU64>,
        on_finding: impl Fn(&Self, &Finding) + Send + Sync + 'static,
    ) -> Self {
        Self {
            executions,
            exercised: Mutex::new([0; Rule::COUNT]),
            finding: Mutex::new(None),
            on_finding: Box::new(on_finding),
        }
    }

    /// An execution begins; answers its number, from 1.
    pub(crate) fn begin(&self) -> u64 {
        self.executions.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn executions(&self) -> u64 {
        self.executions.load(Ordering::Relaxed)
    }

    pub(crate) fn add_exercised(&self, exercised: &[u64; Rule::COUNT]) {
        for (total, more) in lock(&self.exercised).iter_mut().zip(exercised) {
            *total += more;
        }
    }

    pub(crate) fn exercised(&self) -> [u64; Rule::COUNT] {
        *lock(&self.exercised)
    }

    /// Keeps the first finding.
    pub(crate) fn found(&self, finding: Finding) {
        {
            let mut first = lock(&self.finding);
            if first.is_some() {
                return;
            }
            *first = Some(finding.clone());
        }
        (self.on_finding)(self, &finding);
    }

    /// What was found.
    pub(crate) fn finding(&self) -> Option<Finding> {
        lock(&self.finding).clone()
    }
}
