//! Looks for one bug, and for something wrong in its twin: run after run, each a process of its own.

use std::sync::atomic::{AtomicBool, Ordering};

use nmr_models::conditions::Conditions;
use nmr_models::engine::ExplorerOptions;
use nmr_models::engine_name::Engine;
use nmr_models::process::{Job, Source};
use nmr_models::report::{Bug, RunResult, Twin, Verdict};
use nmr_models::scenario::Terms;

use super::lines::{self, Ran};
use super::plan::{self, Effort};
use super::plant::tree::{CHOSEN, UNCHECKED};
use super::subject::Subject;
use crate::progress::Activity;
use crate::workers::Workers;

/// The seed of the engines that draw schedules: what they find is the same each time.
const SEED: u64 = 1;

/// How a panic of the program under test is told, such as that of an assertion of the table's.
const PANICKED: &str = "the program under test panicked";

/// What it takes to look for bugs.
pub struct Hunter<'a> {
    /// The planted workers.
    pub workers: &'a Workers,
    /// The engines, in order.
    pub engines: &'a [Engine],
    /// How much is done.
    pub effort: Effort,
    /// Becomes true when everything has to stop.
    pub stop: &'a AtomicBool,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hunted {
    /// The bug under each engine.
    pub bugs: Vec<Bug>,
    /// The twin under each engine.
    pub twins: Vec<Twin>,
    /// A bug that needs conditions, without them, under each engine that exhausts scenarios: nothing may be found.
    pub without: Vec<Twin>,
    /// Runs in which the harness failed.
    pub troubles: Vec<RunResult>,
}

/// The bug or its twin, or the bug where it is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Wrong,
    Right,
    WithoutConditions,
}

impl Hunter<'_> {
    /// Looks for a bug with every engine; `None` once everything has to stop.
    #[must_use]
    pub fn hunt(&self, subject: &Subject, activity: &Activity) -> Option<Hunted> {
        let mut hunted = Hunted::default();
        let mut explored = Vec::new();
        for &engine in self.engines {
            if subject.is_in_c && !engine.runs_c_modules() {
                // There is nothing to be tried, of the twin either.
                hunted.bugs.push(lines::bug(subject, engine, &[]));
                continue;
            }
            let one = One {
                hunter: self,
                subject,
                engine,
                activity,
            };
            let tried = match engine {
                _ if !subject.conditions.are_known_to(engine) => Vec::new(),
                Engine::Direct | Engine::Explorer => one.explore()?,
                _ => one.compare(&explored)?,
            };
            hunted.bugs.push(lines::bug(subject, engine, &tried));
            let cases = plan::twin(subject, engine, &tried, self.effort);
            let twins = one.runs(Which::Right, &cases, true)?;
            if !subject.conditions.is_default() && !engine.is_sampling() {
                let own = plan::explored(subject);
                let without = one.runs(Which::WithoutConditions, &own, true)?;
                hunted.without.push(lines::twin(subject, engine, &without));
                hunted.troubles.extend(lines::troubles(&without));
            }
            hunted.twins.push(lines::twin(subject, engine, &twins));
            hunted.troubles.extend(lines::troubles(&tried));
            hunted.troubles.extend(lines::troubles(&twins));
            if engine == Engine::Explorer {
                explored = tried;
            }
        }
        Some(hunted)
    }
}

/// A bug under an engine.
struct One<'a> {
    hunter: &'a Hunter<'a>,
    subject: &'a Subject,
    engine: Engine,
    activity: &'a Activity,
}

impl One<'_> {
    fn explore(&self) -> Option<Vec<Ran>> {
        let mut tried = self.runs(Which::Wrong, &plan::explored(self.subject), false)?;
        let then = plan::explored_then(self.subject, &tried, self.hunter.effort);
        tried.extend(self.runs(Which::Wrong, &then, false)?);
        Some(tried)
    }

    fn compare(&self, explored: &[Ran]) -> Option<Vec<Ran>> {
        let effort = self.hunter.effort;
        let cases = plan::compared(self.subject, self.engine, explored, effort);
        self.runs(Which::Wrong, &cases, effort.is_first_enough(self.engine))
    }

    /// Runs the scenarios in order, all or until something is found.
    fn runs(&self, which: Which, cases: &[usize], first_is_enough: bool) -> Option<Vec<Ran>> {
        let mut tried = Vec::new();
        for &case in cases {
            let scenario = &self.subject.cases[case].scenario;
            let engine = self.engine;
            self.activity.at(match which {
                Which::Wrong => format!("{engine}, {scenario}"),
                Which::Right => format!("{engine}, {scenario}, its twin"),
                Which::WithoutConditions => format!("{engine}, {scenario}, without conditions"),
            });
            let ran = self.run_and_again(which, case)?;
            let is_found = ran.result.verdict == Verdict::Violated;
            tried.push(ran);
            if is_found && first_is_enough {
                break;
            }
        }
        Some(tried)
    }

    /// Where an assertion of the table's comes first, what comes after it says more. Which panic is one
    /// of them cannot be told for certain.
    fn run_and_again(&self, which: Which, case: usize) -> Option<Ran> {
        let checked = self.run(which, case, false)?;
        let RunResult { rule, message, .. } = &checked.result;
        let crashed = *rule != Some(self.subject.rule) && message.contains(PANICKED);
        if which != Which::Wrong || !crashed {
            return Some(checked);
        }
        let unchecked = self.run(which, case, true)?;
        Some(lines::better(checked, unchecked, self.subject.rule))
    }

    fn run(&self, which: Which, case: usize, unchecked: bool) -> Option<Ran> {
        let Hunter {
            workers,
            effort,
            stop,
            ..
        } = self.hunter;
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        let mut env = Vec::new();
        if let Some(chosen) = &self.subject.chosen {
            let index = usize::from(which == Which::Right);
            env.push((CHOSEN, chosen[index].as_str()));
        }
        if unchecked {
            env.push((UNCHECKED, "1"));
        }
        let job = Job {
            worker: workers.of(self.engine.build()),
            source: self.source(which, case).clone(),
            terms: Terms::default(),
            conditions: match which {
                Which::WithoutConditions => Conditions::default(),
                _ => self.subject.conditions,
            },
            engine: self.engine,
            seed: SEED,
            budget: effort.budget(self.engine),
            grace: effort.grace(),
            // What is found was planted: it is no case for anybody.
            case_dir: None,
            env: &env,
        };
        let outcome = job.run_until(&ExplorerOptions::default(), stop, &mut |_| {})?;
        Some(Ran {
            case,
            result: outcome.result,
            unchecked,
        })
    }

    fn source(&self, which: Which, case: usize) -> &Source {
        let case = &self.subject.cases[case];
        match which {
            Which::Wrong | Which::WithoutConditions => &case.wrong,
            Which::Right => &case.right,
        }
    }
}
