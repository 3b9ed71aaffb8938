//! The engine that exhausts programs in this build. **The one place that knows which it is.**

use std::sync::Arc;
use std::time::Duration;

use super::prover::{Outcome, Proved, Prover, Violation};
use crate::conditions::Conditions;
use crate::engine::{Exploration, ExplorerOptions, Request, explore};
use crate::engine_name::Engine;
use crate::scenario::Scenario;

/// The engine. It is there in the build of that name alone.
pub const ENGINE: Engine = Engine::Direct;

/// The most bytes for the states of one program.
const MEMORY: u64 = 1 << 30;

/// Exhausts a program with [`ENGINE`].
#[derive(Clone, Copy, Debug)]
pub struct Exhausting {
    /// The time for each program, after which it is left incomplete.
    pub budget: Duration,
    /// What may happen besides.
    pub conditions: Conditions,
}

impl Prover for Exhausting {
    fn exhaust(&self, scenario: &Scenario) -> Proved {
        let request = Request {
            scenario: Arc::new(self.conditions.of(scenario.clone())),
            conditions: self.conditions,
            engine: ENGINE,
            seed: 0,
            budget: self.budget,
            executions: Arc::default(),
            explorer: ExplorerOptions {
                max_memory: Some(MEMORY),
                ..ExplorerOptions::default()
            },
            control: Default::default(),
        };
        proved(explore(&request, drop))
    }
}

fn proved(exploration: Exploration) -> Proved {
    let transitions = exploration.report.as_ref();
    let transitions = transitions.and_then(|report| report["counts"]["transitions"].as_u64());
    let outcome = match (exploration.finding, exploration.error, exploration.cut) {
        (Some(finding), ..) => Outcome::Violated(Violation {
            rule: finding.rule,
            message: finding.message,
            executions: Some(exploration.executions),
            schedule: exploration.schedule,
            sections: exploration.sections,
        }),
        (None, Some(error), _) => Outcome::Failed(error),
        (None, None, Some(why)) => Outcome::Incomplete(why),
        (None, None, None) => Outcome::Holds,
    };
    Proved {
        states: exploration.states.unwrap_or_default(),
        transitions: transitions.unwrap_or_default(),
        exercised: exploration.exercised,
        outcome,
    }
}
