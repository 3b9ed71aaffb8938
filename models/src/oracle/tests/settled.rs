//! Histories about C17 to C19, and the oracle's own state.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use super::{ATTACHED, C_LEAVES, P_GOES, Step, WAIT_C, breaks, history, holds, judge, same_state};
use crate::oracle::Oracle;
use crate::permuted::{Symmetry, with_symmetry};

const REFUSED: &str = "1: > register c; < registered; > register p; drop p; < no-memory";

#[test]
fn a_refused_registration_calls_nobody() {
    holds(
        17,
        &[REFUSED, "1: > deregister c; < pending", WAIT_C, "quiet"],
    );
    breaks(
        17,
        &["1: > register c; < registered; > register p; { attach c:cp; } failure; < no-memory"],
    );
    breaks(17, &[REFUSED, "1: > register d; { attach c:cp"]);
}

#[test]
fn a_refused_registration_leaves_nothing() {
    breaks(
        17,
        &[REFUSED, "1: > deregister c; < pending", WAIT_C, "quiet 1 0"],
    );
    breaks(
        17,
        &[REFUSED, "1: > deregister c; < pending", WAIT_C, "quiet 0 1"],
    );
}

#[test]
fn a_panic_goes_on_to_the_caller() {
    let detach = "1: > deregister c; { detach c:cp; } panic; { detach p:cp; } complete; \
        { cleanup c:cp; } success; { cleanup p:cp; } panic";
    holds(
        18,
        &[
            ATTACHED,
            detach,
            "1: < panic; drop c:cp; drop p:cp",
            WAIT_C,
            P_GOES,
            "quiet",
        ],
    );
    breaks(18, &[ATTACHED, detach, "1: < pending"]);
    breaks(18, &[ATTACHED, "1: > deregister c; < panic"]);
    breaks(18, &["1: > register c; < panic"]);
    let completing = "1: > deregister c; { detach c:cp; } pending; { detach p:cp; } panic; < panic
        2: > complete c:cp; { cleanup c:cp; } panic; { cleanup p:cp; } success";
    holds(18, &[ATTACHED, completing, "2: < panic"]);
    breaks(18, &[ATTACHED, completing, "2: < done"]);
}

#[test]
fn a_panicking_detach_counts_as_complete() {
    let detach = "1: > deregister c; { detach c:cp; } panic; { detach p:cp; } complete";
    breaks(9, &[ATTACHED, detach, "1: < panic", "quiet 2 1"]);
    breaks(8, &[ATTACHED, detach, "2: > complete c:cp; < done"]);
}

const OFFERED: &str = "1: > register c; < registered; > register p; { attach c:cp";

#[test]
fn a_panicking_register_call_takes_the_registration_back() {
    let panics = "1: } panic; drop p; < panic";
    holds(
        18,
        &[
            OFFERED,
            panics,
            "1: > deregister c; < pending",
            WAIT_C,
            "quiet",
        ],
    );
    breaks(18, &[OFFERED, "1: } panic; < registered"]);
    breaks(11, &[OFFERED, "1: } panic; < panic"]);
    breaks(6, &[OFFERED, panics, "1: > register d; { attach d:dp"]);
    breaks(18, &[OFFERED, "1: } panic; { detach c:cp"]);
    breaks(18, &[OFFERED, "1: } panic; { cleanup p:cp"]);
}

#[test]
fn what_the_withdrawn_registration_had_attached_is_detached_before_the_panic_goes_on() {
    let two = "1: > register c; < registered; > register d; < registered; > register p
        1: { attach c:cp; > attach cp; { attach p:cp; } success; < attached; } success
        1: { attach d:dp; } panic";
    let detached =
        "1: { detach c:cp; } complete; { detach p:cp; } complete; { cleanup c:cp; } success
        1: { cleanup p:cp; } success; drop c:cp; drop p:cp; drop p";
    holds(18, &[two, detached, "1: < panic", "quiet 2 0"]);
    breaks(10, &[two, "1: drop p; < panic"]);
}

