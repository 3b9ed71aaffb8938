//! A program that depends on something else than its interleaving is the harness's error, with the place
//! where that was noticed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use nmr_explorer::{Explorer, Reduction, Verdict};
use nmr_sync::{Condvar, Mutex, describe, learn, thread};

use super::programs::{error, run_all};

fn assert_not_under_control(error: &str, step: &str, what: &str, now: &[&str]) {
    for part in [step, what, "not under control"].iter().chain(now) {
        assert!(error.contains(part), "no `{part}` in: {error}");
    }
}

#[test]
fn the_number_of_threads_changes() {
    let runs = AtomicUsize::new(0);
    let report = Explorer::builder().check(move || {
        let sum = Arc::new(Mutex::new(0));
        let add = |_| -> Box<dyn FnOnce() + Send> {
            let sum = sum.clone();
            Box::new(move || *sum.lock() += 1)
        };
        // Not in the first execution, which begins again when it finds the conflict, nor in the second one,
        // which is made twice.
        let run = runs.fetch_add(1, Ordering::Relaxed);
        run_all((0..if run < 3 { 2 } else { 3 }).map(add).collect());
    });
    let now = [
        "thread 1 takes mutex 0.0 at ",
        "thread 3 takes mutex 0.0 at ",
        file!(),
    ];
    assert_not_under_control(error(&report), "at step 1 of", "can do other things", &now);
}

#[test]
fn an_operation_changes() {
    let runs = AtomicUsize::new(0);
    let builder = Explorer::builder().without(Reduction::LockAware);
    let report = builder.check(move || {
        let locks: Arc<[Mutex<u32>; 2]> = Arc::default();
        let which = usize::from(runs.fetch_add(1, Ordering::Relaxed) >= 2);
        let add = |second: usize| -> Box<dyn FnOnce() + Send> {
            let locks = locks.clone();
            Box::new(move || {
                for lock in [0, second, 0, 0] {
                    *locks[lock].lock() += 1;
                }
            })
        };
        run_all(vec![add(which), add(0)]);
    });
    let now = ["thread 1 takes mutex 0.", "thread 2 takes mutex 0.0 at "];
    let error = error(&report);
    assert_not_under_control(
        error,
        "of a repeated execution",
        "can do other things",
        &now,
    );
}

#[test]
fn the_end_comes_earlier() {
    let runs = AtomicUsize::new(0);
    let report = Explorer::builder().check(move || {
        let sum = Arc::new(Mutex::new(0));
        // The first execution finds that the threads conflict, the second one, made twice, how often.
        let times = if runs.fetch_add(1, Ordering::Relaxed) < 3 {
            3
        } else {
            0
        };
        let add = |_| -> Box<dyn FnOnce() + Send> {
            let sum = sum.clone();
            Box::new(move || (0..times).for_each(|_| *sum.lock() += 1))
        };
        run_all((0..2).map(add).collect());
    });
    let what = "the program is at its end already";
    assert_not_under_control(error(&report), "at step 1 of", what, &[]);
}

/// Three threads that each have some sections, of which the last thread's put something into the data or
/// into what it learns that comes from outside: what `outside` says of how often the program has run.
fn leaks(
    data: bool,
    sections: usize,
    outside: impl Fn(usize) -> usize + Send + Sync + 'static,
) -> String {
    let runs = AtomicUsize::new(0);
    let report = Explorer::builder().check(move || {
        let sum = Arc::new(Mutex::new(0));
        let run = runs.fetch_add(1, Ordering::Relaxed);
        let add = |number: usize| -> Box<dyn FnOnce() + Send> {
            let sum = sum.clone();
            let outside = if number == 2 { outside(run) } else { 0 };
            Box::new(move || {
                for _ in 0..sections {
                    let mut sum = sum.lock();
                    *sum += 1 + if data { outside } else { 0 };
                    describe(&sum);
                    learn(&if data { 0 } else { outside });
                }
            })
        };
        run_all((0..3).map(add).collect());
    });
    error(&report).to_owned()
}

#[test]
fn what_comes_from_outside_is_noticed_whenever_it_begins_to() {
    // The program runs some 60 times; the very first execution is dropped when its conflict is found.
    for data in [true, false] {
        let errors = (2..40).map(|from| leaks(data, 3, move |run| usize::from(run >= from)));
        let errors: Vec<String> = errors.collect();
        // On the way to a state, in an execution that is made twice, and on a way that is not followed.
        for how in [
            "what the threads know, or what the mutexes protect, is not what it was",
            "what the program says of its data, or of what its threads know, is not what it was",
        ] {
            let of_that_kind = errors.iter().filter(|error| error.contains(how));
            assert!(of_that_kind.count() > 0, "{how}: {errors:#?}");
        }
        for error in errors {
            assert_not_under_control(&error, "at step ", " is not what it was", &["Now"]);
        }
    }
}

#[test]
fn what_is_another_one_each_time_is_noticed() {
    for data in [true, false] {
        let error = leaks(data, 2, |run| run);
        let what = "what the program says of its data, or of what its threads know";
        assert_not_under_control(&error, "at step ", what, &["Now"]);
    }
}

#[test]
fn a_mutex_made_outside_is_refused() {
    let lock = Arc::new(Mutex::new(0));
    let report = Explorer::builder().check(move || {
        let other = lock.clone();
        let thread = thread::spawn(move || *other.lock() += 1);
        thread.join().unwrap();
    });
    assert_outsider(error(&report));
}

fn assert_outsider(error: &str) {
    for part in ["made before this execution began", "inside the program"] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn a_condvar_made_outside_is_refused() {
    let condvar = Arc::new(Condvar::new());
    let report = Explorer::builder().check(move || {
        let condvar = condvar.clone();
        let thread = thread::spawn(move || condvar.notify_all());
        thread.join().unwrap();
    });
    assert_outsider(error(&report));
}

/// A program with something that an earlier execution has left, of which each execution makes use.
fn left_over(use_it: fn(&(Mutex<u32>, Condvar))) -> Verdict {
    let left = OnceLock::new();
    let report = Explorer::builder().check(move || {
        let left: &Arc<(Mutex<u32>, Condvar)> = left.get_or_init(Arc::default);
        // With a conflict, that there is a second execution.
        let sum = Arc::new(Mutex::new(0));
        let other = sum.clone();
        let thread = thread::spawn(move || *other.lock() += 1);
        *sum.lock() += 1;
        use_it(left);
        thread.join().unwrap();
    });
    report.verdict
}

fn assert_refused(verdict: &Verdict) {
    match verdict {
        Verdict::HarnessError(error) => assert_outsider(error),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_mutex_of_an_earlier_execution_is_refused() {
    assert_refused(&left_over(|left| *left.0.lock() += 1));
}

#[test]
fn a_mutex_of_an_earlier_execution_is_refused_even_if_its_use_goes_wrong() {
    assert_refused(&left_over(|left| {
        let mut number = left.0.lock();
        *number += 1;
        assert_eq!(*number, 1, "what was left by an earlier execution");
    }));
}

#[test]
fn a_condvar_of_an_earlier_execution_is_refused() {
    assert_refused(&left_over(|left| left.1.notify_one()));
}
