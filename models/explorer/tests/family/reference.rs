//! What a program can come to, worked out on its own: a search over the states of an abstract machine,
//! without threads, without `nmr-sync`, and without any reduction.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, LazyLock, Mutex};

use super::program::{ATOMICS, AWAITED, Op, Outcome, Program, SLOTS, change};

/// What was worked out before: for a program, with spurious wake-ups or without.
type Known = HashMap<(Program, bool), Arc<Outcomes>>;

/// A thread's smallest steps. Locks are taken and released one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Lock(usize),
    /// Takes the lock when it is free and the number is not 0.
    LockIfSet(usize),
    Unlock(usize),
    Change(usize, u64),
    Mix(usize, usize),
    /// Sets the first number to 1, and mixes what it was into the second one: nobody can tell that these
    /// are done at one time, for both locks are held.
    Move(usize, usize),
    /// Goes on if the number is not 0, else releases the lock and sleeps.
    Await(usize),
    /// Releases the lock and sleeps, once.
    Sleep(usize),
    /// Takes the lock and changes the number if the lock is free, else goes on behind the unlock.
    Try(usize, u64),
    NotifyOne(usize),
    NotifyAll(usize),
    Read(usize),
    Store(usize),
    /// Takes the lock and changes a slot: to touch something is no step of its own.
    LockAndTouch(usize, usize, u64),
    Choose(usize),
    Update(usize, u64),
    Load(usize),
    Put(usize),
    /// Leaves out so many steps if the thread's own number is even.
    Unless(usize),
    Spawn,
    Join,
}

/// A thread's steps from first to last.
fn code(ops: &[Op]) -> Vec<Step> {
    let rest = (0..ops.len()).map(|index| &ops[index..]);
    let each = rest.flat_map(|ops| match ops {
        [Op::Unless, next, ..] => vec![Step::Unless(steps(*next).len())],
        [op, ..] => steps(*op),
        [] => unreachable!("the rest begins with an operation"),
    });
    each.collect()
}

fn steps(op: Op) -> Vec<Step> {
    let locked = |cell, inside: &[Step]| {
        let inside = inside.iter().copied();
        let before = [Step::Lock(cell)].into_iter();
        before.chain(inside).chain([Step::Unlock(cell)]).collect()
    };
    match op {
        Op::Change(cell, by) => locked(cell, &[Step::Change(cell, by)]),
        Op::Announce(cell, by) => locked(cell, &[Step::Change(cell, by), Step::NotifyAll(cell)]),
        Op::Signal(cell, by) => locked(cell, &[Step::Change(cell, by), Step::NotifyOne(cell)]),
        Op::Mix(from, to) => two_locked(from, to, Step::Mix(from, to)),
        Op::Move(from, to) => two_locked(from, to, Step::Move(from, to)),
        Op::Await(cell) => locked(cell, &[Step::Await(cell), Step::Change(cell, AWAITED)]),
        Op::Spin(cell) => vec![
            Step::LockIfSet(cell),
            Step::Change(cell, AWAITED),
            Step::Unlock(cell),
        ],
        Op::Sleep(cell) => locked(cell, &[Step::Sleep(cell), Step::Change(cell, AWAITED)]),
        Op::Doze(cell, other) => {
            let mut inside = steps(Op::Announce(other, 1));
            inside.extend([Step::Sleep(cell), Step::Change(cell, AWAITED)]);
            locked(cell, &inside)
        }
        Op::Notify(cell) => vec![Step::NotifyOne(cell)],
        Op::Call(cell) => vec![Step::NotifyAll(cell)],
        Op::Try(cell, by) => vec![Step::Try(cell, by), Step::Unlock(cell)],
        Op::Read(cell) => locked(cell, &[Step::Read(cell)]),
        Op::Store(cell) => locked(cell, &[Step::Store(cell)]),
        Op::Touch(cell, slot, by) => {
            vec![Step::LockAndTouch(cell, slot, by), Step::Unlock(cell)]
        }
        Op::Choose(below) => vec![Step::Choose(below)],
        Op::Unless | Op::Linger | Op::Fail => Vec::new(),
        Op::Update(atomic, by) => vec![Step::Update(atomic, by)],
        Op::Load(atomic) => vec![Step::Load(atomic)],
        Op::Put(atomic) => vec![Step::Put(atomic)],
        Op::Look(cell, atomic) => locked(cell, &[Step::Load(atomic)]),
        Op::Within(cell, atomic, by) => locked(cell, &[Step::Update(atomic, by)]),
        Op::Spawn => vec![Step::Spawn],
        Op::Join => vec![Step::Join],
        Op::Hold(cell) => locked(cell, &[Step::Join]),
        Op::Leak(cell) => vec![Step::Lock(cell)],
        // To whoever looks from outside a panic that is caught ends a section as any other end does.
        Op::Panic(cell, by) => locked(cell, &[Step::Change(cell, by)]),
    }
}

