//! The rules R1–R11 of rundown protection, one thread at a time, and then on many real ones. Every interleaving of
//! few threads: `models/tests/rundown`.
#![cfg(not(any(loom, shuttle)))]

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use nmr::{Closing, NotRunDown, Released, Rundown};

fn many(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).expect("it is not 0")
}

/// What `misuse` panics with.
fn words<R>(misuse: impl FnOnce() -> R) -> String {
    let panic = catch_unwind(AssertUnwindSafe(misuse)).err();
    let panic = panic.expect("it panics");
    *panic.downcast().expect("it panics with words")
}

#[test]
fn an_open_one_grants_and_a_closed_one_refuses() {
    let rundown = Rundown::new();
    let first = rundown.acquire().expect("it is open");
    let second = rundown.acquire().expect("it grants any number");
    assert_eq!(rundown.close(), Closing::Running);
    assert!(rundown.acquire().is_none());
    assert!(!rundown.try_acquire());
    assert_eq!(first.release(), Released::NotLast);
    assert!(!rundown.is_run_down());
    assert_eq!(second.release(), Released::Last);
    assert!(rundown.is_run_down());
    assert!(rundown.acquire().is_none());
}

#[test]
fn a_refused_guard_gives_nothing_back() {
    let rundown = Rundown::new();
    let held = rundown.acquire();
    assert_eq!(rundown.close(), Closing::Running);
    assert!(rundown.acquire().is_none());
    assert_eq!(rundown.close(), Closing::Running, "one is held still");
    drop(held);
    assert_eq!(rundown.close(), Closing::RunDown);
}

#[test]
fn a_guard_releases_when_it_is_dropped_and_once_only() {
    let rundown = Rundown::new();
    drop(rundown.acquire());
    assert_eq!(
        rundown.acquire().map(nmr::Guard::release),
        Some(Released::NotLast)
    );
    let held = rundown.try_acquire();
    assert!(held);
    assert_eq!(rundown.close(), Closing::Running);
    assert_eq!(rundown.release(), Released::Last);
}

#[test]
fn a_guard_releases_in_a_panic() {
    let rundown = Rundown::new();
    words(|| {
        let _guard = rundown.acquire();
        panic!("{}", "inside");
    });
    assert_eq!(rundown.close(), Closing::RunDown);
}

#[test]
fn many_are_acquired_at_once_and_given_back_in_any_portions() {
    let rundown = Rundown::new();
    assert!(rundown.try_acquire_many(many(5)));
    assert_eq!(rundown.release_many(many(2)), Released::NotLast);
    assert_eq!(rundown.close(), Closing::Running);
    assert_eq!(rundown.release(), Released::NotLast);
    assert_eq!(rundown.release_many(many(2)), Released::Last);

    let rundown = Rundown::new();
    let guard = rundown.acquire_many(many(3)).expect("it is open");
    assert_eq!(rundown.close(), Closing::Running);
    assert_eq!(guard.release(), Released::Last);
    assert!(rundown.acquire_many(many(3)).is_none());
}

#[test]
fn to_run_down_again_returns_at_once() {
    let rundown = Rundown::new();
    rundown.wait();
    assert!(rundown.is_run_down());
    rundown.wait();
    assert_eq!(rundown.close(), Closing::RunDown);
    assert_eq!(rundown.completed(), Ok(()));
    rundown.wait();
    assert!(rundown.acquire().is_none());
}

#[test]
fn only_what_is_run_down_is_reinitialised() {
    let rundown = Rundown::new();
    assert_eq!(rundown.reinitialise(), Err(NotRunDown::Open));
    assert_eq!(rundown.completed(), Err(NotRunDown::Open));

    assert!(rundown.try_acquire_many(many(2)));
    assert_eq!(rundown.close(), Closing::Running);
    let running = NotRunDown::Running { references: 2 };
    assert_eq!(rundown.reinitialise(), Err(running));
    assert_eq!(rundown.completed(), Err(running));
    assert!(!rundown.try_acquire(), "it is closed still");

    assert_eq!(rundown.release_many(many(2)), Released::Last);
    assert_eq!(rundown.reinitialise(), Ok(()));
    assert_eq!(rundown.reinitialise(), Err(NotRunDown::Open));
    assert!(!rundown.is_run_down());
    assert!(rundown.try_acquire());
    assert_eq!(rundown.close(), Closing::Running);
    assert_eq!(rundown.release(), Released::Last);
}

#[test]
fn to_release_what_is_not_held_panics_and_changes_nothing() {
    let rundown = Rundown::new();
    let none = "rundown protection: 1 reference(s) are released, and 0 are held";
    assert_eq!(words(|| rundown.release()), none);
    assert!(rundown.try_acquire());
    let one = "rundown protection: 2 reference(s) are released, and 1 are held";
    assert_eq!(words(|| rundown.release_many(many(2))), one);
    assert_eq!(rundown.close(), Closing::Running);
    assert_eq!(words(|| rundown.release_many(many(2))), one);
    let all = format!(
        "rundown protection: {} reference(s) are released, and 1 are held",
        usize::MAX
    );
    assert_eq!(words(|| rundown.release_many(many(usize::MAX))), all);
    assert_eq!(rundown.release(), Released::Last);
    assert_eq!(words(|| rundown.release()), none);
    assert!(rundown.is_run_down());
}

