//! A run over programs as a person reads it. Pure.

use std::fmt::Write;

use nmr_models::prove::report::{Broken, Summary};
use nmr_models::report::{Coverage, Verdict};
use nmr_models::shard::Shard;

use crate::style::{self, BAD, Cell, Flush, heading, paint, table};
use crate::words;

/// What broke, and how to see it again.
pub(super) fn broken(broken: &Broken) -> String {
    let rule = match broken.rule {
        Some(rule) => rule.to_string(),
        None => "(crash)".to_owned(),
    };
    let verdict = paint(BAD, &format!("violated {rule}"));
    let mut text = format!(
        "{verdict}, first by program {}; made small:\n",
        words::count(broken.program)
    );
    for line in broken.message.lines() {
        let _ = writeln!(text, "{}", format!("  {line}").trim_end());
    }
    if let Some(case) = &broken.case {
        let path = words::path(case);
        let _ = writeln!(text, "  case:   {path}\n  replay: cargo nmr replay {path}");
    }
    text
}

/// What is told at the end.
pub(super) fn report(coverage: &[Coverage], summary: &Summary) -> String {
    let mut rows = vec![heading(&["rule", "", "exercised"])];
    rows.extend(coverage.iter().map(|coverage| {
        let exercised: Cell = match coverage.exercised {
            0 => "never".into(),
            times => words::count(times).into(),
        };
        let rule = coverage.rule;
        vec![rule.to_string().into(), rule.title().into(), exercised]
    }));
    let mut text = table(&[Flush::Left, Flush::Left, Flush::Right], &rows);
    text.push('\n');
    if let Some(certificate) = &summary.certificate {
        let _ = writeln!(text, "certificate: {certificate}");
    }
    text.push_str(&last_line(summary));
    text
}

fn last_line(summary: &Summary) -> String {
    let Summary {
        programs,
        programs_in_share,
        ..
    } = summary;
    let done = match programs == programs_in_share {
        true => words::plural(*programs, "program"),
        false => format!(
            "{} of {}",
            words::count(*programs),
            words::plural(*programs_in_share, "program")
        ),
    };
    let share = match summary.shard == Shard::WHOLE {
        true => String::new(),
        false => format!(", shard {}", summary.shard),
    };
    format!(
        "size {}{share}: {done}, {}, {} in {}: {}{}\n",
        summary.size,
        words::plural(summary.states, "state"),
        words::plural(summary.transitions, "transition"),
        words::time(summary.seconds),
        paint(style::of(summary.verdict), &verdict(summary)),
        words::conditions(summary.conditions),
    )
}

fn verdict(summary: &Summary) -> String {
    let how = summary.how.as_deref().unwrap_or("why is not known");
    match summary.verdict {
        Verdict::Holds => "all hold".to_owned(),
        Verdict::Violated => {
            let verb = if summary.violated == 1 {
                "breaks"
            } else {
                "break"
            };
            format!(
                "{} {verb} a rule",
                words::plural(summary.violated, "program")
            )
        }
        Verdict::Incomplete => format!("incomplete ({how})"),
        Verdict::HarnessError => format!("harness error ({how})"),
    }
}
