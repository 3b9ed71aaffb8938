//! The arguments of `nmr prove`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use nmr_models::conditions::Conditions;
use nmr_models::prove::Size;
use nmr_models::shard::Shard;

use super::{Format, Outputs, duration};

/// `nmr prove`.
#[derive(Debug, Args)]
pub struct Prove {
    /// Which programs.
    #[arg(long, value_enum, default_value_t)]
    pub size: SizeChoice,
    /// How long, such as `10m`; until all is done if not given.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub time: Option<Duration>,
    /// Which share of the programs, from `1/n` to `n/n`.
    #[arg(long, value_name = "I/N", default_value_t = Shard::WHOLE)]
    pub shard: Shard,
    /// Threads that work on it.
    #[arg(long, value_name = "N", default_value = "2", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub workers: u16,
    /// Write the run to this file from time to time, and go on with what is in it.
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// Where to save cases [default: `nmr/cases` in cargo's target folder].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// What other programs read.
    #[command(flatten)]
    pub outputs: Outputs,
    /// What may happen besides.
    #[command(flatten)]
    pub conditions: Conditions,
    /// How to print the results.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Use this worker instead of building it.
    #[arg(long, value_name = "PATH", hide = true)]
    pub worker: Option<PathBuf>,
}

/// A size of programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum SizeChoice {
    /// 1 client and 1 provider, 2 threads of up to 2 operations, every callback's every behaviour, limits, up to 2
    /// departures from plain modules: 117,226 programs.
    #[default]
    Small,
    /// 1 client and 1 provider, 2 threads of up to 3 operations, 5 in all, calls of both sides through dispatch tables, one
    /// binding at a time: 15,586 programs.
    Calls,
    /// 1 client and 1 provider, 2 threads of up to 2 operations, wrong, foreign and forged handles, attach calls at any
    /// time, owned registrations, interfaces that differ in a part, none at all, one binding at a time, limits, up to 2
    /// departures: 267,440 programs.
    Corners,
    /// 1 client and 1 provider, 2 threads of up to 3 operations, every attach and detach behaviour: 208,560 programs.
    Medium,
    /// Up to 3 modules on up to 2 interfaces, 3 threads of up to 3 operations, 5 in all, every callback's every
    /// behaviour, limits, up to 1 departure: 1,433,096 programs.
    Large,
}

impl SizeChoice {
    /// The size.
    #[must_use]
    pub const fn size(self) -> Size {
        match self {
            Self::Small => Size::SMALL,
            Self::Calls => Size::CALLS,
            Self::Corners => Size::CORNERS,
            Self::Medium => Size::MEDIUM,
            Self::Large => Size::LARGE,
        }
    }
}
