//! Case files: a failure as TOML that a person can read, under `regressions/`.
//!
//! Each file has a `kind` field, which says whose case it is; the rest belongs to that kind. This
//! module reads and writes them and says where a malformed one is wrong. It runs nothing.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use toml::Spanned;

/// The kinds of case that are saved here. A schedule is a case of `nmr-models`, which replays it.
pub const KINDS: &[&str] = &["sequential", "handle-bits", nmr_models::case::KIND];

/// A case file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct CaseError {
    /// The file.
    pub file: String,
    /// The line, from 1, where there is one to name.
    pub line: Option<usize>,
    /// What is wrong, and what was expected.
    pub message: String,
}

impl fmt::Display for CaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

impl CaseError {
    /// An error about the whole file.
    pub fn whole(file: &str, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: None,
            message: message.into(),
        }
    }

    fn of_toml(file: &str, text: &str, error: &toml::de::Error) -> Self {
        Self {
            file: file.to_owned(),
            line: error.span().map(|span| {
                // The span of a value inside an enum is that of the table around it.
                let named = error.message().split('`').nth(1);
                let offset = named.and_then(|word| text.get(span.start..)?.find(word));
                line_of(text, span.start + offset.unwrap_or(0))
            }),
            message: error.message().trim_end().replace('\n', ", "),
        }
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())]
        .iter()
        .filter(|&&byte| byte == b'\n')
        .count()
        + 1
}

/// The folder of the saved cases of this workspace.
#[must_use]
pub fn regressions() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions")
}

/// Every case file in a folder, sorted by name.
///
/// # Errors
/// The folder cannot be read.
pub fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<PathBuf>>>()?;
    files.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "toml")
    });
    files.sort();
    Ok(files)
}

/// The case files of one kind in a folder, sorted by name.
///
/// # Errors
/// The folder or one of its files cannot be read, or a file is no case.
pub fn of_kind(folder: &Path, wanted: &str) -> Result<Vec<PathBuf>, CaseError> {
    let unreadable =
        |error: io::Error| CaseError::whole(&folder.display().to_string(), error.to_string());
    let mut found = Vec::new();
    for path in files(folder).map_err(unreadable)? {
        if kind(&path.display().to_string(), &read(&path)?)? == wanted {
            found.push(path);
        }
    }
    Ok(found)
}

/// Reads a file as text.
///
/// # Errors
/// It cannot be read.
pub fn read(path: &Path) -> Result<String, CaseError> {
    fs::read_to_string(path)
        .map_err(|error| CaseError::whole(&path.display().to_string(), error.to_string()))
}

/// The kind of a case, one of [`KINDS`].
///
/// # Errors
/// The text is no TOML, or has no `kind`, or an unknown one.
pub fn kind(file: &str, text: &str) -> Result<&'static str, CaseError> {
    #[derive(Deserialize)]
    struct Head {
        kind: Spanned<String>,
    }
    let head: Head =
        toml::from_str(text).map_err(|error| CaseError::of_toml(file, text, &error))?;
    let known = KINDS.iter().find(|kind| **kind == head.kind.as_ref());
    known.copied().ok_or_else(|| CaseError {
        file: file.to_owned(),
        line: Some(line_of(text, head.kind.span().start)),
        message: format!(
            "`{}` is no kind of case: expected one of {}",
            head.kind.as_ref(),
            KINDS.join(", ")
        ),
    })
}

/// Reads a case of one kind.
///
/// # Errors
/// The text is not such a case.
pub fn parse<T: DeserializeOwned>(file: &str, text: &str, expected: &str) -> Result<T, CaseError> {
    let found = kind(file, text)?;
    if found != expected {
        let message = format!("this is a {found} case: expected {expected}");
        return Err(CaseError::whole(file, message));
    }
    toml::from_str(text).map_err(|error| CaseError::of_toml(file, text, &error))
}

/// A case as the text of its file.
///
/// # Panics
/// The case has no TOML form: a defect of this crate.
pub fn render<T: Serialize>(case: &T) -> String {
    toml::to_string_pretty(case).expect("cases are plain data")
}

/// Saves a case under a name made of its kind and its contents, with the command that replays it.
///
/// # Errors
/// The file cannot be written.
pub fn save<T: Serialize>(folder: &Path, kind: &str, case: &T) -> io::Result<PathBuf> {
    let body = render(case);
    let path = folder.join(format!("{kind}-{:08x}.toml", fingerprint(&body)));
    fs::create_dir_all(folder)?;
    fs::write(&path, format!("# {}\n{body}", replay_command(&path)))?;
    Ok(path)
}

/// The command that replays a case file: the file as seen from the top of the workspace, if it is
/// below it.
#[must_use]
pub fn replay_command(path: &Path) -> String {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let seen_from_top = crate_folder
        .parent()
        .and_then(|top| path.strip_prefix(top).ok());
    let path = seen_from_top.unwrap_or(path);
    format!("cargo nmr replay {}", path.display())
}

/// FNV-1a, 32 bits: the same for the same text, on every machine.
fn fingerprint(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}
