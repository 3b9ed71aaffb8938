//! A counterexample has as few preemptions as one of its kind can have, and says so.

use std::sync::Arc;

use nmr_explorer::{
    Builder, Ending, Explorer, Fit, Judgement, Reduction, Replayed, Report, Schedule,
};
use nmr_sync::{Condvar, Mutex, describe, learn, thread};

use super::programs::{appenders, found, threads};

/// Goes wrong in exactly this order of two or three threads, which append to a list.
fn wrong_in(builder: Builder, order: &'static [usize]) -> Report {
    builder.check(move || {
        let threads = *order.iter().max().unwrap();
        let list = appenders(threads, order.len() / threads);
        assert_ne!(list, order, "the wrong order");
    })
}

#[test]
fn as_many_preemptions_are_reported_as_are_needed() {
    // A switch counts if the thread that is left has more to append. The last append of a thread is
    // its end, and to go on with another is no preemption.
    let orders: [(&[usize], u32); 7] = [
        (&[1, 1, 2, 2], 0),
        (&[2, 2, 1, 1], 0),
        (&[2, 2, 3, 3, 1, 1], 0),
        (&[1, 2, 2, 1], 1),
        // From 1 to 2 and from 2 to 1; then 1 has ended.
        (&[1, 2, 1, 2], 2),
        (&[2, 1, 2, 1], 2),
        // Between each two appends but the last two.
        (&[1, 2, 1, 2, 1, 2], 4),
    ];
    for (order, preemptions) in orders {
        let report = wrong_in(Explorer::builder(), order);
        let found = found(&report);
        assert_eq!(found.preemptions, preemptions, "{report}");
        assert!(found.is_minimal, "{report}");
        let fewest = format!("preemptions: {preemptions}; no such violation has fewer");
        assert!(report.to_string().contains(&fewest), "{report}");
        assert_eq!(threads(found), order, "one lock for each append");
    }
}

#[test]
fn no_reduction_and_no_number_of_workers_changes_the_fewest_preemptions() {
    let all = Reduction::ALL.into_iter();
    let mut builders: Vec<Builder> = all.map(|one| Explorer::builder().without(one)).collect();
    builders.extend((2..=3).map(|workers| Explorer::builder().workers(workers)));
    for builder in builders {
        let report = wrong_in(builder, &[1, 2, 1, 2]);
        let found = found(&report);
        assert_eq!((found.preemptions, found.is_minimal), (2, true), "{report}");
    }
}

#[test]
fn the_first_violation_is_reported_as_it_is_if_that_is_wanted() {
    let first = wrong_in(Explorer::builder().first_violation(), &[2, 1, 1, 2]);
    assert_eq!(first.minimising, 0);
    assert!(!found(&first).is_minimal, "{first}");
    let fewest = wrong_in(Explorer::builder(), &[2, 1, 1, 2]);
    assert!(fewest.minimising > 0, "{fewest}");
}

/// Goes wrong in one way by turns, which takes a preemption, and in another way backwards, which takes none
/// but is met later.
fn wrong_in_two_ways(builder: Builder) -> Report {
    builder.check(|| match appenders(3, 2).as_slice() {
        [1, 2, ..] => panic!("by turns"),
        [3, 3, 2, 2, 1, 1] => panic!("backwards"),
        _ => {}
    })
}

#[test]
fn a_violation_of_another_kind_is_no_smaller_one() {
    let first = wrong_in_two_ways(Explorer::builder().first_violation());
    assert!(
        found(&first).message().contains("by turns"),
        "met first: {first}"
    );
    let report = wrong_in_two_ways(Explorer::builder());
    let found = found(&report);
    assert!(found.message().contains("by turns"), "{report}");
    assert_eq!((found.preemptions, found.is_minimal), (1, true), "{report}");
}

#[test]
fn what_is_of_one_kind_is_said_by_who_asks() {
    let asked: Arc<std::sync::Mutex<Vec<String>>> = Arc::default();
    let report = wrong_in_two_ways(Explorer::builder().judge({
        let asked = asked.clone();
        move |ending| {
            let Ending::Panicked(message) = ending else {
                return Ok(None);
            };
            asked.lock().unwrap().push(message.to_string());
            Ok(Some(Judgement {
                kind: "wrong".to_owned(),
                message: message.to_string(),
                evidence: None,
            }))
        }
    }));
    let found = found(&report);
    assert_eq!(found.violation.kind(), "wrong");
    assert!(found.message().contains("backwards"), "{report}");
    assert_eq!((found.preemptions, found.is_minimal), (0, true), "{report}");
    assert!(
        asked
            .lock()
            .unwrap()
            .iter()
            .any(|message| message.contains("by turns"))
    );
}

