//! Histories about C10 to C14.

use super::{ATTACHED, C_LEAVES, P_GOES, WAIT_C, breaks, holds};

/// c's detach is pending, so that c is not gone.
const PENDING: &str =
    "1: > deregister c; { detach c:cp; } pending; { detach p:cp; } complete; < pending";

#[test]
fn a_wait_returns_after_the_last_cleanup_callback() {
    holds(10, &[ATTACHED, C_LEAVES, WAIT_C]);
    breaks(10, &[ATTACHED, PENDING, "1: drop c; > wait c; < done"]);
    breaks(
        10,
        &[
            ATTACHED,
            PENDING,
            "2: > complete c:cp; { cleanup c:cp; } success; { cleanup p:cp; drop c; drop c:cp",
            "1: > wait c; < done",
        ],
    );
    holds(
        10,
        &[
            ATTACHED,
            PENDING,
            "2: > complete c:cp; { cleanup c:cp; } success; { cleanup p:cp; drop c; drop c:cp",
            "1: > wait c",
            "2: } success",
            "1: < done",
        ],
    );
}

#[test]
fn a_wait_returns_after_a_running_attach_callback() {
    let offered = "1: > register c; < registered; > register p; { attach c:cp";
    let waits = "2: > deregister c; < pending; > wait c; drop c";
    breaks(10, &[offered, waits, "2: < done"]);
    holds(10, &[offered, waits, "1: } failure", "2: < done"]);
}

#[test]
fn no_callback_begins_after_the_wait() {
    let closed = "2: > deregister c; < pending; > wait c; drop c; < done";
    breaks(
        10,
        &[
            "1: > register c; < registered; > register p",
            closed,
            "1: { attach c:cp",
        ],
    );
    holds(
        2,
        &[
            "1: > register c; < registered; > register d; < registered; > register p",
            closed,
            "1: { attach d:dp",
        ],
    );
    let closed = "2: > deregister p; < pending; > wait p; drop p; < done";
    breaks(
        10,
        &[
            "1: > register p; < registered; > register c",
            closed,
            "1: { attach c:cp",
        ],
    );
}

#[test]
fn a_module_is_let_go_when_the_wait_returns() {
    holds(11, &[ATTACHED, C_LEAVES, WAIT_C]);
    breaks(
        11,
        &["1: > register c; < registered; > deregister c; < pending; > wait c; < done"],
    );
    breaks(11, &[ATTACHED, C_LEAVES, "1: > wait c; < done"]);
    let cleaned = "1: > deregister c; { detach c:cp; } complete; { detach p:cp; } complete; \
        { cleanup c:cp; } success; { cleanup p:cp; } success; < pending";
    breaks(11, &[ATTACHED, cleaned, WAIT_C]);
    holds(11, &[ATTACHED, cleaned, "1: drop c:cp", WAIT_C]);
}

#[test]
fn nothing_is_let_go_while_it_is_needed() {
    breaks(11, &["1: > register c; < registered; drop c"]);
    breaks(11, &["1: > register c; drop c; < registered"]);
    holds(17, &["1: > register c; drop c; < no-memory"]);
    breaks(17, &["1: > register c; < no-memory"]);
    breaks(11, &[ATTACHED, "1: drop p:cp"]);
    breaks(11, &[ATTACHED, PENDING, "1: drop c:cp"]);
    holds(
        9,
        &[
            ATTACHED,
            PENDING,
            "2: > complete c:cp; { cleanup c:cp; } success; drop c:cp",
        ],
    );
    let calling = "1: > register c; < registered; > register p; { attach c:cp; > attach cp; \
        { attach p:cp; } success; < attached";
    breaks(11, &[calling, "1: drop p:cp"]);
    breaks(11, &[calling, "1: drop c:cp; } success"]);
    holds(
        3,
        &[
            calling,
            "1: > attach cp; < invalid-state; drop c:cp; } success",
        ],
    );
}

#[test]
fn a_freed_module_is_not_called() {
    breaks(
        11,
        &[ATTACHED, "1: > deregister c; { detach c:cp; uses-freed c"],
    );
    breaks(
        11,
        &["1: > register p; < registered; > register c; { attach c:cp; uses-freed c"],
    );
    breaks(11, &["1: > register p; { attach c:cp"]);
}

#[test]
fn a_handle_of_nothing_is_invalid() {
    for call in [
        "> deregister -",
        "> wait -",
        "> attach -",
        "> complete -",
        "> deregister c",
    ] {
        holds(12, &[&format!("1: {call}; < invalid")]);
        let other = if call == "> wait -" {
            "done"
        } else {
            "invalid-state"
        };
        breaks(12, &[&format!("1: {call}; < {other}")]);
    }
    breaks(
        12,
        &[
            ATTACHED,
            "2: > deregister p",
            "1: > deregister -; { detach c:cp",
        ],
    );
}