#[test]
fn the_providers_panic_passes_through_the_client_which_may_catch_it() {
    let provider = "1: > attach cp; { attach p:cp; } panic";
    holds(
        18,
        &[
            OFFERED,
            provider,
            "1: < panic; drop c:cp; } failure; < registered",
        ],
    );
    holds(
        18,
        &[
            OFFERED,
            provider,
            "1: < panic; drop c:cp; } panic; drop p; < panic",
        ],
    );
    breaks(18, &[OFFERED, provider, "1: < attached"]);
    breaks(18, &[OFFERED, provider, "1: < refused"]);
    // A panic after attaching is a change of mind.
    let after = "1: > attach cp; { attach p:cp; } success; < attached; } panic";
    holds(5, &[OFFERED, after, "1: { detach p:cp"]);
    breaks(5, &[OFFERED, after, "1: { detach c:cp"]);
}

#[test]
fn nothing_is_left_when_all_are_gone() {
    holds(19, &[ATTACHED, C_LEAVES, WAIT_C, P_GOES, "quiet"]);
    breaks(19, &[ATTACHED, C_LEAVES, WAIT_C, P_GOES, "quiet 1 0"]);
    breaks(19, &[ATTACHED, C_LEAVES, WAIT_C, P_GOES, "quiet 0 1"]);
    // A withdrawn registration, inside a callback, may be waited for by nobody; but it goes.
    let nested = "1: > register x; < registered; > register y; { attach x:xy
        1: > register c; < registered; > register p; { attach c:cp; } panic; < panic
        1: > deregister c; < pending; > wait c; drop c; < done; } failure; < registered
        1: > deregister x; < pending; > wait x; drop x; < done
        1: > deregister y; < pending; > wait y; drop y; < done";
    breaks(19, &[nested, "quiet"]);
    holds(19, &[nested, "1: drop p", "quiet"]);
}

#[test]
fn what_is_still_registered_may_be_left() {
    holds(16, &[ATTACHED, C_LEAVES, WAIT_C, "quiet 1 0"]);
    holds(16, &[ATTACHED, C_LEAVES, "quiet 2 0"]);
}

#[test]
fn histories_with_the_same_future_are_equal() {
    let other = "1: > register c; < registered; > register p; { attach c:cp; > attach cp; \
        { attach p:cp; } success; < attached
        2: > complete c:cp; < invalid-state
        1: } success; < registered";
    same_state(&[ATTACHED], &[other]);
    same_state(&[ATTACHED, "1: > wait c; < invalid"], &[ATTACHED]);
}

#[test]
fn exercises_do_not_count_as_state() {
    let fingerprint = |lines: &[&str]| {
        let mut oracle = Oracle::new();
        for step in history(lines) {
            if let Step::Event(event) = step {
                assert_eq!(oracle.step(&event), None);
            }
        }
        BuildHasherDefault::<DefaultHasher>::default().hash_one(oracle)
    };
    let again = [
        ATTACHED,
        "1: > wait c; < invalid; > deregister -; < invalid",
    ];
    assert_eq!(fingerprint(&[ATTACHED]), fingerprint(&again));
    assert_ne!(fingerprint(&[ATTACHED]), fingerprint(&[ATTACHED, C_LEAVES]));
}

