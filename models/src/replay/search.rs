//! loom's search, made again: it follows no schedule, and knows a memory model that the explorer does not.

use super::{Replayed, Verdict};
use crate::case::Case;
use crate::engine::{Exploration, Request, explore};
use crate::render::rows;
use crate::report::Extent;

pub(super) fn again(
    case: &Case,
    request: &Request,
    end: impl Fn(Replayed) + Send + Sync + 'static,
) -> Replayed {
    let own = case.clone();
    let explored = explore(request, move |exploration| end(told(&own, exploration)));
    told(case, explored)
}

fn told(case: &Case, exploration: Exploration) -> Replayed {
    let finding = exploration.finding;
    let verdict = match (&finding, exploration.error, exploration.cut) {
        (Some(finding), ..) if finding.rule == case.rule => Verdict::ReproducesElsewhere,
        (Some(_), ..) => Verdict::BreaksAnotherRule,
        (None, Some(why), _) => Verdict::HarnessError { why },
        (None, None, Some(why)) => Verdict::NotReproduced { why },
        (None, None, None) if exploration.extent == Extent::Complete => {
            Verdict::Fixed { states: None }
        }
        (None, None, None) => Verdict::NotReproduced {
            why: exploration.how.unwrap_or_default(),
        },
    };
    let replayed = Replayed::of(case, verdict);
    let executions = exploration.executions;
    match finding {
        None => Replayed {
            executions,
            ..replayed
        },
        Some(finding) => Replayed {
            executions,
            broken: finding.rule,
            interleaving: rows(&case.scenario, &finding.history),
            message: finding.message,
            ..replayed
        },
    }
}
