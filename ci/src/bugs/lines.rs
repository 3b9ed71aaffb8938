//! From the runs of a bug under an engine to the line that says what came of them. Pure.

use nmr_models::engine_name::Engine;
use nmr_models::report::{Bug, RunResult, Twin, Verdict};
use nmr_models::rule::Rule;

use super::subject::Subject;

/// A run that was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Ran {
    /// Which of the subject's cases.
    pub case: usize,
    /// What came of it.
    pub result: RunResult,
    /// Whether the table's own assertions were off.
    pub unchecked: bool,
}

/// How good a result is for a bug of which this rule is expected: the less the better.
fn rank(result: &RunResult, expected: Rule) -> u8 {
    match (result.verdict, result.rule) {
        (Verdict::Violated, Some(rule)) if rule == expected => 0,
        (Verdict::Violated, Some(_)) => 1,
        (Verdict::Violated, None) => 2,
        _ => 3,
    }
}

/// Of a run that ended with an assertion of the table's and of one without them, the one that says more.
#[must_use]
pub fn better(checked: Ran, unchecked: Ran, expected: Rule) -> Ran {
    match rank(&unchecked.result, expected) < rank(&checked.result, expected) {
        true => unchecked,
        false => checked,
    }
}

/// What an engine saw of a bug.
#[must_use]
pub fn bug(subject: &Subject, engine: Engine, tried: &[Ran]) -> Bug {
    let found = tried.iter().filter(|ran| is_violated(ran));
    // The first of the best: nothing depends on how fast something was.
    let best = found
        .clone()
        .min_by_key(|ran| rank(&ran.result, subject.rule));
    let (verdict, message) = outcome(tried, best);
    let counted = match best {
        Some(best) => std::slice::from_ref(best),
        None => tried,
    };
    let counted = counted.iter().map(|ran| &ran.result);
    Bug {
        name: subject.name.clone(),
        place: subject.place.clone(),
        engine,
        found: best.is_some(),
        rule: best.and_then(|best| best.result.rule),
        expected: subject.rule,
        scenarios: found.count() as u64,
        tried: tried.len() as u64,
        executions: counted.clone().map(|result| result.executions).sum(),
        // The sum of none is negative.
        seconds: counted.map(|result| result.seconds).sum::<f64>() + 0.0,
        preemptions: best.and_then(|best| best.result.preemptions),
        scenario: best.map(|best| best.result.scenario.clone()),
        unchecked: best.is_some_and(|best| best.unchecked),
        verdict,
        message,
    }
}

/// What an engine saw of a bug's twin.
#[must_use]
pub fn twin(subject: &Subject, engine: Engine, tried: &[Ran]) -> Twin {
    let flagged = tried.iter().find(|ran| is_violated(ran));
    let (verdict, message) = outcome(tried, flagged);
    Twin {
        name: subject.name.clone(),
        engine,
        flagged: flagged.is_some(),
        rule: flagged.and_then(|ran| ran.result.rule),
        tried: tried.len() as u64,
        scenario: flagged.map(|ran| ran.result.scenario.clone()),
        verdict,
        message,
    }
}

/// Runs in which the harness failed, whatever else was found.
#[must_use]
pub fn troubles(tried: &[Ran]) -> Vec<RunResult> {
    let failed = tried.iter().map(|ran| &ran.result);
    failed
        .filter(|result| result.verdict == Verdict::HarnessError)
        .cloned()
        .collect()
}

fn is_violated(ran: &Ran) -> bool {
    ran.result.verdict == Verdict::Violated
}

