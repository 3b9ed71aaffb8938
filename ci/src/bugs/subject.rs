//! A bug as it is looked for: what is chosen, and in which scenarios. Pure.

use std::path::{Path, PathBuf};

use nmr_models::conditions::Conditions;
use nmr_models::engine_name::Engine;
use nmr_models::process::Source;
use nmr_models::rule::Rule;
use nmr_models::scenario::{MAX_LOOM_THREADS, Scenario};

use super::data::{Bug, Of, Shows};

/// What takes the explorer seconds and shows little that a smaller scenario does not.
pub const SLOWEST: &str = "four-lives";

/// A bug to be looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its name.
    pub name: String,
    /// What is wrong.
    pub story: String,
    /// The file and the function that it is in, or `module`.
    pub place: String,
    /// The rule that it breaks.
    pub rule: Rule,
    /// Why the direct engine cannot find it.
    pub direct: Option<String>,
    /// Why loom cannot find it.
    pub loom: Option<String>,
    /// Why no program of the sizes shows it.
    pub prove: Option<String>,
    /// Where it shows itself in every execution of its first scenario.
    pub shows: Option<Shows>,
    /// What has to be in force for it to show.
    pub conditions: Conditions,
    /// Whether it is one of a module in C.
    pub is_in_c: bool,
    /// What is chosen in the planted worker, for the bug and for its twin.
    pub chosen: Option<[String; 2]>,
    /// The scenarios, the bug's own first.
    pub cases: Vec<Case>,
    /// How many are its own.
    pub own: usize,
}

/// A scenario for a bug.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The scenario's name.
    pub scenario: String,
    /// Where it is, with the bug.
    pub wrong: Source,
    /// Where it is, without.
    pub right: Source,
    /// Threads beside the main one.
    threads: usize,
    /// Whether a module of it is in C.
    is_in_c: bool,
}

impl Case {
    /// Whether the engine has room for it.
    #[must_use]
    pub fn fits(&self, engine: Engine) -> bool {
        let has_room = engine != Engine::Loom || self.threads <= MAX_LOOM_THREADS;
        has_room && (!self.is_in_c || engine.runs_c_modules())
    }
}

/// A file to be written before a scenario in it can be run.
pub type ScenarioFile = (PathBuf, String);

impl Subject {
    /// Why an engine cannot find it.
    #[must_use]
    pub fn excuse(&self, engine: Engine) -> Option<&str> {
        if !self.conditions.are_known_to(engine) {
            return Some("its conditions cannot be brought about");
        }
        if self.is_in_c && !engine.runs_c_modules() {
            return Some("it does not run modules in C");
        }
        match engine {
            Engine::Direct => self.direct.as_deref(),
            Engine::Loom => self.loom.as_deref(),
            _ => None,
        }
    }

    /// A bug of the registrar: all scenarios, those that it names first.
    #[must_use]
    pub fn of_registrar(bug: &Bug, places: &[(String, String)], all: &[Scenario]) -> Option<Self> {
        let Of::Registrar {
            scenarios,
            change,
            twin,
        } = &bug.of
        else {
            return None;
        };
        let own = scenarios
            .iter()
            .filter_map(|name| all.iter().find(|one| one.name == *name));
        let own: Vec<&Scenario> = own.collect();
        let others = all.iter().filter(|one| !scenarios.contains(&one.name));
        let case = |scenario: &&Scenario| {
            let source = Source::Named(scenario.name.clone());
            Case::new(scenario, source.clone(), source)
        };
        Some(Self {
            chosen: Some([change.name.clone(), twin.name.clone()]),
            cases: own
                .iter()
                .copied()
                .chain(others)
                .map(|one| case(&one))
                .collect(),
            own: own.len(),
            ..Self::new(bug, in_words(places))
        })
    }

    /// A bug of a module: its own scenarios, and the files in which they are.
    #[must_use]
    pub fn of_module(bug: &Bug, folder: &Path) -> Option<(Self, Vec<ScenarioFile>)> {
        let Of::Module(places) = &bug.of else {
            return None;
        };
        let mut files = Vec::new();
        let mut file = |scenario: &Scenario, number: usize, which: &str| {
            let path = folder.join(format!("{}-{number}-{which}.toml", bug.name));
            files.push((path.clone(), scenario.to_toml()));
            let name = scenario.name.clone();
            Source::File { path, name }
        };
        let cases = (1..).zip(places).map(|(number, place)| {
            let wrong = file(&place.wrong, number, "wrong");
            let right = file(&place.right, number, "right");
            Case::new(&place.wrong, wrong, right)
        });
        let cases: Vec<Case> = cases.collect();
        let subject = Self {
            own: cases.len(),
            is_in_c: places.iter().any(|place| place.in_c.is_some()),
            cases,
            ..Self::new(bug, "module".to_owned())
        };
        Some((subject, files))
    }

