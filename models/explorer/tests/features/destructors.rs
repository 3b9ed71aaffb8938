//! Destructors that take locks, in a thread that panics and in an execution that is thrown away: the process lives,
//! and what went wrong first is what is reported.

use std::sync::Arc;

use nmr_explorer::{Counterexample, Explorer, Replayed, Violation};
use nmr_sync::{Condvar, Mutex, thread};

use super::programs::found;

/// Counts what is over.
struct Done(Arc<Mutex<u32>>);

impl Drop for Done {
    fn drop(&mut self) {
        *self.0.lock() += 1;
    }
}

/// What one search and one of three workers find, whose schedule comes to the same.
fn violated(program: impl Fn() + Clone + Send + Sync + 'static) -> Counterexample {
    let all = [1, 3].map(|workers| {
        let report = Explorer::builder().workers(workers).check(program.clone());
        let found = found(&report).clone();
        let again = Explorer::replay(program.clone(), &found.schedule);
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
    assert!(matches!(found.violation, Violation::Deadlock(_)));
    let message = found.message();
    assert!(
        message.contains("thread main waits for mutex Mutex<u32>.1"),
        "{message}"
    );
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
