//! Case files: a failure as TOML that a person can read, under `regressions/`.
//!
//! Each file has a `kind` field, which says whose case it is; the rest belongs to that kind. This
//! module reads and writes them and says where a malformed one is wrong. It runs nothing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nmr_models::scenario::FormatError;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use toml::Spanned;

/// The kinds of case that are saved here. A schedule is a case of `nmr-models`, which replays it.
pub const KINDS: &[&str] = &["sequential", "handle-bits", nmr_models::case::KIND];

/// What can be read of a case of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// One of [`KINDS`].
    pub kind: &'static str,
    /// What wrote it, if it says so.
    pub version: Option<String>,
}

/// An error about the whole file.
pub(crate) fn refused(file: &str, message: impl Into<String>) -> FormatError {
    FormatError::new(Path::new(file), message)
}

fn malformed(file: &str, text: &str, error: &toml::de::Error) -> FormatError {
    let refused = refused(file, error.message().trim_end().replace('\n', ", "));
    let Some(span) = error.span() else {
        return refused;
    };
    // The span of a value inside an enum is that of the table around it.
    let named = error.message().split('`').nth(1);
    let offset = named.and_then(|word| text.get(span.start..)?.find(word));
    refused.at_byte(text, span.start + offset.unwrap_or(0))
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
pub fn of_kind(folder: &Path, wanted: &str) -> Result<Vec<PathBuf>, FormatError> {
    let unreadable = |error: io::Error| FormatError::new(folder, error.to_string());
    let mut found = Vec::new();
    for path in files(folder).map_err(unreadable)? {
        if head(&path.display().to_string(), &read(&path)?)?.kind == wanted {
            found.push(path);
        }
    }
    Ok(found)
}

/// Reads a file as text.
///
/// # Errors
/// It cannot be read.
pub fn read(path: &Path) -> Result<String, FormatError> {
    fs::read_to_string(path).map_err(|error| FormatError::new(path, error.to_string()))
}

/// Reads the head of a case.
///
/// # Errors
/// The text is no TOML, or has no `kind`, or an unknown one.
pub fn head(file: &str, text: &str) -> Result<Head, FormatError> {
    #[derive(Deserialize)]
    struct Raw {
        kind: Spanned<String>,
        version: Option<String>,
    }
    let raw: Raw = toml::from_str(text).map_err(|error| malformed(file, text, &error))?;
    let (kind, version) = (raw.kind.get_ref(), raw.version);
    match KINDS.iter().find(|known| *known == kind) {
        Some(kind) => Ok(Head { kind, version }),
        None => {
            let kinds = KINDS.join(", ");
            let message = format!("`{kind}` is no kind of case: expected one of {kinds}");
            Err(refused(file, message).at_byte(text, raw.kind.span().start))
        }
    }
}

/// Reads a case of one kind.
///
/// # Errors
/// The text is not such a case.
pub fn parse<T: DeserializeOwned>(
    file: &str,
    text: &str,
    expected: &str,
) -> Result<T, FormatError> {
    let found = head(file, text)?.kind;
    if found != expected {
        let message = format!("this is a {found} case: expected {expected}");
        return Err(refused(file, message));
    }
    toml::from_str(text).map_err(|error| malformed(file, text, &error))
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
