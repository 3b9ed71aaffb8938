//! The bugs as they are written: a folder each below `models/bugs`, in `registrar` or `modules`.
//!
//! A bug of the registrar is a diff (`change.diff`), with another one at the same place that is correct
//! (`twin.diff`). A bug of a module is in `bug.toml` alone: what a module of some scenario does instead.
//! Nothing is planted here.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use nmr_models::conditions::Conditions;
use nmr_models::rule::Rule;
use nmr_models::scenario::{CModule, FormatError, Scenario};
use nmr_models::scenarios;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::{Spanned, Table};

use super::module;
use super::plant::Diff;
use crate::error::Error;
use crate::select;

/// A bug that the harness must find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bug {
    /// The name of its folder.
    pub name: String,
    /// What is wrong, and what a user would see.
    pub story: String,
    /// The rule that it breaks.
    pub rule: Rule,
    /// Where it was seen in public code.
    pub source: Option<String>,
    /// Why the direct engine cannot find it.
    pub direct: Option<String>,
    /// Why loom cannot find it.
    pub loom: Option<String>,
    /// Why no program of the sizes shows it.
    pub prove: Option<String>,
    /// Where it shows itself in every execution of its first scenario.
    pub shows: Option<Shows>,
    /// What has to be in force for it to show: without that it is none.
    pub conditions: Conditions,
    /// Whose bug it is.
    pub of: Of,
}

/// Where a bug shows itself, and nowhere before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shows {
    /// What a call answers.
    Answer,
    /// A callback that is made, or a call that goes on.
    Call,
    /// Threads that cannot go on.
    Deadlock,
    /// What a module or a context is when it is dropped, or when.
    Drop,
    /// What is left over, or was never done, when everything is quiet.
    End,
    /// A panic.
    Panic,
}

impl Shows {
    /// As the end of a sentence that begins with "it shows itself".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Answer => "in an answer",
            Self::Call => "in a call",
            Self::Deadlock => "in a deadlock",
            Self::Drop => "in a drop",
            Self::End => "at the end",
            Self::Panic => "in a panic",
        }
    }
}

/// Whose bug it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    /// The registrar's.
    Registrar {
        /// The scenarios that are tried first.
        scenarios: Vec<String>,
        /// The bug.
        change: Diff,
        /// What is correct at the same place.
        twin: Diff,
    },
    /// A module's, in these scenarios.
    Module(Vec<In>),
}

/// A scenario with a module that has the bug, and with one that has not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct In {
    /// With the bug.
    pub wrong: Scenario,
    /// Without.
    pub right: Scenario,
    /// The module in C of both, by its number and its file: with `NMR_BUG` defined it has the bug.
    pub in_c: Option<(usize, PathBuf)>,
}

/// The `bug.toml` of a bug of the registrar.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfRegistrar {
    story: Spanned<String>,
    rule: Rule,
    source: Option<String>,
    direct: Option<String>,
    loom: Option<String>,
    prove: Option<String>,
    shows: Option<Shows>,
    #[serde(default)]
    conditions: Conditions,
    #[serde(default)]
    scenarios: Vec<Spanned<String>>,
}

/// The `bug.toml` of a bug of a module.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfModule {
    story: Spanned<String>,
    rule: Rule,
    source: Option<String>,
    direct: Option<String>,
    loom: Option<String>,
    shows: Option<Shows>,
    #[serde(default)]
    conditions: Conditions,
    #[serde(rename = "in")]
    places: Vec<Spanned<Place>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Place {
    scenario: Spanned<String>,
    module: Spanned<String>,
    /// Keys of the module, as in a scenario.
    #[serde(default)]
    set: Table,
    /// What the right module has instead; as in the scenario if not given.
    #[serde(default)]
    twin: Table,
    /// Operations, and those that take their place.
    #[serde(default)]
    replace: BTreeMap<String, String>,
    /// The file of C, beside this one, that the module is in the place of its script. It has the bug with `NMR_BUG` defined.
    c_module: Option<Spanned<PathBuf>>,
}

/// All bugs below a folder, by name.
///
/// # Errors
/// A file cannot be read, or says something that makes no sense.
pub fn read(root: &Path) -> Result<Vec<Bug>, Error> {
    let mut bugs = Vec::new();
    for folder in folders(&root.join("registrar"))? {
        bugs.push(of_registrar(&folder)?);
    }
    for folder in folders(&root.join("modules"))? {
        bugs.push(of_module(&folder)?);
    }
    bugs.sort_by(|one: &Bug, other| one.name.cmp(&other.name));
    if let Some(twice) = bugs.windows(2).find(|two| two[0].name == two[1].name) {
        let message = format!("there are two bugs named {}", twice[0].name);
        return Err(FormatError::new(root, message).into());
    }
    Ok(bugs)
}

