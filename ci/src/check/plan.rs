//! Which runs a check makes, and how long each may take.

use std::collections::BTreeSet;
use std::time::Duration;

use nmr_models::conditions::Conditions;
use nmr_models::engine_name::Engine;
use nmr_models::process::Source;
use nmr_models::report::{Extent, RunResult, Verdict};

use crate::args::EngineChoice;
use crate::error::Error;

/// What a run may take under the explorer, by default.
pub const EXPLORER: Duration = Duration::from_secs(60);
/// What a run may take under loom, by default.
pub const LOOM: Duration = Duration::from_secs(1);
/// What a run may take under another engine, by default.
pub const SAMPLING: Duration = Duration::from_millis(500);
/// What a deep run may take under the explorer or loom.
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
            (Engine::Direct | Engine::Explorer, None) => EXPLORER,
            (Engine::Loom, None) => LOOM,
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

/// Engines, and what they are run on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Engines {
    /// Those that are run on every scenario.
    pub always: Vec<Engine>,
    /// Those that are run on what none of the others has exhausted.
    pub for_the_rest: Vec<Engine>,
}

impl Engines {
    /// All of some choices, each once, in their order: those that `all` alone brings in, and that draw
    /// schedules, are for what the others leave.
    #[must_use]
    pub fn of(choices: &[EngineChoice]) -> Self {
        let engines_of = |choices: &mut dyn Iterator<Item = &EngineChoice>| -> BTreeSet<Engine> {
            choices
                .flat_map(|choice| choice.engines())
                .copied()
                .collect()
        };
        let is_named = |choice: &&EngineChoice| **choice != EngineChoice::All;
        let named = engines_of(&mut choices.iter().filter(is_named));
        let all = engines_of(&mut choices.iter());
        let draws = |engine: Engine| engine.is_sampling() && engine != Engine::Threads;
        let (for_the_rest, always) = all
            .into_iter()
            .partition(|&engine| draws(engine) && !named.contains(&engine));
        Self {
            always,
            for_the_rest,
        }
    }

    /// Leaves out those that do not know these conditions; answers which.
    ///
    /// # Errors
    /// None is left.
    pub fn under(&mut self, conditions: Conditions) -> Result<Vec<Engine>, Error> {
        let unknown = |engine: &Engine| !conditions.are_known_to(*engine);
        let left_out: Vec<Engine> = self.all().filter(unknown).collect();
        for some in [&mut self.always, &mut self.for_the_rest] {
            some.retain(|engine| !unknown(engine));
        }
        match self.all().next() {
            Some(_) => Ok(left_out),
            None => {
                let names: Vec<&str> = left_out.iter().map(|engine| engine.name()).collect();
                Err(Error::Usage(format!(
                    "{} cannot search {conditions}: add `--engine direct` or `--engine explorer`",
                    names.join(", ")
                )))
            }
        }
    }

