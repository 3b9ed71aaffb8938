//! What a search may come upon, with the path to it.

use std::fmt::{self, Debug};

use serde::Serialize;

/// What was come upon, and the actions that lead there.
#[derive(Clone, Debug)]
pub(crate) struct Found<A: Debug, V> {
    pub(crate) path: Vec<A>,
    pub(crate) finding: Finding<A, V>,
}

/// What a search ends with before its end.
#[derive(Clone, Debug)]
pub(crate) enum Finding<A: Debug, V> {
    /// The system is wrong.
    Violation(V),
    /// The system's account of itself is wrong.
    WrongClaim(WrongClaim<A>),
    /// Nobody can say.
    Fault(Fault<A>),
}

/// Something that a system claims of itself, and that is not so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum WrongClaim<A> {
    /// After the first action the second one is not enabled any more. One of the two is of an ample set.
    Disables {
        /// What is done.
        first: A,
        /// What then cannot be done.
        second: A,
    },
    /// It matters which one is first.
    Order {
        /// An action of an ample set.
        ample: A,
        /// Another one.
        other: A,
    },
    /// A set is claimed no more after another action. What can happen later was never looked at then.
    NotKept {
        /// The set.
        ample: Vec<A>,
        /// The other action.
        other: A,
    },
    /// Two states have one encoding, and do not go on in the same way: the encoding leaves something out,
    /// or what it takes as a symmetry is none.
    SameEncoding {
        /// What differs.
        what: Difference,
        /// The way to the one that was met first, if it is known.
        first: Option<Vec<A>>,
    },
}

/// In what two states with the same encoding differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Difference {
    /// The states that come next, or the violations.
    Successors,
    /// The ample sets that are claimed, or the measure of progress.
    Claims,
}

/// An error of the harness.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Fault<A: Debug> {
    /// A claimed ample set is empty, or an action of it is not enabled.
    #[error(
        "the ample set {set:?} was claimed where {enabled:?} are enabled: it has to be a part of these, and not empty"
    )]
    NoSubset {
        /// The set.
        set: Vec<A>,
        /// What is enabled.
        enabled: Vec<A>,
    },
    /// The measure of progress has not grown.
    #[error(
        "the measure of progress was {before} and is {after} after {action:?} of an ample set: it has to grow, or the \
         search may put something off for ever"
    )]
    NoProgress {
        /// The action.
        action: A,
        /// Before it.
        before: u64,
        /// After it.
        after: u64,
    },
    /// The system panicked.
    #[error("the system panicked: {0}")]
    Panicked(String),
    /// A path of a checkpoint could not be followed a second time.
    #[error("{0}: the system has to answer the same when it is asked the same")]
    NotTheSame(String),
    /// A checkpoint could not be read, used or written.
    #[error("{0}")]
    Checkpoint(String),
}

impl<A: Debug> fmt::Display for WrongClaim<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disables { first, second } => {
                write!(
                    f,
                    "an ample set was claimed, but {first:?} disables {second:?}"
                )
            }
            Self::Order { ample, other } => write!(
                f,
                "{ample:?} is of a claimed ample set, but it matters whether {other:?} comes before it"
            ),
            Self::NotKept { ample, other } => write!(
                f,
                "the ample set {ample:?} was claimed, and is not any more after {other:?}"
            ),
            Self::SameEncoding { what, first } => {
                let what = match what {
                    Difference::Successors => "what comes next",
                    Difference::Claims => "claims or progress",
                };
                write!(f, "two states have one encoding, but differ in {what}")?;
                match first {
                    Some(path) => write!(f, "; the other one is reached by {path:?}"),
                    None => Ok(()),
                }
            }
        }
    }
}
