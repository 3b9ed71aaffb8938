//! The command line.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use nmr_models::report::{Build, Engine, Shard};

use crate::exit;

/// Checks the registrar's lifetime rules under every interleaving.
#[derive(Debug, Parser)]
#[command(name = "nmr", bin_name = "cargo nmr", version, after_help = exit::HELP)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Explore each scenario with each engine.
    ///
    /// Builds the workers, runs each scenario under each engine in a process of its own, and prints
    /// a table of verdicts, what was found, and how often each rule of the contract was exercised.
    /// A crash, an abort and a hang of a worker are findings. If every scenario ran and a rule was
    /// never exercised, the suite is incomplete.
    #[command(after_help = exit::HELP)]
    Check(Check),
    /// Try generated scenarios until the time is up.
    ///
    /// Each failure is shrunk and saved as a case. Seed, shard and version fix the sequence of
    /// scenarios.
    #[command(after_help = exit::HELP)]
    Fuzz(Fuzz),
    /// Show the named scenarios.
    List(List),
    /// Show a saved case, step by step.
    ///
    /// Ends with exit code 1 if the case still breaks a rule, with 0 if it does not.
    #[command(after_help = exit::HELP)]
    Replay(Replay),
    /// Run all tests of all builds.
    ///
    /// Ends with one line per build and a total.
    #[command(after_help = exit::HELP)]
    Test(Test),
}

/// `nmr check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Engines to use, separated by commas; `shuttle` is random, pct and urw.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "all")]
    pub engine: Vec<EngineChoice>,
    /// Only the scenarios whose name matches; may be given several times.
    #[arg(long, value_name = "GLOB")]
    pub scenario: Vec<String>,
    /// A scenario of your own, in TOML, instead of the named ones.
    #[arg(long, value_name = "PATH", conflicts_with = "scenario")]
    pub file: Option<PathBuf>,
    /// Seed of the sampling engines; a random one, which is printed, if not given.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Time for each run, such as `60s`. By default 5 s under explorer and loom, 700 ms under the others.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub budget: Option<Duration>,
    /// Give each run under explorer and loom 10 minutes: for nightly runs.
    #[arg(long)]
    pub deep: bool,
    /// How to print the results.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Workers at a time.
    #[arg(long, value_name = "N", default_value = "2", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: u16,
    /// Use this worker for all engines instead of building them.
    #[arg(long, value_name = "PATH", hide = true)]
    pub worker: Option<PathBuf>,
}

/// `nmr fuzz`.
#[derive(Debug, Args)]
pub struct Fuzz {
    /// How long, such as `10m`.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub time: Duration,
    /// A random seed, which is printed, if not given.
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
    /// Which share of the work, from `1/n` to `n/n`.
    #[arg(long, value_name = "I/N", default_value_t = Shard::WHOLE)]
    pub shard: Shard,
    /// Where to save cases [default: `nmr/findings` in cargo's target folder].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// How to print the results.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Use this fuzzer instead of building it.
    #[arg(long, value_name = "PATH", hide = true)]
    pub worker: Option<PathBuf>,
}

/// `nmr list`.
#[derive(Debug, Args)]
pub struct List {
    /// How to print them.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `nmr replay`.
#[derive(Debug, Args)]
pub struct Replay {
    /// The case.
    #[arg(value_name = "CASE.toml")]
    pub case: PathBuf,
    /// Use this worker instead of building it.
    #[arg(long, value_name = "PATH", hide = true)]
    pub worker: Option<PathBuf>,
}

/// `nmr test`.
#[derive(Debug, Args)]
pub struct Test {
    /// Builds to test, separated by commas; all if not given.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub build: Vec<BuildChoice>,
}

/// Who reads the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A person.
    #[default]
    Human,
    /// A program: one JSON object a line.
    Json,
}

/// One or several engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EngineChoice {
    /// Every interleaving under sequential consistency; not part of `all`.
    Explorer,
    /// Every interleaving, as far as the budget goes.
    Loom,
    /// Random, pct and urw.
    Shuttle,
    /// Real threads.
    Threads,
    /// Each next thread at random.
    Random,
    /// Probabilistic concurrency testing.
    Pct,
    /// Uniform random walk.
    Urw,
    /// Loom, shuttle and threads.
    All,
}

