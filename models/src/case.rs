//! A case: a scenario with the engine, seed and schedule that broke a rule, in one TOML file.
//!
//! A person can read it, and change the scenario in it. It says what happened; to make it happen
//! again is the business of [`replay`](crate::replay).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::conditions::Conditions;
use crate::engine::{Exploration, Request};
use crate::engine_name::Engine;
use crate::prove::Violation;
use crate::replay::Replayed;
use crate::rule::Rule;
use crate::scenario::{FormatError, Scenario, Thread};
use crate::sections::Sections;

/// The `kind` of these case files.
pub const KIND: &str = "schedule";

/// See the [module's documentation](self).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Case {
    /// Always [`KIND`].
    kind: Kind,
    /// The engine that found it.
    pub engine: Engine,
    /// The seed of a sampling engine. Not of a schedule that was found later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The rule that broke; none for a crash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// What happened.
    pub message: String,
    /// It was found in this execution, counted from 1. Not of a schedule that was found later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executions: Option<u64>,
    /// The preemption bound of the search. Not of a schedule that was found later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound: Option<usize>,
    /// Whether who waited could wake without a notification. The other conditions of a search stand in the scenario.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub spurious_wakeups: bool,
    /// What found it: version and commit. Older cases do not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What is to come of it where the code is as it should be: `fixed` if not given, or `reproduces` of a
    /// scenario that is at fault itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expectation>,
    /// The steps of its schedule, each with thread, operation and place. Empty if the engine cannot follow
    /// one. Cases without a version have the threads in the order in which they took steps, each as `name` or
    /// `name*count`, which nobody can follow any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schedule: Vec<String>,
    /// The path of a search without threads, until there is a schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sections: Option<Sections>,
    /// The scenario.
    pub scenario: Scenario,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Schedule,
}

/// What came of a case when it was last right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expectation {
    /// Its scenario is exhausted without the rule's being broken.
    #[default]
    Fixed,
    /// The rule breaks.
    Reproduces,
}

/// This version, as cases name it.
#[must_use]
pub fn version() -> String {
    format!("{} ({})", env!("CARGO_PKG_VERSION"), nmr_explorer::COMMIT)
}

/// Whether a case that names this version can be expected to be understood: whatever the commit, the version is this one.
#[must_use]
pub fn is_of_this_version(version: &str) -> bool {
    version.split_whitespace().next() == Some(env!("CARGO_PKG_VERSION"))
}

impl Case {
    /// The case of an exploration that found something.
    #[must_use]
    pub fn new(request: &Request, exploration: &Exploration) -> Option<Self> {
        let finding = exploration.finding.as_ref()?;
        Some(Self {
            kind: Kind::Schedule,
            engine: request.engine,
            seed: request.engine.is_sampling().then_some(request.seed),
            rule: finding.rule,
            message: finding.message.clone(),
            executions: Some(exploration.executions),
            bound: exploration.bound,
            spurious_wakeups: request.conditions.spurious_wakeups,
            version: Some(version()),
            expect: None,
            schedule: exploration.schedule.clone(),
            sections: exploration.sections.clone(),
            scenario: request.scenario.as_ref().clone(),
        })
    }

    /// The case of a program that breaks something.
    #[must_use]
    pub fn of_program(
        engine: Engine,
        conditions: Conditions,
        scenario: Scenario,
        violation: &Violation,
    ) -> Self {
        Self {
            kind: Kind::Schedule,
            engine,
            seed: None,
            rule: violation.rule,
            message: violation.message.clone(),
            executions: violation.executions,
            bound: None,
            spurious_wakeups: conditions.spurious_wakeups,
            version: Some(version()),
            expect: None,
            schedule: violation.schedule.clone(),
            sections: violation.sections.clone(),
            scenario,
        }
    }

    /// What its engine has to bring about, besides what stands in the scenario.
    #[must_use]
    pub const fn conditions(&self) -> Conditions {
        Conditions {
            spurious_wakeups: self.spurious_wakeups,
            complete_any: false,
        }
    }

    /// The case with the schedule that breaks its rule now, and without what is said of the search that found the old
    /// one; `None` if there is no other one.
    #[must_use]
    pub fn updated(&self, replayed: &Replayed) -> Option<Self> {
        let is_it = replayed.broken == self.rule && !replayed.schedule.is_empty();
        (is_it && replayed.schedule != self.schedule).then(|| Self {
            version: Some(version()),
            message: replayed.message.clone(),
            schedule: replayed.schedule.clone(),
            sections: None,
            seed: None,
            executions: None,
            bound: None,
            ..self.clone()
        })
    }

