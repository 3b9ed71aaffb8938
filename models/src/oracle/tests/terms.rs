//! What is in force where a scenario says so: what modules leave over (S1 to S4), and what Windows asks of them (W1 to W4).

use super::*;

const REGISTERED: &str = "1: > register c; < registered";
const GONE: &str = "1: > deregister c; < pending; > wait c; drop c; < done";

const DEREGISTERED: Rule = Rule::strict(1);
const WAITED_FOR: Rule = Rule::strict(2);
const COMPLETED: Rule = Rule::strict(3);
const OF_WHAT_IS_REGISTERED: Rule = Rule::strict(4);

const DETACH_DOES_NOT_WAIT: Rule = Rule::windows(1);
const RAISED_LEVEL: Rule = Rule::windows(2);
const UNLOAD: Rule = Rule::windows(3);
const ATTACH_ANSWER: Rule = Rule::windows(4);

/// Without the first line, which says what is in force, nothing is found.
#[track_caller]
fn breaks_there_alone(rule: Rule, lines: &[&str]) {
    breaks_by(rule, lines);
    let mut oracle = Oracle::with_limits(Limits::default());
    for step in history(&lines[1..]) {
        assert_eq!(judge(&mut oracle, &step), None);
    }
    assert_eq!(oracle.exercised()[rule.index()], 0, "it is not in force");
}

#[test]
fn what_is_registered_is_deregistered_at_the_end() {
    holds_by(DEREGISTERED, &["strict", REGISTERED, GONE, "quiet"]);
    breaks_there_alone(DEREGISTERED, &["strict", REGISTERED, "quiet 1"]);
    let refused = "1: > register n; drop n; < invalid";
    holds_by(
        DEREGISTERED,
        &[
            "strict",
            refused,
            "1: > register p; < registered",
            P_GOES,
            "quiet",
        ],
    );
}

#[test]
fn what_is_deregistered_is_waited_for() {
    holds_by(WAITED_FOR, &["strict", REGISTERED, GONE, "quiet"]);
    let leaves = "1: > deregister c; < pending";
    breaks_there_alone(WAITED_FOR, &["strict", REGISTERED, leaves, "quiet 1"]);
}

#[test]
fn what_is_pending_is_completed() {
    let pending =
        "1: > deregister c; { detach c:cp; } pending; { detach p:cp; } complete; < pending";
    let completed = "1: > complete c:cp; { cleanup c:cp; } success; { cleanup p:cp; } success; drop c:cp; drop p:cp; < done";
    let all = [
        "strict", ATTACHED, pending, completed, WAIT_C, P_GOES, "quiet",
    ];
    holds_by(COMPLETED, &all);
    breaks_there_alone(COMPLETED, &["strict", ATTACHED, pending, "quiet 2 1"]);
}

#[test]
fn what_is_not_registered_is_not_deregistered_and_not_waited_for() {
    holds_by(OF_WHAT_IS_REGISTERED, &["strict", REGISTERED, GONE]);
    for verb in ["deregister", "wait"] {
        let call = format!("1: > {verb} -; < invalid; refused {verb} c");
        breaks_there_alone(OF_WHAT_IS_REGISTERED, &["strict", &call]);
    }
}

#[test]
fn a_detach_callback_waits_for_nothing() {
    let in_detach = "1: > deregister c; { detach c:cp";
    holds_by(DETACH_DOES_NOT_WAIT, &["windows", ATTACHED, C_LEAVES]);
    let deregisters = "1: > deregister p; < pending; } complete";
    holds_by(
        DETACH_DOES_NOT_WAIT,
        &[
            "windows",
            ATTACHED,
            in_detach,
            "1: spin-lock; spin-unlock",
            deregisters,
        ],
    );
    for waits in [
        "await",
        "lock",
        "> wait p",
        "> release p",
        "> register d",
        "> attach cp",
    ] {
        let waits = format!("1: {waits}");
        breaks_there_alone(
            DETACH_DOES_NOT_WAIT,
            &["windows", ATTACHED, in_detach, &waits],
        );
    }
    // Another thread may.
    holds_by(
        DETACH_DOES_NOT_WAIT,
        &["windows", ATTACHED, in_detach, "2: await", "1: } complete"],
    );
}

#[test]
fn a_thread_with_a_spin_lock_waits_for_nothing() {
    let twice = "1: spin-lock; spin-lock; spin-unlock";
    holds_by(
        RAISED_LEVEL,
        &["windows", twice, "1: spin-unlock; await; lock"],
    );
    let leaves = "1: spin-lock; > deregister c; < pending; spin-unlock; > wait c; drop c; < done";
    holds_by(RAISED_LEVEL, &["windows", REGISTERED, leaves]);
    holds_by(
        RAISED_LEVEL,
        &["windows", "1: spin-lock", "2: await", "1: spin-unlock"],
    );
    for waits in ["await", "lock", "> wait c", "> release c", "> register d"] {
        let waits = format!("1: {waits}");
        breaks_there_alone(RAISED_LEVEL, &["windows", REGISTERED, twice, &waits]);
    }
}

#[test]
fn a_module_is_unloaded_when_it_has_waited() {
    let unload = "1: unload c";
    holds_by(UNLOAD, &["windows", REGISTERED, GONE, unload]);
    holds_by(UNLOAD, &["windows", unload]);
    holds_by(
        UNLOAD,
        &[
            "windows",
            "1: > register n; drop n; < invalid",
            "1: unload n",
        ],
    );
    breaks_there_alone(UNLOAD, &["windows", REGISTERED, unload]);
    let leaves = "1: > deregister c; < pending";
    breaks_there_alone(UNLOAD, &["windows", REGISTERED, leaves, unload]);
    breaks_there_alone(UNLOAD, &["windows", "2: > register c", unload]);
    let waits = "2: > wait c; drop c";
    breaks_there_alone(UNLOAD, &["windows", REGISTERED, leaves, waits, unload]);
}

#[test]
fn a_client_answers_what_its_attach_call_was_answered() {
    holds_by(ATTACH_ANSWER, &["windows", ATTACHED]);
    let offered = "1: > register p; < registered; > register c; { attach c:cp";
    holds_by(ATTACH_ANSWER, &["windows", offered, "1: } failure"]);
    breaks_there_alone(ATTACH_ANSWER, &["windows", offered, "1: } success"]);
    let attached = "1: > attach cp; { attach p:cp; } success; < attached";
    breaks_there_alone(
        ATTACH_ANSWER,
        &["windows", offered, attached, "1: } failure"],
    );
    let refused = "1: > attach cp; { attach p:cp; } failure; < refused";
    holds_by(
        ATTACH_ANSWER,
        &["windows", offered, refused, "1: } failure"],
    );
    breaks_there_alone(
        ATTACH_ANSWER,
        &["windows", offered, refused, "1: } success"],
    );
    // A panic is no answer.
    let mut oracle = oracle(&["windows"]);
    for step in history(&[offered, attached, "1: } panic"]) {
        assert_eq!(judge(&mut oracle, &step), None);
    }
}
