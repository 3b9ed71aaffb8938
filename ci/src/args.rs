//! The command line.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use nmr_models::conditions::Conditions;
use nmr_models::engine::ExplorerOptions;
use nmr_models::engine_name::{Build, Engine};
use nmr_models::scenario::Terms;

use crate::c_module::Choice;
use crate::exit;

mod bench;
mod fuzz;
mod outputs;
mod prove;

pub use bench::{Bench, BenchRegistrar, BenchSearches, BenchTarget};
pub use fuzz::{Fuzz, Merge, Status};
pub use outputs::{MessageFormat, Outputs};
pub use prove::{Prove, SizeChoice};

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
    /// Explore each scenario with the engines.
    ///
    /// Builds the workers, runs each scenario under the engines, each run in a process of its own, and
    /// prints a table of verdicts, what was found, and how often each rule of the contract was
    /// exercised. A crash, an abort and a hang of a worker are findings. If every scenario ran and a
    /// rule was never exercised, the suite is incomplete.
    ///
    /// The direct engine comes first: it searches the registrar's calls without threads, in milliseconds. Then
    /// the explorer, which runs the real code and is complete under sequential consistency. Then loom, which
    /// knows the C11 memory model, and is bounded where it has to be; and real threads. Random, pct and
    /// urw sample the scenarios that neither the explorer nor loom has exhausted, unless they are asked
    /// for by name: then they sample all.
    #[command(after_help = exit::HELP)]
    Check(Check),
    /// Plant known bugs, and show that they are found.
    ///
    /// Plants the bugs of `models/bugs` into a copy of the registrar (all in one build, chosen at run time)
    /// and into modules of scenarios, looks for each of them with the engines, and then for something wrong
    /// in its correct twin. Nothing in the working tree is touched.
    ///
    /// The direct engine and the explorer try all scenarios but the slowest one; the other engines, for
    /// comparison, those that the bug names and some by which the explorer found it, until one shows it. Exit
    /// code 1: the explorer finds a bug by fewer than two scenarios, names its rule in none, or takes more
    /// than 5 s; loom or the direct engine misses one that it should find; or a twin is flagged. Exit code 2:
    /// a bug does not apply, does not compile or changes nothing.
    #[command(after_help = exit::HELP)]
    Bugs(Bugs),
    /// Try generated programs, in batches, until the time is up or so many are done.
    ///
    /// Each program is exhausted without threads where it is small enough, or else sampled on threads: at random, by PCT of
    /// several depths, by a uniform walk. A share, and those that reach what was not reached before, run under the explorer as
    /// well. Each batch leaves out some features and likes others better; programs that reach something new are kept and
    /// mutated. A failure is made small and saved as a case; what breaks a rule in the same way is one finding.
    ///
    /// Seed, corpus and sources fix each batch: `--replay-batch K` repeats one. The folder says all that came of it; the same
    /// command goes on with what is there. Shards need no talk: `nmr merge` makes one folder of theirs, `nmr status` reads that of
    /// a run that goes on.
    ///
    /// Exit code 1: a finding. 4: engines disagreed on a program, or one failed. 3: it is not known what comes of a program,
    /// which needed too much memory.
    #[command(after_help = exit::HELP)]
    Fuzz(Fuzz),
    /// Make one folder of those of several runs of `fuzz`.
    ///
    /// Findings, batches, corpora and checkpoints of `prove` are put together, in any order and as often as one likes: of what is
    /// there twice the one counts of which more is done. The folders are left as they are.
    ///
    /// Several campaigns and missing shards are told. Exit code 1: a finding. 4: a run failed, or the harness did on a program.
    /// 3: a shard is missing, a run was interrupted or goes on, or it is not known what comes of a program.
    #[command(after_help = exit::HELP)]
    Merge(Merge),
    /// Say how far a run of `fuzz` is, or what came of it, by its folder.
    #[command(after_help = exit::HELP)]
    Status(Status),
    /// Exhaust every program up to a size.
    ///
    /// A size bounds programs: modules, threads, operations, what callbacks do. Each program within the bounds is
    /// exhausted, once up to renaming; the certificate at the end says what was looked at. What breaks a rule is made
    /// small and saved as a case, the first program of each rule.
    ///
    /// Verdict and counts do not depend on the number of workers, and those of the shards add up to those of the
    /// whole. Exit code 3: the time was over, or the search of some program was cut short.
    #[command(after_help = exit::HELP)]
    Prove(Prove),
    /// Measure the explorer or the registrar.
    Bench(Bench),
    /// Write a scenario to begin with.
    ///
    /// Its comments say what a scenario may contain. It holds as it stands: `cargo nmr check --file FILE`.
    Init(Init),
    /// Show the named scenarios.
    List(List),
    /// Repeat a saved case, step by step.
    ///
    /// Follows its schedule exactly; where the code has changed, aligns it again; then looks near it; then
    /// exhausts its scenario. The last line says what came of it, and so does the exit code:
    ///
    /// 1 `reproduces`, `reproduces after re-alignment (at …)`, `reproduces elsewhere (another schedule)` or
    /// `breaks another rule`; 0 `fixed (scenario exhausted, n states)`; 3 `not reproduced (cut short: why)`;
    /// 5 `no longer applicable (why)`.
    #[command(after_help = exit::HELP)]
    Replay(Replay),
    /// List the saved cases and what comes of each today, or print one as a test.
    ///
    /// A case is expected to be fixed, unless it says otherwise (`expect = "reproduces"`). Exit code 1: one
    /// is not as expected.
    #[command(after_help = exit::HELP)]
    Case(Case),
    /// Write a page to look at: cases step by step, and what runs have printed.
    ///
    /// One HTML file that needs no network and no other file, to be opened, kept with a build, or sent. A case is replayed;
    /// the page shows its threads, what the registrar held after each step, and who waits for whom; the end of its
    /// address, `#step=17`, names a step. Of lines of `--format json` (`check`, `prove`, `bugs`, `fuzz`, `case`) it shows verdicts,
    /// coverage, findings, and over several files the trend. The same inputs make the same bytes.
    ///
    /// The exit code says whether the page was written, and not what it shows.
    #[command(after_help = exit::HELP)]
    Report(Report),
    /// Run all tests of all builds.
    ///
    /// Ends with one line per build and a total.
    #[command(after_help = exit::HELP)]
    Test(Test),
}

