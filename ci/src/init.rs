//! `nmr init`: a scenario to begin with, whose comments say what a scenario may contain.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

use crate::args::{self, Format};
use crate::error::Error;
use crate::exit::Exit;
use crate::json::{self, Line};
use crate::words;

/// What the file has in it, but for its name.
const TEMPLATE: &str = include_str!("init/scenario.template.toml");

/// The JSON schema of scenarios.
const SCHEMA: &str = include_str!("../../models/scenario.schema.json");

/// Its file, beside the scenario.
const SCHEMA_FILE: &str = "scenario.schema.json";

/// Writes the scenario, and tells `out` what to do next.
///
/// # Errors
/// The file is there already or cannot be written, or `out` cannot be.
pub fn run(args: &args::Init, out: &mut dyn Write) -> Result<Exit, Error> {
    let path = words::path(&args.file);
    let name = name_of(&args.file).ok_or_else(|| {
        Error::Usage(format!(
            "`{path}` names no file: expected one such as mine.toml"
        ))
    })?;
    let scenario = scenario(&name);
    match args.schema {
        true => write_new(&args.file, &format!("#:schema ./{SCHEMA_FILE}\n{scenario}"))?,
        false => write_new(&args.file, &scenario)?,
    }
    say(args.format, out, &path)?;
    if args.schema {
        let beside = args.file.with_file_name(SCHEMA_FILE);
        // That of today, whatever was there: nobody writes one by hand.
        std::fs::write(&beside, SCHEMA).map_err(|error| unwritable(&beside, &error))?;
        say(args.format, out, &words::path(&beside))?;
    }
    if args.format == Format::Human {
        writeln!(out, "  cargo nmr check --file {path}")?;
    }
    Ok(Exit::Holds)
}

/// That a file was written.
fn say(format: Format, out: &mut dyn Write, file: &str) -> Result<(), Error> {
    match format {
        Format::Human => Ok(writeln!(out, "wrote {file}")?),
        Format::Json => json::print(out, &Line::Written { file }),
    }
}

fn write_new(file: &Path, text: &str) -> Result<(), Error> {
    let mut new = OpenOptions::new();
    let new = new.write(true).create_new(true).open(file);
    let mut new = new.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Error::Usage(format!(
            "`{}` is there already: name another file, or remove it",
            words::path(file)
        )),
        _ => unwritable(file, &error),
    })?;
    new.write_all(text.as_bytes())?;
    Ok(())
}

fn unwritable(file: &Path, error: &std::io::Error) -> Error {
    Error::Usage(format!(
        "`{}` cannot be written: {error}",
        words::path(file)
    ))
}

/// The scenario's name, after its file's: small letters, digits and hyphens.
fn name_of(file: &Path) -> Option<String> {
    let stem = file.file_stem()?.to_str()?;
    let plain = |it: char| match it.is_ascii_alphanumeric() {
        true => it.to_ascii_lowercase(),
        false => '-',
    };
    Some(stem.chars().map(plain).collect())
}

fn scenario(name: &str) -> String {
    TEMPLATE.replace("{{name}}", name)
}

#[cfg(test)]
mod tests {
    use nmr_models::scenario::Scenario;

    use super::*;

    #[test]
    fn what_is_written_is_a_scenario_of_the_files_name() {
        let file = Path::new("some/My Driver.toml");
        let name = name_of(file).expect("it names a file");
        assert_eq!(name, "my-driver");
        let scenario = Scenario::from_toml(file, &scenario(&name));
        let scenario = scenario.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(scenario.name, "my-driver");
    }

    /// What the comments offer can be had: each line of the template that begins with `#:` is one that may stand there.
    #[test]
    fn what_the_comments_offer_is_a_scenario_too() {
        let offered = scenario("mine").replace("#: ", "");
        let offered = Scenario::from_toml(Path::new("mine.toml"), &offered);
        assert!(offered.is_ok(), "{}", offered.unwrap_err());
        assert_eq!(scenario("mine").matches("#: ").count(), 13);
    }
}
