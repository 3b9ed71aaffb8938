//! Counting tests by the line with which each test program ends.

use std::fmt;
use std::ops::Add;

/// How many tests did what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) skipped: u64,
}

impl Count {
    /// Adds what a line says, if it is the last one of a test program.
    pub(super) fn add_line(&mut self, line: &str) {
        *self = *self + Self::parse(line).unwrap_or_default();
    }

    /// `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; …`
    fn parse(line: &str) -> Option<Self> {
        let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
        let of = |word: &str| {
            let counted = counts.split("; ").find_map(|part| {
                let (number, what) = part.split_once(' ')?;
                (what == word).then_some(number)
            });
            counted?.parse().ok()
        };
        Some(Self {
            passed: of("passed")?,
            failed: of("failed")?,
            skipped: of("ignored")?,
        })
    }
}

impl Add for Count {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        match self.skipped {
            0 => Ok(()),
            skipped => write!(f, ", {skipped} skipped"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Count;

    #[test]
    fn the_last_lines_of_test_programs_add_up() {
        let output = "
running 14 tests
test test result: ok. 9 passed; 9 failed; 9 ignored ... ok
test result: ok. 13 passed; 0 failed; 1 ignored; 0 measured; 69 filtered out; finished in 1.67s

running 2 tests
test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
test result: nonsense
";
        let mut count = Count::default();
        output.lines().for_each(|line| count.add_line(line));
        let expected = Count {
            passed: 14,
            failed: 1,
            skipped: 1,
        };
        assert_eq!(count, expected);
        assert_eq!(count.to_string(), "14 passed, 1 failed, 1 skipped");
    }
}
