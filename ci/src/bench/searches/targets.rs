//! What the explorer and the direct engine should reach, and whether it does. Pure.

use nmr_explorer::Reduction;
use nmr_models::engine_name::BenchEngine;
use nmr_models::report::{Bench, Verdict};

use super::words::{fraction, verdict};
use crate::words;

/// Something to be reached, and what was measured of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) program: &'static str,
    pub(super) goal: &'static str,
    pub(super) measured: String,
    pub(super) status: Status,
}

/// Whether it is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Met,
    Missed,
    /// What it would have to be compared with did not come to its end, or is not there.
    Unknown,
}

impl Status {
    const fn of(is_met: bool) -> Self {
        if is_met { Self::Met } else { Self::Missed }
    }
}

/// All targets of the rows that are there.
pub(super) fn targets(results: &[Bench]) -> Vec<Target> {
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
        directly(results, "four-lives", "direct complete in 0.1 s", 0.1),
        directly(results, "four-lives-pending", "direct complete in 2 s", 2.0),
        directly(
            results,
            "four-lives-pending-any",
            "direct complete in 2 s",
            2.0,
        ),
        directly(results, "three-by-three", "direct complete in 10 s", 10.0),
        directly(
            results,
            "three-by-two-pending",
            "direct complete in 60 s",
            60.0,
        ),
        without_ample_sets(results),
        states_a_second(results),
        two_workers(results),
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
    goal: &'static str,
    times: f64,
    figure: impl Fn(&Bench) -> f64,
) -> Option<Target> {
    let program = "two-lives";
    let explorer = find(results, program, BenchEngine::Explorer)?;
    let loom = find(results, program, BenchEngine::Loom)?;
    let (own, other) = (figure(explorer), figure(loom));
    let is_met = own * times <= other;
    let (measured, status) = match (explorer.verdict, loom.verdict) {
        (Verdict::Holds, Verdict::Holds) => (fraction(own, other), Status::of(is_met)),
        (Verdict::Holds, Verdict::Incomplete) if is_met => {
            (format!("less than {}", fraction(own, other)), Status::Met)
        }
        (Verdict::Holds, _) => (format!("loom: {}", verdict(loom)), Status::Unknown),
        _ => (verdict(explorer), Status::Missed),
    };
    Some(Target {
        program,
        goal,
        measured,
        status,
    })
}

fn in_time(
    results: &[Bench],
    program: &'static str,
    goal: &'static str,
    seconds: f64,
) -> Option<Target> {
    let row = find(results, program, BenchEngine::Explorer)?;
    Some(ended_in_time(row, program, goal, seconds))
}

fn ended_in_time(row: &Bench, program: &'static str, goal: &'static str, seconds: f64) -> Target {
    let measured = match ended(row) {
        true => words::time(row.seconds),
        false => verdict(row),
    };
    Target {
        program,
        goal,
        measured,
        status: Status::of(ended(row) && row.seconds <= seconds),
    }
}

/// With all reductions, by however many workers.
fn directly(
    results: &[Bench],
    program: &'static str,
    goal: &'static str,
    seconds: f64,
) -> Option<Target> {
    let mut rows = directly_on(results, program);
    let row = rows.find(|row| row.without.is_empty())?;
    Some(ended_in_time(row, program, goal, seconds))
}

fn directly_on<'a>(results: &'a [Bench], program: &'a str) -> impl Iterator<Item = &'a Bench> {
    let rows = results.iter();
    rows.filter(move |row| row.program == program && row.engine == BenchEngine::Direct)
}

fn without_ample_sets(results: &[Bench]) -> Option<Target> {
    let program = "four-lives-pending";
    let row = directly_on(results, program).find(|row| row.without == ["ample-sets"])?;
    let is_met = ended(row) && row.seconds <= 300.0 && row.memory.is_some_and(|it| it <= 2 << 30);
    let measured = match (ended(row), row.states, row.memory) {
        (true, Some(states), Some(bytes)) => format!(
            "{} states, {}, {}",
            words::count(states),
            words::time(row.seconds),
            words::size(bytes)
        ),
        _ => verdict(row),
    };
    Some(Target {
        program,
        goal: "direct without ample sets complete in 5 min and 2 GiB",
        measured,
        status: Status::of(is_met),
    })
}

