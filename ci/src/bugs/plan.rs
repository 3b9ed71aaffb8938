//! Which scenarios a bug is looked for in, under which engine, and how long each run may take. Pure.

use std::time::Duration;

use nmr_models::engine_name::Engine;
use nmr_models::process::GRACE;
use nmr_models::report::Verdict;

use super::lines::Ran;
use super::subject::{SLOWEST, Subject};

/// By how many scenarios the explorer has to find a bug.
pub const ENOUGH: usize = 2;
/// How many scenarios an engine tries at most that is there for comparison.
const COMPARED: usize = 5;
/// How long after its time a worker is taken to hang.
const PATIENCE: Duration = Duration::from_secs(5);

/// How much is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// The time of a run, instead of the defaults.
    pub budget: Option<Duration>,
    /// Every scenario under every engine, and more time.
    pub deep: bool,
}

impl Effort {
    /// The time of a run. What finds a bug mostly does so in milliseconds; the rest is for the runs that
    /// find nothing.
    #[must_use]
    pub fn budget(self, engine: Engine) -> Duration {
        let default = match (engine, self.deep) {
            (Engine::Direct | Engine::Explorer, false) => 10_000,
            (Engine::Direct | Engine::Explorer, true) => 60_000,
            (Engine::Loom, false) => 2_000,
            (Engine::Loom, true) => 5_000,
            (_, false) => 300,
            (_, true) => 700,
        };
        self.budget.unwrap_or(Duration::from_millis(default))
    }

    /// How long after that a worker is taken to hang.
    #[must_use]
    pub const fn grace(self) -> Duration {
        if self.deep { GRACE } else { PATIENCE }
    }

    /// Whether an engine stops at the first scenario that shows a bug.
    #[must_use]
    pub const fn is_first_enough(self, engine: Engine) -> bool {
        !self.deep && !matches!(engine, Engine::Direct | Engine::Explorer)
    }
}

/// What an engine tries that exhausts scenarios, by the index of the case.
#[must_use]
pub fn explored(subject: &Subject) -> Vec<usize> {
    // Conditions make scenarios larger.
    let most = match subject.conditions.is_default() {
        true => subject.cases.len(),
        false => subject.own,
    };
    let cases = (0..).zip(&subject.cases[..most]);
    let cases = cases.filter(|(_, case)| case.scenario != SLOWEST);
    cases.map(|(index, _)| index).collect()
}

/// What the explorer tries then, after it has tried the others.
#[must_use]
pub fn explored_then(subject: &Subject, tried: &[Ran], effort: Effort) -> Vec<usize> {
    if !effort.deep || found(tried).len() >= ENOUGH {
        return Vec::new();
    }
    let cases = (0..).zip(&subject.cases);
    let cases = cases.filter(|(_, case)| case.scenario == SLOWEST);
    cases.map(|(index, _)| index).collect()
}

/// What another engine tries: the bug's own scenarios, and then those by which the explorer found it, the
/// one first that took it the fewest executions.
#[must_use]
pub fn compared(subject: &Subject, engine: Engine, explored: &[Ran], effort: Effort) -> Vec<usize> {
    let fits = |&index: &usize| subject.cases[index].fits(engine);
    let all = 0..subject.cases.len();
    if effort.deep {
        return all.filter(fits).collect();
    }
    let mut cases: Vec<usize> = (0..subject.own).collect();
    let mut quick: Vec<&Ran> = explored.iter().filter(|ran| is_found(ran)).collect();
    quick.sort_by_key(|ran| (ran.result.executions, ran.case));
    for case in quick.iter().map(|ran| ran.case) {
        if !cases.contains(&case) {
            cases.push(case);
        }
    }
    if cases.is_empty() {
        cases.extend(all);
    }
    cases.into_iter().filter(fits).take(COMPARED).collect()
}

/// Where the correct twin is tried: where the bug was found. Under the explorer that is at least two
/// scenarios, under another engine one.
#[must_use]
pub fn twin(subject: &Subject, engine: Engine, tried: &[Ran], effort: Effort) -> Vec<usize> {
    let mut cases = found(tried);
    let fits = |index: &usize| subject.cases[*index].fits(engine);
    let spare = (0..subject.cases.len()).filter(fits);
    let spare: Vec<usize> = spare.filter(|index| !cases.contains(index)).collect();
    let wanted = if engine == Engine::Explorer {
        ENOUGH
    } else {
        1
    };
    let missing = wanted.saturating_sub(cases.len());
    cases.extend(spare.into_iter().take(missing));
    if effort.is_first_enough(engine) {
        cases.truncate(wanted);
    }
    cases
}