impl EngineChoice {
    fn engines(self) -> &'static [Engine] {
        match self {
            Self::Explorer => &[Engine::Explorer],
            Self::Loom => &[Engine::Loom],
            Self::Shuttle => &[Engine::Random, Engine::Pct, Engine::Urw],
            Self::Threads => &[Engine::Threads],
            Self::Random => &[Engine::Random],
            Self::Pct => &[Engine::Pct],
            Self::Urw => &[Engine::Urw],
            Self::All => &[
                Engine::Loom,
                Engine::Random,
                Engine::Pct,
                Engine::Urw,
                Engine::Threads,
            ],
        }
    }

    /// All engines of some choices, each once, in their order.
    #[must_use]
    pub fn all_of(choices: &[Self]) -> Vec<Engine> {
        let engines = choices.iter().flat_map(|choice| choice.engines());
        Vec::from_iter(engines.copied().collect::<BTreeSet<_>>())
    }
}

/// A build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BuildChoice {
    /// No cfg.
    Native,
    /// `--cfg loom`.
    Loom,
    /// `--cfg shuttle`.
    Shuttle,
}

impl BuildChoice {
    /// All builds of some choices, each once, in their order; all builds of none.
    #[must_use]
    pub fn all_of(choices: &[Self]) -> Vec<Build> {
        let all = [
            (Self::Native, Build::Native),
            (Self::Loom, Build::Loom),
            (Self::Shuttle, Build::Shuttle),
        ];
        let chosen = all
            .into_iter()
            .filter(|(choice, _)| choices.is_empty() || choices.contains(choice));
        chosen.map(|(_, build)| build).collect()
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    match humantime::Duration::from_str(text) {
        Ok(duration) if duration.as_millis() == 0 => Err("expected at least 1ms".to_owned()),
        Ok(duration) => Ok(duration.into()),
        Err(error) => Err(format!("{error}: expected a time such as 60s or 1h 30m")),
    }
}

#[cfg(test)]
mod tests {
    use super::{BuildChoice, Cli, Command, EngineChoice, duration};
    use clap::{CommandFactory, Parser};
    use nmr_models::report::{Build, Engine};
    use std::time::Duration;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn engines_are_taken_once_and_in_order() {
        let choices = [EngineChoice::Pct, EngineChoice::Shuttle, EngineChoice::Loom];
        let expected = [Engine::Loom, Engine::Random, Engine::Pct, Engine::Urw];
        assert_eq!(EngineChoice::all_of(&choices), expected);
        let explorer = [EngineChoice::All, EngineChoice::Explorer];
        assert_eq!(EngineChoice::all_of(&explorer), Engine::ALL);
        let all = EngineChoice::all_of(&[EngineChoice::All]);
        assert_eq!(all, Engine::ALL[1..], "all but the explorer");
    }

    #[test]
    fn no_build_is_every_build() {
        let all = [Build::Native, Build::Loom, Build::Shuttle];
        assert_eq!(BuildChoice::all_of(&[]), all);
        let two = [BuildChoice::Shuttle, BuildChoice::Native];
        assert_eq!(BuildChoice::all_of(&two), [Build::Native, Build::Shuttle]);
    }

    #[test]
    fn times_are_for_people() {
        assert_eq!(duration("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(duration("1h 30m"), Ok(Duration::from_secs(5400)));
        let zero = duration("0s").unwrap_err();
        assert!(zero.contains("at least 1ms"), "{zero}");
        let word = duration("soon").unwrap_err();
        assert!(word.contains("such as 60s"), "{word}");
    }

    #[test]
    fn the_commands_of_the_documentation_are_understood() {
        for line in [
            "nmr check --engine loom --scenario two-* --seed 7 --budget 60s --format json",
            "nmr check --engine explorer,loom,threads --deep",
            "nmr check --file own.toml",
            "nmr fuzz --time 10m --seed 5 --shard 2/8 --out somewhere",
            "nmr list --format json",
            "nmr replay case.toml",
            "nmr test --build loom",
        ] {
            let parsed = Cli::try_parse_from(line.split(' '));
            assert!(parsed.is_ok(), "{line}: {parsed:?}");
        }
        let Command::Fuzz(fuzz) = Cli::parse_from(["nmr", "fuzz", "--time", "4h"]).command else {
            panic!("it is fuzz");
        };
        assert_eq!(fuzz.shard.to_string(), "1/1");
    }
}
