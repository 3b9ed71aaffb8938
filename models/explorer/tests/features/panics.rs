//! A thread's panic is told to whoever joins it, and is a violation if nobody is told.

use nmr_explorer::{Explorer, Verdict};
use nmr_sync::{hook, thread};

use super::programs::{error, found};

#[test]
fn a_panic_that_is_joined_as_one_is_no_violation() {
    Explorer::builder()
        .check(|| assert!(thread::spawn(|| panic!("asked for")).join().is_err()))
        .assert_exhausted();
}

#[test]
fn a_panic_that_nobody_is_told_of_is_a_violation() {
    let report = Explorer::builder().check(|| drop(thread::spawn(|| panic!("unheard"))));
    assert_eq!(found(&report).message(), "unheard", "{report}");
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
