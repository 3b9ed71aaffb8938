//! A case: a scenario with the engine, seed and schedule that broke a rule, in one TOML file.
//!
//! A person can read it, and change the scenario in it. It says what happened; to make it happen
//! again is the worker's business.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::engine::{Exploration, Request};
use crate::report::{Engine, Rule};
use crate::scenario::{FormatError, Scenario};

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
    /// The seed of a sampling engine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The rule that broke; none for a crash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// What happened.
    pub message: String,
    /// It was found in this execution, counted from 1.
    pub executions: u64,
    /// The preemption bound of the search.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound: Option<usize>,
    /// Of the explorer the steps of its schedule, each with thread, operation and place. Of shuttle's schedulers the
    /// threads in the order in which they took steps, each as `name` or `name*count`. Empty if the engine
    /// cannot follow one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schedule: Vec<String>,
    /// The scenario.
    pub scenario: Scenario,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Schedule,
}

impl Case {
    /// The case of an exploration that found something.
    #[must_use]
    pub fn new(request: &Request, exploration: &Exploration) -> Option<Self> {
        let finding = exploration.finding.as_ref()?;
        let scenario = request.scenario.as_ref().clone();
        Some(Self {
            kind: Kind::Schedule,
            engine: request.engine,
            seed: request.engine.is_sampling().then_some(request.seed),
            rule: finding.rule,
            message: finding.message.clone(),
            executions: exploration.executions,
            bound: exploration.bound,
            schedule: match exploration.steps.is_empty() {
                true => written(&scenario, &exploration.schedule),
                false => exploration.steps.clone(),
            },
            scenario,
        })
    }

    /// Reads a case; `path` is for messages only.
    ///
    /// # Errors
    /// With file, line, what is wrong and what was expected.
    pub fn from_toml(path: &Path, text: &str) -> Result<Self, FormatError> {
        let case: Self =
            toml::from_str(text).map_err(|error| FormatError::from_toml(path, text, &error))?;
        case.scenario.check(path, text)?;
        case.steps().map_err(|step| {
            let expected = "expected `main`, or a thread of the scenario, perhaps with `*count`";
            let message = format!("`{step}` is no step: {expected}");
            FormatError::new(path, message).at_mention(text, &step)
        })?;
        #[cfg(shuttle)]
        if case.has_words() {
            nmr_explorer::Schedule::try_from(case.schedule.clone()).map_err(|wrong| {
                FormatError::new(path, wrong.to_string()).at_mention(text, wrong.text())
            })?;
        }
        Ok(case)
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

    /// Whether the schedule says what each thread does.
    #[must_use]
    pub fn has_words(&self) -> bool {
        self.schedule.iter().any(|step| step.contains(": "))
    }

    /// The schedule as numbers of threads: 0 is the main one. The error is the step that is none.
    ///
    /// # Errors
    /// The first step that names no thread of the scenario.
    pub fn steps(&self) -> Result<Vec<u8>, String> {
        let mut steps = Vec::new();
        if self.has_words() {
            return Ok(steps);
        }
        for step in &self.schedule {
            let (name, count) = match step.split_once('*') {
                Some((name, count)) => (name, count.parse().map_err(|_| step.clone())?),
                None => (step.as_str(), 1),
            };
            let threads = self.scenario.threads.iter();
            let mut names = std::iter::once("main").chain(threads.map(|t| t.name.as_str()));
            let number = names
                .position(|other| other == name)
                .ok_or_else(|| step.clone())?;
            steps.extend(std::iter::repeat_n(number as u8, count));
        }
        Ok(steps)
    }
}

/// The name of a thread by its number.
#[must_use]
pub fn thread_name(scenario: &Scenario, number: u8) -> &str {
    match usize::from(number).checked_sub(1) {
        Some(index) => &scenario.threads[index].name,
        None => "main",
    }
}

/// The schedule by names, repetitions counted.
fn written(scenario: &Scenario, steps: &[u8]) -> Vec<String> {
    let runs = steps.chunk_by(|a, b| a == b);
    runs.map(|run| match (thread_name(scenario, run[0]), run.len()) {
        (name, 1) => name.to_owned(),
        (name, count) => format!("{name}*{count}"),
    })
    .collect()
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
    fn a_schedule_is_written_by_names_with_repetitions_counted() {
        let case = read(TEXT).unwrap();
        let steps = case.steps().unwrap();
        assert_eq!(steps, [0, 0, 1, 2, 2, 2, 1]);
        assert_eq!(written(&case.scenario, &steps), case.schedule);
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
