//! The fuzzer: batches of programs, exhausted without threads or sampled under shuttle's engines, until they are done or the
//! time is up.
//!
//! `nmr fuzz` starts it and reads its standard output: the lines of `nmr_models::report` (progress, findings, batches). What
//! came of a batch is in the folder that it is given. Seed, corpus, version and number fix a batch; how many there are in a
//! time is the machine's. Exit codes: 0 all of it was done or the time is up, 2 bad usage or no shuttle build, 4 the harness
//! failed, 12 it had too much memory, 13 it did not get ahead with a program.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use nmr_models::conditions::Conditions;

/// Runs batches of programs; prints JSON lines.
#[derive(Debug, Parser)]
struct Args {
    /// How long, in milliseconds.
    #[arg(long)]
    time_ms: u64,
    /// The seed of all batches.
    #[arg(long)]
    seed: u64,
    /// Programs in a batch.
    #[arg(long)]
    programs: u64,
    /// The number of the batch, or `first+step` for all from the first one on, or `first+step..end`.
    #[arg(long)]
    batches: String,
    /// How long each failure is made small, at most, in milliseconds.
    #[arg(long, default_value_t = 10_000)]
    shrink_ms: u64,
    /// A corpus besides the one of the repository.
    #[arg(long)]
    corpus: Option<PathBuf>,
    /// The campaign's folder.
    #[arg(long)]
    out: PathBuf,
    /// Where the program at hand is written.
    #[arg(long)]
    at: Option<PathBuf>,
    /// A program that is left out, as JSON: see `nmr_properties::campaign::run::Skipped`.
    #[arg(long)]
    skip: Vec<String>,
    /// It ends with what it has when its standard input does.
    #[arg(long)]
    until_stdin_ends: bool,
    /// It ends with more memory than this, in bytes.
    #[arg(long)]
    max_memory: Option<u64>,
    /// It ends if it is at one program for longer than this, in milliseconds.
    #[arg(long, default_value_t = 120_000)]
    timeout_ms: u64,
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
        Ok(()) => ExitCode::SUCCESS,
        Err(fuzz::Error::Usage(error)) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
        Err(fuzz::Error::Harness(error)) => {
            eprintln!("error: {error:#}");
            ExitCode::from(4)
        }
    }
}

#[cfg(shuttle)]
mod fuzz {
    use std::io::{self, Write as _};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    use std::thread;
    use std::time::{Duration, Instant};

    use nmr_models::report::{FuzzBatch, Line};
    use nmr_properties::campaign::about::About;
    use nmr_properties::campaign::batch::{Batch, Skipped};
    use nmr_properties::campaign::corpus::Corpus;
    use nmr_properties::campaign::folder::Folder;
    use nmr_properties::campaign::run::Runner;
    use nmr_properties::campaign::{HUNG, OUT_OF_MEMORY, memory};
    use nmr_properties::concurrent::explore::Sampler;

    use super::Args;

    /// How often it says that it is alive, and looks at its memory.
    const PROGRESS: Duration = Duration::from_millis(500);

    pub(super) enum Error {
        Usage(String),
        Harness(anyhow::Error),
    }

    impl<E: Into<anyhow::Error>> From<E> for Error {
        fn from(error: E) -> Self {
            Self::Harness(error.into())
        }
    }

    pub(super) fn run(args: &Args) -> Result<(), Error> {
        let deadline = Instant::now() + Duration::from_millis(args.time_ms);
        let batches = batches(&args.batches)?;
        let skipped = skipped(&args.skip)?;
        let mut corpus = Corpus::built_in()?;
        if let Some(folder) = &args.corpus {
            corpus.merge(Corpus::load(folder)?);
        }
        let about = About::new(args.seed, args.programs, args.conditions, corpus.digest());
        let sampler = Sampler::new(deadline, args.conditions)
            .shrinking(Duration::from_millis(args.shrink_ms))
            .until(listen(args.until_stdin_ends));
        let now = Arc::<AtomicU64>::default();
        let begun = Arc::<AtomicU64>::default();
        report_progress(&sampler, [now.clone(), begun.clone()], args);
        let runner = Runner {
            about,
            sampler,
            corpus,
            folder: Folder::at(args.out.clone()),
            at: args.at.clone(),
            begun,
            skipped,
        };
        for number in batches {
            if runner.sampler.is_over() {
                break;
            }
            now.store(number, Ordering::Relaxed);
            // What is done is done.
            if let Some(batch) = runner.folder.batch(&runner.about, number)?
                && batch.is_whole()
            {
                continue;
            }
            let batch = runner.run(number, &mut |finding| print(&Line::Finding(finding)))?;
            print(&Line::FuzzBatch(line(&batch)))?;
        }
        Ok(())
    }

