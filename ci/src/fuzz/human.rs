//! Fuzzing as a person reads it. Pure.

use nmr_models::report::{Finding, FuzzSummary};

use crate::style::{BAD, paint};
use crate::words;

/// What was found, and how to see it again.
pub(super) fn finding(finding: &Finding) -> String {
    let rule = match finding.rule {
        Some(rule) => rule.to_string(),
        None => "(crash)".to_owned(),
    };
    let mut text = format!(
        "{}, seed {}\n",
        paint(BAD, &format!("violated {rule}")),
        finding.seed
    );
    for line in finding.message.lines() {
        text.push_str(format!("  {line}").trim_end());
        text.push('\n');
    }
    if let Some(case) = &finding.case {
        let path = words::path(case);
        text.push_str(&format!(
            "  case:   {path}\n  replay: cargo nmr replay {path}\n"
        ));
    }
    text
}

/// The last line.
pub(super) fn summary(total: &FuzzSummary) -> String {
    let FuzzSummary {
        seed,
        shard,
        version,
        conditions,
        ..
    } = total;
    let conditions = words::conditions(*conditions);
    format!(
        "{}, {} exhausted ({}), {} sampled ({}) in {}: {}; seed {seed}, shard {shard}, version {version}{conditions}",
        words::plural(total.scenarios, "scenario"),
        words::count(total.exhausted),
        words::plural(total.states, "state"),
        words::count(total.sampled),
        words::plural(total.executions, "execution"),
        words::time(total.seconds),
        words::plural(total.findings, "finding"),
    )
}

#[cfg(test)]
mod tests {
    use super::{finding, summary};
    use nmr_models::report::{Finding, FuzzSummary};
    use nmr_models::rule::Rule;
    use nmr_models::shard::Shard;

    #[test]
    fn a_finding_tells_how_to_see_it_again() {
        let sample = Finding {
            rule: Some(Rule::new(9)),
            message: "cleaned up twice\nby t1".to_owned(),
            seed: 99,
            case: Some("/elsewhere/a.toml".into()),
        };
        let text = anstream::adapter::strip_str(&finding(&sample)).to_string();
        let expected = "\
violated C9, seed 99
  cleaned up twice
  by t1
  case:   /elsewhere/a.toml
  replay: cargo nmr replay /elsewhere/a.toml
";
        assert_eq!(text, expected);
    }

    #[test]
    fn the_summary_is_a_line() {
        let total = FuzzSummary {
            scenarios: 9_000,
            exhausted: 8_000,
            states: 7_000_000,
            sampled: 2_000,
            executions: 180_000,
            findings: 1,
            seconds: 600.2,
            seed: 7,
            shard: Shard::WHOLE,
            version: "0.1.0".to_owned(),
            conditions: Default::default(),
        };
        assert_eq!(
            summary(&total),
            "9,000 scenarios, 8,000 exhausted (7,000,000 states), 2,000 sampled (180,000 executions) in 10 min 0 s: \
             1 finding; seed 7, shard 1/1, version 0.1.0"
        );
    }
}
