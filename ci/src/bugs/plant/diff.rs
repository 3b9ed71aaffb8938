//! Unified diffs, applied exactly: each hunk's lines stand in the file, and at one place only. The number
//! of the line does not count, so that a change elsewhere in the file is none of a diff's business.
//!
//! Pure: whoever calls says what is in a file.

use std::collections::BTreeMap;

use diffy::{Hunk, Line, Patch};

/// Why a diff is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiffError {
    /// It is no unified diff.
    #[error("this is no unified diff of a file: {why}")]
    Malformed {
        /// Where the part begins that is none, from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// It is about nothing.
    #[error("it changes no file: expected `--- a/…`, `+++ b/…` and hunks")]
    Empty,
    /// It creates, removes or renames a file.
    #[error("it changes {from} into {to}: a file can only be changed where it is")]
    Moves {
        /// Of the diff, from 1.
        line: usize,
        /// The file before.
        from: String,
        /// The file after.
        to: String,
    },
    /// It is about a file that bugs cannot be planted into.
    #[error("it changes {file}: bugs are planted into core/src and core/sync/src/monitor.rs only")]
    Elsewhere {
        /// Of the diff, from 1.
        line: usize,
        /// The file.
        file: String,
    },
    /// A hunk's lines are not in the file any more.
    #[error("hunk {hunk} does not apply: its lines are nowhere in {file}; make the diff anew")]
    Nowhere {
        /// Of the diff, from 1.
        line: usize,
        /// Which of the diff's, from 1.
        hunk: usize,
        /// The file.
        file: String,
    },
    /// A hunk's lines are in the file several times.
    #[error(
        "hunk {hunk} does not apply: its lines are at {places} places in {file}; make the \
         diff anew with more context (`diff -U6`)"
    )]
    Several {
        /// Of the diff, from 1.
        line: usize,
        /// Which of the diff's, from 1.
        hunk: usize,
        /// The file.
        file: String,
        /// How many.
        places: usize,
    },
}

impl DiffError {
    /// The line of the diff that it is about, from 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        match self {
            Self::Empty => 1,
            Self::Malformed { line, .. }
            | Self::Moves { line, .. }
            | Self::Elsewhere { line, .. }
            | Self::Nowhere { line, .. }
            | Self::Several { line, .. } => *line,
        }
    }
}

/// The files that a diff changes, as they are then. `read` answers what is in a file that may be changed.
///
/// # Errors
/// The diff is malformed, or does not apply.
pub fn apply<'a>(
    diff: &str,
    read: impl Fn(&str) -> Option<&'a str>,
) -> Result<BTreeMap<String, String>, DiffError> {
    let mut changed = BTreeMap::new();
    let mut hunks = 0;
    for part in parts(diff) {
        let patch = part.patch()?;
        let file = part.file(&patch)?;
        let before = read(&file).ok_or_else(|| DiffError::Elsewhere {
            line: part.line,
            file: file.clone(),
        })?;
        for (index, hunk) in patch.hunks().iter().enumerate() {
            part.check(hunk, index, hunks, &file, before)?;
        }
        hunks += patch.hunks().len();
        // Each hunk has its one place: this can only fail if two of them share lines.
        let after = diffy::apply(before, &patch).map_err(|error| DiffError::Malformed {
            line: part.line,
            why: error.to_string(),
        })?;
        changed.insert(file, after);
    }
    if changed.is_empty() {
        return Err(DiffError::Empty);
    }
    Ok(changed)
}

/// What a diff says of one file.
struct Part<'a> {
    text: &'a str,
    /// The number of its first line in the diff, from 1.
    line: usize,
}

/// Cuts a diff of several files apart. What git writes between them is left out.
fn parts(diff: &str) -> Vec<Part<'_>> {
    let mut starts = Vec::new();
    let mut ends = Vec::new();
    let mut at = 0;
    let mut lines = diff.split_inclusive('\n').enumerate().peekable();
    while let Some((index, line)) = lines.next() {
        let is_head = line.starts_with("--- ")
            && lines
                .peek()
                .is_some_and(|(_, next)| next.starts_with("+++ "));
        if is_head {
            starts.push((at, index + 1));
        }
        if is_head || line.starts_with("diff --git ") {
            ends.push(at);
        }
        at += line.len();
    }
    ends.push(diff.len());
    let part = |(start, line)| {
        let end = ends.iter().copied().find(|&end| end > start);
        Part {
            text: &diff[start..end.unwrap_or(diff.len())],
            line,
        }
    };
    starts.into_iter().map(part).collect()
}

