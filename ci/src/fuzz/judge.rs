//! What follows from how a process of the fuzzer has ended. Pure.

use std::process::ExitStatus;
use std::time::Duration;

use nmr_models::process::supervise::{End, How};
use nmr_models::rule::Rule;
use nmr_properties::campaign::{HUNG, OUT_OF_MEMORY};

/// What follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// All is done, or the time is up.
    Done,
    /// It did not get over a program.
    Broke(Broke),
    /// It did not do as agreed.
    Harness(String),
}

/// How it did not get over a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broke {
    /// It ended in a way that it never chooses.
    Crashed(ExitStatus),
    /// It was at it for too long.
    Hung,
    /// It needed too much memory.
    Memory,
}

impl Broke {
    pub(super) fn words(self) -> String {
        match self {
            Self::Crashed(status) => format!("the process crashed ({status})"),
            Self::Hung => "the process hung".to_owned(),
            Self::Memory => "it needs more memory than a process may have".to_owned(),
        }
    }

    /// The rule that it breaks, if it is a finding.
    pub(super) const fn rule(self) -> Option<Option<Rule>> {
        match self {
            Self::Crashed(_) => Some(None),
            Self::Hung => Some(Some(Rule::new(16))),
            Self::Memory => None,
        }
    }
}

/// What follows from how a process ended, which was killed after `allowed` at the latest. `fault` is what it should not have
/// said.
pub(super) fn judge(fault: Option<String>, end: &End, allowed: Duration) -> Then {
    let status = match end.how {
        // The time is up, or somebody has had enough, whatever it was at.
        How::Stopped => return Then::Done,
        How::TimedOut if end.after < allowed => return Then::Broke(Broke::Hung),
        How::TimedOut => return Then::Done,
        How::Exited(status) => status,
    };
    let harness = |what: &str| {
        let message = format!("the fuzzer {what}\n{}", end.stderr);
        Then::Harness(message.trim_end().to_owned())
    };
    match (fault, status.code()) {
        (Some(fault), _) => harness(&fault),
        (None, Some(0 | 130)) => Then::Done,
        (None, Some(2 | 4)) => harness(&format!("failed ({status})")),
        (None, Some(OUT_OF_MEMORY)) => Then::Broke(Broke::Memory),
        (None, Some(HUNG)) => Then::Broke(Broke::Hung),
        (None, None) if is_killed(status) => Then::Broke(Broke::Memory),
        (None, _) => Then::Broke(Broke::Crashed(status)),
    }
}

/// Nobody here has killed it: the system does so where memory runs out.
#[cfg(unix)]
fn is_killed(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    status.signal() == Some(9)
}

#[cfg(not(unix))]
const fn is_killed(_status: ExitStatus) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;
    use std::time::Duration;

    use nmr_models::process::supervise::{End, How};

    use super::{Broke, Then, judge};

    const ALLOWED: Duration = Duration::from_secs(600);

    fn ended(how: How, after: Duration) -> Then {
        let stderr = String::new();
        judge(None, &End { how, after, stderr }, ALLOWED)
    }

    fn exited(raw: i32) -> Then {
        ended(How::Exited(ExitStatus::from_raw(raw)), ALLOWED / 2)
    }

    #[test]
    fn silence_long_before_the_end_is_a_hang_and_the_end_is_none() {
        assert_eq!(ended(How::TimedOut, ALLOWED / 2), Then::Broke(Broke::Hung));
        assert_eq!(ended(How::TimedOut, ALLOWED), Then::Done);
        assert_eq!(ended(How::Stopped, ALLOWED / 2), Then::Done);
    }

    #[test]
    fn signals_and_codes_say_how_it_ended() {
        assert_eq!(exited(0), Then::Done);
        assert_eq!(exited(12 << 8), Then::Broke(Broke::Memory));
        assert_eq!(exited(13 << 8), Then::Broke(Broke::Hung));
        assert_eq!(exited(9), Then::Broke(Broke::Memory));
        let crash = ExitStatus::from_raw(6);
        assert_eq!(exited(6), Then::Broke(Broke::Crashed(crash)));
        assert!(matches!(exited(4 << 8), Then::Harness(_)));
    }
}
