//! What there are snapshots of need not be followed again where it was followed before.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use nmr_explorer::{Builder, Explorer, Reduction, Report, Verdict, is_redundant};
use nmr_sync::{Mutex, describe, learn, thread};

use super::programs::ends_and_report;

thread_local! {
    /// What threads have noted, each of its own number: as long as that is not redundant.
    static NOTES: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

fn take() -> Box<dyn Any> {
    Box::new(NOTES.with_borrow(Clone::clone))
}

fn restore(snapshot: &dyn Any) {
    NOTES.set(snapshot.downcast_ref::<Vec<usize>>().unwrap().clone());
}

/// Three threads that append to a list twice each, and make a note of it unless that is redundant. What is noted
/// has to be the list. The lists, and how many notes were made.
fn noted(builder: Builder) -> (BTreeSet<Vec<usize>>, usize, Report) {
    let notes = Arc::new(AtomicUsize::new(0));
    let count = notes.clone();
    let (ends, report) = ends_and_report(builder, move || {
        NOTES.take();
        let list = Arc::new(Mutex::new(Vec::new()));
        let append = |number: usize| {
            let (list, count) = (list.clone(), count.clone());
            thread::spawn(move || {
                for _ in 0..2 {
                    let mut list = list.lock();
                    list.push(number);
                    describe(&list);
                    learn(&());
                    if !is_redundant() {
                        count.fetch_add(1, Ordering::Relaxed);
                        NOTES.with_borrow_mut(|notes| notes.push(number));
                    }
                }
            })
        };
        for thread in [1, 2, 3].map(append) {
            thread.join().unwrap();
        }
        let list = Arc::into_inner(list).unwrap().into_inner();
        if !is_redundant() {
            assert_eq!(NOTES.with_borrow(Clone::clone), list, "what was noted");
        }
        list
    });
    (ends, notes.load(Ordering::Relaxed), report)
}

#[test]
fn a_snapshot_has_what_was_noted() {
    let (expected, all, plain) = noted(Explorer::builder());
    assert_eq!(
        (expected.len(), &plain.verdict),
        (90, &Verdict::Exhausted),
        "{plain}"
    );
    for builder in [
        Explorer::builder(),
        Explorer::builder().workers(2),
        Explorer::builder().workers(3),
        Explorer::builder().without(Reduction::VisibleOperations),
        Explorer::builder().without(Reduction::Forgetting),
    ] {
        let (ends, notes, report) = noted(builder.snapshots(32, take, restore));
        assert_eq!(
            (&report.verdict, ends),
            (&Verdict::Exhausted, expected.clone()),
            "{report}"
        );
        // Each worker has its own snapshots.
        assert!(
            report.workers > 1 || notes * 3 < all * 2,
            "{notes} of {all}"
        );
    }
}

#[test]
fn snapshots_are_lost_with_the_process_and_what_they_had_is_followed_again() {
    let folder = tempfile::tempdir().unwrap();
    let builder = Explorer::builder().checkpoint(folder.path().join("checkpoint"));
    let builder = builder.snapshots(32, take, restore);
    let mut ends = BTreeSet::new();
    loop {
        let (more, _, report) = noted(builder.clone().max_executions(17));
        ends.extend(more);
        match report.verdict {
            Verdict::Incomplete(_) => {}
            verdict => break assert_eq!(verdict, Verdict::Exhausted),
        }
    }
    assert_eq!(ends.len(), 90);
}
