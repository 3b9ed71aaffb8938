//! What whoever judges an execution has to say arrives in the report, with its evidence, however the
//! execution ended and however many were made beside it.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use nmr_explorer::{Builder, Ending, Evidence, Explorer, Judgement, Reduction, Verdict, Violation};
use nmr_sync::{Mutex, describe, learn, thread};

use super::programs::{adders, appenders, error, found, threads};

thread_local! {
    /// What came of the last execution on this OS thread.
    static LAST: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// Judges at the end of each execution what came of it, which went to its end by itself.
fn judged(builder: Builder, wrong: &'static [usize]) -> Builder {
    builder.judge(move |ending| {
        assert_eq!(ending, &Ending::Completed);
        let list = LAST.with_borrow(Clone::clone);
        Ok(list.starts_with(wrong).then(|| Judgement {
            kind: "wrong".to_owned(),
            message: format!("came to {list:?}"),
            evidence: Some(Evidence::new(list)),
        }))
    })
}

fn builders() -> Vec<Builder> {
    let each = Reduction::ALL.map(|one| Explorer::builder().without(one));
    let workers = [1, 2, 3].map(|workers| Explorer::builder().workers(workers));
    each.into_iter().chain(workers).collect()
}

#[test]
fn what_is_found_at_the_end_of_an_execution_is_a_violation() {
    for builder in builders() {
        let report = judged(builder, &[2, 1]).check(|| LAST.set(appenders(2, 1)));
        let found = found(&report);
        assert_eq!(found.message(), "came to [2, 1]", "{report}");
        assert_eq!(
            (found.violation.kind(), &found.ending),
            ("wrong", &Ending::Completed)
        );
        assert!(
            report
                .to_string()
                .contains("violated (wrong): came to [2, 1]"),
            "{report}"
        );
    }
}

#[test]
fn the_evidence_is_that_of_the_execution_that_is_reported() {
    // Whatever is met first and by whichever worker, and whatever was met when a smaller one was looked
    // for: the appends are in the order of the schedule.
    for workers in 1..=4 {
        let builder = Explorer::builder().workers(workers);
        let report = judged(builder, &[2, 3]).check(|| LAST.set(appenders(3, 2)));
        let found = found(&report);
        let list = found.evidence.as_ref().expect("the judge gives it");
        assert_eq!(list.downcast_ref(), Some(&threads(found)), "{report}");
        assert_eq!((found.preemptions, found.is_minimal), (1, true), "{report}");
    }
}

#[test]
fn the_evidence_is_not_that_of_a_violation_of_another_kind() {
    // By turns, which takes a preemption, and backwards, which takes none and is of another kind: it is met
    // when fewer preemptions are looked for.
    for workers in 1..=3 {
        let builder = Explorer::builder().workers(workers).judge(|ending| {
            let Ending::Panicked(message) = ending else {
                return Ok(None);
            };
            Ok(Some(Judgement {
                kind: message.to_string(),
                message: message.to_string(),
                evidence: Some(Evidence::new(message.to_string())),
            }))
        });
        let report = builder.check(|| match appenders(3, 2).as_slice() {
            [1, 2, ..] => panic!("by turns"),
            [3, 3, 2, 2, 1, 1] => panic!("backwards"),
            _ => {}
        });
        let found = found(&report);
        let evidence = found.evidence.as_ref().expect("the judge gives it");
        let kind = found.violation.kind();
        assert_eq!(evidence.downcast_ref(), Some(&kind.to_owned()), "{report}");
        assert!(found.message().contains(kind), "{report}");
    }
}

#[test]
fn a_deadlock_and_a_panic_are_what_the_judge_says() {
    let kinds = |ending: &Ending| {
        let kind = match ending {
            Ending::Completed => return Ok(None),
            Ending::Deadlocked(why) => {
                assert!(why.to_string().contains("cannot go on"), "{why}");
                "stuck"
            }
            _ => "crash",
        };
        Ok(Some(Judgement {
            kind: kind.to_owned(),
            message: kind.to_owned(),
            evidence: None,
        }))
    };
    let stuck = Explorer::builder().judge(kinds).check(|| {
        let lock = Mutex::new(());
        let _once = lock.lock();
        drop(lock.lock());
    });
    assert_eq!(found(&stuck).message(), "stuck");
    let crash = Explorer::builder()
        .judge(kinds)
        .check(|| panic!("deadlock, so they say"));
    assert_eq!(found(&crash).message(), "crash");
}

#[test]
fn a_panic_is_no_deadlock_whatever_it_says() {
    let report = Explorer::builder().check(|| panic!("deadlock: so they say"));
    let found = found(&report);
    assert!(matches!(&found.ending, Ending::Panicked(panic) if panic.then.is_none()));
    let Violation::Panic(panic) = &found.violation else {
        panic!("{report}");
    };
    assert_eq!(
        (&*panic.thread, &*panic.message),
        ("main", "deadlock: so they say")
    );
}

#[test]
fn a_judge_that_cannot_judge_is_an_error_of_the_harness() {
    let report = Explorer::builder()
        .judge(|_| Err("nothing to go by".to_owned()))
        .check(|| {});
    assert_eq!(error(&report), "nothing to go by");
}

#[test]
fn the_judge_is_asked_after_each_execution() {
    let asked = Arc::new(AtomicUsize::new(0));
    let judge = {
        let asked = asked.clone();
        move |_: &Ending| {
            asked.fetch_add(1, Ordering::Relaxed);
            Ok(None)
        }
    };
    let report = Explorer::builder().judge(judge).check(|| {
        adders(3, 2);
    });
    assert_eq!(report.verdict, Verdict::Exhausted, "{report}");
    let runs = report.executions + report.verifying;
    assert_eq!(asked.load(Ordering::Relaxed) as u64, runs, "{report}");
}

#[test]
fn what_goes_wrong_only_when_it_is_made_again_is_not_under_control() {
    let runs = AtomicUsize::new(0);
    let report = Explorer::builder().check(move || {
        let sum = Arc::new(Mutex::new(0));
        let other = sum.clone();
        let thread = thread::spawn(move || *other.lock() += 1);
        *sum.lock() += 1;
        thread.join().unwrap();
        // The first execution begins again, the second one is made twice.
        assert_ne!(runs.fetch_add(1, Ordering::Relaxed), 2, "the third time");
    });
    let error = error(&report);
    assert!(error.contains("made a second time"), "{error}");
    assert!(error.contains("the third time"), "{error}");
}

#[test]
fn minimising_ends_at_its_own_bound_and_says_so() {
    // Violations take two preemptions; after the first one hardly anything else is looked at.
    let wrong = || assert_ne!(appenders(3, 3)[..6], [1, 2, 1, 2, 1, 2], "by turns");
    let bounded = Explorer::builder().max_minimising(5).check(wrong);
    assert!(
        !found(&bounded).is_minimal && bounded.minimising <= 5,
        "{bounded}"
    );
    let text = bounded.to_string();
    assert!(
        text.contains("whether fewer are enough was not found out"),
        "{text}"
    );
    let enough = Explorer::builder().check(wrong);
    assert!(found(&enough).is_minimal, "{enough}");
}

#[test]
fn minimising_shows_how_far_it_has_come() {
    let seen: Arc<std::sync::Mutex<Vec<String>>> = Arc::default();
    let progress = {
        let seen = seen.clone();
        move |now: &nmr_explorer::Progress| seen.lock().unwrap().push(now.to_string())
    };
    let report = Explorer::builder()
        .max_minimising(20_000)
        .progress(progress)
        .check(|| {
            // Who was last, and how often that was another one than before.
            let turns = Arc::new(Mutex::new((0, 0)));
            let threads = [1, 2].map(|number| {
                let turns = turns.clone();
                thread::spawn(move || {
                    for _ in 0..40 {
                        let mut turns = turns.lock();
                        *turns = (number, turns.1 + usize::from(turns.0 != number));
                        describe(&turns);
                        learn(&());
                        assert!(turns.1 < 25, "by turns");
                    }
                })
            });
            for thread in threads {
                thread.join().unwrap();
            }
        });
    assert!(report.minimising > 1_000, "{report}");
    let seen = seen.lock().unwrap();
    let minimising = "a violation was found; looking for one with at most ";
    assert!(
        seen.iter().any(|text| text.starts_with(minimising)),
        "{seen:?}"
    );
}
