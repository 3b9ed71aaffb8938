//! A search that was cut short is gone on with from its checkpoint, and comes to what it would have come
//! to; and a file that is not its checkpoint is refused.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use nmr_explorer::{Builder, Explorer, Reduction, Report, Verdict};
use tempfile::TempDir;

use super::programs::{adders, appenders, ends_and_report, error, found};

/// A folder for one test, and a file in it that is not there yet.
fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("checkpoint");
    (folder, file)
}

type Ends = BTreeSet<Vec<usize>>;

/// Three threads of two appends each: 90 orders.
fn search(builder: Builder) -> (Ends, Report) {
    ends_and_report(builder, || appenders(3, 2))
}

/// Searches with this limit until nothing is left: the ends met, and a report for each time.
fn in_parts(builder: &Builder, file: &Path, executions: u64) -> (Ends, Vec<Report>) {
    let (mut ends, mut reports) = (Ends::new(), Vec::new());
    loop {
        let part = builder.clone().checkpoint(file).max_executions(executions);
        let (more, report) = search(part);
        ends.extend(more);
        let is_cut = matches!(report.verdict, Verdict::Incomplete(_));
        reports.push(report);
        assert!(reports.len() < 1_000, "it comes no further");
        if !is_cut {
            return (ends, reports);
        }
    }
}

#[test]
fn what_is_cut_short_goes_on_to_the_same_states_and_ends() {
    let (expected, undisturbed) = search(Explorer::builder());
    assert_eq!(expected.len(), 90);
    for executions in [1, 2, 10, 64, 80] {
        let (_folder, file) = place();
        let first = Explorer::builder()
            .checkpoint(&file)
            .max_executions(executions);
        let (mut ends, cut) = search(first);
        assert!(matches!(cut.verdict, Verdict::Incomplete(_)), "{cut}");
        let (more, rest) = search(Explorer::builder().checkpoint(&file));
        ends.extend(more);
        assert_eq!(rest.verdict, Verdict::Exhausted, "{rest}");
        assert_eq!((rest.states, ends), (undisturbed.states, expected.clone()));
    }
}

#[test]
fn what_is_cut_short_again_and_again_comes_to_an_end() {
    let (expected, undisturbed) = search(Explorer::builder());
    for executions in [1, 13] {
        let (_folder, file) = place();
        let (ends, reports) = in_parts(&Explorer::builder(), &file, executions);
        let last = reports.last().unwrap();
        assert_eq!(last.verdict, Verdict::Exhausted, "{last}");
        assert_eq!((last.states, ends), (undisturbed.states, expected.clone()));
    }
}

#[test]
fn nothing_is_done_twice() {
    let (_, undisturbed) = search(Explorer::builder());
    for executions in [1, 5, 50] {
        let (_folder, file) = place();
        let (_, reports) = in_parts(&Explorer::builder(), &file, executions);
        let sum: u64 = reports.iter().map(|report| report.executions).sum();
        assert_eq!(sum, undisturbed.executions);
    }
}

#[test]
fn it_goes_on_under_every_reduction() {
    for one in Reduction::ALL {
        let builder = Explorer::builder().without(one);
        let (expected, undisturbed) = search(builder.clone());
        let (_folder, file) = place();
        let (ends, reports) = in_parts(&builder, &file, 40);
        let last = reports.last().unwrap();
        assert_eq!(last.verdict, Verdict::Exhausted, "without {one}: {last}");
        assert_eq!(
            (last.states, ends),
            (undisturbed.states, expected),
            "without {one}"
        );
    }
}

#[test]
fn the_number_of_workers_may_change() {
    let (expected, undisturbed) = search(Explorer::builder());
    for (before, after) in [(1, 2), (2, 1), (2, 2), (3, 2)] {
        let (_folder, file) = place();
        let first = Explorer::builder().workers(before).checkpoint(&file);
        let (mut ends, cut) = search(first.max_executions(60));
        assert!(matches!(cut.verdict, Verdict::Incomplete(_)), "{cut}");
        let (more, rest) = search(Explorer::builder().workers(after).checkpoint(&file));
        ends.extend(more);
        assert_eq!(rest.verdict, Verdict::Exhausted, "{rest}");
        assert_eq!((rest.states, ends), (undisturbed.states, expected.clone()));
    }
}

/// Goes wrong in an order that the first three executions cannot have: the first one begins again, the
/// next one begins with thread 1, and with thread 3 a later one.
fn wrong_at_last(builder: Builder) -> Report {
    builder.check(|| assert_ne!(appenders(3, 2), [3, 3, 2, 2, 1, 1], "backwards"))
}

#[test]
fn what_is_wrong_is_found_after_it_went_on() {
    for workers in 1..=2 {
        let (_folder, file) = place();
        let builder = Explorer::builder().workers(workers).checkpoint(&file);
        let cut = wrong_at_last(builder.clone().max_executions(3));
        assert!(matches!(cut.verdict, Verdict::Incomplete(_)), "{cut}");
        let report = wrong_at_last(builder);
        let found = found(&report);
        assert!(found.message().contains("backwards"), "{report}");
        assert_eq!((found.preemptions, found.is_minimal), (0, true), "{report}");
    }
}

