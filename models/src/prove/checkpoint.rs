//! A run written to a file, to be gone on with later: what the file is about, and the totals so far.
//!
//! A file about anything else is refused: another size or shard, and another build, which may judge otherwise. It is
//! written beside its place and then put there, so that a process that is killed leaves the last whole one.

use std::fs;
use std::hash::Hasher;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use rustc_stable_hash::StableSipHasher128;
use serde::{Deserialize, Serialize};

use super::size::Size;
use super::totals::Totals;
use crate::case::version;
use crate::conditions::Conditions;
use crate::shard::Shard;

/// What a run is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct About {
    size: String,
    bounds: String,
    shard: Shard,
    #[serde(default)]
    conditions: Conditions,
    version: String,
    /// The hash of the running program's file, in hexadecimal digits.
    executable: String,
}

impl About {
    /// A run of this executable.
    #[must_use]
    pub fn new(size: &Size, shard: Shard, conditions: Conditions) -> Self {
        Self {
            size: size.name.to_owned(),
            bounds: format!("{size:?}"),
            shard,
            conditions,
            version: version(),
            executable: executable(),
        }
    }

    /// What differs, and how.
    fn difference(&self, now: &Self) -> Option<(&'static str, String, String)> {
        let pairs = [
            ("size", self.size.clone(), now.size.clone()),
            ("shard", self.shard.to_string(), now.shard.to_string()),
            (
                "set of conditions",
                told(self.conditions),
                told(now.conditions),
            ),
            ("version", self.version.clone(), now.version.clone()),
            ("set of bounds", self.bounds.clone(), now.bounds.clone()),
            ("build", self.executable.clone(), now.executable.clone()),
        ];
        pairs.into_iter().find(|(_, then, now)| then != now)
    }
}

fn told(conditions: Conditions) -> String {
    match conditions.is_default() {
        true => "none".to_owned(),
        false => conditions.to_string(),
    }
}

fn executable() -> String {
    let bytes = std::env::current_exe()
        .and_then(fs::read)
        .unwrap_or_default();
    let mut hasher = StableSipHasher128::new();
    hasher.write(&bytes);
    format!("{:016x}", Hasher::finish(&hasher))
}

/// What is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Checkpoint {
    about: About,
    /// What the programs so far add up to.
    pub totals: Totals,
    /// The time that they took.
    pub seconds: f64,
}

/// Why a checkpoint cannot be written or used.
#[derive(Debug, thiserror::Error)]
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
    /// The file is none, or not a whole one.
    #[error("{} is no checkpoint of programs: {reason}; remove it to begin anew", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// It is about something else.
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

impl Checkpoint {
    /// The beginning.
    #[must_use]
    pub fn new(about: About) -> Self {
        Self {
            about,
            totals: Totals::default(),
            seconds: 0.0,
        }
    }

    /// That in a file, whatever it is about: to be looked at, and not to be gone on with.
    ///
    /// # Errors
    /// The file cannot be read, or is none.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(|source| failed(path, "read", source))?;
        serde_json::from_str(&text).map_err(|error| Error::Format {
            path: path.to_owned(),
            reason: error.to_string(),
        })
    }

    /// The name of the size.
    #[must_use]
    pub fn size(&self) -> &str {
        &self.about.size
    }

    /// The share.
    #[must_use]
    pub const fn shard(&self) -> Shard {
        self.about.shard
    }

    /// What is the same of all shares of a run: size, bounds, conditions and version.
    #[must_use]
    pub fn of(&self) -> String {
        let About {
            size,
            bounds,
            conditions,
            version,
            ..
        } = &self.about;
        format!("{size} {} {version} {bounds}", told(*conditions))
    }

    /// That in the file; the beginning if there is no file.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn load(path: &Path, about: About) -> Result<Self, Error> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::new(about)),
            Err(source) => return Err(failed(path, "read", source)),
        };
        let then: Self = serde_json::from_str(&text).map_err(|error| Error::Format {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        match then.about.difference(&about) {
            None => Ok(then),
            Some((what, then, now)) => Err(Error::Other {
                path: path.to_owned(),
                what,
                then,
                now,
            }),
        }
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".new");
        let write = || {
            let mut file = fs::File::create(&beside)?;
            serde_json::to_writer(&mut file, self)?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            fs::rename(&beside, path)
        };
        write().map_err(|source| failed(path, "written", source))
    }
}

fn failed(path: &Path, what: &'static str, source: io::Error) -> Error {
    Error::Io {
        path: path.to_owned(),
        what,
        source,
    }
}
