//! Which runs a check makes, and how long each may take.

use std::time::Duration;

use nmr_models::process::Source;
use nmr_models::report::Engine;

/// What a run may take under an engine that looks at every interleaving, by default.
pub const EXHAUSTIVE: Duration = Duration::from_secs(5);
/// What a run may take under another engine, by default.
pub const SAMPLING: Duration = Duration::from_millis(700);
/// What a deep run may take under such an engine.
pub const DEEP: Duration = Duration::from_secs(600);

/// How much time the runs have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// Instead of the defaults.
    pub budget: Option<Duration>,
    /// [`DEEP`] for the exhaustive engines, whatever the budget.
    pub deep: bool,
}

impl Effort {
    /// The budget of a run.
    #[must_use]
    pub fn of(self, engine: Engine) -> Duration {
        match (engine, self.budget) {
            (engine, _) if self.deep && !engine.is_sampling() => DEEP,
            (_, Some(budget)) => budget,
            (engine, None) if !engine.is_sampling() => EXHAUSTIVE,
            (_, None) => SAMPLING,
        }
    }
}

/// A run to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The scenario.
    pub source: Source,
    /// The engine.
    pub engine: Engine,
    /// Its time.
    pub budget: Duration,
}

/// Every scenario under every engine, by scenario, then engine.
#[must_use]
pub fn plan(sources: &[Source], engines: &[Engine], effort: Effort) -> Vec<Run> {
    let runs = sources.iter().flat_map(|source| {
        engines.iter().map(|&engine| Run {
            source: source.clone(),
            engine,
            budget: effort.of(engine),
        })
    });
    runs.collect()
}

#[cfg(test)]
mod tests {
    use super::{Effort, plan};
    use nmr_models::process::Source;
    use nmr_models::report::Engine;
    use std::time::Duration;

    #[test]
    fn budgets_are_the_defaults_unless_told() {
        let millis = |effort: Effort| Engine::ALL.map(|engine| effort.of(engine).as_millis());
        let budget = Some(Duration::from_secs(60));
        let told = |budget, deep| Effort { budget, deep };
        assert_eq!(
            millis(Effort::default()),
            [5_000, 5_000, 700, 700, 700, 700]
        );
        assert_eq!(millis(told(budget, false)), [60_000; 6]);
        assert_eq!(
            millis(told(None, true)),
            [600_000, 600_000, 700, 700, 700, 700]
        );
        let both = millis(told(budget, true));
        assert_eq!(both, [600_000, 600_000, 60_000, 60_000, 60_000, 60_000]);
    }

    #[test]
    fn runs_are_by_scenario_then_engine() {
        let sources = ["a", "b"].map(|name| Source::Named(name.to_owned()));
        let runs = plan(&sources, &[Engine::Loom, Engine::Pct], Effort::default());
        let order: Vec<_> = runs
            .iter()
            .map(|run| (run.source.name(), run.engine))
            .collect();
        let expected = [
            ("a", Engine::Loom),
            ("a", Engine::Pct),
            ("b", Engine::Loom),
            ("b", Engine::Pct),
        ];
        assert_eq!(order, expected);
    }
}
