//! What can come out of small scenarios is the same under loom and under the explorer: each build compares
//! what it has seen with one file, which was written by neither of them alone.
//!
//! An outcome is a number that stands for what every thread observed. Where the two differ, it is said how: an outcome
//! that is only seen is a behaviour that is new, or that the other engine misses; one that is only in the file, a
//! behaviour that is lost; and where none is in both, an observation is described otherwise than when the file was
//! written.
//!
//! `NMR_WRITE_OUTCOMES=1` writes the file anew.
#![cfg(any(loom, shuttle))]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nmr_models::engine::{Control, ExplorerOptions, Request, explore};
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

/// For each scenario what can come out of it, as numbers.
type Outcomes = BTreeMap<String, BTreeSet<u64>>;

fn outcomes() -> Outcomes {
    let explored = |name: &str| {
        let request = Request {
            scenario: Arc::new(scenarios::named(name).expect("a named scenario")),
            conditions: Default::default(),
            engine: ENGINE,
            seed: 0,
            budget: Duration::from_secs(60),
            executions: Arc::default(),
            explorer: ExplorerOptions::default(),
            control: Control::default(),
        };
        let exploration = explore(&request, |exploration| {
            panic!("{:?}", exploration.finding);
        });
        let end = (exploration.verdict(), exploration.extent);
        assert_eq!(end, (Verdict::Holds, Extent::Complete), "{name}");
        (name.to_owned(), exploration.outcomes)
    };
    SMALL.into_iter().map(explored).collect()
}

fn hex(numbers: &BTreeSet<u64>) -> String {
    let words = numbers.iter().map(|number| format!(" {number:016x}"));
    words.collect()
}

/// A line for each scenario.
fn write(outcomes: &Outcomes) -> String {
    let lines = outcomes.iter();
    let lines = lines.map(|(name, numbers)| format!("{name}{}\n", hex(numbers)));
    lines.collect()
}

fn read(text: &str) -> Outcomes {
    let line = |line: &str| {
        let mut words = line.split(' ');
        let name = words.next().expect("a line has a first word").to_owned();
        let number = |word| u64::from_str_radix(word, 16).expect("the others are numbers");
        (name, words.map(number).collect())
    };
    text.lines().map(line).collect()
}

/// What one has and the other has not.
fn differences(seen: &Outcomes, expected: &Outcomes) -> String {
    let mut text = String::new();
    let names: BTreeSet<&String> = seen.keys().chain(expected.keys()).collect();
    for name in names {
        let of = |all: &Outcomes| all.get(name).cloned().unwrap_or_default();
        let (seen, expected) = (of(seen), of(expected));
        if seen != expected {
            let both = seen.intersection(&expected).count();
            let (more, fewer) = (hex(&(&seen - &expected)), hex(&(&expected - &seen)));
            text.push_str(&format!("{name}, {both} in both\n"));
            text.push_str(&format!("  only {ENGINE} sees:{more}\n"));
            text.push_str(&format!("  only the file has:{fewer}\n"));
        }
    }
    text
}

#[test]
fn loom_and_the_explorer_see_the_same_come_out() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outcomes.txt");
    let seen = outcomes();
    if std::env::var_os("NMR_WRITE_OUTCOMES").is_some() {
        std::fs::write(&file, write(&seen)).expect("the file can be written");
    }
    let expected = read(&std::fs::read_to_string(&file).expect("the file is there"));
    let differences = differences(&seen, &expected);
    assert!(differences.is_empty(), "\n{differences}");
}

#[test]
fn it_is_said_what_differs() {
    let seen = read("a 1 2\nb 3\n");
    assert_eq!(differences(&seen, &seen), "");
    assert_eq!(
        differences(&seen, &read("a 2 4\nb 3\n")),
        format!(
            "a, 1 in both\n  only {ENGINE} sees: 0000000000000001\n  only the file has: 0000000000000004\n"
        )
    );
}
