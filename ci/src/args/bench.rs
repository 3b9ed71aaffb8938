//! The arguments of `nmr bench`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::{Format, duration};
use crate::exit;

/// `nmr bench`.
#[derive(Debug, Args)]
pub struct Bench {
    /// What to measure.
    #[command(subcommand)]
    pub target: BenchTarget,
}

/// What can be measured.
#[derive(Debug, Subcommand)]
pub enum BenchTarget {
    /// The direct engine next to the explorer and loom, one search at a time.
    ///
    /// Prints a table of searches, and below it what was asked of them, and whether that is met, as for the explorer.
    /// Each search of the direct engine is one, with all of its reductions unless the table says which are off.
    #[command(after_help = exit::HELP)]
    Direct(BenchSearches),
    /// The explorer next to loom and to shuttle's own depth-first search, one search at a time.
    ///
    /// Prints a table of searches, and below it what was asked of them, and whether that is met. A
    /// search that does not end within its limit, and something asked for that is not met, are no
    /// failures: the exit code is 0 unless something was found or the harness failed.
    #[command(after_help = exit::HELP)]
    Explorer(BenchSearches),
    /// What a registration costs in time and memory, now and at another revision.
    ///
    /// Runs the benchmarks of `core/benches` in rounds, each workload in a process of its own, and prints
    /// medians and quartiles of criterion's samples in ns. With `--baseline` it compiles the benchmarks as they
    /// are now against the registrar of that revision too (in a temporary checkout), and runs both by turns, the
    /// one first in one round and the other in the next. What is compared are the medians within a round: printed
    /// are the median of these ratios and the confidence interval of that. Something asked for that is not met
    /// is no failure.
    #[command(after_help = exit::HELP)]
    Registrar(BenchRegistrar),
}

/// `nmr bench direct` and `nmr bench explorer`.
#[derive(Debug, Args)]
pub struct BenchSearches {
    /// Limit of each search, such as `60s`. By default 30 s, 5 min for the largest ones, and 20 s for each of
    /// the named scenarios that nothing is asked of.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub budget: Option<Duration>,
    /// How to print the results.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Use this worker for all engines instead of building them.
    #[arg(long, value_name = "PATH", hide = true)]
    pub worker: Option<PathBuf>,
}

/// `nmr bench registrar`.
#[derive(Debug, Args)]
pub struct BenchRegistrar {
    /// A revision to compare with, as git names it.
    #[arg(long, value_name = "REV")]
    pub baseline: Option<String>,
    /// Rounds. With 6 and more there is a confidence interval of at least 95 %.
    #[arg(long, value_name = "N", default_value = "15", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub rounds: u16,
    /// Time for each workload in a round, after half as much to warm up.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "300ms")]
    pub time: Duration,
    /// How to print the results.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Use the programs of this folder, in `now` and `baseline`, instead of building them.
    #[arg(long, value_name = "DIR", hide = true)]
    pub programs: Option<PathBuf>,
}
