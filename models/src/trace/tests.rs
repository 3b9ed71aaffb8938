//! What is shown of a case that is known.

use std::path::Path;

use super::{Kind, State, Trace};
use crate::case::Case;
use crate::replay::{Options, Replayed, Verdict, replay};
use crate::rule::Rule;

const NEVER_COMPLETES: &str =
    include_str!("../../../properties/regressions/schedule-never-completes.toml");

/// What a replay shows.
fn shown(text: &str) -> Replayed {
    let case = Case::from_toml(Path::new("case.toml"), text).expect("a case");
    let options = Options {
        shows: true,
        ..Options::default()
    };
    replay(&case, &options, |_| {})
}

/// A module's fault that breaks a rule in some orders only.
const EARLY: &str = r#"
kind = "schedule"
engine = "explorer"
rule = "C9"
message = "as it was"
schedule = []

[scenario]
name = "early"
summary = "a client calls its provider with nothing that keeps the binding, while the provider leaves"
before = ["register c", "register p"]
after = ["deregister c", "wait c"]
[[scenario.module]]
name = "c"
side = "client"
detach = "rundown"
fault = "unguarded-dispatch"
[[scenario.module]]
name = "p"
side = "provider"
[[scenario.thread]]
name = "user"
ops = ["dispatch c"]
[[scenario.thread]]
name = "owner"
ops = ["deregister p", "wait p"]
"#;

fn state<'a>(trace: &'a Trace, text: &str) -> &'a State {
    let mut steps = trace.steps.iter().rev();
    let step = steps.find(|step| step.text.contains(text)).expect(text);
    &trace.states[step.state]
}

#[test]
fn a_step_has_what_the_tables_held_after_it() {
    let replayed = shown(NEVER_COMPLETES);
    let trace = replayed.trace.expect("it can be shown");
    assert_eq!(trace.threads, ["main", "leaving", "idle"]);
    let first = &trace.states[trace.steps[0].state];
    assert_eq!(first, &State::default(), "the first call has only begun");
    let attached = state(&trace, "accepted → attached");
    let stages = attached.registrations.iter().map(|one| &*one.stage);
    assert_eq!(stages.collect::<Vec<_>>(), ["open", "open"]);
    assert_eq!(attached.bindings[0].contexts, [true, true]);
    assert_eq!(attached.interfaces[0].clients, ["c"]);
    let pending = state(&trace, "p pending");
    assert_eq!(pending.bindings[0].sides, ["complete", "pending"]);
    assert_eq!(pending.registrations[0].bindings, ["c–p"]);
    assert_eq!(pending.interfaces, [], "nothing is open any more");
}

#[test]
fn a_callback_runs_on_a_thread_as_the_table_says() {
    let trace = shown(NEVER_COMPLETES).trace.expect("it can be shown");
    let asked = trace.steps.iter().find(|step| step.text == "⟨p: detach c⟩");
    let asked = asked.expect("it is asked to detach");
    let binding = &trace.states[asked.state].bindings[0];
    assert_eq!(binding.running, Some(asked.thread));
    assert_eq!(binding.sides[1], "asked");
}

#[test]
fn a_standstill_is_no_step_and_says_who_waits() {
    let trace = shown(NEVER_COMPLETES).trace.expect("it can be shown");
    let violation = trace.violation.expect("it breaks");
    assert_eq!(violation.rule, Some(Rule::new(16)));
    assert!(!violation.by_step);
    assert_eq!(violation.step, trace.steps.len() - 1);
    let last = &trace.states[trace.steps[violation.step].state];
    let waits: Vec<(u8, &str)> = last
        .waits
        .iter()
        .map(|wait| (wait.thread, &*wait.what))
        .collect();
    let expected = [
        (0, "the other threads to end"),
        (1, "binding c–p: the completion of p"),
    ];
    assert_eq!(waits, expected);
    assert_eq!(last.registrations[0].waiters, 1);
}

#[test]
fn where_every_execution_breaks_none_is_said_to_pass() {
    let passing = shown(NEVER_COMPLETES).passing.expect("one was looked for");
    assert!(passing.tried > 10, "{}", passing.tried);
    assert_eq!(passing.trace, None);
}

#[test]
fn a_step_that_breaks_a_rule_is_told() {
    let replayed = shown(EARLY);
    assert_eq!(replayed.verdict, Verdict::ReproducesElsewhere);
    let trace = replayed.trace.expect("it can be shown");
    let violation = trace.violation.expect("it breaks");
    assert_eq!(
        (violation.rule, violation.by_step),
        (Some(Rule::new(9)), true)
    );
    let sections = trace.steps.iter().filter(|step| step.kind == Kind::Section);
    assert!(sections.count() > 5, "{:?}", trace.steps);
}

#[test]
fn an_execution_that_passes_is_one_of_the_same_scenario_and_breaks_nothing() {
    let replayed = shown(EARLY);
    let trace = replayed.trace.expect("it can be shown");
    let passing = replayed.passing.and_then(|passing| passing.trace);
    let passing = passing.expect("a call that is over before is none of its business");
    assert_eq!(passing.violation, None);
    assert_eq!(passing.threads, trace.threads);
    let last = passing.steps.last().expect("it has steps");
    assert_eq!(
        passing.states[last.state],
        State::default(),
        "nothing is left"
    );
    let same = trace.steps.iter().zip(&passing.steps);
    let same = same.take_while(|(one, other)| one.text == other.text);
    assert!(same.count() > 10, "it begins as the other one");
}

#[test]
fn the_same_case_is_shown_twice_the_same_and_not_unless_it_is_asked_for() {
    assert_eq!(shown(EARLY), shown(EARLY));
    let case = Case::from_toml(Path::new("case.toml"), EARLY).expect("a case");
    let plain = replay(&case, &Options::default(), |_| {});
    assert_eq!((plain.trace, plain.passing), (None, None));
}
