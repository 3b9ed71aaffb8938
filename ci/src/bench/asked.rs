//! What was asked of the explorer, and whether it is so. Pure.

use nmr_explorer::Reduction;
use nmr_models::engine_name::BenchEngine;
use nmr_models::report::{Bench, Verdict};

use super::human::{fraction, verdict};
use crate::words;

/// Something asked, and what was measured of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) program: &'static str,
    pub(super) asked: &'static str,
    pub(super) measured: String,
    pub(super) met: Met,
}

/// Whether it is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Met {
    Yes,
    No,
    /// What it would have to be compared with did not come to its end, or is not there.
    Unknown,
}

impl Met {
    const fn of(is_so: bool) -> Self {
        if is_so { Self::Yes } else { Self::No }
    }
}

/// All that was asked of the rows that are there.
pub(super) fn asked(results: &[Bench]) -> Vec<Asked> {
    let all = [
        two_lives(
            results,
            "explorer at most 1/50 of loom's executions",
            50.0,
            |row| row.executions as f64,
        ),
        two_lives(
            results,
            "explorer at most 1/100 of loom's time",
            100.0,
            |row| row.seconds,
        ),
        in_time(results, "three-lives", "explorer complete in 0.3 s", 0.3),
        in_time(results, "four-lives", "explorer complete in 20 s", 20.0),
        memory(results),
        visited_states(results),
        lock_aware(results),
        small(results),
    ];
    all.into_iter().flatten().collect()
}

fn find<'a>(results: &'a [Bench], program: &str, engine: BenchEngine) -> Option<&'a Bench> {
    let mut of_it = results.iter();
    of_it.find(|row| row.program == program && row.engine == engine)
}

fn ended(row: &Bench) -> bool {
    row.verdict == Verdict::Holds
}

/// The explorer's part of what loom needed; what a search that was cut short needed is more than it has
/// used.
fn two_lives(
    results: &[Bench],
    asked: &'static str,
    times: f64,
    figure: impl Fn(&Bench) -> f64,
) -> Option<Asked> {
    let program = "two-lives";
    let explorer = find(results, program, BenchEngine::Explorer)?;
    let loom = find(results, program, BenchEngine::Loom)?;
    let (own, other) = (figure(explorer), figure(loom));
    let is_so = own * times <= other;
    let (measured, met) = match (explorer.verdict, loom.verdict) {
        (Verdict::Holds, Verdict::Holds) => (fraction(own, other), Met::of(is_so)),
        (Verdict::Holds, Verdict::Incomplete) if is_so => {
            (format!("less than {}", fraction(own, other)), Met::Yes)
        }
        (Verdict::Holds, _) => (format!("loom: {}", verdict(loom)), Met::Unknown),
        _ => (verdict(explorer), Met::No),
    };
    Some(Asked {
        program,
        asked,
        measured,
        met,
    })
}

fn in_time(
    results: &[Bench],
    program: &'static str,
    asked: &'static str,
    seconds: f64,
) -> Option<Asked> {
    let row = find(results, program, BenchEngine::Explorer)?;
    let measured = match ended(row) {
        true => words::time(row.seconds),
        false => verdict(row),
    };
    Some(Asked {
        program,
        asked,
        measured,
        met: Met::of(ended(row) && row.seconds <= seconds),
    })
}

/// Of the whole process.
fn memory(results: &[Bench]) -> Option<Asked> {
    let program = "four-lives";
    let row = find(results, program, BenchEngine::Explorer)?;
    let (measured, met) = match (row.verdict, row.memory) {
        (Verdict::Holds, Some(bytes)) => (words::size(bytes), Met::of(bytes <= 1 << 30)),
        (Verdict::Holds, None) => ("this system does not say".to_owned(), Met::Unknown),
        _ => (verdict(row), Met::No),
    };
    Some(Asked {
        program,
        asked: "explorer at most 1 GiB",
        measured,
        met,
    })
}

fn read_only(results: &[Bench], is_off: impl Fn(Reduction) -> bool) -> Option<&Bench> {
    let off = |name: &String| name.parse().is_ok_and(&is_off);
    results.iter().find(|row| {
        row.program == "read-only-sections"
            && row.engine == BenchEngine::Explorer
            && row.without.iter().any(off)
    })
}

fn visited_states(results: &[Bench]) -> Option<Asked> {
    let row = read_only(results, |off| off == Reduction::LockAware)?;
    let measured = match ended(row) {
        true => words::plural(row.executions, "execution"),
        false => verdict(row),
    };
    Some(Asked {
        program: "read-only-sections",
        asked: "at most 32 executions with visited states alone",
        measured,
        met: Met::of(ended(row) && row.executions <= 32),
    })
}

