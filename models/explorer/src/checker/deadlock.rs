//! What a deadlock is made of: every blocked thread, what it waits for, where, and why that will not come.

use std::fmt;

use nmr_sync::hook::{ObjectId, Operation};
use serde::Serialize;

use crate::checker::labels::{Labels, default_name};
use crate::checker::program::{Heard, Next, Program, Stop, Thread};

/// Threads none of which can go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Deadlock {
    /// Each blocked thread.
    pub blocked: Vec<Blocked>,
    /// Threads that each wait for the next one, for a mutex or for its end, the first one again at the end; empty
    /// if there is no such ring.
    pub cycle: Vec<String>,
}

/// A thread that cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Blocked {
    /// The thread, by its name or number.
    pub thread: String,
    /// What it waits for.
    pub waits: Waits,
    /// Where, as `file:line:column`.
    pub at: String,
}

/// What a thread waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Waits {
    /// A mutex.
    #[non_exhaustive]
    Mutex {
        /// Its name.
        name: String,
        /// Who holds it.
        held_by: Option<Holder>,
    },
    /// A notification.
    #[non_exhaustive]
    Notification {
        /// The condvar's name.
        condvar: String,
        /// What it was sent of those, and what it did then.
        heard: WakeUps,
    },
    /// The end of a thread.
    End(String),
    /// Something else.
    Other,
}

/// Who holds a mutex that another thread waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Holder {
    /// The thread.
    pub thread: String,
    /// Where it took the mutex.
    pub since: String,
    /// It has ended, and still holds it.
    pub has_ended: bool,
}

/// What a thread that sleeps was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum WakeUps {
    /// Nothing, and nobody is left to send something.
    None,
    /// A notification that came when nobody slept.
    #[non_exhaustive]
    Missed {
        /// Who sent it.
        by: String,
        /// Where.
        from: String,
    },
    /// Notifications, after each of which it looked and slept again.
    #[non_exhaustive]
    Slept {
        /// How many.
        count: u32,
        /// Who sent the last one.
        by: String,
        /// Where.
        from: String,
    },
}

impl fmt::Display for Deadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.blocked.len() {
            1 => f.write_str("deadlock: 1 thread cannot go on")?,
            count => write!(f, "deadlock: {count} threads cannot go on")?,
        }
        for blocked in &self.blocked {
            write!(f, "\n  thread {blocked}")?;
        }
        match self.cycle.is_empty() {
            true => Ok(()),
            false => write!(
                f,
                "\n  a cycle: threads {} each wait for the next one",
                self.cycle.join(" → ")
            ),
        }
    }
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { thread, waits, at } = self;
        match waits {
            Waits::Mutex { name, held_by } => {
                write!(f, "{thread} waits for mutex {name} at {at}, ")?;
                match held_by {
                    None => f.write_str("which nobody holds"),
                    Some(holder) => holder.fmt(f),
                }
            }
            Waits::Notification { condvar, heard } => {
                write!(f, "{thread} sleeps on condvar {condvar} at {at}: {heard}")
            }
            Waits::End(other) => write!(f, "{thread} waits for thread {other} to end at {at}"),
            Waits::Other => write!(f, "{thread} has stopped at {at}"),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { thread, since, .. } = self;
        match self.has_ended {
            true => write!(
                f,
                "which thread {thread} took at {since} and still held when it ended"
            ),
            false => write!(f, "held by thread {thread} since {since}"),
        }
    }
}

impl fmt::Display for WakeUps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("nobody is left to notify it"),
            Self::Missed { by, from } => write!(
                f,
                "it missed the notification that thread {by} sent from {from} when nobody slept, and nobody is \
                 left to send another"
            ),
            Self::Slept { count, by, from } => {
                match count {
                    1 => f.write_str("it was woken once, ")?,
                    2 => f.write_str("it was woken twice, last ")?,
                    count => write!(f, "it was woken {count} times, last ")?,
                }
                write!(
                    f,
                    "by thread {by} from {from}, looked and slept again, and nobody is left to send another"
                )
            }
        }
    }
}

