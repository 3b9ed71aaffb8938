//! Which searches a benchmark makes, and within which limits. Pure.

use std::fmt;
use std::time::Duration;

use nmr_explorer::Reduction;
use nmr_models::engine::{DirectReduction, ExplorerOptions};
use nmr_models::engine_name::BenchEngine;

/// The limit of a search that has a target, or that it is compared with.
const LIMIT: Duration = Duration::from_secs(30);
/// The limit of the search of four-lives-pending, and of others of millions of states.
const PENDING: Duration = Duration::from_secs(300);
/// The limit of the explorer on any other scenario.
const SCENARIO: Duration = Duration::from_secs(20);
/// How many executions of `small` are made.
const SMALL: u64 = 100_000;

/// A search to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::bench) struct Row {
    pub(super) program: String,
    pub(super) engine: BenchEngine,
    pub(super) limit: Duration,
    pub(super) max_executions: Option<u64>,
    /// How the explorer is to search.
    pub(super) explorer: ExplorerOptions,
}

impl Row {
    fn new(program: &str, engine: BenchEngine, limit: Duration) -> Self {
        Self {
            program: program.to_owned(),
            engine,
            limit,
            max_executions: None,
            explorer: ExplorerOptions::default(),
        }
    }

    /// The reductions that are off, by their names.
    pub(super) fn without_names(&self) -> Vec<String> {
        let options = &self.explorer;
        match self.engine {
            BenchEngine::Direct => options
                .direct
                .without
                .iter()
                .map(ToString::to_string)
                .collect(),
            _ => options.without.iter().map(ToString::to_string).collect(),
        }
    }

    fn with_workers(mut self, workers: u16) -> Self {
        self.explorer.workers = workers;
        self
    }

    fn directly_without(mut self, off: &[DirectReduction]) -> Self {
        self.explorer.direct.without = off.to_vec();
        self
    }

    fn without(mut self, off: impl Fn(Reduction) -> bool) -> Self {
        self.explorer.without = Reduction::ALL.into_iter().filter(|&one| off(one)).collect();
        self
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} under {}", self.program, self.engine)
    }
}

/// The searches of a benchmark: of the named scenarios, with so many cores, and with another limit than their own.
pub(in crate::bench) type Rows = fn(&[&str], u16, Option<Duration>) -> Vec<Row>;

/// The direct engine next to others, and then what is too large for them.
pub(in crate::bench) fn direct(_: &[&str], cores: u16, budget: Option<Duration>) -> Vec<Row> {
    use BenchEngine::{Direct, Explorer, Loom};

    const PLAIN: &[DirectReduction] = &[
        DirectReduction::AmpleSets,
        DirectReduction::DropsAtOnce,
        DirectReduction::ListOrders,
    ];
    let row = |program: &str, engine| Row::new(program, engine, LIMIT);
    let large = |program: &str| Row::new(program, Direct, PENDING);
    let mut rows = vec![
        row("two-lives", Direct),
        row("two-lives", Explorer),
        row("two-lives", Loom),
        row("three-lives", Direct),
        row("three-lives", Explorer),
        row("three-lives", Loom),
        row("four-lives", Direct),
        row("four-lives", Direct).directly_without(PLAIN),
        row("four-lives", Direct)
            .directly_without(PLAIN)
            .with_workers(2),
        row("four-lives", Explorer).with_workers(cores),
        row("four-lives", Loom),
        row("four-lives-pending", Direct),
        row("four-lives-pending-any", Direct),
        large("four-lives-pending")
            .directly_without(&[DirectReduction::AmpleSets])
            .with_workers(cores),
        row("four-lives-pending", Explorer).with_workers(cores),
        large("three-by-three").with_workers(cores),
        large("three-by-two-pending").with_workers(cores),
    ];
    if let Some(budget) = budget {
        rows.iter_mut().for_each(|row| row.limit = budget);
    }
    rows
}

