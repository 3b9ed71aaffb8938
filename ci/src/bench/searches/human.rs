//! A benchmark as a person reads it: the table, what went wrong, which targets are met. Pure.

use nmr_explorer::Reduction;
use nmr_models::engine_name::BenchEngine;
use nmr_models::report::{Bench, Verdict};

use super::targets::{Status, Target, targets};
use super::words::{fraction, is_off, verdict};
use crate::style::{self, Cell, Flush, heading, paint, table};
use crate::words;

/// The whole report.
pub(super) fn report(results: &[Bench]) -> String {
    let mut text = rows(results);
    for row in results {
        if let (true, Some(how)) = (has_failed(row), &row.how) {
            text.push_str(&failure(row, how));
        }
    }
    let targets = targets(results);
    if !targets.is_empty() {
        text.push('\n');
        text.push_str(&comparison(&targets));
    }
    text
}

const fn has_failed(row: &Bench) -> bool {
    matches!(row.verdict, Verdict::Violated | Verdict::HarnessError)
}

fn rows(results: &[Bench]) -> String {
    let columns = [
        Flush::Left,
        Flush::Left,
        Flush::Left,
        Flush::Right,
        Flush::Right,
        Flush::Right,
        Flush::Left,
    ];
    let mut rows = vec![heading(&[
        "program",
        "engine",
        "verdict",
        "executions",
        "states",
        "time",
        "compared",
    ])];
    rows.extend(results.iter().map(|row| {
        // Without this reduction none are kept.
        let keeps = |&_: &u64| !is_off(row, Reduction::VisitedStates);
        let states = row.states.filter(keeps);
        vec![
            row.program.as_str().into(),
            engine(row).into(),
            Cell::styled(verdict(row), style::of(row.verdict)),
            words::count(row.executions).into(),
            states.map(words::count).unwrap_or_default().into(),
            words::time(row.seconds).into(),
            compared(row, results).into(),
        ]
    }));
    table(&columns, &rows)
}

/// The engine, and how it was set.
fn engine(row: &Bench) -> String {
    let mut text = row.engine.to_string();
    if row.workers > 1 {
        text.push_str(&format!(", {} workers", row.workers));
    }
    if row.engine == BenchEngine::Direct {
        if !row.without.is_empty() {
            text.push_str(&format!(", without {}", row.without.join(", ")));
        }
        return text;
    }
    let all = Reduction::ALL.into_iter();
    let (off, on): (Vec<_>, Vec<_>) = all.partition(|&one| is_off(row, one));
    let names = |some: &[Reduction]| {
        let names = some.iter().map(|one| one.name());
        names.collect::<Vec<_>>().join(", ")
    };
    match (off.len(), on.len()) {
        (0, _) => {}
        (_, 0) => text.push_str(", no reduction"),
        (off_count, on_count) if off_count > on_count => {
            text.push_str(&format!(", only {}", names(&on)));
        }
        _ => text.push_str(&format!(", without {}", names(&off))),
    }
    text
}

fn failure(row: &Bench, how: &str) -> String {
    let verdict = paint(style::of(row.verdict), &verdict(row));
    let mut text = format!("\n{verdict}: {} under {}\n", row.program, engine(row));
    for line in how.lines() {
        text.push_str(format!("  {line}").trim_end());
        text.push('\n');
    }
    text
}

/// The row of the direct engine next to the explorer's on the same program, and the explorer's next to that of another
/// engine.
fn compared(row: &Bench, all: &[Bench]) -> String {
    if row.engine == BenchEngine::Direct {
        return next_to_the_explorer(row, all);
    }
    let mut others = all.iter().filter(|other| {
        let is_other = !matches!(other.engine, BenchEngine::Direct | BenchEngine::Explorer);
        other.program == row.program && is_other && !has_failed(other)
    });
    let Some(other) = others.next() else {
        return String::new();
    };
    match (row.engine, other.engine) {
        (BenchEngine::Explorer, BenchEngine::Dfs) if !has_failed(row) => {
            let rate = |row: &Bench| row.executions as f64 / row.seconds.max(1e-9);
            format!("{:.2} × dfs's executions a second", rate(row) / rate(other))
        }
        (BenchEngine::Explorer, BenchEngine::Loom) if row.verdict == Verdict::Holds => {
            // What a search that was cut short needs is more than it has used.
            let less = match other.verdict {
                Verdict::Holds => "",
                _ => "less than ",
            };
            format!(
                "{less}{} of loom's executions, {} of its time",
                fraction(row.executions as f64, other.executions as f64),
                fraction(row.seconds, other.seconds)
            )
        }
        _ => String::new(),
    }
}

