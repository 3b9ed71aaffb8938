//! nmr-explorer: every interleaving under sequential consistency, without a bound on preemptions.
//!
//! Two transitions are independent if they touch no primitive and no registration together: what the
//! oracle is told of a registration is ordered as a lock would be. A state is what the primitives
//! protect, what the threads know, and what the harness and the oracle keep beside that.

use std::sync::Arc;

use nmr_explorer::{
    Builder, Ending, Evidence, Explorer, Judgement, Replayed, Report, Schedule, Verdict,
};
use nmr_sync::hook;

use super::{Exploration, Request, Search, current};
use crate::report::Extent;
use crate::run::{Run, Watch};
use crate::symmetry::{self, symmetries};

/// About how many bytes it takes to keep what the oracle knows: measured on `four-lives`.
const KEPT: u64 = 1 << 10;

pub(super) fn explore(request: &Request) -> Exploration {
    let watch = Arc::new(Watch::new(request.executions.clone(), |_, _| {}));
    let report = builder(request).check(execution(request, &watch));
    leave();
    exploration(&watch, &report)
}

/// One execution of the scenario.
fn execution(request: &Request, watch: &Arc<Watch>) -> impl Fn() + Send + Sync + 'static {
    let (scenario, watch) = (request.scenario.clone(), watch.clone());
    let symmetries = symmetries(&scenario);
    let slots_count = scenario.uses_stale_handles();
    move || {
        symmetry::install(&symmetries);
        hook::set_slots_count(slots_count);
        watch.begin();
        current::execute(&scenario, &watch);
    }
}

/// The search is over.
fn leave() {
    current::leave();
    hook::set_slots_count(false);
}

fn builder(request: &Request) -> Builder {
    let threads = |symmetry: &symmetry::Symmetry| {
        let threads = symmetry.threads.iter().copied();
        threads.map(usize::from).collect()
    };
    let builder = Explorer::builder()
        .name(request.scenario.name.as_str())
        .budget(request.budget)
        .symmetries(symmetries(&request.scenario).iter().map(threads).collect())
        .beside(|state| {
            if let Some(run) = Run::current() {
                run.hash_state(state);
            }
        })
        .keeping(
            KEPT,
            || Box::new(Run::current().map(|run| run.keep())),
            |kept| {
                if let (Some(run), Some(Some(kept))) = (Run::current(), kept.downcast_ref()) {
                    run.put_back(kept);
                }
            },
        )
        .after_each(current::conclude)
        .judge(judge);
    asked(builder, &request.search)
}

/// As it was asked for.
pub(super) fn asked(builder: Builder, search: &Search) -> Builder {
    let mut builder = builder.workers(search.workers);
    if let Some(bytes) = search.max_memory {
        builder = builder.max_memory(bytes);
    }
    if let Some(path) = &search.checkpoint {
        builder = builder.checkpoint(path);
    }
    for &reduction in &search.without {
        builder = builder.without(reduction);
    }
    if let Some(progress) = &search.progress {
        let progress = progress.clone();
        builder = builder.progress(move |now| progress(&now.to_string()));
    }
    if let Some(stop) = &search.stop {
        builder = builder.stop(stop.clone());
    }
    builder
}

/// What the execution that has just ended has found, whichever way it ended. A violation is named by the
/// rule that it breaks.
fn judge(ending: &Ending) -> Result<Option<Judgement>, String> {
    if let Ending::Deadlocked(why) = ending {
        current::stuck(&why.to_string());
    }
    let Some(finding) = current::take_finding() else {
        return match ending {
            Ending::Completed | Ending::Abandoned => Ok(None),
            other => Err(format!("nothing was found, and yet: {other:?}")),
        };
    };
    let rule = finding.rule.map(|rule| rule.to_string());
    Ok(Some(Judgement {
        kind: rule.unwrap_or_else(|| "a crash".to_owned()),
        message: finding.message.clone(),
        evidence: Some(Evidence::new(finding)),
    }))
}

fn exploration(watch: &Watch, report: &Report) -> Exploration {
    let (mut cut, mut error, mut finding, mut preemptions) = (None, None, None, None);
    let mut steps = Vec::new();
    match &report.verdict {
        Verdict::Exhausted => {}
        Verdict::Incomplete(why) => cut = Some(why.clone()),
        Verdict::Sampled => cut = Some("some executions were made, and no others".to_owned()),
        Verdict::HarnessError(message) => error = Some(message.clone()),
        Verdict::Violated(found) => {
            preemptions = Some(found.preemptions);
            steps = found.schedule.condensed().into();
            let evidence = found.evidence.as_ref();
            finding = evidence
                .and_then(|evidence| evidence.downcast_ref())
                .cloned();
            if finding.is_none() {
                error = Some(format!("without evidence: {}", found.message()));
            }
        }
        other => error = Some(format!("a verdict that nobody knows: {other:?}")),
    }
    let extent = match cut {
        Some(_) => Extent::Sampled,
        None => Extent::Complete,
    };
    let exploration = Exploration::new(watch, extent, finding);
    Exploration {
        executions: report.executions,
        cut,
        error: error.or_else(|| exploration.error.clone()),
        states: Some(report.states),
        certificate: Some(report.to_string()),
        preemptions,
        steps,
        ..exploration
    }
}

/// What came of following a schedule.
#[derive(Clone, Debug)]
pub(crate) struct Followed {
    /// The one execution.
    pub(crate) exploration: Exploration,
    /// Why it is not the one that was meant, if it is not.
    pub(crate) misfit: Option<String>,
}

/// Makes the one execution of a schedule.
pub(crate) fn follow(request: &Request, schedule: &Schedule) -> Followed {
    let watch = Arc::new(Watch::new(request.executions.clone(), |_, _| {}));
    let replay = builder(request).replay(execution(request, &watch), schedule);
    leave();
    let (mut finding, mut error) = (None, None);
    let misfit = match &replay.outcome {
        Replayed::Violated(found) => {
            let evidence = found.evidence.as_ref();
            finding = evidence
                .and_then(|evidence| evidence.downcast_ref())
                .cloned();
            None
        }
        Replayed::Completed => Some("fits, but breaks nothing any more".to_owned()),
        Replayed::HarnessError(message) => {
            error = Some(message.clone());
            None
        }
        Replayed::Incomplete(why) => Some(format!("comes to no end: {why}")),
        _ => replay
            .misfits
            .first()
            .map(|misfit| format!("no longer fits at {misfit}")),
    };
    Followed {
        exploration: Exploration {
            error,
            ..Exploration::new(&watch, Extent::Sampled, finding)
        },
        misfit,
    }
}
