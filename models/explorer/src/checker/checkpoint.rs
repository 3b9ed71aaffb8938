//! A search written to a file, to be gone on with later.
//!
//! The file holds the states seen, what is left to choose at each, and what is known of conflicts; and what all of that is about: the program's name, a hash of the executable, and the
//! options. A file about anything else is refused. It is written beside its place and then put there, so
//! that a process that is killed leaves the last whole one.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::checker::conflicts::{Conflicts, Saved};
use crate::checker::fingerprint::{Fingerprint, fingerprint};
use crate::checker::options::Options;
use crate::checker::visited::{self, Visited};
use crate::checker::walk;
use crate::checker::workers::Rest;

/// The first bytes of a checkpoint. The number grows with the format.
const MAGIC: &[u8] = b"nmr-explorer checkpoint 4\n";

/// What a checkpoint is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct About {
    program: String,
    version: String,
    executable: Fingerprint,
    reductions: Vec<String>,
    symmetries: Vec<Vec<usize>>,
    spurious: bool,
}

/// What is left of a search, as it is written.
#[derive(Serialize, Deserialize)]
pub(crate) struct Body {
    pub(crate) states: visited::Saved,
    pub(crate) frontier: walk::Saved,
    pub(crate) conflicts: Saved,
    /// The verdict will rest on it.
    pub(crate) rounds_repeat: bool,
    /// It keeps the search from being exhausted.
    pub(crate) gave_up: Option<String>,
}

/// Why a checkpoint cannot be written or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read or written.
    #[error("the checkpoint {} cannot be {what}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// `read` or `written`.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The file is no checkpoint, or not a whole one.
    #[error(
        "{} is no checkpoint of this version: {reason}; remove it to begin anew", path.display()
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The checkpoint is about something else.
    #[error(
        "the checkpoint {} is of another {what}: it has {then}, this is {now}; remove it to begin anew",
        path.display()
    )]
    Other {
        /// The file.
        path: PathBuf,
        /// What differs.
        what: &'static str,
        /// What the checkpoint has.
        then: String,
        /// What would be needed.
        now: String,
    },
}

impl About {
    fn new(options: &Options) -> Self {
        Self {
            program: options.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            executable: executable(),
            reductions: options
                .reductions
                .names()
                .into_iter()
                .map(str::to_owned)
                .collect(),
            symmetries: options.symmetries.clone(),
            spurious: options.spurious,
        }
    }

    /// What differs, and how.
    fn difference(&self, now: &Self) -> Option<(&'static str, String, String)> {
        let differ = |what, then: &dyn std::fmt::Debug, now: &dyn std::fmt::Debug| {
            Some((what, format!("{then:?}"), format!("{now:?}")))
        };
        if self.program != now.program {
            differ("program", &self.program, &now.program)
        } else if self.version != now.version {
            differ("version", &self.version, &now.version)
        } else if self.executable != now.executable {
            let hash =
                |about: &Self| format!("an executable with hash {:032x}", about.executable.0);
            Some(("build of the program", hash(self), hash(now)))
        } else if self.reductions != now.reductions {
            differ("set of reductions", &self.reductions, &now.reductions)
        } else if self.symmetries != now.symmetries {
            differ("set of symmetries", &self.symmetries, &now.symmetries)
        } else if self.spurious != now.spurious {
            differ(
                "setting of spurious wake-ups",
                &self.spurious,
                &now.spurious,
            )
        } else {
            None
        }
    }
}

/// The hash of the running program's file: whatever was changed in it, in whichever crate, is another
/// program.
fn executable() -> Fingerprint {
    let bytes = std::env::current_exe().and_then(std::fs::read);
    fingerprint(|state| {
        use std::hash::Hasher;
        state.write(&bytes.unwrap_or_default());
    })
}

/// Stands before the bytes, to find out whether they are as they were written.
fn hash(bytes: &[u8]) -> [u8; 16] {
    fingerprint(|state| {
        use std::hash::Hasher;
        state.write(bytes);
    })
    .0
    .to_be_bytes()
}

/// Writes a checkpoint, whole or not at all.
pub(crate) fn write(path: &Path, options: &Options, body: &Body) -> Result<(), Error> {
    put(path, &About::new(options), body).map_err(|source| Error::Io {
        path: path.to_owned(),
        what: "written",
        source,
    })
}

fn put(path: &Path, about: &About, body: &Body) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let file = tempfile::NamedTempFile::new_in(folder)?;
    let mut writer = io::BufWriter::new(file);
    let bytes = postcard::to_stdvec(&(about, body)).map_err(io::Error::other)?;
    writer.write_all(MAGIC)?;
    writer.write_all(&hash(&bytes))?;
    writer.write_all(&bytes)?;
    let file = writer
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Reads what is left of the search that `options` describe. `None`: there is no such file.
pub(crate) fn read(path: &Path, options: &Options) -> Result<Option<Rest>, Error> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(Error::Io {
                path: path.to_owned(),
                what: "read",
                source,
            });
        }
    };
    let format = |reason: String| Error::Format {
        path: path.to_owned(),
        reason,
    };
    let Some(rest) = bytes.strip_prefix(MAGIC) else {
        return Err(format("it begins otherwise".to_owned()));
    };
    let whole = rest
        .split_first_chunk()
        .filter(|(sum, bytes)| **sum == hash(bytes));
    let Some((_, rest)) = whole else {
        return Err(format("it is not as it was written".to_owned()));
    };
    let (about, rest): (About, _) =
        postcard::take_from_bytes(rest).map_err(|error| format(error.to_string()))?;
    if let Some((what, then, now)) = about.difference(&About::new(options)) {
        return Err(Error::Other {
            path: path.to_owned(),
            what,
            then,
            now,
        });
    }
    let body: Body = postcard::from_bytes(rest).map_err(|error| format(error.to_string()))?;
    let frontier = body.frontier.restored();
    let frontier = frontier.ok_or_else(|| format("it has paths without a beginning".to_owned()))?;
    Ok(Some(Rest {
        frontier,
        visited: Visited::restored(body.states),
        conflicts: Conflicts::restored(body.conflicts),
        rounds_repeat: body.rounds_repeat,
        gave_up: body.gave_up,
    }))
}