/// `nmr init`.
#[derive(Debug, Args)]
pub struct Init {
    /// The file, which must not be there yet.
    #[arg(value_name = "FILE", default_value = "scenario.toml")]
    pub file: PathBuf,
    /// Write the JSON schema of scenarios beside it, as `scenario.schema.json`, and name it in the first line: with it
    /// editors that know Taplo's directive complete and check as you write.
    #[arg(long)]
    pub schema: bool,
    /// How to print what was written.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `nmr check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Engines to use, separated by commas.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "all")]
    pub engine: Vec<EngineChoice>,
    /// Only the scenarios whose name matches; may be given several times.
    #[arg(long, value_name = "GLOB")]
    pub scenario: Vec<String>,
    /// A scenario of your own, in TOML, instead of the named ones.
    #[arg(long, value_name = "PATH", conflicts_with = "scenario")]
    pub file: Option<PathBuf>,
    /// Run the scenarios that have a module of this name with a module in C in its place: a shared object made with
    /// `nmrex_module.h`, or a file of C, which is compiled with `$CC` or `cc`, and `$CFLAGS`; may be given several times.
    ///
    /// C code is switched at its calls of the registrar only. It is run under explorer, random, pct and urw; the other engines
    /// are left out, and so are scenarios with no room for it, unless they are named. `core/capi/README.md` has a first check.
    #[arg(long, value_name = "NAME=FILE")]
    pub c_module: Vec<Choice>,
    /// Seed of the sampling engines; a random one, which is printed, if not given.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Time for each run, such as `60s`. By default 60 s under direct and explorer, 1 s under loom, which has
    /// it twice, and 500 ms under the others.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub budget: Option<Duration>,
    /// Give each run under direct, explorer and loom 10 minutes: for nightly runs.
    #[arg(long)]
    pub deep: bool,
    /// The rules in force besides the contract's; a scenario may ask for them itself.
    #[command(flatten)]
    pub terms: Terms,
    /// How to print the results.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Runs at a time.
    #[arg(long, value_name = "N", default_value = "2", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: u16,
    /// What the explorer is asked besides.
    #[command(flatten)]
    pub explorer: ExplorerOptions,
    /// What other programs read.
    #[command(flatten)]
    pub outputs: Outputs,
    /// What may happen besides.
    #[command(flatten)]
    pub conditions: Conditions,
    /// Use this worker for all engines instead of building them.
    #[arg(long, value_name = "PATH", hide = true)]
    pub worker: Option<PathBuf>,
}

