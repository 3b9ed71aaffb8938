//! Histories about C1 to C6.

use super::{ATTACHED, C_LEAVES, P_GOES, WAIT_C, breaks, holds};

#[test]
fn an_interface_attaches_only_to_itself() {
    holds(1, &[ATTACHED, "1: > register x; < registered", "quiet 3 1"]);
    breaks(
        1,
        &["1: > register c; < registered; > register y; { attach c:cy"],
    );
    breaks(
        1,
        &["1: > register c; < registered; > register d; { attach c:cd"],
    );
}

#[test]
fn a_second_offer_is_one_too_many() {
    holds(2, &[ATTACHED, "quiet 2 1"]);
    breaks(2, &[ATTACHED, "1: > register d; { attach c:cp"]);
    breaks(
        2,
        &["1: > register c; < registered; > register p; { attach c:cp; } failure; { attach c:cp"],
    );
}

#[test]
fn a_pair_that_stays_is_offered() {
    let both = "1: > register c; < registered; > register p; < registered";
    breaks(2, &[both, "quiet 2 0"]);
    holds(2, &[ATTACHED, "1: > register x; < registered", "quiet 3 1"]);
    // A side that leaves, or one whose register call was refused, need not be offered.
    holds(16, &[both, "1: > deregister c; < pending", "quiet 2 0"]);
    holds(
        17,
        &[
            "1: > register c; < registered; > register p; drop p; < no-memory",
            "quiet 1 0",
        ],
    );
}

const OFFERED: &str = "1: > register c; < registered; > register p; { attach c:cp";

#[test]
fn the_provider_is_called_only_inside_the_clients_call() {
    holds(3, &[ATTACHED]);
    breaks(
        3,
        &["1: > register c; < registered; > register p; { attach p:cp"],
    );
    breaks(3, &[OFFERED, "1: { attach p:cp"]);
    breaks(3, &[OFFERED, "2: > attach cp; { attach p:cp"]);
}

#[test]
fn the_clients_call_answers_what_the_provider_replied() {
    let asked = "1: > attach cp; { attach p:cp";
    holds(
        3,
        &[
            OFFERED,
            asked,
            "1: } failure; < refused; drop c:cp; } failure; < registered",
        ],
    );
    breaks(3, &[OFFERED, asked, "1: } failure; < attached"]);
    breaks(3, &[OFFERED, asked, "1: } success; < refused"]);
    breaks(3, &[OFFERED, "1: > attach cp; < attached"]);
    breaks(3, &[OFFERED, "1: > attach cp; < invalid-state"]);
}

#[test]
fn attaching_again_or_elsewhere_is_invalid_state() {
    let again = "1: > attach cp; { attach p:cp; } success; < attached; > attach cp";
    holds(3, &[OFFERED, again, "1: < invalid-state"]);
    breaks(3, &[OFFERED, again, "1: < attached"]);
    breaks(3, &[OFFERED, again, "1: { attach p:cp"]);
    holds(3, &[OFFERED, "2: > attach cp; < invalid-state"]);
    breaks(3, &[OFFERED, "2: > attach cp; < no-interface"]);
    holds(3, &[ATTACHED, "1: > attach cp; < invalid-state"]);
    breaks(3, &[ATTACHED, "1: > attach cp; < refused"]);
}

#[test]
fn a_declined_binding_may_be_gone_for_another_thread_and_is_gone_for_this_one() {
    let declined = "1: } failure";
    for answer in ["2: < invalid-state", "2: < invalid"] {
        holds(
            16,
            &[OFFERED, "2: > attach cp", declined, answer, "quiet 2 0"],
        );
        holds(
            16,
            &[OFFERED, declined, "2: > attach cp", answer, "quiet 2 0"],
        );
    }
    let gone = "1: < registered";
    holds(12, &[OFFERED, declined, gone, "2: > attach cp; < invalid"]);
    breaks(
        12,
        &[OFFERED, declined, gone, "2: > attach cp; < invalid-state"],
    );
    breaks(12, &[OFFERED, "2: > attach cp; < invalid"]);
}

#[test]
fn a_call_from_a_nested_callback_counts_as_inside() {
    holds(
        3,
        &[
            OFFERED,
            "1: > register q; { attach c:cq; > attach cp; { attach p:cp; } success; < attached",
            "1: } failure; < registered; } success; < registered",
            "quiet 3 1",
        ],
    );
}

