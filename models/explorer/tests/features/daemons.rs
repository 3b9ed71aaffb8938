//! A thread that serves the others for as long as they are there: the program does not wait for its end.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use nmr_explorer::{Builder, Explorer, Reduction, Report, Violation};
use nmr_sync::{Condvar, Mutex, thread};

use super::programs::{ends_and_report, error, found};

fn builders() -> Vec<Builder> {
    let all = Reduction::ALL.into_iter();
    let mut builders: Vec<Builder> = all.map(|one| Explorer::builder().without(one)).collect();
    builders.extend([1, 3].map(|workers| Explorer::builder().workers(workers)));
    builders
}

#[derive(Default)]
struct Queue {
    jobs: Mutex<Vec<u32>>,
    pushed: Condvar,
}

/// Takes jobs for ever.
fn serve(queue: &Queue) {
    loop {
        let mut jobs = queue.jobs.lock();
        while jobs.is_empty() {
            queue.pushed.wait(&mut jobs);
        }
        jobs.pop();
    }
}

/// The main thread pushes one job and ends.
fn push_one(builder: Builder, thread: fn() -> thread::Builder) -> Report {
    builder.check(move || {
        let queue: Arc<Queue> = Arc::default();
        let other = queue.clone();
        drop(thread().spawn(move || serve(&other)));
        queue.jobs.lock().push(1);
        queue.pushed.notify_one();
    })
}

#[test]
fn a_daemon_that_waits_for_work_outlives_the_program() {
    for builder in builders() {
        push_one(builder, || thread::Builder::new().daemon()).assert_exhausted();
    }
}

#[test]
fn a_thread_that_is_no_daemon_has_to_end() {
    for builder in builders() {
        let report = push_one(builder, thread::Builder::new);
        let violation = &found(&report).violation;
        assert!(matches!(violation, Violation::Deadlock(_)), "{report}");
    }
}

#[test]
fn in_a_deadlock_of_others_a_daemon_is_not_named() {
    let report = Explorer::builder().check(|| {
        let queue: Arc<Queue> = Arc::default();
        let other = queue.clone();
        let daemon = thread::Builder::new().name("serving").daemon();
        drop(daemon.spawn(move || serve(&other)));
        Condvar::new().wait(&mut Mutex::new(()).lock());
    });
    let Violation::Deadlock(deadlock) = &found(&report).violation else {
        panic!("{report}");
    };
    let blocked = deadlock.blocked.iter().map(|blocked| &*blocked.thread);
    assert_eq!(blocked.collect::<Vec<_>>(), ["main"]);
}

#[test]
fn a_daemon_that_the_main_thread_joins_is_waited_for() {
    let report = Explorer::builder().check(|| {
        let queue: Arc<Queue> = Arc::default();
        let daemon = thread::Builder::new().daemon();
        let daemon = daemon.spawn(move || serve(&queue)).unwrap();
        let _never = daemon.join();
    });
    let violation = &found(&report).violation;
    assert!(matches!(violation, Violation::Deadlock(_)), "{report}");
}

#[test]
fn a_daemon_goes_on_before_the_program_is_over_or_not() {
    for builder in builders() {
        let (ends, report) = ends_and_report(builder.clone(), || {
            let count = Arc::new(Mutex::new(0));
            let other = count.clone();
            let daemon = thread::Builder::new().daemon();
            drop(daemon.spawn(move || *other.lock() += 1));
            *count.lock()
        });
        assert_eq!(ends, BTreeSet::from([0, 1]), "{report}");
        // Only behind all that the main thread does.
        let report = builder.check(|| {
            let count = Arc::new(Mutex::new(0));
            let other = count.clone();
            let daemon = thread::Builder::new().daemon();
            drop(daemon.spawn(move || assert_eq!(*other.lock(), 0, "too late")));
            *count.lock() += 1;
        });
        assert!(found(&report).message().contains("too late"), "{report}");
        assert_eq!(found(&report).preemptions, 0, "{report}");
    }
}

