//! `nmr bench registrar`: what a registration costs now, and at another revision.
//!
//! The programs of both revisions are made alike ([`revision`]) and run by turns ([`rounds`]), so that what a
//! machine does besides hits both; what they leave ([`program`]) is summed up by medians ([`statistics`]) and
//! compared with what is asked ([`report`]). Time on a machine that others use is good for ratios only.

use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::args::{self, Format};
use crate::cargo::Workspace;
use crate::error::Error;
use crate::exit::Exit;
use crate::json;
use crate::progress::Display;

mod human;
mod program;
mod report;
#[cfg(test)]
pub(crate) use report::Line;
mod revision;
mod rounds;
mod statistics;

use program::Programs;
use report::Report;
use revision::Commit;
use rounds::{Rounds, Sides};

/// Measures, and prints what came of it to `out`; soon after `stop` becomes true it prints what the rounds that are
/// complete came to.
///
/// # Errors
/// There is no such baseline, a program cannot be built or fails, `out` cannot be written.
pub(super) fn run(
    args: &args::BenchRegistrar,
    stop: &AtomicBool,
    out: &mut dyn Write,
) -> Result<Exit, Error> {
    let display = Display::new();
    let workspace = Workspace::find()?;
    let baseline = args.baseline.as_deref();
    let baseline = baseline.map(|name| Commit::find(workspace.root(), name));
    let baseline = baseline.transpose()?;
    // Everything of the baseline is in it, and gone with it.
    let folder = tempfile::tempdir()?;
    let programs = match &args.programs {
        Some(folder) => given(folder, baseline.as_ref()),
        None => build(&workspace, baseline.as_ref(), folder.path(), stop, &display)?,
    };
    let held = programs.try_map(|one| one.held(stop))?;
    let rounds = Rounds {
        programs: &programs,
        rounds: args.rounds,
        time: args.time,
        folder: folder.path(),
        stop,
        display: &display,
    };
    let measured = rounds.measure()?;
    let report = Report::of(&measured, held);
    match args.format {
        Format::Json => {
            let hash = baseline.as_ref().map(Commit::hash);
            report
                .lines(hash)
                .try_for_each(|line| json::print(out, &line))?;
        }
        Format::Human => {
            let name = baseline.as_ref().map(Commit::short);
            out.write_all(human::text(&report, name).as_bytes())?;
        }
    }
    Ok(match stop.load(Ordering::Relaxed) {
        true => Exit::Interrupted,
        false => Exit::Holds,
    })
}

fn given(folder: &Path, baseline: Option<&Commit>) -> Sides<Programs> {
    let of = |side: &str| Programs {
        registrar: folder.join(side).join("registrar"),
        memory: folder.join(side).join("memory"),
    };
    Sides {
        now: of("now"),
        baseline: baseline.map(|_| of("baseline")),
    }
}

fn build(
    workspace: &Workspace,
    baseline: Option<&Commit>,
    folder: &Path,
    stop: &AtomicBool,
    display: &Display,
) -> Result<Sides<Programs>, Error> {
    let build = |top: &Path, name: &str, to: &Path| {
        revision::build(workspace, top, name, to, stop, display)
    };
    // What is built of the working tree stays, so that next time only what has changed is built.
    let own = workspace.output().join("bench");
    let now = build(workspace.root(), "the working tree", &own)?;
    let Some(commit) = baseline else {
        return Ok(Sides {
            now,
            baseline: None,
        });
    };
    let checkout = folder.join("checkout");
    commit.check_out(workspace.root(), &checkout)?;
    let then = build(&checkout, commit.short(), &folder.join("measured"))?;
    Ok(Sides {
        now,
        baseline: Some(then),
    })
}
