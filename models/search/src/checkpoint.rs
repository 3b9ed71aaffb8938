//! A search written to a file, to be gone on with later.
//!
//! The file holds the fingerprints seen, what was counted, what is left of each worker's path, and what all of that is
//! about. A file about anything else is refused. It is written beside its place and then put there, so that a process
//! that is killed leaves the last whole one. States are not written: the paths to them are followed again.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_128;

use crate::encoder::Fingerprint;
use crate::expand::{Mode, Progress};
use crate::report::Counts;
use crate::shared::Sums;
use crate::stack::Stack;
use crate::system::System;
use crate::verify::{Signature, Signatures};
use crate::visited::Visited;

/// The first bytes of a checkpoint. The number grows with the format.
const MAGIC: &[u8] = b"nmr-search checkpoint 1\n";

/// Bytes of a fingerprint.
const FINGERPRINT: usize = size_of::<u128>();

/// What a checkpoint is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct About {
    version: String,
    system: String,
    reductions: String,
}

impl About {
    pub(crate) fn new<S: System>(system: &S, mode: Mode) -> Self {
        let Mode {
            symmetry,
            ample,
            verify,
        } = mode;
        let names = [
            (symmetry, "symmetry"),
            (ample, "ample sets"),
            (verify, "verified claims"),
        ];
        let names = names.iter().filter(|(is_on, _)| *is_on);
        let names: Vec<_> = names.map(|&(_, name)| name).collect();
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            system: system.identity(),
            reductions: format!("[{}]", names.join(", ")),
        }
    }
}

/// A frame, without its state.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SavedFrame<A> {
    /// The action that leads to the next frame's state; the last frame has none.
    pub(crate) under_way: Option<A>,
    pub(crate) left: Vec<A>,
    pub(crate) before: Progress,
    pub(crate) share: f64,
}

/// A path, and what is left on it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SavedStack<A> {
    pub(crate) prefix: Vec<A>,
    pub(crate) frames: Vec<SavedFrame<A>>,
}

/// What is left of a search.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Saved<A> {
    pub(crate) counts: Counts,
    pub(crate) deepest: usize,
    pub(crate) share: f64,
    pub(crate) signatures: Vec<(Fingerprint, Signature)>,
    pub(crate) stacks: Vec<SavedStack<A>>,
}

/// Why a checkpoint cannot be written or used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The file cannot be read or written.
    #[error("the checkpoint {} cannot be {what}: {source}", path.display())]
    Io {
        path: PathBuf,
        what: &'static str,
        source: io::Error,
    },
    /// The file is no checkpoint, or not a whole one.
    #[error(
        "{} is no checkpoint that can be used: {reason}; remove it to begin anew", path.display()
    )]
    Format { path: PathBuf, reason: &'static str },
    /// The checkpoint is about something else.
    #[error(
        "the checkpoint {} is of another {what}: it has {then}, this is {now}; remove it to begin anew",
        path.display()
    )]
    Other {
        path: PathBuf,
        what: &'static str,
        then: String,
        now: String,
    },
}

/// What a stack leaves to be done. A copy of the actions, none of the states.
pub(crate) fn saved<S: System>(stack: &Stack<S>) -> SavedStack<S::Action> {
    let last = stack.frames.len().saturating_sub(1);
    let frames = stack.frames.iter().enumerate();
    let frames = frames.map(|(index, frame)| SavedFrame {
        under_way: (index < last).then(|| frame.actions[frame.next - 1]),
        left: frame.left().to_vec(),
        before: frame.before,
        share: frame.share,
    });
    SavedStack {
        prefix: stack.prefix.clone(),
        frames: frames.collect(),
    }
}

/// What is left of a search that is not running.
pub(crate) fn save<S: System>(
    sums: &Sums,
    signatures: &Signatures,
    stacks: &[Stack<S>],
) -> Saved<S::Action> {
    let stacks = stacks.iter().filter(|stack| !stack.frames.is_empty());
    Saved {
        counts: sums.counts,
        deepest: sums.deepest,
        share: sums.share,
        signatures: signatures.saved(),
        stacks: stacks.map(saved).collect(),
    }
}

/// Writes a checkpoint, whole or not at all.
pub(crate) fn write<A: Serialize>(
    path: &Path,
    about: &About,
    saved: &Saved<A>,
    visited: &Visited,
) -> Result<(), Error> {
    put(path, about, saved, visited).map_err(|source| Error::Io {
        path: path.to_owned(),
        what: "written",
        source,
    })
}

fn put<A: Serialize>(
    path: &Path,
    about: &About,
    saved: &Saved<A>,
    visited: &Visited,
) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut bytes = postcard::to_stdvec(&(about, saved)).map_err(io::Error::other)?;
    bytes.reserve(visited.len() * FINGERPRINT);
    visited.for_each(|Fingerprint(hash)| bytes.extend_from_slice(&hash.to_le_bytes()));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(MAGIC)?;
    file.write_all(&XxHash3_128::oneshot(&bytes).to_le_bytes())?;
    file.write_all(&bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Reads what is left of the search that this is about, and calls `insert` with each fingerprint. `None`: there is
/// no such file.
pub(crate) fn read<A: DeserializeOwned>(
    path: &Path,
    about: &About,
    mut insert: impl FnMut(Fingerprint),
) -> Result<Option<Saved<A>>, Error> {
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
    let format = |reason| Error::Format {
        path: path.to_owned(),
        reason,
    };
    let rest = bytes.strip_prefix(MAGIC);
    let rest = rest.ok_or_else(|| format("it begins otherwise"))?;
    let whole = rest.split_first_chunk::<FINGERPRINT>();
    let (hash, rest) = whole.ok_or_else(|| format("it is too short"))?;
    if XxHash3_128::oneshot(rest).to_le_bytes() != *hash {
        return Err(format("it is damaged"));
    }
    let unreadable = |_| format("it is damaged, or of another version");
    let (then, rest) = postcard::take_from_bytes(rest).map_err(unreadable)?;
    compare(path, then, about)?;
    let (saved, rest) = postcard::take_from_bytes(rest).map_err(unreadable)?;
    let (fingerprints, []) = rest.as_chunks() else {
        return Err(format("it has half a fingerprint"));
    };
    let fingerprints = fingerprints.iter().copied().map(u128::from_le_bytes);
    fingerprints.map(Fingerprint).for_each(&mut insert);
    Ok(Some(saved))
}

/// It is about the same.
fn compare(path: &Path, then: About, now: &About) -> Result<(), Error> {
    let fields = [
        ("version of the search", then.version, &now.version),
        ("system", then.system, &now.system),
        ("set of reductions", then.reductions, &now.reductions),
    ];
    match fields.into_iter().find(|(_, then, now)| then != *now) {
        None => Ok(()),
        Some((what, then, now)) => Err(Error::Other {
            path: path.to_owned(),
            what,
            then,
            now: now.clone(),
        }),
    }
}