#[test]
fn hollow_success_declines() {
    let hollow = "1: } success; < registered; > deregister c";
    holds(
        4,
        &[
            OFFERED,
            hollow,
            "1: < pending; drop c; > wait c; < done",
            P_GOES,
            "quiet",
        ],
    );
    breaks(4, &[OFFERED, hollow, "1: { detach c:cp"]);
    breaks(4, &[OFFERED, hollow, "1: { detach p:cp"]);
    breaks(
        4,
        &[
            OFFERED,
            "1: > attach cp; { attach p:cp; } failure; < refused",
            hollow,
            "1: { cleanup c:cp",
        ],
    );
}

const CHANGED: &str = "1: > attach cp; { attach p:cp; } success; < attached; } failure";

#[test]
fn a_change_of_mind_detaches_the_provider_alone() {
    let detached = "1: drop c:cp; { detach p:cp; } complete; { cleanup p:cp; } success; drop p:cp";
    holds(
        5,
        &[OFFERED, CHANGED, detached, "1: < registered", "quiet 2 0"],
    );
    holds(
        5,
        &[
            OFFERED,
            CHANGED,
            detached,
            "1: < registered; > deregister c; < pending",
            WAIT_C,
            P_GOES,
            "quiet",
        ],
    );
    breaks(5, &[OFFERED, CHANGED, "1: { detach c:cp"]);
    breaks(5, &[OFFERED, CHANGED, detached, "1: { detach p:cp"]);
    breaks(
        5,
        &[
            OFFERED,
            CHANGED,
            "1: { detach p:cp; } complete; { cleanup c:cp",
        ],
    );
    breaks(5, &[OFFERED, CHANGED, detached, "1: { cleanup p:cp"]);
    breaks(5, &[OFFERED, CHANGED, "1: { cleanup p:cp"]);
    breaks(5, &[OFFERED, CHANGED, "1: drop p:cp"]);
    breaks(
        5,
        &[OFFERED, CHANGED, "1: { detach p:cp; } complete; drop p:cp"],
    );
}

#[test]
fn a_forgotten_provider_is_missed_at_the_end() {
    breaks(5, &[OFFERED, CHANGED, "1: < registered", "quiet 2 0"]);
    breaks(
        5,
        &[
            OFFERED,
            CHANGED,
            "1: { detach p:cp; } complete; < registered",
            "quiet 2 0",
        ],
    );
    breaks(
        5,
        &[
            OFFERED,
            CHANGED,
            "1: < registered; > deregister p; < pending; > wait p",
            "stuck 1",
        ],
    );
    // Its completion was not sent.
    holds(
        5,
        &[
            OFFERED,
            CHANGED,
            "1: { detach p:cp; } pending; < registered",
            "quiet undrained",
        ],
    );
}

#[test]
fn a_changed_minds_provider_may_be_pending() {
    let pending = "1: { detach p:cp; } pending; < registered";
    holds(
        5,
        &[
            OFFERED,
            CHANGED,
            pending,
            "2: > complete p:cp; { cleanup p:cp; } success; < done",
            "quiet 2 0",
        ],
    );
    holds(
        8,
        &[
            OFFERED,
            CHANGED,
            pending,
            "2: > complete c:cp; < invalid-state",
        ],
    );
    breaks(
        8,
        &[OFFERED, CHANGED, pending, "2: > complete c:cp; < done"],
    );
}

const ONE_CLOSED: &str = "1: > register c; < registered; > deregister c; < pending";

#[test]
fn a_closed_door_is_not_offered() {
    breaks(6, &[ONE_CLOSED, "1: > register p; { attach c:cp"]);
    breaks(
        6,
        &[
            "1: > register c; < registered; > register d; < registered; > register p; { attach c:cp",
            "2: > deregister d; < pending",
            "1: } failure; { attach d:dp",
        ],
    );
}

#[test]
fn an_offer_on_its_way_when_the_door_closes_is_accepted() {
    let registered = "1: > register c; < registered; > register p";
    holds(6, &[registered, "2: > deregister c", "1: { attach c:cp"]);
    holds(
        6,
        &[
            registered,
            "2: > deregister c; < pending",
            "1: { attach c:cp",
        ],
    );
    // It had another step since.
    breaks(
        6,
        &[
            "1: > register c; < registered; > register d; < registered; > register p",
            "2: > deregister d; < pending",
            "1: { attach c:cp; } failure; { attach d:dp",
        ],
    );
}