/// Why the program cannot go on. Without labels objects and threads are known by numbers.
pub(crate) fn describe(program: &Program, labels: Option<&Labels>) -> Deadlock {
    let blocked: Vec<(Thread, Stop)> = blocked(program).collect();
    let names = Names(labels);
    let cycle = cycle(program, &blocked).unwrap_or_default();
    Deadlock {
        blocked: blocked
            .iter()
            .map(|&(thread, stop)| Blocked {
                thread: names.thread(thread),
                waits: waits(program, thread, stop.next, names),
                at: stop.at.to_string(),
            })
            .collect(),
        cycle: cycle
            .into_iter()
            .map(|thread| names.thread(thread))
            .collect(),
    }
}

/// What people call things.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a>(pub(crate) Option<&'a Labels>);

impl Names<'_> {
    pub(crate) fn thread(self, thread: Thread) -> String {
        let named = self.0.map(|labels| labels.name(thread));
        named.unwrap_or_else(|| default_name(thread))
    }

    fn object(self, id: ObjectId) -> String {
        let named = self.0.and_then(|labels| labels.object(id));
        named.map_or_else(|| crate::checker::program::name(id), str::to_owned)
    }
}

fn blocked(program: &Program) -> impl Iterator<Item = (Thread, Stop)> {
    let threads = program.threads.iter().enumerate();
    let stopped = threads.filter_map(|(thread, state)| Some((thread, state.stop?)));
    // The main thread at its end waits for the others, and nobody waits for it; nor for a daemon. Who spins could.
    stopped.filter(|&(thread, stop)| {
        !matches!(stop.next, Next::Operation(Operation::JoinAll) | Next::Spins)
            && !program.threads[thread].is_daemon
    })
}

/// The mutex that a thread waits for.
fn wanted(next: Next) -> Option<ObjectId> {
    match next {
        Next::Operation(Operation::Acquire(mutex)) | Next::Reacquire { mutex, .. } => Some(mutex),
        _ => None,
    }
}

fn waits(program: &Program, thread: Thread, next: Next, names: Names<'_>) -> Waits {
    match next {
        Next::Asleep { condvar, .. } => Waits::Notification {
            condvar: names.object(condvar),
            heard: wake_ups(program, thread, condvar, names),
        },
        Next::Operation(Operation::Join(other)) => Waits::End(names.thread(other)),
        _ => match wanted(next) {
            Some(mutex) => Waits::Mutex {
                name: names.object(mutex),
                held_by: holder(program, mutex, names),
            },
            None => Waits::Other,
        },
    }
}

fn wake_ups(program: &Program, thread: Thread, condvar: ObjectId, names: Names<'_>) -> WakeUps {
    if let Some(&Heard {
        count, by, from, ..
    }) = program.heard(thread, condvar)
    {
        return WakeUps::Slept {
            count,
            by: names.thread(by),
            from: from.to_string(),
        };
    }
    let mut unheard = program.unheard.iter().rev();
    match unheard.find(|(other, ..)| *other == condvar) {
        None => WakeUps::None,
        Some(&(_, by, from)) => WakeUps::Missed {
            by: names.thread(by),
            from: from.to_string(),
        },
    }
}

fn holder(program: &Program, mutex: ObjectId, names: Names<'_>) -> Option<Holder> {
    let held = program.holder(mutex)?;
    let state = &program.threads[held.by];
    let stop = state.stop.map(|stop| stop.next);
    Some(Holder {
        thread: names.thread(held.by),
        since: held.at.to_string(),
        has_ended: state.ended || stop == Some(Next::Operation(Operation::JoinAll)),
    })
}

/// Threads that wait for each other, for a mutex or for the end, in a ring, the first one again at the end.
fn cycle(program: &Program, blocked: &[(Thread, Stop)]) -> Option<Vec<Thread>> {
    let waits_for = |thread: Thread| {
        let (_, stop) = blocked.iter().find(|&&(other, _)| other == thread)?;
        match stop.next {
            Next::Operation(Operation::Join(other)) => Some(other),
            next => Some(program.holder(wanted(next)?)?.by),
        }
    };
    blocked.iter().find_map(|&(start, _)| {
        let mut ring = vec![start];
        let mut thread = waits_for(start)?;
        while thread != start {
            if ring.contains(&thread) {
                return None;
            }
            ring.push(thread);
            thread = waits_for(thread)?;
        }
        ring.push(start);
        Some(ring)
    })
}
