//! What a destructor does that runs inside a call: it comes between two steps of that call.

use super::*;

const CLEANED_UP: &str = "1: > deregister c; { detach c:cp; } complete; { detach p:cp; } complete; { cleanup c:cp; } success";
const REST: &str = "1: { cleanup p:cp; } success; drop p:cp; < pending";

#[test]
fn a_wait_in_a_contexts_destructor_may_answer_that_it_would_deadlock() {
    let waits = "1: destroy c:cp; > wait c; < would-deadlock; destroyed";
    holds(15, &[ATTACHED, CLEANED_UP, waits, REST, WAIT_C]);
    let registered = "1: > register x; < registered; > deregister x; < pending";
    let other = "1: destroy c:cp; > wait x; < would-deadlock";
    breaks(15, &[ATTACHED, registered, CLEANED_UP, other]);
    // Where the destructor is over, so is what its thread was inside of.
    let after = "1: > wait c; < would-deadlock";
    let over = "1: destroy c:cp; destroyed";
    breaks(15, &[ATTACHED, CLEANED_UP, over, REST, after]);
}

#[test]
fn a_wait_in_a_contexts_destructor_that_goes_on_for_ever_should_have_said_so() {
    let waits = "1: destroy c:cp; > wait c";
    breaks(15, &[ATTACHED, CLEANED_UP, waits, "stuck 1"]);
}

#[test]
fn a_binding_is_there_while_the_destructor_of_its_last_context_runs() {
    let both = "1: drop c:cp; { cleanup p:cp; } success";
    for answer in ["invalid-state", "invalid"] {
        let completes = format!("1: destroy p:cp; > complete p:cp; < {answer}; destroyed");
        let lines = [
            ATTACHED,
            CLEANED_UP,
            both,
            &completes,
            "1: < pending",
            WAIT_C,
            P_GOES,
            "quiet",
        ];
        holds(8, &lines);
    }
    let over = "1: destroy p:cp; destroyed; < pending; > complete p:cp; < invalid-state";
    breaks(12, &[ATTACHED, CLEANED_UP, both, over]);
}

/// What a register call does next it may have decided before it ran a destructor.
#[test]
fn a_destructor_says_nothing_of_what_its_call_decides() {
    let declined = "1: > register c; < registered; > register d; < registered";
    let offers = "2: > register p; { attach c:cp; > attach cp; { attach p:cp; } failure; < refused; } failure";
    let leaves = "3: > deregister d; < pending";
    let destructor = "2: destroy c:cp; > deregister -; < invalid; destroyed";
    let late = "2: { attach d:dp; } failure; < registered";
    holds(6, &[declined, offers, leaves, destructor, late]);
    let again = "2: { attach d:dp";
    breaks(
        6,
        &[
            declined,
            "3: > deregister d; < pending",
            "2: > register p",
            again,
        ],
    );
}

#[test]
fn what_a_thread_is_inside_of_is_told_with_its_destructor() {
    let mut oracle = Oracle::new();
    for step in history(&[ATTACHED, CLEANED_UP, "1: destroy c:cp; > wait c"]) {
        assert_eq!(judge(&mut oracle, &step), None);
    }
    assert_eq!(
        oracle.open_calls(1).to_string(),
        "wait for m0, inside the destructor of the client's binding context of m0–m2, inside deregister m0"
    );
}
