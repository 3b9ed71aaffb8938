//! `nmr replay`: a saved case, repeated, and what came of it.
//!
//! Cases of one thread are replayed here, schedules by workers of the builds that have a say in them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use nmr_models::case::Case;
use nmr_models::engine_name::Build;
use nmr_models::replay::{Replayed, Verdict, builds};
use nmr_models::report::{Line, Sequence};

use crate::args::{self, Format};
use crate::cargo::{WORKER, Workspace};
use crate::case;
use crate::error::Error;
use crate::exit::Exit;
use crate::json;
use crate::progress::Display;
use crate::words;
use crate::workers::Workers;

pub mod file;
mod stepper;
mod update;
mod worker;

pub use file::Saved;

/// Replays it, and prints what there is to see to `out`.
///
/// # Errors
/// The case is malformed, a worker cannot be built or run, `out` cannot be written.
pub fn run(args: &args::Replay, stop: &AtomicBool, out: &mut dyn Write) -> Result<Exit, Error> {
    let saved = match Saved::read(&args.case)? {
        Ok(saved) => saved,
        Err(outdated) => {
            let why = outdated.to_string();
            let line = case::line(&args.case, None, Verdict::NoLongerApplicable { why });
            match args.format {
                Format::Human => writeln!(out, "{}", line.verdict)?,
                Format::Json => json::print(out, &Line::Case(line))?,
            }
            return Ok(Exit::NotApplicable);
        }
    };
    let display = Display::new();
    let line = match &saved {
        Saved::Sequence { .. } => Line::Sequence(saved.replay_here()?),
        Saved::Schedule(case) => {
            let mut replayer = Replayer::new(args.worker.as_deref(), stop);
            if args.step {
                replayer = replayer.showing();
            }
            let replayed = replayer.replay(&args.case, case, args.budget, &display)?;
            Line::Replay(Box::new(replayed))
        }
    };
    match args.format {
        Format::Json => json::print(out, &line)?,
        Format::Human if args.step => step(&line, stop, out)?,
        Format::Human => out.write_all(text(&line).as_bytes())?,
    }
    if let (true, Saved::Schedule(case), Line::Replay(replayed)) = (args.update, &saved, &line) {
        let told = match file::update(&args.case, case, replayed)? {
            true => "updated: it holds the schedule of this execution now",
            false => "not updated: there is no other schedule to hold",
        };
        display.say(&format!("{}: {told}", words::path(&args.case)));
    }
    Ok(exit(&line))
}

/// Step by step, and the verdict; or the whole text, where there are no steps to show.
fn step(line: &Line, stop: &AtomicBool, out: &mut dyn Write) -> Result<(), Error> {
    if let Line::Replay(replayed) = line
        && stepper::walk(replayed, lines(stop), io::stdin().is_terminal(), out)?
    {
        writeln!(out, "\n{}", replayed.verdict)?;
        return Ok(());
    }
    out.write_all(text(line).as_bytes())?;
    writeln!(out, "There is no execution on threads to step through.")?;
    Ok(())
}

/// The lines of the standard input, until it ends or all has to stop.
fn lines(stop: &AtomicBool) -> impl Iterator<Item = String> {
    const POLL: Duration = Duration::from_millis(100);
    let (send, receive) = channel();
    // Nothing interrupts a thread that reads. It is left when the program ends.
    thread::spawn(move || {
        io::stdin()
            .lines()
            .map_while(Result::ok)
            .try_for_each(|line| send.send(line))
    });
    std::iter::from_fn(move || {
        loop {
            match receive.recv_timeout(POLL) {
                Ok(line) => return Some(line),
                Err(RecvTimeoutError::Timeout) if !stop.load(Ordering::Relaxed) => {}
                Err(_) => return None,
            }
        }
    })
}

fn text(line: &Line) -> String {
    match line {
        Line::Replay(replayed) => replayed.text(),
        Line::Sequence(sequence) => sequence.text.clone(),
        _ => String::new(),
    }
}

fn exit(line: &Line) -> Exit {
    match line {
        Line::Replay(replayed) => Exit::of_case(&replayed.verdict),
        Line::Sequence(sequence) => Exit::of_case(&sequence.verdict),
        _ => Exit::Harness,
    }
}