#[test]
fn a_waited_for_handle_is_dead() {
    let gone = [ATTACHED, C_LEAVES, WAIT_C].join("\n");
    holds(
        12,
        &[&gone, "1: > wait c; < invalid; > deregister c; < invalid"],
    );
    breaks(12, &[&gone, "1: > wait c; < done"]);
    breaks(12, &[&gone, "1: > deregister c; < pending"]);
    // The module's next registration is another one.
    holds(
        12,
        &[
            &gone,
            P_GOES,
            "1: > register C; < registered; > deregister c; < invalid",
            "quiet 1 0",
        ],
    );
}

#[test]
fn a_live_handle_is_valid() {
    breaks(
        12,
        &["1: > register c; < registered; > deregister c; < invalid"],
    );
    breaks(12, &["1: > register c; < invalid"]);
    holds(12, &["1: > register n; drop n; < invalid"]);
    breaks(11, &["1: > register n; < invalid"]);
    breaks(12, &["1: > register n; < registered"]);
}

#[test]
fn one_deregister_call_is_accepted() {
    let twice = "1: > register c; < registered; > deregister c; < pending; > deregister c";
    holds(13, &[twice, "1: < invalid"]);
    breaks(13, &[twice, "1: < pending"]);
    let both = "1: > register c; < registered; > deregister c
        2: > deregister c";
    holds(13, &[both, "1: < invalid", "2: < pending"]);
    holds(13, &[both, "2: < pending", "1: < invalid"]);
    breaks(13, &[both, "1: < pending", "2: < pending"]);
    breaks(13, &[both, "1: < invalid", "2: < invalid"]);
}

#[test]
fn deregistering_answers_pending_always() {
    breaks(
        13,
        &["1: > register c; < registered; > deregister c; < wrong-status"],
    );
    breaks(13, &[ATTACHED, "1: > deregister p; < wrong-status"]);
}

#[test]
fn waiting_comes_after_deregistering() {
    let registered = "1: > register c; < registered; > wait c";
    holds(14, &[registered, "1: < invalid"]);
    breaks(14, &[registered, "1: < done"]);
    breaks(14, &[registered, "1: < would-deadlock"]);
    let deregistered = "1: > register c; < registered; > deregister c; < pending; drop c; > wait c";
    breaks(14, &[deregistered, "1: < invalid"]);
    holds(10, &[ATTACHED, C_LEAVES, WAIT_C]);
    breaks(
        14,
        &[
            ATTACHED,
            "1: > deregister c; { detach c:cp",
            "2: > wait c; < invalid",
        ],
    );
}

#[test]
fn a_wait_beside_the_deregister_call_goes_either_way() {
    let beside = "1: > register c; < registered; > deregister c
        2: > wait c";
    holds(13, &[beside, "2: < invalid", "1: < pending"]);
    holds(16, &[beside, "1: drop c", "2: < done", "1: < pending"]);
    let after = "1: > register c; < registered
        2: > wait c
        1: > deregister c; < pending";
    holds(13, &[after, "2: < invalid"]);
}

#[test]
fn an_owner_may_drop_its_registration_inside_its_own_callback() {
    let dropped = "1: > deregister p; { detach c:cp; > release c; < done; } complete; \
        { detach p:cp; } complete; { cleanup c:cp; } success; drop c; { cleanup p:cp; } success; \
        drop c:cp; drop p:cp; < pending; > wait p; drop p; < done";
    holds(7, &[ATTACHED, dropped, "quiet"]);
    breaks(19, &[ATTACHED, dropped, "quiet 1 0"]);
}

#[test]
fn what_an_owner_drops_may_be_gone() {
    let gone = "1: > register c; < registered; > deregister c; < pending";
    holds(
        12,
        &[
            gone,
            WAIT_C,
            "1: > deregister -; < invalid; > release c; < done",
        ],
    );
}

#[test]
fn a_handle_is_expected_to_be_nothing_before_its_register_call_returns() {
    let offered = "1: > register p; < registered; > register c; { attach c:cp";
    holds(1, &[offered, "1: > deregister c; < pending"]);
    // Answered so, it has no effect: c is open.
    let refused = "1: > deregister c; < invalid; } failure; < registered";
    breaks(
        2,
        &[
            offered,
            refused,
            "1: > register q; < registered",
            "quiet 3 0",
        ],
    );
}