#[test]
fn no_interface_is_for_closing_doors() {
    breaks(6, &[OFFERED, "1: > attach cp; < no-interface"]);
    holds(
        6,
        &[
            OFFERED,
            "1: > attach cp",
            "2: > deregister c",
            "1: < no-interface",
        ],
    );
    holds(
        6,
        &[
            OFFERED,
            "2: > deregister c; < pending",
            "1: > attach cp; < no-interface",
        ],
    );
    breaks(
        6,
        &[
            OFFERED,
            "2: > deregister c; < pending",
            "1: > attach cp; { attach p:cp",
        ],
    );
    holds(
        6,
        &[
            OFFERED,
            "1: > attach cp",
            "2: > deregister c; < pending",
            "1: { attach p:cp",
        ],
    );
    // The loser of two deregister calls has seen the door closed.
    breaks(
        6,
        &[
            OFFERED,
            "2: > deregister c",
            "3: > deregister c; < invalid",
            "1: > attach cp; { attach p:cp",
        ],
    );
}

const LATE: &str = "2: > deregister c; < pending
    1: > attach cp; < no-interface";

#[test]
fn a_late_comer_is_detached_at_once() {
    holds(
        6,
        &[
            OFFERED,
            LATE,
            "1: } failure; < registered",
            "2: > wait c; drop c; < done",
            "quiet 1 0",
        ],
    );
    let attached = "1: > attach cp; { attach p:cp; } success; < attached
        2: > deregister c; < pending
        1: } success";
    holds(
        6,
        &[
            OFFERED,
            attached,
            "2: > wait c",
            "1: { detach c:cp; } complete; { detach p:cp; } complete; { cleanup c:cp; } success",
            "1: { cleanup p:cp; } success; < registered; drop c:cp; drop p:cp; drop c",
            "2: < done",
            "quiet 1 0",
        ],
    );
    // Who brought it about does it, whatever others would do later.
    breaks(6, &[OFFERED, attached, "1: < registered"]);
    breaks(
        6,
        &[
            "1: > register c; < registered; > register d; < registered; > register p; { attach c:cp",
            attached,
            "1: { attach d:dp",
        ],
    );
    // If the deregistration may have come after it, so may its own detach.
    let raced = "1: > attach cp; { attach p:cp; } success; < attached
        2: > deregister c
        1: } success; < registered
        2: { detach c:cp; } complete; { detach p:cp; } complete";
    holds(6, &[OFFERED, raced]);
    let unsure = "1: > attach cp; { attach p:cp; } success; < attached
        2: > deregister c
        1: } success; < registered
        2: < pending";
    breaks(6, &[OFFERED, unsure, "quiet 2 1"]);
    breaks(6, &[OFFERED, unsure, "2: > wait c", "stuck 2"]);
    breaks(
        7,
        &[
            ATTACHED,
            "2: > deregister c; < pending; > wait c",
            "stuck 2",
        ],
    );
}

#[test]
fn the_whole_life_of_a_binding_is_accepted() {
    for rule in [1, 2, 3, 7, 9, 10, 11, 13, 16, 19] {
        holds(rule, &[ATTACHED, C_LEAVES, WAIT_C, P_GOES, "quiet"]);
    }
}

#[test]
fn only_its_own_attach_callback_may_attach_a_binding() {
    let both = "1: > register p; < registered
        2: > register c; { attach c:cp
        1: > register d; { attach d:dp; > attach cp";
    holds(3, &[both, "1: < invalid-state"]);
    breaks(3, &[both, "1: { attach p:cp"]);
}

#[test]
fn only_who_may_have_decided_before_may_attach_behind_a_closed_door() {
    let open = "1: > register c; < registered; > register d; < registered";
    let leaves = "2: > deregister d
        1: > deregister c; < pending";
    breaks(6, &[open, "3: > register p", leaves, "2: { attach c:cp"]);
    holds(6, &[open, "3: > register p", leaves, "3: { attach c:cp"]);
}

#[test]
fn the_provider_of_a_change_of_mind_is_asked_to_detach_once() {
    let changed = "1: > register c; < registered; > register p; { attach c:cp; > attach cp; \
        { attach p:cp; } success; < attached; } failure";
    let asked = "1: drop c:cp; { detach p:cp; } pending";
    holds(5, &[changed, asked, "1: < registered"]);
    breaks(5, &[changed, asked, "2: > deregister p; { detach p:cp"]);
}
