//! A check as a person reads it: table, findings, rule coverage, summary. Pure.

use std::fmt::Write;

use anstyle::Style;
use nmr_models::report::{Coverage, RunResult, Summary, Verdict};

use super::tally::{Frame, Tally};
use crate::style::{self, Cell, Flush, heading, paint, table};
use crate::words;

/// The whole report.
#[must_use]
pub fn report(tally: &Tally, frame: Frame<'_>) -> String {
    let mut text = results(&tally.results);
    text.push_str(&notes(&tally.results));
    for result in &tally.results {
        if !result.message.is_empty() {
            text.push('\n');
            text.push_str(&finding(result));
        }
    }
    text.push('\n');
    text.push_str(&coverage(tally, frame.whole));
    text.push('\n');
    text.push_str(&summary(&tally.summary(frame)));
    text
}

fn results(results: &[RunResult]) -> String {
    let columns = [
        Flush::Left,
        Flush::Left,
        Flush::Left,
        Flush::Right,
        Flush::Right,
        Flush::Right,
    ];
    let mut rows = vec![heading(&[
        "scenario",
        "engine",
        "verdict",
        "executions",
        "states",
        "time",
    ])];
    rows.extend(results.iter().map(|result| {
        vec![
            result.scenario.as_str().into(),
            result.engine.name().into(),
            Cell::styled(words::verdict(result), style::of(result.verdict)),
            words::count(result.executions).into(),
            result.states.map(words::count).unwrap_or_default().into(),
            words::time(result.seconds).into(),
        ]
    }));
    table(&columns, &rows)
}

/// What a run has to tell, and how to see it again.
#[must_use]
pub fn finding(result: &RunResult) -> String {
    let verdict = paint(style::of(result.verdict), &words::verdict(result));
    let mut text = format!("{verdict}: {} under {}\n", result.scenario, result.engine);
    for line in result.message.lines() {
        let _ = writeln!(text, "{}", format!("  {line}").trim_end());
    }
    if let Some(case) = &result.case {
        let path = words::path(case);
        let _ = writeln!(text, "  case:   {path}\n  replay: cargo nmr replay {path}");
    }
    text
}

/// What a scenario leaves over, if there is only one: the suite has scenarios that end so on purpose, and
/// nobody who asks for all of them wants to hear that each time.
fn notes(results: &[RunResult]) -> String {
    let holding = results
        .iter()
        .filter(|result| result.verdict == Verdict::Holds);
    let holding: Vec<&RunResult> = holding.collect();
    let [first, rest @ ..] = results else {
        return String::new();
    };
    if rest.iter().any(|result| result.scenario != first.scenario) {
        return String::new();
    }
    let mut engines: Vec<(&str, Vec<&str>)> = Vec::new();
    for result in &holding {
        for note in &result.notes {
            let engine = result.engine.name();
            match engines.iter_mut().find(|(other, _)| other == note) {
                Some((_, by)) => by.push(engine),
                None => engines.push((note, vec![engine])),
            }
        }
    }
    let mut text = String::new();
    for (note, by) in engines {
        let _ = match by.len() == holding.len() {
            true => writeln!(text, "note: {note}"),
            false => writeln!(text, "note (by {}): {note}", by.join(", ")),
        };
    }
    text
}

fn coverage(tally: &Tally, whole: bool) -> String {
    let mut rows = vec![heading(&["rule", "", "exercised"])];
    // Of a part of the suite the rules that are not always in force are shown where they were.
    let is_shown = |it: &Coverage| whole || it.rule.is_of_the_contract() || it.exercised > 0;
    rows.extend(tally.coverage().filter(is_shown).map(|coverage| {
        let exercised = match coverage.exercised {
            // In a part of the suite that is nothing to look into.
            0 if whole => Cell::styled("never", style::OPEN),
            0 => "never".into(),
            times => words::count(times).into(),
        };
        let rule = coverage.rule;
        vec![rule.to_string().into(), rule.title().into(), exercised]
    }));
    let mut text = table(&[Flush::Left, Flush::Left, Flush::Right], &rows);
    let never = tally.never_exercised();
    if whole && !never.is_empty() {
        let names: Vec<String> = never.iter().map(ToString::to_string).collect();
        let names = names.join(", ");
        let _ = writeln!(
            text,
            "No scenario exercises {names}: the suite says nothing of it, and is incomplete."
        );
    }
    text
}

fn summary(summary: &Summary) -> String {
    let counts = [
        (summary.holds, ["holds", "hold"], Style::new()),
        (summary.violated, ["violated"; 2], style::BAD),
        (summary.incomplete, ["incomplete"; 2], style::OPEN),
        (
            summary.harness_errors,
            ["harness error", "harness errors"],
            style::OPEN,
        ),
    ];
    let counts = counts.into_iter().filter(|(count, _, _)| *count > 0);
    let counts: Vec<String> = counts
        .map(|(count, [one, more], style)| {
            let word = if count == 1 { one } else { more };
            paint(style, &format!("{} {word}", words::count(count)))
        })
        .collect();
    let counts = if counts.is_empty() {
        "nothing ended".to_owned()
    } else {
        counts.join(", ")
    };
    let left_out: Vec<&str> = summary.left_out.iter().map(|it| it.name()).collect();
    let why = match summary.c_modules {
        true => "do not run modules in C",
        false => "cannot be told to",
    };
    let left_out = match left_out.is_empty() {
        true => String::new(),
        false => format!("; not run, as they {why}: {}", left_out.join(", ")),
    };
    let switched = match summary.c_modules {
        true => "; C modules: switched at registrar calls only",
        false => "",
    };
    format!(
        "{} of {} in {}: {counts}; seed {}{}{switched}{left_out}\n",
        words::plural(summary.runs, "run"),
        words::plural(summary.scenarios, "scenario"),
        words::time(summary.seconds),
        summary.seed,
        words::conditions(summary.conditions),
    )
}

