//! A standstill is judged by a judge that has followed the execution to it, and by no other: an execution that only repeats
//! what is known need not be followed. None is lost by that, whichever worker comes to it first.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use nmr_explorer::{Builder, Ending, Explorer, Judgement, Verdict, Violation, is_redundant};
use nmr_sync::{Condvar, Mutex, describe, learn, thread};

use super::programs::found;

thread_local! {
    /// Whether the execution at hand, or the last one, was followed so far, on this OS thread.
    static FOLLOWED: Cell<bool> = const { Cell::new(false) };
}

/// What happens here counts, if anybody follows it.
fn happens() {
    FOLLOWED.set(FOLLOWED.get() && !is_redundant());
}

/// Adds to a number a few times, no matter when.
fn add(sum: &Mutex<u32>, times: usize) {
    for _ in 0..times {
        let mut sum = sum.lock();
        *sum += 1;
        describe(&sum);
        learn(&());
        happens();
    }
}

/// Each of three threads adds, and takes its own lock and the next one's then. Many ways lead to the standstill, of which
/// most are known.
fn takes_crosswise() {
    FOLLOWED.set(true);
    let sum = Arc::new(Mutex::new(0));
    let locks: Arc<[Mutex<()>; 3]> = Arc::default();
    let threads = [0, 1, 2].map(|own| {
        let (sum, locks) = (sum.clone(), locks.clone());
        thread::spawn(move || {
            add(&sum, 2);
            let own_lock = locks[own].lock();
            describe(&own_lock);
            happens();
            let next = locks[(own + 1) % 3].lock();
            describe(&next);
            happens();
        })
    });
    for thread in threads {
        thread.join().unwrap();
    }
}

/// One who sleeps is not woken, if the flag is set between its look and its sleep; beside others who add.
fn loses_a_wake_up() {
    FOLLOWED.set(true);
    let shared = Arc::new((Mutex::new(false), Mutex::new(()), Condvar::new()));
    let sum = Arc::new(Mutex::new(0));
    let adders = [(); 2].map(|()| {
        let sum = sum.clone();
        thread::spawn(move || add(&sum, 3))
    });
    let other = shared.clone();
    let sleeper = thread::spawn(move || {
        let is_set = *other.0.lock();
        happens();
        if !is_set {
            other.2.wait(&mut other.1.lock());
        }
        happens();
    });
    *shared.0.lock() = true;
    happens();
    shared.2.notify_all();
    for thread in adders {
        thread.join().unwrap();
    }
    sleeper.join().unwrap();
}

const PROGRAMS: [fn(); 2] = [takes_crosswise, loses_a_wake_up];

/// Says of a standstill whether it was followed, and nothing of anything else.
fn judged(builder: Builder, unfollowed: Arc<AtomicUsize>) -> Builder {
    builder.judge(move |ending| {
        let Ending::Deadlocked(why) = ending else {
            return Ok(None);
        };
        let is_followed = FOLLOWED.get() && !is_redundant();
        unfollowed.fetch_add(usize::from(!is_followed), Relaxed);
        let kind = if is_followed {
            "followed"
        } else {
            "not followed"
        };
        Ok(Some(Judgement {
            kind: kind.to_owned(),
            message: why.to_string(),
            evidence: None,
        }))
    })
}

/// Where nobody wants to know of a standstill, the search goes on, and comes to it again and again.
#[test]
fn no_standstill_is_judged_that_was_not_followed() {
    for program in PROGRAMS {
        for workers in [1, 2, 4] {
            let unfollowed = Arc::new(AtomicUsize::new(0));
            let builder = Explorer::builder().workers(workers);
            let builder = judged(builder, unfollowed.clone()).only_kind("not followed");
            let report = builder.check(program);
            assert_eq!(report.verdict, Verdict::Exhausted, "{report}");
            assert!(report.known > 0, "nothing was repeated: {report}");
            assert_eq!(unfollowed.load(Relaxed), 0, "{report}");
        }
    }
}

#[test]
fn no_standstill_is_lost_whichever_worker_comes_to_it_first() {
    for program in PROGRAMS {
        for workers in [1, 2, 4] {
            for _ in 0..10 {
                let builder = || Explorer::builder().workers(workers);
                let plain = builder().check(program);
                let violation = &found(&plain).violation;
                assert!(matches!(violation, Violation::Deadlock(_)), "{plain}");
                let report = judged(builder(), Arc::default()).check(program);
                assert_eq!(found(&report).violation.kind(), "followed", "{report}");
            }
        }
    }
}
