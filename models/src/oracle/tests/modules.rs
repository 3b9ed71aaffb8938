//! What is the fault of a module, and registrations that it owns.

use super::*;

/// A value that owns c is dropped: it deregisters and waits.
const RELEASED: &str = "1: > release c; { detach c:cp; } complete; { detach p:cp; } complete; \
     { cleanup c:cp; } success; { cleanup p:cp; } success; drop c:cp; drop p:cp; drop c; < done";

#[test]
fn a_context_that_its_owner_has_freed_is_not_used() {
    breaks(
        11,
        &[
            ATTACHED,
            "1: > deregister c; { detach c:cp; uses-freed c:cp",
        ],
    );
}

#[test]
fn a_context_that_is_never_freed_is_missed_at_the_end() {
    let declined =
        "1: > register p; < registered; > register c; { attach c:cp; } failure; < registered";
    breaks(5, &[declined, "quiet leaked c:cp"]);
}

#[test]
fn a_module_that_is_not_ready_has_registered_too_early() {
    breaks(
        11,
        &["1: > register p; < registered; > register c; { attach c:cp; not-ready c"],
    );
}

#[test]
fn a_refused_call_that_a_module_counts_on_is_its_fault() {
    for (rule, misused) in [
        (15, "misused wait c would-deadlock"),
        (8, "misused complete c:cp invalid-state"),
        (3, "misused attach cp invalid-state"),
        (12, "misused deregister c invalid"),
    ] {
        breaks(rule, &[ATTACHED, &format!("1: {misused}")]);
    }
}

#[test]
fn what_is_owned_is_gone_when_it_is_released() {
    holds(10, &[ATTACHED, RELEASED, P_GOES, "quiet"]);
    holds(12, &[ATTACHED, RELEASED, "1: > deregister c; < invalid"]);
    let before = "1: > release c; { detach c:cp; } complete; { detach p:cp; } complete; \
        { cleanup c:cp; } success; { cleanup p:cp; } success; drop c:cp; drop p:cp";
    breaks(11, &[ATTACHED, before, "1: < done"]);
    let half = "1: > release c; { detach c:cp; } complete; { detach p:cp; } pending";
    breaks(10, &[ATTACHED, half, "1: < done"]);
}

#[test]
fn what_is_owned_goes_by_itself_where_its_owner_cannot_wait() {
    let inside = "1: > deregister p; { detach c:cp; > release c; < done; } complete; \
        { detach p:cp; } complete; { cleanup c:cp; } success; { cleanup p:cp; } success; \
        drop c:cp; drop p:cp; drop c; < pending; > wait p; drop p; < done";
    holds(19, &[ATTACHED, inside, "quiet"]);
    // Whoever waits with its handle waits as for any other, and may come too late.
    holds(14, &[ATTACHED, inside, "1: > wait c; < invalid"]);
    let twice = "2: > deregister c; < invalid";
    holds(13, &[ATTACHED, inside, twice]);
    breaks(13, &[ATTACHED, inside, "2: > deregister c; < pending"]);
    for answer in ["invalid", "pending"] {
        holds(
            13,
            &[
                "1: > register c; < registered",
                "2: > deregister c",
                "1: > release c; drop c; < done",
                &format!("2: < {answer}"),
            ],
        );
    }
    let early = "1: > deregister p; { detach c:cp; > release c; < done; > wait c; < invalid";
    breaks(15, &[ATTACHED, early]);
    let early = "1: > deregister p; { detach c:cp; > release c; < done
        2: > wait c; < invalid";
    breaks(14, &[ATTACHED, early]);
    let kept = inside.replace(" drop c; <", " <");
    breaks(19, &[ATTACHED, &kept, "quiet"]);
}

#[test]
fn a_function_answers_nothing_but_its_answers() {
    for (rule, call, answer) in [
        (17, "register d; drop d", "wrong-status"),
        (13, "deregister c", "done"),
        (14, "wait c", "no-interface"),
        (3, "attach cp", "would-deadlock"),
        (8, "complete c:cp", "no-interface"),
    ] {
        breaks(rule, &[ATTACHED, &format!("1: > {call}; < {answer}")]);
    }
}