/// What was found; or else the gravest of what kept a run from an end.
fn outcome(tried: &[Ran], found: Option<&Ran>) -> (Verdict, String) {
    let kept_by = |verdict| {
        let mut results = tried.iter().map(|ran| &ran.result);
        results.find(|result| result.verdict == verdict)
    };
    let told = found.map(|ran| &ran.result);
    let told = told.or_else(|| kept_by(Verdict::HarnessError));
    let told = told.or_else(|| kept_by(Verdict::Incomplete));
    match told {
        Some(result) if result.verdict == Verdict::Incomplete => {
            let how = result.how.as_deref().unwrap_or("why is not known");
            (result.verdict, format!("{}: {how}", result.scenario))
        }
        Some(result) => (result.verdict, result.message.clone()),
        None if tried.is_empty() => {
            let why = "no scenario was tried: none has room under this engine";
            (Verdict::Incomplete, why.to_owned())
        }
        None => (Verdict::Holds, String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Ran, better, bug, troubles, twin};
    use crate::bugs::samples::{ended, found_by, missed_by, subject};
    use nmr_models::engine_name::Engine;
    use nmr_models::report::{Bug, Twin, Verdict};
    use nmr_models::rule::Rule;

    fn of(tried: &[Ran]) -> Bug {
        bug(&subject(&["two-lives"]), Engine::Explorer, tried)
    }

    #[test]
    fn the_first_scenario_that_names_the_rule_counts() {
        let mut right = found_by(3, Some(6));
        right.result.executions = 40;
        right.result.preemptions = Some(1);
        let line = of(&[
            found_by(0, None),
            missed_by(1),
            found_by(2, Some(16)),
            right,
        ]);
        assert_eq!((line.found, line.rule), (true, Some(Rule::new(6))));
        assert_eq!((line.scenarios, line.tried), (3, 4));
        assert_eq!((line.executions, line.preemptions), (40, Some(1)));
        assert_eq!(line.scenario.as_deref(), Some("scenario-3"));
        assert_eq!(line.verdict, Verdict::Violated);
    }

    #[test]
    fn a_rule_is_better_than_a_crash_and_the_first_one_is_named() {
        let line = of(&[
            found_by(0, None),
            found_by(1, Some(16)),
            found_by(2, Some(10)),
        ]);
        assert_eq!(line.rule, Some(Rule::new(16)));
        assert_eq!(of(&[found_by(0, None)]).rule, None);
    }

    #[test]
    fn what_is_not_found_is_not_said_to_hold_if_a_run_was_kept_from_it() {
        let cut = ended(1, Verdict::Incomplete);
        let failed = ended(2, Verdict::HarnessError);
        let holds = of(&[missed_by(0), missed_by(3)]);
        assert_eq!((holds.found, holds.verdict), (false, Verdict::Holds));
        assert_eq!(
            (holds.executions, holds.seconds),
            (2_468, 1.0),
            "all that were made"
        );
        let short = of(&[missed_by(0), cut.clone()]);
        assert_eq!(short.verdict, Verdict::Incomplete);
        assert_eq!(short.message, "scenario-1: out of time");
        let error = of(&[cut.clone(), failed.clone()]);
        assert_eq!(error.verdict, Verdict::HarnessError);
        assert_eq!(of(&[]).verdict, Verdict::Incomplete);
        let found = of(&[cut, failed.clone(), found_by(3, Some(6))]);
        assert_eq!((found.found, found.verdict), (true, Verdict::Violated));
        assert_eq!(troubles(&[failed.clone(), missed_by(0)]), [failed.result]);
    }

    #[test]
    fn without_the_table_s_assertions_counts_only_if_it_says_more() {
        let off = |ran: Ran| Ran {
            unchecked: true,
            ..ran
        };
        let rule = Rule::new(6);
        let crash = found_by(0, None);
        for (unchecked, is_better) in [
            (found_by(0, Some(6)), true),
            (found_by(0, Some(16)), true),
            (found_by(0, None), false),
            (missed_by(0), false),
        ] {
            let chosen = better(crash.clone(), off(unchecked), rule);
            assert_eq!(chosen.unchecked, is_better);
        }
    }

    #[test]
    fn a_twin_is_flagged_by_a_violation_alone() {
        let of = |tried: &[Ran]| -> Twin { twin(&subject(&[]), Engine::Loom, tried) };
        let flagged = of(&[missed_by(0), found_by(1, Some(7))]);
        assert_eq!((flagged.flagged, flagged.rule), (true, Some(Rule::new(7))));
        assert_eq!(flagged.scenario.as_deref(), Some("scenario-1"));
        let cut = of(&[missed_by(0), ended(1, Verdict::Incomplete)]);
        assert_eq!((cut.flagged, cut.verdict), (false, Verdict::Incomplete));
        assert_eq!(
            (of(&[missed_by(0)]).verdict, of(&[missed_by(0)]).tried),
            (Verdict::Holds, 1)
        );
    }
}
