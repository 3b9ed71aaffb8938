//! The parent's side of a worker: one run of one scenario in a process of its own.
//!
//! loom and shuttle keep state per process, and a deadlock or a panic while panicking takes the
//! process down with it. So each run has its own worker, and whatever becomes of that worker ends
//! up in a [`RunResult`]: a crash, an abort and a hang are findings; output that is no output of a
//! worker is an error of the harness. Nothing here knows the registrar, and nothing is judged that
//! the worker has judged itself.
//!
//! The lines that a worker prints are in [`crate::report`].

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::conditions::Conditions;
use crate::engine::ExplorerOptions;
use crate::engine_name::Engine;
use crate::report::{Coverage, RunResult};
use crate::scenario::Terms;

pub mod heard;
pub mod supervise;
mod transcript;
mod verdict;

#[cfg(all(test, unix, not(any(loom, shuttle))))]
mod tests;

use supervise::{How, Limits, Stderr, supervise};
use transcript::Transcript;

/// How long after its time a worker that has not ended is taken to hang: an execution that was begun
/// in time is finished.
pub const GRACE: Duration = Duration::from_secs(30);

/// How long a worker with a checkpoint to write may go on when it is to be stopped. It stops by itself if
/// it has heard of that, too, as it does of a Ctrl-C in a terminal; nobody else tells it.
const PARTING: Duration = Duration::from_secs(2);

/// How many lines of a worker's stderr go into a message.
const LAST_WORDS: usize = 20;

/// Where a worker finds its scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Among the named scenarios.
    Named(String),
    /// In a file.
    File {
        /// The file.
        path: PathBuf,
        /// The name of the scenario in it.
        name: String,
    },
}

impl Source {
    /// The scenario's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Named(name) | Self::File { name, .. } => name,
        }
    }
}

/// A run to be made.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    /// The worker's executable, of the build that the engine needs.
    pub worker: &'a Path,
    /// The scenario.
    pub source: Source,
    /// The rules in force besides those that the scenario itself asks for.
    pub terms: Terms,
    /// What may happen besides.
    pub conditions: Conditions,
    /// The engine. It has to know the conditions.
    pub engine: Engine,
    /// The seed of a sampling engine.
    pub seed: u64,
    /// How long the worker may search; loom has this time twice, for one search without a bound and
    /// for those with one.
    pub budget: Duration,
    /// How long after that it is taken to hang, [`GRACE`] as a rule.
    pub grace: Duration,
    /// Where the worker saves a failing case.
    pub case_dir: Option<&'a Path>,
    /// Variables of its environment, besides those of this process.
    pub env: &'a [(&'a str, &'a str)],
}

/// How far a worker says it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Executions so far.
    pub executions: u64,
    /// In words, by an engine that can say more.
    pub text: Option<String>,
}

/// What became of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Its result.
    pub result: RunResult,
    /// How often each rule was exercised, as far as the worker said.
    pub coverage: Vec<Coverage>,
    /// Why the worker cannot use what it was given, if it said so: its checkpoint, or a file that its scenario names. Whoever gave
    /// it is to know.
    pub refused: Option<String>,
}

impl Job<'_> {
    /// Runs the worker to its end; `progress` hears the executions so far from time to time.
    pub fn run(&self, progress: &mut dyn FnMut(u64)) -> Outcome {
        let (options, stop) = (ExplorerOptions::default(), AtomicBool::new(false));
        self.run_until(&options, &stop, &mut |now| progress(now.executions))
            .expect("nobody stops this run")
    }

    /// The same, with what the explorer is asked besides. Kills the worker and answers `None` soon after
    /// `stop` becomes true, unless the worker has a checkpoint to write and ends by itself within two
    /// seconds.
    pub fn run_until(
        &self,
        options: &ExplorerOptions,
        stop: &AtomicBool,
        progress: &mut dyn FnMut(&Progress),
    ) -> Option<Outcome> {
        let mut transcript = Transcript::default();
        let limits = Limits {
            deadline: self.budget * self.searches() + self.grace,
            stderr: Stderr::Keep(LAST_WORDS),
            listens: false,
            parting: match (self.engine, &options.checkpoint) {
                (Engine::Explorer, Some(_)) => PARTING,
                _ => Duration::ZERO,
            },
            ..Limits::NONE
        };
        let ended = supervise(self.command(options), limits, stop, &mut |at, line| {
            if let Some(now) = transcript.take(at, line) {
                progress(&now);
            }
        });
        match ended {
            Ok(end) if matches!(end.how, How::Stopped) => None,
            ended => Some(verdict::judge(self, options, transcript, ended)),
        }
    }

    const fn searches(&self) -> u32 {
        match self.engine {
            Engine::Loom => 2,
            _ => 1,
        }
    }

    fn command(&self, options: &ExplorerOptions) -> Command {
        let mut command = Command::new(self.worker);
        command.args(["run", "--engine", self.engine.name()]);
        match &self.source {
            Source::Named(name) => command.args(["--scenario", name]),
            Source::File { path, .. } => command.arg("--file").arg(path),
        };
        command.args(self.terms.arguments());
        command.args(["--seed", &self.seed.to_string()]);
        command.args(["--budget-ms", &self.budget.as_millis().to_string()]);
        if matches!(self.engine, Engine::Direct | Engine::Explorer) && !options.is_default() {
            command.args(["--explorer", &options.to_json()]);
        }
        command.args(self.conditions.arguments());
        if let Some(folder) = self.case_dir {
            command.arg("--case-dir").arg(folder);
        }
        command.envs(self.env.iter().copied());
        command
    }

    /// The command that repeats this run.
    fn repeat(&self, options: &ExplorerOptions) -> String {
        let asked = match self.engine {
            Engine::Explorer => options.arguments(),
            _ => Vec::new(),
        };
        let conditions = self.conditions.arguments().into_iter().map(str::to_owned);
        let asked = self.terms.arguments().into_iter().chain(asked);
        let asked: String = asked
            .chain(conditions)
            .map(|word| format!(" {word}"))
            .collect();
        let scenario = match &self.source {
            Source::Named(name) => format!("--scenario {name}"),
            Source::File { path, .. } => format!("--file {}", path.display()),
        };
        let (engine, seed) = (self.engine, self.seed);
        let budget = self.budget.as_millis();
        format!(
            "cargo nmr check --engine {engine} {scenario} --seed {seed} --budget {budget}ms{asked}"
        )
    }
}
