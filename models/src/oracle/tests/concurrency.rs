//! Histories about C15 and C16, and overlaps that must be accepted.

use super::{ATTACHED, C_LEAVES, breaks, holds};

const IN_DETACH: &str = "1: > deregister c; { detach c:cp";

#[test]
fn a_wait_inside_its_own_callback_would_deadlock() {
    for target in [
        "1: > wait c; < would-deadlock",
        "1: > deregister p; < pending; > wait p; < would-deadlock",
    ] {
        holds(15, &[ATTACHED, IN_DETACH, target]);
    }
    breaks(15, &[ATTACHED, IN_DETACH, "1: > wait c; < done"]);
    breaks(15, &[ATTACHED, IN_DETACH, "1: > wait c", "stuck 1"]);
    breaks(
        15,
        &[
            ATTACHED,
            IN_DETACH,
            "1: } complete; { detach p:cp; > wait c; < done",
        ],
    );
    // Nobody deregisters p: that comes first.
    holds(14, &[ATTACHED, IN_DETACH, "1: > wait p; < invalid"]);
    breaks(14, &[ATTACHED, IN_DETACH, "1: > wait p; < would-deadlock"]);
}

#[test]
fn any_depth_of_callbacks_counts() {
    holds(
        15,
        &[
            ATTACHED,
            IN_DETACH,
            "1: > register x; < registered; > register y; { attach x:xy; > wait c; < would-deadlock",
        ],
    );
}

#[test]
fn only_its_own_callback_would_deadlock() {
    breaks(15, &[ATTACHED, IN_DETACH, "2: > wait c; < would-deadlock"]);
    breaks(
        15,
        &[
            ATTACHED,
            "1: > register x; < registered; > deregister x; < pending",
            IN_DETACH,
            "1: > wait x; < would-deadlock",
        ],
    );
    breaks(15, &[ATTACHED, C_LEAVES, "1: > wait c; < would-deadlock"]);
}

#[test]
fn a_deregister_call_that_may_not_have_begun_leaves_the_wait_both_answers() {
    let offered = "1: > register c; < registered; > register p; { attach c:cp
        2: > deregister c
        1: > wait c";
    holds(15, &[offered, "1: < would-deadlock"]);
    holds(15, &[offered, "1: < invalid"]);
}

#[test]
fn a_callbacks_call_returns() {
    let cleanup = "1: > deregister c; { detach c:cp; } complete; { detach p:cp; } complete; \
        { cleanup c:cp";
    holds(15, &[ATTACHED, cleanup, "1: > register x; < registered"]);
    breaks(15, &[ATTACHED, cleanup, "1: > register x", "stuck 1"]);
    breaks(
        15,
        &[
            ATTACHED,
            cleanup,
            "1: > deregister p",
            "2: > wait c",
            "stuck 1 2",
        ],
    );
}

#[test]
fn a_wait_for_what_nobody_deregisters_came_too_early() {
    let registered = "1: > register c; < registered";
    breaks(14, &[registered, "1: > wait c", "stuck 1"]);
    breaks(
        16,
        &[
            registered,
            "1: > deregister c; < pending; > wait c",
            "stuck 1",
        ],
    );
}

#[test]
fn a_standstill_without_a_reason_is_a_lost_wake_up() {
    breaks(16, &[ATTACHED, C_LEAVES, "1: > wait c", "stuck 1"]);
    breaks(
        16,
        &[
            "1: > register c; < registered; > deregister c; < pending; > wait c",
            "stuck 1",
        ],
    );
    breaks(16, &["1: > register c", "stuck 1"]);
    holds(16, &[ATTACHED, C_LEAVES, "1: > wait c; drop c; < done"]);
}

#[test]
fn a_standstill_inside_a_callback_does_not_blame_what_comes_after_it() {
    // p's detach callback would follow, but c's own does not return: it waits for x, which is stuck.
    let x = "2: > register x; < registered; > deregister x; < pending";
    breaks(16, &[ATTACHED, x, IN_DETACH, "1: > wait x", "stuck 1"]);
}

#[test]
fn two_waits_may_both_return_or_one_find_the_handle_dead() {
    let both = "1: > wait c
        2: > wait c
        1: drop c; < done";
    holds(10, &[ATTACHED, C_LEAVES, both, "2: < done"]);
    holds(10, &[ATTACHED, C_LEAVES, both, "2: < invalid"]);
    let unreturned = "1: > wait c
        2: > wait c; < invalid
        1: drop c; < done";
    holds(10, &[ATTACHED, C_LEAVES, unreturned]);
}

#[test]
fn a_wait_that_cannot_be_over_kills_no_handle() {
    let pending =
        "1: > deregister c; { detach c:cp; } pending; { detach p:cp; } complete; < pending
        1: > wait c
        2: > wait c; < invalid";
    breaks(14, &[ATTACHED, pending]);
    let both = "1: > wait c
        2: > wait c; < invalid
        1: < invalid";
    breaks(14, &[ATTACHED, C_LEAVES, both]);
}

#[test]
fn both_sides_may_leave_together() {
    holds(
        19,
        &[
            ATTACHED,
            "1: > deregister c",
            "2: > deregister p",
            "1: { detach c:cp; } pending",
            "2: < pending; > complete c:cp; < done; > wait p",
            "1: { detach p:cp; } complete; { cleanup c:cp; } success; { cleanup p:cp; } success",
            "1: drop c:cp; drop p:cp; < pending; drop p",
            "2: < done",
            "1: > wait c; drop c; < done",
            "quiet",
        ],
    );
}
