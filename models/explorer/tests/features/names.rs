//! Whatever threads are called, the text form of a schedule says who is woken, and is followed.

use std::sync::Arc;

use nmr_explorer::{Explorer, Outcome, Replayed, Schedule};
use nmr_sync::{Condvar, Mutex, thread};

use super::programs::found;

/// Names with whatever means something in a step, and with what names other threads.
const NAMES: [&str; 12] = [
    "plain",
    "with: a colon",
    "a:",
    "a -> b",
    "a -> 7",
    "a `quoted` one",
    "a after `b",
    "in two\nlines",
    "a #2",
    "",
    "main",
    "2",
];

/// Two threads sleep, and the one of this name is woken first in some executions only.
fn program(name: &'static str) -> impl Fn() + Clone + Send + Sync + 'static {
    move || {
        let state = Arc::new((Mutex::new((0, Vec::new())), Condvar::new()));
        let sleeps = |name: &'static str| {
            let state = state.clone();
            let thread = thread::Builder::new().name(name.to_owned());
            let body = move || {
                let own = Mutex::new(());
                drop(own.lock());
                let mut inside = state.0.lock();
                inside.0 += 1;
                state.1.wait(&mut inside);
                inside.1.push(name);
            };
            thread.spawn(body).unwrap()
        };
        let both = [sleeps("another"), sleeps(name)];
        while state.0.lock().0 < 2 {
            thread::yield_now();
        }
        state.1.notify_one();
        while state.0.lock().1.is_empty() {
            thread::yield_now();
        }
        assert_ne!(state.0.lock().1, [name], "woken first");
        state.1.notify_one();
        for thread in both {
            thread.join().unwrap();
        }
    }
}

#[test]
fn who_is_woken_is_named_in_the_text_form_whatever_it_is_called() {
    for name in NAMES {
        let report = Explorer::builder().check(program(name));
        let found = found(&report);
        assert!(
            found.message().contains("woken first"),
            "{name:?}: {report}"
        );
        for schedule in [found.schedule.clone(), found.schedule.condensed()] {
            let text = schedule.to_string();
            let read: Schedule = text.parse().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(read, schedule, "{name:?}");
            let again = Explorer::replay(program(name), &read);
            assert!(again.misfits.is_empty(), "{name:?}: {again:?}");
            let Replayed::Violated(again) = again.outcome else {
                panic!("{name:?}: {again:?}");
            };
            assert_eq!(again.violation, found.violation, "{name:?}");
            // The choice of who is woken names the thread as its steps do.
            let woken = read.steps().iter().find_map(|step| match &step.outcome {
                Some(Outcome::Woken(thread)) => Some(thread.as_str()),
                _ => None,
            });
            let woken = woken.unwrap_or_else(|| panic!("{text}"));
            assert!(read.threads().contains(&woken), "{text}");
            assert!(!["main", "another"].contains(&woken), "{text}");
        }
    }
}
