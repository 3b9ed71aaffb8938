//! A thread that does much that nobody notices, before something that others do: every order of that is there, and a
//! schedule leads through it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use nmr_explorer::{Explorer, Replayed, Verdict};
use nmr_sync::atomic::AtomicUsize;
use nmr_sync::{Mutex, thread};

use super::blocking::builders;
use super::programs::found;

/// A thread that counts for itself, so often, and then writes; the main one must not see that.
fn writes_after(count: usize) -> impl Fn() + Send + Sync + Copy + 'static {
    move || {
        let shared = Arc::new(Mutex::new(0));
        let other = shared.clone();
        let thread = thread::spawn(move || {
            let own = AtomicUsize::new(0);
            for _ in 0..count {
                own.fetch_add(1, Ordering::SeqCst);
            }
            *other.lock() = 1;
        });
        let seen = *shared.lock();
        thread.join().unwrap();
        assert_ne!(seen, 1, "seen");
    }
}

#[test]
fn what_comes_behind_many_operations_that_nobody_notices_is_ordered() {
    for count in [150, 199, 200, 201, 650] {
        for builder in builders() {
            let report = builder.check(writes_after(count));
            let Verdict::Violated(_) = &report.verdict else {
                panic!("{count}: {report}");
            };
            assert!(found(&report).message().contains("seen"), "{report}");
        }
    }
}

#[test]
fn a_schedule_leads_a_thread_through_many_operations() {
    for count in [150, 199, 200, 201, 650] {
        let program = writes_after(count);
        let report = Explorer::builder().check(program);
        let schedule = found(&report).schedule.clone();
        for schedule in [schedule.condensed(), schedule] {
            let replay = Explorer::replay(program, &schedule);
            assert!(
                matches!(&replay.outcome, Replayed::Violated(again) if again.violation == found(&report).violation),
                "{count}: {replay:?}"
            );
        }
    }
}

/// A thread is stopped in the middle of many sections of a lock that others read.
#[test]
fn a_schedule_stops_a_thread_in_the_middle_of_many_sections() {
    let program = || {
        let shared = Arc::new(Mutex::new(0));
        let other = shared.clone();
        let thread = thread::spawn(move || {
            for _ in 0..300 {
                *other.lock() += 1;
            }
        });
        let seen = *shared.lock();
        thread.join().unwrap();
        assert_ne!(seen, 250, "seen");
    };
    let report = Explorer::builder().check(program);
    let schedule = found(&report).schedule.condensed();
    let replay = Explorer::replay(program, &schedule);
    assert!(
        matches!(&replay.outcome, Replayed::Violated(_)),
        "{replay:?}"
    );
}
