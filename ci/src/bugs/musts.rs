//! What must be so, and what to do if it is not. Pure.
//!
//! A bug that needs conditions is none without them. Of the explorer: each bug is found, by two scenarios, with its rule by one of them, in 5 s. Of loom and the direct
//! engine: each bug is found that does not say why it cannot be. Of every engine: each bug is found, with its rule, that shows
//! itself in every execution, for a judgement is the same whoever runs what is judged; and no twin is flagged.
//! What else shuttle's schedulers and real threads find is for comparison.

use nmr_models::engine_name::Engine;
use nmr_models::report::{Bug, RunResult, Twin, Verdict};

use super::data::Shows;
use super::hunt::Hunted;
use super::plan::ENOUGH;
use super::subject::Subject;
use crate::exit::Exit;
use crate::words;

/// In how many seconds the explorer has to find a bug.
const SOON: f64 = 5.0;

/// Something that must be so and is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// How grave it is.
    pub verdict: Verdict,
    /// What is wrong, and what to do.
    pub text: String,
}

/// How the command ends.
#[must_use]
pub fn exit(faults: &[Fault], interrupted: bool) -> Exit {
    match interrupted {
        true => Exit::Interrupted,
        false => Exit::of(faults.iter().map(|fault| fault.verdict)),
    }
}

/// What is not as it must be of a bug.
#[must_use]
pub fn faults(subject: &Subject, hunted: &Hunted) -> Vec<Fault> {
    let mut faults = Vec::new();
    for bug in &hunted.bugs {
        match bug.engine {
            Engine::Explorer => faults.extend(explorer(bug)),
            Engine::Direct | Engine::Loom => faults.extend(found_or_excused(subject, bug)),
            _ => {}
        }
        let shows = subject
            .shows
            .filter(|_| subject.excuse(bug.engine).is_none());
        faults.extend(shows.and_then(|shows| everywhere(shows, bug)));
    }
    faults.extend(hunted.twins.iter().filter_map(twin));
    faults.extend(hunted.without.iter().filter_map(without));
    faults.extend(hunted.troubles.iter().map(trouble));
    for fault in &mut faults {
        fault.text = format!("{}: {}", subject.name, fault.text);
    }
    faults
}

fn fault(verdict: Verdict, text: String) -> Fault {
    Fault { verdict, text }
}

fn explorer(bug: &Bug) -> Vec<Fault> {
    if !bug.found {
        return Vec::from_iter(missed(
            bug,
            "add a scenario that shows it, or see whether the diff still does what its story says",
        ));
    }
    let mut faults = Vec::new();
    let mut violated = |text| faults.push(fault(Verdict::Violated, text));
    let scenario = bug.scenario.as_deref().unwrap_or("?");
    if bug.scenarios < ENOUGH as u64 {
        violated(format!(
            "the explorer finds it by one scenario alone ({scenario}): add another one that shows it"
        ));
    }
    if bug.rule != Some(bug.expected) {
        let named = bug
            .rule
            .map_or("a crash".to_owned(), |rule| rule.to_string());
        violated(format!(
            "the explorer finds {named} and never {}: correct its `rule`, or the oracle; it says: {}",
            bug.expected,
            first_line(&bug.message)
        ));
    }
    if bug.seconds > SOON {
        violated(format!(
            "the explorer needs {} to find it by {scenario}, {} are allowed: add a smaller scenario",
            words::time(bug.seconds),
            words::time(SOON)
        ));
    }
    faults
}

/// Of loom and the direct engine, which do not see everything.
fn found_or_excused(subject: &Subject, bug: &Bug) -> Option<Fault> {
    let engine = bug.engine;
    match (subject.excuse(engine), bug.found) {
        (None, true) | (Some(_), false) => None,
        (None, false) => missed(
            bug,
            &format!(
                "name a scenario that {engine} gets through, or say in `{engine}` why there is none"
            ),
        ),
        (Some(why), true) => Some(fault(
            Verdict::Violated,
            format!(
                "{engine} finds it, although it is said that it cannot ({why}): take `{engine}` out"
            ),
        )),
    }
}

