//! What a finding says: who did what, and what was expected.

use super::{ATTACHED, C_LEAVES, P_GOES, WAIT_C, history, judge, oracle};
use crate::oracle::Violation;

/// What is found at the last step.
fn finding(lines: &[&str]) -> Violation {
    let mut oracle = oracle(lines);
    let mut steps = history(lines).into_iter();
    let found = steps.find_map(|step| judge(&mut oracle, &step));
    assert!(steps.next().is_none(), "something was found too early");
    found.expect("something is found")
}

#[track_caller]
fn says(lines: &[&str], words: &str) {
    let message = finding(lines).message.to_string();
    assert!(message.contains(words), "{message}");
}

#[test]
fn a_violation_is_written_with_its_rule() {
    let violation = finding(&[ATTACHED, C_LEAVES, WAIT_C, P_GOES, "quiet 1 0"]);
    assert_eq!(
        violation.to_string(),
        "C19 (quiescence): all registrations are gone, but 1 registration(s) and 0 binding(s) is left"
    );
}

#[test]
fn a_wrong_answer_is_told_beside_the_right_one() {
    let offered = "1: > register c; < registered; > register p; { attach c:cp; > attach cp";
    let refused = "{ attach p:cp; } failure; < attached";
    says(
        &[offered, &format!("1: {refused}")],
        "answers attached: expected refused by the provider, as the provider's callback replied",
    );
    says(
        &[offered, "1: < attached"],
        "expected no-interface if the provider is not called",
    );
    let again = "1: { attach p:cp; } success; < attached; > attach cp; < attached";
    says(
        &[offered, again],
        "expected invalid state, it is not the one call inside the client's attach callback",
    );
    says(
        &["1: > deregister -; < pending"],
        "`deregister a handle that names nothing` answers pending: expected invalid parameter",
    );
}

#[test]
fn what_is_dropped_too_early_is_named() {
    says(
        &[ATTACHED, "1: drop c"],
        "the registrar drops the module of m0, which nobody deregistered",
    );
    says(
        &[ATTACHED, "1: drop c:cp"],
        "the registrar drops the client's binding context of m0–m2 before its cleanup callback",
    );
}

#[test]
fn what_is_left_is_counted() {
    says(
        &[ATTACHED, C_LEAVES, WAIT_C, P_GOES, "quiet 0 0 1"],
        "the registrar still holds 1 registration instance(s)",
    );
}

#[test]
fn a_standstill_says_where_the_threads_are() {
    says(
        &[ATTACHED, "1: > wait c", "stuck 1 2"],
        "; thread 1 is inside wait for m0; thread 2 is inside no call",
    );
}

#[test]
fn a_call_that_hangs_outside_has_nothing_to_wait_for() {
    says(
        &["1: > register c", "stuck 1"],
        "`register client m0 (interface 1)` does not return, and has nothing to wait for",
    );
}

#[test]
fn the_side_that_never_sent_its_completion_is_named() {
    let pending =
        "1: > deregister c; { detach c:cp; } pending; { detach p:cp; } pending; < pending";
    says(
        &[
            ATTACHED,
            pending,
            "2: > complete c:cp; < done",
            "1: > wait c",
            "stuck 1",
        ],
        "the provider of m0–m2 answered pending and never sent its completion",
    );
    says(
        &[
            ATTACHED,
            pending,
            "2: > complete p:cp; < done",
            "1: > wait c",
            "stuck 1",
        ],
        "the client of m0–m2 answered pending and never sent its completion",
    );
}

#[test]
fn a_binding_that_a_blocked_callback_goes_on_with_is_not_what_is_missing() {
    let two = "1: > register d; < registered
        1: > register p; { attach c:cp; > attach cp; { attach p:cp; } success; < attached; } success
        1: { attach d:dp; > attach dp; { attach p:dp; } success; < attached; } success; < registered";
    let waits = "1: > register x; < registered
        2: > deregister x; < pending
        1: > deregister p; { detach c:cp; > wait x";
    says(
        &["1: > register c; < registered", two, waits, "stuck 1"],
        "nothing is missing that a call could wait for",
    );
}

#[test]
fn a_wait_for_nothing_is_no_wait_for_its_own_callback() {
    says(
        &[
            ATTACHED,
            "1: > deregister c; { detach c:cp; > wait -",
            "stuck 1",
        ],
        "nothing is missing that a call could wait for",
    );
}

#[test]
fn a_late_comer_is_called_that() {
    let attaching = "1: > register c; < registered
        2: > register p; { attach c:cp; > attach cp; { attach p:cp; } success; < attached
        1: > deregister c; < pending; > wait c
        2: } success; { detach c:cp";
    let late =
        "thread 2 is inside the client's detach callback for m0–m2, a late comer, inside register";
    says(&[attaching, "stuck 1 2"], late);
    let other = "1: > register x; < registered; > deregister x; < pending";
    says(
        &[
            ATTACHED,
            other,
            "1: > deregister p; { detach c:cp; > wait x",
            "stuck 1",
        ],
        "inside the client's detach callback for m0–m2, inside deregister m2",
    );
}
