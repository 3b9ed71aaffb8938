//! A thread that waits for another one's end, or keeps a lock past its own, is noticed by all who want
//! what it holds; and a lock that is let go of by a panic is, too.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use nmr_explorer::{Builder, Explorer, Reduction, Report, Verdict};
use nmr_sync::{Mutex, describe, learn, thread};

use super::programs::{ends_and_report, found};

/// With all reductions, without each of them, without any; and by several workers.
pub(super) fn builders() -> Vec<Builder> {
    let all = Reduction::ALL.into_iter();
    let none = all.clone().fold(Explorer::builder(), Builder::without);
    let mut builders: Vec<Builder> = all.map(|one| Explorer::builder().without(one)).collect();
    builders.extend([Explorer::builder(), Explorer::builder().workers(3), none]);
    builders
}

fn assert_deadlock(program: fn()) {
    for builder in builders() {
        let report = builder.check(program);
        assert!(found(&report).message().starts_with("deadlock"), "{report}");
    }
}

#[test]
fn a_thread_is_joined_by_who_holds_its_lock() {
    assert_deadlock(|| {
        let lock = Arc::new(Mutex::new(()));
        let other = lock.clone();
        let thread = thread::spawn(move || drop(other.lock()));
        let _held = lock.lock();
        thread.join().unwrap();
    });
}

#[test]
fn a_thread_is_joined_in_a_section_that_says_that_it_changes_nothing() {
    assert_deadlock(|| {
        let lock = Arc::new(Mutex::new(7));
        let look = |lock: &Mutex<u32>| {
            let guard = lock.lock();
            describe(&guard);
            learn(&*guard);
        };
        let other = lock.clone();
        let thread = thread::spawn(move || look(&other));
        let held = lock.lock();
        describe(&held);
        thread.join().unwrap();
    });
}

#[test]
fn a_thread_ends_with_a_lock_that_another_one_takes_later() {
    // It is no matter whether the other one is first: only then nothing is wrong.
    assert_deadlock(|| {
        let lock = Arc::new(Mutex::new(7));
        let keep = |lock: &Mutex<u32>| {
            let guard = lock.lock();
            describe(&guard);
            std::mem::forget(guard);
        };
        let other = lock.clone();
        let keeper = thread::spawn(move || keep(&other));
        let guard = lock.lock();
        describe(&guard);
        drop(guard);
        keeper.join().unwrap();
    });
}

#[test]
fn the_main_thread_ends_with_a_lock_that_another_one_takes_later() {
    assert_deadlock(|| {
        let lock = Arc::new(Mutex::new(7));
        let other = lock.clone();
        thread::spawn(move || {
            let guard = other.lock();
            describe(&guard);
        });
        let guard = lock.lock();
        describe(&guard);
        std::mem::forget(guard);
    });
}

/// A thread takes a lock and panics with it, which is caught; meanwhile another one tries to take it.
/// What the other one finds, and whether the first one was through then.
fn caught(builder: Builder) -> (BTreeSet<(bool, bool)>, Report) {
    ends_and_report(builder, || {
        let locks = Arc::new((Mutex::new(0), Mutex::new(false)));
        let other = locks.clone();
        let panicking = thread::spawn(move || {
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                let _held = other.0.lock();
                std::panic::resume_unwind(Box::new("on purpose"));
            }));
            assert!(panicked.is_err());
            *other.1.lock() = true;
        });
        let is_free = locks.0.try_lock().is_some();
        let is_through = *locks.1.lock();
        panicking.join().unwrap();
        (is_free, is_through)
    })
}

#[test]
fn a_section_that_a_caught_panic_ends_is_one_while_it_lasts() {
    let all = BTreeSet::from([(true, false), (true, true), (false, false), (false, true)]);
    for builder in builders() {
        let (ends, report) = caught(builder);
        assert_eq!(
            (&report.verdict, ends),
            (&Verdict::Exhausted, all.clone()),
            "{report}"
        );
    }
}

#[test]
fn a_thread_that_nobody_joins_runs_to_its_end() {
    for builder in builders() {
        let (ends, report) = ends_and_report(builder.clone(), || {
            let number = Arc::new(Mutex::new(0));
            let other = number.clone();
            thread::spawn(move || *other.lock() = 1);
            let guard = number.lock();
            *guard
        });
        assert_eq!(ends, BTreeSet::from([0, 1]), "{report}");
        let report = builder.check(|| {
            thread::spawn(|| panic!("behind the main thread"));
        });
        assert!(
            found(&report).message().contains("behind the main"),
            "{report}"
        );
    }
}

#[test]
fn long_ways_without_a_scheduling_point_are_one_execution() {
    for sections in [199, 200, 201, 500, 1_000] {
        let report = Explorer::builder().check(move || {
            let threads = [1, 2].map(|add| {
                thread::spawn(move || {
                    let own = Mutex::new(0);
                    for _ in 0..sections {
                        *own.lock() += add;
                    }
                })
            });
            for thread in threads {
                thread.join().unwrap();
            }
        });
        assert_eq!(report.verdict, Verdict::Exhausted, "{report}");
        assert_eq!((report.executions, report.restarts), (1, 0), "{report}");
    }
}

#[test]
fn who_looks_again_and_again_lets_the_others_go_on() {
    // Whoever looks says that nothing changes, and that it knows nothing: its sections are noticed by nobody
    // until the other thread writes.
    let report = Explorer::builder().check(|| {
        let ready = Arc::new(Mutex::new(false));
        let other = ready.clone();
        let thread = thread::spawn(move || {
            let mut ready = other.lock();
            *ready = true;
            describe(&ready);
            learn(&());
        });
        loop {
            let guard = ready.lock();
            describe(&guard);
            learn(&());
            let is_ready = *guard;
            drop(guard);
            nmr_sync::forget(&is_ready);
            if is_ready {
                break;
            }
        }
        thread.join().unwrap();
    });
    assert_eq!(report.verdict, Verdict::Exhausted, "{report}");
}
