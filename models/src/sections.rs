//! The path of a search without threads, as a case keeps it: whose critical section comes when.
//!
//! It means something to the very program that was searched. On threads it is made again at once
//! ([`replay`](crate::replay)), and a schedule is what is kept then.

use serde::{Deserialize, Serialize};

use crate::direct::Action;
use crate::scenario::Scenario;

/// See the [module's documentation](self).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sections {
    /// Whether what the registrar lets go of is dropped within the section's own step.
    drops_at_once: bool,
    /// The threads in the order of their steps: `name`, `name*count` for several in a row, and `name/choice` where the
    /// thread takes another than the first of several pending detaches.
    steps: Vec<String>,
}

impl Sections {
    pub(crate) fn new(scenario: &Scenario, drops_at_once: bool, path: &[Action]) -> Self {
        let runs = path.chunk_by(|one, other| one.choice == 0 && one == other);
        let step = |run: &[Action]| {
            let Action { thread, choice } = run[0];
            let name = scenario.thread_name(thread);
            match (choice, run.len()) {
                (0, 1) => name.to_owned(),
                (0, several) => format!("{name}*{several}"),
                (choice, _) => format!("{name}/{choice}"),
            }
        };
        Self {
            drops_at_once,
            steps: runs.map(step).collect(),
        }
    }

    /// The first step that is none, if there is one.
    pub(crate) fn strange(&self, scenario: &Scenario) -> Option<&str> {
        let mut steps = self.steps.iter();
        let strange = steps.find(|step| read(scenario, step).is_none());
        strange.map(String::as_str)
    }

    #[cfg(shuttle)]
    pub(crate) const fn drops_at_once(&self) -> bool {
        self.drops_at_once
    }

    /// The steps one by one. None of them is [strange](Self::strange).
    #[cfg(shuttle)]
    pub(crate) fn path(&self, scenario: &Scenario) -> Vec<Action> {
        let steps = self.steps.iter().filter_map(|step| read(scenario, step));
        let each = |(action, count)| std::iter::repeat_n(action, count);
        steps.flat_map(each).collect()
    }
}

fn read(scenario: &Scenario, step: &str) -> Option<(Action, usize)> {
    let number = |name: &str| {
        let mut threads = 0..=scenario.threads.len() as u8;
        threads.find(|&number| scenario.thread_name(number) == name)
    };
    // Names may have such marks in them.
    if let Some(thread) = number(step) {
        return Some((Action { thread, choice: 0 }, 1));
    }
    if let Some((name, choice)) = step.rsplit_once('/')
        && let Some(thread) = number(name)
    {
        let choice = choice.parse().ok()?;
        return Some((Action { thread, choice }, 1));
    }
    let (name, count) = step.rsplit_once('*')?;
    let thread = number(name)?;
    // No path is longer than the searches' bound on it by far.
    let count = count.parse().ok().filter(|count| *count <= 1 << 20)?;
    Some((Action { thread, choice: 0 }, count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenarios;

    fn actions(steps: &[(u8, u8)]) -> Vec<Action> {
        let action = |&(thread, choice)| Action { thread, choice };
        steps.iter().map(action).collect()
    }

    #[test]
    fn steps_in_a_row_are_counted_and_choices_stand_alone() {
        let scenario = scenarios::named("completions-in-any-order").expect("a scenario");
        let path = actions(&[(0, 0), (1, 0), (1, 0), (2, 1), (2, 1), (2, 0), (1, 0)]);
        let sections = Sections::new(&scenario, true, &path);
        let [one, two] = [1, 2].map(|number| scenario.thread_name(number).to_owned());
        let expected = [
            "main".to_owned(),
            format!("{one}*2"),
            format!("{two}/1"),
            format!("{two}/1"),
            two,
            one,
        ];
        assert_eq!(sections.steps, expected);
        assert_eq!(sections.strange(&scenario), None);
        #[cfg(shuttle)]
        assert_eq!(sections.path(&scenario), path);
    }

    #[test]
    fn a_step_of_nobody_is_strange() {
        let scenario = scenarios::named("two-lives").expect("a scenario");
        for strange in [
            "nobody",
            "main*",
            "main*-1",
            "main*9999999999",
            "main/x",
            "/1",
            "",
        ] {
            let sections = Sections {
                drops_at_once: false,
                steps: vec!["main".to_owned(), strange.to_owned()],
            };
            assert_eq!(sections.strange(&scenario), Some(strange));
        }
    }
}
