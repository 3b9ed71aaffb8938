//! `nmr fuzz`: batches of programs by processes of the fuzzer, until they are done or the time is up.
//!
//! Each process has its share of the batches, a limit of memory, and a time for each program. One that crashes, hangs, or needs
//! too much has left behind which program it was at: that is a finding, or incomplete, and the process is started again
//! without it. The time starts when the fuzzer is built.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use nmr_models::engine_name::Build;
use nmr_models::report::Line;
use nmr_properties::campaign::about::About;
use nmr_properties::campaign::corpus::Corpus;
use nmr_properties::campaign::folder::{Folder, Run};

use crate::args::{self, Format};
use crate::cargo::{FUZZER, Workspace};
use crate::error::Error;
use crate::exit::Exit;
use crate::json;
use crate::progress::Display;
use crate::seed;
use crate::workers::Workers;

mod broken;
mod human;
mod judge;
mod night;
mod summary;
mod tested;
mod worker;

pub(crate) use summary::{exit, summary};

use night::Night;

/// Fuzzes and prints what it finds to `out`.
///
/// # Errors
/// The fuzzer cannot be built or does not speak as agreed, the folder cannot be written, `out` cannot be written.
pub fn run(
    args: &args::Fuzz,
    stop: &AtomicBool,
    out: &mut (dyn Write + Send),
) -> Result<Exit, Error> {
    args.outputs.check(args.format)?;
    let display = match args.quiet {
        true => Display::silent(),
        false => Display::new(),
    };
    let workspace = Workspace::find()?;
    let fuzzer = match &args.worker {
        Some(path) => path.clone(),
        None => build(&workspace, stop, &display)?,
    };
    let out_folder = match &args.out {
        Some(folder) => std::path::absolute(folder)?,
        None => workspace.output().join("findings"),
    };
    let seed = args.seed.unwrap_or_else(seed::random);
    let start = start(args.corpus.as_deref(), &out_folder, seed)?;
    let corpus = corpus(start.as_deref())?;
    let about = About::new(seed, args.programs, args.conditions, corpus.digest());
    let folder = folder(args, out_folder, &about)?;
    display.say(&human::beginning(args, &about, &corpus));
    let begun = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let state = Run {
        about,
        shard: args.shard,
        begun: begun.map_or(0, |since| since.as_secs()),
        seconds: 0.0,
        time: args.time.map(|time| time.as_secs_f64()),
        batches: args.batches,
        state: "running".to_owned(),
        gained: Vec::new(),
    };
    let night = Night::new(args, &folder, &corpus, state, &display, out)?;
    let night = Mutex::new(night);
    let order = Order {
        args,
        fuzzer: &fuzzer,
        corpus: start.as_deref(),
        folder: &folder,
        seed,
    };
    let ended = order.work(stop, &night);
    let mut night = night.into_inner().expect("nobody panics while telling");
    let exit = night.close(ended, stop, workspace.root())?;
    if let (Some(own), None) = (&args.corpus, args.replay_batch) {
        keep(own, &folder)?;
    }
    Ok(exit)
}

fn build(workspace: &Workspace, stop: &AtomicBool, display: &Display) -> Result<PathBuf, Error> {
    let builds = BTreeSet::from([Build::Shuttle]);
    let built = Workers::build(workspace, FUZZER, &builds, stop, display)?;
    Ok(built.of(Build::Shuttle).to_owned())
}

/// What the campaign begins with.
fn corpus(own: Option<&Path>) -> Result<Corpus, Error> {
    let mut corpus = Corpus::built_in()?;
    if let Some(folder) = own {
        corpus.merge(Corpus::load(folder)?);
    }
    Ok(corpus)
}

/// A batch that is repeated has a folder of its own: what is there of it is no answer.
fn folder(args: &args::Fuzz, out: PathBuf, about: &About) -> Result<Folder, Error> {
    let Some(number) = args.replay_batch else {
        return Ok(Folder::at(out));
    };
    let again = out
        .join("replayed")
        .join(format!("{}-{number}", about.id()));
    if again.exists() {
        std::fs::remove_dir_all(&again).map_err(|source| Error::Unwritable {
            path: again.clone(),
            source,
        })?;
    }
    Ok(Folder::at(again))
}

/// What was kept is there the next time.
///
/// # Errors
/// A corpus is not what it should be, or cannot be written.
pub(crate) fn keep(own: &Path, folder: &Folder) -> Result<(), Error> {
    let mut corpus = Corpus::load(own)?;
    corpus.merge(Corpus::load(&folder.corpus())?);
    corpus.save(own).map_err(|source| Error::Unwritable {
        path: own.to_owned(),
        source,
    })
}