    /// Leaves out those that do not run modules in C; answers which.
    ///
    /// # Errors
    /// None is left.
    pub fn for_c_modules(&mut self) -> Result<Vec<Engine>, Error> {
        let left_out: Vec<Engine> = (self.all())
            .filter(|engine| !engine.runs_c_modules())
            .collect();
        for some in [&mut self.always, &mut self.for_the_rest] {
            some.retain(|engine| engine.runs_c_modules());
        }
        match self.all().next() {
            Some(_) => Ok(left_out),
            None => {
                let names: Vec<&str> = left_out.iter().map(|engine| engine.name()).collect();
                Err(Error::Usage(format!(
                    "{} cannot run modules in C: add `--engine explorer`",
                    names.join(", ")
                )))
            }
        }
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = Engine> {
        self.always.iter().chain(&self.for_the_rest).copied()
    }
}

/// The runs that are made in any case.
#[must_use]
pub fn first(sources: &[Source], engines: &Engines, effort: Effort) -> Vec<Run> {
    runs(sources, &engines.always, effort)
}

/// The runs that are left after the first ones, which came to these results.
#[must_use]
pub fn then(
    sources: &[Source],
    engines: &Engines,
    effort: Effort,
    results: &[RunResult],
) -> Vec<Run> {
    let is_exhausted = |source: &&Source| {
        let of_it = |result: &&RunResult| result.scenario == source.name();
        results.iter().filter(of_it).any(exhausts)
    };
    let left = sources.iter().filter(|source| !is_exhausted(source));
    let left: Vec<Source> = left.cloned().collect();
    runs(&left, &engines.for_the_rest, effort)
}

/// Whether nothing is left to be seen: all was, or something was found. A scenario with one interleaving
/// is exhausted by any engine; but what real threads run is another build, and the direct engine runs no threads.
fn exhausts(result: &RunResult) -> bool {
    let complete = (result.verdict, result.extent) == (Verdict::Holds, Extent::Complete);
    result.verdict == Verdict::Violated
        || complete && !matches!(result.engine, Engine::Threads | Engine::Direct)
}

/// By scenario, then engine.
fn runs(sources: &[Source], engines: &[Engine], effort: Effort) -> Vec<Run> {
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
    use super::{Effort, Engines, Run, first, then};
    use crate::args::EngineChoice;
    use crate::check::samples::holds;
    use nmr_models::engine_name::Engine;
    use nmr_models::process::Source;
    use nmr_models::report::{Extent, RunResult, Verdict};
    use std::time::Duration;

    #[test]
    fn engines_are_taken_once_and_in_order() {
        let choices = [EngineChoice::Pct, EngineChoice::Shuttle, EngineChoice::Loom];
        let expected = [Engine::Loom, Engine::Random, Engine::Pct, Engine::Urw];
        let engines = Engines::of(&choices);
        assert_eq!(
            (engines.always, engines.for_the_rest),
            (expected.into(), vec![])
        );
    }

    #[test]
    fn all_samples_what_is_left_unless_the_engine_is_named() {
        let of = |choices: &[EngineChoice]| {
            let engines = Engines::of(choices);
            (engines.always, engines.for_the_rest)
        };
        let sampling = vec![Engine::Random, Engine::Pct, Engine::Urw];
        let searches = vec![
            Engine::Direct,
            Engine::Explorer,
            Engine::Loom,
            Engine::Threads,
        ];
        assert_eq!(of(&[EngineChoice::All]), (searches, sampling.clone()));
        let shuttle = [EngineChoice::Shuttle, EngineChoice::All];
        assert_eq!(of(&shuttle), (Engine::ALL.to_vec(), vec![]));
        let (always, rest) = of(&[EngineChoice::All, EngineChoice::Pct]);
        assert!(always.contains(&Engine::Pct) && !rest.contains(&Engine::Pct));
        assert_eq!(of(&[EngineChoice::Shuttle]), (sampling, vec![]));
    }

    #[test]
    fn modules_in_c_are_run_by_the_shuttle_build() {
        let mut engines = Engines::of(&[EngineChoice::All]);
        let left_out = engines.for_c_modules().unwrap();
        assert_eq!(left_out, [Engine::Direct, Engine::Loom, Engine::Threads]);
        assert_eq!(engines.always, [Engine::Explorer]);
        let mut engines = Engines::of(&[EngineChoice::Loom]);
        let error = engines.for_c_modules().unwrap_err().to_string();
        assert_eq!(
            error,
            "loom cannot run modules in C: add `--engine explorer`"
        );
    }

    #[test]
    fn budgets_are_the_defaults_unless_told() {
        let millis = |effort: Effort| Engine::ALL.map(|engine| effort.of(engine).as_millis());
        let budget = Some(Duration::from_secs(60));
        let told = |budget, deep| Effort { budget, deep };
        assert_eq!(
            millis(Effort::default()),
            [60_000, 60_000, 1_000, 500, 500, 500, 500]
        );
        assert_eq!(millis(told(budget, false)), [60_000; 7]);
        assert_eq!(
            millis(told(None, true)),
            [600_000, 600_000, 600_000, 500, 500, 500, 500]
        );
        let both = millis(told(budget, true));
        assert_eq!(
            both,
            [600_000, 600_000, 600_000, 60_000, 60_000, 60_000, 60_000]
        );
    }

    fn sources() -> [Source; 2] {
        ["a", "b"].map(|name| Source::Named(name.to_owned()))
    }

    fn names(runs: &[Run]) -> Vec<(&str, Engine)> {
        let runs = runs.iter();
        runs.map(|run| (run.source.name(), run.engine)).collect()
    }

    #[test]
    fn runs_are_by_scenario_then_engine() {
        let engines = Engines {
            always: vec![Engine::Loom, Engine::Pct],
            for_the_rest: vec![],
        };
        let expected = [
            ("a", Engine::Loom),
            ("a", Engine::Pct),
            ("b", Engine::Loom),
            ("b", Engine::Pct),
        ];
        let runs = first(&sources(), &engines, Effort::default());
        assert_eq!(names(&runs), expected);
        let left = then(&sources(), &engines, Effort::default(), &[]);
        assert_eq!(left, [], "all engines were asked for by name");
    }

    #[test]
    fn what_a_search_has_exhausted_is_not_sampled() {
        let engines = Engines::of(&[EngineChoice::All]);
        let runs = first(&sources(), &engines, Effort::default());
        let searches = [
            Engine::Direct,
            Engine::Explorer,
            Engine::Loom,
            Engine::Threads,
        ];
        assert_eq!(
            names(&runs),
            [
                searches.map(|engine| ("a", engine)),
                searches.map(|engine| ("b", engine))
            ]
            .concat()
        );
        let result = |scenario: &str, engine, verdict, extent| RunResult {
            scenario: scenario.to_owned(),
            engine,
            verdict,
            extent,
            ..holds()
        };
        let left = |results: &[RunResult]| {
            let left = then(&sources(), &engines, Effort::default(), results);
            names(&left)
                .iter()
                .map(|(name, engine)| format!("{name} {engine}"))
                .collect::<Vec<_>>()
        };
        let incomplete = (Verdict::Incomplete, Extent::Sampled);
        let bounded = (Verdict::Holds, Extent::Bounded);
        let complete = (Verdict::Holds, Extent::Complete);
        let of = |scenario: &str, [explorer, loom]: [(Verdict, Extent); 2]| {
            [
                result(scenario, Engine::Explorer, explorer.0, explorer.1),
                result(scenario, Engine::Loom, loom.0, loom.1),
                result(scenario, Engine::Threads, complete.0, complete.1),
            ]
        };
        let b = ["b random", "b pct", "b urw"];
        assert_eq!(
            left(&[of("a", [complete, bounded]), of("b", [incomplete, bounded])].concat()),
            b,
            "neither has exhausted b"
        );
        assert_eq!(
            left(
                &[
                    of("a", [incomplete, complete]),
                    of("b", [incomplete, incomplete])
                ]
                .concat()
            ),
            b,
            "loom is enough"
        );
        assert_eq!(left(&[]).len(), 6, "nothing is known of either");
    }
}