fn found(tried: &[Ran]) -> Vec<usize> {
    let found = tried.iter().filter(|ran| is_found(ran));
    found.map(|ran| ran.case).collect()
}

fn is_found(ran: &Ran) -> bool {
    ran.result.verdict == Verdict::Violated
}

#[cfg(test)]
mod tests {
    use super::{Effort, compared, explored, explored_then, twin};
    use crate::bugs::lines::Ran;
    use crate::bugs::samples::{found_by, missed_by, subject};
    use crate::bugs::subject::{SLOWEST, Subject};
    use nmr_models::engine_name::Engine;
    use std::time::Duration;

    const DEEP: Effort = Effort {
        budget: None,
        deep: true,
    };

    fn shallow() -> Effort {
        Effort::default()
    }

    fn names(subject: &Subject, cases: &[usize]) -> Vec<String> {
        let cases = cases
            .iter()
            .map(|&case| subject.cases[case].scenario.clone());
        cases.collect()
    }

    /// As if these executions had been needed.
    fn quick(case: usize, executions: u64) -> Ran {
        let mut ran = found_by(case, Some(6));
        ran.result.executions = executions;
        ran
    }

    #[test]
    fn the_explorer_tries_everything_and_the_slowest_only_if_it_must() {
        let subject = subject(&["two-lives"]);
        let first = names(&subject, &explored(&subject));
        assert_eq!(first.len(), subject.cases.len() - 1);
        assert_eq!(first[0], "two-lives");
        assert!(!first.contains(&SLOWEST.to_owned()));

        let once = [found_by(0, Some(6)), missed_by(1)];
        assert!(explored_then(&subject, &once, shallow()).is_empty());
        let then = explored_then(&subject, &once, DEEP);
        assert_eq!(names(&subject, &then), [SLOWEST]);
        let twice = [found_by(0, Some(6)), found_by(1, None)];
        assert!(explored_then(&subject, &twice, DEEP).is_empty());
    }

    #[test]
    fn others_try_its_own_scenarios_and_some_that_show_it() {
        let subject = subject(&["two-lives"]);
        let of = |tried: &[Ran], effort| compared(&subject, Engine::Pct, tried, effort);
        let tried = [quick(0, 90), quick(3, 40), missed_by(4), quick(5, 7)];
        assert_eq!(of(&tried, shallow()), [0, 5, 3]);
        let many: Vec<Ran> = (0..9).map(|case| quick(case, case as u64)).collect();
        assert_eq!(of(&many, shallow()), [0, 1, 2, 3, 4]);
        assert_eq!(of(&[], shallow()), [0]);
        assert_eq!(of(&[], DEEP).len(), subject.cases.len());
        let nothing_known = Subject { own: 0, ..subject };
        assert_eq!(
            compared(&nothing_known, Engine::Pct, &[], shallow()).len(),
            5
        );
    }

    #[test]
    fn twins_are_tried_where_the_bug_was_found() {
        let subject = subject(&[]);
        let tried = [
            found_by(7, None),
            missed_by(8),
            found_by(9, None),
            found_by(2, None),
        ];
        let of = |engine, tried: &[Ran], effort| twin(&subject, engine, tried, effort);
        assert_eq!(of(Engine::Explorer, &tried, shallow()), [7, 9, 2]);
        assert_eq!(of(Engine::Explorer, &tried[..2], shallow()), [7, 0]);
        assert_eq!(of(Engine::Explorer, &[], shallow()), [0, 1]);
        assert_eq!(of(Engine::Loom, &tried, shallow()), [7]);
        assert_eq!(of(Engine::Loom, &[], shallow()), [0]);
        assert_eq!(of(Engine::Loom, &tried, DEEP), [7, 9, 2]);
    }

    #[test]
    fn budgets_are_the_defaults_unless_told() {
        let millis = |effort: Effort| Engine::ALL.map(|engine| effort.budget(engine).as_millis());
        assert_eq!(
            millis(shallow()),
            [10_000, 10_000, 2_000, 300, 300, 300, 300]
        );
        assert_eq!(millis(DEEP), [60_000, 60_000, 5_000, 700, 700, 700, 700]);
        let told = Effort {
            budget: Some(Duration::from_secs(1)),
            deep: true,
        };
        assert_eq!(millis(told), [1_000; 7]);
    }
}