/// Looks for a schedule where a case has none, because its engine cannot follow one: loom's, and that of real threads,
/// for which the explorer finds one that breaks the same rule, if sequential consistency is enough for that; and that of
/// the direct engine, whose path is made again on threads.
///
/// # Errors
/// The case cannot be read or written, the worker does not do as agreed; or what was found without threads is not what
/// comes on threads.
pub fn find_schedule(
    path: &Path,
    worker: &Path,
    budget: Duration,
    stop: &AtomicBool,
) -> Result<(), Error> {
    let Ok(Saved::Schedule(case)) = Saved::read(path)? else {
        return Ok(());
    };
    if case.has_steps() {
        return Ok(());
    }
    let order = worker::Order {
        worker,
        path,
        case: &case,
        budget,
        shows: false,
    };
    let replayed = order.run(stop, &mut |_| {})?;
    match (&case.sections, &replayed.verdict) {
        (Some(_), Verdict::HarnessError { why }) => return Err(Error::Harness(why.clone())),
        (Some(_), fixed @ Verdict::Fixed { .. }) => {
            let why = format!("what was found without threads does not come on threads: {fixed}");
            return Err(Error::Harness(why));
        }
        _ => {}
    }
    file::update(path, &case, &replayed).map(drop)
}

/// Has workers that replay schedules, each built when it is first asked.
pub struct Replayer<'a> {
    given: Option<&'a Path>,
    stop: &'a AtomicBool,
    built: Mutex<BTreeMap<Build, PathBuf>>,
    shows: bool,
}

impl<'a> Replayer<'a> {
    /// With this worker for all builds, if it is given.
    #[must_use]
    pub fn new(given: Option<&'a Path>, stop: &'a AtomicBool) -> Self {
        Self {
            given,
            stop,
            built: Mutex::default(),
            shows: false,
        }
    }

    /// The same, whose replays come with what there is to see of them.
    #[must_use]
    pub fn showing(self) -> Self {
        Self {
            shows: true,
            ..self
        }
    }

    /// That of a build. One thread builds it, and others that ask for it wait.
    ///
    /// # Errors
    /// It cannot be built.
    ///
    /// # Panics
    /// If a thread has panicked while it built one.
    pub fn worker(&self, build: Build, display: &Display) -> Result<PathBuf, Error> {
        if let Some(given) = self.given {
            return Ok(given.to_owned());
        }
        let mut all = self.built.lock().expect("building does not panic");
        if let Some(built) = all.get(&build) {
            return Ok(built.clone());
        }
        let workspace = Workspace::find()?;
        let builds = BTreeSet::from([build]);
        let workers = Workers::build(&workspace, WORKER, &builds, self.stop, display)?;
        let worker = workers.of(build).to_owned();
        all.insert(build, worker.clone());
        Ok(worker)
    }

    /// Asks one build after the other, as long as each says that the case is fixed.
    ///
    /// # Errors
    /// A worker cannot be built or run, or does not do as agreed.
    pub fn replay(
        &self,
        path: &Path,
        case: &Case,
        budget: Duration,
        display: &Display,
    ) -> Result<Replayed, Error> {
        let mut first: Option<Replayed> = None;
        for &build in builds(case) {
            let worker = self.worker(build, display)?;
            let name = format!("replaying {} ({})", case.scenario.name, words::build(build));
            let activity = display.activity(&name);
            let order = worker::Order {
                worker: &worker,
                path,
                case,
                budget,
                shows: self.shows,
            };
            let mut replayed = order.run(self.stop, &mut |progress| activity.at(progress))?;
            let executions = first.as_ref().map_or(0, |first| first.executions);
            replayed.executions += executions;
            if !matches!(replayed.verdict, Verdict::Fixed { .. }) {
                return Ok(replayed);
            }
            // How many states there are the first one knows.
            let verdict = first.map_or(replayed.verdict, |first| first.verdict);
            first = Some(Replayed {
                verdict,
                ..replayed
            });
        }
        first.ok_or_else(|| Error::Harness("no build replays this case".to_owned()))
    }
}

impl Saved {
    /// Replays a case of one thread.
    ///
    /// # Errors
    /// It is malformed, or one for workers.
    pub fn replay_here(&self) -> Result<Sequence, Error> {
        let (file, text): (&PathBuf, &str) = match self {
            Self::Sequence { path, text } => (path, text),
            Self::Schedule(_) => return Err(Error::Harness("a worker replays it".to_owned())),
        };
        let replayed = nmr_properties::replay_text(&file.display().to_string(), text)?;
        Ok(Sequence {
            verdict: match replayed.reproduced {
                true => Verdict::Reproduces,
                false => Verdict::Fixed { states: None },
            },
            text: replayed.text,
        })
    }
}
