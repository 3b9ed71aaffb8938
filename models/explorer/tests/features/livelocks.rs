//! Where a thread waits for a change by looking, and none can come, that is a livelock: who spins, where, and for how many
//! rounds nothing changed.

use std::sync::Arc;

use nmr_explorer::{Counterexample, Ending, Explorer, Judgement, Replayed, Verdict, Violation};
use nmr_sync::atomic::{AtomicUsize, Ordering::SeqCst};
use nmr_sync::{Condvar, Mutex, describe, forget, thread};

use super::programs::found;
use super::spinning::{builders, exhausts};

/// Each search finds a livelock of so many threads, whose schedule comes to the same; as it is found by one search.
pub(super) fn assert_livelock(
    threads: usize,
    program: impl Fn() + Clone + Send + Sync + 'static,
) -> Counterexample {
    let found = builders().into_iter().map(|builder| {
        let report = builder.clone().check(program.clone());
        let found = found(&report);
        let Violation::Livelock(livelock) = &found.violation else {
            panic!("{report}");
        };
        assert_eq!(livelock.spinning.len(), threads, "{report}");
        for schedule in [found.schedule.clone(), found.schedule.condensed()] {
            let again = builder.clone().replay(program.clone(), &schedule);
            assert!(again.misfits.is_empty(), "{again:?} after {report}");
            let Replayed::Violated(again) = again.outcome else {
                panic!("{again:?} after {report}");
            };
            assert_eq!(again.violation, found.violation);
        }
        found.clone()
    });
    found.last().expect("there is a way to search")
}

#[test]
fn a_flag_that_nobody_sets_is_a_livelock_that_says_where() {
    let line = line!() + 4;
    let found = assert_livelock(1, || {
        let flag = Mutex::new(false);
        while !*flag.lock() {
            thread::yield_now();
        }
    });
    let message = found.message();
    let place = format!("thread main yields at {}:{line}:", file!());
    assert!(message.starts_with("livelock: 1 thread spins"), "{message}");
    assert!(message.contains(&place), "{message}");
    assert_eq!(found.preemptions, 0);
}

#[test]
fn a_livelock_says_as_data_who_spins_where_and_for_how_many_rounds_also_where_it_is_judged() {
    let line = line!() + 5;
    let spins = || {
        let waits = thread::Builder::new().name("waiting".to_owned()).spawn(|| {
            let flag = Mutex::new(false);
            while !*flag.lock() {
                thread::yield_now();
            }
        });
        waits.unwrap().join().unwrap();
    };
    let judge = |ending: &Ending| {
        Ok(matches!(ending, Ending::Livelocked(_)).then(|| Judgement {
            kind: "progress".to_owned(),
            message: ending_in_words(ending),
            evidence: None,
        }))
    };
    for builder in [Explorer::builder(), Explorer::builder().judge(judge)] {
        let report = builder.check(spins);
        let data = serde_json::to_value(&report).expect("it is data");
        let livelock = &data["verdict"]["violated"]["ending"]["livelocked"];
        assert_eq!(livelock["rounds"], 1_000, "{data:#}");
        let spinning = &livelock["spinning"][0];
        assert_eq!(spinning["thread"], "waiting", "{data:#}");
        let at = spinning["at"].as_str().expect("a place");
        assert!(at.starts_with(&format!("{}:{line}:", file!())), "{at}");
        let message = found(&report).message();
        let text = format!(
            "livelock: 1 thread spins, and in 1000 rounds nothing changed\n  \
             thread waiting yields at {at}, and looks again\n  \
             thread main waits for thread waiting to end at "
        );
        assert!(message.starts_with(&text), "{message}");
    }
}

