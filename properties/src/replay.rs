//! Replaying a saved case of any kind that this crate runs by itself: what `nmr replay` prints.

use std::path::Path;

use nmr_models::scenario::FormatError;

use crate::case;
use crate::sequential::Report;
use crate::{handle_bits, sequential};

/// What came of a replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// The history and, if there is one, the difference: the same text each time.
    pub text: String,
    /// Whether the registrar is not as specified: exit code 1 of the command, otherwise 0.
    pub reproduced: bool,
}

impl From<Report> for Replayed {
    fn from(report: Report) -> Self {
        Self {
            text: format!("{report}\n"),
            reproduced: report.difference.is_some(),
        }
    }
}

/// Replays a case file of kind `sequential` or `handle-bits`.
///
/// # Errors
/// The file cannot be read, is malformed (with its line, and what was expected there), or is of a
/// kind that is replayed elsewhere.
pub fn replay(path: &Path) -> Result<Replayed, FormatError> {
    replay_text(&path.display().to_string(), &case::read(path)?)
}

/// Replays a case that was read from `file`, which is named in errors only.
///
/// # Errors
/// As [`replay`].
pub fn replay_text(file: &str, text: &str) -> Result<Replayed, FormatError> {
    match case::head(file, text)?.kind {
        sequential::KIND => sequential::replay_text(file, text).map(Into::into),
        handle_bits::KIND => handle_bits::replay_text(file, text).map(Into::into),
        other => Err(case::refused(
            file,
            format!(
                "this is a {other} case: expected {} or {}",
                sequential::KIND,
                handle_bits::KIND
            ),
        )),
    }
}