/// With nothing left out but what symmetry does.
fn plainly(results: &[Bench], workers: u64) -> Option<&Bench> {
    directly_on(results, "four-lives").find(|row| row.without.len() == 3 && row.workers == workers)
}

fn states_a_second(results: &[Bench]) -> Option<Target> {
    let row = plainly(results, 1)?;
    let rate = row.states.unwrap_or_default() as f64 / row.seconds.max(1e-9);
    Some(Target {
        program: "four-lives",
        goal: "direct at least 150,000 states a second by one worker without ample sets",
        measured: format!("{} a second", words::count(rate as u64)),
        status: Status::of(ended(row) && rate >= 150_000.0),
    })
}

fn two_workers(results: &[Bench]) -> Option<Target> {
    let (one, two) = (plainly(results, 1)?, plainly(results, 2)?);
    let times = one.seconds / two.seconds.max(1e-9);
    let same = one.states == two.states;
    Some(Target {
        program: "four-lives",
        goal: "two workers of direct at least 1.7 times as fast, with the same states",
        measured: format!("{times:.2} times"),
        status: Status::of(ended(one) && ended(two) && same && times >= 1.7),
    })
}

/// Of the whole process.
fn memory(results: &[Bench]) -> Option<Target> {
    let program = "four-lives";
    let row = find(results, program, BenchEngine::Explorer)?;
    let (measured, status) = match (row.verdict, row.memory) {
        (Verdict::Holds, Some(bytes)) => (words::size(bytes), Status::of(bytes <= 1 << 30)),
        (Verdict::Holds, None) => ("this system does not say".to_owned(), Status::Unknown),
        _ => (verdict(row), Status::Missed),
    };
    Some(Target {
        program,
        goal: "explorer at most 1 GiB",
        measured,
        status,
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

fn visited_states(results: &[Bench]) -> Option<Target> {
    let row = read_only(results, |off| off == Reduction::LockAware)?;
    let measured = match ended(row) {
        true => words::plural(row.executions, "execution"),
        false => verdict(row),
    };
    Some(Target {
        program: "read-only-sections",
        goal: "at most 32 executions with visited states alone",
        measured,
        status: Status::of(ended(row) && row.executions <= 32),
    })
}

/// Those from before the search began again are told apart.
fn lock_aware(results: &[Bench]) -> Option<Target> {
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
    Some(Target {
        program: "read-only-sections",
        goal: "1 execution with lock-aware and no visited states",
        measured,
        status: Status::of(ended(row) && since == 1),
    })
}

/// Whichever way they ended.
fn small(results: &[Bench]) -> Option<Target> {
    let program = "small";
    let explorer = find(results, program, BenchEngine::Explorer)?;
    let dfs = find(results, program, BenchEngine::Dfs)?;
    let rate = |row: &Bench| row.executions as f64 / row.seconds.max(1e-9);
    let is_measured = |row: &Bench| matches!(row.verdict, Verdict::Holds | Verdict::Incomplete);
    let (measured, status) = match (is_measured(explorer), is_measured(dfs)) {
        (true, true) => (
            format!(
                "{} to {} a second",
                words::count(rate(explorer) as u64),
                words::count(rate(dfs) as u64)
            ),
            Status::of(rate(explorer) >= rate(dfs)),
        ),
        (true, false) => (format!("dfs: {}", verdict(dfs)), Status::Unknown),
        _ => (verdict(explorer), Status::Missed),
    };
    Some(Target {
        program,
        goal: "explorer at least as many executions a second as shuttle's DFS",
        measured,
        status,
    })
}

#[cfg(test)]
mod tests {
    use super::{Status, Target, targets};
    use crate::bench::searches::samples::{bench, cut};
    use nmr_models::engine_name::BenchEngine::{Dfs, Direct, Explorer, Loom};
    use nmr_models::report::Bench;

    /// What is said of one target.
    fn of<'a>(all: &'a [Target], part: &str) -> (&'a str, Status) {
        let found = all.iter().find(|target| target.goal.contains(part));
        let found = found.expect("it is a target");
        (&found.measured, found.status)
    }

    fn two_lives(loom: Bench) -> Vec<Target> {
        targets(&[bench("two-lives", Explorer, 47, 0.01), loom])
    }

    #[test]
    fn loom_is_measured_by_what_it_needed() {
        let all = two_lives(bench("two-lives", Loom, 4_747, 0.5));
        assert_eq!(of(&all, "executions"), ("1/101", Status::Met));
        assert_eq!(of(&all, "time"), ("1/50", Status::Missed));
    }

    #[test]
    fn of_a_search_of_loom_s_that_was_cut_short_the_least_is_known() {
        let all = two_lives(cut(bench("two-lives", Loom, 4_747, 0.5), "1s were over"));
        assert_eq!(of(&all, "executions"), ("less than 1/101", Status::Met));
        let unknown = ("loom: incomplete (1s were over)", Status::Unknown);
        assert_eq!(of(&all, "time"), unknown);
    }

    #[test]
    fn what_has_not_ended_has_missed_its_targets() {
        let four = bench("four-lives", Explorer, 9, 2.0);
        let all = targets(std::slice::from_ref(&four));
        assert_eq!(of(&all, "20 s"), ("2.0 s", Status::Met));
        assert_eq!(of(&all, "1 GiB"), ("10.0 MiB", Status::Met));
        let all = targets(&[cut(four.clone(), "5s were over")]);
        let missed = ("incomplete (5s were over)", Status::Missed);
        assert_eq!((of(&all, "20 s"), of(&all, "1 GiB")), (missed, missed));
        let large = Bench {
            memory: Some(3 << 30),
            ..four
        };
        assert_eq!(of(&targets(&[large]), "1 GiB"), ("3.0 GiB", Status::Missed));
    }

    #[test]
    fn sections_that_only_read_are_told_apart_by_what_is_off() {
        let row = |off: &[&str], executions, before| Bench {
            without: off.iter().map(|&name| name.to_owned()).collect(),
            before_restart: Some(before),
            ..bench("read-only-sections", Explorer, executions, 0.1)
        };
        let all = targets(&[
            row(&["symmetry", "lock-aware"], 33, 0),
            row(&["visited-states"], 3, 2),
        ]);
        assert_eq!(of(&all, "32"), ("33 executions", Status::Missed));
        let began_again = "1 execution, and 2 before the search began again";
        assert_eq!(of(&all, "lock-aware"), (began_again, Status::Met));
    }

    #[test]
    fn speeds_are_compared_though_neither_search_ends() {
        let end = "100000 executions were made";
        let all = targets(&[
            cut(bench("small", Explorer, 100_000, 1.0), end),
            cut(bench("small", Dfs, 100_000, 0.8), end),
        ]);
        assert_eq!(
            of(&all, "a second"),
            ("100,000 to 125,000 a second", Status::Missed)
        );
    }

    #[test]
    fn the_direct_engine_is_measured_with_its_reductions_and_without() {
        let direct = |off: &[&str], workers, states, seconds| Bench {
            without: off.iter().map(|&name| name.to_owned()).collect(),
            states: Some(states),
            workers,
            ..bench("four-lives", Direct, 1, seconds)
        };
        let plain = ["ample-sets", "drops-at-once", "list-orders"];
        let one = direct(&plain, 1, 200_000, 2.0);
        let two = direct(&plain, 2, 200_000, 1.0);
        let all = targets(&[direct(&[], 1, 4_000, 0.02), one.clone(), two.clone()]);
        assert_eq!(of(&all, "0.1 s"), ("0.02 s", Status::Met));
        let speed = "by one worker";
        assert_eq!(of(&all, speed), ("100,000 a second", Status::Missed));
        assert_eq!(of(&all, "two workers"), ("2.00 times", Status::Met));
        let other = Bench {
            states: Some(199_999),
            ..two
        };
        let all = targets(&[one, other]);
        assert_eq!(of(&all, "two workers"), ("2.00 times", Status::Missed));
    }

    #[test]
    fn without_ample_sets_time_and_memory_count() {
        let row = |memory| Bench {
            without: vec!["ample-sets".to_owned()],
            states: Some(30_000_000),
            memory: Some(memory),
            ..bench("four-lives-pending", Direct, 1, 200.0)
        };
        let status = |row| of(&targets(&[row]), "2 GiB").1;
        assert_eq!(status(row(1 << 30)), Status::Met);
        assert_eq!(status(row(3 << 30)), Status::Missed);
        assert_eq!(
            status(cut(row(1 << 30), "its time was over")),
            Status::Missed
        );
    }

    #[test]
    fn nothing_is_said_of_what_was_not_run() {
        assert_eq!(targets(&[bench("two-lives", Explorer, 47, 0.01)]), []);
    }
}
