//! A deadlock is told in words: who waits for what, where, and why that will not come.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use nmr_explorer::{Explorer, Report};
use nmr_sync::{Condvar, Mutex, thread};

use super::programs::found;

/// This place, in a line that is further down by `down`.
macro_rules! place {
    ($down:expr) => {
        format!("{}:{}:", file!(), line!() + $down)
    };
}

fn check(program: impl Fn() + Send + Sync + 'static) -> Report {
    Explorer::builder().check(program)
}

/// Whether the message has a line with all of this.
fn assert_line(report: &Report, parts: &[&str]) {
    let message = found(report).message();
    let mut lines = message.lines();
    assert!(
        lines.any(|line| parts.iter().all(|part| line.contains(part))),
        "no line has {parts:?}: {report}"
    );
}

#[test]
fn a_ring_is_shown_with_every_holder_and_every_place() {
    let (first, second) = (place!(7), place!(8));
    let report = check(|| {
        let forks: Arc<[Mutex<()>; 3]> = Arc::default();
        let dine = |seat: usize| {
            let forks = forks.clone();
            thread::spawn(move || {
                // Each takes the fork on its left.
                let _left = forks[seat].lock();
                let _right = forks[(seat + 1) % 3].lock();
            })
        };
        for guest in [dine(0), dine(1), dine(2)] {
            guest.join().unwrap();
        }
    });
    let message = found(&report).message();
    assert!(
        message.starts_with("deadlock: 4 threads cannot go on\n"),
        "{message}"
    );
    assert_eq!(message.lines().count(), 6, "{message}");
    assert_line(&report, &["thread main waits for thread 1 to end at "]);
    for (guest, fork, holder) in [(1, 2, 2), (2, 3, 3), (3, 1, 1)] {
        let waits = format!("thread {guest} waits for mutex Mutex<()>.{fork} at {second}");
        let held = format!("held by thread {holder} since {first}");
        assert_line(&report, &[&waits, &held]);
    }
    let ring = "a cycle: threads 1 → 2 → 3 → 1 each wait for the next one";
    assert_line(&report, &[ring]);
}

#[test]
fn who_waits_for_a_ring_is_no_part_of_it() {
    let report = check(|| {
        let locks: Arc<[Mutex<()>; 2]> = Arc::default();
        let take = |first: usize, second: usize| {
            let locks = locks.clone();
            thread::spawn(move || {
                let _first = locks[first].lock();
                let _second = locks[second].lock();
            })
        };
        let ring = [take(0, 1), take(1, 0)];
        drop(locks[0].lock());
        for thread in ring {
            thread.join().unwrap();
        }
    });
    let message = found(&report).message();
    assert_line(&report, &["a cycle: threads 1 → 2 → 1 "]);
    // The main thread is at the lock, or waits for the others to end.
    assert!(message.starts_with("deadlock: 3 threads"), "{message}");
}

#[test]
fn a_thread_that_waits_for_itself_is_a_ring_of_one() {
    let report = check(|| {
        let lock = Mutex::new(());
        let _once = lock.lock();
        let _twice = lock.lock();
    });
    assert_line(&report, &["deadlock: 1 thread cannot go on"]);
    assert_line(
        &report,
        &[
            "thread main waits for mutex Mutex<",
            "held by thread main since",
        ],
    );
    assert_line(&report, &["a cycle: threads main → main "]);
}

#[test]
fn who_waits_for_the_end_of_a_thread_that_waits_for_its_mutex_is_in_a_ring() {
    let report = check(|| {
        let lock = Arc::new(Mutex::new(()));
        let other = lock.clone();
        let thread = thread::spawn(move || drop(other.lock()));
        let _held = lock.lock();
        thread.join().unwrap();
    });
    assert_line(&report, &["thread main waits for thread 1 to end at "]);
    assert_line(&report, &["a cycle: threads main → 1 → main "]);
}

#[test]
fn a_notification_that_came_too_early_is_shown_with_its_sender() {
    let (notified, slept) = (place!(6), place!(10));
    let report = check(|| {
        let gate = Arc::new((Mutex::new(false), Condvar::new()));
        let opener = gate.clone();
        let thread = thread::spawn(move || {
            *opener.0.lock() = true;
            opener.1.notify_all();
        });
        let mut open = gate.0.lock();
        // Whether the gate is open already is not looked at.
        gate.1.wait(&mut open);
        drop(open);
        thread.join().unwrap();
    });
    let sleeps = format!("thread main sleeps on condvar Condvar.1 at {slept}");
    let missed = format!("missed the notification that thread 1 sent from {notified}");
    assert_line(&report, &[&sleeps, &missed, "when nobody slept"]);
    assert_line(&report, &["deadlock: 1 thread cannot go on"]);
}