    /// Reads a case; `path` is for messages only.
    ///
    /// # Errors
    /// With file, line, what is wrong and what was expected.
    pub fn from_toml(path: &Path, text: &str) -> Result<Self, FormatError> {
        let case: Self =
            toml::from_str(text).map_err(|error| FormatError::from_toml(path, text, &error))?;
        case.scenario.check_within(path, text, Some("scenario"))?;
        if let Some(sections) = &case.sections
            && let Some(step) = sections.strange(&case.scenario)
        {
            let expected =
                "expected `main`, or a thread of the scenario, perhaps with `*count` or `/choice`";
            let message = format!("`{step}` is no step: {expected}");
            return Err(FormatError::new(path, message).at_mention(text, step));
        }
        if case.has_steps() {
            return case.check_steps(path, text).map(|()| case);
        }
        match case.schedule.iter().find(|step| !case.is_counted(step)) {
            None => Ok(case),
            Some(step) => {
                let expected =
                    "expected `main`, or a thread of the scenario, perhaps with `*count`";
                let message = format!("`{step}` is no step: {expected}");
                Err(FormatError::new(path, message).at_mention(text, step))
            }
        }
    }

    #[cfg(shuttle)]
    fn check_steps(&self, path: &Path, text: &str) -> Result<(), FormatError> {
        let schedule = nmr_explorer::Schedule::try_from(self.schedule.clone());
        schedule.map(drop).map_err(|wrong| {
            FormatError::new(path, wrong.to_string()).at_mention(text, wrong.text())
        })
    }

    /// Only the build that follows them knows.
    #[cfg(not(shuttle))]
    fn check_steps(&self, _path: &Path, _text: &str) -> Result<(), FormatError> {
        Ok(())
    }

    /// The text form.
    ///
    /// # Panics
    /// Never: a case has a text form.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a case has a text form")
    }

    /// Writes the case into a folder, under a name made of what it is about.
    ///
    /// # Errors
    /// The folder cannot be made or the file not written.
    pub fn save(&self, folder: &Path) -> io::Result<PathBuf> {
        let rule = self
            .rule
            .map_or("crash".to_owned(), |rule| rule.to_string().to_lowercase());
        let seed = self.seed.map(|seed| format!("-{seed}")).unwrap_or_default();
        let name = format!("{}-{}-{rule}{seed}.toml", self.scenario.name, self.engine);
        fs::create_dir_all(folder)?;
        let path = folder.join(name);
        fs::write(&path, self.to_toml())?;
        Ok(path)
    }

    /// Whether the schedule says what each thread does, so that it can be followed.
    #[must_use]
    pub fn has_steps(&self) -> bool {
        self.schedule.iter().any(|step| step.contains(": "))
    }

    /// The schedule, if it can be followed.
    #[cfg(shuttle)]
    #[must_use]
    pub fn schedule(&self) -> Option<nmr_explorer::Schedule> {
        let schedule = self.has_steps().then(|| self.schedule.clone())?;
        nmr_explorer::Schedule::try_from(schedule).ok()
    }

    /// Whether a step is one of the old ones: a thread, perhaps with a count.
    fn is_counted(&self, step: &str) -> bool {
        let (name, count) = step.split_once('*').unwrap_or((step, "1"));
        let is_a_thread = |thread: &Thread| thread.name == name;
        (name == "main" || self.scenario.threads.iter().any(is_a_thread))
            && count.parse::<usize>().is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
kind = "schedule"
engine = "random"
seed = 7
rule = "C7"
message = "m0–m1 is detached twice"
executions = 12
schedule = ["main*2", "t1", "t2*3", "t1"]

[scenario]
name = "two"
summary = "two threads"

[[scenario.module]]
name = "c"
side = "client"

[[scenario.thread]]
name = "t1"
ops = ["register c"]

[[scenario.thread]]
name = "t2"
ops = ["deregister c"]
"#;

    fn read(text: &str) -> Result<Case, String> {
        Case::from_toml(Path::new("case.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_case_goes_through_its_text_form_unchanged() {
        let case = read(TEXT).unwrap();
        assert_eq!(read(&case.to_toml()), Ok(case));
    }

    #[test]
    fn an_old_schedule_is_read_and_cannot_be_followed() {
        let case = read(TEXT).unwrap();
        assert!(!case.has_steps() && !case.schedule.is_empty());
    }

    #[test]
    fn a_schedule_of_steps_is_read() {
        let text = TEXT.replace("\"main*2\", \"t1\", \"t2*3\", \"t1\"", "\"t1: begin\"");
        assert!(read(&text).unwrap().has_steps());
        #[cfg(shuttle)]
        {
            let wrong = read(&text.replace("t1: begin", "t1: leap")).unwrap_err();
            assert!(wrong.starts_with("case.toml:8:"), "{wrong}");
            assert!(wrong.contains("no action `leap`"), "{wrong}");
        }
    }

    #[test]
    fn a_step_of_a_stranger_is_refused_with_its_line() {
        let error = read(&TEXT.replace("\"t2*3\"", "\"t9*3\"")).unwrap_err();
        assert_eq!(
            error,
            "case.toml:8:30: `t9*3` is no step: expected `main`, or a thread of the scenario, \
             perhaps with `*count`"
        );
    }

    #[test]
    fn a_case_is_saved_under_what_it_is_about() {
        let folder = tempfile::tempdir().unwrap();
        let path = read(TEXT)
            .unwrap()
            .save(&folder.path().join("new"))
            .unwrap();
        assert_eq!(path.file_name().unwrap(), "two-random-c7-7.toml");
        assert_eq!(read(&fs::read_to_string(path).unwrap()), read(TEXT));
    }
}
