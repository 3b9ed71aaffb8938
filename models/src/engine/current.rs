//! The execution at hand of a search by shuttle on this OS thread, which is asked for the reason when the
//! search says that it cannot go on.

use std::cell::RefCell;
use std::sync::Arc;

use crate::interpreter::Prepared;
use crate::run::{Finding, Run, Watch};

thread_local! {
    static CURRENT: RefCell<Option<Arc<Run>>> = const { RefCell::new(None) };
}

/// Runs the scenario once, inside shuttle.
pub(super) fn execute(prepared: &Arc<Prepared>, watch: &Arc<Watch>) {
    // The last one's primitives are gone before the next one's are made.
    drop(CURRENT.take());
    let run = Run::new(prepared, watch);
    CURRENT.set(Some(run.clone()));
    run.to_the_end();
}

/// There is a deadlock; what is known of it besides the rule goes into the message.
pub(super) fn stuck(details: &str) {
    let run = CURRENT.with_borrow(Clone::clone);
    run.expect("only an execution can be stuck").stuck(details);
}

/// There is a livelock; as [`stuck`].
pub(super) fn livelocked(details: &str) {
    let run = CURRENT.with_borrow(Clone::clone);
    run.expect("only an execution can spin").livelocked(details);
}

/// Why the execution at hand, or the one before it, cannot be driven.
pub(super) fn take_refusal() -> Option<String> {
    CURRENT.with_borrow(|run| run.as_ref()?.take_refusal())
}

/// What the execution at hand, or the one before it, has found.
pub(super) fn take_finding() -> Option<Finding> {
    CURRENT.with_borrow(|run| run.as_ref()?.take_finding())
}

/// An execution is over: what it has to count is counted.
pub(super) fn conclude() {
    if let Some(run) = CURRENT.take() {
        run.conclude();
    }
}

/// The search is over: nothing of its last execution outlives it.
pub(super) fn leave() {
    drop(CURRENT.take());
    Run::leave();
}
