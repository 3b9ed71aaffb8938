//! Makes a failure small: first the program (threads, modules, operations, behaviours, limits), as long as the same rule
//! breaks in the same way; then the schedule, by the explorer, which has the fewest preemptions first.
//!
//! It is bounded by work, so that the same failure becomes the same case everywhere, and by a time besides: what is cut short
//! by that is as small as it was made by then.

use std::time::{Duration, Instant};

use nmr_models::case::Case;
use nmr_models::engine::explore_within;
use nmr_models::engine_name::Engine;
use nmr_models::scenario::Scenario;

use super::canonical::canonical;
use super::explore::{EXPLORED, Sampler, explore_quietly, on_threads};
use super::identity::Identity;
use super::simplify::variants;
use crate::minimize::minimize;

/// How many simpler programs are tried, at most.
const VARIANTS: usize = 3_000;

/// How long a failure is made small, at most, unless one says otherwise.
pub const SHRINKING: Duration = Duration::from_secs(10);

/// Executions of a simpler program under a sampling engine: it fails in fewer interleavings, or in others.
const SAMPLED: u64 = 60;

/// The most executions in which a schedule with fewer preemptions is looked for.
const SCHEDULES: u64 = 20 * EXPLORED;

impl Sampler {
    /// The smallest case found that breaks the same rule in the same way, in its [canonical form](canonical). Failures that
    /// come down to the same program get the same schedule, whatever they were.
    #[must_use]
    pub fn smallest(&self, found: Case) -> Case {
        let until = self.deadline.min(Instant::now() + self.shrinking);
        let identity = Identity::of(&found);
        let seed = found.seed.unwrap_or_default();
        let engines = engines(found.engine);
        let fails = |program: &Scenario| {
            engines.iter().find_map(|&engine| {
                let request = self.uncounted(program, engine, seed);
                let exploration = explore_quietly(&request, SAMPLED)?;
                let case = Case::new(&request, &exploration)?;
                (Identity::of(&case) == identity).then_some(case)
            })
        };
        let mut smallest = found.clone();
        let smaller = |program: &Scenario| {
            let case = (Instant::now() < until).then(|| fails(program)).flatten();
            case.map(|case| smallest = case).is_some()
        };
        let least = minimize(found.scenario, variants, smaller, VARIANTS);
        let least = canonical(&least);
        let explored = (Instant::now() < until)
            .then(|| self.with_few_preemptions(&least, &identity))
            .flatten();
        let mut smallest = match explored {
            Some(case) => case,
            None => {
                let again = fails(&least).unwrap_or(smallest);
                on_threads(again.clone()).unwrap_or(again)
            }
        };
        smallest.scenario.name = identity.name();
        smallest.scenario.summary =
            format!("generated; the least program that {}", told(&identity));
        smallest
    }

    /// The program's failure as the explorer finds it.
    fn with_few_preemptions(&self, program: &Scenario, identity: &Identity) -> Option<Case> {
        let request = self.uncounted(program, Engine::Explorer, 0);
        let exploration = explore_within(&request, Some(identity.rule), SCHEDULES);
        let case = Case::new(&request, &exploration)?;
        (Identity::of(&case) == *identity).then_some(case)
    }
}

fn told(identity: &Identity) -> String {
    match identity.rule {
        Some(rule) => format!("was found to break {rule} so"),
        None => "was found to crash so".to_owned(),
    }
}

/// By what a simpler program is tried. What one of the searches finds the other ones may not.
fn engines(found_by: Engine) -> Vec<Engine> {
    match found_by {
        Engine::Direct => vec![Engine::Direct],
        Engine::Explorer => vec![Engine::Direct, Engine::Explorer],
        sampling => vec![Engine::Direct, sampling, Engine::Explorer],
    }
}
