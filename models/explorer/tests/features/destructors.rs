//! Destructors that take locks, in a thread that panics and in an execution that is thrown away: the process lives,
//! and what went wrong first is what is reported.

use std::panic::catch_unwind;
use std::sync::Arc;

use nmr_explorer::{Counterexample, Explorer, Replayed, Verdict, Violation};
use nmr_sync::atomic::{AtomicUsize, Ordering::SeqCst};
use nmr_sync::{Condvar, Mutex, thread};

use super::programs::found;

/// Counts what is over.
struct Done(Arc<Mutex<u32>>);

impl Drop for Done {
    fn drop(&mut self) {
        *self.0.lock() += 1;
    }
}

/// Does this when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// What one search and one of three workers find, whose schedule comes to the same.
fn violated(program: impl Fn() + Clone + Send + Sync + 'static) -> Counterexample {
    let all = [1, 3].map(|workers| {
        let report = Explorer::builder().workers(workers).check(program.clone());
        let found = found(&report).clone();
        let again = Explorer::replay(program.clone(), &found.schedule);
        assert!(again.misfits.is_empty(), "{again:?} after {report}");
        let Replayed::Violated(again) = again.outcome else {
            panic!("{again:?} after {report}");
        };
        assert_eq!(again.violation, found.violation, "{report}");
        found
    });
    assert!(all[0].violation.is_of_the_kind_of(&all[1].violation));
    let [one, _] = all;
    one
}

#[test]
fn a_lock_taken_while_the_thread_unwinds_hides_nothing() {
    let found = violated(|| {
        let count = Arc::new(Mutex::new(0));
        let _done = Done(count.clone());
        thread::spawn(move || *count.lock() += 1);
        panic!("the first failure");
    });
    assert_eq!(found.message(), "the first failure");
    let found = violated(|| {
        let count = Arc::new(Mutex::new(0));
        let done = Done(count.clone());
        let other = thread::spawn(move || {
            let _done = done;
            panic!("the first failure");
        });
        *count.lock() += 1;
        drop(other);
    });
    assert_eq!(found.message(), "the first failure");
}

#[test]
fn who_unwinds_waits_for_a_lock_that_another_thread_still_releases() {
    let found = violated(|| {
        let state = Arc::new((Arc::new(Mutex::new(0)), AtomicUsize::new(0)));
        let other = state.clone();
        let holding = thread::spawn(move || {
            let mut held = other.0.lock();
            other.1.store(1, SeqCst);
            while other.1.load(SeqCst) == 1 {
                thread::yield_now();
            }
            *held += 1;
        });
        while state.1.load(SeqCst) == 0 {
            thread::yield_now();
        }
        drop(holding);
        let _done = Done(state.0.clone());
        let _releases = OnDrop(|| state.1.store(2, SeqCst));
        panic!("the first failure");
    });
    assert_eq!(found.message(), "the first failure");
}

/// What the main thread was stuck in when it had said what went wrong first.
#[track_caller]
fn stuck_after_the_first_failure(found: &Counterexample) -> String {
    let Violation::Panic(panic) = &found.violation else {
        panic!("{found:?}");
    };
    let said = (&*panic.thread, &*panic.message);
    assert_eq!(said, ("main", "the first failure"), "{found:?}");
    let told = format!("{}", found.violation);
    assert!(told.starts_with("the first failure\n  in thread main; then "));
    panic.then.clone().expect("it is stuck")
}

#[test]
fn a_lock_that_a_sleeper_holds_keeps_who_unwinds_for_ever() {
    let found = violated(|| {
        let state = Arc::new((Arc::new(Mutex::new(0)), Mutex::new(()), Condvar::new()));
        let _done = Done(state.0.clone());
        let other = state.clone();
        let sleeper = thread::spawn(move || {
            let _held = other.0.lock();
            other.2.wait(&mut other.1.lock());
        });
        while state.0.try_lock().is_some() {
            thread::yield_now();
        }
        drop(sleeper);
        panic!("the first failure");
    });
    let stuck = stuck_after_the_first_failure(&found);
    assert!(stuck.starts_with("deadlock: 2 threads"), "{stuck}");
    assert!(
        stuck.contains("thread main waits for mutex Mutex<u32>.1"),
        "{stuck}"
    );
}

#[test]
fn a_destructor_that_sleeps_for_ever_does_not_hide_what_its_thread_said() {
    let found = violated(|| {
        let _sleeps = OnDrop(|| Condvar::new().wait(&mut Mutex::new(()).lock()));
        panic!("the first failure");
    });
    let stuck = stuck_after_the_first_failure(&found);
    assert!(
        stuck.contains("thread main sleeps on condvar Condvar.1"),
        "{stuck}"
    );
}

