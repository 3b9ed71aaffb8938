//! Histories about limits, and about reservations that are made to fail.

use super::{ATTACHED, C_LEAVES, P_GOES, WAIT_C, breaks, holds};

const C: &str = "1: > register c; < registered";
const D: &str = "1: > register d; < registered";
const D_IS_REFUSED: &str = "1: > register d; drop d; < no-memory";
const C_GOES: &str = "1: > deregister c; < pending; > wait c; drop c; < done";

#[test]
fn who_comes_when_it_is_full_is_refused() {
    holds(
        17,
        &["limits registrations 1", C, D_IS_REFUSED, C_GOES, "quiet"],
    );
    breaks(17, &["limits registrations 2", C, D_IS_REFUSED]);
    breaks(17, &["limits", C, D_IS_REFUSED]);
}

#[test]
fn nobody_is_one_too_many() {
    holds(17, &["limits registrations 2", C, D]);
    breaks(17, &["limits registrations 1", C, D]);
}

#[test]
fn a_place_comes_back_when_the_wait_has_returned() {
    holds(17, &["limits registrations 1", C, C_GOES, D]);
    breaks(19, &["limits registrations 1", C, C_GOES, D_IS_REFUSED]);
    // Deregistered, but not waited for.
    holds(
        17,
        &[
            "limits registrations 1",
            C,
            "1: > deregister c; < pending",
            D_IS_REFUSED,
        ],
    );
    breaks(
        17,
        &[
            "limits registrations 1",
            C,
            "1: > deregister c; < pending",
            D,
        ],
    );
}

#[test]
fn a_place_may_come_back_as_soon_as_somebody_waits() {
    let waiting = "1: > deregister c; < pending; > wait c";
    let ended = "1: drop c; < done";
    for refused_or_not in [
        "2: > register d; drop d; < no-memory",
        "2: > register d; < registered",
    ] {
        let lines = ["limits registrations 1", C, waiting, refused_or_not, ended];
        holds(17, &lines);
    }
}

#[test]
fn what_a_refused_call_took_comes_back_with_its_answer() {
    let refused = "1: > register p; drop p; < no-memory";
    let one_place = "limits registrations 2 bindings 0";
    holds(17, &[one_place, C, refused, D]);
    breaks(17, &[one_place, C, refused, D_IS_REFUSED]);
    // It has held a place for a moment.
    let meanwhile = "1: > register p
        2: > register d; drop d; < no-memory
        1: drop p; < no-memory";
    holds(17, &[one_place, C, meanwhile]);
}

#[test]
fn of_two_who_come_together_for_one_place_one_is_refused() {
    let both = "1: > register c
        2: > register d";
    let one = "1: drop c; < no-memory
        2: < registered";
    holds(17, &["limits registrations 1", both, one]);
    let none = "1: < registered
        2: < registered";
    breaks(17, &["limits registrations 1", both, none]);
}

#[test]
fn bindings_are_counted_from_the_proposal() {
    let p = "1: > register p; drop p; < no-memory";
    holds(17, &["limits bindings 1", C, D, p]);
    breaks(17, &["limits bindings 2", C, D, p]);
    let attached = "1: > register p; { attach c:cp; > attach cp; { attach p:cp; } success; < attached; \
        } success; { attach d:dp; > attach dp; { attach p:dp; } success; < attached; } success";
    breaks(17, &["limits bindings 1", C, D, attached]);
}

#[test]
fn a_binding_that_is_gone_leaves_its_room() {
    let q = "1: > register q; drop q; < no-memory";
    // p has gone and taken the binding of c along.
    let p_goes = "1: > deregister p; { detach c:cp; } complete; { detach p:cp; } complete; \
        { cleanup c:cp; } success; { cleanup p:cp; } success; drop c:cp; drop p:cp; < pending; \
        > wait p; drop p; < done";
    breaks(19, &["limits bindings 1", ATTACHED, p_goes, q]);
    holds(17, &["limits bindings 1", ATTACHED, q]);
    // Of one that was declined too.
    let declined = "1: > register p; { attach c:cp; } failure; < registered";
    breaks(19, &["limits bindings 1", C, declined, q]);
}

