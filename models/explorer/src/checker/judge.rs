//! How an execution ended, and what whoever explores a program says of it.
//!
//! A panic, a deadlock and a livelock are violations by themselves. A program may know better what broke, and may
//! have found something without a panic: it is asked after each execution, and what it answers belongs
//! to that execution, with its evidence, from there to the report.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::checker::deadlock::Deadlock;
use crate::checker::livelock::Livelock;

/// How an execution ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Ending {
    /// All its threads came to their ends, daemons left out, and a panic of one was told to whoever joined it.
    Completed,
    /// The program said that nothing more was to come:
    /// [`abandon_execution`](nmr_sync::hook::abandon_execution).
    Abandoned,
    /// A thread panicked: the main one, one that nobody joined, or one that does not come to the end of unwinding.
    Panicked(Panic),
    /// No thread can go on.
    Deadlocked(Deadlock),
    /// Threads go on for ever, and nothing changes.
    Livelocked(Livelock),
}

/// A thread's panic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Panic {
    /// The thread, by its name or number.
    pub thread: String,
    /// What the panic said.
    pub message: String,
    /// What followed from it, if more went wrong: a panic of the main thread, a deadlock or livelock. The thread may
    /// be in that itself, in a destructor as it unwinds.
    pub then: Option<String>,
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.then {
            Some(then) => write!(f, "\n  in thread {}; then {then}", self.thread),
            None => Ok(()),
        }
    }
}

/// Something that whoever judges an execution has against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What kind of violation it is: a counterexample with fewer preemptions is looked for among those of
    /// the same kind.
    pub kind: String,
    /// What happened.
    pub message: String,
    /// Whatever belongs to it; it comes back with the counterexample that is reported.
    pub evidence: Option<Evidence>,
}

/// What an execution has broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Violation {
    /// A thread panicked.
    Panic(Panic),
    /// No thread can go on.
    Deadlock(Deadlock),
    /// Threads go on for ever, and nothing changes.
    Livelock(Livelock),
    /// Whatever [whoever judged it](crate::Builder::judge) said.
    #[non_exhaustive]
    Judged {
        /// The kind, in the judge's words.
        kind: String,
        /// What happened.
        message: String,
    },
}

impl Violation {
    /// What there is to say of an ending where nobody judges.
    pub(crate) fn of(ending: &Ending) -> Option<Self> {
        match ending {
            Ending::Completed | Ending::Abandoned => None,
            Ending::Panicked(panic) => Some(Self::Panic(panic.clone())),
            Ending::Deadlocked(deadlock) => Some(Self::Deadlock(deadlock.clone())),
            Ending::Livelocked(livelock) => Some(Self::Livelock(livelock.clone())),
        }
    }

    /// Whether two violations are of one kind: two deadlocks, two panics that say the same, two that the judge
    /// says are.
    #[must_use]
    pub fn is_of_the_kind_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Panic(one), Self::Panic(other)) => one.message == other.message,
            (Self::Deadlock(_), Self::Deadlock(_)) | (Self::Livelock(_), Self::Livelock(_)) => true,
            (Self::Judged { kind: one, .. }, Self::Judged { kind: other, .. }) => one == other,
            _ => false,
        }
    }

    /// The kind in words: the judge's, or `panic`, `deadlock` or `livelock`.
    #[must_use]
    pub fn kind(&self) -> &str {
        match self {
            Self::Panic(_) => "panic",
            Self::Deadlock(_) => "deadlock",
            Self::Livelock(_) => "livelock",
            Self::Judged { kind, .. } => kind,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panic(panic) => panic.fmt(f),
            Self::Deadlock(deadlock) => deadlock.fmt(f),
            Self::Livelock(livelock) => livelock.fmt(f),
            Self::Judged { message, .. } => f.write_str(message),
        }
    }
}

/// Something that belongs to a [`Judgement`], of any type. Two of them are equal if they are one.
#[derive(Clone)]
pub struct Evidence(Arc<dyn Any + Send + Sync>);

impl Evidence {
    /// Takes it along.
    pub fn new<T: Any + Send + Sync>(evidence: T) -> Self {
        Self(Arc::new(evidence))
    }

    /// What was taken along, if it is a `T`.
    #[must_use]
    pub fn downcast_ref<T: Any>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Evidence")
    }
}

impl PartialEq for Evidence {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Evidence {}
