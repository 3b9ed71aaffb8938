//! The JSON schema of a scenario's text form, for editors: keys, values and operations, with their documentation. What goes together
//! with what is the validation's matter.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::Scenario;
use crate::op::Op;
use crate::rule::Rule;

/// The schema, as text: the same each time.
///
/// # Panics
/// Never: a schema has a text form.
#[must_use]
pub fn json_schema() -> String {
    let schema = schemars::schema_for!(Scenario);
    let text = serde_json::to_string_pretty(&schema);
    text.expect("a schema has a text form") + "\n"
}

/// How a side is written.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
#[expect(dead_code, reason = "it only says which names there are")]
pub(super) enum SideName {
    /// Attaches to providers.
    Client,
    /// Is attached to by clients.
    Provider,
}

impl JsonSchema for Op {
    fn schema_name() -> Cow<'static, str> {
        "Op".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let (alone, with_a_name): (Vec<_>, Vec<_>) = Self::VERBS
            .iter()
            .partition(|(_, takes_a_name)| !takes_a_name);
        let verbs = |of: &[&(&str, bool)]| {
            let verbs = of.iter().map(|(verb, _)| *verb);
            verbs.collect::<Vec<_>>().join("|")
        };
        let pattern = format!("^(({}) [^ ]+|{})$", verbs(&with_a_name), verbs(&alone));
        json_schema!({
            "type": "string",
            "description": "One step of a thread or a callback: its words, and the name of a module, an event or a lock.",
            "pattern": pattern,
        })
    }
}

impl JsonSchema for Rule {
    fn schema_name() -> Cow<'static, str> {
        "Rule".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let rules: Vec<String> = Self::every().map(|rule| rule.to_string()).collect();
        json_schema!({
            "type": "string",
            "description": "A rule: of the contract, of what modules leave over, or of Windows.",
            "enum": rules,
        })
    }
}
