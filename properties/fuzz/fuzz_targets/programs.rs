//! A libFuzzer target: bytes choose a program, as the [series](nmr_properties::concurrent::series::of_bytes) makes them, and the
//! direct engine exhausts it.
//!
//! libFuzzer sees which parts of the registrar, the interpreter and the oracle an input comes to, and mutates the inputs that
//! come to new ones. Programs of too many states are let go: they are `nmr fuzz`'s, which samples them. What breaks a rule is
//! printed as a case for `nmr replay`, and ends the process, as an error of the harness does.

#![no_main]

use std::sync::Arc;
use std::time::Duration;

use libfuzzer_sys::{Corpus, fuzz_target};
use nmr_models::case::Case;
use nmr_models::conditions::Conditions;
use nmr_models::engine::{Request, exhaust};
use nmr_models::engine_name::Engine;
use nmr_properties::concurrent::series::of_bytes;

/// The most states of a program: of some hundredths of a second.
const STATES: u64 = 3_000;

fuzz_target!(|bytes: &[u8]| -> Corpus { run(bytes) });

fn run(bytes: &[u8]) -> Corpus {
    let conditions = Conditions::default();
    let request = Request {
        scenario: Arc::new(conditions.of(of_bytes(bytes))),
        conditions,
        engine: Engine::Direct,
        seed: 0,
        budget: Duration::from_secs(60),
        executions: Arc::default(),
        explorer: Default::default(),
        control: Default::default(),
    };
    let Some(exploration) = exhaust(&request, STATES) else {
        return Corpus::Reject;
    };
    if let Some(case) = Case::new(&request, &exploration) {
        panic!(
            "violated {}: {}\nSave what follows as CASE.toml, and see it with `cargo nmr replay CASE.toml`:\n\n{}",
            case.rule.map_or("no rule, a crash".to_owned(), |rule| rule.to_string()),
            case.message,
            case.to_toml()
        );
    }
    if let Some(error) = exploration.error.or(exploration.cut) {
        panic!("the harness failed: {error}\n{}", request.scenario.to_toml());
    }
    Corpus::Keep
}
