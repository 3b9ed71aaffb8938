//! What a livelock is made of: who looks again and again, where, for how many rounds nothing changed, and who waits
//! for something else meanwhile.

use std::fmt;

use serde::Serialize;

use crate::checker::deadlock::{self, Blocked, Names};
use crate::checker::labels::Labels;
use crate::checker::program::Program;
use crate::checker::spin::ROUNDS;

/// Threads that go on for ever, while nothing changes and no other thread can go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Livelock {
    /// Who spins.
    pub spinning: Vec<Spinning>,
    /// Who cannot go on at all.
    pub blocked: Vec<Blocked>,
    /// For so many rounds of each, in which nothing changed, it was followed.
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

/// Who spins, if somebody does for whose end the program waits. Without labels threads are known by numbers.
pub(crate) fn describe(program: &Program, labels: Option<&Labels>) -> Option<Livelock> {
    let spinning = program.spinning();
    let spinning = spinning.filter(|&(thread, _)| !program.threads[thread].is_daemon);
    let spinning = spinning.map(|(thread, stop)| Spinning {
        thread: Names(labels).thread(thread),
        at: stop.at.to_string(),
    });
    let spinning: Vec<Spinning> = spinning.collect();
    (!spinning.is_empty()).then(|| Livelock {
        spinning,
        blocked: deadlock::describe(program, labels).blocked,
        rounds: ROUNDS,
    })
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
        for blocked in &self.blocked {
            write!(f, "\n  thread {blocked}")?;
        }
        Ok(())
    }
}