impl Part<'_> {
    fn patch(&self) -> Result<Patch<'_, str>, DiffError> {
        let malformed = |why| DiffError::Malformed {
            line: self.line,
            why,
        };
        let patch = Patch::from_str(self.text).map_err(|error| malformed(error.to_string()))?;
        match patch.hunks() {
            [] => Err(malformed("it has no hunk".to_owned())),
            _ => Ok(patch),
        }
    }

    /// The file, by its path from the top of the workspace.
    fn file(&self, patch: &Patch<'_, str>) -> Result<String, DiffError> {
        let bare = |path: Option<&str>, prefix: &str| {
            let path = path.unwrap_or_default();
            path.strip_prefix(prefix).unwrap_or(path).to_owned()
        };
        let (from, to) = (bare(patch.original(), "a/"), bare(patch.modified(), "b/"));
        if from == to {
            return Ok(to);
        }
        Err(DiffError::Moves {
            line: self.line,
            from,
            to,
        })
    }

    /// Whether the hunk's lines stand at one place in `before`.
    fn check(
        &self,
        hunk: &Hunk<'_, str>,
        index: usize,
        hunks_before: usize,
        file: &str,
        before: &str,
    ) -> Result<(), DiffError> {
        let numbers = (1..).zip(self.text.lines());
        let mut heads = numbers.filter(|(_, line)| line.starts_with("@@ "));
        let line = heads.nth(index).map_or(0, |(number, _)| number - 1) + self.line;
        let (hunk_number, file) = (hunks_before + index + 1, file.to_owned());
        match places(hunk, before) {
            1 => Ok(()),
            0 => Err(DiffError::Nowhere {
                line,
                hunk: hunk_number,
                file,
            }),
            places => Err(DiffError::Several {
                line,
                hunk: hunk_number,
                file,
                places,
            }),
        }
    }
}

/// At how many places of a text a hunk's old lines stand.
fn places(hunk: &Hunk<'_, str>, text: &str) -> usize {
    let old = hunk.lines().iter().filter_map(|line| match line {
        Line::Context(line) | Line::Delete(line) => Some(*line),
        Line::Insert(_) => None,
    });
    let old: Vec<&str> = old.collect();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    match old.len() {
        0 => 0,
        size => lines.windows(size).filter(|window| *window == old).count(),
    }
}

#[cfg(test)]
mod tests {
    use super::{DiffError, apply};

    const BEFORE: &str = "one\ntwo\nthree\nfour\ntwo\nfive\n";

    fn applied(diff: &str) -> Result<Vec<(String, String)>, DiffError> {
        let read = |file: &str| file.starts_with("core/src/").then_some(BEFORE);
        apply(diff, read).map(|files| files.into_iter().collect())
    }

    fn one(hunks: &str) -> String {
        format!("--- a/core/src/a.rs\n+++ b/core/src/a.rs\n{hunks}")
    }

    #[test]
    fn the_lines_count_and_their_numbers_do_not() {
        let files = applied(&one("@@ -71,2 +71,2 @@\n three\n-four\n+FOUR\n")).unwrap();
        let expected = BEFORE.replace("four", "FOUR");
        assert_eq!(files, [("core/src/a.rs".to_owned(), expected)]);
    }

    #[test]
    fn a_diff_of_several_files_may_come_from_git() {
        let part = |name: &str| {
            format!(
                "diff --git a/core/src/{name} b/core/src/{name}\nindex 1..2 100644\n\
                 --- a/core/src/{name}\n+++ b/core/src/{name}\n@@ -1,2 +1,1 @@\n one\n-two\n"
            )
        };
        let files = applied(&(part("a.rs") + &part("b.rs"))).unwrap();
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["core/src/a.rs", "core/src/b.rs"]);
        assert!(files.iter().all(|(_, text)| text.starts_with("one\nthree")));
    }

    #[test]
    fn a_hunk_that_stands_nowhere_is_named() {
        let second = one("@@ -1,1 +1,1 @@\n-one\n+ONE\n@@ -4,2 +4,2 @@\n four\n-six\n+seven\n");
        let error = applied(&second).unwrap_err();
        let expected =
            "hunk 2 does not apply: its lines are nowhere in core/src/a.rs; make the diff anew";
        assert_eq!((error.line(), error.to_string().as_str()), (6, expected));
    }

    #[test]
    fn a_hunk_that_stands_at_two_places_is_refused() {
        let error = applied(&one("@@ -2,1 +2,0 @@\n-two\n")).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("hunk 1 does not apply: its lines are at 2 places"),
            "{text}"
        );
    }

    #[test]
    fn only_the_files_of_the_registrar_are_changed_and_only_where_they_are() {
        let hunk = "@@ -1,1 +1,1 @@\n-one\n+ONE\n";
        let elsewhere = format!("--- a/models/src/a.rs\n+++ b/models/src/a.rs\n{hunk}");
        let text = applied(&elsewhere).unwrap_err().to_string();
        assert!(
            text.starts_with("it changes models/src/a.rs: bugs are planted into"),
            "{text}"
        );
        let moved = format!("--- a/core/src/a.rs\n+++ b/core/src/b.rs\n{hunk}");
        assert!(matches!(
            applied(&moved),
            Err(DiffError::Moves { line: 1, .. })
        ));
    }

    #[test]
    fn what_is_no_diff_is_refused() {
        assert_eq!(applied("nonsense\n"), Err(DiffError::Empty));
        let short = one("@@ -1,2 +1,1 @@\n-one\n");
        assert!(matches!(
            applied(&short),
            Err(DiffError::Malformed { line: 1, .. })
        ));
        assert!(matches!(
            applied(&one("")),
            Err(DiffError::Malformed { line: 1, .. })
        ));
    }
}
