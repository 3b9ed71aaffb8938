//! What a deadlock is made of, in words: every blocked thread, what it waits for, where, and why that
//! will not come.

use std::fmt::Write as _;

use nmr_sync::hook::{ObjectId, Operation};

use crate::program::{Next, Program, Stop, Thread, name, words};

/// Says why the program cannot go on. The text begins with `deadlock`.
pub(crate) fn describe(program: &Program) -> String {
    let blocked: Vec<(Thread, Stop)> = blocked(program).collect();
    let mut text = match blocked.len() {
        1 => "deadlock: 1 thread cannot go on".to_owned(),
        count => format!("deadlock: {count} threads cannot go on"),
    };
    for &(thread, stop) in &blocked {
        let _ = write!(text, "\n  thread {thread} ");
        text.push_str(&reason(program, stop));
    }
    if let Some(cycle) = cycle(program, &blocked) {
        let cycle: Vec<String> = cycle.iter().map(ToString::to_string).collect();
        let _ = write!(
            text,
            "\n  a cycle: threads {} each wait for the next one",
            cycle.join(" → ")
        );
    }
    text
}

fn blocked(program: &Program) -> impl Iterator<Item = (Thread, Stop)> {
    let threads = program.threads.iter().enumerate();
    let stopped = threads.filter_map(|(thread, state)| Some((thread, state.stop?)));
    // The main thread at its end waits for the others, and nobody waits for it.
    stopped.filter(|(_, stop)| stop.next != Next::Operation(Operation::JoinAll))
}

/// The mutex that a thread waits for.
fn wanted(next: Next) -> Option<ObjectId> {
    match next {
        Next::Operation(Operation::Acquire(mutex)) | Next::Reacquire { mutex, .. } => Some(mutex),
        _ => None,
    }
}

fn reason(program: &Program, Stop { next, at }: Stop) -> String {
    match next {
        Next::Asleep { condvar, .. } => {
            let unheard = program.unheard.iter().rev();
            let mut missed = unheard.filter(|(other, ..)| *other == condvar);
            let why = match missed.next() {
                Some((_, by, from)) => format!(
                    "it missed the notification that thread {by} sent from {from} when nobody slept, \
                     and nobody is left to send another"
                ),
                None => "nobody is left to notify it".to_owned(),
            };
            format!("sleeps on condvar {} at {at}: {why}", name(condvar))
        }
        Next::Operation(Operation::Join(_)) => format!("{} at {at}", words(next)),
        _ => match wanted(next) {
            Some(mutex) => format!(
                "waits for mutex {} at {at}, {}",
                name(mutex),
                held(program, mutex)
            ),
            None => format!("has stopped at {at}"),
        },
    }
}

fn held(program: &Program, mutex: ObjectId) -> String {
    let has_ended = |thread: Thread| {
        let state = &program.threads[thread];
        let stop = state.stop.map(|stop| stop.next);
        state.ended || stop == Some(Next::Operation(Operation::JoinAll))
    };
    match program.holder(mutex) {
        Some(held) if has_ended(held.by) => format!(
            "which thread {} took at {} and still held when it ended",
            held.by, held.at
        ),
        Some(held) => format!("held by thread {} since {}", held.by, held.at),
        None => "which nobody holds".to_owned(),
    }
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
