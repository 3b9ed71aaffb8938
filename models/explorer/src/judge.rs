//! How an execution ended, and what whoever explores a program says of it.
//!
//! A panic and a deadlock are violations by themselves. A program may know better what broke, and may
//! have found something without a panic: it is asked after each execution, and what it answers belongs
//! to that execution, with its evidence, from there to the report.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// How an execution ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// All its threads came to their ends.
    Completed,
    /// A thread panicked, with this message.
    Panicked(String),
    /// No thread can go on: which threads, and why.
    Deadlocked(String),
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

impl Ending {
    /// What is to be said of it where nobody judges.
    pub(crate) fn judgement(&self) -> Option<Judgement> {
        let (kind, message) = match self {
            Self::Completed => return None,
            Self::Panicked(message) => (message.clone(), message),
            Self::Deadlocked(message) => ("deadlock".to_owned(), message),
        };
        Some(Judgement {
            kind,
            message: message.clone(),
            evidence: None,
        })
    }
}