fn next_to_the_explorer(row: &Bench, all: &[Bench]) -> String {
    let rate = |row: &Bench| row.states.unwrap_or_default() as f64 / row.seconds.max(1e-9);
    let per_second = format!("{} states a second", words::count(rate(row) as u64));
    let mut others = all.iter();
    let other = others.find(|other| {
        other.program == row.program && other.engine == BenchEngine::Explorer && !has_failed(other)
    });
    match other {
        Some(other) if row.verdict == Verdict::Holds => {
            let less = match other.verdict {
                Verdict::Holds => "",
                _ => "less than ",
            };
            let part = fraction(row.seconds, other.seconds);
            format!("{per_second}, {less}{part} of the explorer's time")
        }
        _ => per_second,
    }
}

fn comparison(targets: &[Target]) -> String {
    let rows: Vec<Vec<Cell>> = targets
        .iter()
        .map(|target| {
            let (met, style) = match target.status {
                Status::Met => ("met", style::GOOD),
                Status::Missed => ("not met", style::BAD),
                Status::Unknown => ("not known", style::OPEN),
            };
            vec![
                target.program.into(),
                format!("asked: {}", target.goal).into(),
                format!("measured: {}", target.measured).into(),
                Cell::styled(met, style),
            ]
        })
        .collect();
    table(&[Flush::Left; 4], &rows)
}

#[cfg(test)]
mod tests {
    use super::report;
    use crate::bench::searches::samples::{bench, cut};
    use nmr_models::engine_name::BenchEngine::{Dfs, Explorer, Loom};
    use nmr_models::report::{Bench, Verdict};

    fn without(row: Bench, off: &[&str]) -> Bench {
        Bench {
            without: off.iter().map(|&name| name.to_owned()).collect(),
            before_restart: Some(0),
            ..row
        }
    }

    #[test]
    fn a_mixed_benchmark() {
        let all = [
            "visible-operations",
            "visited-states",
            "forgetting",
            "symmetry",
            "lock-aware",
        ];
        let made = "100000 executions were made";
        let read_only = |executions| bench("read-only-sections", Explorer, executions, 0.001);
        let results = [
            bench("two-lives", Explorer, 47, 0.004),
            bench("two-lives", Loom, 4_747, 0.9),
            bench("three-lives", Explorer, 1_601, 0.09),
            cut(bench("three-lives", Loom, 300_000, 30.0), "30s were over"),
            Bench {
                workers: 2,
                ..cut(
                    bench("four-lives", Explorer, 400_000, 30.0),
                    "30s were over",
                )
            },
            bench("read-only-sections", Loom, 24, 0.001),
            without(read_only(18), &all[2..]),
            without(read_only(1), &all[1..2]),
            without(cut(bench("small", Explorer, 100_000, 1.25), made), &all),
            cut(bench("small", Dfs, 100_000, 1.0), made),
            Bench {
                verdict: Verdict::Violated,
                how: Some("C7: c was asked to detach twice\nby t1".to_owned()),
                ..bench("chain", Explorer, 12, 0.2)
            },
        ];
        let text = report(&results);
        insta::assert_snapshot!(anstream::adapter::strip_str(&text).to_string());
    }

    #[test]
    fn a_benchmark_that_was_stopped_at_once_is_a_heading() {
        assert_eq!(report(&[]).lines().count(), 1);
    }
}