/// `nmr bugs`.
#[derive(Debug, Args)]
pub struct Bugs {
    /// Engines to use, separated by commas.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "all")]
    pub engine: Vec<EngineChoice>,
    /// Only the bugs whose name matches; may be given several times. What is found is then shown.
    #[arg(long, value_name = "GLOB")]
    pub name: Vec<String>,
    /// Only the bugs that show themselves whoever runs them, which every engine has to find under their rule.
    #[arg(long)]
    pub shows: bool,
    /// Look for the bugs of the registrar in the programs of these sizes, separated by commas, instead of in scenarios: in
    /// small, calls and corners if none is named. `--budget` is then the time for each bug and size.
    #[arg(
        long, value_enum, value_name = "SIZE", value_delimiter = ',', num_args = 0..=1,
        default_missing_value = "small,calls,corners", conflicts_with_all = ["engine", "deep"]
    )]
    pub prove: Vec<SizeChoice>,
    /// Time for each run, such as `2s`. By default 10 s under direct and explorer, 2 s under loom, which has it twice,
    /// and 300 ms under the others.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub budget: Option<Duration>,
    /// Try every scenario under every engine, and give each run more time: for nightly runs.
    #[arg(long)]
    pub deep: bool,
    /// How to print the results.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Bugs at a time.
    #[arg(long, value_name = "N", default_value = "2", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: u16,
    /// Use this worker for all engines instead of building them.
    #[arg(long, value_name = "PATH", hide = true)]
    pub worker: Option<PathBuf>,
    /// What other programs read.
    #[command(flatten)]
    pub outputs: Outputs,
    /// The bugs of this folder instead of those of `models/bugs`.
    #[arg(long, value_name = "DIR", hide = true)]
    pub from: Option<PathBuf>,
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
    /// Time for exhausting the case's scenario, if its schedule breaks nothing any more, such as `10m`.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "60s")]
    pub budget: Duration,
    /// Write the schedule that breaks the rule now into the case, if that is another one.
    #[arg(long)]
    pub update: bool,
    /// Show the execution step by step: the threads so far, what the registrar holds, and who waits for whom; go on with
    /// Enter, `p`, a number, `v` (where it breaks), `o` (the nearest execution that passes) and `q`. The verdict comes last.
    #[arg(long, conflicts_with = "format")]
    pub step: bool,
    /// How to print it.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Use this worker for all builds instead of building them.
    #[arg(long, value_name = "PATH", hide = true)]
    pub worker: Option<PathBuf>,
}

/// `nmr case`.
#[derive(Debug, Args)]
pub struct Case {
    /// A case to print as a test, instead of the list.
    #[arg(value_name = "CASE.toml")]
    pub case: Option<PathBuf>,
    /// Folders whose cases are listed [default: `properties/regressions`, and what `check` and `fuzz` have saved in
    /// cargo's target folder].
    #[arg(long, value_name = "DIR", conflicts_with = "case")]
    pub from: Vec<PathBuf>,
    /// Time for exhausting the scenario of a case, such as `10m`.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "60s")]
    pub budget: Duration,
    /// How to print the list.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// What other programs read.
    #[command(flatten)]
    pub outputs: Outputs,
    /// Use this worker for all builds instead of building them.
    #[arg(long, value_name = "PATH", hide = true)]
    pub worker: Option<PathBuf>,
}

/// `nmr report`.
#[derive(Debug, Args)]
pub struct Report {
    /// A case, lines that a command printed with `--format json`, or a folder of these [default: the cases that `nmr case`
    /// lists].
    #[arg(value_name = "DIR|CASE.toml|LINES.jsonl")]
    pub from: Option<PathBuf>,
    /// The file to write.
    #[arg(long, value_name = "FILE.html")]
    pub out: PathBuf,
    /// Time for exhausting the scenario of a case, if its schedule breaks nothing any more, such as `10m`.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "60s")]
    pub budget: Duration,
    /// Use this worker for all builds instead of building them.
    #[arg(long, value_name = "PATH", hide = true)]
    pub worker: Option<PathBuf>,
}

