//! Where in which file a finding is: the lines of its scenario, and the lines of the source that its message names.
//!
//! A thread's place is the operation that its schedule was last in; what has no schedule is at the top of its scenario.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use nmr_models::case::Case;
use toml_edit::{Document, Item, Value};

use super::{Tested, in_repository};

/// A line of a file, both counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The file, from the top of the repository.
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) column: usize,
}

/// A step of a schedule, and where the thread was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) thread: String,
    /// What it does, as the schedule says it.
    pub(super) text: String,
    pub(super) place: Place,
}

/// Where it is, if it has a file: the last step's operation, or the top of the scenario.
pub(super) fn of(root: &Path, tested: &Tested) -> Option<Place> {
    if let Some(last) = steps(root, tested).pop() {
        return Some(last.place);
    }
    let file = file(tested)?;
    Some(Place {
        file: in_repository(root, &file),
        line: 1,
        column: 1,
    })
}

/// The steps of its schedule, each at the operation of its thread; none without a schedule.
pub(super) fn steps(root: &Path, tested: &Tested) -> Vec<Step> {
    let case = tested
        .case
        .as_ref()
        .and_then(|case| fs::read_to_string(case).ok());
    let schedule = case.and_then(|text| toml::from_str::<Case>(&text).ok());
    let schedule = schedule.map(|case| case.schedule).unwrap_or_default();
    let Some(file) = file(tested) else {
        return Vec::new();
    };
    let Ok(text) = fs::read_to_string(&file) else {
        return Vec::new();
    };
    let operations = Operations::of(&text);
    let file = in_repository(root, &file);
    let steps = schedule.iter().filter_map(|step| {
        let (thread, does) = step.split_once(": ")?;
        let at = operations.at(thread, does);
        let (line, column) = position(&text, at);
        let place = Place {
            file: file.clone(),
            line,
            column,
        };
        Some(Step {
            thread: thread.to_owned(),
            text: does.to_owned(),
            place,
        })
    });
    steps.collect()
}

/// The places in sources that a message names, each as `path:line:column`, once.
pub(super) fn in_message(root: &Path, message: &str) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for word in message.split(|c: char| c.is_whitespace() || matches!(c, '`' | '(' | ')' | ',')) {
        let mut parts = word.trim_end_matches(':').rsplitn(3, ':');
        let numbers = [parts.next(), parts.next()].map(|part| part?.parse::<usize>().ok());
        let ([Some(column), Some(line)], Some(file)) = (numbers, parts.next()) else {
            continue;
        };
        let place = Place {
            file: in_repository(root, Path::new(file)),
            line,
            column,
        };
        if root.join(&place.file).is_file() && !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

/// The scenario's own file if it is there, or the case, which holds a copy.
fn file(tested: &Tested) -> Option<PathBuf> {
    let scenario = tested.scenario.clone().filter(|file| file.is_file());
    scenario.or_else(|| tested.case.clone().filter(|file| file.is_file()))
}

/// Where the operations of each thread stand in a scenario's text.
struct Operations {
    /// Thread, operation, and where it is.
    all: Vec<(String, String, usize)>,
}

impl Operations {
    /// None of what is no scenario.
    fn of(text: &str) -> Self {
        let mut all = Vec::new();
        if let Ok(document) = Document::parse(text) {
            let top = document.as_item();
            let scenario = top.get("scenario").unwrap_or(top);
            for list in ["before", "after"] {
                add(&mut all, "main", scenario.get(list));
            }
            let threads = scenario.get("thread").and_then(Item::as_array_of_tables);
            for thread in threads.into_iter().flatten() {
                let name = thread.get("name").and_then(Item::as_str);
                add(&mut all, name.unwrap_or_default(), thread.get("ops"));
            }
        }
        Self { all }
    }

    /// The operation that a step names, the first of its thread if it names none, or the top.
    fn at(&self, thread: &str, step: &str) -> usize {
        let of_it = || self.all.iter().filter(|(of, ..)| of == thread);
        let named = of_it().find(|(_, operation, _)| step.contains(&format!("`{operation}`")));
        named.or_else(|| of_it().next()).map_or(0, |&(.., at)| at)
    }
}

fn add(all: &mut Vec<(String, String, usize)>, thread: &str, list: Option<&Item>) {
    let values = list.and_then(Item::as_array).into_iter().flatten();
    for value in values {
        let at = value.span().map_or(0, |Range { start, .. }| start);
        let operation = Value::as_str(value).unwrap_or_default();
        all.push((thread.to_owned(), operation.to_owned(), at));
    }
}

/// Line and column of a byte, from 1.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at.min(text.len())];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default();
    (line, column.chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::{Operations, in_message, position};
    use std::path::Path;

    const SCENARIO: &str = r#"name = "two"
before = ["register p"]

[[thread]]
name = "one"
ops = [
    "register c",
    "deregister c",
]
"#;

    #[test]
    fn a_step_is_at_the_operation_that_it_names() {
        let operations = Operations::of(SCENARIO);
        let at = |thread, step| position(SCENARIO, operations.at(thread, step));
        assert_eq!(at("one", "acquire Mutex.1 after `deregister c`"), (8, 5));
        assert_eq!(at("one", "begin"), (7, 5));
        assert_eq!(at("main", "linger after `register p`"), (2, 11));
        assert_eq!(at("nobody", "begin"), (1, 1));
        let copied = SCENARIO.replace("[[thread]]", "[[scenario.thread]]");
        let copied = format!("[scenario]\n{copied}");
        assert_eq!(
            position(&copied, Operations::of(&copied).at("one", "begin")).0,
            8
        );
    }

    #[test]
    fn a_message_names_the_lines_that_are_there() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let message =
            "thread t sleeps at src/outputs.rs:8:14: nobody; at src/none.rs:1:1, at 12:30:40";
        let places = in_message(root, message);
        let [place] = places.as_slice() else {
            panic!("{places:?}");
        };
        assert_eq!(
            (place.file.as_str(), place.line, place.column),
            ("src/outputs.rs", 8, 14)
        );
    }
}
