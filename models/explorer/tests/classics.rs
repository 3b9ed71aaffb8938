//! Programs whose number of interleavings, or whose bug, is known.
#![cfg(shuttle)]

use std::sync::Arc;

use nmr_explorer::{Explorer, Report, Verdict};
use nmr_sync::{Condvar, Monitor, Mutex, thread};

fn check(program: impl Fn() + Send + Sync + 'static) -> Report {
    Explorer::builder().check(program)
}

/// Executions that differ in more than the order of what has nothing to do with each other.
fn orders(report: &Report) -> u64 {
    assert_eq!(report.verdict, Verdict::Exhausted, "{report}");
    report.whole() + report.known
}

fn message(report: &Report) -> String {
    match &report.verdict {
        Verdict::Violated(found) => found.message(),
        other => panic!("a violation, not {other:?}"),
    }
}

/// `threads` threads that enter `sections` critical sections each, of the lock that `lock` says.
fn sections(threads: usize, sections: usize, lock: fn(usize) -> usize) -> Report {
    check(move || {
        let locks: Arc<Vec<_>> = Arc::new((0..threads).map(|_| Mutex::new(0)).collect());
        let spawn = |number: usize| {
            let locks = locks.clone();
            thread::spawn(move || {
                for _ in 0..sections {
                    *locks[lock(number)].lock() += 1;
                }
            })
        };
        let threads: Vec<_> = (0..threads).map(spawn).collect();
        for thread in threads {
            thread.join().unwrap();
        }
    })
}

#[test]
fn sections_of_different_locks_have_one_order() {
    assert_eq!(orders(&sections(2, 3, |number| number)), 1);
    assert_eq!(orders(&sections(3, 2, |number| number)), 1);
}

#[test]
fn sections_of_one_lock_have_every_order() {
    // n threads of k sections: (n·k)! / k!ⁿ.
    assert_eq!(orders(&sections(2, 1, |_| 0)), 2);
    assert_eq!(orders(&sections(2, 2, |_| 0)), 6);
    assert_eq!(orders(&sections(2, 3, |_| 0)), 20);
    assert_eq!(orders(&sections(3, 1, |_| 0)), 6);
    assert_eq!(orders(&sections(3, 2, |_| 0)), 90);
    assert_eq!(orders(&sections(4, 1, |_| 0)), 24);
}

/// Philosophers with a fork on each side; the last one begins with the other hand if `ordered`.
fn philosophers(count: usize, ordered: bool) -> Report {
    check(move || {
        let forks: Arc<Vec<_>> = Arc::new((0..count).map(|_| Mutex::new(())).collect());
        let dine = |seat: usize| {
            let forks = forks.clone();
            thread::spawn(move || {
                let (mut first, mut second) = (seat, (seat + 1) % count);
                if ordered && first > second {
                    std::mem::swap(&mut first, &mut second);
                }
                let _first = forks[first].lock();
                let _second = forks[second].lock();
            })
        };
        let guests: Vec<_> = (0..count).map(dine).collect();
        for guest in guests {
            guest.join().unwrap();
        }
    })
}

#[test]
fn philosophers_starve_unless_the_forks_are_ordered() {
    for count in 2..=3 {
        let report = philosophers(count, false);
        assert!(message(&report).starts_with("deadlock"), "{report}");
        assert_eq!(philosophers(count, true).verdict, Verdict::Exhausted);
    }
}

/// A buffer of one place and one condition; one producer of two values, two consumers of one each.
fn buffer(notify: fn(&Condvar)) -> Report {
    check(move || {
        let buffer = Arc::new((Mutex::new(None), Condvar::new()));
        let consume = || {
            let buffer = buffer.clone();
            thread::spawn(move || {
                let (place, changed) = &*buffer;
                let mut place = place.lock();
                while place.is_none() {
                    changed.wait(&mut place);
                }
                *place = None;
                notify(changed);
            })
        };
        let consumers = [consume(), consume()];
        let (place, changed) = &*buffer;
        for value in 0..2 {
            let mut place = place.lock();
            while place.is_some() {
                changed.wait(&mut place);
            }
            *place = Some(value);
            notify(changed);
        }
        for consumer in consumers {
            consumer.join().unwrap();
        }
    })
}

#[test]
fn one_condition_for_two_purposes_needs_notify_all() {
    assert!(message(&buffer(Condvar::notify_one)).starts_with("deadlock"));
    assert_eq!(buffer(Condvar::notify_all).verdict, Verdict::Exhausted);
}

#[test]
fn a_wake_up_between_the_check_and_the_sleep_is_lost() {
    let report = check(|| {
        let gate = Arc::new((Mutex::new(false), Condvar::new()));
        let opener = gate.clone();
        let thread = thread::spawn(move || {
            *opener.0.lock() = true;
            opener.1.notify_all();
        });
        if !*gate.0.lock() {
            let mut open = gate.0.lock();
            gate.1.wait(&mut open);
        }
        thread.join().unwrap();
    });
    assert!(message(&report).starts_with("deadlock"), "{report}");
}

