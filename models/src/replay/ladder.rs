//! Four rungs, each of which is climbed only if the one below does not reproduce the case: its schedule exactly; aligned
//! with the code as it is; the schedules near it; every schedule of its scenario. What was found without threads has the
//! path of its critical sections in the place of a schedule: that is made again on threads, and has to be the same.

use super::{Replayed, Verdict};
use crate::case::Case;
use crate::direct::Program;
use crate::engine::along::{self, Tied};
use crate::engine::explorer::{self, Followed};
use crate::engine::{Exploration, Request, explore};
use crate::render::rows;
use crate::run::Finding;

/// Executions in the neighbourhood of a schedule, the two that align it included. Measured for three and four threads of
/// three operations each: 0.9 s to 2.4 s, on two cores shared with a build.
const NEIGHBOURS: u64 = 2_000;

/// What came of the rungs below, if they did not reproduce the case.
#[derive(Default)]
struct Made {
    executions: u64,
    /// The execution of its schedule, where that breaks another rule.
    another: Option<Followed>,
}

/// Replays a case.
pub(super) fn climb(case: &Case, request: &Request) -> Replayed {
    let mut made = Made::default();
    let replayed = along_its_sections(case, request, &mut made);
    let replayed = replayed.or_else(|| along_its_schedule(case, request, &mut made));
    let mut replayed = replayed.unwrap_or_else(|| through_the_scenario(case, request));
    replayed.executions += made.executions;
    match (&replayed.verdict, made.another) {
        // A search that was cut short says less than what was seen before it.
        (Verdict::NotReproduced { .. }, Some(another)) => Replayed {
            executions: replayed.executions,
            ..followed(case, another, Verdict::BreaksAnotherRule)
        },
        _ => replayed,
    }
}

/// The first rung of what was found without threads, and no other one.
pub(super) fn along_its_sections_alone(case: &Case, request: &Request) -> Option<Replayed> {
    let mut made = Made::default();
    let replayed = along_its_sections(case, request, &mut made)?;
    Some(Replayed {
        executions: replayed.executions + made.executions,
        ..replayed
    })
}

/// The first rung of what was found without threads; `None` if the code is another one by now, or lets go of something on
/// threads that is not there without them.
fn along_its_sections(case: &Case, request: &Request, made: &mut Made) -> Option<Replayed> {
    let sections = case.sections.as_ref()?;
    let program = Program::new(&request.scenario)
        .dropping_at_once(sections.drops_at_once())
        .waking_spuriously(request.conditions.spurious_wakeups);
    let path = sections.path(&request.scenario);
    if !program.has(&path) {
        return None;
    }
    let Tied {
        followed: execution,
        difference,
        by_a_drop,
    } = along::follow(request, &program, &path);
    made.executions += 1;
    if by_a_drop {
        return None;
    }
    if let Some(why) = execution.error.clone().or(difference) {
        let why = format!("the execution without threads is another one on threads: {why}");
        return Some(Replayed::of(case, Verdict::HarnessError { why }));
    }
    let finding = execution.finding.as_ref()?;
    if finding.rule != case.rule {
        return None;
    }
    // Its registrar had all interfaces under one monitor, as there is one table without threads: now as it is.
    let (tried, near) = explorer::search_near(request, &execution.schedule, case.rule, NEIGHBOURS);
    made.executions += tried;
    let shown = near.unwrap_or(execution);
    Some(followed(case, shown, Verdict::Reproduces))
}

/// The first three rungs.
fn along_its_schedule(case: &Case, request: &Request, made: &mut Made) -> Option<Replayed> {
    let schedule = case.schedule()?;
    let exact = explorer::follow(request, &schedule);
    made.executions += 1;
    if let Some(why) = exact.error {
        return Some(Replayed::of(case, Verdict::HarnessError { why }));
    }
    let is_it = |finding: &Finding| finding.rule == case.rule;
    if exact.misfits.is_empty() && exact.finding.as_ref().is_some_and(is_it) {
        return Some(followed(case, exact, Verdict::Reproduces));
    }
    let misfit = exact.misfits.first().cloned();
    let breaks_another = exact
        .finding
        .as_ref()
        .is_some_and(|finding| !is_it(finding));
    made.another = breaks_another.then_some(exact);
    let (tried, near) = explorer::search_near(request, &schedule, case.rule, NEIGHBOURS);
    made.executions += tried;
    let near = near?;
    // The first two are the schedule itself.
    let verdict = match misfit {
        Some(misfit) if tried <= 2 => Verdict::ReproducesAfterRealignment {
            at: misfit.to_string(),
        },
        _ => Verdict::ReproducesElsewhere,
    };
    Some(followed(case, near, verdict))
}

fn followed(case: &Case, followed: Followed, verdict: Verdict) -> Replayed {
    let schedule = followed.schedule.condensed().into();
    broken(case, followed.finding, schedule, verdict)
}

fn broken(
    case: &Case,
    finding: Option<Finding>,
    schedule: Vec<String>,
    verdict: Verdict,
) -> Replayed {
    let replayed = Replayed::of(case, verdict);
    match finding {
        None => replayed,
        Some(finding) => Replayed {
            broken: finding.rule,
            interleaving: rows(&case.scenario, &finding.history),
            message: finding.message,
            schedule,
            ..replayed
        },
    }
}

/// The last rung. A violation of another rule is told only if the case's own is nowhere to be found.
fn through_the_scenario(case: &Case, request: &Request) -> Replayed {
    let first = explore(request, |_| {});
    let is_another = |one: &Exploration| {
        let finding = one.finding.as_ref();
        finding.is_some_and(|finding| finding.rule != case.rule)
    };
    if !is_another(&first) {
        return explored(case, first);
    }
    let own = explorer::explore_for(request, case.rule);
    let executions = first.executions + own.executions;
    let replayed = match own.finding {
        Some(_) => explored(case, own),
        None => broken(
            case,
            first.finding,
            first.schedule,
            Verdict::BreaksAnotherRule,
        ),
    };
    Replayed {
        executions,
        ..replayed
    }
}

fn explored(case: &Case, exploration: Exploration) -> Replayed {
    let verdict = match &exploration {
        Exploration {
            finding: Some(_), ..
        } => Verdict::ReproducesElsewhere,
        Exploration {
            error: Some(error), ..
        } => Verdict::HarnessError { why: error.clone() },
        Exploration { cut: Some(cut), .. } => Verdict::NotReproduced { why: cut.clone() },
        _ => Verdict::Fixed {
            states: exploration.states,
        },
    };
    let replayed = broken(case, exploration.finding, exploration.schedule, verdict);
    Replayed {
        executions: exploration.executions,
        ..replayed
    }
}
