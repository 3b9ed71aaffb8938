//! What a program can come to, worked out on its own: a search over the states of an abstract machine,
//! without threads, without `nmr-sync`, and without any reduction.

use std::collections::BTreeSet;

use super::program::{AWAITED, Op, Program, change};

/// A thread's smallest steps. Locks are taken and released one by one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Lock(usize),
    Unlock(usize),
    Change(usize, u64),
    Mix(usize, usize),
    /// Goes on if the number is not 0, else releases the lock and sleeps.
    Await(usize),
    /// Releases the lock and sleeps, once.
    Sleep(usize),
    /// Takes the lock and changes the number if the lock is free, else goes on behind the unlock.
    Try(usize, u64),
    NotifyOne(usize),
    NotifyAll(usize),
}

fn steps(op: Op) -> Vec<Step> {
    match op {
        Op::Change(cell, by) => vec![Step::Lock(cell), Step::Change(cell, by), Step::Unlock(cell)],
        Op::Announce(cell, by) => vec![
            Step::Lock(cell),
            Step::Change(cell, by),
            Step::NotifyAll(cell),
            Step::Unlock(cell),
        ],
        Op::Mix(from, to) => vec![
            Step::Lock(from),
            Step::Lock(to),
            Step::Mix(from, to),
            Step::Unlock(to),
            Step::Unlock(from),
        ],
        Op::Await(cell) => vec![
            Step::Lock(cell),
            Step::Await(cell),
            Step::Change(cell, AWAITED),
            Step::Unlock(cell),
        ],
        Op::Sleep(cell) => vec![
            Step::Lock(cell),
            Step::Sleep(cell),
            Step::Change(cell, AWAITED),
            Step::Unlock(cell),
        ],
        Op::Notify(cell) => vec![Step::NotifyOne(cell)],
        Op::Try(cell, by) => vec![Step::Try(cell, by), Step::Unlock(cell)],
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rest {
    Awake,
    Asleep(usize),
    /// Woken, and in need of the lock.
    Woken(usize),
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    /// For each thread, its next step.
    at: Vec<usize>,
    rest: Vec<Rest>,
    held: Vec<bool>,
    numbers: Vec<u64>,
}

/// The final states, and whether the program can be stuck.
pub(crate) fn outcomes(program: &Program) -> (BTreeSet<Vec<u64>>, bool) {
    let code: Vec<Vec<Step>> = program
        .threads
        .iter()
        .map(|ops| ops.iter().flat_map(|&op| steps(op)).collect())
        .collect();
    let threads = code.len();
    let start = State {
        at: vec![0; threads],
        rest: vec![Rest::Awake; threads],
        held: vec![false; program.cells],
        numbers: vec![0; program.cells],
    };
    let (mut seen, mut next) = (BTreeSet::from([start.clone()]), vec![start]);
    let (mut finals, mut stuck) = (BTreeSet::new(), false);
    while let Some(state) = next.pop() {
        let successors: Vec<State> = (0..threads).flat_map(|t| go(&code[t], &state, t)).collect();
        let over = (0..threads).all(|t| state.at[t] == code[t].len());
        if over {
            finals.insert(state.numbers.clone());
        }
        stuck |= successors.is_empty() && !over;
        next.extend(
            successors
                .into_iter()
                .filter(|new| seen.insert(new.clone())),
        );
    }
    (finals, stuck)
}

/// Where thread `t` can take the state.
fn go(code: &[Step], state: &State, t: usize) -> Vec<State> {
    let mut new = state.clone();
    match state.rest[t] {
        Rest::Asleep(_) => return Vec::new(),
        Rest::Woken(cell) => {
            if state.held[cell] {
                return Vec::new();
            }
            new.held[cell] = true;
            new.rest[t] = Rest::Awake;
            return vec![new];
        }
        Rest::Awake => {}
    }
    let Some(&step) = code.get(state.at[t]) else {
        return Vec::new();
    };
    new.at[t] += 1;
    match step {
        Step::Lock(cell) if state.held[cell] => return Vec::new(),
        Step::Lock(cell) => new.held[cell] = true,
        Step::Unlock(cell) => new.held[cell] = false,
        Step::Change(cell, by) => new.numbers[cell] = change(new.numbers[cell], by),
        Step::Mix(from, to) => new.numbers[to] = change(new.numbers[to], new.numbers[from] + 1),
        Step::Await(cell) if state.numbers[cell] == 0 => {
            new.at[t] -= 1;
            new.held[cell] = false;
            new.rest[t] = Rest::Asleep(cell);
        }
        Step::Await(_) => {}
        Step::Try(cell, _) if state.held[cell] => new.at[t] += 1,
        Step::Try(cell, by) => {
            new.held[cell] = true;
            new.numbers[cell] = change(new.numbers[cell], by);
        }
        Step::Sleep(cell) => {
            new.held[cell] = false;
            new.rest[t] = Rest::Asleep(cell);
        }
        Step::NotifyAll(cell) => {
            for rest in new
                .rest
                .iter_mut()
                .filter(|rest| **rest == Rest::Asleep(cell))
            {
                *rest = Rest::Woken(cell);
            }
        }
        Step::NotifyOne(cell) => {
            let sleepers = (0..state.rest.len()).filter(|&s| state.rest[s] == Rest::Asleep(cell));
            let woken = sleepers.map(|sleeper| {
                let mut woken = new.clone();
                woken.rest[sleeper] = Rest::Woken(cell);
                woken
            });
            let woken: Vec<State> = woken.collect();
            return if woken.is_empty() { vec![new] } else { woken };
        }
    }
    vec![new]
}
