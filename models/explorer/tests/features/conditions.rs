//! A condvar that is waited on with two mutexes at once is a mistake of the program, in production as well.

use std::sync::Arc;

use nmr_explorer::{Explorer, Violation};
use nmr_sync::{Condvar, Mutex, thread};

use super::programs::found;

#[test]
fn two_who_sleep_with_different_mutexes_are_a_violation() {
    let report = Explorer::builder().check(|| {
        let state = Arc::new(([Mutex::new(false), Mutex::new(false)], Condvar::new()));
        let threads = [0, 1].map(|own| {
            let state = state.clone();
            thread::spawn(move || {
                let mut is_set = state.0[own].lock();
                while !*is_set {
                    state.1.wait(&mut is_set);
                }
            })
        });
        for flag in &state.0 {
            *flag.lock() = true;
        }
        state.1.notify_all();
        for thread in threads {
            thread.join().unwrap();
        }
    });
    let Violation::Panic(panic) = &found(&report).violation else {
        panic!("{report}");
    };
    let words = "attempted to use a condition variable with more than one mutex";
    assert_eq!(panic.message, words);
}
