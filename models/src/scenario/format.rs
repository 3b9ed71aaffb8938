//! What is wrong with a file, and where.

use std::fmt;
use std::path::{Path, PathBuf};

/// A file that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatError {
    path: PathBuf,
    /// Line and column, from 1, where they are known.
    at: Option<(usize, usize)>,
    message: String,
}

impl std::error::Error for FormatError {}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some((line, column)) = self.at {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl FormatError {
    /// An error about the whole file.
    #[must_use]
    pub fn new(path: &Path, message: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            at: None,
            message: message.into(),
        }
    }

    /// What is wrong, without where.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// An error that the TOML reader found in `text`.
    #[must_use]
    pub fn from_toml(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let blank = Self::new(path, error.message());
        match error.span() {
            Some(span) => blank.at_byte(text, span.start),
            None => blank,
        }
    }

    /// The same error, at a byte of `text`.
    #[must_use]
    pub fn at_byte(self, text: &str, byte: usize) -> Self {
        let before = &text[..byte.min(text.len())];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        self.at_line(line, before[line_start..].chars().count() + 1)
    }

    /// The same error, at a line and a column, from 1.
    #[must_use]
    pub fn at_line(mut self, line: usize, column: usize) -> Self {
        self.at = Some((line, column));
        self
    }

    /// The same error, at the line of `text` that first mentions `word`, which is no part of a longer one.
    pub(crate) fn at_mention(mut self, text: &str, word: &str) -> Self {
        let is_of_a_word = |it: char| it.is_alphanumeric() || matches!(it, '-' | '_');
        let stands_alone = |content: &str, at: usize| {
            let before = content[..at].chars().next_back();
            let after = content[at + word.len()..].chars().next();
            !before.is_some_and(is_of_a_word) && !after.is_some_and(is_of_a_word)
        };
        self.at = text.lines().enumerate().find_map(|(line, content)| {
            let mut mentions = content.match_indices(word).map(|(at, _)| at);
            let at = mentions.find(|&at| stands_alone(content, at))?;
            Some((line + 1, content[..at].chars().count() + 1))
        });
        self
    }
}
