//! Callbacks inside of callbacks go as deep as a scenario says, under each engine of this build: nobody's stack is used up. Not under
//! loom, whose stacks are its own: there it is an error of the harness.

#![cfg(not(loom))]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nmr_models::engine::{Request, explore};
use nmr_models::engine_name::{Build, Engine};
use nmr_models::scenario::Scenario;

/// Register calls inside of attach callbacks, and deregister calls inside of cleanup callbacks: each so many deep.
const DEPTH: usize = 40;

/// Each client registers the next one when it is attached, and deregisters it when it is cleaned up.
fn deep() -> Scenario {
    let listed = |ops: &dyn Fn(usize) -> String| {
        let all: Vec<String> = (0..DEPTH).map(ops).collect();
        all.join(", ")
    };
    let mut text = format!(
        "name = \"deep\"\nsummary = \"callbacks inside of callbacks\"\nbefore = [{}]\nafter = [{}]\n",
        listed(&|number| format!("\"register p{number}\"")),
        listed(&|number| format!(
            "\"wait c{number}\", \"deregister p{number}\", \"wait p{number}\""
        )),
    );
    for number in 0..DEPTH {
        let (npi, next) = (number + 1, number + 1);
        let _ = writeln!(
            text,
            "[[module]]\nname = \"p{number}\"\nside = \"provider\"\nnpi = {npi}"
        );
        let _ = writeln!(
            text,
            "[[module]]\nname = \"c{number}\"\nside = \"client\"\nnpi = {npi}"
        );
        if next < DEPTH {
            let _ = writeln!(
                text,
                "in-attach = [\"register c{next}\"]\nin-cleanup = [\"deregister c{next}\"]"
            );
        }
    }
    text += "[[thread]]\nname = \"t\"\nops = [\"register c0\", \"deregister c0\"]\n";
    Scenario::from_toml(Path::new("deep.toml"), &text).expect("it is a scenario")
}

#[test]
fn callbacks_inside_of_callbacks_use_up_no_stack() {
    let own = |engine: &Engine| engine.build() == Build::current();
    for engine in Engine::ALL.into_iter().filter(own) {
        let request = Request {
            scenario: Arc::new(deep()),
            conditions: Default::default(),
            engine,
            seed: 1,
            budget: Duration::from_secs(5),
            executions: Arc::default(),
            explorer: Default::default(),
            control: Default::default(),
        };
        let explored = explore(&request, drop);
        assert_eq!(explored.error, None, "{engine}");
        assert_eq!(
            explored.finding.map(|found| found.message),
            None,
            "{engine}"
        );
        assert!(explored.executions > 0, "{engine}");
    }
}
