//! A thread's panic is told to whoever joins it, and is a violation if nobody is told.

use std::sync::Arc;

use nmr_explorer::{Explorer, Replayed, Verdict, Violation};
use nmr_sync::{Condvar, Mutex, hook, thread};

use super::programs::{error, found};

/// What a program broke, which is a panic; the thread, what it said, and whether something followed.
fn panic_of(program: impl Fn() + Send + Sync + 'static) -> (String, String, bool) {
    let report = Explorer::builder().check(program);
    match &found(&report).violation {
        Violation::Panic(panic) => {
            let is_more = panic.then.is_some();
            (panic.thread.clone(), panic.message.clone(), is_more)
        }
        _ => panic!("{report}"),
    }
}

fn panicking() -> thread::JoinHandle<()> {
    thread::spawn(|| panic!("asked for"))
}

#[test]
fn a_panic_that_is_joined_as_one_is_no_violation() {
    for workers in [1, 3] {
        let report = Explorer::builder()
            .workers(workers)
            .check(|| assert!(panicking().join().is_err()));
        report.assert_exhausted();
    }
}

#[test]
fn who_waits_for_the_result_of_a_thread_that_panics_is_told_by_its_guard() {
    struct Fails(Arc<(Mutex<Option<bool>>, Condvar)>);
    impl Drop for Fails {
        fn drop(&mut self) {
            *self.0.0.lock() = Some(false);
            self.0.1.notify_all();
        }
    }
    let report = Explorer::builder().check(|| {
        let result: Arc<(Mutex<Option<bool>>, Condvar)> = Arc::default();
        let (own, others) = (Fails(result.clone()), result.clone());
        let failing = thread::spawn(move || {
            let _own = own;
            panic!("asked for");
        });
        let waiting = thread::spawn(move || {
            let mut result = others.0.lock();
            while result.is_none() {
                others.1.wait(&mut result);
            }
            result.take()
        });
        assert!(failing.join().is_err());
        assert_eq!(waiting.join().unwrap(), Some(false));
    });
    report.assert_exhausted();
}

#[test]
fn a_panic_that_nobody_is_told_of_is_a_violation() {
    let report = Explorer::builder().check(|| drop(thread::spawn(|| panic!("unheard"))));
    assert_eq!(found(&report).message(), "unheard", "{report}");
    let daemon = || drop(thread::Builder::new().daemon().spawn(|| panic!("unheard")));
    let report = Explorer::builder().check(daemon);
    assert_eq!(found(&report).message(), "unheard", "{report}");
    let again = Explorer::replay(daemon, &found(&report).schedule);
    assert!(matches!(again.outcome, Replayed::Violated(_)), "{again:?}");
}

#[test]
fn who_was_told_of_a_panic_and_panics_by_itself_is_the_one_that_broke_something() {
    let broken = panic_of(|| {
        assert!(panicking().join().is_err());
        panic!("its own");
    });
    assert_eq!(broken, ("main".to_owned(), "its own".to_owned(), false));
}

#[test]
fn who_was_told_of_a_panic_and_sleeps_for_ever_is_in_a_deadlock() {
    let report = Explorer::builder().check(|| {
        assert!(panicking().join().is_err());
        Condvar::new().wait(&mut Mutex::new(()).lock());
    });
    let violation = &found(&report).violation;
    assert!(matches!(violation, Violation::Deadlock(_)), "{report}");
    assert!(!found(&report).message().contains("asked for"), "{report}");
}

#[test]
fn a_panic_that_is_only_passed_on_is_that_of_the_thread_where_it_began() {
    let asked_for = ("1".to_owned(), "asked for".to_owned(), false);
    assert_eq!(panic_of(|| panicking().join().unwrap()), asked_for);
    let resumed = || match panicking().join() {
        Ok(()) => {}
        Err(payload) => std::panic::resume_unwind(payload),
    };
    let (thread, message, _) = panic_of(resumed);
    assert_eq!((thread, message), (asked_for.0, asked_for.1));
    let (thread, message, _) = panic_of(|| {
        let between = thread::spawn(|| panicking().join().expect("it goes well"));
        drop(between);
    });
    assert_eq!((&*thread, &*message), ("2", "asked for"));
}

#[test]
fn a_panic_that_nobody_is_told_of_comes_before_what_the_main_thread_says() {
    let (thread, message, _) = panic_of(|| {
        let flag = Arc::new(Mutex::new(false));
        let other = flag.clone();
        let _untold = thread::spawn(move || {
            *other.lock() = true;
            panic!("the first failure");
        });
        assert!(!*flag.lock(), "the consequence");
    });
    assert_eq!((&*thread, &*message), ("1", "the first failure"));
}

#[test]
fn an_execution_that_is_abandoned_for_nothing_proves_nothing() {
    let report = Explorer::builder().check(|| {
        let other = thread::spawn(hook::abandon_execution);
        let _ = other.join();
    });
    assert!(!matches!(report.verdict, Verdict::Exhausted), "{report}");
    assert!(error(&report).contains("abandoned"), "{report}");
}
