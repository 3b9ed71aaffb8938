//! Adding up what the runs said. Pure.

use nmr_models::conditions::Conditions;
use nmr_models::engine_name::Engine;
use nmr_models::process::{Outcome, Source};
use nmr_models::report::{Coverage, RunResult, Summary, Verdict};
use nmr_models::rule::Rule;

use crate::exit::Exit;

/// What a check has learnt so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// The results, in the order in which they were added or sorted.
    pub results: Vec<RunResult>,
    exercised: [u64; Rule::COUNT],
}

/// What is known of a check as a whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame<'a> {
    /// Whether it ran every named scenario, so that every rule should have been exercised.
    pub whole: bool,
    /// Whether it was interrupted.
    pub interrupted: bool,
    /// The number of scenarios.
    pub scenarios: u64,
    /// Wall-clock time.
    pub seconds: f64,
    /// The seed.
    pub seed: u64,
    /// What could happen besides.
    pub conditions: Conditions,
    /// The engines that do not know that.
    pub left_out: &'a [Engine],
    /// Whether modules in C are run, which the engines that are left out do not.
    pub has_c_modules: bool,
}

impl Tally {
    /// Takes in a run.
    pub fn add(&mut self, outcome: Outcome) {
        for coverage in outcome.coverage {
            let exercised = &mut self.exercised[coverage.rule.index()];
            *exercised = exercised.saturating_add(coverage.exercised);
        }
        self.results.push(outcome.result);
    }

    /// Puts the results into the order of the scenarios, and of the engines for each.
    pub fn sort(&mut self, sources: &[Source]) {
        let place = |result: &RunResult| {
            let is_it = |source: &Source| source.name() == result.scenario;
            (sources.iter().position(is_it), result.engine)
        };
        self.results.sort_by_key(place);
    }

    /// How often each rule was exercised, all rules in order.
    pub fn coverage(&self) -> impl Iterator<Item = Coverage> {
        let rules = Rule::every().zip(self.exercised);
        rules.map(|(rule, exercised)| Coverage { rule, exercised })
    }

    /// The rules that no run could have broken.
    #[must_use]
    pub fn never_exercised(&self) -> Vec<Rule> {
        let never = self.coverage().filter(|coverage| coverage.exercised == 0);
        never.map(|coverage| coverage.rule).collect()
    }

    /// How the command ends.
    #[must_use]
    pub fn exit(&self, frame: Frame<'_>) -> Exit {
        if frame.interrupted {
            return Exit::Interrupted;
        }
        match Exit::of(self.results.iter().map(|result| result.verdict)) {
            Exit::Holds if frame.whole && !self.never_exercised().is_empty() => Exit::Incomplete,
            exit => exit,
        }
    }

    /// The last line.
    #[must_use]
    pub fn summary(&self, frame: Frame<'_>) -> Summary {
        let with = |verdict| {
            let results = self.results.iter();
            results.filter(|result| result.verdict == verdict).count() as u64
        };
        Summary {
            scenarios: frame.scenarios,
            runs: self.results.len() as u64,
            holds: with(Verdict::Holds),
            violated: with(Verdict::Violated),
            incomplete: with(Verdict::Incomplete),
            harness_errors: with(Verdict::HarnessError),
            seconds: frame.seconds,
            seed: frame.seed,
            conditions: frame.conditions,
            left_out: frame.left_out.to_vec(),
            c_modules: frame.has_c_modules,
            exit: self.exit(frame).code(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Frame, Tally};
    use crate::check::samples::{everything_exercised, frame, holds, outcome, violated};
    use crate::exit::Exit;
    use nmr_models::engine_name::Engine;
    use nmr_models::process::Source;
    use nmr_models::report::Verdict;
    use nmr_models::rule::Rule;

    #[test]
    fn coverage_adds_up_over_the_runs() {
        let mut tally = Tally::default();
        assert_eq!(tally.never_exercised(), Vec::from_iter(Rule::every()));
        tally.add(outcome(holds(), &[(7, 3), (19, 1)]));
        tally.add(outcome(holds(), &[(7, 4)]));
        let exercised: Vec<_> = tally.coverage().map(|c| c.exercised).collect();
        assert_eq!((exercised[6], exercised[18], exercised[0]), (7, 1, 0));
        assert_eq!(tally.never_exercised().len(), Rule::COUNT - 2);
    }

    #[test]
    fn a_rule_that_no_scenario_exercises_makes_the_suite_incomplete() {
        let mut tally = Tally::default();
        tally.add(everything_exercised(holds()));
        assert_eq!(tally.exit(frame()), Exit::Holds);

        let mut tally = Tally::default();
        tally.add(outcome(holds(), &[(7, 3)]));
        assert_eq!(tally.exit(frame()), Exit::Incomplete);
        let part = Frame {
            whole: false,
            ..frame()
        };
        assert_eq!(tally.exit(part), Exit::Holds, "a part may leave rules out");
        tally.add(outcome(violated(), &[]));
        assert_eq!(tally.exit(frame()), Exit::Violated);
    }

    #[test]
    fn results_are_put_into_order_by_scenario_and_engine() {
        let mut tally = Tally::default();
        let runs = [
            ("z", Engine::Loom),
            ("a", Engine::Explorer),
            ("z", Engine::Explorer),
        ];
        for (scenario, engine) in runs {
            let mut result = holds();
            (result.scenario, result.engine) = (scenario.to_owned(), engine);
            tally.add(outcome(result, &[]));
        }
        tally.sort(&["z", "a"].map(|name| Source::Named(name.to_owned())));
        let results = tally.results.iter();
        let order: Vec<_> = results
            .map(|result| (result.scenario.as_str(), result.engine))
            .collect();
        let expected = [
            ("z", Engine::Explorer),
            ("z", Engine::Loom),
            ("a", Engine::Explorer),
        ];
        assert_eq!(order, expected);
    }

    #[test]
    fn an_interrupted_check_says_so() {
        let mut tally = Tally::default();
        tally.add(outcome(violated(), &[]));
        let interrupted = Frame {
            interrupted: true,
            ..frame()
        };
        assert_eq!(tally.exit(interrupted), Exit::Interrupted);
        assert_eq!(tally.summary(interrupted).exit, 130);
    }

    #[test]
    fn the_summary_counts_verdicts() {
        let mut tally = Tally::default();
        for verdict in [Verdict::Holds, Verdict::Holds, Verdict::Incomplete] {
            let mut result = holds();
            result.verdict = verdict;
            tally.add(everything_exercised(result));
        }
        let summary = tally.summary(frame());
        assert_eq!((summary.runs, summary.holds), (3, 2));
        assert_eq!((summary.incomplete, summary.violated), (1, 0));
        assert_eq!((summary.exit, summary.seed), (3, 7));
    }
}
