//! The same program gives the same report, but for the time.

use nmr_explorer::{Builder, Explorer, Reduction, Report};
use nmr_sync::{Mutex, thread};

use super::programs::{adders, appenders};

/// The report's text without the time, and its figures.
fn timeless(report: &Report) -> (String, [u64; 9]) {
    let time = format!("{:.3} s", report.elapsed.as_secs_f64());
    let text = report.to_string();
    assert_eq!(text.matches(&time).count(), 1, "{text}");
    let figures = [
        report.executions,
        report.before_restart,
        report.minimising,
        report.known,
        report.verifying,
        report.transitions,
        report.states,
        report.preemptions,
        report.longest as u64,
    ];
    (text.replace(&time, "some time"), figures)
}

fn assert_repeats(builder: &Builder, program: fn()) {
    let reports = [
        builder.clone().check(program),
        builder.clone().check(program),
    ];
    let [first, second] = reports.map(|report| timeless(&report));
    assert_eq!(first, second);
}

/// With a sleep, a lock that is only tried, and a deadlock.
fn stuck() {
    let gate = std::sync::Arc::new((Mutex::new(0), nmr_sync::Condvar::new()));
    let other = gate.clone();
    let thread = thread::spawn(move || {
        if let Some(mut number) = other.0.try_lock() {
            *number += 1;
        }
        other.1.notify_one();
    });
    let mut number = gate.0.lock();
    if *number == 0 {
        gate.1.wait(&mut number);
    }
    drop(number);
    thread.join().unwrap();
}

#[test]
fn a_search_that_ends_gives_the_same_report_twice() {
    assert_repeats(&Explorer::builder(), || {
        adders(3, 3);
    });
    assert_repeats(&Explorer::builder(), || drop(appenders(3, 2)));
    for one in Reduction::ALL {
        assert_repeats(&Explorer::builder().without(one), || drop(appenders(2, 3)));
    }
}

#[test]
fn a_violation_gives_the_same_report_twice() {
    assert_repeats(&Explorer::builder(), stuck);
    assert_repeats(&Explorer::builder(), || {
        assert_ne!(appenders(2, 2), [2, 1, 2, 1], "by turns");
    });
}

#[test]
fn a_search_that_is_cut_gives_the_same_report_twice() {
    assert_repeats(&Explorer::builder().max_executions(100), || {
        drop(appenders(3, 3));
    });
}