/// `nmr test`.
#[derive(Debug, Args)]
pub struct Test {
    /// Builds to test, separated by commas; all if not given.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub build: Vec<BuildChoice>,
    /// How to print the results. As JSON, what cargo and the tests print goes to stderr.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
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
    /// Every order of critical sections, without threads.
    Direct,
    /// Every interleaving under sequential consistency.
    Explorer,
    /// Every interleaving under the C11 memory model, with a bound if the budget demands one.
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
    /// Every one; `check` uses shuttle only for the scenarios that neither search exhausts.
    All,
}

impl EngineChoice {
    /// Its engines.
    #[must_use]
    pub const fn engines(self) -> &'static [Engine] {
        match self {
            Self::Direct => &[Engine::Direct],
            Self::Explorer => &[Engine::Explorer],
            Self::Loom => &[Engine::Loom],
            Self::Shuttle => &[Engine::Random, Engine::Pct, Engine::Urw],
            Self::Threads => &[Engine::Threads],
            Self::Random => &[Engine::Random],
            Self::Pct => &[Engine::Pct],
            Self::Urw => &[Engine::Urw],
            Self::All => &Engine::ALL,
        }
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
    use super::{BuildChoice, Cli, Command, duration};
    use clap::{CommandFactory, Parser};
    use nmr_models::engine_name::Build;
    use std::time::Duration;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
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
    fn the_help_names_every_reduction() {
        let mut command = Cli::command();
        let check = command.find_subcommand_mut("check").expect("it is there");
        let help = check.render_long_help().to_string();
        let help = Vec::from_iter(help.split_whitespace()).join(" ");
        for reduction in nmr_explorer::Reduction::ALL {
            assert!(
                help.contains(reduction.name()),
                "{reduction} is not in {help}"
            );
        }
    }

    #[test]
    fn the_commands_of_the_documentation_are_understood() {
        for line in [
            "nmr check --engine loom --scenario two-* --seed 7 --budget 60s --format json",
            "nmr check --engine explorer,loom,threads --deep",
            "nmr check --file own.toml",
            "nmr check --engine explorer --workers 2 --max-memory 4GiB --no-reduction symmetry",
            "nmr check --scenario four-lives --checkpoint four-lives.checkpoint --budget 1h",
            "nmr bugs --engine explorer --name lost-* --name early-free --format json",
            "nmr bugs --deep --jobs 4 --budget 20s",
            "nmr bench explorer",
            "nmr bench explorer --format json --budget 5s",
            "nmr bench registrar",
            "nmr bench registrar --baseline HEAD~5 --rounds 30 --time 1s --format json",
            "nmr fuzz --time 10m --seed 5 --shard 2/8 --out somewhere",
            "nmr fuzz --batches 8 --seed 965c6f2d --corpus kept --jobs 4 --max-memory 1GiB --timeout 5m --quiet",
            "nmr fuzz --replay-batch 17 --seed 5 --shrink-time 1m --junit junit.xml --message-format github",
            "nmr merge one two three --out all --corpus kept --format json",
            "nmr status all",
            "nmr prove --size medium --time 10m --shard 2/8 --workers 4 --checkpoint medium.checkpoint",
            "nmr prove --out somewhere --format json",
            "nmr list --format json",
            "nmr replay case.toml",
            "nmr replay case.toml --update --budget 10m --format json",
            "nmr report --out page.html",
            "nmr report case.toml --out page.html --budget 10m",
            "nmr case",
            "nmr case --from cases --from findings --format json",
            "nmr case properties/regressions/schedule-late-comer.toml",
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

    #[test]
    fn the_commands_of_the_readme_are_understood_and_its_files_are_there() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let readme = include_str!("../../README.md").replace("\\\n", "");
        let lines = readme
            .lines()
            .filter_map(|line| line.strip_prefix("    cargo nmr "));
        let lines: Vec<&str> = lines.collect();
        assert!(lines.len() > 8, "{lines:?}");
        for line in lines {
            let words = std::iter::once("nmr").chain(line.split_whitespace());
            let parsed = Cli::try_parse_from(words);
            assert!(parsed.is_ok(), "{line}: {parsed:?}");
            let files = line
                .split_whitespace()
                .filter(|word| word.contains("/") && word.ends_with(".toml"));
            for file in files {
                assert!(root.join(file).is_file(), "{line}: there is no {file}");
            }
        }
    }
}
