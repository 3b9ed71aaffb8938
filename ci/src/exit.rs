//! Exit codes, the same for every subcommand.

use nmr_models::replay as case;
use nmr_models::report::Verdict;

/// How the command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All hold.
    Holds = Verdict::Holds.exit_code(),
    /// A violation, a failing test, a planted bug that is missed.
    Violated = Verdict::Violated.exit_code(),
    /// Bad usage or a bad input file.
    Usage = 2,
    /// No violation, but something was not looked at: a search was cut short, a rule was never
    /// exercised although every scenario ran.
    Incomplete = Verdict::Incomplete.exit_code(),
    /// The harness failed, so that nothing is known.
    Harness = Verdict::HarnessError.exit_code(),
    /// A saved case that cannot be used any more.
    NotApplicable = 5,
    /// Ctrl-C or a request to terminate.
    Interrupted = 130,
}

/// For `--help`.
pub const HELP: &str = "\
Exit codes:
  0  all hold
  1  a violation, a failing test, or a planted bug that is missed
  2  bad usage, or a bad input file
  3  incomplete: a search was cut short, or no scenario exercises some rule
  4  the harness failed
  5  a saved case that is no longer applicable
  130  interrupted";

impl Exit {
    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The exit of a replayed case.
    #[must_use]
    pub fn of_case(verdict: &case::Verdict) -> Self {
        let all = [
            Self::Holds,
            Self::Violated,
            Self::Usage,
            Self::Incomplete,
            Self::Harness,
            Self::NotApplicable,
        ];
        let its = |exit: &Self| exit.code() == verdict.exit_code();
        all.into_iter().find(its).unwrap_or(Self::Harness)
    }

    /// The exit of many runs. A violation stands whatever else went wrong; an error of the harness
    /// says more than a search that was cut short.
    #[must_use]
    pub fn of(verdicts: impl IntoIterator<Item = Verdict>) -> Self {
        let rank = |verdict: &Verdict| match verdict {
            Verdict::Holds => 0,
            Verdict::Incomplete => 1,
            Verdict::HarnessError => 2,
            Verdict::Violated => 3,
        };
        match verdicts.into_iter().max_by_key(rank) {
            None | Some(Verdict::Holds) => Self::Holds,
            Some(Verdict::Incomplete) => Self::Incomplete,
            Some(Verdict::HarnessError) => Self::Harness,
            Some(Verdict::Violated) => Self::Violated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;
    use nmr_models::report::Verdict::{HarnessError, Holds, Incomplete, Violated};

    #[test]
    fn the_gravest_verdict_decides() {
        assert_eq!(Exit::of([]), Exit::Holds);
        assert_eq!(Exit::of([Holds, Holds]), Exit::Holds);
        assert_eq!(Exit::of([Incomplete, Holds]), Exit::Incomplete);
        assert_eq!(Exit::of([HarnessError, Incomplete]), Exit::Harness);
        assert_eq!(
            Exit::of([HarnessError, Violated, Incomplete]),
            Exit::Violated
        );
    }

    #[test]
    fn the_codes_are_those_of_the_documentation() {
        let all = [
            Exit::Holds,
            Exit::Violated,
            Exit::Usage,
            Exit::Incomplete,
            Exit::Harness,
            Exit::NotApplicable,
            Exit::Interrupted,
        ];
        assert_eq!(all.map(Exit::code), [0, 1, 2, 3, 4, 5, 130]);
    }
}