#[test]
fn a_peer_that_had_begun_to_leave_is_not_counted() {
    let leaving = "1: > deregister c; < pending";
    let p = "1: > register p; drop p; < no-memory";
    breaks(17, &["limits bindings 0", C, leaving, p]);
    let meanwhile = "1: > deregister c
        2: > register p; drop p; < no-memory
        1: < pending";
    holds(17, &["limits bindings 0", C, meanwhile]);
}

#[test]
fn the_reservation_that_is_to_fail_fails_once() {
    holds(
        17,
        &[
            "limits fail 3",
            C,
            D_IS_REFUSED,
            "1: > register p; < registered",
        ],
    );
    let again = "1: > register p; drop p; < no-memory";
    breaks(17, &["limits fail 3", C, D_IS_REFUSED, again]);
    // One call makes three reservations at most.
    breaks(
        17,
        &["limits fail 4", "1: > register c; drop c; < no-memory"],
    );
    holds(
        17,
        &["limits fail 3", "1: > register c; drop c; < no-memory"],
    );
}

#[test]
fn the_reservation_that_is_to_fail_is_not_passed_over() {
    holds(17, &["limits fail 5", C, D, "quiet 2 0"]);
    breaks(17, &["limits fail 4", C, D, "quiet 2 0"]);
    // A binding was reserved for, too.
    breaks(
        17,
        &["limits fail 5", ATTACHED, C_LEAVES, WAIT_C, P_GOES, "quiet"],
    );
}

#[test]
fn what_is_proposed_counts_before_anybody_is_called() {
    let both = "2: > register p
        1: > register q; drop q; < no-memory";
    holds(17, &["limits bindings 1", C, both]);
}

#[test]
fn what_is_not_called_for_any_more_is_not_counted() {
    // c leaves before it is called, which takes the proposal back.
    let c_leaves = "2: > register p
        1: > deregister c; < pending
        2: { attach d:dp; } failure; < registered";
    let q = "1: > register q; drop q; < no-memory";
    breaks(19, &["limits bindings 1", C, D, c_leaves, q]);
}

#[test]
fn what_was_declined_is_not_one_too_many() {
    let declined = "1: > register p; { attach c:cp; } failure; < registered";
    let attached = "1: > register d; { attach d:dp; > attach dp; { attach p:dp; } success; < attached; \
        } success; < registered";
    holds(17, &["limits bindings 1", C, declined, attached]);
}

#[test]
fn a_withdrawn_registration_leaves_its_place() {
    let withdrawn = "1: > register p; { attach c:cp; } panic; drop p; < panic";
    breaks(19, &["limits registrations 2", C, withdrawn, D_IS_REFUSED]);
    // It has reserved for itself, for its interface, and for a binding; so has c, but for that.
    breaks(17, &["limits fail 5", C, withdrawn, "quiet 1 0"]);
}

#[test]
fn an_abandoned_registration_leaves_its_place_with_its_module() {
    let abandoned =
        "1: > register p; { attach c:cp; > attach cp; { attach p:cp; } success; < attached; \
        } success; < registered
        1: > deregister p; { detach c:cp; > release c; < done; } complete; { detach p:cp; } complete
        1: { cleanup c:cp; } success; { cleanup p:cp; } success; drop c:cp; drop p:cp; < pending";
    let two = "limits registrations 2";
    holds(17, &[two, C, abandoned, D_IS_REFUSED]);
    breaks(19, &[two, C, abandoned, "1: drop c", D_IS_REFUSED]);
}

#[test]
fn every_register_call_makes_two_reservations() {
    let x = "1: > register x; < registered";
    breaks(17, &["limits fail 6", C, D, x, "quiet 3 0"]);
    holds(17, &["limits fail 3", C, D_IS_REFUSED, x, "quiet 2 0"]);
}
