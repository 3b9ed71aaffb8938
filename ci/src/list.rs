//! `nmr list`: the named scenarios.

use std::io::Write;

use nmr_models::scenario::Scenario;
use nmr_models::scenarios;

use crate::args::{self, Format};
use crate::error::Error;
use crate::exit::Exit;
use crate::json::{self, Line};
use crate::style::{Flush, heading, table};

/// Prints them to `out`.
///
/// # Errors
/// `out` cannot be written.
pub fn run(args: &args::List, out: &mut dyn Write) -> Result<Exit, Error> {
    let all = scenarios::all();
    match args.format {
        Format::Human => out.write_all(human(&all).as_bytes())?,
        Format::Json => json_lines(&all, out)?,
    }
    Ok(Exit::Holds)
}

fn human(all: &[Scenario]) -> String {
    let mut rows = vec![heading(&["scenario", "summary", "rules"])];
    rows.extend(all.iter().map(|scenario| {
        let rules: Vec<String> = scenario.rules.iter().map(ToString::to_string).collect();
        vec![
            scenario.name.as_str().into(),
            scenario.summary.as_str().into(),
            rules.join(" ").into(),
        ]
    }));
    table(&[Flush::Left; 3], &rows)
}

fn json_lines(all: &[Scenario], out: &mut dyn Write) -> Result<(), Error> {
    all.iter().try_for_each(|scenario| {
        let line = Line::Scenario {
            name: &scenario.name,
            summary: &scenario.summary,
            rules: &scenario.rules,
        };
        json::print(out, &line)
    })
}

#[cfg(test)]
mod tests {
    use super::{human, json_lines};
    use nmr_models::scenario::Scenario;

    fn sample() -> Vec<Scenario> {
        let scenario = |name: &str, rules: &str| {
            let text = format!(
                "name = \"{name}\"\nsummary = \"what {name} is about\"\nrules = {rules}\nmodule = []\n"
            );
            Scenario::from_toml("sample.toml".as_ref(), &text).expect("well-formed")
        };
        vec![
            scenario("late-comer", "[\"C6\", \"C7\"]"),
            scenario("two-npis", "[]"),
        ]
    }

    #[test]
    fn a_row_for_each() {
        let text = anstream::adapter::strip_str(&human(&sample())).to_string();
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        let expected = [
            "scenario    summary                   rules",
            "late-comer  what late-comer is about  C6 C7",
            "two-npis    what two-npis is about",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_json_object_for_each() {
        let expected = concat!(
            r#"{"kind":"scenario","name":"late-comer","summary":"what late-comer is about","rules":["C6","C7"]}"#,
            "\n",
            r#"{"kind":"scenario","name":"two-npis","summary":"what two-npis is about","rules":[]}"#,
            "\n",
        );
        let mut text = Vec::new();
        json_lines(&sample(), &mut text).expect("it is memory");
        assert_eq!(String::from_utf8(text).expect("UTF-8"), expected);
    }
}
