//! The program at which a process has ended too early, as a case.

use std::fs;
use std::path::Path;

use nmr_models::case::Case;
use nmr_models::conditions::Conditions;
use nmr_models::engine_name::Engine;
use nmr_models::prove::Violation;
use nmr_models::rule::Rule;
use nmr_models::scenario::Scenario;

/// Which program it was.
pub(super) struct At {
    pub(super) batch: u64,
    pub(super) program: u64,
    pub(super) seed: u64,
    pub(super) scenario: Scenario,
}

impl At {
    /// What the process has left behind; `None` if that is nothing whole.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let text = fs::read_to_string(path).ok()?;
        let head = text.lines().next()?.strip_prefix("# ")?;
        let mut numbers = head.split(' ').map(|number| number.parse().ok());
        Some(Self {
            batch: numbers.next()??,
            program: numbers.next()??,
            seed: numbers.next()??,
            scenario: Scenario::from_toml(path, &text).ok()?,
        })
    }

    /// The case of that. It has no schedule: nobody was there to write one.
    pub(super) fn case(self, rule: Option<Rule>, message: String, conditions: Conditions) -> Case {
        let violation = Violation {
            rule,
            message,
            executions: None,
            schedule: Vec::new(),
            sections: None,
        };
        Case::of_program(Engine::Explorer, conditions, self.scenario, &violation)
    }
}
