//! What can come out of small scenarios is the same under loom and under the explorer: each build compares
//! what it has seen with one file, which was written by neither of them alone.
//!
//! `NMR_WRITE_OUTCOMES=1` writes the file anew.
#![cfg(any(loom, shuttle))]

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nmr_models::engine::{Request, Search, explore};
use nmr_models::engine_name::Engine;
use nmr_models::report::{Extent, Verdict};
use nmr_models::scenarios;

/// Those that loom exhausts in a second or so.
const SMALL: [&str; 12] = [
    "both-deregister",
    "client-arrives-provider-leaves",
    "completes-early",
    "deregister-twice",
    "hollow-success-while-leaving",
    "late-comer-pending",
    "panic-in-detach",
    "provider-arrives-client-leaves",
    "provider-declines",
    "register-register",
    "two-interfaces",
    "two-lives",
];

const ENGINE: Engine = if cfg!(loom) {
    Engine::Loom
} else {
    Engine::Explorer
};

/// A line for each scenario: its name, and what can come out of it, as numbers.
fn outcomes() -> String {
    let mut text = String::new();
    for name in SMALL {
        let request = Request {
            scenario: Arc::new(scenarios::named(name).expect("a named scenario")),
            engine: ENGINE,
            seed: 0,
            budget: Duration::from_secs(60),
            executions: Arc::default(),
            search: Search::default(),
        };
        let exploration = explore(&request, |exploration| {
            panic!("{:?}", exploration.finding);
        });
        let end = (exploration.verdict(), exploration.extent);
        assert_eq!(end, (Verdict::Holds, Extent::Complete), "{name}");
        write!(text, "{name}").expect("text grows");
        for outcome in &exploration.outcomes {
            write!(text, " {outcome:016x}").expect("text grows");
        }
        text.push('\n');
    }
    text
}

#[test]
fn loom_and_the_explorer_see_the_same_come_out() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outcomes.txt");
    let seen = outcomes();
    if std::env::var_os("NMR_WRITE_OUTCOMES").is_some() {
        std::fs::write(&file, &seen).expect("the file can be written");
    }
    let expected = std::fs::read_to_string(&file).expect("the file is there");
    for (seen, expected) in seen.lines().zip(expected.lines()) {
        assert_eq!(seen, expected, "{ENGINE}");
    }
    assert_eq!(seen.lines().count(), expected.lines().count());
}