#[test]
fn a_destructor_that_joins_who_never_ends_does_not_hide_what_its_thread_said() {
    let found = violated(|| {
        let sleeper = thread::spawn(|| Condvar::new().wait(&mut Mutex::new(()).lock()));
        let mut sleeper = Some(sleeper);
        let _joins = OnDrop(move || drop(sleeper.take().map(thread::JoinHandle::join)));
        panic!("the first failure");
    });
    let stuck = stuck_after_the_first_failure(&found);
    assert!(
        stuck.contains("thread main waits for thread 1 to end"),
        "{stuck}"
    );
}

#[test]
fn a_destructor_that_spins_for_ever_does_not_hide_what_its_thread_said() {
    let found = violated(|| {
        let flag = AtomicUsize::new(0);
        let _spins = OnDrop(|| {
            while flag.load(SeqCst) == 0 {
                thread::yield_now();
            }
        });
        panic!("the first failure");
    });
    let stuck = stuck_after_the_first_failure(&found);
    assert!(stuck.starts_with("livelock: 1 thread spins"), "{stuck}");
}

#[test]
fn a_destructor_that_tries_a_lock_for_ever_does_not_hide_what_its_thread_said() {
    let found = violated(|| {
        let lock = Mutex::new(());
        let _held = lock.lock();
        let _tries = OnDrop(|| {
            while lock.try_lock().is_none() {
                thread::yield_now();
            }
        });
        panic!("the first failure");
    });
    let stuck = stuck_after_the_first_failure(&found);
    assert!(stuck.starts_with("livelock: 1 thread spins"), "{stuck}");
}

/// It does not yield: so it is no livelock, but too long.
#[test]
fn a_destructor_that_only_looks_for_ever_ends_with_the_search() {
    for workers in [1, 3] {
        let report = Explorer::builder().workers(workers).check(|| {
            let flag = AtomicUsize::new(0);
            let _looks = OnDrop(|| while flag.load(SeqCst) == 0 {});
            panic!("the first failure");
        });
        let Verdict::Incomplete(why) = &report.verdict else {
            panic!("{report}");
        };
        assert!(why.contains("operations"), "{report}");
    }
}

#[test]
fn two_threads_that_are_stuck_as_they_unwind_have_both_said_why() {
    let found = violated(|| {
        let lock = Arc::new(Mutex::new(0));
        std::mem::forget(lock.lock());
        let done = Done(lock.clone());
        let other = thread::spawn(move || {
            let _done = done;
            panic!("another failure");
        });
        let mut other = Some(other);
        let _joins = OnDrop(move || drop(other.take().map(thread::JoinHandle::join)));
        panic!("the first failure");
    });
    let stuck = stuck_after_the_first_failure(&found);
    assert!(stuck.contains("thread 1 waits for mutex"), "{stuck}");
    assert!(stuck.contains("another failure"), "{stuck}");
}

#[test]
fn a_panic_that_nobody_was_told_of_comes_before_that_of_who_is_stuck() {
    let found = violated(|| {
        let state = Arc::new((Arc::new(Mutex::new(0)), AtomicUsize::new(0)));
        let other = state.clone();
        let _untold = thread::spawn(move || {
            let _says = OnDrop(|| other.1.store(1, SeqCst));
            panic!("the first failure");
        });
        while state.1.load(SeqCst) == 0 {
            thread::yield_now();
        }
        std::mem::forget(state.0.lock());
        let _done = Done(state.0.clone());
        panic!("the consequence");
    });
    let message = found.message();
    assert!(message.starts_with("the first failure\n"), "{message}");
    assert!(
        message.contains("thread main panicked (the consequence)"),
        "{message}"
    );
    assert!(message.contains("thread main waits for mutex"), "{message}");
}

#[test]
fn a_panic_that_was_caught_before_has_nothing_to_do_with_a_deadlock() {
    let found = violated(|| {
        let caught = catch_unwind(|| panic!("caught"));
        assert!(caught.is_err());
        Condvar::new().wait(&mut Mutex::new(()).lock());
    });
    assert!(matches!(found.violation, Violation::Deadlock(_)));
    assert!(!found.message().contains("caught"), "{found:?}");
}

#[test]
fn stacks_are_dropped_after_a_deadlock() {
    let found = violated(|| {
        let count = Arc::new(Mutex::new(0));
        let locks: Arc<[Mutex<()>; 2]> = Arc::default();
        let take = |first: usize| {
            let (locks, done) = (locks.clone(), Done(count.clone()));
            thread::spawn(move || {
                let _done = done;
                let _first = locks[first].lock();
                let _second = locks[1 - first].lock();
            })
        };
        for thread in [take(0), take(1)] {
            thread.join().unwrap();
        }
    });
    let Violation::Deadlock(deadlock) = &found.violation else {
        panic!("{found:?}");
    };
    assert_eq!(deadlock.cycle.len(), 3, "{deadlock}");
}

#[test]
fn stacks_are_dropped_after_a_livelock() {
    let found = violated(|| {
        let count = Arc::new(Mutex::new(0));
        let _done = Done(count.clone());
        while *count.lock() == 0 {
            thread::yield_now();
        }
    });
    assert!(matches!(found.violation, Violation::Livelock(_)));
}
