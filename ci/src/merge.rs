//! `nmr merge`: one folder of those of several runs of `nmr fuzz`.

use std::io::Write;

use nmr_properties::campaign::folder::Folder;

use crate::args::{self, Format};
use crate::error::Error;
use crate::exit::Exit;
use crate::fuzz;
use crate::status;

/// Merges, and prints what it comes to.
///
/// # Errors
/// A folder is none of a campaign, a file in it is not what it should be, or the folder or `out` cannot be written.
pub fn run(args: &args::Merge, out: &mut dyn Write) -> Result<Exit, Error> {
    let into = Folder::at(std::path::absolute(&args.out)?);
    for path in &args.from {
        let from = Folder::at(std::path::absolute(path)?);
        if !from.is_there() {
            return Err(status::nothing_there(path));
        }
    }
    for path in &args.from {
        into.merge(&Folder::at(std::path::absolute(path)?))?;
    }
    if let Some(corpus) = &args.corpus {
        fuzz::keep(corpus, &into)?;
    }
    if args.format == Format::Human {
        out.write_all(status::proofs(&into)?.as_bytes())?;
    }
    let (summary, exit) = status::summary_of(&into)?;
    fuzz::print(&into, summary, args.format, out)?;
    Ok(exit)
}