#[test]
fn more_references_than_can_be_counted_are_a_panic_and_none() {
    let rundown = Rundown::new();
    let most = usize::MAX / 2;
    assert!(rundown.try_acquire_many(many(most)));
    let expected = format!("rundown protection: 1 more references are too many, {most} are held");
    assert_eq!(words(|| rundown.acquire()), expected);
    let expected = format!(
        "rundown protection: {} more references are too many, {most} are held",
        most + 1
    );
    assert_eq!(words(|| rundown.acquire_many(many(most + 1))), expected);
    assert_eq!(rundown.close(), Closing::Running);
    assert!(!rundown.try_acquire_many(many(usize::MAX)), "it is closed");
    assert_eq!(rundown.release_many(many(most)), Released::Last);
}

#[test]
fn it_says_how_it_is() {
    let rundown = Rundown::default();
    let _guard = rundown.acquire_many(many(2));
    let open = "Rundown { references: 2, is_closed: false, .. }";
    assert_eq!(format!("{rundown:?}"), open);
    let running = NotRunDown::Running { references: 2 };
    assert_eq!(
        running.to_string(),
        "not run down: 2 reference(s) are still held; wait for it first"
    );
    assert_eq!(
        NotRunDown::Open.to_string(),
        "not run down: it is open; close it or wait for it first"
    );
}

/// Threads that use an object come and go; its owner runs it down again and again and puts another one there.
#[test]
fn an_object_is_replaced_only_when_nobody_uses_it() {
    const USERS: usize = 3;
    const OBJECTS: usize = 2_000;

    let rundown = Rundown::new();
    // The number of the object, and 0 while there is none. Relaxed: only the protection orders what is done to it.
    let object = AtomicUsize::new(1);
    let used = AtomicUsize::new(0);
    let start = Barrier::new(USERS + 1);
    thread::scope(|scope| {
        for _ in 0..USERS {
            scope.spawn(|| {
                start.wait();
                let mut last = 0;
                while last < OBJECTS {
                    let Some(guard) = rundown.acquire() else {
                        thread::yield_now();
                        continue;
                    };
                    let before = object.load(Ordering::Relaxed);
                    assert_ne!(before, 0, "acquired, and there is no object");
                    assert!(before >= last, "an object is not older than the last one");
                    used.fetch_add(1, Ordering::Relaxed);
                    last = object.load(Ordering::Relaxed);
                    assert_eq!(before, last, "it was replaced while it was used");
                    drop(guard);
                }
            });
        }
        start.wait();
        for next in 2..=OBJECTS {
            rundown.wait();
            object.store(0, Ordering::Relaxed);
            object.store(next, Ordering::Relaxed);
            rundown.reinitialise().expect("it is run down");
        }
    });
    assert!(used.load(Ordering::Relaxed) >= USERS);
}

/// As a detach callback does: whoever is told to completes, and exactly one is.
#[test]
fn of_a_closing_exactly_one_is_told_that_nothing_runs() {
    const USERS: usize = 3;
    const ROUNDS: usize = 1_000;

    let rundown = Rundown::new();
    let told = AtomicUsize::new(0);
    let round = Barrier::new(USERS + 1);
    thread::scope(|scope| {
        for user in 1..=USERS {
            let (rundown, round, told) = (&rundown, &round, &told);
            scope.spawn(move || {
                for _ in 0..ROUNDS {
                    round.wait();
                    if rundown.try_acquire_many(many(user))
                        && rundown.release_many(many(user)) == Released::Last
                    {
                        told.fetch_add(1, Ordering::Relaxed);
                    }
                    round.wait();
                }
            });
        }
        for expected in 1..=ROUNDS {
            round.wait();
            if rundown.close() == Closing::RunDown {
                told.fetch_add(1, Ordering::Relaxed);
            }
            round.wait();
            assert_eq!(told.load(Ordering::Relaxed), expected);
            rundown.reinitialise().expect("it is run down");
        }
    });
}

#[test]
fn all_who_wait_return() {
    const WAITERS: usize = 4;
    const ROUNDS: usize = 200;

    for _ in 0..ROUNDS {
        let rundown = Rundown::new();
        let work = AtomicUsize::new(0);
        let guard = rundown.acquire();
        thread::scope(|scope| {
            for _ in 0..WAITERS {
                scope.spawn(|| {
                    rundown.wait();
                    assert_eq!(work.load(Ordering::Relaxed), 1);
                });
            }
            work.store(1, Ordering::Relaxed);
            drop(guard);
        });
    }
}
