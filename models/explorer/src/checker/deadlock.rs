//! What a deadlock is made of: every blocked thread, what it waits for, where, and why that will not come.

use std::fmt;

use nmr_sync::hook::{ObjectId, Operation};
use serde::Serialize;

use crate::checker::labels::{Labels, default_name};
use crate::checker::notifications;
use crate::checker::program::{Next, Program, Stop, Thread};
use crate::checker::schedule::Mark;

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
        /// What it was sent of those, and what it did with each.
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

/// What a thread that sleeps was sent on the condvar that it sleeps on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WakeUps {
    /// How many notifications have woken it there.
    pub count: u32,
    /// The last of these, at most [`WakeUps::MOST`], in their order.
    pub last: Vec<WakeUp>,
    /// The last notification after these that came when nobody slept there.
    pub missed: Option<Sent>,
}

/// A notification that woke a thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WakeUp {
    /// Who sent it, and where.
    #[serde(flatten)]
    pub sent: Sent,
    /// What the woken thread did with it.
    pub then: Then,
}

/// What a thread does with a notification that has woken it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Then {
    /// It slept again at the same wait, and had not released the mutex before.
    SleptAgain,
    /// It released the mutex, or slept somewhere else.
    WentOn,
}

/// Where a notification comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Sent {
    /// The thread that sent it.
    pub by: String,
    /// Where, as `file:line:column`.
    pub from: String,
    /// After which [marked](nmr_sync::mark) place of that thread, if there was one.
    pub after: Option<String>,
}

impl WakeUps {
    /// As many notifications of one thread on one condvar are told of.
    pub const MOST: usize = notifications::KEPT;
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
        let Self {
            count,
            last,
            missed,
        } = self;
        match (count, missed) {
            (0, None) => return f.write_str("nobody is left to notify it"),
            (0, Some(sent)) => {
                return write!(
                    f,
                    "it missed {}, and nobody is left to send another",
                    sent.unheard()
                );
            }
            (1, _) => f.write_str("it was woken once")?,
            (2, _) => f.write_str("it was woken twice")?,
            (count, _) => write!(f, "it was woken {count} times")?,
        }
        if last.len() < *count as usize {
            write!(f, " (the last {} are told)", last.len())?;
        }
        f.write_str(", and nobody is left to notify it again")?;
        for WakeUp { sent, then } in last {
            write!(
                f,
                "\n    by thread {} from {}: it {then}",
                sent.by,
                sent.place()
            )?;
        }
        match missed {
            None => Ok(()),
            Some(sent) => write!(f, "\n    then it missed {}", sent.unheard()),
        }
    }
}

impl Sent {
    fn place(&self) -> String {
        let after = self.after.as_ref();
        let after = after.map(|mark| format!(" after {mark}"));
        format!("{}{}", self.from, after.unwrap_or_default())
    }

    fn unheard(&self) -> String {
        let (by, place) = (&self.by, self.place());
        format!("the notification that thread {by} sent from {place} when nobody slept")
    }
}

impl fmt::Display for Then {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SleptAgain => "looked and slept again at the same wait",
            Self::WentOn => "went on",
        })
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
            heard: wake_ups(thread, condvar, names),
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

/// What is known of that: nothing in a search.
fn wake_ups(thread: Thread, condvar: ObjectId, names: Names<'_>) -> WakeUps {
    let Some(labels) = names.0 else {
        return WakeUps::default();
    };
    let sent = |sent: &notifications::Sent| Sent {
        by: names.thread(sent.by),
        from: sent.from.to_string(),
        after: sent.after.as_ref().map(Mark::to_string),
    };
    let heard = labels.notifications.heard(thread, condvar);
    let last = heard.iter().flat_map(|heard| &heard.last);
    WakeUps {
        count: heard.map_or(0, |heard| heard.count),
        last: last
            .map(|one| WakeUp {
                sent: sent(&one.sent),
                then: one.then,
            })
            .collect(),
        missed: labels.notifications.missed(thread, condvar).map(sent),
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