#[test]
fn with_as_many_preemptions_it_matters_who_ran_last() {
    // Wrong is that the second thread takes its second step when the first one has taken two of three, and
    // had found it between its steps. That takes two preemptions: the second thread is left after its
    // first step, and the first one after its second. If the first thread takes its first step before all
    // that, both are at the same place after one preemption, as otherwise, but the wrong one of them has
    // run last, and two more are needed.
    let report = Explorer::builder().check(|| {
        let places = Arc::new(Mutex::new(Places::default()));
        let step = |places: &Mutex<Places>, step: fn(&mut Places)| {
            let mut places = places.lock();
            step(&mut places);
            describe(&places);
            learn(&());
        };
        let (first, second) = (places.clone(), places);
        let first = thread::spawn(move || {
            step(&first, |places| places.first += 1);
            step(&first, |places| {
                places.first += 1;
                places.found_it_between = places.second == 1;
            });
            step(&first, |places| places.first += 1);
        });
        let second = thread::spawn(move || {
            step(&second, |places| places.second += 1);
            step(&second, |places| {
                assert!(places.first != 2 || !places.found_it_between, "by turns");
            });
        });
        first.join().unwrap();
        second.join().unwrap();
    });
    let found = found(&report);
    assert_eq!((found.preemptions, found.is_minimal), (2, true), "{report}");
    // The first one goes on when the second one has gone wrong.
    assert_eq!(threads(found), [2, 1, 1, 2, 1], "{report}");
}

/// How many steps two threads have taken, and whether the first one found the second one between two.
#[derive(Default, Hash)]
struct Places {
    first: u32,
    second: u32,
    found_it_between: bool,
}

/// Two threads that take two locks in opposite orders, and do something with both.
fn opposite(builder: Builder, both: fn(usize)) -> Report {
    builder.check(move || {
        let locks = Arc::new([Mutex::new(()), Mutex::new(())]);
        let take = |first: usize, second: usize| {
            let locks = locks.clone();
            thread::spawn(move || {
                let _first = locks[first].lock();
                let _second = locks[second].lock();
                both(first);
            })
        };
        for thread in [take(0, 1), take(1, 0)] {
            thread.join().unwrap();
        }
    })
}

#[test]
fn all_deadlocks_are_one_kind() {
    // One thread is left between its two locks.
    let report = opposite(Explorer::builder(), |_| {});
    let found = found(&report);
    assert_eq!(found.violation.kind(), "deadlock", "{report}");
    assert_eq!((found.preemptions, found.is_minimal), (1, true), "{report}");
}

#[test]
fn a_panic_is_no_deadlock_whatever_it_says() {
    let report = opposite(Explorer::builder(), |first| {
        assert!(first == 0, "deadlock was not met");
    });
    let found = found(&report);
    assert_eq!(found.violation.kind(), "panic", "{report}");
    assert_eq!(found.message(), "deadlock was not met", "{report}");
}

/// Threads of one name, and of names that look like something else, make what others wait for.
#[test]
fn a_schedule_goes_through_its_text_whatever_threads_are_called() {
    for names in [
        [Some("2"), None],
        [Some("a #2"), Some("a after `x`")],
        [Some("a -> b"), Some("s\r\n")],
        [Some("main"), Some("a: load")],
    ] {
        let program = move || {
            let list = Arc::new(Mutex::new(Vec::new()));
            let threads = [0, 1].map(|number| {
                let list = list.clone();
                let builder = match names[number] {
                    Some(name) => thread::Builder::new().name(name),
                    None => thread::Builder::new(),
                };
                let body = move || {
                    let own = Mutex::new(0);
                    *own.lock() += 1;
                    list.lock().push(number);
                    drop(own);
                };
                builder.spawn(body).unwrap()
            });
            for thread in threads {
                thread.join().unwrap();
            }
            assert_ne!(*list.lock(), [1, 0], "the other way round");
        };
        let report = Explorer::builder().check(program);
        let schedule = &found(&report).schedule;
        let read: Schedule = schedule.to_string().parse().unwrap();
        assert_eq!(&read, schedule, "{names:?}");
        let replay = Explorer::replay(program, &read);
        assert!(
            matches!(&replay.outcome, Replayed::Violated(_)),
            "{names:?}: {replay:?}"
        );
    }
}

/// Nothing has to be chosen in it, so that nobody is ever asked for the step.
#[test]
fn a_step_that_the_execution_does_not_come_to_is_a_misfit() {
    let stuck = || Condvar::new().wait(&mut Mutex::new(()).lock());
    let schedule: Schedule = "stranger: acquire Mutex<u8>.1\n".parse().unwrap();
    for fit in [Fit::Exact, Fit::Aligned, Fit::Renamed] {
        let replay = Explorer::builder().replay_as(stuck, &schedule, fit);
        assert!(
            matches!(replay.outcome, Replayed::Violated(_)),
            "{replay:?}"
        );
        let [misfit] = &replay.misfits[..] else {
            panic!("{fit:?}: {replay:?}");
        };
        // Where a schedule is aligned the threads that it does not know stop, and it is asked.
        let instead = match fit {
            Fit::Exact => "the execution was over before",
            _ => {
                "the schedule's thread stranger is not there: the program has none of that name, or has not started \
                 it yet"
            }
        };
        let told = format!("step 1, `stranger: acquire Mutex<u8>.1`: {instead}");
        assert_eq!(misfit.to_string(), told);
    }
}
