//! The bugs as a person reads them: the table, what was found, what is not as it must be, a summary. Pure.

use std::fmt::Write;

use nmr_models::engine_name::Engine;
use nmr_models::report::{Bug, Twin, Verdict};

use super::hunt::Hunted;
use super::musts::Fault;
use super::subject::Subject;
use crate::style::{self, Cell, Flush, heading, paint, table};
use crate::words;

/// All that is known.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// The bugs that were looked for, as far as it came, and what came of each.
    pub all: &'a [(&'a Subject, Hunted)],
    /// The engines, in order.
    pub engines: &'a [Engine],
    /// What is not as it must be.
    pub faults: &'a [Fault],
    /// Whether to show what was found.
    pub findings: bool,
    /// Wall-clock time, without building.
    pub seconds: f64,
}

/// The whole report.
#[must_use]
pub fn report(report: &Report<'_>) -> String {
    let mut text = rows(report);
    let mut bugs = report.all.iter().flat_map(|(_, hunted)| &hunted.bugs);
    if bugs.any(|bug| bug.unchecked) {
        text.push_str("* without the table's own assertions, one of which comes first\n");
    }
    if report.findings {
        for (subject, hunted) in report.all {
            text.push_str(&findings(subject, hunted));
        }
    }
    if !report.faults.is_empty() {
        text.push('\n');
    }
    for fault in report.faults {
        let verdict = paint(style::of(fault.verdict), word(fault.verdict));
        let _ = writeln!(text, "{verdict}: {}", fault.text);
    }
    text.push('\n');
    text.push_str(&summary(report));
    text
}

/// What a fault is called.
const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Incomplete => "incomplete",
        Verdict::HarnessError => "harness error",
        Verdict::Holds | Verdict::Violated => "failed",
    }
}

fn rows(report: &Report<'_>) -> String {
    let mut columns = vec![Flush::Left, Flush::Left];
    let mut head = vec!["bug", "rule"];
    for engine in report.engines {
        columns.extend([Flush::Left, Flush::Right, Flush::Right]);
        // Executions and time of the others are under no heading of their own: it would be wider than they.
        if *engine == Engine::Explorer {
            head.extend([
                engine.name(),
                "executions",
                "time",
                "scenarios",
                "preemptions",
            ]);
            columns.extend([Flush::Right; 2]);
        } else {
            head.extend([engine.name(), "", ""]);
        }
    }
    head.push("twin");
    columns.push(Flush::Left);
    let mut rows = vec![heading(&head)];
    for (subject, hunted) in report.all {
        let mut row: Vec<Cell> = vec![
            subject.name.as_str().into(),
            subject.rule.to_string().into(),
        ];
        row.extend(hunted.bugs.iter().flat_map(|bug| cells(subject, bug)));
        row.push(twin(&hunted.twins));
        rows.push(row);
    }
    table(&columns, &rows)
}

/// What an engine says of a bug.
fn cells(subject: &Subject, bug: &Bug) -> Vec<Cell> {
    let mut cells = vec![
        found(subject, bug),
        words::count(bug.executions).into(),
        words::time(bug.seconds).into(),
    ];
    if bug.engine == Engine::Explorer {
        let scenarios = format!("{} of {}", words::count(bug.scenarios), bug.tried);
        let preemptions = bug.preemptions.map(|count| words::count(count.into()));
        cells.extend([scenarios.into(), preemptions.unwrap_or_default().into()]);
    }
    cells
}

/// The rule that is named, if the bug is found.
fn found(subject: &Subject, bug: &Bug) -> Cell {
    let missed = match bug.engine {
        engine if subject.excuse(engine).is_some() => Cell::from("cannot"),
        Engine::Explorer | Engine::Loom => Cell::styled("missed", style::BAD),
        _ => Cell::styled("missed", style::OPEN),
    };
    let off = if bug.unchecked { "*" } else { "" };
    match (bug.verdict, bug.rule) {
        (Verdict::Violated, Some(rule)) if rule == bug.expected => {
            Cell::styled(format!("{rule}{off}"), style::GOOD)
        }
        (Verdict::Violated, Some(rule)) => Cell::styled(format!("{rule}{off}"), style::OPEN),
        (Verdict::Violated, None) => Cell::styled(format!("crash{off}"), style::OPEN),
        (Verdict::Holds, _) => missed,
        (other, _) => Cell::styled(word(other), style::OPEN),
    }
}

/// What all engines together say of a twin.
fn twin(twins: &[Twin]) -> Cell {
    let with = |verdict| twins.iter().find(|twin| twin.verdict == verdict);
    let gravest = [
        Verdict::Violated,
        Verdict::HarnessError,
        Verdict::Incomplete,
    ];
    match gravest.into_iter().find_map(with) {
        Some(twin) if twin.flagged => {
            Cell::styled(format!("flagged ({})", twin.engine), style::BAD)
        }
        Some(twin) => Cell::styled(word(twin.verdict), style::of(twin.verdict)),
        // Of a bug that no engine at hand runs there is no twin that was tried.
        None if twins.is_empty() => Cell::styled("not run", style::OPEN),
        None => Cell::styled("holds", style::GOOD),
    }
}

