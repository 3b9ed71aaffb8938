//! The fuzzer: generated scenarios exhausted without threads, or under shuttle's sampling engines, until the time is up.
//!
//! `nmr fuzz` starts it and reads its standard output: the lines of `nmr_models::report` (progress,
//! findings, and a summary at the end, unless the harness failed). Seed, shard and version fix the
//! series of scenarios; how far it comes in its time is the machine's. Exit codes: 0 nothing found,
//! 1 findings, 2 bad usage or no shuttle build, 4 the harness failed.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use nmr_models::conditions::Conditions;
use nmr_models::shard::Shard;

/// Runs generated scenarios until the time is up; prints JSON lines.
#[derive(Debug, Parser)]
struct Args {
    /// How long, in milliseconds.
    #[arg(long)]
    time_ms: u64,
    /// The seed of the series of scenarios.
    #[arg(long)]
    seed: u64,
    /// Which of the machines that share the seed this is, `i/n`.
    #[arg(long, default_value_t = Shard::WHOLE)]
    shard: Shard,
    /// Where to save the cases of findings.
    #[arg(long)]
    out: PathBuf,
    /// What may happen besides.
    #[command(flatten)]
    conditions: Conditions,
}

fn main() -> ExitCode {
    run(&Args::parse())
}

#[cfg(not(shuttle))]
fn run(args: &Args) -> ExitCode {
    eprintln!(
        "error: nothing to fuzz {args:?} with: expected a shuttle build (RUSTFLAGS=\"--cfg shuttle\")"
    );
    ExitCode::from(2)
}

#[cfg(shuttle)]
fn run(args: &Args) -> ExitCode {
    match fuzz::run(args) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(4)
        }
    }
}

#[cfg(shuttle)]
mod fuzz {
    use std::collections::{BTreeMap, BTreeSet};
    use std::io::Write as _;
    use std::sync::atomic::Ordering;
    use std::thread;
    use std::time::{Duration, Instant};

    use anyhow::Context as _;
    use nmr_models::case::Case;
    use nmr_models::report::{Finding, FuzzSummary, Line};
    use nmr_models::rule::Rule;
    use nmr_properties::concurrent::explore::{Sampler, save};
    use nmr_properties::concurrent::series::{VERSION, scenario, scenario_seed};

    use super::Args;

    /// How often it says that it is alive.
    const PROGRESS: Duration = Duration::from_secs(1);

    /// Fuzzes; answers the number of findings.
    pub(super) fn run(args: &Args) -> anyhow::Result<u64> {
        let start = Instant::now();
        let deadline = start + Duration::from_millis(args.time_ms);
        let explorer = Sampler::new(deadline, args.conditions);
        report_progress(&explorer);
        let mut findings = Findings::default();
        let mut scenarios = 0;
        for index in 0..=u32::MAX {
            if explorer.is_over() {
                break;
            }
            let seed = scenario_seed(args.seed, args.shard, index);
            scenarios += 1;
            let found = explorer.explore(&scenario(seed), seed)?;
            if let Some(found) = found.filter(|found| !findings.is_enough(found.rule)) {
                findings.add(args, explorer.smallest(found), seed)?;
            }
        }
        let [exhausted, states, sampled] = explorer.tally();
        print(&Line::FuzzSummary(FuzzSummary {
            scenarios,
            exhausted,
            states,
            sampled,
            executions: explorer.executions().load(Ordering::Relaxed),
            findings: findings.count,
            seconds: start.elapsed().as_secs_f64(),
            seed: args.seed,
            shard: args.shard,
            version: VERSION.to_owned(),
            conditions: args.conditions,
        }))?;
        Ok(findings.count)
    }

    /// More failures of a rule than this say nothing new, and only use up the time.
    const MOST_OF_A_RULE: u64 = 10;

    /// What was found. Failures that are the same once they are small are one finding.
    #[derive(Default)]
    struct Findings {
        seen: BTreeSet<String>,
        of_rule: BTreeMap<Option<Rule>, u64>,
        count: u64,
    }

    impl Findings {
        fn is_enough(&self, rule: Option<Rule>) -> bool {
            self.of_rule
                .get(&rule)
                .is_some_and(|&count| count >= MOST_OF_A_RULE)
        }

        fn add(&mut self, args: &Args, case: Case, seed: u64) -> anyhow::Result<()> {
            let mut nameless = case.scenario.clone();
            nameless.name.clear();
            let key = format!("{:?} {}", case.rule, nameless.to_toml());
            if !self.seen.insert(key) {
                return Ok(());
            }
            self.count += 1;
            *self.of_rule.entry(case.rule).or_default() += 1;
            let saved = save(&case, &args.out);
            let path = saved.with_context(|| format!("saving to {}", args.out.display()))?;
            print(&Line::Finding(Finding {
                rule: case.rule,
                message: case.message,
                seed,
                case: Some(path),
            }))
        }
    }

    fn report_progress(explorer: &Sampler) {
        let executions = explorer.executions().clone();
        thread::spawn(move || {
            loop {
                thread::sleep(PROGRESS);
                let executions = executions.load(Ordering::Relaxed);
                // Whoever listened has gone; the next finding will fail, too.
                let text = None;
                if print(&Line::Progress { executions, text }).is_err() {
                    return;
                }
            }
        });
    }

    fn print(line: &Line) -> anyhow::Result<()> {
        let text = serde_json::to_string(line).context("a line has a JSON form")?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "{text}")?;
        out.flush().context("writing to stdout")
    }
}
