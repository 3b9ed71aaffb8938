//! Programs that several tests are about, and how to look at what comes of them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex as StdMutex};

use nmr_explorer::{Builder, Counterexample, Report, Verdict, is_redundant};
use nmr_sync::{Mutex, describe, learn, thread};

/// Starts threads, and waits for their ends.
pub(crate) fn run_all(bodies: Vec<Box<dyn FnOnce() + Send>>) {
    let threads: Vec<_> = bodies.into_iter().map(thread::spawn).collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

/// Threads that each append their number to one list a few times. Each order of that is one outcome.
pub(crate) fn appenders(threads: usize, times: usize) -> Vec<usize> {
    let list = Arc::new(Mutex::new(Vec::new()));
    let append = |number: usize| -> Box<dyn FnOnce() + Send> {
        let list = list.clone();
        Box::new(move || {
            for _ in 0..times {
                let mut list = list.lock();
                list.push(number);
                describe(&list);
                learn(&());
            }
        })
    };
    run_all((1..=threads).map(append).collect());
    inside(list)
}

/// What a mutex protects at the end. Takes no lock.
fn inside<T>(mutex: Arc<Mutex<T>>) -> T {
    Arc::into_inner(mutex)
        .expect("all threads have ended")
        .into_inner()
}

/// Threads that each add one to a number a few times: no matter in which order.
pub(crate) fn adders(threads: usize, times: usize) -> usize {
    let sum = Arc::new(Mutex::new(0));
    let add = |_| -> Box<dyn FnOnce() + Send> {
        let sum = sum.clone();
        Box::new(move || {
            for _ in 0..times {
                let mut sum = sum.lock();
                *sum += 1;
                describe(&sum);
                learn(&());
            }
        })
    };
    run_all((0..threads).map(add).collect());
    inside(sum)
}

/// What a program comes to, of what the search vouches for: not in executions that it knew already, or
/// made before it last began again.
pub(crate) fn ends<T: Ord + Clone + Send + 'static>(
    builder: Builder,
    program: impl Fn() -> T + Send + Sync + 'static,
) -> BTreeSet<T> {
    let (ends, report) = ends_and_report(builder, program);
    assert_eq!(report.verdict, Verdict::Exhausted, "{report}");
    ends
}

/// As [`ends`], with the report.
pub(crate) fn ends_and_report<T: Ord + Clone + Send + 'static>(
    builder: Builder,
    program: impl Fn() -> T + Send + Sync + 'static,
) -> (BTreeSet<T>, Report) {
    let ends: Arc<StdMutex<BTreeSet<T>>> = Arc::default();
    let begun_again = {
        let ends = ends.clone();
        move || ends.lock().unwrap().clear()
    };
    let report = builder.on_restart(begun_again).check({
        let ends = ends.clone();
        move || {
            let end = program();
            if !is_redundant() {
                ends.lock().unwrap().insert(end);
            }
        }
    });
    let ends = ends.lock().unwrap().clone();
    (ends, report)
}

/// The counterexample of a report.
pub(crate) fn found(report: &Report) -> &Counterexample {
    match &report.verdict {
        Verdict::Violated(found) => found,
        _ => panic!("a violation was expected, not: {report}"),
    }
}

/// The threads of a counterexample, by number, in the order in which they go on.
pub(crate) fn threads(found: &Counterexample) -> Vec<usize> {
    let threads = found.schedule.threads().into_iter();
    threads.map(|name| name.parse().unwrap_or(0)).collect()
}

/// The harness error of a report.
pub(crate) fn error(report: &Report) -> &str {
    match &report.verdict {
        Verdict::HarnessError(error) => error,
        _ => panic!("a harness error was expected, not: {report}"),
    }
}
