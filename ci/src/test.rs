//! `nmr test`: all tests of all builds.
//!
//! cargo runs them and its output is passed on; the lines in which each test program counts its
//! tests are added up. First everything is compiled, so that code that does not compile is told
//! from a test that fails.

use std::io::Write;
use std::process::Command;
use std::sync::atomic::AtomicBool;

use nmr_models::engine_name::Build;
use nmr_models::process::supervise::{How, Limits, supervise};

use crate::args::{self, BuildChoice, Format};
use crate::cargo::{Workspace, run_error};
use crate::error::Error;
use crate::exit::Exit;
use crate::json::{self, Line};
use crate::words;

mod count;

use count::Count;

/// The tests of the searches are compiled by all processors: compiling them takes longer than running them. (The workers, which
/// search for hours, are one unit of code.)
const COMPILED_QUICKLY: &str = "profile.release.package.nmr-models.codegen-units=16";

/// What is tested in a build. In a model build only what can run under a model.
const fn arguments(build: Build) -> &'static [&'static str] {
    match build {
        Build::Native => &["--workspace"],
        Build::Loom => &[
            "--release",
            "--config",
            COMPILED_QUICKLY,
            "-p",
            "nmr-sync",
            "-p",
            "nmr-models",
            "-p",
            "nmr-explorer",
        ],
        Build::Shuttle => &[
            "--release",
            "--config",
            COMPILED_QUICKLY,
            "-p",
            "nmr-sync",
            "-p",
            "nmr-models",
            "-p",
            "nmr-explorer",
            "-p",
            "nmr-properties",
        ],
    }
}

/// What became of a build's tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tested {
    build: Build,
    count: Count,
    /// Whether there were tests that ran.
    ran: bool,
}

impl Tested {
    const fn line(&self) -> Line<'static> {
        let Count {
            passed,
            failed,
            skipped,
        } = self.count;
        Line::Tests {
            build: words::build(self.build),
            passed,
            failed,
            skipped,
            ran: self.ran,
        }
    }
}

/// Runs the tests. Their output, then the summary, goes to `out`.
///
/// # Errors
/// cargo cannot be run, `out` cannot be written.
pub fn run(args: &args::Test, stop: &AtomicBool, out: &mut dyn Write) -> Result<Exit, Error> {
    let workspace = Workspace::find()?;
    let mut all = Vec::new();
    for build in BuildChoice::all_of(&args.build) {
        let tested = match args.format {
            Format::Human => test(&workspace, build, stop, out)?,
            Format::Json => test(&workspace, build, stop, &mut std::io::stderr())?,
        };
        if args.format == Format::Json {
            json::print(out, &tested.line())?;
        }
        all.push(tested);
    }
    if args.format == Format::Human {
        out.write_all(summary(&all).as_bytes())?;
    }
    Ok(exit(&all))
}

fn test(
    workspace: &Workspace,
    build: Build,
    stop: &AtomicBool,
    out: &mut dyn Write,
) -> Result<Tested, Error> {
    let command = |last: &str| {
        let mut command = workspace.cargo("test", build);
        command.args(arguments(build)).arg(last);
        command
    };
    let name = words::build(build);
    writeln!(out, "\n== {name} build: compiling its tests")?;
    let mut count = Count::default();
    let mut ran = pass_on(command("--no-run"), stop, out, &mut Count::default())?;
    if ran {
        writeln!(out, "\n== {name} build: running its tests")?;
        let succeeded = pass_on(command("--no-fail-fast"), stop, out, &mut count)?;
        if !succeeded && count.failed == 0 {
            writeln!(
                out,
                "a test program of the {name} build crashed or failed as a whole: counted as one failure"
            )?;
            count.failed = 1;
        }
        ran = count.passed + count.failed > 0;
    }
    Ok(Tested { build, count, ran })
}

/// Runs cargo, its output passed on and counted; answers whether it succeeded.
fn pass_on(
    command: Command,
    stop: &AtomicBool,
    out: &mut dyn Write,
    count: &mut Count,
) -> Result<bool, Error> {
    out.flush()?;
    let mut printed = Ok(());
    let end = supervise(command, Limits::NONE, stop, &mut |_, line| {
        count.add_line(line);
        if printed.is_ok() {
            printed = writeln!(out, "{line}").and_then(|()| out.flush());
        }
    });
    printed?;
    match end.map_err(|source| run_error("cargo test", source))?.how {
        How::Exited(status) => Ok(status.success()),
        How::TimedOut | How::Stopped => Err(Error::Interrupted),
    }
}

/// One line for each build, and the total: `N passed, N failed`.
fn summary(all: &[Tested]) -> String {
    let mut text = String::from("\n");
    let mut total = Count::default();
    for tested in all {
        let name = words::build(tested.build);
        let count = tested.count;
        total = total + count;
        if !tested.ran {
            text.push_str(&format!("the {name} build ran no test\n"));
        }
        text.push_str(&format!("{name}: {count}\n"));
    }
    text.push_str(&format!("total: {total}\n"));
    text
}

fn exit(all: &[Tested]) -> Exit {
    if all.iter().any(|tested| tested.count.failed > 0) {
        Exit::Violated
    } else if all.iter().all(|tested| tested.ran) {
        Exit::Holds
    } else {
        Exit::Harness
    }
}

#[cfg(test)]
mod tests {
    use super::count::Count;
    use super::{Tested, exit, summary};
    use crate::exit::Exit;
    use nmr_models::engine_name::Build;

    const fn tested(build: Build, passed: u64, failed: u64, ran: bool) -> Tested {
        let count = Count {
            passed,
            failed,
            skipped: 0,
        };
        Tested { build, count, ran }
    }

    #[test]
    fn a_line_for_each_build_and_a_total() {
        let all = [
            tested(Build::Native, 312, 0, true),
            tested(Build::Loom, 0, 0, false),
            tested(Build::Shuttle, 130, 1, true),
        ];
        let expected = "
native: 312 passed, 0 failed
the loom build ran no test
loom: 0 passed, 0 failed
shuttle: 130 passed, 1 failed
total: 442 passed, 1 failed
";
        assert_eq!(summary(&all), expected);
        assert_eq!(exit(&all), Exit::Violated);
        assert_eq!(exit(&all[..2]), Exit::Harness);
        assert_eq!(exit(&all[..1]), Exit::Holds);
    }
}
