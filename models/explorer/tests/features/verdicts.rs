//! A search that was cut short says so, and nothing that could be taken for more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use nmr_explorer::{Builder, Explorer, Reduction, Report, Verdict};
use nmr_sync::{Condvar, Mutex};

use super::programs::{adders, appenders, ends_and_report, found};

/// Searches in a program that takes far longer than any test.
fn endless(builder: Builder) -> Report {
    builder.check(|| {
        appenders(4, 5);
    })
}

/// What reads as if the search had come to an end.
const TOO_MUCH: [&str; 16] = [
    "complete",
    "completed",
    "completely",
    "exhausted",
    "exhaustive",
    "exhaustively",
    "finished",
    "ended",
    "done",
    "proved",
    "proven",
    "verified",
    "holds",
    "safe",
    "ok",
    "passed",
];

fn assert_cut(report: &Report, why: &str) {
    let Verdict::Incomplete(reason) = &report.verdict else {
        panic!("{report}");
    };
    assert!(reason.contains(why), "{reason}");
    let text = report.to_string();
    assert!(text.contains(&format!("incomplete: {reason}")), "{text}");
    assert!(text.contains("this proves nothing"), "{text}");
    for text in [text, format!("{:?}", report.verdict)] {
        let text = text.to_lowercase();
        let mut words = text.split(|letter: char| !letter.is_alphabetic());
        assert!(words.all(|word| !TOO_MUCH.contains(&word)), "{text}");
    }
}

#[test]
fn time_is_over() {
    for budget in [Duration::ZERO, Duration::from_millis(30)] {
        let report = endless(Explorer::builder().budget(budget));
        assert_cut(&report, &format!("{budget:?} were over"));
        assert!(report.elapsed >= budget && report.elapsed < Duration::from_secs(10));
    }
}

#[test]
fn executions_are_used_up() {
    for workers in [1, 3] {
        let report = endless(Explorer::builder().max_executions(70).workers(workers));
        assert_cut(&report, "executions were made");
        assert!((70..73).contains(&report.executions), "{report}");
    }
}

#[test]
fn memory_is_full() {
    let report = endless(Explorer::builder().max_memory(1));
    assert_cut(&report, "states seen take more than 1 bytes");
    assert!(report.states > 0 && report.memory > 1, "{report}");
}

#[test]
fn where_no_states_are_kept_none_are_counted_and_the_ways_take_memory() {
    let builder = Explorer::builder().without(Reduction::VisitedStates);
    let report = builder.clone().check(|| drop(appenders(3, 2)));
    assert_eq!(report.verdict, Verdict::Exhausted, "{report}");
    assert!(report.states == 0 && report.memory > 0, "{report}");
    assert_cut(&endless(builder.max_memory(1)), "take more than 1 bytes");
}

#[test]
fn it_is_stopped_before_it_begins() {
    let stop = Arc::new(AtomicBool::new(true));
    let report = endless(Explorer::builder().stop(stop));
    assert_cut(&report, "interrupted");
    assert_eq!(report.executions, 0);
}

#[test]
fn it_is_stopped_on_the_way() {
    for workers in [1, 2] {
        let stop = Arc::new(AtomicBool::new(false));
        let executions = AtomicUsize::new(0);
        let report = Explorer::builder()
            .stop(stop.clone())
            .workers(workers)
            .check(move || {
                if executions.fetch_add(1, Ordering::Relaxed) == 50 {
                    stop.store(true, Ordering::Relaxed);
                }
                appenders(4, 5);
            });
        assert_cut(&report, "interrupted");
        // What is made twice runs as well.
        assert!(report.executions + report.verifying >= 50, "{report}");
    }
}

#[test]
fn an_execution_that_never_ends_is_cut_short() {
    let report = Explorer::builder().check(|| {
        let count = nmr_sync::Mutex::new(0_u64);
        loop {
            *count.lock() += 1;
            nmr_sync::thread::yield_now();
        }
    });
    assert_cut(&report, "an execution has more than");
}