#[test]
fn states_that_differ_by_a_symmetry_hash_alike_under_it() {
    // c and d, p and q; the first thread and the second.
    let exchange = Symmetry {
        modules: vec![1, 0, 3, 2, 4, 5, 6],
        threads: vec![0, 2, 1, 3],
    };
    let fingerprints = |lines: &str| {
        let mut oracle = Oracle::new();
        for step in history(&[lines]) {
            assert_eq!(judge(&mut oracle, &step), None);
        }
        let hash = || BuildHasherDefault::<DefaultHasher>::default().hash_one(&oracle);
        (hash(), with_symmetry(&exchange, hash))
    };
    let one = "1: > register c; < registered; > register p; { attach c:cp; > attach cp
        2: > register d; < registered; > register q; { attach c:cq; > attach cq
        1: { attach p:cp; } success; < attached; } success; < registered; > deregister c
        1: { detach c:cp; } complete; { detach p:cp; } pending
        3: > complete p:cp";
    let other = "2: > register d; < registered; > register q; { attach d:dq; > attach dq
        1: > register c; < registered; > register p; { attach d:dp; > attach dp
        2: { attach q:dq; } success; < attached; } success; < registered; > deregister d
        2: { detach d:dq; } complete; { detach q:dq; } pending
        3: > complete q:dq";
    let (one, other) = (fingerprints(one), fingerprints(other));
    assert_ne!(one.0, other.0);
    assert_eq!((one.0, one.1), (other.1, other.0));
}

#[test]
fn a_thread_says_what_it_is_inside_of() {
    let mut oracle = Oracle::new();
    for step in history(&[ATTACHED, "1: > deregister c; { detach c:cp; > wait c"]) {
        if let Step::Event(event) = step {
            assert_eq!(oracle.step(&event), None);
        }
    }
    assert_eq!(
        oracle.open_calls(1).to_string(),
        "wait for m0, inside the client's detach callback for m0–m2, inside deregister m0"
    );
    assert_eq!(oracle.open_calls(2).to_string(), "no call");
}

#[test]
fn histories_with_another_future_are_not_equal() {
    let state = |lines: &[&str]| {
        let mut oracle = Oracle::new();
        for step in history(lines) {
            assert_eq!(judge(&mut oracle, &step), None);
        }
        oracle
    };
    assert_ne!(state(&[ATTACHED]), state(&[ATTACHED, C_LEAVES]));
}

#[test]
fn how_a_registration_came_to_its_end_is_forgotten() {
    let c = "1: > register c; < registered";
    let alone = "1: > deregister c; < pending; > wait c; drop c; < done";
    let contested = "1: > deregister c
        2: > deregister c; < invalid
        1: < pending; > wait c; drop c; < done";
    same_state(&[c, alone], &[c, contested]);
    let dropped = "1: > release c; drop c; < done";
    same_state(&[c, alone], &[c, dropped]);
    same_state(&[c, alone], &[c, alone, "1: > release c; < done"]);
    same_state(&[c, alone], &[c, alone, "1: > wait c; < invalid"]);
}

#[test]
fn how_a_binding_came_to_its_end_is_forgotten() {
    let declined =
        "1: > register c; < registered; > register p; { attach c:cp; } failure; < registered";
    let c_leaves = "1: > deregister c; < pending";
    let dispatched = "1: dispatch c:cp; dispatched c:cp";
    let (whole, declined) = (
        &[ATTACHED, dispatched, C_LEAVES, WAIT_C, P_GOES],
        &[declined, c_leaves, WAIT_C, P_GOES],
    );
    same_state(whole, declined);
}

#[test]
fn how_full_it_was_is_forgotten() {
    let limits = "limits registrations 3";
    let [c, d] = ["c", "d"].map(|it| format!("1: > register {it}; < registered"));
    let all_go = "1: > deregister c; < pending; > wait c; drop c; < done
        1: > deregister d; < pending; > wait d; drop d; < done";
    same_state(&[limits, &c, &d, all_go], &[limits, &d, &c, all_go]);
}

#[test]
fn a_wait_for_what_had_no_binding_puts_nothing_to_the_test() {
    let mut oracle = Oracle::new();
    for step in history(&[
        "1: > register c; < registered; > deregister c; < pending",
        WAIT_C,
    ]) {
        assert_eq!(judge(&mut oracle, &step), None);
    }
    assert_eq!(oracle.exercised()[10 - 1], 0);
}