/// The explorer on its own and next to others, then on each of the scenarios that are left.
pub(in crate::bench) fn explorer(
    scenarios: &[&str],
    cores: u16,
    budget: Option<Duration>,
) -> Vec<Row> {
    use BenchEngine::{Dfs, Explorer, Loom};

    let row = |program: &str, engine| Row::new(program, engine, LIMIT);
    let mut rows = vec![
        row("two-lives", Explorer),
        row("two-lives", Loom),
        row("three-lives", Explorer),
        row("three-lives", Loom),
        row("four-lives", Explorer).with_workers(cores),
        Row::new("four-lives-pending", Explorer, PENDING).with_workers(cores),
        row("read-only-sections", Loom),
        row("read-only-sections", Explorer).without(|one| !is_for_visited_states(one)),
        row("read-only-sections", Explorer).without(|one| one == Reduction::VisitedStates),
        Row {
            max_executions: Some(SMALL),
            ..row("small", Explorer).without(|one| one != Reduction::VisibleOperations)
        },
        Row {
            max_executions: Some(SMALL),
            ..row("small", Dfs)
        },
    ];
    let is_there = |name: &str| rows.iter().any(|row| row.program == name);
    let left: Vec<Row> = scenarios
        .iter()
        .filter(|name| !is_there(name))
        .map(|name| Row::new(name, Explorer, SCENARIO))
        .collect();
    rows.extend(left);
    if let Some(budget) = budget {
        rows.iter_mut().for_each(|row| row.limit = budget);
    }
    rows
}

/// What a search for states alone needs: it comes to each of them at a visible operation.
fn is_for_visited_states(reduction: Reduction) -> bool {
    matches!(
        reduction,
        Reduction::VisitedStates | Reduction::VisibleOperations
    )
}

#[cfg(test)]
mod tests {
    use super::{Reduction, explorer};
    use nmr_models::engine_name::BenchEngine;
    use std::time::Duration;

    const SCENARIOS: [&str; 4] = ["both-deregister", "four-lives", "three-lives", "two-lives"];

    #[test]
    fn every_scenario_is_searched_by_the_explorer_once() {
        let rows = explorer(&SCENARIOS, 2, None);
        for name in SCENARIOS {
            let of_it = rows.iter().filter(|row| row.program == name);
            let by_explorer = of_it.filter(|row| row.engine == BenchEngine::Explorer);
            assert_eq!(by_explorer.count(), 1, "{name}");
        }
        let last = rows.last().expect("there are rows");
        assert_eq!(last.to_string(), "both-deregister under explorer");
    }

    #[test]
    fn the_direct_engine_is_next_to_the_explorer() {
        let rows = super::direct(&SCENARIOS, 2, None);
        for name in [
            "two-lives",
            "three-lives",
            "four-lives",
            "four-lives-pending",
        ] {
            let by = |engine| {
                rows.iter()
                    .any(|row| row.program == name && row.engine == engine)
            };
            assert!(
                by(BenchEngine::Direct) && by(BenchEngine::Explorer),
                "{name}"
            );
        }
        let plain = rows
            .iter()
            .find(|row| !row.explorer.direct.without.is_empty());
        let names = plain.expect("it is there").without_names();
        assert_eq!(names, ["ample-sets", "drops-at-once", "list-orders"]);
    }

    #[test]
    fn limits_are_the_defaults_unless_told() {
        let limits = |budget| {
            let rows = explorer(&SCENARIOS, 2, budget);
            let seconds = |name: &str| {
                let row = rows.iter().find(|row| row.program == name);
                row.expect("it is there").limit.as_secs()
            };
            ["three-lives", "four-lives-pending", "both-deregister"].map(seconds)
        };
        assert_eq!(limits(None), [30, 300, 20]);
        assert_eq!(limits(Some(Duration::from_secs(5))), [5; 3]);
    }

    #[test]
    fn reductions_are_off_where_they_are_not_looked_at() {
        let rows = explorer(&SCENARIOS, 2, None);
        let off: Vec<_> = rows
            .iter()
            .filter(|row| row.program == "read-only-sections")
            .map(|row| row.explorer.without.clone())
            .collect();
        let others = vec![
            Reduction::Forgetting,
            Reduction::Symmetry,
            Reduction::LockAware,
        ];
        assert_eq!(off, [vec![], others, vec![Reduction::VisitedStates]]);
    }
}