#[test]
fn limits_that_are_not_reached_change_nothing() {
    let (undisturbed, plain) = ends_and_report(Explorer::builder(), || adders(3, 3));
    let builder = Explorer::builder()
        .budget(Duration::from_secs(3_600))
        .max_executions(1_000_000)
        .max_memory(1 << 30)
        .stop(Arc::default());
    let (ends, limited) = ends_and_report(builder, || adders(3, 3));
    assert_eq!(limited.verdict, Verdict::Exhausted);
    assert_eq!(ends, undisturbed);
    assert_eq!(
        (limited.executions, limited.states),
        (plain.executions, plain.states)
    );
}

#[test]
fn as_many_executions_as_it_takes_are_enough_and_one_fewer_is_not() {
    for builder in [
        Explorer::builder(),
        Explorer::builder().without(Reduction::VisitedStates),
    ] {
        let limited = |executions: u64| {
            let builder = builder.clone().max_executions(executions);
            builder.check(|| {
                adders(2, 3);
            })
        };
        let needed = limited(u64::MAX).executions;
        let enough = limited(needed);
        assert_eq!(enough.verdict, Verdict::Exhausted, "{enough}");
        assert_cut(&limited(needed - 1), "executions were made");
    }
}

#[test]
fn where_memory_is_short_few_states_wait_and_the_search_comes_to_its_end() {
    // 10⁴ − 1 − 4·9 states of some 40 bytes. Were they not turned to by depth from half of the bound on, so
    // many would wait that 8 MiB were not enough.
    let report = Explorer::builder().max_memory(4 << 20).check(|| {
        adders(4, 9);
    });
    assert_eq!(report.verdict, Verdict::Exhausted, "{report}");
    assert_eq!(report.states, 9_963);
}

#[test]
fn a_violation_before_the_limit_is_one() {
    let report = Explorer::builder().max_executions(20).check(|| {
        let list = appenders(2, 2);
        assert_eq!(list, [1, 1, 2, 2], "another order");
    });
    assert!(
        found(&report).message().contains("another order"),
        "{report}"
    );
}

#[test]
fn a_search_for_fewer_preemptions_that_is_cut_short_claims_none() {
    let stop = Arc::new(AtomicBool::new(false));
    let report = Explorer::builder().stop(stop.clone()).check(move || {
        if appenders(2, 2) == [1, 2, 1, 2] {
            // From now on no time is left to look for fewer.
            stop.store(true, Ordering::Relaxed);
            panic!("by turns");
        }
    });
    let found = found(&report);
    assert!(found.preemptions > 0 && !found.is_minimal, "{report}");
    let text = report.to_string();
    assert!(
        text.contains("whether fewer are enough was not found out"),
        "{text}"
    );
}

#[test]
fn only_an_exhausted_search_passes_as_a_result_and_in_a_test() {
    let exhausted = Explorer::builder().check(|| ());
    exhausted.assert_exhausted();
    assert!(exhausted.into_result().is_ok());
    let violated = || Explorer::builder().check(|| panic!("on purpose"));
    let cut = || Explorer::builder().max_executions(0).check(|| ());
    for report in [violated(), cut()] {
        let text = report.to_string();
        let passes = std::panic::AssertUnwindSafe(|| report.assert_exhausted());
        let panic = std::panic::catch_unwind(passes).unwrap_err();
        assert_eq!(panic.downcast_ref::<String>(), Some(&text));
        let error = report.into_result().unwrap_err();
        assert_eq!(error.to_string(), text);
    }
}

/// That a sleeper may wake without a reason does not mean that it ever will.
#[test]
fn a_sleeper_that_may_wake_without_a_reason_is_in_a_deadlock_all_the_same() {
    let report = Explorer::builder().spurious_wakeups().check(|| {
        Condvar::new().wait(&mut Mutex::new(()).lock());
    });
    assert_eq!(found(&report).violation.kind(), "deadlock", "{report}");
}
