//! Which scenarios a run is about.

use std::fs;
use std::path::{Path, PathBuf};

use globset::{Glob, GlobSet, GlobSetBuilder};
use nmr_models::process::Source;
use nmr_models::scenario::Scenario;

use crate::error::Error;

/// How many names are proposed when nothing matches.
const PROPOSED: usize = 3;

/// The scenarios whose names match one of the globs, all if there is no glob; in the order given.
///
/// # Errors
/// A glob that is malformed or matches nothing.
pub fn matching<'a>(names: &[&'a str], globs: &[String]) -> Result<Vec<&'a str>, Error> {
    matching_of(SCENARIOS, names, globs)
}

/// What names can be of, and how to ask for it.
#[derive(Clone, Copy, Debug)]
pub struct Of {
    /// One of them.
    pub what: &'static str,
    /// The option.
    pub option: &'static str,
    /// Where all are to be seen.
    pub all: &'static str,
}

const SCENARIOS: Of = Of {
    what: "scenario",
    option: "--scenario",
    all: "`cargo nmr list` shows all",
};

/// The names that match one of the globs, all names if there is no glob; in the order given.
///
/// # Errors
/// A glob that is malformed or matches nothing.
pub fn matching_of<'a>(of: Of, names: &[&'a str], globs: &[String]) -> Result<Vec<&'a str>, Error> {
    if globs.is_empty() {
        return Ok(names.to_vec());
    }
    for glob in globs {
        let only = compile(of, std::slice::from_ref(glob))?;
        if !names.iter().any(|name| only.is_match(name)) {
            let nearest = nearest(names, glob).join(", ");
            return Err(Error::Usage(format!(
                "no {} matches `{glob}`: the nearest names are {nearest}; {}",
                of.what, of.all
            )));
        }
    }
    let any = compile(of, globs)?;
    let matched = names.iter().copied().filter(|name| any.is_match(name));
    Ok(matched.collect())
}

fn compile(of: Of, globs: &[String]) -> Result<GlobSet, Error> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        let glob = Glob::new(glob).map_err(|error| {
            Error::Usage(format!("{}: {error}: expected a name or a glob", of.option))
        })?;
        set.add(glob);
    }
    let set = set.build();
    set.map_err(|error| Error::Usage(format!("{}: {error}", of.option)))
}

/// The few names that are most like a name or a glob, the nearest first.
#[must_use]
pub fn nearest<'a>(names: &[&'a str], glob: &str) -> Vec<&'a str> {
    let mut nearest = names.to_vec();
    let likeness = |name: &str| {
        let bare = glob.replace('*', "");
        let contained = if !bare.is_empty() && name.contains(&bare) {
            1.0
        } else {
            0.0
        };
        contained + strsim::jaro_winkler(name, &bare)
    };
    nearest.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)));
    nearest.truncate(PROPOSED);
    nearest
}

/// The scenario in a file, for workers to read.
///
/// # Errors
/// The file cannot be read or is no scenario.
pub fn from_file(path: &Path) -> Result<Source, Error> {
    let path = absolute(path)?;
    let text = fs::read_to_string(&path).map_err(|source| Error::Unreadable {
        path: path.clone(),
        source,
    })?;
    let name = Scenario::from_toml(&path, &text)?.name;
    Ok(Source::File { path, name })
}

fn absolute(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(|source| Error::Unreadable {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::{from_file, matching};
    use crate::exit::Exit;
    use std::fs;

    const NAMES: [&str; 4] = [
        "both-deregister",
        "hollow-success",
        "late-comer",
        "late-comer-pending",
    ];

    fn globs(globs: &[&str]) -> Vec<String> {
        globs.iter().map(|&glob| glob.to_owned()).collect()
    }

    #[test]
    fn no_glob_is_every_scenario() {
        assert_eq!(matching(&NAMES, &[]).unwrap(), NAMES);
    }

    #[test]
    fn globs_add_up() {
        let found = matching(&NAMES, &globs(&["late-*", "both-deregister"])).unwrap();
        let expected = ["both-deregister", "late-comer", "late-comer-pending"];
        assert_eq!(found, expected);
        assert_eq!(
            matching(&NAMES, &globs(&["late-comer"])).unwrap(),
            ["late-comer"]
        );
    }

    #[test]
    fn a_name_that_is_not_there_is_answered_with_the_nearest() {
        let error = matching(&NAMES, &globs(&["late-comer", "holow-succes"])).unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        let text = error.to_string();
        let start = "no scenario matches `holow-succes`: the nearest names are hollow-success, ";
        assert!(text.starts_with(start), "{text}");
    }

    #[test]
    fn a_malformed_glob_is_refused() {
        let error = matching(&NAMES, &globs(&["late-[comer"])).unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        assert!(error.to_string().contains("late-[comer"), "{error}");
    }

    #[test]
    fn a_malformed_file_is_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.toml");
        fs::write(&path, "name = \"own\"\nsummary = 3\n").unwrap();
        let error = from_file(&path).unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        assert!(error.to_string().contains("own.toml:2:11: "), "{error}");
        let missing = from_file(&folder.path().join("none.toml")).unwrap_err();
        assert_eq!(missing.exit(), Exit::Usage);
    }
}
