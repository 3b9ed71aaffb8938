//! Text that is not the oracle's comes out as it went in, whatever it looks like: no name of a scenario is put
//! into it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use super::{Prepared, Run, Watch, recorder};
use crate::event::RegId;
use crate::invisible::lock;
use crate::message::message;
use crate::rule::Rule;
use crate::scenario::Scenario;

/// Text in which a module and a thread seem to stand by their numbers.
const FOREIGN: &str = "index m0 of thread 1 is out of bounds: m0–m1'2";

fn run() -> Arc<Run> {
    let text = r#"
name = "one"
summary = "one"
[[module]]
name = "c"
side = "client"
[[module]]
name = "p"
side = "provider"
[[thread]]
name = "left"
ops = ["wait c"]
"#;
    let scenario = Scenario::from_toml(Path::new("one.toml"), text).expect("a scenario");
    let watch = Watch::new(Arc::default(), |_, _| {});
    Run::new(&Prepared::new(&Arc::new(scenario)), &Arc::new(watch))
}

fn message(run: &Run) -> String {
    run.take_finding().expect("something is found").message
}

#[test]
fn what_the_program_under_test_says_as_it_panics_is_left_as_it_is() {
    let run = run();
    run.crashed(FOREIGN);
    let expected = format!("the program under test panicked: {FOREIGN}");
    assert_eq!(message(&run), expected);
}

#[test]
fn a_panic_that_comes_out_in_the_place_of_a_scripts_is_left_as_it_is() {
    let run = run();
    *lock(&run.unwinding) = 1;
    let text = FOREIGN.to_owned();
    run.lost_panic(&text);
    let expected = format!(
        "a callback's panic is to go on to the caller, and another one comes out: {FOREIGN}"
    );
    assert_eq!(message(&run), expected);
}

#[test]
fn what_an_engine_says_of_a_standstill_is_left_as_it_is_below_what_the_oracle_says() {
    let run = run();
    run.begin_thread(1);
    run.stuck(FOREIGN);
    let expected = "the threads cannot go on: nothing is missing that a call could wait for: a wake-up was lost; \
         thread left is inside no call";
    assert_eq!(message(&run), format!("{expected}\n{FOREIGN}"));
}

/// The oracle's own words have the scenario's names, whatever these look like.
#[test]
fn a_violation_that_is_no_event_has_the_names_and_stops_the_thread() {
    let run = run();
    let reg = RegId { module: 1, nth: 2 };
    let why = message!["the handle of " {reg} " was issued before"];
    let stopped = catch_unwind(AssertUnwindSafe(|| {
        run.violated(Rule::new(12), why);
    }));
    assert!(stopped.is_err_and(|payload| payload.is::<recorder::Stop>()));
    assert_eq!(message(&run), "the handle of p'2 was issued before");
}
