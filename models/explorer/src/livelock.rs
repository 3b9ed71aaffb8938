//! What a livelock is made of: who looks again and again, where, and for how many rounds nothing changed.

use std::fmt;

use serde::Serialize;

/// Threads that go on for ever, while nothing changes and no other thread can go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Livelock {
    /// Who spins.
    pub spinning: Vec<Spinning>,
    /// For so many rounds, each of them the same, it was followed.
    pub rounds: u32,
}

/// A thread that looks again and again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Spinning {
    /// The thread, by its name or number.
    pub thread: String,
    /// Where it yields, as `file:line:column`.
    pub at: String,
}

impl fmt::Display for Livelock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.spinning.len() {
            1 => write!(f, "livelock: 1 thread spins")?,
            count => write!(f, "livelock: {count} threads spin")?,
        }
        write!(f, ", and in {} rounds nothing changed", self.rounds)?;
        for Spinning { thread, at } in &self.spinning {
            write!(f, "\n  thread {thread} yields at {at}, and looks again")?;
        }
        Ok(())
    }
}
