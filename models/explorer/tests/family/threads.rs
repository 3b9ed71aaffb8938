//! Threads with large numbers are threads like others, or refused: never taken for one another.

use nmr_explorer::Verdict;

use super::explored::{agrees, builder, explored_behind};
use super::generator::family;
use super::reference::outcomes;

/// Explores programs of which the threads come after so many others.
fn nothing_is_missed_behind(others: usize) {
    let apart = family().iter().filter(|program| program.alike == 0);
    for program in apart.take(100) {
        let found = explored_behind(others, program, builder(program));
        match &found.report.verdict {
            Verdict::HarnessError(error) => assert!(error.contains("threads"), "{error}"),
            _ => assert!(
                agrees(&found, &outcomes(program, false)),
                "{program:?}\n{}",
                found.report
            ),
        }
    }
}

#[test]
fn threads_have_numbers_beyond_32() {
    nothing_is_missed_behind(31);
}

#[test]
fn threads_have_numbers_beyond_64() {
    nothing_is_missed_behind(63);
}
