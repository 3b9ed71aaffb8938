//! The arguments of `nmr fuzz`, `nmr merge` and `nmr status`.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use bytesize::ByteSize;
use clap::{ArgGroup, Args};
use nmr_models::conditions::Conditions;
use nmr_models::shard::Shard;
use nmr_properties::campaign::PROGRAMS;
use nmr_properties::campaign::about::seed;

use super::{Format, Outputs, duration};

/// `nmr fuzz`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("extent").required(true).multiple(true).args(["time", "batches", "replay_batch"]))]
pub struct Fuzz {
    /// How long, such as `8h`. It ends within 5 s of that.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub time: Option<Duration>,
    /// Batches up to this number, of all shards together.
    #[arg(long, value_name = "N", conflicts_with = "replay_batch")]
    pub batches: Option<u64>,
    /// Only this batch, again, whatever there is of it.
    #[arg(long, value_name = "K", conflicts_with = "shard")]
    pub replay_batch: Option<u64>,
    /// A number, or a commit's hash; a random one, which is printed, if not given.
    #[arg(long, value_name = "S", value_parser = seed)]
    pub seed: Option<u64>,
    /// Which share of the batches, from `1/n` to `n/n`.
    #[arg(long, value_name = "I/N", default_value_t = Shard::WHOLE)]
    pub shard: Shard,
    /// Programs to begin with, besides those of `properties/corpus`, as they are when the campaign begins. Those that are kept are
    /// added to it at the end.
    #[arg(long, value_name = "DIR")]
    pub corpus: Option<PathBuf>,
    /// The campaign's folder [default: `nmr/findings` in cargo's target folder].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Processes that work on it.
    #[arg(long, value_name = "N", default_value = "2", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: u16,
    /// The most memory of each of them, such as `1GiB`. A program that needs more is incomplete.
    #[arg(long, value_name = "SIZE", default_value = "2GiB", value_parser = bytes)]
    pub max_memory: u64,
    /// The most time for a program. One that takes longer hangs, which is a finding.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "2m")]
    pub timeout: Duration,
    /// The most time in which a failure is made small. What is cut short by it is as small as it is by then.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "10s")]
    pub shrink_time: Duration,
    /// Say nothing but what came of it.
    #[arg(long, short)]
    pub quiet: bool,
    /// What other programs read.
    #[command(flatten)]
    pub outputs: Outputs,
    /// What may happen besides.
    #[command(flatten)]
    pub conditions: Conditions,
    /// How to print the results.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Programs in a batch.
    #[arg(long, value_name = "N", hide = true, default_value_t = PROGRAMS)]
    pub programs: u64,
    /// Use this fuzzer instead of building it.
    #[arg(long, value_name = "PATH", hide = true)]
    pub worker: Option<PathBuf>,
}

/// `nmr merge`.
#[derive(Debug, Args)]
pub struct Merge {
    /// The folders.
    #[arg(value_name = "DIR", required = true)]
    pub from: Vec<PathBuf>,
    /// Where to put all of it. What is there already is one of them.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Add the programs that were kept to this corpus.
    #[arg(long, value_name = "DIR")]
    pub corpus: Option<PathBuf>,
    /// How to print what it comes to.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `nmr status`.
#[derive(Debug, Args)]
pub struct Status {
    /// The folder.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Show the matrices of coverage, too: what is reached, and what never, with the reason where there is one.
    #[arg(long)]
    pub coverage: bool,
    /// How to print it.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

fn bytes(text: &str) -> Result<u64, String> {
    match ByteSize::from_str(text) {
        Ok(size) if size.as_u64() == 0 => Err("expected at least 1B".to_owned()),
        Ok(size) => Ok(size.as_u64()),
        Err(error) => Err(format!("{error}: expected a size such as 512MiB or 4GiB")),
    }
}