fn of_registrar(folder: &Path) -> Result<Bug, Error> {
    let file = File::read(folder.join("bug.toml"))?;
    let written: OfRegistrar = file.parse()?;
    for scenario in &written.scenarios {
        file.scenario(scenario)?;
    }
    let name = file.name(folder)?;
    let diff = |name: String, file: &str| -> Result<Diff, Error> {
        let File { path, text } = File::read(folder.join(file))?;
        Ok(Diff { name, path, text })
    };
    Ok(Bug {
        story: file.story(&written.story)?,
        rule: written.rule,
        source: written.source,
        direct: written.direct,
        loom: written.loom,
        prove: written.prove,
        shows: written.shows,
        conditions: written.conditions,
        of: Of::Registrar {
            scenarios: written
                .scenarios
                .into_iter()
                .map(Spanned::into_inner)
                .collect(),
            change: diff(name.clone(), "change.diff")?,
            twin: diff(format!("{name}.twin"), "twin.diff")?,
        },
        name,
    })
}

fn of_module(folder: &Path) -> Result<Bug, Error> {
    let file = File::read(folder.join("bug.toml"))?;
    let written: OfModule = file.parse()?;
    let places = written.places.iter().map(|place| file.place(place));
    Ok(Bug {
        story: file.story(&written.story)?,
        of: Of::Module(places.collect::<Result<_, _>>()?),
        rule: written.rule,
        source: written.source,
        direct: written.direct,
        loom: written.loom,
        prove: None,
        shows: written.shows,
        conditions: written.conditions,
        name: file.name(folder)?,
    })
}