/// What every engine has to see is not seen by this one.
fn everywhere(shows: Shows, bug: &Bug) -> Option<Fault> {
    let named = match (bug.verdict, bug.rule) {
        (Verdict::HarnessError, _) => return None,
        (Verdict::Violated, Some(rule)) if rule == bug.expected => return None,
        (Verdict::Violated, Some(rule)) => format!("finds {rule}"),
        (Verdict::Violated, None) => "finds a crash".to_owned(),
        _ => "does not find it".to_owned(),
    };
    let verdict = match bug.verdict {
        Verdict::Incomplete => Verdict::Incomplete,
        _ => Verdict::Violated,
    };
    Some(fault(
        verdict,
        format!(
            "it shows itself {} whoever runs it, as {}, but {} {named}: see where the judgement is lost, or take \
             `shows` out; it says: {}",
            shows.words(),
            bug.expected,
            bug.engine.name(),
            first_line(&bug.message)
        ),
    ))
}

/// A bug that is not found; nothing, if that is because the harness failed, which is told elsewhere.
fn missed(bug: &Bug, then: &str) -> Option<Fault> {
    let engine = match bug.engine {
        Engine::Explorer => "the explorer",
        other => other.name(),
    };
    let tried = words::plural(bug.tried, "scenario");
    match bug.verdict {
        Verdict::HarnessError => None,
        Verdict::Incomplete => Some(fault(
            Verdict::Incomplete,
            format!(
                "{engine} does not find it by {tried}, of which not all came to their end ({}): give \
                 them more time (--budget), or {then}",
                first_line(&bug.message)
            ),
        )),
        _ => Some(fault(
            Verdict::Violated,
            format!("{engine} does not find it by any of {tried}: {then}"),
        )),
    }
}

fn twin(twin: &Twin) -> Option<Fault> {
    let engine = twin.engine;
    match twin.verdict {
        Verdict::Holds | Verdict::HarnessError => None,
        Verdict::Incomplete => Some(fault(
            Verdict::Incomplete,
            format!(
                "its twin was not looked at to the end under {engine} ({}): give it more time (--budget)",
                first_line(&twin.message)
            ),
        )),
        Verdict::Violated => {
            let scenario = twin.scenario.as_deref().unwrap_or("?");
            let rule = twin
                .rule
                .map_or("a crash".to_owned(), |rule| rule.to_string());
            Some(fault(
                Verdict::Violated,
                format!(
                    "its twin is flagged under {engine} by {scenario}, as {rule}: see whether the twin is \
                     correct; if it is, the oracle is not; it says: {}",
                    first_line(&twin.message)
                ),
            ))
        }
    }
}

/// A bug that is one under conditions alone.
fn without(run: &Twin) -> Option<Fault> {
    let engine = run.engine;
    match run.verdict {
        Verdict::Holds | Verdict::HarnessError => None,
        Verdict::Incomplete => Some(fault(
            Verdict::Incomplete,
            format!(
                "without its conditions it was not looked at to the end under {engine} ({}): give it more time (--budget)",
                first_line(&run.message)
            ),
        )),
        Verdict::Violated => Some(fault(
            Verdict::Violated,
            format!(
                "{engine} finds it without its conditions too, by {}: take `conditions` out; it says: {}",
                run.scenario.as_deref().unwrap_or("?"),
                first_line(&run.message)
            ),
        )),
    }
}

