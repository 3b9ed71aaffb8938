//! What batches come to, as a line. Pure.

use std::collections::BTreeMap;

use nmr_models::report::{FuzzCampaign, FuzzSummary, Missed};
use nmr_models::shard::Shard;
use nmr_properties::campaign::batch::Batch;
use nmr_properties::campaign::estimate::unseen;
use nmr_properties::campaign::folder::Run;
use nmr_properties::campaign::reached::Reached;
use nmr_properties::campaign::totals::Totals;

use crate::exit::Exit;

/// The summary of batches, and of the runs that have made them; `known` is what the corpus reaches. The seed and the rest are
/// those of the first run.
pub(crate) fn summary(batches: &[&Batch], runs: &[Run], known: &Reached) -> FuzzSummary {
    let totals = Totals::of(batches.iter().copied());
    let first = runs.first();
    let about = first.map(|run| &run.about).or_else(|| {
        let batch = batches.first()?;
        Some(&batch.about)
    });
    let failed: u64 = totals.findings.values().sum();
    let findings = totals.findings.len() as u64;
    FuzzSummary {
        scenarios: totals.programs,
        executions: totals.sampled.executions,
        findings,
        repeats: failed.saturating_sub(findings),
        seconds: runs.iter().map(|run| run.seconds).sum(),
        seed: about.map_or(0, |about| about.seed),
        shard: match runs {
            [only] => only.shard,
            _ => Shard::WHOLE,
        },
        version: about.map(|about| about.version.clone()).unwrap_or_default(),
        conditions: about.map(|about| about.conditions).unwrap_or_default(),
        exhausted: totals.exhausted,
        states: totals.states,
        sampled: totals.sampled.programs,
        campaign: FuzzCampaign {
            state: state(runs),
            batches: totals.batches,
            mutants: totals.mutants,
            explored: totals.explored,
            explored_whole: totals.explored_whole,
            incomplete: totals.incomplete,
            harness_errors: totals.errors,
            cells: totals.reached.len() as u64,
            new_cells: totals.reached.without(known).len() as u64,
            kept: totals.kept.len() as u64,
            unseen: unseen(totals.sampled.classes),
            missed: missed(&totals),
        },
    }
}

/// How it ends: a finding stands whatever else went wrong.
pub(crate) const fn exit(summary: &FuzzSummary) -> Exit {
    if summary.findings > 0 {
        Exit::Violated
    } else if summary.campaign.harness_errors > 0 {
        Exit::Harness
    } else if summary.campaign.incomplete > 0 {
        Exit::Incomplete
    } else {
        Exit::Holds
    }
}

fn missed(totals: &Totals) -> Vec<Missed> {
    let missed = totals.sampled.missed.iter();
    let each = missed.filter_map(|(&depth, missed)| {
        let chance = missed.average()?;
        Some(Missed { depth, chance })
    });
    each.collect()
}

/// The states of all runs, each once.
fn state(runs: &[Run]) -> String {
    let mut states: BTreeMap<&str, u64> = BTreeMap::new();
    for run in runs {
        *states.entry(&run.state).or_default() += 1;
    }
    match states.len() {
        0 | 1 => states.keys().next().copied().unwrap_or_default().to_owned(),
        _ => {
            let each = states
                .iter()
                .map(|(state, count)| format!("{count} {state}"));
            each.collect::<Vec<_>>().join(", ")
        }
    }
}