#[cfg(test)]
mod tests {
    use super::report;
    use crate::check::samples::{everything_exercised, frame, holds, outcome, violated};
    use crate::check::tally::{Frame, Tally};
    use nmr_models::conditions::Conditions;
    use nmr_models::engine_name::Engine;
    use nmr_models::report::{Extent, RunResult, Verdict};

    fn plain(tally: &Tally, frame: Frame<'_>) -> String {
        anstream::adapter::strip_str(&report(tally, frame)).to_string()
    }

    #[test]
    fn conditions_are_told_and_who_does_not_know_them() {
        let mut tally = Tally::default();
        tally.add(everything_exercised(holds()));
        let hard = Frame {
            conditions: Conditions {
                spurious_wakeups: true,
                complete_any: true,
            },
            left_out: &[Engine::Loom, Engine::Threads],
            ..frame()
        };
        let text = plain(&tally, hard);
        let told = "; seed 7; with spurious wake-ups, completions in any order; not run, as they cannot be told to: \
                    loom, threads\n";
        assert!(text.ends_with(told), "{text}");
    }

    #[test]
    fn modules_in_c_are_told_and_who_does_not_run_them() {
        let mut tally = Tally::default();
        tally.add(everything_exercised(holds()));
        let in_c = Frame {
            has_c_modules: true,
            left_out: &[Engine::Loom],
            ..frame()
        };
        let text = plain(&tally, in_c);
        let told = "; seed 7; C modules: switched at registrar calls only; not run, as they do not run modules in C: loom\n";
        assert!(text.ends_with(told), "{text}");
    }

    #[test]
    fn a_mixed_check() {
        let mut tally = Tally::default();
        let mut explored = holds();
        explored.engine = Engine::Explorer;
        explored.states = Some(1_022);
        tally.add(everything_exercised(explored.clone()));
        tally.add(outcome(holds(), &[]));
        tally.add(outcome(violated(), &[(7, 17)]));
        explored.scenario = "three-thread-life-cycle".to_owned();
        explored.verdict = Verdict::Incomplete;
        explored.how = Some("20s were over".to_owned());
        tally.add(outcome(explored, &[]));
        let mut bounded = holds();
        bounded.scenario = "three-thread-life-cycle".to_owned();
        bounded.extent = Extent::Bounded;
        bounded.how = Some("preemptions ≤ 2".to_owned());
        tally.add(outcome(bounded.clone(), &[]));
        bounded.engine = Engine::Threads;
        bounded.verdict = Verdict::HarnessError;
        bounded.message = "its worker printed a malformed line".to_owned();
        tally.add(outcome(bounded, &[]));
        insta::assert_snapshot!(plain(
            &tally,
            Frame {
                scenarios: 2,
                ..frame()
            }
        ));
    }

    fn noting(scenario: &str, engine: Engine, notes: &[&str]) -> RunResult {
        RunResult {
            scenario: scenario.to_owned(),
            engine,
            notes: notes.iter().map(ToString::to_string).collect(),
            ..holds()
        }
    }

    fn notes_in(results: &[RunResult]) -> Vec<String> {
        let mut tally = Tally::default();
        for result in results {
            tally.add(outcome(result.clone(), &[]));
        }
        let text = plain(&tally, frame());
        let notes = text.lines().filter(|line| line.starts_with("note"));
        notes.map(str::to_owned).collect()
    }

    #[test]
    fn the_notes_of_one_scenario_come_once_with_the_engines_where_they_differ() {
        let results = [
            noting("one", Engine::Explorer, &["c is left", "p is left"]),
            noting("one", Engine::Pct, &["c is left"]),
        ];
        let expected = ["note: c is left", "note (by explorer): p is left"];
        assert_eq!(notes_in(&results), expected);
    }

    #[test]
    fn the_notes_of_several_scenarios_are_for_machines() {
        let results = ["one", "two"].map(|name| noting(name, Engine::Pct, &["c is left"]));
        assert_eq!(notes_in(&results), [""; 0]);
    }

    #[test]
    fn a_suite_that_leaves_rules_out() {
        let mut tally = Tally::default();
        tally.add(outcome(holds(), &[(1, 5)]));
        let text = plain(&tally, frame());
        let never = "No scenario exercises C2, C3, C4,";
        assert!(text.contains(never), "{text}");
        let row = ["C2", "once", "never"];
        let has_row = |text: &str| text.lines().any(|line| line.split_whitespace().eq(row));
        assert!(has_row(&text), "{text}");
        let last = text.lines().last().unwrap_or_default();
        assert_eq!(last, "1 run of 1 scenario in 1 min 1 s: 1 holds; seed 7");

        let part = Frame {
            whole: false,
            ..frame()
        };
        let text = plain(&tally, part);
        assert!(
            has_row(&text) && !text.contains("No scenario"),
            "a part may leave rules out: {text}"
        );
    }
}