#[test]
fn what_has_ended_ends_at_once_with_the_same_verdict() {
    let (_folder, file) = place();
    let (_, first) = search(Explorer::builder().checkpoint(&file));
    let (_, again) = search(Explorer::builder().checkpoint(&file));
    assert_eq!(
        (&again.verdict, again.states),
        (&first.verdict, first.states)
    );
    assert_eq!((again.verdict, again.executions), (Verdict::Exhausted, 0));
}

#[test]
fn what_was_wrong_is_wrong_again_at_once() {
    let (_folder, file) = place();
    let first = wrong_at_last(Explorer::builder().checkpoint(&file));
    let again = wrong_at_last(Explorer::builder().checkpoint(&file));
    assert_eq!(again.verdict, first.verdict);
    assert_eq!(again.executions, 1);
}

#[test]
fn an_interval_of_nothing_writes_it_again_and_again() {
    let (_folder, file) = place();
    let builder = Explorer::builder().checkpoint(&file);
    let report = builder
        .checkpoint_interval(std::time::Duration::ZERO)
        .workers(2)
        .check(|| {
            adders(3, 4);
        });
    // 5³ − 1 − 12.
    assert_eq!((report.verdict, report.states), (Verdict::Exhausted, 112));
}

/// A checkpoint of a search that was cut short.
fn begun() -> (TempDir, PathBuf, Builder) {
    let (folder, file) = place();
    let builder = Explorer::builder().name("begun").checkpoint(&file);
    let (_, cut) = search(builder.clone().max_executions(20));
    assert!(matches!(cut.verdict, Verdict::Incomplete(_)), "{cut}");
    (folder, file, builder)
}

/// The file is refused with a message that says this, and is left as it is.
fn assert_refused(builder: Builder, file: &Path, parts: &[&str]) {
    let before = std::fs::read(file).unwrap();
    let (_, report) = search(builder);
    let error = error(&report);
    let path = file.to_str().unwrap();
    for part in parts.iter().chain(&[path, "remove it to begin anew"]) {
        assert!(error.contains(part), "no `{part}` in: {error}");
    }
    assert_eq!(report.executions, 0);
    assert_eq!(std::fs::read(file).unwrap(), before);
}

#[test]
fn a_checkpoint_of_another_program_is_refused() {
    let (_folder, file, builder) = begun();
    let parts = ["another program", r#"it has "begun""#, r#"this is "other""#];
    assert_refused(builder.name("other"), &file, &parts);
}

#[test]
fn a_checkpoint_under_other_reductions_is_refused() {
    let (_folder, file, builder) = begun();
    let other = builder.without(Reduction::LockAware);
    let parts = ["another set of reductions", "lock-aware", "this is"];
    assert_refused(other, &file, &parts);
}

#[test]
fn a_checkpoint_under_other_symmetries_is_refused() {
    let (_folder, file, builder) = begun();
    let other = builder.symmetries(vec![vec![0, 1, 2, 3], vec![0, 2, 1, 3]]);
    assert_refused(other, &file, &["another set of symmetries", "[0, 2, 1, 3]"]);
}

#[test]
fn a_checkpoint_without_spurious_wake_ups_is_refused_with_them() {
    let (_folder, file, builder) = begun();
    let parts = [
        "another setting of spurious wake-ups",
        "it has false",
        "this is true",
    ];
    assert_refused(builder.spurious_wakeups(), &file, &parts);
}

#[test]
fn a_file_that_is_no_checkpoint_is_refused() {
    for text in ["", "something else", "nmr-explorer checkpoint 0\n"] {
        let (_folder, file) = place();
        std::fs::write(&file, text).unwrap();
        let builder = Explorer::builder().checkpoint(&file);
        assert_refused(builder, &file, &["is no checkpoint of this version"]);
    }
}

#[test]
fn a_checkpoint_that_is_not_whole_is_refused() {
    let (_folder, file, builder) = begun();
    let whole = std::fs::read(&file).unwrap();
    let lengths = (0..8).map(|eighth| whole.len() * eighth / 8);
    for length in lengths.chain([whole.len() - 1]) {
        std::fs::write(&file, &whole[..length]).unwrap();
        assert_refused(
            builder.clone(),
            &file,
            &["is no checkpoint of this version"],
        );
    }
}

#[test]
fn a_checkpoint_with_something_behind_it_is_refused() {
    let (_folder, file, builder) = begun();
    let mut more = std::fs::read(&file).unwrap();
    more.push(0);
    std::fs::write(&file, more).unwrap();
    assert_refused(builder, &file, &["is no checkpoint of this version"]);
}

#[test]
fn a_checkpoint_in_which_a_bit_is_wrong_is_refused() {
    let (_folder, file, builder) = begun();
    let whole = std::fs::read(&file).unwrap();
    for place in [whole.len() / 2, whole.len() * 3 / 4] {
        let mut wrong = whole.clone();
        wrong[place] ^= 4;
        std::fs::write(&file, wrong).unwrap();
        assert_refused(
            builder.clone(),
            &file,
            &["is no checkpoint of this version"],
        );
    }
}

#[test]
fn a_place_that_cannot_be_written_is_a_harness_error() {
    let (folder, _) = place();
    let file = folder.path().join("nowhere").join("checkpoint");
    let (_, report) = search(Explorer::builder().checkpoint(&file));
    let error = error(&report);
    assert!(
        error.contains("nowhere") && error.contains("written"),
        "{error}"
    );
}