fn ending_in_words(ending: &Ending) -> String {
    match ending {
        Ending::Livelocked(livelock) => livelock.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn threads_that_wait_for_each_other_spin_all() {
    for threads in [2, 3] {
        assert_livelock(threads, move || {
            let flags: Arc<Vec<AtomicUsize>> =
                Arc::new((0..threads).map(|_| AtomicUsize::new(0)).collect());
            let wait = |own: usize| {
                let flags = flags.clone();
                thread::spawn(move || {
                    while flags[(own + 1) % threads].load(SeqCst) == 0 {
                        thread::yield_now();
                    }
                    flags[own].store(1, SeqCst);
                })
            };
            let all: Vec<_> = (0..threads).map(wait).collect();
            for thread in all {
                thread.join().unwrap();
            }
        });
    }
}

#[test]
fn a_livelock_that_needs_a_preemption_is_found_with_it() {
    // Both have taken their own before they look at the other's.
    let found = assert_livelock(2, || {
        let flags: Arc<[Mutex<bool>; 2]> = Arc::default();
        let enter = |own: usize| {
            let flags = flags.clone();
            thread::spawn(move || {
                *flags[own].lock() = true;
                while *flags[1 - own].lock() {
                    thread::yield_now();
                }
                *flags[own].lock() = false;
            })
        };
        for thread in [enter(0), enter(1)] {
            thread.join().unwrap();
        }
    });
    assert_eq!((found.preemptions, found.is_minimal), (1, true));
}

#[test]
fn who_sleeps_beside_a_livelock_is_named_in_it() {
    let found = assert_livelock(1, || {
        let flag = Arc::new((Mutex::new(false), Condvar::new()));
        let other = flag.clone();
        let sleeper = thread::spawn(move || {
            let mut flag = other.0.lock();
            while !*flag {
                other.1.wait(&mut flag);
            }
        });
        while !*flag.0.lock() {
            thread::yield_now();
        }
        sleeper.join().unwrap();
    });
    let message = found.message();
    assert!(message.contains("thread 1 sleeps on condvar"), "{message}");
}

#[test]
fn that_a_sleeper_may_wake_without_a_reason_ends_no_livelock() {
    // The woken one sets the flag, but nobody wakes it.
    let program = || {
        let flag = Arc::new((Mutex::new(false), Condvar::new()));
        let other = flag.clone();
        let sleeper = thread::spawn(move || {
            let mut flag = other.0.lock();
            other.1.wait(&mut flag);
            *flag = true;
        });
        while !*flag.0.lock() {
            thread::yield_now();
        }
        sleeper.join().unwrap();
    };
    assert_livelock(1, program);
}

#[test]
fn who_holds_what_the_others_need_spins_for_ever() {
    let found = assert_livelock(1, || {
        let state = Arc::new((Mutex::new(()), Mutex::new(false)));
        let other = state.clone();
        let setter = thread::spawn(move || {
            let _gate = other.0.lock();
            *other.1.lock() = true;
        });
        let gate = state.0.lock();
        while !*state.1.lock() {
            thread::yield_now();
        }
        drop(gate);
        setter.join().unwrap();
    });
    let message = found.message();
    assert!(message.contains("thread 1 waits for mutex"), "{message}");
}

#[test]
fn a_daemon_that_spins_is_no_livelock() {
    exhausts(&[()], || {
        let stop = Arc::new(AtomicUsize::new(0));
        let daemon = thread::Builder::new().daemon().spawn(move || {
            while stop.load(SeqCst) == 0 {
                thread::yield_now();
            }
        });
        drop(daemon);
    });
}

/// Each gives up its own lock where the other's is held, for as long as they keep in step: that they may do so for ever is
/// not looked for, and that they need not is found.
#[test]
fn two_who_are_too_polite_come_to_an_end_in_every_search_that_is_told_enough() {
    let polite = |tells: bool| {
        move || {
            let locks: Arc<[Mutex<()>; 2]> = Arc::default();
            let enter = |own: usize| {
                let locks = locks.clone();
                thread::spawn(move || {
                    loop {
                        let held = locks[own].lock();
                        describe(&held);
                        if let Some(both) = locks[1 - own].try_lock() {
                            describe(&both);
                            break;
                        }
                        drop(held);
                        if tells {
                            forget(&());
                        }
                        thread::yield_now();
                    }
                })
            };
            for thread in [enter(0), enter(1)] {
                thread.join().unwrap();
            }
        }
    };
    for workers in [1, 3] {
        let builder = || Explorer::builder().workers(workers).max_executions(1_000);
        builder().check(polite(true)).assert_exhausted();
        // Otherwise each round is something more that a thread knows.
        let silent = builder().check(polite(false));
        let Verdict::Incomplete(why) = &silent.verdict else {
            panic!("{silent}");
        };
        assert!(why.contains("executions were made"), "{silent}");
    }
}
