//! Several workers come to the same as one, and none waits for one that is gone.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use nmr_explorer::{Builder, Explorer, Report, Verdict};
use nmr_sync::{Monitor, Mutex, forget, learn, thread};

use super::programs::{adders, appenders, found};

/// Two that put something into a buffer of two places, and two that take it out.
fn buffer() {
    let buffer = Arc::new(Monitor::new(0));
    let change = |full: u32, by: i32| {
        let buffer = buffer.clone();
        thread::spawn(move || {
            for round in 0..2 {
                buffer.wait_until(|places: &mut u32| {
                    learn(&());
                    (*places != full).then(|| *places = places.strict_add_signed(by))
                });
                buffer.enter_then_notify(|_| (learn(&()), true));
                forget(&round);
            }
        })
    };
    for thread in [change(2, 1), change(2, 1), change(0, -1), change(0, -1)] {
        thread.join().unwrap();
    }
}

#[test]
fn thousands_of_states_are_the_same_for_every_number_of_workers() {
    // 7⁴ − 1 − 4·6: how far each of the threads is, but where fewer than two have something left.
    for workers in 1..=4 {
        let report = Explorer::builder().workers(workers).check(|| {
            adders(4, 6);
        });
        assert_eq!(report.verdict, Verdict::Exhausted, "{report}");
        assert_eq!(report.states, 2_376, "{report}");
    }
}

#[test]
fn a_buffer_has_the_same_states_for_every_number_of_workers() {
    let states = |workers| {
        let report = Explorer::builder().workers(workers).check(buffer);
        assert_eq!(report.verdict, Verdict::Exhausted, "{report}");
        report.states
    };
    let alone = states(1);
    assert!(alone > 1_000, "{alone}");
    for workers in 2..=4 {
        assert_eq!(states(workers), alone);
    }
}

#[test]
fn several_workers_find_what_is_wrong() {
    for workers in 1..=4 {
        let report = Explorer::builder().workers(workers).check(|| {
            // The one that comes last in a search by depth.
            assert_ne!(appenders(3, 2), [3, 3, 2, 2, 1, 1], "backwards");
        });
        let found = found(&report);
        assert!(found.message().contains("backwards"), "{report}");
        assert_eq!((found.preemptions, found.is_minimal), (0, true), "{report}");
        assert_eq!(report.workers, workers);
    }
}

#[test]
fn none_is_one() {
    let report = Explorer::builder().workers(0).check(|| {});
    assert_eq!((report.verdict, report.workers), (Verdict::Exhausted, 1));
}

/// The name of the OS thread that is a search's first worker.
const FIRST: &str = "the first worker";

/// Runs a search elsewhere; fails if it does not come back.
fn come_back(builder: Builder, program: fn()) -> std::thread::Result<Report> {
    let (sender, receiver) = channel();
    let search = std::thread::Builder::new().name(FIRST.to_owned());
    let search = search.spawn(move || {
        let report = builder.check(program);
        let _ = sender.send(());
        report
    });
    let search = search.unwrap();
    match receiver.recv_timeout(Duration::from_secs(20)) {
        Err(RecvTimeoutError::Timeout) => panic!("the search hangs"),
        Ok(()) | Err(RecvTimeoutError::Disconnected) => search.join(),
    }
}

#[test]
fn the_others_end_when_the_program_panics() {
    for workers in 2..=4 {
        let builder = Explorer::builder().workers(workers);
        let report = come_back(builder, || {
            assert_ne!(appenders(3, 2), [2, 1, 3, 3, 1, 2], "somewhere");
        });
        let report = report.expect("a report");
        assert!(found(&report).message().contains("somewhere"), "{report}");
    }
}

/// A mistake in what the harness is given is none of the program's. Either there is a harness error, or
/// the mistake comes through to the caller.
fn assert_no_finding(builder: Builder, program: fn()) {
    match come_back(builder, program) {
        Ok(report) => assert!(
            matches!(report.verdict, Verdict::HarnessError(_)),
            "{report}"
        ),
        Err(payload) => assert_eq!(payload.downcast_ref(), Some(&"a mistake")),
    }
}

#[test]
fn the_others_end_when_who_judges_panics() {
    let wrong = || assert_ne!(appenders(3, 2), [2, 1, 3, 3, 1, 2], "somewhere");
    let builder = Explorer::builder().judge(|_| panic!("a mistake"));
    assert_no_finding(builder, wrong);
}

#[test]
fn the_first_worker_ends_when_the_other_one_is_gone() {
    let builder = Explorer::builder().workers(2);
    let builder = builder.judge(|_| panic!("a mistake"));
    assert_no_finding(builder, || {
        adders(4, 6);
        let worker = std::thread::current();
        assert_eq!(
            worker.name(),
            Some(FIRST),
            "only the other worker goes wrong"
        );
    });
}

#[test]
fn the_others_end_when_what_writes_the_external_state_panics() {
    for workers in 1..=2 {
        let builder = Explorer::builder().workers(workers);
        let builder = builder.external_state(|_| panic!("a mistake"));
        assert_no_finding(builder, || {
            adders(3, 2);
        });
    }
}

#[test]
fn the_others_end_when_who_is_told_of_the_progress_panics() {
    for workers in 1..=2 {
        let builder = Explorer::builder().workers(workers);
        let builder = builder.first_violation();
        let builder = builder.progress(|_| panic!("a mistake"));
        assert_no_finding(builder, || drop(appenders(4, 4)));
    }
}

/// Two threads that take turns at one lock. One of them then takes all other locks, the other one the lock
/// that belongs to how they took turns: that each is shared is found out in another execution.
fn one_conflict_after_the_other() {
    let turns = Arc::new(Mutex::new(Vec::new()));
    let locks = Arc::new([0; 8].map(Mutex::new));
    let take_turns = |is_second: bool| {
        let (turns, locks) = (turns.clone(), locks.clone());
        thread::spawn(move || {
            for _ in 0..3 {
                turns.lock().push(is_second);
            }
            let second = turns.lock().iter().filter(|&&second| second).count();
            for (number, lock) in locks.iter().enumerate() {
                if is_second || number == second {
                    *lock.lock() += 1;
                }
            }
        })
    };
    for thread in [take_turns(false), take_turns(true)] {
        thread.join().unwrap();
    }
}

#[test]
fn a_search_that_begins_again_and_again_is_done_with_what_it_had() {
    for _ in 0..100 {
        for workers in 2..=4 {
            let report = Explorer::builder()
                .workers(workers)
                .check(one_conflict_after_the_other);
            assert_eq!(report.verdict, Verdict::Exhausted, "{report}");
            assert!(report.restarts > 2, "{report}");
        }
    }
}
