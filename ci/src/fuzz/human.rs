//! Fuzzing as a person reads it. Pure.

use std::fmt::Write as _;

use nmr_models::report::{Finding, FuzzSummary};
use nmr_properties::campaign::about::About;
use nmr_properties::campaign::corpus::Corpus;
use nmr_properties::campaign::folder::Run;

use crate::args;
use crate::style::{BAD, paint};
use crate::words;

/// What is begun.
pub(super) fn beginning(args: &args::Fuzz, about: &About, corpus: &Corpus) -> String {
    let extent = match (args.time, args.batches, args.replay_batch) {
        (_, _, Some(number)) => format!("batch {number} again"),
        (Some(time), None, _) => format!("for {}", words::time(time.as_secs_f64())),
        (Some(time), Some(end), _) => {
            format!(
                "batches up to {end}, for {}",
                words::time(time.as_secs_f64())
            )
        }
        (None, end, _) => format!("batches up to {}", end.unwrap_or_default()),
    };
    format!(
        "fuzzing {extent}, seed {}, shard {}, corpus of {}",
        about.seed,
        args.shard,
        words::plural(corpus.len() as u64, "program"),
    )
}

/// The command that repeats a batch.
pub(super) fn again(args: &args::Fuzz, about: &About, batch: u64) -> String {
    let mut command = format!(
        "cargo nmr fuzz --replay-batch {batch} --seed {}",
        about.seed
    );
    if let Some(corpus) = &args.corpus {
        let _ = write!(command, " --corpus {}", words::path(corpus));
    }
    for option in about.conditions.arguments() {
        let _ = write!(command, " {option}");
    }
    command
}

/// What was found, and how to see it again.
pub(super) fn finding(finding: &Finding) -> String {
    let rule = match finding.rule {
        Some(rule) => rule.to_string(),
        None => "(crash)".to_owned(),
    };
    let mut text = format!(
        "{}, seed {}\n",
        paint(BAD, &format!("violated {rule}")),
        finding.seed
    );
    for line in finding.message.lines() {
        text.push_str(format!("  {line}").trim_end());
        text.push('\n');
    }
    if let Some(case) = &finding.case {
        let path = words::path(case);
        text.push_str(&format!(
            "  case:   {path}\n  replay: cargo nmr replay {path}\n"
        ));
    }
    text
}

/// The end: what was done, what it leaves open, and in the last line what was found.
pub(super) fn report(total: &FuzzSummary, runs: &[Run]) -> String {
    let campaign = &total.campaign;
    let mut text = format!(
        "{}: {} ({}), {} exhausted ({}), {} sampled ({}, {:.0}/s)\n",
        words::plural(campaign.batches, "batch"),
        words::plural(total.scenarios, "program"),
        words::plural(campaign.mutants, "mutant"),
        words::count(total.exhausted),
        words::plural(total.states, "state"),
        words::count(total.sampled),
        words::plural(total.executions, "execution"),
        total.executions as f64 / total.seconds.max(0.001),
    );
    if campaign.explored > 0 {
        let _ = writeln!(
            text,
            "under the explorer as well: {}, {} exhausted",
            words::count(campaign.explored),
            words::count(campaign.explored_whole)
        );
    }
    let _ = writeln!(
        text,
        "coverage: {}, {} of them new to the corpus{}; {} kept",
        words::plural(campaign.cells, "cell"),
        words::count(campaign.new_cells),
        gained(runs),
        words::plural(campaign.kept, "program"),
    );
    text.push_str(&risk(total));
    if campaign.incomplete > 0 {
        let _ = writeln!(
            text,
            "incomplete: {} crashed, hung or needed too much memory",
            words::plural(campaign.incomplete, "program")
        );
    }
    if campaign.harness_errors > 0 {
        let _ = writeln!(
            text,
            "the harness failed on {}: see `errors` in the folder",
            words::plural(campaign.harness_errors, "program")
        );
    }
    let state = match campaign.state.as_str() {
        "" | "done" | "the time was over" => String::new(),
        state => format!(" ({state})"),
    };
    let again = match total.repeats {
        0 => String::new(),
        repeats => format!(", seen again {}", words::plural(repeats, "time")),
    };
    let conditions = words::conditions(total.conditions);
    let _ = writeln!(
        text,
        "{}{again} in {}{state}; seed {}, shard {}, version {}{conditions}",
        words::plural(total.findings, "finding"),
        words::time(total.seconds),
        total.seed,
        total.shard,
        total.version,
    );
    text
}

