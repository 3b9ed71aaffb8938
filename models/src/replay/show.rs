//! What there is to see of a replay: its execution step by step, and one near it in which nothing breaks.

use nmr_explorer::{Fit, Schedule};

use super::Replayed;
use crate::case::Case;
use crate::engine::Request;
use crate::engine::explorer::{Followed, follow_as, search_passing};
use crate::trace::{Passing, Trace, build};

/// Executions in which one is looked for where nothing breaks: all that differ by one step from a schedule of some fifty, and
/// all that leave it for good.
const TRIED: u64 = 500;

/// Adds what there is to see. An execution is shown only if it breaks what was replayed.
pub(super) fn shown(case: &Case, request: &Request, replayed: Replayed) -> Replayed {
    let Some(schedule) = schedule(case, &replayed) else {
        return replayed;
    };
    let followed = follow_as(request, &schedule, Fit::Aligned);
    let broken = followed.finding.as_ref().map(|finding| finding.rule);
    let wanted = (!replayed.message.is_empty()).then_some(replayed.broken);
    let made = u64::from(followed.error.is_none());
    let executions = replayed.executions + made;
    if broken != wanted || followed.error.is_some() {
        return Replayed {
            executions,
            ..replayed
        };
    }
    let (tried, passing) = match broken {
        None => (0, None),
        Some(_) => {
            let (tried, found) = search_passing(request, &followed.schedule, TRIED);
            let found = found.as_ref().and_then(|found| trace(request, found));
            // It is another schedule, and is not meant to fit that one.
            let trace = found.map(|trace| Trace {
                misfits: Vec::new(),
                ..trace
            });
            (tried, Some(Passing { tried, trace }))
        }
    };
    Replayed {
        executions: executions + tried,
        trace: trace(request, &followed).map(Box::new),
        passing: passing.map(Box::new),
        ..replayed
    }
}

/// That of the execution which was found, or the saved one.
fn schedule(case: &Case, replayed: &Replayed) -> Option<Schedule> {
    match replayed.schedule.is_empty() {
        true => case.schedule(),
        false => Schedule::try_from(replayed.schedule.clone()).ok(),
    }
}

fn trace(request: &Request, followed: &Followed) -> Option<Trace> {
    let traced = followed.traced.as_ref()?;
    let finding = followed.finding.as_ref();
    Some(Trace {
        schedule: followed.schedule.clone().into(),
        misfits: followed.misfits.iter().map(ToString::to_string).collect(),
        ..build(&request.scenario, traced, finding)
    })
}