fn two_locked(first: usize, second: usize, inside: Step) -> Vec<Step> {
    vec![
        Step::Lock(first),
        Step::Lock(second),
        inside,
        Step::Unlock(second),
        Step::Unlock(first),
    ]
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Rest {
    /// Not yet started.
    Unborn,
    Awake,
    Asleep(usize),
    /// Woken, and in need of the lock.
    Woken(usize),
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct State {
    /// For each thread, its next step.
    pub(super) at: Vec<usize>,
    pub(super) rest: Vec<Rest>,
    /// The threads' own numbers.
    kept: Vec<u64>,
    held: Vec<bool>,
    pub(super) numbers: Vec<u64>,
    atomics: Vec<u64>,
    slots: Vec<u64>,
}

/// The machine for one program.
pub(super) struct Machine {
    pub(super) code: Vec<Vec<Step>>,
    spurious: bool,
}

impl Machine {
    pub(super) fn new(program: &Program, spurious: bool) -> Self {
        let threads = program.threads.iter();
        Self {
            code: threads.map(|ops| code(ops)).collect(),
            spurious,
        }
    }

    pub(super) fn start(&self, program: &Program) -> State {
        let threads = self.code.len();
        let mut rest = vec![Rest::Awake; threads];
        if program.has_child {
            rest[threads - 1] = Rest::Unborn;
        }
        State {
            at: vec![0; threads],
            rest,
            kept: vec![0; threads],
            // The last one is the gate.
            held: vec![false; program.cells.len() + 1],
            numbers: vec![0; program.cells.len() + 1],
            atomics: vec![0; ATOMICS],
            slots: vec![0; SLOTS],
        }
    }

    pub(super) fn threads(&self) -> std::ops::Range<usize> {
        0..self.code.len()
    }

    fn has_ended(&self, state: &State, t: usize) -> bool {
        state.at[t] == self.code[t].len()
    }

    /// Where thread `t` can take the state.
    pub(super) fn go(&self, state: &State, t: usize) -> Vec<State> {
        let mut new = state.clone();
        match state.rest[t] {
            Rest::Unborn => return Vec::new(),
            Rest::Asleep(cell) if self.spurious => {
                new.rest[t] = Rest::Woken(cell);
                return vec![new];
            }
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
        let Some(&step) = self.code[t].get(state.at[t]) else {
            return Vec::new();
        };
        new.at[t] += 1;
        self.step(step, t, state, new)
    }

    /// Does the step in `new`, which has it behind it already.
    fn step(&self, step: Step, t: usize, state: &State, mut new: State) -> Vec<State> {
        match step {
            Step::Lock(cell) | Step::LockAndTouch(cell, ..) if state.held[cell] => {
                return Vec::new();
            }
            Step::LockIfSet(cell) if state.held[cell] || state.numbers[cell] == 0 => {
                return Vec::new();
            }
            Step::Lock(cell) | Step::LockIfSet(cell) => new.held[cell] = true,
            Step::LockAndTouch(cell, slot, by) => {
                new.held[cell] = true;
                new.slots[slot] = change(new.slots[slot], by);
                new.kept[t] = change(new.kept[t], new.slots[slot]);
            }
            Step::Unlock(cell) => new.held[cell] = false,
            Step::Change(cell, by) => new.numbers[cell] = change(new.numbers[cell], by),
            Step::Mix(from, to) => {
                new.numbers[to] = change(new.numbers[to], new.numbers[from] + 1);
            }
            Step::Move(from, to) => {
                let moved = std::mem::replace(&mut new.numbers[from], 1);
                new.numbers[to] = change(new.numbers[to], moved);
            }
            Step::Read(cell) => new.kept[t] = change(new.kept[t], new.numbers[cell]),
            Step::Store(cell) => new.numbers[cell] = change(new.numbers[cell], new.kept[t]),
            Step::Await(cell) if state.numbers[cell] == 0 => {
                new.at[t] -= 1;
                new.held[cell] = false;
                new.rest[t] = Rest::Asleep(cell);
            }
            Step::Await(_) => {}
            Step::Sleep(cell) => {
                new.held[cell] = false;
                new.rest[t] = Rest::Asleep(cell);
            }
            Step::Try(cell, _) if state.held[cell] => new.at[t] += 1,
            Step::Try(cell, by) => {
                new.held[cell] = true;
                new.numbers[cell] = change(new.numbers[cell], by);
            }
            Step::NotifyAll(cell) => wake_all(&mut new, cell),
            Step::NotifyOne(cell) => return woken_one(new, cell),
            Step::Choose(below) => {
                return (0..below as u64)
                    .map(|number| kept(&new, t, number))
                    .collect();
            }
            Step::Update(atomic, by) => new.atomics[atomic] = change(new.atomics[atomic], by),
            Step::Load(atomic) => new.kept[t] = change(new.kept[t], new.atomics[atomic]),
            Step::Put(atomic) => new.atomics[atomic] = new.kept[t],
            Step::Unless(steps) if state.kept[t].is_multiple_of(2) => new.at[t] += steps,
            Step::Unless(_) => {}
            Step::Spawn => *new.rest.last_mut().expect("it is there") = Rest::Awake,
            Step::Join => {
                let child = self.code.len() - 1;
                if !self.has_ended(state, child) {
                    return Vec::new();
                }
                new = kept(&new, t, new.kept[child]);
            }
        }
        vec![new]
    }

    /// Nobody can go on. That somebody may wake without a reason is nothing to count on.
    pub(super) fn is_stuck(&self, state: &State) -> bool {
        self.threads()
            .all(|t| matches!(state.rest[t], Rest::Asleep(_)) || self.go(state, t).is_empty())
    }

    pub(super) fn is_over(&self, state: &State) -> bool {
        self.threads().all(|t| self.has_ended(state, t))
    }
}

fn kept(state: &State, t: usize, number: u64) -> State {
    let mut state = state.clone();
    state.kept[t] = change(state.kept[t], number);
    state
}

fn wake_all(state: &mut State, cell: usize) {
    let asleep = state.rest.iter_mut();
    for rest in asleep.filter(|rest| **rest == Rest::Asleep(cell)) {
        *rest = Rest::Woken(cell);
    }
}

/// The states after the one or the other is woken.
fn woken_one(state: State, cell: usize) -> Vec<State> {
    let sleepers = (0..state.rest.len()).filter(|&t| state.rest[t] == Rest::Asleep(cell));
    let woken = sleepers.map(|t| {
        let mut woken = state.clone();
        woken.rest[t] = Rest::Woken(cell);
        woken
    });
    let woken: Vec<State> = woken.collect();
    if woken.is_empty() { vec![state] } else { woken }
}

/// What a program can come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcomes {
    /// The final states, of those that are alike the least.
    pub(crate) finals: BTreeSet<Outcome>,
    /// Whether it can be stuck.
    pub(crate) sticks: bool,
}

/// What a program can come to, without spurious wake-ups or with them. Worked out once.
pub(crate) fn outcomes(program: &Program, spurious: bool) -> Arc<Outcomes> {
    static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
    let key = (program.clone(), spurious);
    if let Some(outcomes) = KNOWN.lock().unwrap().get(&key) {
        return outcomes.clone();
    }
    let outcomes = Arc::new(worked_out(program, spurious));
    KNOWN.lock().unwrap().insert(key, outcomes.clone());
    outcomes
}

fn worked_out(program: &Program, spurious: bool) -> Outcomes {
    let machine = Machine::new(program, spurious);
    let start = machine.start(program);
    let (mut seen, mut next) = (HashSet::from([start.clone()]), vec![start]);
    let (mut finals, mut sticks) = (BTreeSet::new(), false);
    while let Some(state) = next.pop() {
        let successors = machine.threads().flat_map(|t| machine.go(&state, t));
        let successors: Vec<State> = successors.collect();
        if machine.is_over(&state) {
            finals.insert(program.canonical(outcome(program, &state)));
        } else {
            sticks |= machine.is_stuck(&state);
        }
        let new = successors.into_iter();
        next.extend(new.filter(|new| seen.insert(new.clone())));
    }
    Outcomes { finals, sticks }
}

fn outcome(program: &Program, state: &State) -> Outcome {
    let answers = state.kept.len() - usize::from(program.has_child);
    (
        [state.numbers.as_slice(), &state.atomics].concat(),
        state.slots.clone(),
        state.kept[..answers].to_vec(),
    )
}