#[test]
fn a_monitor_loses_no_wake_up() {
    let report = check(|| {
        let gate = Arc::new(Monitor::new(0));
        let opener = gate.clone();
        let thread = thread::spawn(move || opener.enter_then_notify(|count| (*count += 1, true)));
        gate.wait_until(|count| (*count > 0).then_some(()));
        thread.join().unwrap();
    });
    assert_eq!(report.verdict, Verdict::Exhausted, "{report}");
}

#[test]
fn a_violation_comes_with_its_schedule() {
    let report = check(|| {
        let value = Arc::new(Mutex::new(0));
        let other = value.clone();
        let thread = thread::spawn(move || *other.lock() = 1);
        assert_eq!(*value.lock(), 0, "the other thread was first");
        thread.join().unwrap();
    });
    let Verdict::Violated(found) = &report.verdict else {
        panic!("{report}");
    };
    assert!(
        found.message().contains("the other thread was first"),
        "{found:?}"
    );
    assert_eq!(
        found.schedule.threads(),
        ["1", "main"],
        "thread 1 takes the lock before the main thread"
    );
}

#[test]
fn a_try_lock_can_fail_and_can_succeed() {
    let seen = Arc::new(std::sync::Mutex::new(std::collections::BTreeSet::new()));
    let report = check({
        let seen = seen.clone();
        move || {
            let value = Arc::new(Mutex::new(()));
            let other = value.clone();
            let thread = thread::spawn(move || drop(other.lock()));
            let got = value.try_lock().is_some();
            seen.lock().unwrap().insert(got);
            thread.join().unwrap();
        }
    });
    assert_eq!(report.verdict, Verdict::Exhausted, "{report}");
    assert_eq!(seen.lock().unwrap().len(), 2);
}

/// Two threads, each with a section of its own lock in which it touches what `key` says.
fn touching(key: fn(u32) -> u32) -> Report {
    check(move || {
        let spawn = |number| {
            thread::spawn(move || {
                let own = Mutex::new(());
                let _section = own.lock();
                nmr_sync::touch(key(number));
            })
        };
        for thread in [spawn(0), spawn(1)] {
            thread.join().unwrap();
        }
    })
}

#[test]
fn what_is_touched_is_ordered_as_a_lock_would_be() {
    assert_eq!(orders(&touching(|_| 7)), 2);
    assert_eq!(orders(&touching(|number| number)), 1);
}

/// A barrier for two that is passed twice by each. Whoever waits does so as long as `is_open` says no, given the count and
/// the round, as they are now and as they were.
fn passed_twice(is_open: fn(count: usize, round: usize, own: usize) -> bool) -> Report {
    #[derive(Default)]
    struct Barrier {
        state: Mutex<(usize, usize)>,
        left: Condvar,
    }
    let pass = move |barrier: &Barrier| {
        let mut state = barrier.state.lock();
        let own = state.1;
        state.0 += 1;
        if state.0 == 2 {
            *state = (0, own + 1);
        } else {
            while !is_open(state.0, state.1, own) {
                barrier.left.wait(&mut state);
            }
        }
        barrier.left.notify_one();
    };
    check(move || {
        let barrier: Arc<Barrier> = Arc::default();
        let other = barrier.clone();
        let thread = thread::spawn(move || {
            pass(&other);
            pass(&other);
        });
        pass(&barrier);
        pass(&barrier);
        thread.join().unwrap();
    })
}

#[test]
fn a_barrier_that_is_used_again_needs_to_know_its_rounds() {
    let report = passed_twice(|count, _, _| count == 0);
    let Verdict::Violated(found) = &report.verdict else {
        panic!("{report}");
    };
    // The first one out is the first one in, before the other has seen that the count was 0.
    assert_eq!((found.violation.kind(), found.preemptions), ("deadlock", 0));
    assert!(message(&report).contains(": it looked and slept again at the same wait"));
    passed_twice(|_, round, own| round != own).assert_exhausted();
}

/// A sender moves on twice and notifies after it has released the lock; the receiver looks before it sleeps, and when it
/// is woken again or not.
fn received(looks_again: bool) -> Report {
    check(move || {
        let sent: Arc<(Mutex<usize>, Condvar)> = Arc::default();
        let other = sent.clone();
        let sender = thread::spawn(move || {
            for _ in 0..2 {
                *other.0.lock() += 1;
                other.1.notify_one();
            }
        });
        let mut read = 0;
        while read < 2 {
            let mut at = sent.0.lock();
            while *at == read {
                sent.1.wait(&mut at);
                assert!(looks_again || *at > read, "woken, and nothing was sent");
            }
            read += 1;
        }
        sender.join().unwrap();
    })
}

#[test]
fn a_notification_may_come_after_what_it_speaks_of_was_read() {
    let report = received(false);
    let Verdict::Violated(found) = &report.verdict else {
        panic!("{report}");
    };
    assert_eq!(message(&report), "woken, and nothing was sent");
    // The receiver has not looked yet, and reads while the sender is between its release and its notification.
    assert_eq!((found.preemptions, found.is_minimal), (2, true));
    received(true).assert_exhausted();
}
