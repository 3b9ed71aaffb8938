//! What is wrong with a file, and where.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A file that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatError {
    path: PathBuf,
    /// Line and column, from 1, where they are known.
    at: Option<(usize, usize)>,
    /// The text of that line, and how many of its characters are meant.
    line: Option<(String, usize)>,
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
            line: None,
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
            Some(span) => blank.at_span(text, span),
            None => blank,
        }
    }

    /// The line that is meant as compilers show it, with carets under what is wrong in it; `None` if it is not known.
    #[must_use]
    pub fn excerpt(&self) -> Option<String> {
        let (number, column) = self.at?;
        let (line, width) = self.line.as_ref()?;
        let margin = " ".repeat(number.to_string().len());
        // A tab stays one, so that the carets stand where they belong.
        let before = line.chars().take(column - 1);
        let before: String = before.map(|it| if it == '\t' { it } else { ' ' }).collect();
        let carets = "^".repeat(*width);
        Some(format!(
            "{margin} |\n{number} | {line}\n{margin} | {before}{carets}\n"
        ))
    }

    /// The same error, at a byte of `text`.
    #[must_use]
    pub fn at_byte(self, text: &str, byte: usize) -> Self {
        self.at_span(text, byte..byte)
    }

    /// The same error, at some bytes of `text`, of which those of the first line are shown.
    #[must_use]
    pub fn at_span(mut self, text: &str, span: Range<usize>) -> Self {
        let start = span.start.min(text.len());
        let (before, rest) = text.split_at(start);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = rest
            .find('\n')
            .map_or(text.len(), |newline| start + newline);
        let number = before.matches('\n').count() + 1;
        let meant = &text[start..span.end.clamp(start, line_end)];
        let line = text[line_start..line_end].trim_end_matches('\r');
        self.line = Some((line.to_owned(), meant.chars().count().max(1)));
        self.at_line(number, before[line_start..].chars().count() + 1)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str, span: Range<usize>) -> FormatError {
        FormatError::new(Path::new("s.toml"), "it is wrong").at_span(text, span)
    }

    #[test]
    fn what_is_wrong_has_carets_under_it() {
        let text = "one\nname = \"ä\" # b\n";
        let at = text.find("\"ä\"").unwrap();
        let error = error(text, at..at + "\"ä\"".len());
        assert_eq!(error.to_string(), "s.toml:2:8: it is wrong");
        let expected = "  |\n2 | name = \"ä\" # b\n  |        ^^^\n";
        assert_eq!(error.excerpt().as_deref(), Some(expected));
    }

    #[test]
    fn of_several_lines_the_first_one_is_shown() {
        let error = error("ops = [\n]\n", 6..9);
        let expected = "  |\n1 | ops = [\n  |       ^\n";
        assert_eq!(error.excerpt().as_deref(), Some(expected));
    }

    #[test]
    fn nothing_and_the_end_of_the_text_have_one_caret() {
        let expected = "  |\n1 | x\n  |  ^\n";
        assert_eq!(error("x", 1..1).excerpt().as_deref(), Some(expected));
        assert_eq!(error("x", 5..9).excerpt().as_deref(), Some(expected));
        let nowhere = FormatError::new(Path::new("s.toml"), "it is wrong");
        assert_eq!(nowhere.excerpt(), None);
        assert_eq!(nowhere.at_line(3, 1).excerpt(), None);
    }
}
