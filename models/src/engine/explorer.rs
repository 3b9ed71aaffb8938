//! nmr-explorer: every interleaving under sequential consistency, without a bound on preemptions.
//!
//! Two transitions are independent if they touch no primitive and no registration together: what the
//! oracle is told of a registration is ordered as a lock would be.

use std::sync::Arc;

use nmr_explorer::{Explorer, Verdict};

use super::current::Current;
use super::{Exploration, Request};
use crate::report::Extent;
use crate::run::Watch;

pub(super) fn explore(request: &Request) -> Exploration {
    let watch = Arc::new(Watch::new(request.executions.clone(), |_| {}));
    let current = Current::default();
    let report = Explorer::builder().budget(request.budget).check({
        let (scenario, watch, current) = (request.scenario.clone(), watch.clone(), current.clone());
        move || {
            watch.begin();
            current.execute(&scenario, &watch);
        }
    });
    let (mut cut, mut error) = (None, None);
    match report.verdict {
        Verdict::Exhausted => {}
        Verdict::Incomplete(why) => cut = Some(why),
        Verdict::HarnessError(message) => error = Some(message),
        Verdict::Violated(_) if watch.finding().is_some() => {}
        Verdict::Violated(found) if found.message.starts_with("deadlock") => current.stuck(),
        Verdict::Violated(found) => error = Some(format!("the explorer failed: {}", found.message)),
    }
    current.leave();
    let extent = match cut {
        Some(_) => Extent::Sampled,
        None => Extent::Complete,
    };
    Exploration {
        cut,
        error,
        ..Exploration::new(&watch, extent)
    }
}