/// The story of a bug, and what the first engine says that finds it.
fn findings(subject: &Subject, hunted: &Hunted) -> String {
    let mut text = format!(
        "\n{}: {}\n",
        paint(style::HEAD, &subject.name),
        subject.place
    );
    for line in subject.story.lines() {
        let _ = writeln!(text, "  {line}");
    }
    if let Some(bug) = hunted.bugs.iter().find(|bug| bug.found) {
        let rule = bug
            .rule
            .map_or("a crash".to_owned(), |rule| rule.to_string());
        let scenario = bug.scenario.as_deref().unwrap_or("?");
        let _ = writeln!(text, "  {rule}: {scenario} under {}", bug.engine);
        for line in bug.message.lines() {
            let _ = writeln!(text, "{}", format!("    {line}").trim_end());
        }
    }
    text
}

fn summary(report: &Report<'_>) -> String {
    let bugs = report.all.len() as u64;
    let found = report.engines.iter().enumerate().map(|(index, engine)| {
        let of_it = report
            .all
            .iter()
            .filter_map(|(_, hunted)| hunted.bugs.get(index));
        let found = of_it.filter(|bug| bug.found).count() as u64;
        let excused = |(subject, hunted): &&(&Subject, Hunted)| {
            let is_found = hunted.bugs.get(index).is_some_and(|bug| bug.found);
            subject.excuse(*engine).is_some() && !is_found
        };
        let of = bugs - report.all.iter().filter(excused).count() as u64;
        let verb = if index == 0 { " finds" } else { "" };
        match found == bugs {
            true => format!("{engine}{verb} {}", words::count(found)),
            false => format!(
                "{engine}{verb} {} of {}",
                words::count(found),
                words::count(of)
            ),
        }
    });
    let found: Vec<String> = found.collect();
    let flagged = |(_, hunted): &&(&Subject, Hunted)| hunted.twins.iter().any(|twin| twin.flagged);
    let flagged = report.all.iter().filter(flagged).count() as u64;
    format!(
        "{} in {}: {}; {} of {} flagged\n",
        words::plural(bugs, "bug"),
        words::time(report.seconds),
        found.join(", "),
        words::count(flagged),
        words::plural(bugs, "twin"),
    )
}

#[cfg(test)]
mod tests {
    use super::{Report, report};
    use crate::bugs::hunt::Hunted;
    use crate::bugs::lines::{self, Ran};
    use crate::bugs::musts;
    use crate::bugs::samples::{ended, found_by, missed_by, subject};
    use crate::bugs::subject::Subject;
    use nmr_models::engine_name::Engine;
    use nmr_models::report::Verdict;

    const ENGINES: [Engine; 3] = [Engine::Explorer, Engine::Loom, Engine::Threads];

    fn named(name: &str) -> Subject {
        Subject {
            name: name.to_owned(),
            ..subject(&[])
        }
    }

    /// By each engine in turn: what it saw of the bug and of the twin.
    fn hunted(subject: &Subject, seen: [(&[Ran], &[Ran]); 3]) -> Hunted {
        let mut hunted = Hunted::default();
        for (engine, (bug, twin)) in ENGINES.into_iter().zip(seen) {
            hunted.bugs.push(lines::bug(subject, engine, bug));
            hunted.twins.push(lines::twin(subject, engine, twin));
            hunted.troubles.extend(lines::troubles(bug));
        }
        hunted
    }

    fn shown(all: &[(&Subject, Hunted)], findings: bool) -> String {
        let faults: Vec<_> = all
            .iter()
            .flat_map(|(subject, hunted)| musts::faults(subject, hunted))
            .collect();
        let text = report(&Report {
            all,
            engines: &ENGINES,
            faults: &faults,
            findings,
            seconds: 61.5,
        });
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn a_mixed_result() {
        let right = || {
            let mut ran = found_by(0, Some(6));
            ran.result.executions = 45;
            ran.result.seconds = 0.004;
            ran.result.preemptions = Some(1);
            ran
        };
        let clean: &[Ran] = &[missed_by(0), missed_by(1)];
        let off = Ran {
            unchecked: true,
            ..right()
        };
        let fine = named("stranded-attach");
        let excused = Subject {
            loom: Some("it needs five threads".to_owned()),
            ..named("five-at-once")
        };
        let wrong = named("forgotten-provider");
        let open = named("lost-wakeup");
        let all = [
            (
                &fine,
                hunted(
                    &fine,
                    [
                        (&[right(), found_by(1, Some(16)), missed_by(2)], clean),
                        (&[right()], clean),
                        (clean, clean),
                    ],
                ),
            ),
            (
                &excused,
                hunted(
                    &excused,
                    [
                        (&[off, right()], clean),
                        (clean, clean),
                        (&[right()], clean),
                    ],
                ),
            ),
            (
                &wrong,
                hunted(
                    &wrong,
                    [
                        (&[found_by(0, None)], clean),
                        (&[right()], &[found_by(3, Some(7))]),
                        (&[right()], clean),
                    ],
                ),
            ),
            (
                &open,
                hunted(
                    &open,
                    [
                        (&[missed_by(0), ended(1, Verdict::Incomplete)], clean),
                        (&[ended(0, Verdict::HarnessError)], clean),
                        (clean, &[ended(0, Verdict::Incomplete)]),
                    ],
                ),
            ),
        ];
        insta::assert_snapshot!(shown(&all, false));
    }

    #[test]
    fn what_was_found_is_shown_when_it_is_asked_for_by_name() {
        let bug = named("stranded-attach");
        let found: &[Ran] = &[found_by(0, Some(6)), found_by(1, Some(6))];
        let clean: &[Ran] = &[missed_by(0)];
        let all = [(
            &bug,
            hunted(&bug, [(found, clean), (found, clean), (clean, clean)]),
        )];
        insta::assert_snapshot!(shown(&all, true));
    }
}
