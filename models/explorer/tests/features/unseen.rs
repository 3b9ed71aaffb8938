//! What the explorer cannot see is not taken for nothing: a lock that says nothing may hide something, and
//! a thread that is none of the program's is refused.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use nmr_explorer::{Builder, Explorer, Reduction, Verdict};
use nmr_sync::{Condvar, Monitor, Mutex, learn, thread};

use super::programs::{ends_and_report, error};

fn builders() -> Vec<Builder> {
    let each = Reduction::ALL.map(|one| Explorer::builder().without(one));
    each.into_iter().chain([Explorer::builder()]).collect()
}

/// Two threads that each, with `lock` held, put their number behind what is in something unseen.
fn ordered(builder: Builder, enter: fn(&Mutex<()>, &dyn Fn())) -> BTreeSet<usize> {
    let (ends, report) = ends_and_report(builder, move || {
        let shared = Arc::new((Mutex::new(()), AtomicUsize::new(0)));
        let threads = [1, 2].map(|number| {
            let shared = shared.clone();
            thread::spawn(move || {
                enter(&shared.0, &|| {
                    let before = shared.1.load(Ordering::Relaxed);
                    shared.1.store(before * 10 + number, Ordering::Relaxed);
                });
            })
        });
        for thread in threads {
            thread.join().unwrap();
        }
        shared.1.load(Ordering::Relaxed)
    });
    assert_eq!(report.verdict, Verdict::Exhausted, "{report}");
    ends
}

#[test]
fn a_lock_around_nothing_may_protect_what_nobody_sees() {
    for builder in builders() {
        let ends = ordered(builder, |lock, body| {
            let _held = lock.lock();
            body();
        });
        assert_eq!(ends, BTreeSet::from([12, 21]));
    }
}

#[test]
fn a_lock_that_is_tried_may_protect_what_nobody_sees() {
    for builder in builders() {
        let ends = ordered(builder, |lock, body| {
            if let Some(_held) = lock.try_lock() {
                body();
            }
        });
        assert_eq!(ends, BTreeSet::from([12, 21, 1, 2]));
    }
}

#[test]
fn who_says_that_a_lock_protects_nothing_is_believed() {
    let (_, report) = ends_and_report(Explorer::builder(), || {
        let lock = Arc::new(Monitor::new(()));
        let threads = [(); 2].map(|()| {
            let lock = lock.clone();
            thread::spawn(move || lock.enter(|_| learn(&())))
        });
        for thread in threads {
            thread.join().unwrap();
        }
    });
    assert_eq!((report.executions, report.restarts), (1, 0), "{report}");
}

fn assert_stranger(program: impl Fn() + Send + Sync + 'static) {
    let program = Arc::new(program);
    for workers in [1, 2] {
        let program = program.clone();
        let report = Explorer::builder()
            .workers(workers)
            .check(move || program());
        let error = error(&report);
        assert!(
            error.contains("on a thread that the explorer does not know"),
            "{error}"
        );
        assert!(error.contains("nmr_sync::thread::spawn"), "{error}");
    }
}

#[test]
fn a_thread_of_std_that_takes_a_lock_is_refused() {
    assert_stranger(|| {
        let lock = Arc::new(Mutex::new(0));
        let other = lock.clone();
        let stranger = std::thread::spawn(move || *other.lock() += 1);
        // Whatever becomes of it.
        let _ = stranger.join();
    });
    assert_stranger(|| {
        let lock = Arc::new(Mutex::new(0));
        let other = lock.clone();
        let stranger = std::thread::spawn(move || drop(other.try_lock()));
        stranger.join().expect("it was refused");
    });
}

#[test]
fn a_scope_of_std_is_refused() {
    assert_stranger(|| {
        let changed = Condvar::new();
        std::thread::scope(|scope| {
            let stranger = scope.spawn(|| changed.notify_all());
            let _ = stranger.join();
        });
    });
}

#[test]
fn what_a_search_leaves_may_be_used_when_it_is_over() {
    let left: Arc<std::sync::Mutex<Option<Arc<Mutex<u32>>>>> = Arc::default();
    let report = Explorer::builder().check({
        let left = left.clone();
        move || {
            let number = Arc::new(Mutex::new(7));
            *left.lock().unwrap() = Some(number);
        }
    });
    assert_eq!(report.verdict, Verdict::Exhausted, "{report}");
    let number = left.lock().unwrap().take().expect("it was left");
    assert_eq!(*number.lock(), 7);
}

#[test]
fn a_check_inside_a_check_is_refused_by_both() {
    for workers in [1, 2] {
        let inner = Arc::new(std::sync::Mutex::new(None));
        let report = Explorer::builder().workers(workers).check({
            let inner = inner.clone();
            move || {
                let report = Explorer::builder().check(|| {});
                *inner.lock().unwrap() = Some(report.verdict);
            }
        });
        assert!(
            error(&report).contains("a check inside a check"),
            "{report}"
        );
        let inner = inner.lock().unwrap().take();
        assert!(matches!(inner, Some(Verdict::HarnessError(_))), "{inner:?}");
    }
}

#[test]
fn a_thread_of_shuttles_own_is_refused() {
    let report = Explorer::builder().check(|| {
        shuttle::thread::spawn(|| {}).join().unwrap();
    });
    let error = error(&report);
    assert!(
        error.contains("was not started with nmr_sync::thread::spawn"),
        "{error}"
    );
}

#[test]
fn a_wait_for_what_is_not_of_nmr_sync_is_refused() {
    let report = Explorer::builder().check(|| {
        let lock = Arc::new((shuttle::sync::Mutex::new(0), Mutex::new(0)));
        let threads = [(); 2].map(|()| {
            let lock = lock.clone();
            thread::spawn(move || {
                let _outside = lock.0.lock().unwrap();
                *lock.1.lock() += 1;
            })
        });
        for thread in threads {
            thread.join().unwrap();
        }
    });
    let error = error(&report);
    assert!(
        error.contains("waits for something that is not of nmr-sync"),
        "{error}"
    );
}
