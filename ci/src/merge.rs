//! `nmr merge`: one folder of those of several runs of `nmr fuzz`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use nmr_models::shard::Shard;
use nmr_properties::campaign::about::About;
use nmr_properties::campaign::folder::{Folder, Run};

use crate::args::{self, Format};
use crate::error::Error;
use crate::exit::Exit;
use crate::fuzz;
use crate::status;

/// Merges, and prints what it comes to.
///
/// # Errors
/// A folder is none of a campaign, a file in it is not what it should be, or the folder or `out` cannot be written.
pub fn run(args: &args::Merge, out: &mut dyn Write) -> Result<Exit, Error> {
    let into = Folder::at(std::path::absolute(&args.out)?);
    for path in &args.from {
        let from = Folder::at(std::path::absolute(path)?);
        if !from.is_there() {
            return Err(status::nothing_there(path));
        }
    }
    for path in &args.from {
        into.merge(&Folder::at(std::path::absolute(path)?))?;
    }
    if let Some(corpus) = &args.corpus {
        fuzz::keep(corpus, &into)?;
    }
    if args.format == Format::Human {
        out.write_all(status::proofs(&into)?.as_bytes())?;
    }
    let (mut summary, exit) = status::summary_of(&into)?;
    let runs = into.runs()?;
    let (told, unfinished) = (told(&runs), unfinished(&runs));
    match args.format {
        Format::Human => told.iter().try_for_each(|line| writeln!(out, "{line}"))?,
        Format::Json => {
            let state = &mut summary.campaign.state;
            *state = [vec![state.clone()], told].concat().join("; ");
        }
    }
    fuzz::print(&into, summary, args.format, out)?;
    Ok(match (exit, unfinished) {
        (Exit::Holds | Exit::Incomplete, Some(unfinished)) => unfinished,
        _ => exit,
    })
}

/// What has to be known of the runs besides their sum: that they are of several campaigns, and which shards are missing.
fn told(runs: &[Run]) -> Vec<String> {
    let campaigns = campaigns(runs);
    let mut told = Vec::new();
    if campaigns.len() > 1 {
        let each = campaigns.keys().map(|about| {
            let About { seed, version, .. } = about;
            format!("seed {seed}, version {version}")
        });
        let each: Vec<String> = each.collect();
        told.push(format!(
            "the sum is of {} campaigns: {}",
            campaigns.len(),
            each.join("; ")
        ));
    }
    for (about, shards) in &campaigns {
        let missing = missing(shards);
        if !missing.is_empty() {
            let missing: Vec<String> = missing.iter().map(Shard::to_string).collect();
            told.push(format!(
                "of seed {} no run is here of shard {}",
                about.seed,
                missing.join(", ")
            ));
        }
    }
    told
}

/// The shards that ran, by campaign.
fn campaigns(runs: &[Run]) -> BTreeMap<&About, Vec<Shard>> {
    let mut campaigns: BTreeMap<_, Vec<Shard>> = BTreeMap::new();
    for run in runs {
        campaigns.entry(&run.about).or_default().push(run.shard);
    }
    campaigns
}

/// The shards that are missing, where some are there of that many.
fn missing(shards: &[Shard]) -> Vec<Shard> {
    let counts: BTreeSet<u32> = shards.iter().map(|shard| shard.count()).collect();
    let all = counts.into_iter().flat_map(|count| {
        let each = (1..=count).map(move |index| format!("{index}/{count}"));
        each.map(|text| text.parse().expect("it is a shard"))
    });
    all.filter(|shard| !shards.contains(shard)).collect()
}

/// What the exit code says at best.
fn unfinished(runs: &[Run]) -> Option<Exit> {
    let is = |words: &str| runs.iter().any(|run| run.state.starts_with(words));
    let mut campaigns = campaigns(runs).into_values();
    let is_missing = campaigns.any(|shards| !missing(&shards).is_empty());
    if is("failed") {
        Some(Exit::Harness)
    } else if is("interrupted") || is("running") || is_missing {
        Some(Exit::Incomplete)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{About, Run, missing, told, unfinished};
    use crate::exit::Exit;
    use nmr_models::conditions::Conditions;

    fn run(seed: u64, shard: &str, state: &str) -> Run {
        Run {
            about: About::new(seed, 100, Conditions::default(), String::new()),
            shard: shard.parse().expect("it is a shard"),
            begun: 0,
            seconds: 1.0,
            time: None,
            batches: Some(10),
            state: state.to_owned(),
            gained: Vec::new(),
        }
    }

    #[test]
    fn all_shards_of_one_campaign_are_told_of_by_their_sum_alone() {
        let runs = [run(1, "1/2", "done"), run(1, "2/2", "the time was over")];
        assert!(told(&runs).is_empty(), "{:?}", told(&runs));
        assert_eq!(unfinished(&runs), None);
    }

    #[test]
    fn several_campaigns_and_missing_shards_are_named() {
        let runs = [run(1, "1/3", "done"), run(2, "1/1", "done")];
        let text = told(&runs).join("\n");
        assert!(
            text.starts_with("the sum is of 2 campaigns: seed 1, version "),
            "{text}"
        );
        assert!(
            text.ends_with("of seed 1 no run is here of shard 2/3, 3/3"),
            "{text}"
        );
        assert_eq!(unfinished(&runs), Some(Exit::Incomplete));
        assert_eq!(missing(&[runs[1].shard]), []);
    }

    #[test]
    fn a_run_that_failed_or_was_interrupted_is_in_the_exit_code() {
        let failed = [run(1, "1/1", "failed: why"), run(2, "1/1", "interrupted")];
        assert_eq!(unfinished(&failed), Some(Exit::Harness));
        assert_eq!(unfinished(&failed[1..]), Some(Exit::Incomplete));
    }
}