    fn new(bug: &Bug, place: String) -> Self {
        Self {
            name: bug.name.clone(),
            story: bug.story.clone(),
            place,
            rule: bug.rule,
            direct: bug.direct.clone(),
            loom: bug.loom.clone(),
            prove: bug.prove.clone(),
            shows: bug.shows,
            conditions: bug.conditions,
            is_in_c: false,
            chosen: None,
            cases: Vec::new(),
            own: 0,
        }
    }
}

impl Case {
    fn new(scenario: &Scenario, wrong: Source, right: Source) -> Self {
        Self {
            scenario: scenario.name.clone(),
            wrong,
            right,
            threads: scenario.threads.len(),
            is_in_c: scenario.has_c_modules(),
        }
    }
}

/// `file: function, function; file: function`, each once.
fn in_words(places: &[(String, String)]) -> String {
    let mut files: Vec<(&str, Vec<&str>)> = Vec::new();
    for (file, function) in places {
        match files.last_mut() {
            Some((last, functions)) if last == file => {
                if !functions.contains(&function.as_str()) {
                    functions.push(function);
                }
            }
            _ => files.push((file, vec![function])),
        }
    }
    let words = files
        .iter()
        .map(|(file, functions)| format!("{file}: {}", functions.join(", ")));
    words.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::{Case, Subject, in_words};
    use crate::bugs::data::{Bug, In, Of};
    use crate::bugs::samples::registrar_bug;
    use nmr_models::engine_name::Engine;
    use nmr_models::process::Source;
    use nmr_models::scenario::Detach;
    use nmr_models::scenarios;
    use std::path::Path;

    #[test]
    fn a_bug_of_the_registrar_has_all_scenarios_and_its_own_first() {
        let bug = registrar_bug("stranded", &["two-waiters", "both-pending"]);
        let all = scenarios::all();
        let places = [("core/src/a.rs".to_owned(), "f".to_owned())];
        let subject = Subject::of_registrar(&bug, &places, &all).expect("it is the registrar's");
        let names: Vec<&str> = subject
            .cases
            .iter()
            .map(|case| case.scenario.as_str())
            .collect();
        assert_eq!(
            names[..3],
            ["two-waiters", "both-pending", "a-certain-provider"]
        );
        assert_eq!((subject.cases.len(), subject.own), (all.len(), 2));
        assert_eq!(subject.place, "core/src/a.rs: f");
        let chosen = ["stranded", "stranded.twin"].map(str::to_owned);
        assert_eq!(subject.chosen, Some(chosen));
    }

    #[test]
    fn a_bug_of_a_module_has_its_own_scenarios_in_files() {
        let right = scenarios::named("both-deregister").expect("it is there");
        let mut wrong = right.clone();
        wrong.modules[0].detach = Detach::Pending;
        let place = In {
            wrong,
            right,
            in_c: None,
        };
        let bug = Bug {
            of: Of::Module(vec![place]),
            ..registrar_bug("never-completes", &[])
        };
        let (subject, files) = Subject::of_module(&bug, Path::new("/f")).expect("it is a module's");
        let file = |name: &str| Source::File {
            path: Path::new("/f").join(name),
            name: "both-deregister".to_owned(),
        };
        let Case { wrong, right, .. } = &subject.cases[0];
        assert_eq!(*wrong, file("never-completes-1-wrong.toml"));
        assert_eq!(*right, file("never-completes-1-right.toml"));
        assert_eq!((subject.place.as_str(), subject.chosen), ("module", None));
        assert!(files[0].1.contains("pending") && !files[1].1.contains("pending"));
    }

    #[test]
    fn loom_has_room_for_four_threads() {
        let bug = registrar_bug("stranded", &["two-lives"]);
        let subject = Subject::of_registrar(&bug, &[], &scenarios::all()).expect("it is one");
        let mut case = subject.cases[0].clone();
        assert!(case.fits(Engine::Loom));
        case.threads = 5;
        assert!(!case.fits(Engine::Loom) && case.fits(Engine::Explorer));
    }

    #[test]
    fn places_are_named_once() {
        let place = |file: &str, function: &str| (file.to_owned(), function.to_owned());
        let places = [
            place("a", "f"),
            place("a", "g"),
            place("a", "f"),
            place("b", "h"),
        ];
        assert_eq!(in_words(&places), "a: f, g; b: h");
    }
}