#[test]
fn when_the_program_is_over_the_destructors_of_a_daemon_run() {
    struct Counted(Arc<AtomicU64>, Mutex<u32>);
    impl Drop for Counted {
        fn drop(&mut self) {
            *self.1.lock() += 1;
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let dropped: Arc<AtomicU64> = Arc::default();
    let count = dropped.clone();
    let report = Explorer::builder().check(move || {
        let queue: Arc<Queue> = Arc::default();
        let other = queue.clone();
        let counted = Counted(count.clone(), Mutex::new(0));
        let daemon = thread::Builder::new().daemon().spawn(move || {
            let _counted = counted;
            serve(&other);
        });
        drop(daemon);
        queue.jobs.lock().push(1);
        queue.pushed.notify_one();
    });
    report.assert_exhausted();
    let made = report.executions + report.verifying;
    assert_eq!(dropped.load(Ordering::Relaxed), made, "{report}");
}

#[test]
fn a_daemon_that_catches_what_unwinds_it_is_a_harness_error() {
    for workers in [1, 3] {
        let report = Explorer::builder().workers(workers).check(|| {
            let queue: Arc<Queue> = Arc::default();
            let serve_all = move || {
                loop {
                    let _ = catch_unwind(AssertUnwindSafe(|| serve(&queue)));
                }
            };
            drop(thread::Builder::new().daemon().spawn(serve_all));
        });
        assert!(error(&report).contains("catches the panic"), "{report}");
    }
}

#[test]
fn a_daemon_whose_destructor_waits_in_vain_is_a_harness_error() {
    struct Locks(Arc<Queue>);
    impl Drop for Locks {
        fn drop(&mut self) {
            self.0.jobs.lock().push(1);
        }
    }
    fn check<T: Send + 'static>(with: fn(Arc<Queue>) -> T, leaks: bool) {
        let report = Explorer::builder().check(move || {
            let queue: Arc<Queue> = Arc::default();
            let daemon = thread::Builder::new().daemon().spawn(move || {
                let _with = with(queue.clone());
                if leaks {
                    std::mem::forget(queue.jobs.lock());
                }
                Condvar::new().wait(&mut Mutex::new(()).lock());
            });
            drop(daemon);
        });
        assert!(error(&report).contains("a destructor of it"), "{report}");
    }
    check(Waits, false);
    check(Locks, true);
}

/// Once it is dropped it waits for what cannot come.
struct Waits(Arc<Queue>);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.pushed.wait(&mut self.0.jobs.lock());
    }
}

/// Starts a daemon that panics, with what `keeps` gives on its stack, and lets the program end after that.
fn fails<T: 'static>(keeps: impl FnOnce() -> T + Send + 'static) {
    let queue: Arc<Queue> = Arc::default();
    let other = queue.clone();
    let daemon = thread::Builder::new().daemon().spawn(move || {
        let _kept = keeps();
        let mut jobs = other.jobs.lock();
        jobs.push(1);
        other.pushed.notify_one();
        drop(jobs);
        panic!("nothing to do");
    });
    drop(daemon);
    let mut jobs = queue.jobs.lock();
    while jobs.is_empty() {
        queue.pushed.wait(&mut jobs);
    }
}

/// The panic of the daemon, which is in each execution, is what every search finds. What it says besides.
fn find_the_panic(program: fn()) -> Vec<Option<String>> {
    let found = builders().into_iter().map(|builder| {
        let report = builder.check(program);
        let Violation::Panic(panic) = &found(&report).violation else {
            panic!("{report}");
        };
        assert_eq!(panic.message, "nothing to do", "{report}");
        panic.then.clone()
    });
    found.collect()
}

#[test]
fn the_panic_of_a_daemon_is_found_though_its_destructor_waits_in_vain() {
    let then = find_the_panic(|| fails(|| Waits(Arc::default())));
    for then in then {
        let then = then.unwrap_or_default();
        assert!(then.contains("does not come to its end"), "{then}");
    }
}

#[test]
fn the_panic_of_a_daemon_is_found_though_another_one_catches_what_unwinds_it() {
    find_the_panic(|| {
        let queue: Arc<Queue> = Arc::default();
        let catches = move || {
            loop {
                let _ = catch_unwind(AssertUnwindSafe(|| serve(&queue)));
            }
        };
        drop(thread::Builder::new().daemon().spawn(catches));
        fails(|| ());
    });
}
