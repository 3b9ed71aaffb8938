//! The execution at hand of a search by shuttle, which is asked for the reason when shuttle says that it
//! cannot go on.

use std::sync::Arc;

use crate::invisible::{Invisible, lock};
use crate::run::{Run, Watch};
use crate::scenario::Scenario;

/// See the [module's documentation](self).
#[derive(Clone, Default)]
pub(super) struct Current {
    run: Arc<Invisible<Option<Arc<Run>>>>,
}

impl Current {
    /// Runs the scenario once, inside shuttle.
    pub(super) fn execute(&self, scenario: &Arc<Scenario>, watch: &Arc<Watch>) {
        let run = Run::new(scenario, watch);
        *lock(&self.run) = Some(run.clone());
        run.to_the_end();
    }

    /// Shuttle found a deadlock.
    pub(super) fn stuck(&self) {
        let run = lock(&self.run).clone();
        run.expect("only an execution can be stuck").stuck();
    }

    /// The search is over: nothing of its last execution outlives it.
    pub(super) fn leave(&self) {
        lock(&self.run).take();
        Run::leave();
    }
}
