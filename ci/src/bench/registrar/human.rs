//! What a registration costs, as a person reads it. Pure.

use super::report::{Asked, Ratio, Report, Time};
use super::rounds::Sides;
use super::statistics::{Estimate, Quartiles};
use crate::style::{self, Cell, Flush, heading, table};
use crate::words::{count, plural};

/// The whole report. `baseline` is the name of the revision that was compared with.
pub(super) fn text(report: &Report, baseline: Option<&str>) -> String {
    let mut text = String::new();
    if !report.times.is_empty() {
        text.push_str(&times(report, baseline));
        text.push('\n');
    }
    text.push_str(&figures(report, baseline));
    text.push('\n');
    text.push_str(&legend(report, baseline));
    text
}

fn times(report: &Report, baseline: Option<&str>) -> String {
    let mut head = vec!["workload", "ns", "quartiles"];
    let mut columns = vec![Flush::Left, Flush::Right, Flush::Left];
    let then = baseline.unwrap_or_default();
    let compared = format!("now/{then}");
    if baseline.is_some() {
        head.extend([then, "quartiles", &compared, "interval"]);
        columns.extend([Flush::Right, Flush::Left, Flush::Right, Flush::Left]);
    }
    head.extend(["asked", ""]);
    columns.extend([Flush::Left, Flush::Left]);
    let mut rows = vec![heading(&head)];
    rows.extend(report.times.iter().map(time));
    table(&columns, &rows)
}

fn time(time: &Time) -> Vec<Cell> {
    let of = |of: Quartiles| -> [Cell; 2] {
        let [median, q1, q3] = [of.median, of.q1, of.q3].map(ns);
        [median.into(), format!("{q1}–{q3}").into()]
    };
    let mut row = vec![time.workload.as_str().into()];
    row.extend(of(time.of.now));
    if let (Some(baseline), Some(ratio)) = (time.of.baseline, time.ratio) {
        row.extend(of(baseline));
        row.extend(compared(ratio));
    }
    row.extend(judged(time.asked, time.of.now.median));
    row
}

/// Green or red only where chance does not explain it.
fn compared(ratio: Estimate) -> [Cell; 2] {
    let style = match ratio {
        Estimate { high, .. } if high < 1.0 => style::GOOD,
        Estimate { low, .. } if low > 1.0 => style::BAD,
        _ => style::OPEN,
    };
    let interval = format!("{:.3}–{:.3}", ratio.low, ratio.high);
    [
        Cell::styled(format!("{:.3}", ratio.median), style),
        interval.into(),
    ]
}

fn figures(report: &Report, baseline: Option<&str>) -> String {
    let mut head = vec!["figure", "now"];
    let mut columns = vec![Flush::Left, Flush::Right];
    if let Some(name) = baseline {
        head.push(name);
        columns.push(Flush::Right);
    }
    head.extend(["asked", ""]);
    columns.extend([Flush::Left, Flush::Left]);
    let mut rows = vec![heading(&head)];
    let two_places = |of: Sides<f64>| of.map(|figure| format!("{figure:.2}"));
    rows.extend(
        report
            .ratios
            .iter()
            .map(|&Ratio { name, of, asked }| figure(name, two_places(of), judged(asked, of.now))),
    );
    let each = report.held.map(|held| format!("{:.1}", held.each()));
    rows.push(figure(
        "bytes a registration holds",
        each,
        judged(None, 0.0),
    ));
    table(&columns, &rows)
}

fn figure(name: &str, of: Sides<String>, judged: [Cell; 2]) -> Vec<Cell> {
    let mut row = vec![name.into(), of.now.into()];
    row.extend(of.baseline.map(Cell::from));
    row.extend(judged);
    row
}

fn judged(asked: Option<Asked>, figure: f64) -> [Cell; 2] {
    let Some(asked) = asked else {
        return ["".into(), "".into()];
    };
    let bound = match asked {
        Asked::AtMost(most) => format!("at most {most}"),
        Asked::AtLeast(least) => format!("at least {least}"),
    };
    let met = match asked.is_met(figure) {
        true => Cell::styled("met", style::GOOD),
        false => Cell::styled("not met", style::BAD),
    };
    [bound.into(), met]
}

/// What the columns are.
fn legend(report: &Report, baseline: Option<&str>) -> String {
    let rounds = plural(report.rounds as u64, "round");
    let held = count(report.held.now.registrations);
    let mut text =
        format!("Medians of all samples of {rounds}, in ns a registration; in W5 a binding.\n");
    let ratio = report.times.iter().find_map(|time| time.ratio);
    if let (Some(name), Some(ratio)) = (baseline, ratio) {
        let confidence = 100.0 * ratio.confidence;
        text.push_str(&format!(
            "now/{name}: the median over the rounds of the ratio of medians, and its confidence interval \
             ({confidence:.0} %).\n"
        ));
    }
    text.push_str(&format!(
        "Bytes: what {held} registrations hold on the heap, each on an interface of its own.\n"
    ));
    text
}

fn ns(time: f64) -> String {
    format!("{time:.1}")
}

#[cfg(test)]
mod tests {
    use super::super::report::samples::{report, workload};
    use super::text;

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn a_comparison() {
        let all = [
            workload("W1 alone", 90.0, Some(100.0)),
            workload("W2 one provider", 400.0, Some(310.0)),
            workload("W3 1,000 idle", 410.0, Some(310.0)),
            workload("W6 one thread", 300.0, Some(300.0)),
            workload("W6 two threads", 160.0, Some(160.0)),
        ];
        insta::assert_snapshot!(plain(&text(&report(&all, true), Some("c0ffee1"))));
    }

    #[test]
    fn a_measurement() {
        let all = [
            workload("W1 alone", 90.0, None),
            workload("W2 one provider", 300.0, None),
            workload("W4 10,000 idle", 390.0, None),
        ];
        insta::assert_snapshot!(plain(&text(&report(&all, false), None)));
    }

    #[test]
    fn a_measurement_that_was_stopped_at_once_has_what_does_not_take_time() {
        let text = plain(&text(&report(&[], false), None));
        assert!(text.starts_with("figure "), "{text}");
        assert!(text.contains("bytes a registration holds  180.0"), "{text}");
    }
}