    fn line(batch: &Batch) -> FuzzBatch {
        FuzzBatch {
            number: batch.number,
            programs: batch.programs,
            of: batch.about.programs,
            exhausted: batch.exhausted,
            sampled: batch.sampled.programs,
            failed: batch.failures.values().map(|failures| failures.count).sum(),
            incomplete: batch.incomplete.len() as u64,
            harness_errors: batch.errors.len() as u64,
            kept: batch.kept.len() as u64,
        }
    }

    fn batches(text: &str) -> Result<Box<dyn Iterator<Item = u64>>, Error> {
        let number = |text: &str| {
            let parsed = text.parse::<u64>();
            parsed.map_err(|error| Error::Usage(format!("--batches: `{text}`: {error}")))
        };
        let Some((first, rest)) = text.split_once('+') else {
            return Ok(Box::new(std::iter::once(number(text)?)));
        };
        let (step, end) = match rest.split_once("..") {
            Some((step, end)) => (step, number(end)?),
            None => (rest, u64::MAX),
        };
        let step = usize::try_from(number(step)?.max(1)).unwrap_or(usize::MAX);
        Ok(Box::new((number(first)?..end).step_by(step)))
    }

    fn skipped(of: &[String]) -> Result<Vec<Skipped>, Error> {
        let read = |text: &String| {
            let read = serde_json::from_str(text);
            read.map_err(|error| Error::Usage(format!("--skip: `{text}`: {error}")))
        };
        of.iter().map(read).collect()
    }

    /// At Ctrl-C it ends with what it has.
    fn listen(until_stdin_ends: bool) -> Arc<AtomicBool> {
        let stop = Arc::<AtomicBool>::default();
        let heard = stop.clone();
        let listening = ctrlc::set_handler(move || {
            if heard.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
        });
        if let Err(error) = listening {
            eprintln!("warning: cannot listen for Ctrl-C: {error}");
        }
        if until_stdin_ends {
            let stop = stop.clone();
            thread::spawn(move || {
                let _ = io::copy(&mut io::stdin(), &mut io::sink());
                stop.store(true, Ordering::Relaxed);
            });
        }
        stop
    }

    fn report_progress(sampler: &Sampler, [batch, begun]: [Arc<AtomicU64>; 2], args: &Args) {
        let executions = sampler.executions().clone();
        let (max_memory, timeout) = (args.max_memory, Duration::from_millis(args.timeout_ms));
        thread::spawn(move || {
            let mut last = (0, Instant::now());
            loop {
                thread::sleep(PROGRESS);
                if let (Some(used), Some(most)) = (memory::used(), max_memory)
                    && used > most
                {
                    eprintln!("{used} bytes of memory, and {most} are allowed");
                    std::process::exit(OUT_OF_MEMORY);
                }
                let at = begun.load(Ordering::Relaxed);
                if at != last.0 {
                    last = (at, Instant::now());
                } else if at > 0 && last.1.elapsed() > timeout {
                    eprintln!("one program for {} s", timeout.as_secs());
                    std::process::exit(HUNG);
                }
                let executions = executions.load(Ordering::Relaxed);
                let text = Some(format!("batch {}", batch.load(Ordering::Relaxed)));
                // Whoever listened has gone; the next batch will fail, too.
                if print(&Line::Progress { executions, text }).is_err() {
                    return;
                }
            }
        });
    }

    fn print(line: &Line) -> io::Result<()> {
        let text = serde_json::to_string(line).map_err(io::Error::from)?;
        let mut out = io::stdout().lock();
        writeln!(out, "{text}")?;
        out.flush()
    }
}