/// The folders in a folder, in order. There need be none.
fn folders(parent: &Path) -> Result<Vec<PathBuf>, Error> {
    if !parent.exists() {
        return Ok(Vec::new());
    }
    let unreadable = |source| Error::Unreadable {
        path: parent.to_owned(),
        source,
    };
    let mut folders = Vec::new();
    for entry in fs::read_dir(parent).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

/// A file that was read.
struct File {
    path: PathBuf,
    text: String,
}

impl File {
    fn read(path: PathBuf) -> Result<Self, Error> {
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Self { path, text }),
            Err(source) => Err(Error::Unreadable { path, source }),
        }
    }

    fn parse<T: DeserializeOwned>(&self) -> Result<T, FormatError> {
        let parsed = toml::from_str(&self.text);
        parsed.map_err(|error| FormatError::from_toml(&self.path, &self.text, &error))
    }

    fn wrong<T>(&self, at: &Spanned<T>, message: impl Into<String>) -> FormatError {
        FormatError::new(&self.path, message).at_byte(&self.text, at.span().start)
    }

    /// A name that can be typed, and is a word of an environment variable.
    fn name(&self, folder: &Path) -> Result<String, FormatError> {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.chars().all(is_plain) {
            return Ok(name.into_owned());
        }
        let message = format!("the folder's name {name} is not in kebab case, such as lost-wakeup");
        Err(FormatError::new(&self.path, message))
    }

    fn story(&self, story: &Spanned<String>) -> Result<String, FormatError> {
        match story.get_ref().trim() {
            "" => Err(self.wrong(story, "expected what is wrong, and what a user would see")),
            told => Ok(told.to_owned()),
        }
    }

    fn scenario(&self, name: &Spanned<String>) -> Result<Scenario, FormatError> {
        scenarios::named(name.get_ref()).ok_or_else(|| {
            let all = scenarios::all();
            let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
            let nearest = select::nearest(&names, name.get_ref()).join(", ");
            let message = format!(
                "there is no scenario {}: the nearest names are {nearest}",
                name.get_ref()
            );
            self.wrong(name, message)
        })
    }

    fn place(&self, place: &Spanned<Place>) -> Result<In, FormatError> {
        let at = place;
        let place = place.get_ref();
        let scenario = self.scenario(&place.scenario)?;
        let module = place.module.get_ref();
        let Some(number) = scenario.module(module) else {
            let message = format!("{} has no module {module}", scenario.name);
            return Err(self.wrong(&place.module, message));
        };
        if let Some(file) = &place.c_module {
            return self.place_in_c(scenario, number, file);
        }
        let set = |keys, replace| {
            let changed = module::change(&scenario, module, keys, replace);
            changed
                .map_err(|why| self.wrong(at, format!("{} with this module: {why}", scenario.name)))
        };
        let wrong = set(&place.set, &place.replace)?;
        let right = set(&place.twin, &BTreeMap::new())?;
        if wrong == right {
            return Err(self.wrong(
                at,
                "the module does what the right one does: it changes nothing",
            ));
        }
        Ok(In {
            wrong,
            right,
            in_c: None,
        })
    }

    /// A scenario with a module in C: which object it is follows when it is compiled.
    fn place_in_c(
        &self,
        scenario: Scenario,
        number: usize,
        file: &Spanned<PathBuf>,
    ) -> Result<In, FormatError> {
        let path = self.path.with_file_name(file.get_ref());
        let text = fs::read_to_string(&path);
        let text = text.map_err(|error| {
            self.wrong(file, format!("{} cannot be read: {error}", path.display()))
        })?;
        if !text.contains("NMR_BUG") {
            let message = "the module does what the right one does: NMR_BUG changes nothing in it";
            return Err(self.wrong(file, message));
        }
        let name = scenario.modules[number].name.clone();
        let in_c = scenario.with_c_module(&name, CModule::new(&path));
        let in_c = in_c.map_err(|why| self.wrong(file, why))?;
        Ok(In {
            wrong: in_c.clone(),
            right: in_c,
            in_c: Some((number, path)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Bug, Of, Shows, read};
    use crate::bugs::plant::{plant, tree};
    use crate::exit::Exit;
    use nmr_models::rule::Rule;
    use nmr_models::scenario::Detach;
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    const REGISTRAR: &str = "\
story = \"It is wrong. One sees it.\"
rule = \"C7\"
source = \"somewhere\"
scenarios = [\"two-lives\"]
";

    const MODULE: &str = "\
story = \"It is wrong. One sees it.\"
rule = \"C16\"

[[in]]
scenario = \"both-deregister\"
module = \"p\"
set = { detach = \"pending\" }
twin = { null-context = true }
";

    /// A folder of bugs: kind and name, and their `bug.toml`.
    fn folder(bugs: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a folder");
        for (place, text) in bugs {
            let folder = root.path().join(place);
            fs::create_dir_all(&folder).expect("made");
            fs::write(folder.join("bug.toml"), text).expect("written");
            if place.starts_with("registrar") {
                fs::write(folder.join("change.diff"), "wrong").expect("written");
                fs::write(folder.join("twin.diff"), "right").expect("written");
            }
        }
        root
    }

    fn all(bugs: &[(&str, &str)]) -> Vec<Bug> {
        let root = folder(bugs);
        read(root.path()).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Without the path of the folder.
    fn refused(bugs: &[(&str, &str)]) -> String {
        let root = folder(bugs);
        let error = read(root.path()).expect_err("it makes no sense");
        assert_eq!(error.exit(), Exit::Usage, "{error}");
        let text = error.to_string();
        let path = root.path().display().to_string();
        text.replace(&format!("{path}/"), "").replace(&path, "")
    }

    #[test]
    fn a_bug_of_the_registrar_is_two_diffs() {
        let bugs = all(&[("registrar/seven", REGISTRAR)]);
        let [bug] = &bugs[..] else {
            panic!("it is one");
        };
        assert_eq!((bug.name.as_str(), bug.rule), ("seven", Rule::new(7)));
        let Of::Registrar {
            scenarios,
            change,
            twin,
        } = &bug.of
        else {
            panic!("it is the registrar's");
        };
        assert_eq!(scenarios, &["two-lives"]);
        assert_eq!(
            (change.name.as_str(), change.text.as_str()),
            ("seven", "wrong")
        );
        assert_eq!(
            (twin.name.as_str(), twin.text.as_str()),
            ("seven.twin", "right")
        );
    }

    #[test]
    fn a_bug_of_a_module_is_scenarios() {
        let bugs = all(&[("modules/sixteen", MODULE)]);
        let Of::Module(places) = &bugs[0].of else {
            panic!("it is a module's");
        };
        let [place] = &places[..] else {
            panic!("it is one");
        };
        assert_eq!(place.wrong.modules[1].detach, Detach::Pending);
        assert!(!place.wrong.modules[1].null_context && place.right.modules[1].null_context);
    }

    #[test]
    fn they_come_by_name_whichever_kind_they_are() {
        let some = [
            ("registrar/b", REGISTRAR),
            ("modules/a", MODULE),
            ("registrar/c", REGISTRAR),
        ];
        let bugs = all(&some);
        let names: Vec<&str> = bugs.iter().map(|bug| bug.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c"]);
        assert_eq!(all(&[]), []);
        let twice = refused(&[("registrar/a", REGISTRAR), ("modules/a", MODULE)]);
        assert!(twice.ends_with("there are two bugs named a"), "{twice}");
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_line() {
        for (from, to, expected) in [
            (
                "rule = \"C7\"",
                "rule = \"C77\"",
                "2:8: `C77` is not a rule, C1 to C19",
            ),
            (
                "source",
                "sauce",
                "3:1: unknown field `sauce`, expected one of ",
            ),
            ("rule = \"C7\"\n", "", "1:1: missing field `rule`"),
            (
                "It is wrong. One sees it.",
                " ",
                "1:9: expected what is wrong, and ",
            ),
            (
                "two-lives",
                "to-lives",
                "4:14: there is no scenario to-lives: the nearest names are two-lives, ",
            ),
        ] {
            assert!(REGISTRAR.contains(from));
            let error = refused(&[("registrar/a", &REGISTRAR.replace(from, to))]);
            assert!(
                error.starts_with(&format!("registrar/a/bug.toml:{expected}")),
                "{error}"
            );
        }
        let name = refused(&[("registrar/Lost_Wakeup", REGISTRAR)]);
        assert!(name.contains("Lost_Wakeup is not in kebab case"), "{name}");
    }

    #[test]
    fn a_module_that_makes_no_sense_is_refused_with_its_line() {
        for (from, to, expected) in [
            (
                "module = \"p\"",
                "module = \"q\"",
                "6:10: both-deregister has no module q",
            ),
            ("set = {", "sit = {", "7:1: unknown field `sit`"),
            (
                "{ detach = \"pending\" }",
                "{ detach = \"never\" }",
                "4:1: both-deregister with this module: unknown variant `never`",
            ),
            (
                "{ detach = \"pending\" }",
                "{ null-context = true }",
                "4:1: the module does what the right one does: it changes nothing",
            ),
            (
                "twin = {",
                "replace = { \"complete p\" = \"yield\" }\ntwin = {",
                "4:1: both-deregister with this module: no thread and no callback does `complete p`",
            ),
        ] {
            assert!(MODULE.contains(from));
            let error = refused(&[("modules/a", &MODULE.replace(from, to))]);
            assert!(
                error.starts_with(&format!("modules/a/bug.toml:{expected}")),
                "{error}"
            );
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let root = folder(&[("registrar/a", REGISTRAR)]);
        fs::remove_file(root.path().join("registrar/a/twin.diff")).expect("it was there");
        let error = read(root.path()).expect_err("one is missing");
        assert_eq!(error.exit(), Exit::Usage);
        assert!(error.to_string().contains("a/twin.diff: "), "{error}");
    }

    /// A hollow success that is believed (C4) has no such bug: real threads run without the table's assertions,
    /// and to them it is a crash.
    #[test]
    fn each_rule_and_each_way_to_break_it_has_a_bug_that_every_engine_must_find() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/bugs");
        let bugs = read(&root).unwrap_or_else(|error| panic!("{error}"));
        let shown = bugs.iter().filter(|bug| bug.shows.is_some());
        let rules: BTreeSet<Rule> = shown.clone().map(|bug| bug.rule).collect();
        let missing = Rule::all().filter(|rule| !rules.contains(rule));
        let missing: Vec<Rule> = missing.collect();
        assert_eq!(missing, [Rule::new(4)]);
        let ways: BTreeSet<Shows> = shown.filter_map(|bug| bug.shows).collect();
        assert_eq!(ways.len(), 6, "{ways:?}");
    }

    /// That they compile, and are found, takes minutes: `nmr bugs` shows it.
    #[test]
    fn every_bug_of_the_repository_applies_and_changes_a_body() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let bugs = read(&root.join("models/bugs")).unwrap_or_else(|error| panic!("{error}"));
        let diffs = bugs.iter().filter_map(|bug| match &bug.of {
            Of::Registrar { change, twin, .. } => Some([change.clone(), twin.clone()]),
            Of::Module(_) => None,
        });
        let diffs: Vec<_> = diffs.flatten().collect();
        let files = tree::read(&root).expect("it can be read");
        let planted = plant(&tree::code(&files), &diffs).unwrap_or_else(|error| panic!("{error}"));
        assert!(diffs.len() >= 162, "{} diffs", diffs.len());
        assert_eq!(planted.places.len(), diffs.len());
        for (path, file) in &planted.files {
            syn::parse_file(&file.text).unwrap_or_else(|error| panic!("{path}: {error}"));
        }
    }
}
