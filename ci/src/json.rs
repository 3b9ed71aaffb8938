//! The form for programs: one JSON object a line.
//!
//! Most lines are those of `nmr-models`, which workers print too; here are the command's own. The schema of all of them is
//! `ci/lines.v1.schema.json`: a field may be added, and then the schema; what is renamed or removed is another version, in
//! another file.

use std::io::Write;

use nmr_models::rule::Rule;
use serde::Serialize;

use crate::error::Error;

/// What no worker says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Line<'a> {
    /// A named scenario, of `nmr list`.
    Scenario {
        /// Its name.
        name: &'a str,
        /// What it is about, in a line.
        summary: &'a str,
        /// The rules that it is about.
        rules: &'a [Rule],
    },
    /// The tests of a build, of `nmr test`.
    Tests {
        /// `native`, `loom` or `shuttle`.
        build: &'a str,
        /// How many passed.
        passed: u64,
        /// How many failed.
        failed: u64,
        /// How many were left out.
        skipped: u64,
        /// Whether there were any, and they ran.
        ran: bool,
    },
    /// A file that `nmr init` has written.
    Written {
        /// The file.
        file: &'a str,
    },
}

/// Prints a line, and sees to it that whoever reads has it.
///
/// # Errors
/// `out` cannot be written.
pub fn print(out: &mut dyn Write, line: &impl Serialize) -> Result<(), Error> {
    let text = serde_json::to_string(line).map_err(std::io::Error::from)?;
    Ok(writeln!(out, "{text}").and_then(|()| out.flush())?)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use schemars::JsonSchema;

    /// Every line that the command prints.
    #[derive(JsonSchema)]
    #[serde(untagged)]
    #[expect(dead_code, reason = "there is none: it has the schema")]
    enum AnyLine {
        Reported(Box<nmr_models::report::Line>),
        Own(super::Line<'static>),
        Registrar(crate::bench::RegistrarLine<'static>),
    }

    #[test]
    fn the_schema_is_of_today() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("lines.v1.schema.json");
        let schema = schemars::schema_for!(AnyLine);
        let schema = serde_json::to_string_pretty(&schema).expect("it has a text form") + "\n";
        if std::env::var_os("NMR_UPDATE").is_some() {
            fs::write(&file, &schema).expect("it can be written");
        }
        let kept = fs::read_to_string(&file).unwrap_or_default();
        assert!(
            kept == schema,
            "ci/lines.v1.schema.json is stale: NMR_UPDATE=1 cargo test -p nmr-ci --lib json"
        );
    }
}
