//! A case, repeated: follows its schedule or, where that cannot be done or fits no more, explores the
//! case's scenario again.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use crate::case::Case;
use crate::engine::{Exploration, Request, explore};
use crate::render::interleaving;
use crate::report::{Build, Engine, Rule};

/// The time for exploring a case's scenario again.
const BUDGET: Duration = Duration::from_secs(60);

/// What a replay has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// For people. The same case and program give the same text.
    pub text: String,
    /// 1 if the rule broke again, 0 if the search ended without that, 3 if it was cut short, 4 if the
    /// harness failed.
    pub exit: u8,
}

/// The build that can repeat a case: that of its engine, except that real threads cannot be told
/// what to do, so that shuttle looks for their findings.
#[must_use]
pub const fn build(case: &Case) -> Build {
    match case.engine {
        Engine::Threads => Build::Shuttle,
        engine => engine.build(),
    }
}

/// Repeats a case. `end` is called, and must end the process, where the engine cannot be left.
pub fn replay(case: &Case, end: impl Fn(Replayed) + Send + Sync + 'static) -> Replayed {
    let engine = match case.engine {
        Engine::Threads => Engine::Random,
        engine => engine,
    };
    let request = Request {
        scenario: Arc::new(case.scenario.clone()),
        engine,
        seed: case.seed.unwrap_or(0),
        budget: BUDGET,
        executions: Arc::default(),
        search: Default::default(),
    };
    let mut text = heading(case);
    if let Some(replayed) = follow(case, &request, &mut text) {
        return replayed;
    }
    let explored = explore(&request, {
        let (case, text) = (case.clone(), text.clone());
        move |exploration| end(told(&case, &exploration, text.clone()))
    });
    told(case, &explored, text)
}

fn heading(case: &Case) -> String {
    let rule = case.rule.map_or("a crash".to_owned(), named);
    format!(
        "case: {} under {}, found in execution {}: {rule}\n\n",
        case.scenario.name, case.engine, case.executions
    )
}

fn named(rule: Rule) -> String {
    format!("{rule} ({})", rule.title())
}

/// Follows the schedule, if there is one and this build can. `None`: explore instead; `text` says
/// why.
#[cfg(shuttle)]
fn follow(case: &Case, request: &Request, text: &mut String) -> Option<Replayed> {
    if case.has_words() {
        return follow_words(case, request, text);
    }
    let steps = case.steps().unwrap_or_default();
    if steps.is_empty() {
        *text += "It has no schedule to follow: its scenario is explored instead.\n\n";
        return None;
    }
    let replay = crate::engine::shuttle::replay(request, &steps);
    let again = replay.exploration.finding.as_ref();
    let same_rule = again.is_some_and(|finding| finding.rule == case.rule);
    if same_rule && replay.misfit.is_none() {
        return Some(told(case, &replay.exploration, text.clone()));
    }
    let why = match replay.misfit {
        Some(step) => format!("no longer fits at step {step}"),
        None => "fits, but breaks nothing any more".to_owned(),
    };
    let _ = write!(
        text,
        "Its schedule {why}: its scenario is explored instead.\n\n"
    );
    None
}

/// Follows the explorer's schedule.
#[cfg(shuttle)]
fn follow_words(case: &Case, request: &Request, text: &mut String) -> Option<Replayed> {
    let schedule = nmr_explorer::Schedule::try_from(case.schedule.clone()).ok()?;
    let followed = crate::engine::explorer::follow(request, &schedule);
    let again = followed.exploration.finding.as_ref();
    let is_it = again.is_some_and(|finding| finding.rule == case.rule);
    if is_it && followed.misfit.is_none() {
        return Some(told(case, &followed.exploration, text.clone()));
    }
    let why = match (followed.misfit, again, &followed.exploration.error) {
        (Some(misfit), ..) => misfit,
        (None, _, Some(error)) => format!("cannot be followed: {error}"),
        (None, Some(_), None) => "fits, and breaks another rule".to_owned(),
        (None, None, None) => "fits, but breaks nothing any more".to_owned(),
    };
    let _ = write!(
        text,
        "Its schedule {why}: its scenario is explored instead.\n\n"
    );
    None
}

/// Follows nothing: this build's engine makes the same search again.
#[cfg(not(shuttle))]
fn follow(_case: &Case, _request: &Request, _text: &mut String) -> Option<Replayed> {
    None
}

fn told(case: &Case, exploration: &Exploration, mut text: String) -> Replayed {
    let Some(finding) = &exploration.finding else {
        let executions = exploration.executions;
        let (exit, how) = match (&exploration.error, &exploration.cut) {
            (Some(error), _) => (4, format!("the harness failed: {error}")),
            (None, Some(cut)) => (
                3,
                format!("not reproduced, but the search is incomplete: {cut}"),
            ),
            (None, None) => (0, format!("not reproduced in {executions} executions")),
        };
        let _ = writeln!(text, "{how}");
        return Replayed { text, exit };
    };
    text += &interleaving(&case.scenario, &finding.history);
    let rule = finding.rule.map_or("crash".to_owned(), named);
    let _ = writeln!(text, "\nviolated {rule}: {}", finding.message);
    if finding.rule != case.rule {
        text += "This is not the rule that the case was saved for.\n";
    }
    Replayed { text, exit: 1 }
}
