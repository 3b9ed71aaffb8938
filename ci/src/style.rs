//! Tables of text, and colours for a terminal. Where the output is no terminal, `anstream` takes
//! the colours out.

use anstyle::{AnsiColor, Style};
use nmr_models::report::Verdict;
use unicode_width::UnicodeWidthStr;

/// For headings.
pub const HEAD: Style = Style::new().bold();
/// For what is fine.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// For what is not.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// For what is not known.
pub const OPEN: Style = AnsiColor::Yellow.on_default();

/// The colour of a verdict.
#[must_use]
pub const fn of(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Holds => GOOD,
        Verdict::Violated => BAD,
        Verdict::Incomplete | Verdict::HarnessError => OPEN,
    }
}

/// `text` in a style.
#[must_use]
pub fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// On which side a column is flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A cell of a table.
#[derive(Clone, Debug)]
pub struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// A cell in a style.
    pub fn styled(text: impl Into<String>, style: Style) -> Self {
        Self {
            text: text.into(),
            style,
        }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::styled(text, Style::new())
    }
}

/// The cells of a heading.
#[must_use]
pub fn heading(columns: &[&str]) -> Vec<Cell> {
    let cells = columns.iter().map(|&column| Cell::styled(column, HEAD));
    cells.collect()
}

/// Rows of equal length as lines, columns two spaces apart, without spaces at the end of a line.
#[must_use]
pub fn table(columns: &[Flush], rows: &[Vec<Cell>]) -> String {
    let width_of = |column: usize| {
        let widths = rows.iter().map(|row| row[column].text.width());
        widths.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width_of).collect();
    let mut lines = String::new();
    for row in rows {
        for (column, cell) in row.iter().enumerate() {
            let pad = " ".repeat(widths[column] - cell.text.width());
            let text = paint(cell.style, &cell.text);
            let gap = if column == 0 { "" } else { "  " };
            match columns[column] {
                Flush::Right => lines.extend([gap, &pad, &text]),
                Flush::Left if column + 1 == columns.len() => {
                    if cell.text.is_empty() {
                        lines.truncate(lines.trim_end_matches(' ').len());
                    } else {
                        lines.extend([gap, &text]);
                    }
                }
                Flush::Left => lines.extend([gap, &text, &pad]),
            }
        }
        lines.push('\n');
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{Cell, Flush, GOOD, table};

    #[test]
    fn columns_are_aligned_by_what_is_seen() {
        let rows = [
            vec!["name".into(), "n".into(), "verdict".into()],
            vec![
                "one".into(),
                "1,234".into(),
                Cell::styled("preemptions ≤ 2", GOOD),
            ],
        ];
        let text = table(&[Flush::Left, Flush::Right, Flush::Left], &rows);
        let plain = anstream::adapter::strip_str(&text).to_string();
        assert_eq!(
            plain,
            "name      n  verdict\none   1,234  preemptions ≤ 2\n"
        );
        let rows = [vec!["a".into(), "b".into()], vec!["long".into(), "".into()]];
        let text = table(&[Flush::Left, Flush::Left], &rows);
        let plain = anstream::adapter::strip_str(&text).to_string();
        assert_eq!(plain, "a     b\nlong\n");
    }
}
