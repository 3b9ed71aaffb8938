//! `nmr status`: how far a campaign is, by its folder alone. Nothing is written.

use std::io::Write;
use std::path::Path;

use nmr_models::report::FuzzSummary;
use nmr_properties::campaign::corpus::Corpus;
use nmr_properties::campaign::folder::Folder;
use nmr_properties::campaign::matrix;
use nmr_properties::campaign::reached::Places;

use crate::args::{self, Format};
use crate::error::Error;
use crate::exit::Exit;
use crate::fuzz;
use crate::words;

mod proofs;

/// Prints it.
///
/// # Errors
/// The folder is none of a campaign, a file in it is not what it should be, or `out` cannot be written.
pub fn run(args: &args::Status, out: &mut dyn Write) -> Result<Exit, Error> {
    let folder = Folder::at(std::path::absolute(&args.folder)?);
    if !folder.is_there() {
        return Err(nothing_there(&args.folder));
    }
    let (summary, _) = summary_of(&folder)?;
    if args.format == Format::Human {
        for run in folder.runs()? {
            let of = run.time.map(|time| format!(" of {}", words::time(time)));
            let of = of.unwrap_or_default();
            let end = run.batches.map(|end| format!(", batches up to {end}"));
            let end = end.unwrap_or_default();
            let time = words::time(run.seconds);
            writeln!(out, "shard {}: {}, {time}{of}{end}", run.shard, run.state)?;
        }
        if args.coverage {
            out.write_all(coverage(&folder)?.as_bytes())?;
        }
        for case in folder.findings()? {
            writeln!(out, "finding: {}", words::path(&case))?;
        }
    }
    if args.format == Format::Human {
        out.write_all(proofs(&folder)?.as_bytes())?;
    }
    fuzz::print(&folder, summary, args.format, out)?;
    Ok(Exit::Holds)
}

/// What checkpoints of `prove` that are there add up to.
pub(crate) fn proofs(folder: &Folder) -> Result<String, Error> {
    Ok(proofs::text(folder.proofs()?))
}

/// What the campaign and the corpus of the repository reach.
fn coverage(folder: &Folder) -> Result<String, Error> {
    let places = Places::default();
    let mut reached = places.reached(Corpus::built_in()?.cells());
    for batch in folder.batches()? {
        reached.extend(&batch.reached);
    }
    Ok(matrix::text(&places, &reached))
}

/// What all that is in a folder comes to, and how a run would end that had come to that.
pub(crate) fn summary_of(folder: &Folder) -> Result<(FuzzSummary, Exit), Error> {
    let (batches, runs) = (folder.batches()?, folder.runs()?);
    let known = Places::default().reached(Corpus::built_in()?.cells());
    let all: Vec<_> = batches.iter().collect();
    let mut summary = fuzz::summary(&all, &runs, &known);
    let findings = folder.findings().map_err(|source| Error::Unreadable {
        path: folder.path().to_owned(),
        source,
    })?;
    summary.findings = summary.findings.max(findings.len() as u64);
    let exit = fuzz::exit(&summary);
    Ok((summary, exit))
}

pub(crate) fn nothing_there(path: &Path) -> Error {
    Error::Usage(format!(
        "{}: no campaign has written into it: expected the --out folder of `nmr fuzz`",
        path.display()
    ))
}
