//! `nmr bench direct` and `nmr bench explorer`: searches of programs, each in a process of its own and one at a time, and how they
//! compare with their targets.
//!
//! A search that does not end within its limit is a row like any other. As JSON each row is printed when
//! it is done; for people all are printed at the end.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use nmr_models::process::GRACE;
use nmr_models::process::supervise::{Limits, Stderr, supervise};
use nmr_models::report::{Bench, Line, Verdict};
use nmr_models::scenarios;

use crate::args::{self, Format};
use crate::cargo::{WORKER, Workspace, run_error};
use crate::error::Error;
use crate::exit::Exit;
use crate::json;
use crate::progress::Display;
use crate::words::plural;
use crate::workers::Workers;

mod heard;
mod human;
pub(super) mod rows;
mod targets;
mod words;

use heard::Heard;
use rows::Row;

/// How many lines of a worker's stderr are shown if it fails.
const LAST_WORDS: usize = 20;

/// Makes the searches and prints what they came to to `out`; soon after `stop` becomes true it prints
/// what it has.
///
/// # Errors
/// A worker cannot be built or started, `out` cannot be written.
pub(super) fn run(
    args: &args::BenchSearches,
    rows: rows::Rows,
    stop: &AtomicBool,
    out: &mut dyn Write,
) -> Result<Exit, Error> {
    let rows = all(args, rows);
    let display = Display::new();
    let builds = BTreeSet::from_iter(rows.iter().map(|row| row.engine.build()));
    let workers = match &args.worker {
        Some(path) => Workers::given(path, builds),
        None => Workers::build(&Workspace::find()?, WORKER, &builds, stop, &display)?,
    };
    let measuring = Measuring {
        workers,
        stop,
        display: &display,
    };
    let results = measuring.all(&rows, args.format, out)?;
    if args.format == Format::Human {
        out.write_all(human::report(&results).as_bytes())?;
    }
    if stop.load(Ordering::Relaxed) {
        return Ok(Exit::Interrupted);
    }
    Ok(exit(&results))
}

fn all(args: &args::BenchSearches, rows: rows::Rows) -> Vec<Row> {
    let scenarios = scenarios::all();
    let names: Vec<&str> = scenarios.iter().map(|one| one.name.as_str()).collect();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let cores = u16::try_from(cores).unwrap_or(u16::MAX);
    rows(&names, cores, args.budget)
}

/// As of a check, but that a search may be cut short.
fn exit(results: &[Bench]) -> Exit {
    let failed = results.iter().map(|row| row.verdict);
    Exit::of(failed.filter(|&verdict| verdict != Verdict::Incomplete))
}

struct Measuring<'a> {
    workers: Workers,
    stop: &'a AtomicBool,
    display: &'a Display,
}

impl Measuring<'_> {
    fn all(&self, rows: &[Row], format: Format, out: &mut dyn Write) -> Result<Vec<Bench>, Error> {
        let count = plural(rows.len() as u64, "search");
        self.display.say(&format!("{count}, one at a time"));
        let counter = self.display.counter(rows.len() as u64, "searches");
        let mut results = Vec::new();
        for row in rows {
            let Some(result) = self.one(row)? else {
                break;
            };
            counter.add_one();
            if format == Format::Json {
                json::print(out, &Line::Bench(result.clone()))?;
            }
            results.push(result);
        }
        Ok(results)
    }

    /// `None` once everything has to stop.
    fn one(&self, row: &Row) -> Result<Option<Bench>, Error> {
        let worker = self.workers.of(row.engine.build());
        let activity = self.display.activity(&row.to_string());
        let limits = Limits {
            deadline: row.limit + GRACE,
            stderr: Stderr::Keep(LAST_WORDS),
            ..Limits::NONE
        };
        let mut heard = Heard::default();
        let ended = supervise(command(row, worker), limits, self.stop, &mut |_, line| {
            if let Some(text) = heard.take(line) {
                activity.at(text);
            }
        });
        let end = ended.map_err(|source| run_error(&worker.display().to_string(), source))?;
        Ok(heard::judge(row, heard, &end))
    }
}

fn command(row: &Row, worker: &Path) -> Command {
    let mut command = Command::new(worker);
    command.args(["bench", "--program", &row.program]);
    command.args(["--engine", row.engine.name()]);
    command.args(["--budget-ms", &row.limit.as_millis().to_string()]);
    if let Some(most) = row.max_executions {
        command.args(["--max-executions", &most.to_string()]);
    }
    if !row.explorer.is_default() {
        command.args(["--explorer", &row.explorer.to_json()]);
    }
    command
}

#[cfg(test)]
pub(crate) mod samples {
    //! Rows for this module's unit tests.

    use nmr_models::engine_name::BenchEngine;
    use nmr_models::report::{Bench, Verdict};

    pub(crate) fn bench(
        program: &str,
        engine: BenchEngine,
        executions: u64,
        seconds: f64,
    ) -> Bench {
        Bench {
            program: program.to_owned(),
            engine,
            verdict: Verdict::Holds,
            how: None,
            executions,
            before_restart: None,
            states: (engine == BenchEngine::Explorer).then_some(executions / 2),
            seconds,
            workers: 1,
            memory: Some(10 << 20),
            without: Vec::new(),
        }
    }

    pub(crate) fn cut(row: Bench, how: &str) -> Bench {
        Bench {
            verdict: Verdict::Incomplete,
            how: Some(how.to_owned()),
            ..row
        }
    }
}

#[cfg(test)]
mod tests {
    use super::samples::{bench, cut};
    use super::{command, exit, rows};
    use crate::exit::Exit;
    use nmr_models::engine_name::BenchEngine;
    use nmr_models::report::{Bench, Verdict};
    use std::path::Path;
    use std::time::Duration;

    #[test]
    fn a_worker_gets_its_order() {
        let rows = rows::explorer(&[], 2, Some(Duration::from_secs(5)));
        let order = |index: usize| {
            let command = command(&rows[index], Path::new("worker"));
            let args = command.get_args().map(|arg| arg.to_string_lossy().into());
            args.collect::<Vec<String>>().join(" ")
        };
        assert_eq!(
            order(0),
            "bench --program two-lives --engine explorer --budget-ms 5000"
        );
        let four = rows.iter().position(|row| row.program == "four-lives");
        assert_eq!(
            order(four.expect("it is there")),
            r#"bench --program four-lives --engine explorer --budget-ms 5000 --explorer {"workers":2}"#
        );
        let small = rows.iter().position(|row| row.program == "small");
        assert_eq!(
            order(small.expect("it is there")),
            "bench --program small --engine explorer --budget-ms 5000 --max-executions 100000 \
             --explorer {\"workers\":1,\
             \"without\":[\"visited-states\",\"forgetting\",\"symmetry\",\"lock-aware\"]}"
        );
    }

    #[test]
    fn a_search_that_was_cut_short_is_no_failure() {
        let fine = bench("a", BenchEngine::Explorer, 1, 0.1);
        let short = cut(fine.clone(), "20s were over");
        assert_eq!(exit(&[fine.clone(), short.clone()]), Exit::Holds);
        let with = |verdict| Bench {
            verdict,
            ..fine.clone()
        };
        assert_eq!(
            exit(&[short.clone(), with(Verdict::HarnessError)]),
            Exit::Harness
        );
        assert_eq!(exit(&[with(Verdict::Violated), short]), Exit::Violated);
    }
}