/// Those from before the search began again are told apart.
fn lock_aware(results: &[Bench]) -> Option<Asked> {
    let row = read_only(results, |off| off == Reduction::VisitedStates)?;
    let before = row.before_restart.unwrap_or(0);
    let since = row.executions.saturating_sub(before);
    let measured = match (ended(row), before) {
        (false, _) => verdict(row),
        (true, 0) => words::plural(since, "execution"),
        (true, before) => format!(
            "{}, and {before} before the search began again",
            words::plural(since, "execution")
        ),
    };
    Some(Asked {
        program: "read-only-sections",
        asked: "1 execution with lock-aware and no visited states",
        measured,
        met: Met::of(ended(row) && since == 1),
    })
}

/// Whichever way they ended.
fn small(results: &[Bench]) -> Option<Asked> {
    let program = "small";
    let explorer = find(results, program, BenchEngine::Explorer)?;
    let dfs = find(results, program, BenchEngine::Dfs)?;
    let rate = |row: &Bench| row.executions as f64 / row.seconds.max(1e-9);
    let is_measured = |row: &Bench| matches!(row.verdict, Verdict::Holds | Verdict::Incomplete);
    let (measured, met) = match (is_measured(explorer), is_measured(dfs)) {
        (true, true) => (
            format!(
                "{} to {} a second",
                words::count(rate(explorer) as u64),
                words::count(rate(dfs) as u64)
            ),
            Met::of(rate(explorer) >= rate(dfs)),
        ),
        (true, false) => (format!("dfs: {}", verdict(dfs)), Met::Unknown),
        _ => (verdict(explorer), Met::No),
    };
    Some(Asked {
        program,
        asked: "explorer at least as many executions a second as shuttle's DFS",
        measured,
        met,
    })
}

#[cfg(test)]
mod tests {
    use super::{Asked, Met, asked};
    use crate::bench::samples::{bench, cut};
    use nmr_models::engine_name::BenchEngine::{Dfs, Explorer, Loom};
    use nmr_models::report::Bench;

    /// What is said of one thing asked.
    fn of<'a>(all: &'a [Asked], part: &str) -> (&'a str, Met) {
        let found = all.iter().find(|asked| asked.asked.contains(part));
        let found = found.expect("it is asked");
        (&found.measured, found.met)
    }

    fn two_lives(loom: Bench) -> Vec<Asked> {
        asked(&[bench("two-lives", Explorer, 47, 0.01), loom])
    }

    #[test]
    fn loom_is_measured_by_what_it_needed() {
        let all = two_lives(bench("two-lives", Loom, 4_747, 0.5));
        assert_eq!(of(&all, "executions"), ("1/101", Met::Yes));
        assert_eq!(of(&all, "time"), ("1/50", Met::No));
    }

    #[test]
    fn of_a_search_of_loom_s_that_was_cut_short_the_least_is_known() {
        let all = two_lives(cut(bench("two-lives", Loom, 4_747, 0.5), "1s were over"));
        assert_eq!(of(&all, "executions"), ("less than 1/101", Met::Yes));
        let unknown = ("loom: incomplete (1s were over)", Met::Unknown);
        assert_eq!(of(&all, "time"), unknown);
    }

    #[test]
    fn what_has_not_ended_has_not_done_what_was_asked() {
        let four = bench("four-lives", Explorer, 9, 2.0);
        let all = asked(std::slice::from_ref(&four));
        assert_eq!(of(&all, "20 s"), ("2.0 s", Met::Yes));
        assert_eq!(of(&all, "1 GiB"), ("10.0 MiB", Met::Yes));
        let all = asked(&[cut(four.clone(), "5s were over")]);
        let not_met = ("incomplete (5s were over)", Met::No);
        assert_eq!((of(&all, "20 s"), of(&all, "1 GiB")), (not_met, not_met));
        let large = Bench {
            memory: Some(3 << 30),
            ..four
        };
        assert_eq!(of(&asked(&[large]), "1 GiB"), ("3.0 GiB", Met::No));
    }

    #[test]
    fn sections_that_only_read_are_told_apart_by_what_is_off() {
        let row = |off: &[&str], executions, before| Bench {
            without: off.iter().map(|&name| name.to_owned()).collect(),
            before_restart: Some(before),
            ..bench("read-only-sections", Explorer, executions, 0.1)
        };
        let all = asked(&[
            row(&["symmetry", "lock-aware"], 33, 0),
            row(&["visited-states"], 3, 2),
        ]);
        assert_eq!(of(&all, "32"), ("33 executions", Met::No));
        let began_again = "1 execution, and 2 before the search began again";
        assert_eq!(of(&all, "lock-aware"), (began_again, Met::Yes));
    }

    #[test]
    fn speeds_are_compared_though_neither_search_ends() {
        let end = "100000 executions were made";
        let all = asked(&[
            cut(bench("small", Explorer, 100_000, 1.0), end),
            cut(bench("small", Dfs, 100_000, 0.8), end),
        ]);
        assert_eq!(
            of(&all, "a second"),
            ("100,000 to 125,000 a second", Met::No)
        );
    }

    #[test]
    fn nothing_is_said_of_what_was_not_run() {
        assert_eq!(asked(&[bench("two-lives", Explorer, 47, 0.01)]), []);
    }
}
