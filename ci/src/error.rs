//! What keeps a subcommand from its work. Findings are no errors.

use std::io;
use std::path::PathBuf;

use nmr_models::scenario::FormatError;

use crate::cargo::Complaint;
use crate::exit::Exit;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The arguments ask for something that is not there.
    #[error("{0}")]
    Usage(String),
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("{}: cannot be written: {source}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A scenario or a case is malformed.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// A program cannot be started or waited for.
    #[error("cannot run {program}: {source}")]
    Run {
        /// What was to be run.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// cargo answered something that is not understood.
    #[error("cargo {0}")]
    Cargo(String),
    /// cargo could not build a program.
    #[error("cannot build {program}; cargo said:\n{output}{}", listed(complaints))]
    Build {
        /// The program, and the build.
        program: String,
        /// cargo's stderr.
        output: String,
        /// rustc's errors.
        complaints: Vec<Complaint>,
    },
    /// A program that this crate runs did not do as agreed.
    #[error("{0}")]
    Harness(String),
    /// The output cannot be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// The exit code.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Usage(_)
            | Self::Unreadable { .. }
            | Self::Unwritable { .. }
            | Self::Format(_) => Exit::Usage,
            Self::Run { .. }
            | Self::Cargo(_)
            | Self::Build { .. }
            | Self::Harness(_)
            | Self::Output(_) => Exit::Harness,
            Self::Interrupted => Exit::Interrupted,
        }
    }
}

fn listed(complaints: &[Complaint]) -> String {
    let each = complaints.iter().map(|complaint| format!("\n{complaint}"));
    each.collect()
}
