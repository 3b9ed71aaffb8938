//! Histories about C7 to C9.

use super::{ATTACHED, C_LEAVES, P_GOES, WAIT_C, breaks, holds};

#[test]
fn each_side_is_asked_to_detach_once() {
    holds(7, &[ATTACHED, C_LEAVES]);
    breaks(
        7,
        &[
            ATTACHED,
            "1: > deregister c; { detach c:cp; } complete; { detach c:cp",
        ],
    );
    breaks(
        7,
        &[
            ATTACHED,
            "1: > deregister c; { detach c:cp",
            "2: > deregister p; { detach c:cp",
        ],
    );
    holds(
        7,
        &[
            ATTACHED,
            "1: > deregister c; { detach c:cp",
            "2: > deregister p; { detach p:cp",
        ],
    );
}

#[test]
fn nobody_is_asked_to_detach_for_nothing() {
    breaks(7, &[ATTACHED, "1: > register d; { detach c:cp"]);
    let offered = "1: > register c; < registered; > register p; { attach c:cp";
    breaks(7, &[offered, "2: > deregister c; { detach c:cp"]);
    breaks(
        7,
        &[
            offered,
            "1: } failure; < registered; > deregister c; { detach c:cp",
        ],
    );
    breaks(
        7,
        &["1: > register c; < registered; > register p; { detach p:cp"],
    );
}

#[test]
fn a_forgotten_side_is_missed_at_the_end() {
    breaks(7, &[ATTACHED, "1: > deregister c; < pending", "quiet 2 1"]);
    breaks(
        7,
        &[
            ATTACHED,
            "1: > deregister c; { detach c:cp; } pending; < pending",
            "quiet undrained",
        ],
    );
    breaks(
        7,
        &[
            ATTACHED,
            "1: > deregister c; { detach c:cp; } complete; < pending; > wait c",
            "stuck 1",
        ],
    );
}

/// c deregisters; c's detach is pending and p's complete.
const PENDING: &str =
    "1: > deregister c; { detach c:cp; } pending; { detach p:cp; } complete; < pending";
const CLEANED: &str = "2: { cleanup c:cp; } success; { cleanup p:cp; } success";

#[test]
fn a_pending_side_completes_once() {
    holds(
        8,
        &[
            ATTACHED,
            PENDING,
            "2: > complete c:cp",
            CLEANED,
            "2: < done",
        ],
    );
    breaks(
        8,
        &[ATTACHED, PENDING, "2: > complete c:cp; < invalid-state"],
    );
    breaks(
        8,
        &[
            ATTACHED,
            PENDING,
            "2: > complete c:cp; < done; > complete c:cp; < done",
        ],
    );
    breaks(8, &[ATTACHED, PENDING, "2: > complete p:cp; < done"]);
    holds(
        8,
        &[ATTACHED, PENDING, "2: > complete p:cp; < invalid-state"],
    );
}

#[test]
fn a_completion_needs_a_detach() {
    holds(8, &[ATTACHED, "2: > complete c:cp; < invalid-state"]);
    breaks(8, &[ATTACHED, "2: > complete c:cp; < done"]);
    breaks(12, &[ATTACHED, "2: > complete c:cp; < invalid"]);
    let offered = "1: > register c; < registered; > register p; { attach c:cp";
    holds(8, &[offered, "2: > complete c:cp; < invalid-state"]);
    breaks(8, &[offered, "2: > complete c:cp; < done"]);
}

#[test]
fn a_completion_may_come_before_its_callback_returns() {
    let running = "1: > deregister c; { detach c:cp";
    let early = "2: > complete c:cp; < done";
    holds(8, &[ATTACHED, running, early, "1: } pending"]);
    holds(8, &[ATTACHED, running, early, "1: } complete"]);
    breaks(
        8,
        &[ATTACHED, running, "2: > complete c:cp; < invalid-state"],
    );
    // The registrar may be on its way into the callback, or not.
    holds(
        8,
        &[
            ATTACHED,
            "1: > deregister c",
            early,
            "1: { detach c:cp; } pending",
        ],
    );
    holds(
        8,
        &[
            ATTACHED,
            "1: > deregister c",
            "2: > complete c:cp; < invalid-state",
        ],
    );
}

