//! A measured row in words, for the table as for the targets. Pure.

use nmr_explorer::Reduction;
use nmr_models::report::{Bench, Verdict};

use crate::words;

/// As of a run of a check; what was found comes below the table.
pub(super) fn verdict(row: &Bench) -> String {
    let how = row.how.as_deref().unwrap_or("why is not known");
    match row.verdict {
        Verdict::Holds => "holds, complete".to_owned(),
        Verdict::Incomplete => format!("incomplete ({how})"),
        Verdict::Violated => "violated".to_owned(),
        Verdict::HarnessError => "harness error".to_owned(),
    }
}

/// `1/50` or `2.5 times`: never less than it is.
pub(super) fn fraction(part: f64, whole: f64) -> String {
    let times = whole / part.max(1e-9);
    match times >= 1.0 {
        true => format!("1/{}", words::count(times as u64)),
        false => format!("{:.1} times", 1.0 / times.max(1e-9)),
    }
}

/// Whether a reduction of the explorer's was off.
pub(super) fn is_off(row: &Bench, reduction: Reduction) -> bool {
    row.without.iter().any(|off| off == reduction.name())
}

#[cfg(test)]
mod tests {
    use super::fraction;

    #[test]
    fn parts_are_not_made_smaller_than_they_are() {
        assert_eq!(fraction(1.0, 50.9), "1/50");
        assert_eq!(fraction(10.0, 10.0), "1/1");
        assert_eq!(fraction(10.0, 4.0), "2.5 times");
    }
}