fn trouble(result: &RunResult) -> Fault {
    let (scenario, engine) = (&result.scenario, result.engine);
    let text = format!(
        "the harness failed in {scenario} under {engine}: {}",
        first_line(&result.message)
    );
    fault(Verdict::HarnessError, text)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Fault, exit, faults};
    use crate::bugs::data::Shows;
    use crate::bugs::hunt::Hunted;
    use crate::bugs::lines::{self, Ran};
    use crate::bugs::samples::{ended, found_by, missed_by, subject};
    use crate::bugs::subject::Subject;
    use crate::exit::Exit;
    use nmr_models::conditions::Conditions;
    use nmr_models::engine_name::Engine;
    use nmr_models::report::Verdict;

    /// What is wrong if an engine has seen this of the bug, and nothing of the twin.
    fn wrong(subject: &Subject, engine: Engine, tried: &[Ran]) -> Vec<Fault> {
        let hunted = Hunted {
            bugs: vec![lines::bug(subject, engine, tried)],
            twins: vec![lines::twin(subject, engine, &[missed_by(0)])],
            without: Vec::new(),
            troubles: lines::troubles(tried),
        };
        faults(subject, &hunted)
    }

    #[test]
    fn a_bug_that_needs_conditions_is_none_without_them() {
        let subject = Subject {
            conditions: Conditions {
                spurious_wakeups: true,
                ..Conditions::default()
            },
            ..subject(&[])
        };
        let tried = [found_by(0, Some(6)), found_by(1, Some(6))];
        let mut hunted = Hunted {
            bugs: vec![
                lines::bug(&subject, Engine::Explorer, &tried),
                lines::bug(&subject, Engine::Loom, &[]),
            ],
            without: vec![lines::twin(&subject, Engine::Explorer, &[missed_by(0)])],
            ..Hunted::default()
        };
        assert_eq!(faults(&subject, &hunted), []);
        let too_much = lines::twin(&subject, Engine::Explorer, &[found_by(0, Some(6))]);
        hunted.without = vec![too_much];
        let wrong = faults(&subject, &hunted);
        assert_eq!((wrong.len(), exit(&wrong, false)), (1, Exit::Violated));
        assert!(
            wrong[0]
                .text
                .contains("explorer finds it without its conditions too, by scenario-0"),
            "{wrong:?}"
        );
    }

    fn one(tried: &[Ran]) -> (Exit, String) {
        let wrong = wrong(&subject(&[]), Engine::Explorer, tried);
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        (exit(&wrong, false), wrong[0].text.clone())
    }

    #[test]
    fn two_scenarios_and_the_rule_by_one_of_them_are_enough() {
        let tried = [found_by(0, None), missed_by(1), found_by(2, Some(6))];
        let none = wrong(&subject(&[]), Engine::Explorer, &tried);
        assert_eq!(none, []);
        assert_eq!(exit(&none, false), Exit::Holds);
        assert_eq!(exit(&none, true), Exit::Interrupted);
    }

    #[test]
    fn what_the_explorer_misses_is_a_failure() {
        let (exit, text) = one(&[missed_by(0), missed_by(1)]);
        assert_eq!(exit, Exit::Violated);
        let start =
            "stranded-attach: the explorer does not find it by any of 2 scenarios: add a scenario";
        assert!(text.starts_with(start), "{text}");
    }

    #[test]
    fn one_scenario_is_not_enough() {
        let (exit, text) = one(&[missed_by(0), found_by(1, Some(6))]);
        assert_eq!(exit, Exit::Violated);
        assert!(
            text.contains("by one scenario alone (scenario-1)"),
            "{text}"
        );
    }

    #[test]
    fn another_rule_is_not_enough() {
        let (exit, text) = one(&[found_by(0, Some(16)), found_by(1, None)]);
        assert_eq!(exit, Exit::Violated);
        assert!(
            text.ends_with("finds C16 and never C6: correct its `rule`, or the oracle; it says: the threads cannot go on"),
            "{text}"
        );
        assert!(
            one(&[found_by(0, None), found_by(1, None)])
                .1
                .contains("finds a crash and")
        );
    }

    #[test]
    fn more_than_five_seconds_are_too_many() {
        let mut slow = found_by(0, Some(6));
        slow.result.seconds = 7.25;
        let (exit, text) = one(&[slow, found_by(1, None)]);
        assert_eq!(exit, Exit::Violated);
        assert!(
            text.contains("needs 7.2 s to find it by scenario-0, 5.0 s are"),
            "{text}"
        );
    }

    #[test]
    fn not_knowing_is_neither_found_nor_missed() {
        let (exit_of_cut, text) = one(&[missed_by(0), ended(1, Verdict::Incomplete)]);
        assert_eq!(exit_of_cut, Exit::Incomplete);
        assert!(
            text.contains("not all came to their end (scenario-1: out of time)"),
            "{text}"
        );
        let (exit_of_failed, text) = one(&[missed_by(0), ended(1, Verdict::HarnessError)]);
        assert_eq!(exit_of_failed, Exit::Harness);
        assert!(
            text.contains("the harness failed in scenario-1 under explorer: its"),
            "{text}"
        );
        // Also where it is found elsewhere.
        let found = [
            found_by(0, Some(6)),
            found_by(1, Some(6)),
            ended(2, Verdict::HarnessError),
        ];
        assert_eq!(one(&found).0, Exit::Harness);
    }

    #[test]
    fn loom_must_find_what_it_can() {
        let must = subject(&[]);
        let excused = Subject {
            loom: Some("it needs five threads".to_owned()),
            ..subject(&[])
        };
        let (missed, found) = ([missed_by(0)], [found_by(0, None)]);
        assert_eq!(
            wrong(&must, Engine::Loom, &found),
            [],
            "one scenario is enough"
        );
        let text = &wrong(&must, Engine::Loom, &missed)[0].text;
        assert!(
            text.contains("loom does not find it by any of 1 scenario: name"),
            "{text}"
        );
        assert_eq!(wrong(&excused, Engine::Loom, &missed), []);
        let text = &wrong(&excused, Engine::Loom, &found)[0].text;
        assert!(
            text.contains("(it needs five threads): take `loom` out"),
            "{text}"
        );
        assert_eq!(
            wrong(&must, Engine::Pct, &missed),
            [],
            "the others need not"
        );
    }

    #[test]
    fn what_shows_in_every_execution_must_be_found_by_every_engine_with_its_rule() {
        let subject = Subject {
            shows: Some(Shows::End),
            ..subject(&[])
        };
        for engine in Engine::ALL {
            if engine != Engine::Explorer {
                assert_eq!(wrong(&subject, engine, &[found_by(0, Some(6))]), []);
            }
            for (ran, what, code) in [
                (missed_by(0), "does not find it", Exit::Violated),
                (found_by(0, Some(7)), "finds C7", Exit::Violated),
                (found_by(0, None), "finds a crash", Exit::Violated),
                (
                    ended(0, Verdict::Incomplete),
                    "does not find it",
                    Exit::Incomplete,
                ),
            ] {
                let faults = wrong(&subject, engine, &[ran]);
                let expected = format!("at the end whoever runs it, as C6, but {engine} {what}: ");
                assert!(
                    faults.iter().any(|fault| fault.text.contains(&expected)),
                    "{faults:?}"
                );
                assert_eq!(exit(&faults, false), code);
            }
        }
    }

    #[test]
    fn a_twin_that_is_flagged_is_a_failure_under_any_engine() {
        let subject = subject(&[]);
        let of = |ran: Ran| {
            let hunted = Hunted {
                twins: vec![lines::twin(&subject, Engine::Threads, &[ran])],
                ..Hunted::default()
            };
            faults(&subject, &hunted)
        };
        let flagged = of(found_by(1, Some(7)));
        assert_eq!(exit(&flagged, false), Exit::Violated);
        let start = "stranded-attach: its twin is flagged under threads by scenario-1, as C7: see";
        assert!(flagged[0].text.starts_with(start), "{flagged:?}");
        let cut = of(ended(1, Verdict::Incomplete));
        assert_eq!(exit(&cut, false), Exit::Incomplete);
        assert_eq!(of(missed_by(1)), []);
    }
}
