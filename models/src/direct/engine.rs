//! The direct engine: a scenario's states searched, and what was found as the other engines tell it.
//!
//! A scenario with few states is searched with each drop as a step of its own, and without ample sets: nothing is
//! believed then. Only one with many is searched with what makes them fewer, and the certificate says so.

use std::sync::Arc;
use std::time::Instant;

use nmr_search::{Counts, Cut, Outcome, Report, Search, System};

use super::{Action, Program, Violation};
use crate::engine::{DirectOptions, DirectReduction, Exploration, Request};
use crate::report::Extent;
use crate::run::{Finding, Watch};
use crate::sections::Sections;

/// Up to so many states nothing is left out.
const PLAIN: u64 = 30_000;

type ReportOf = Report<Action, Violation>;

/// Searches.
pub(crate) fn explore(request: &Request) -> Exploration {
    explore_up_to(request, u64::MAX).expect("it may have any number of states")
}

/// The same; `None` if there are more states than that, whatever the reductions.
pub(crate) fn explore_up_to(request: &Request, states: u64) -> Option<Exploration> {
    let begun = Instant::now();
    let asked = &request.explorer.direct;
    let options = &options(request);
    if *asked == DirectOptions::default() && !request.conditions.spurious_wakeups {
        let plain = DirectOptions {
            without: DirectReduction::CLAIMED.to_vec(),
            verify: false,
        };
        let search = search(request, &plain, begun).max_states(PLAIN.min(states));
        let first = explore_by(request, &plain, &search);
        if first.is_some() {
            return first;
        }
    }
    let search = search(request, options, begun).max_states(states);
    explore_by(request, options, &search)
}

/// Searches once, with the reductions that the options leave.
pub(crate) fn explore_once(request: &Request) -> Exploration {
    let options = options(request);
    let search = search(request, &options, Instant::now());
    explore_by(request, &options, &search).expect("it may have any number of states")
}

/// What is asked. Claims do not reckon with sleepers that wake without a reason: then none is believed.
fn options(request: &Request) -> DirectOptions {
    let mut options = request.explorer.direct.clone();
    if request.conditions.spurious_wakeups {
        options.without.extend(DirectReduction::CLAIMED);
        options.without.sort_unstable();
        options.without.dedup();
    }
    options
}

/// `None` if there are more states than the search may have.
fn explore_by(request: &Request, options: &DirectOptions, search: &Search) -> Option<Exploration> {
    let watch = Arc::new(Watch::new(request.executions.clone(), |_, _| {}));
    let drops_at_once = !options.without.contains(&DirectReduction::DropsAtOnce);
    let program = Program::new(&request.scenario)
        .heard_by(&watch)
        .dropping_at_once(drops_at_once)
        .waking_spuriously(request.conditions.spurious_wakeups)
        .forgetting_orders(!options.without.contains(&DirectReduction::ListOrders));
    let report = search.run(&program);
    let is_too_large = matches!(report.outcome, Outcome::Incomplete(Cut::States(_)));
    (!is_too_large).then(|| exploration(&program, &watch, report))
}

fn search(request: &Request, options: &DirectOptions, begun: Instant) -> Search {
    let has = |one: DirectReduction| !options.without.contains(&one);
    let mut search = Search::new()
        .workers(request.explorer.workers.into())
        .symmetry(has(DirectReduction::Symmetry))
        .ample(has(DirectReduction::AmpleSets))
        .verify(options.verify)
        .budget(request.budget.saturating_sub(begun.elapsed()));
    if let Some(bytes) = request.explorer.max_memory {
        search = search.max_memory(bytes);
    }
    if let Some(stop) = &request.control.stop {
        search = search.stop(stop.clone());
    }
    if let Some(progress) = &request.control.progress {
        let progress = progress.clone();
        search = search.progress(move |now| {
            let (states, share) = (now.states, 100.0 * now.share);
            progress(&format!(
                "{states} states, about {share:.1} % of the search"
            ));
        });
    }
    search
}

fn exploration(program: &Program, watch: &Watch, report: ReportOf) -> Exploration {
    watch.add_exercised(&program.exercised());
    let certificate = program.certificate(&report);
    let data = serde_json::to_value(&report).expect("a report is data");
    let Counts { states, ends, .. } = report.counts;
    let (mut cut, mut error, mut finding) = (None, None, None);
    let mut sections = None;
    match report.outcome {
        Outcome::Exhausted => {}
        Outcome::Incomplete(why) => cut = Some(why.to_string()),
        Outcome::Violated(found) => {
            let (scenario, at_once) = (&program.prepared.scenario, program.drops_at_once);
            sections = Some(Sections::new(scenario, at_once, &found.path));
            finding = Some(program.finding(&found.path, found.violation));
        }
        other => error = Some(format!("the search failed: {other:?}")),
    }
    Exploration {
        executions: ends,
        cut,
        error,
        sections,
        states: Some(states),
        certificate: Some(certificate),
        report: Some(data),
        ..Exploration::new(watch, Extent::Complete, finding)
    }
}

impl Program {
    /// What was found at the end of this path, with all that was observed on it.
    fn finding(&self, path: &[Action], violation: Violation) -> Finding {
        let mut state = self.begin_with_history();
        for &action in path {
            // The last one, or the end after it, is what breaks the rule.
            let _ = self.apply(&mut state, action);
        }
        Finding {
            rule: violation.rule,
            message: violation.message,
            history: state.history().to_vec(),
        }
    }

    /// What the verdict rests on, in words.
    fn certificate(&self, report: &ReportOf) -> String {
        let Counts {
            states,
            transitions,
            ends,
            ..
        } = report.counts;
        let drops = match self.drops_at_once {
            true => "what is let go of is dropped at once",
            false => "each drop is a step of its own",
        };
        let orders = match self.forgets_orders {
            true => "places in lists count where they can matter",
            false => "places in lists count",
        };
        let wakes = match self.wakes_spuriously {
            true => "with",
            false => "without",
        };
        format!(
            "{states} states, {transitions} transitions, {ends} ends; critical sections are atomic, as loom shows \
             of the monitor; {drops}; {orders}; {wakes} spurious \
             wake-ups; {}",
            report.assumptions
        )
    }
}