/// When most of the coverage was there, if there is one run that says so.
fn gained(runs: &[Run]) -> String {
    match runs {
        [run] => match run.gained.as_slice() {
            [.., (seconds, _)] => format!(" (the last after {})", words::time(*seconds)),
            [] => String::new(),
        },
        _ => String::new(),
    }
}

/// What sampling leaves open, and who says so.
fn risk(total: &FuzzSummary) -> String {
    let mut text = String::new();
    if let Some(unseen) = total.campaign.unseen {
        let _ = writeln!(
            text,
            "left open by sampling: one more execution at random is of a class of interleavings not seen yet in about {} of cases \
             (Good–Turing: Good, Biometrika 1953; Böhme, STADS, TOSEM 2018)",
            share(unseen)
        );
    }
    let missed = total.campaign.missed.iter();
    let missed: Vec<String> = missed
        .map(|missed| format!("of depth {} with {}", missed.depth, share(missed.chance)))
        .collect();
    if !missed.is_empty() {
        let _ = writeln!(
            text,
            "  a bug that a sampled program has was missed, at most and on average, {} (PCT's bound: Burckhardt et al., \
             ASPLOS 2010)",
            missed.join(", ")
        );
    }
    text
}

fn share(chance: f64) -> String {
    format!("{:.1} %", 100.0 * chance)
}

#[cfg(test)]
mod tests {
    use super::{finding, report};
    use nmr_models::report::{Finding, FuzzCampaign, FuzzSummary, Missed};
    use nmr_models::rule::Rule;
    use nmr_models::shard::Shard;

    #[test]
    fn a_finding_tells_how_to_see_it_again() {
        let sample = Finding {
            rule: Some(Rule::new(9)),
            message: "cleaned up twice\nby t1".to_owned(),
            seed: 99,
            case: Some("/elsewhere/a.toml".into()),
            repeats: 0,
        };
        let text = anstream::adapter::strip_str(&finding(&sample)).to_string();
        let expected = "\
violated C9, seed 99
  cleaned up twice
  by t1
  case:   /elsewhere/a.toml
  replay: cargo nmr replay /elsewhere/a.toml
";
        assert_eq!(text, expected);
    }

    #[test]
    fn the_end_says_what_was_done_and_what_is_left_open() {
        let total = FuzzSummary {
            scenarios: 9_000,
            exhausted: 8_000,
            states: 7_000_000,
            sampled: 2_000,
            executions: 180_000,
            findings: 1,
            repeats: 41,
            seconds: 600.0,
            seed: 7,
            shard: Shard::WHOLE,
            version: "0.1.0/6".to_owned(),
            conditions: Default::default(),
            campaign: FuzzCampaign {
                state: "the time was over".to_owned(),
                batches: 90,
                mutants: 4_400,
                explored: 300,
                explored_whole: 290,
                incomplete: 1,
                harness_errors: 0,
                cells: 610,
                new_cells: 2,
                kept: 2,
                unseen: Some(0.4321),
                missed: vec![
                    Missed {
                        depth: 2,
                        chance: 0.5,
                    },
                    Missed {
                        depth: 3,
                        chance: 0.97,
                    },
                ],
            },
        };
        let expected = "\
90 batches: 9,000 programs (4,400 mutants), 8,000 exhausted (7,000,000 states), 2,000 sampled (180,000 executions, 300/s)
under the explorer as well: 300, 290 exhausted
coverage: 610 cells, 2 of them new to the corpus; 2 programs kept
left open by sampling: one more execution at random is of a class of interleavings not seen yet in about 43.2 % of cases \
(Good–Turing: Good, Biometrika 1953; Böhme, STADS, TOSEM 2018)
  a bug that a sampled program has was missed, at most and on average, of depth 2 with 50.0 %, of depth 3 with 97.0 % \
(PCT's bound: Burckhardt et al., ASPLOS 2010)
incomplete: 1 program crashed, hung or needed too much memory
1 finding, seen again 41 times in 10 min 0 s; seed 7, shard 1/1, version 0.1.0/6
";
        assert_eq!(report(&total, &[]), expected);
    }
}