#[test]
fn a_thread_that_nobody_ever_notifies_is_told_so() {
    let slept = place!(6);
    let report = check(|| {
        let gate = Arc::new((Mutex::new(()), Condvar::new()));
        let sleeper = gate.clone();
        let thread = thread::spawn(move || {
            let mut guard = sleeper.0.lock();
            sleeper.1.wait(&mut guard);
        });
        thread.join().unwrap();
    });
    let sleeps = format!("thread 1 sleeps on condvar Condvar.1 at {slept}");
    assert_line(&report, &[&sleeps, "nobody is left to notify it"]);
    assert!(!found(&report).message().contains("cycle"), "{report}");
}

#[test]
fn a_notification_of_another_condvar_is_not_the_one_that_was_missed() {
    let report = check(|| {
        let gate = (Mutex::new(()), Condvar::new());
        Condvar::new().notify_one();
        let mut guard = gate.0.lock();
        gate.1.wait(&mut guard);
    });
    assert_line(
        &report,
        &["thread main sleeps", "nobody is left to notify it"],
    );
}

#[test]
fn a_mutex_that_its_holder_took_along_to_its_end_is_told_so() {
    let taken = place!(5);
    let report = check(|| {
        let lock = Arc::new(Mutex::new(()));
        let other = lock.clone();
        let thread = thread::spawn(move || {
            std::mem::forget(other.lock());
        });
        thread.join().unwrap();
        drop(lock.lock());
    });
    let held = format!("which thread 1 took at {taken}");
    assert_line(
        &report,
        &[
            "thread main waits for mutex Mutex<",
            &held,
            "still held when it ended",
        ],
    );
}

#[test]
fn a_mutex_that_the_main_thread_took_along_to_its_end_is_told_so() {
    let report = check(|| {
        let lock = Arc::new(Mutex::new(()));
        let other = lock.clone();
        thread::spawn(move || drop(other.lock()));
        std::mem::forget(lock.lock());
    });
    assert_line(
        &report,
        &[
            "thread 1 waits for mutex Mutex<",
            "which thread main took at",
            "still held when it ended",
        ],
    );
}

/// Waits for what never comes, and lets no panic out.
struct WaitsWhenDropped(Arc<(Mutex<bool>, Condvar)>);

impl Drop for WaitsWhenDropped {
    fn drop(&mut self) {
        let _ = catch_unwind(AssertUnwindSafe(|| {
            let mut done = self.0.0.lock();
            while !*done {
                self.0.1.wait(&mut done);
            }
        }));
    }
}

#[test]
fn a_destructor_that_waits_while_its_thread_unwinds_is_told_of_like_another() {
    let report = check(|| {
        let never: Arc<(Mutex<bool>, Condvar)> = Arc::default();
        let waiting = thread::spawn(move || {
            let _ = catch_unwind(AssertUnwindSafe(|| {
                let _waits = WaitsWhenDropped(never);
                resume_unwind(Box::new("caught below"));
            }));
        });
        waiting.join().unwrap();
    });
    assert_line(
        &report,
        &[
            "thread 1 sleeps on condvar Condvar.1 at ",
            "nobody is left to notify it",
        ],
    );
}

/// Looks, and sleeps then: a notification may come in between.
struct SleepsWhenDropped(Arc<(Mutex<bool>, Mutex<()>, Condvar)>);

impl Drop for SleepsWhenDropped {
    fn drop(&mut self) {
        let is_set = *self.0.0.lock();
        if !is_set {
            let mut held = self.0.1.lock();
            self.0.2.wait(&mut held);
        }
    }
}

#[test]
fn a_search_goes_on_after_executions_that_end_in_a_destructor_while_a_thread_unwinds() {
    for workers in [1, 3] {
        let report = Explorer::builder().workers(workers).check(|| {
            let shared: Arc<(Mutex<bool>, Mutex<()>, Condvar)> = Arc::default();
            let notifying = {
                let shared = shared.clone();
                thread::spawn(move || {
                    *shared.0.lock() = true;
                    shared.2.notify_all();
                })
            };
            let _ = catch_unwind(AssertUnwindSafe(|| {
                let _sleeps = SleepsWhenDropped(shared);
                resume_unwind(Box::new("caught below"));
            }));
            notifying.join().unwrap();
        });
        assert_eq!(found(&report).violation.kind(), "deadlock", "{report}");
        assert_eq!(found(&report).preemptions, 1, "{report}");
    }
}
