//! What may happen to every program that is run, besides what is in its scenario: options of `nmr check`, `nmr prove`
//! and `nmr fuzz`.
//!
//! Each adds executions and takes none away, so what holds under a condition holds without it. What is in force stands
//! in reports, in certificates, and in the case of what is found.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::engine_name::Engine;
use crate::op::Op;
use crate::scenario::Scenario;

/// Over them on the command line.
const HEADING: &str = "Conditions";

/// See the [module's documentation](self).
///
/// ```
/// use nmr_models::conditions::Conditions;
///
/// let hard = Conditions { spurious_wakeups: true, complete_any: true };
/// assert_eq!(hard.to_string(), "with spurious wake-ups, completions in any order");
/// assert_eq!(Conditions::default().to_string(), "");
/// ```
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::Args,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Conditions {
    /// Let a thread that waits for a condition wake without being notified, at any time, as POSIX and C++ allow: who
    /// is woken has to look again.
    ///
    /// A deadlock is one all the same: nobody may count on such a wake-up. The direct engine then searches without the
    /// reductions that rest on claims; loom and real threads cannot be told to do it and are left out, and so is pct,
    /// whose priorities would wake the same thread for ever.
    #[arg(long, help_heading = HEADING)]
    pub spurious_wakeups: bool,
    /// Complete pending detaches in any order: `complete-all` does what `complete-any` does.
    ///
    /// `complete M` goes on with the oldest of M's. Of the programs of `prove` all complete in any order anyway.
    #[arg(long, help_heading = HEADING)]
    pub complete_any: bool,
}

impl Conditions {
    /// Whether none is in force.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The options that say the same.
    #[must_use]
    pub fn arguments(self) -> Vec<&'static str> {
        let all = [
            (self.spurious_wakeups, "--spurious-wakeups"),
            (self.complete_any, "--complete-any"),
        ];
        let all = all.into_iter().filter(|(is_in_force, _)| *is_in_force);
        all.map(|(_, option)| option).collect()
    }

    /// Whether an engine can bring them about.
    #[must_use]
    pub const fn are_known_to(self, engine: Engine) -> bool {
        !self.spurious_wakeups || engine.wakes_spuriously()
    }

    /// The scenario as it is under them.
    #[must_use]
    pub fn of(self, mut scenario: Scenario) -> Scenario {
        if self.complete_any {
            for op in scenario.operations_mut() {
                if *op == Op::CompleteAll {
                    *op = Op::CompleteAny;
                }
            }
        }
        scenario
    }
}

/// In words; nothing if none is in force.
impl fmt::Display for Conditions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [
            (self.spurious_wakeups, "with spurious wake-ups"),
            (self.complete_any, "completions in any order"),
        ];
        let all = all.into_iter().filter(|(is_in_force, _)| *is_in_force);
        let all: Vec<&str> = all.map(|(_, words)| words).collect();
        f.write_str(&all.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenarios;

    #[test]
    fn completions_are_in_any_order_wherever_they_are() {
        let conditions = Conditions {
            complete_any: true,
            ..Conditions::default()
        };
        let before = scenarios::named("both-pending").expect("it is there");
        assert!(before.to_toml().contains("\"complete-all\""));
        let under = conditions.of(before.clone());
        let text = before.to_toml().replace("complete-all", "complete-any");
        assert_eq!(under.to_toml(), text);
        assert_eq!(Conditions::default().of(before.clone()), before);
    }

    #[test]
    fn they_are_options_again() {
        let all = Conditions {
            spurious_wakeups: true,
            complete_any: true,
        };
        assert_eq!(all.arguments(), ["--spurious-wakeups", "--complete-any"]);
        assert_eq!(Conditions::default().arguments(), [""; 0]);
        let text = serde_json::to_string(&all).unwrap();
        assert_eq!(serde_json::from_str::<Conditions>(&text).unwrap(), all);
    }
}
