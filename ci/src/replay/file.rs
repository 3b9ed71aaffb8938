//! Case files of every kind: what is in one, and how one is written anew.

use std::fs;
use std::path::{Path, PathBuf};

use nmr_models::case::{self, Case};
use nmr_models::replay::Replayed;
use nmr_properties::case::head;

use super::update;
use crate::error::Error;

/// A case, by who replays it.
#[derive(Clone, Debug, PartialEq)]
pub enum Saved {
    /// A sequence of operations, or handles, of one thread.
    Sequence {
        /// The file.
        path: PathBuf,
        /// What is in it.
        text: String,
    },
    /// A scenario, perhaps with a schedule.
    Schedule(Box<Case>),
}

/// A case of another version that this one does not understand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it was written by version {version}, and this one cannot read it: {why}")]
pub struct Outdated {
    version: String,
    why: String,
}

impl Outdated {
    /// A case that cannot be read is outdated if another version has written it. One of this version is mistyped, from
    /// whichever commit it is.
    #[must_use]
    pub fn new(version: Option<&str>, why: &str) -> Option<Self> {
        let version = version.filter(|version| !case::is_of_this_version(version))?;
        Some(Self {
            version: version.to_owned(),
            why: why.to_owned(),
        })
    }
}

impl Saved {
    /// Reads a case. One that cannot be read, and was written by another version, is outdated.
    ///
    /// # Errors
    /// The file cannot be read or is malformed.
    pub fn read(path: &Path) -> Result<Result<Self, Outdated>, Error> {
        let text = fs::read_to_string(path).map_err(|source| Error::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Result<Self, Outdated>, Error> {
        let head = head(&path.display().to_string(), text)?;
        if head.kind != case::KIND {
            return Ok(Ok(Self::Sequence {
                path: path.to_owned(),
                text: text.to_owned(),
            }));
        }
        let error = match Case::from_toml(path, text) {
            Ok(case) => return Ok(Ok(Self::Schedule(Box::new(case)))),
            Err(error) => error,
        };
        match Outdated::new(head.version.as_deref(), &error.to_string()) {
            Some(outdated) => Ok(Err(outdated)),
            None => Err(error.into()),
        }
    }
}

/// Writes a case anew with the schedule of what was found now, and without what belonged to the old one. Comments stay.
/// Answers whether there was one to write.
///
/// # Errors
/// The file cannot be read or written.
pub fn update(path: &Path, case: &Case, replayed: &Replayed) -> Result<bool, Error> {
    let Some(updated) = case.updated(replayed) else {
        return Ok(false);
    };
    let text = fs::read_to_string(path)?;
    let rewritten = update::rewrite(&text, &updated);
    let text = rewritten.map_err(|error| Error::Harness(error.to_string()))?;
    match Case::from_toml(path, &text) {
        Ok(again) if again == updated => {}
        _ => {
            return Err(Error::Harness(format!(
                "the case became another one:\n{text}"
            )));
        }
    }
    fs::write(path, text)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::Saved;
    use crate::error::Error;
    use crate::exit::Exit;
    use std::path::Path;

    const SCHEDULE: &str = r#"
kind = "schedule"
engine = "pct"
message = "a wait has no end"
executions = 1

[scenario]
name = "s"
summary = "s"

[[scenario.module]]
name = "c"
side = "client"
"#;

    fn of(text: &str) -> Result<Saved, Error> {
        let saved = Saved::parse(Path::new("case.toml"), text)?;
        Ok(saved.expect("it is not outdated"))
    }

    #[test]
    fn the_kind_says_who_replays() {
        let here = of("kind = \"sequential\"\nop = []\n").expect("well-formed");
        assert!(matches!(here, Saved::Sequence { .. }));
        let worker = of(SCHEDULE).expect("well-formed");
        assert!(matches!(worker, Saved::Schedule(_)));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let refused = |text: &str| {
            let error = of(text).expect_err("malformed");
            assert_eq!(error.exit(), Exit::Usage);
            error.to_string()
        };
        assert_eq!(
            refused("\n\nkind = \"sideways\"\n"),
            "case.toml:3:8: `sideways` is no kind of case: expected one of sequential, handle-bits, schedule"
        );
        let engine = refused("kind = \"schedule\"\nengine = \"steam\"\n");
        assert!(
            engine.starts_with("case.toml:2:10: unknown variant `steam`"),
            "{engine}"
        );
        let none = refused("kind = \"schedule\"\n");
        assert!(none.contains("missing field `engine`"), "{none}");
        let side = refused(&SCHEDULE.replace("client", "sideways"));
        assert!(side.starts_with("case.toml:13:8: invalid value"), "{side}");
        let syntax = refused("kind = \n");
        assert!(syntax.starts_with("case.toml:1:"), "{syntax}");
    }

    #[test]
    fn a_case_of_another_version_that_cannot_be_read_is_outdated() {
        let text = SCHEDULE.replace("client", "sideways");
        let text = text.replace("executions", "version = \"0.0.1\"\nexecutions");
        let outdated = Saved::parse(Path::new("case.toml"), &text).expect("it is a case");
        let why = outdated.expect_err("nobody knows that side").to_string();
        assert!(
            why.starts_with("it was written by version 0.0.1, and "),
            "{why}"
        );
        assert!(why.contains("case.toml:14:8: invalid value"), "{why}");
    }
}