#[test]
fn two_completions_at_a_time_have_one_winner() {
    let both = "2: > complete c:cp
        3: > complete c:cp";
    holds(
        8,
        &[ATTACHED, PENDING, both, "3: < invalid-state", "2: < done"],
    );
    holds(
        8,
        &[ATTACHED, PENDING, both, "2: < done", "3: < invalid-state"],
    );
    breaks(8, &[ATTACHED, PENDING, both, "2: < done", "3: < done"]);
    breaks(
        8,
        &[
            ATTACHED,
            PENDING,
            both,
            "2: < invalid-state",
            "3: < invalid-state",
        ],
    );
}

#[test]
fn a_completion_beside_the_callbacks_return_goes_either_way() {
    let running = "1: > deregister c; { detach c:cp";
    for answer in ["2: < done", "2: < invalid-state"] {
        holds(
            8,
            &[
                ATTACHED,
                running,
                "2: > complete c:cp",
                "1: } complete",
                answer,
            ],
        );
        holds(
            8,
            &[
                ATTACHED,
                running,
                "1: } complete",
                "2: > complete c:cp",
                answer,
            ],
        );
    }
    breaks(
        8,
        &[
            ATTACHED,
            running,
            "1: } complete; { detach p:cp",
            "2: > complete c:cp; < done",
        ],
    );
    breaks(
        8,
        &[
            ATTACHED,
            running,
            "2: > complete c:cp",
            "1: } pending",
            "2: < invalid-state",
        ],
    );
}

#[test]
fn a_binding_that_is_being_cleaned_up_is_complete_and_then_gone() {
    let completing = "2: > complete c:cp; { cleanup c:cp";
    holds(
        8,
        &[
            ATTACHED,
            PENDING,
            completing,
            "3: > complete c:cp; < invalid-state",
        ],
    );
    breaks(
        8,
        &[ATTACHED, PENDING, completing, "3: > complete c:cp; < done"],
    );
    breaks(
        12,
        &[
            ATTACHED,
            PENDING,
            completing,
            "3: > complete c:cp; < invalid",
        ],
    );
    let ended = "2: } success; { cleanup p:cp; } success";
    for answer in ["3: < invalid-state", "3: < invalid"] {
        holds(
            8,
            &[
                ATTACHED,
                PENDING,
                completing,
                ended,
                "3: > complete c:cp",
                answer,
            ],
        );
    }
    let gone = "2: < done";
    holds(
        12,
        &[
            ATTACHED,
            PENDING,
            completing,
            ended,
            gone,
            "3: > complete c:cp; < invalid",
        ],
    );
    breaks(
        12,
        &[
            ATTACHED,
            PENDING,
            completing,
            ended,
            gone,
            "3: > complete c:cp; < invalid-state",
        ],
    );
}

#[test]
fn a_rejected_completion_does_nothing() {
    breaks(
        8,
        &[
            ATTACHED,
            PENDING,
            "2: > complete c:cp",
            "3: > complete c:cp",
            CLEANED,
            "2: < invalid-state",
        ],
    );
}

#[test]
fn a_lost_completion_is_missed_at_the_end() {
    let early = "2: > complete c:cp; < done";
    let running = "1: > deregister c; { detach c:cp";
    let rest = "1: } pending; { detach p:cp; } complete; < pending";
    breaks(8, &[ATTACHED, running, early, rest, "quiet 2 1"]);
    breaks(
        8,
        &[ATTACHED, running, early, rest, "1: > wait c", "stuck 1"],
    );
    breaks(8, &[ATTACHED, PENDING, early, "1: > wait c", "stuck 1"]);
    holds(
        8,
        &[
            ATTACHED,
            running,
            early,
            "1: } pending; { detach p:cp; } complete",
            "1: { cleanup c:cp; } success; { cleanup p:cp; } success; < pending",
            "quiet 2 0",
        ],
    );
}