/// What a campaign begins with besides the corpus of the repository: what the given folder holds now, or what it held when a
/// campaign of this seed was begun in `out`, so that this goes on, whatever has been kept since.
fn start(own: Option<&Path>, out: &Path, seed: u64) -> Result<Option<PathBuf>, Error> {
    let Some(own) = own else { return Ok(None) };
    let start = out.join("start").join(format!("{seed:016x}"));
    if !start.exists() {
        let corpus = Corpus::load(own)?;
        // Of an empty corpus there is no file, and it has to be known that it was empty.
        let saved = std::fs::create_dir_all(&start).and_then(|()| corpus.save(&start));
        saved.map_err(|source| Error::Unwritable {
            path: start.clone(),
            source,
        })?;
    }
    Ok(Some(start))
}

/// What all processes have in common.
struct Order<'a> {
    args: &'a args::Fuzz,
    fuzzer: &'a Path,
    corpus: Option<&'a Path>,
    folder: &'a Folder,
    seed: u64,
}

impl Order<'_> {
    /// All processes, side by side.
    fn work(&self, stop: &AtomicBool, night: &Mutex<Night<'_>>) -> Result<(), Error> {
        let until = self.args.time.map(|time| Instant::now() + time);
        let jobs = match self.args.replay_batch {
            Some(_) => 1,
            None => self.args.jobs,
        };
        let job = &|job: u16| {
            let shard = self.args.shard.index();
            let work = worker::Work {
                args: self.args,
                fuzzer: self.fuzzer,
                corpus: self.corpus,
                folder: self.folder,
                stop,
                until,
                seed: self.seed,
                batches: batches(self.args, job, jobs),
                at: self.folder.path().join(format!(".at-{shard}-{job}")),
            };
            work.run(night)
        };
        let done: Vec<Result<(), Error>> = thread::scope(|scope| {
            let threads: Vec<_> = (0..jobs)
                .map(|number| scope.spawn(move || job(number)))
                .collect();
            let join = |thread: thread::ScopedJoinHandle<'_, _>| {
                thread.join().expect("supervising does not panic")
            };
            threads.into_iter().map(join).collect()
        });
        done.into_iter().collect()
    }
}

/// Which batches a process has, as it understands them: of the shard's share every one of so many.
fn batches(args: &args::Fuzz, job: u16, jobs: u16) -> String {
    if let Some(number) = args.replay_batch {
        return number.to_string();
    }
    let count = u64::from(args.shard.count());
    let first = u64::from(args.shard.index()) - 1 + count * u64::from(job);
    let step = count * u64::from(jobs);
    match args.batches {
        None => format!("{first}+{step}"),
        Some(end) if first >= end => String::new(),
        Some(end) => format!("{first}+{step}..{end}"),
    }
}

/// Prints a summary.
///
/// # Errors
/// `out` cannot be written.
pub(crate) fn print(
    folder: &Folder,
    summary: nmr_models::report::FuzzSummary,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), Error> {
    match format {
        Format::Json => json::print(out, &Line::FuzzSummary(summary)),
        Format::Human => {
            let runs = folder.runs()?;
            Ok(out.write_all(human::report(&summary, &runs).as_bytes())?)
        }
    }
}

/// How long after its time a process may go on: to finish an execution, to write a case.
const SLACK: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::{Corpus, batches, start};
    use crate::args::{Cli, Command};
    use clap::Parser;

    fn of(line: &str, job: u16, jobs: u16) -> String {
        match Cli::parse_from(line.split(' ')).command {
            Command::Fuzz(args) => batches(&args, job, jobs),
            _ => panic!("it is fuzz"),
        }
    }

    #[test]
    fn a_campaign_goes_on_with_the_corpus_that_it_began_with() {
        let folder = tempfile::tempdir().expect("a folder");
        let (own, out) = (folder.path().join("own"), folder.path().join("out"));
        let begun = |seed| {
            let start = start(Some(&own), &out, seed).expect("it can be saved");
            Corpus::load(&start.expect("a corpus is given")).expect("read")
        };
        assert!(begun(1).is_empty());
        let more = Corpus::built_in().expect("it is there");
        more.save(&own).expect("written");
        assert!(begun(1).is_empty());
        assert_eq!(begun(2).digest(), more.digest());
        assert_eq!(start(None, &out, 1).expect("nothing to save"), None);
    }

    #[test]
    fn shards_and_processes_have_each_batch_once() {
        let mut all = Vec::new();
        for shard in 1..=3 {
            for job in 0..2 {
                let line = format!("nmr fuzz --batches 14 --shard {shard}/3");
                let own = of(&line, job, 2);
                let (first, rest) = own.split_once('+').expect("it has some");
                let (step, end) = rest.split_once("..").expect("they have an end");
                let number = |text: &str| text.parse::<usize>().expect("a number");
                all.extend((number(first)..number(end)).step_by(number(step)));
            }
        }
        all.sort_unstable();
        assert_eq!(all, Vec::from_iter(0..14));
        assert_eq!(of("nmr fuzz --time 1h --shard 2/3", 1, 2), "4+6");
        assert_eq!(of("nmr fuzz --replay-batch 17", 0, 1), "17");
        assert_eq!(of("nmr fuzz --batches 1", 1, 2), "");
        let most = of("nmr fuzz --batches 18446744073709551615", 0, 1);
        assert_eq!(most, "0+1..18446744073709551615");
    }
}
