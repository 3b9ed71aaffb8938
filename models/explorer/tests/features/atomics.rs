//! Atomics: each operation is a step that the others come before or after, unless a lock keeps them away.

use std::collections::BTreeSet;
use std::sync::Arc;

use nmr_explorer::{Builder, Explorer, Reduction, Verdict};
use nmr_sync::atomic::{AtomicUsize, Ordering::SeqCst};
use nmr_sync::{Monitor, Mutex, describe, learn, thread};

use super::programs::ends_and_report;

fn builders() -> Vec<Builder> {
    let all = Reduction::ALL.into_iter();
    let none = all.clone().fold(Explorer::builder(), Builder::without);
    let mut builders: Vec<Builder> = all.map(|one| Explorer::builder().without(one)).collect();
    builders.extend([Explorer::builder(), Explorer::builder().workers(2), none]);
    builders
}

/// Both threads run beside each other; what they come to.
fn two<A, B>(builder: Builder, one: A, other: B, all: &[(usize, usize)])
where
    A: Fn(&Shared) -> usize + Copy + Send + Sync + 'static,
    B: Fn(&Shared) -> usize + Copy + Send + Sync + 'static,
{
    let (ends, report) = ends_and_report(builder, move || {
        let shared: Arc<Shared> = Arc::new(Shared::new());
        let (first, second) = (shared.clone(), shared.clone());
        let first = thread::spawn(move || one(&first));
        let second = thread::spawn(move || other(&second));
        (first.join().unwrap(), second.join().unwrap())
    });
    assert_eq!(report.verdict, Verdict::Exhausted, "{report}");
    assert_eq!(ends, all.iter().copied().collect(), "{report}");
}

struct Shared {
    a: AtomicUsize,
    b: AtomicUsize,
    lock: Mutex<()>,
    monitor: Monitor<u32>,
}

impl Shared {
    fn new() -> Self {
        Self {
            a: AtomicUsize::new(0),
            b: AtomicUsize::new(0),
            lock: Mutex::new(()),
            monitor: Monitor::new(0),
        }
    }
}

#[test]
fn a_read_and_a_write_apart_are_no_one_step() {
    let add = |shared: &Shared| {
        let read = shared.a.load(SeqCst);
        shared.a.store(read + 1, SeqCst);
        read
    };
    for builder in builders() {
        two(builder, add, add, &[(0, 0), (0, 1), (1, 0)]);
    }
}

#[test]
fn one_of_two_who_say_first_that_they_come_is_seen() {
    // Dekker: under sequential consistency not both can miss the other.
    for builder in builders() {
        two(
            builder,
            |shared| {
                shared.a.store(1, SeqCst);
                shared.b.load(SeqCst)
            },
            |shared| {
                shared.b.store(1, SeqCst);
                shared.a.load(SeqCst)
            },
            &[(0, 1), (1, 0), (1, 1)],
        );
    }
}

#[test]
fn an_update_is_one_step() {
    let add = |shared: &Shared| shared.a.fetch_add(1, SeqCst);
    for builder in builders() {
        two(builder, add, add, &[(0, 1), (1, 0)]);
    }
}

#[test]
fn what_is_changed_in_sections_of_a_lock_that_says_nothing_else_changes_is_ordered() {
    let add = |shared: &Shared| {
        let held = shared.lock.lock();
        let before = shared.a.fetch_add(1, SeqCst);
        describe(&held);
        learn(&before);
        before
    };
    for builder in builders() {
        two(builder, add, add, &[(0, 1), (1, 0)]);
    }
    let add = |shared: &Shared| {
        shared.monitor.enter(|_| {
            let before = shared.a.fetch_add(1, SeqCst);
            learn(&before);
            before
        })
    };
    for builder in builders() {
        two(builder, add, add, &[(0, 1), (1, 0)]);
    }
}

#[test]
fn what_is_changed_inside_a_section_is_seen_from_outside_of_it() {
    for builder in builders() {
        two(
            builder,
            |shared| {
                shared.monitor.enter(|_| {
                    shared.a.store(1, SeqCst);
                    shared.a.store(2, SeqCst);
                    learn(&());
                });
                0
            },
            |shared| shared.a.load(SeqCst),
            &[(0, 0), (0, 1), (0, 2)],
        );
    }
}

#[test]
fn a_section_that_only_reads_waits_for_one_that_others_look_into() {
    // The sections say that they change nothing. The second thread can come before, or wait for, the first
    // one's; and what is in the atomic it reads in its own section, never between the two writes.
    for builder in builders() {
        two(
            builder,
            |shared| {
                shared.monitor.enter(|_| {
                    shared.a.fetch_add(1, SeqCst);
                    shared.a.fetch_add(1, SeqCst);
                    learn(&());
                });
                // Somebody uses it without the lock: its operations are noticed.
                shared.a.load(SeqCst)
            },
            |shared| shared.monitor.enter(|_| shared.a.load(SeqCst)),
            &[(2, 0), (2, 2)],
        );
    }
}

#[test]
fn what_only_one_thread_uses_or_all_only_read_has_one_order() {
    let report = Explorer::builder().check(|| {
        let shared = Arc::new(AtomicUsize::new(7));
        let threads = [(); 3].map(|()| {
            let shared = shared.clone();
            thread::spawn(move || {
                let own = AtomicUsize::new(0);
                own.fetch_add(shared.load(SeqCst), SeqCst)
            })
        });
        for thread in threads {
            thread.join().unwrap();
        }
    });
    assert_eq!((report.executions, report.restarts), (1, 0), "{report}");
}

#[test]
fn states_are_what_is_in_it_and_what_was_read() {
    // Two threads that add 1 and forget what they read: by the places of two threads of two steps.
    let report = Explorer::builder().check(|| {
        let shared = Arc::new(AtomicUsize::new(0));
        let threads = [(); 2].map(|()| {
            let shared = shared.clone();
            thread::spawn(move || {
                for step in 0..2 {
                    shared.fetch_add(1, SeqCst);
                    nmr_sync::forget(&step);
                }
            })
        });
        for thread in threads {
            thread.join().unwrap();
        }
    });
    assert_eq!(report.verdict, Verdict::Exhausted, "{report}");
    assert_eq!(report.states, 4, "{report}");
}

#[test]
fn an_atomic_made_before_the_execution_is_refused() {
    let outside = Arc::new(std::sync::Mutex::new(None::<Arc<AtomicUsize>>));
    let report = Explorer::builder().check(move || {
        let atomic = Arc::new(AtomicUsize::new(0));
        let earlier = outside.lock().unwrap().get_or_insert(atomic).clone();
        earlier.fetch_add(1, SeqCst);
    });
    let error = super::programs::error(&report);
    assert!(
        error.contains("made before this execution began"),
        "{error}"
    );
}

#[test]
fn every_outcome_of_three_updates_in_a_row_is_seen() {
    let (ends, report) = ends_and_report(Explorer::builder(), || {
        let order = Arc::new(AtomicUsize::new(0));
        let threads = [1, 2, 3].map(|number| {
            let order = order.clone();
            let then = move |before: usize| Some(before * 10 + number);
            thread::spawn(move || order.fetch_update(SeqCst, SeqCst, then).unwrap())
        });
        for thread in threads {
            thread.join().unwrap();
        }
        order.load(SeqCst)
    });
    assert_eq!(report.verdict, Verdict::Exhausted, "{report}");
    let all = BTreeSet::from([123, 132, 213, 231, 312, 321]);
    assert_eq!(ends, all, "{report}");
}