#[test]
fn a_completion_that_was_never_sent_is_the_modules_fault() {
    holds(7, &[ATTACHED, PENDING, "quiet undrained"]);
    breaks(16, &[ATTACHED, PENDING, "1: > wait c", "stuck 1"]);
}

#[test]
fn cleanup_comes_after_both_sides_are_detached() {
    holds(9, &[ATTACHED, C_LEAVES]);
    let half = "1: > deregister c; { detach c:cp; } complete";
    breaks(
        9,
        &[ATTACHED, half, "1: { detach p:cp", "2: { cleanup c:cp"],
    );
    // It is the detach that is missing.
    breaks(7, &[ATTACHED, half, "1: { cleanup c:cp"]);
    breaks(
        9,
        &[ATTACHED, PENDING, "2: > complete p:cp; { cleanup c:cp"],
    );
    breaks(
        9,
        &[
            ATTACHED,
            "1: > deregister c; { detach c:cp",
            "2: > deregister p; { detach p:cp; } complete; { cleanup p:cp",
        ],
    );
    breaks(7, &[ATTACHED, "1: > deregister c; { cleanup c:cp"]);
    breaks(
        9,
        &["1: > register c; < registered; > register p; { attach c:cp; } failure; { cleanup c:cp"],
    );
}

#[test]
fn cleanup_may_begin_inside_the_completing_call_of_either_thread() {
    let both = "1: > deregister c; { detach c:cp; } pending; { detach p:cp; } pending; < pending
        2: > complete c:cp
        3: > complete p:cp
        2: { cleanup c:cp; } success; { cleanup p:cp; } success; < done
        3: < done";
    holds(9, &[ATTACHED, both, "quiet 2 0"]);
}

#[test]
fn cleanup_comes_once() {
    breaks(9, &[ATTACHED, C_LEAVES, "1: > register d; { cleanup c:cp"]);
    breaks(
        9,
        &[
            ATTACHED,
            PENDING,
            "2: > complete c:cp; { cleanup c:cp",
            "3: > complete p:cp; { cleanup c:cp",
        ],
    );
}

#[test]
fn a_forgotten_cleanup_is_missed_at_the_end() {
    let detached =
        "1: > deregister c; { detach c:cp; } complete; { detach p:cp; } complete; < pending";
    breaks(9, &[ATTACHED, detached, "quiet 2 1"]);
    breaks(9, &[ATTACHED, detached, "1: > wait c", "stuck 1"]);
    breaks(
        9,
        &[
            ATTACHED,
            "1: > deregister c; { detach c:cp; } complete; { detach p:cp; } complete",
            "1: { cleanup c:cp; } success; < pending",
            "quiet 2 1",
        ],
    );
}

#[test]
fn a_binding_context_in_use_is_not_cleaned_up() {
    let leaving = "1: > deregister c; { detach c:cp; } complete; { detach p:cp; } complete";
    breaks(
        9,
        &[ATTACHED, "2: dispatch c:cp", leaving, "1: { cleanup p:cp"],
    );
    holds(
        9,
        &[
            ATTACHED,
            "2: dispatch c:cp; dispatched c:cp",
            leaving,
            "1: { cleanup p:cp",
        ],
    );
    // c calls p: it is p's context that is in use.
    holds(
        9,
        &[ATTACHED, "2: dispatch c:cp", leaving, "1: { cleanup c:cp"],
    );
    breaks(9, &[ATTACHED, C_LEAVES, WAIT_C, "2: dispatch c:cp"]);
    // Of that one nothing is kept any more.
    let all_gone = [ATTACHED, C_LEAVES, WAIT_C, P_GOES];
    breaks(9, &[&all_gone[..], &["2: dispatch p:cp"]].concat());
}
