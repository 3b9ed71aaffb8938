//! A program as it runs: its threads, what they share, and what comes of them.

mod cell;
mod sections;

use std::panic::resume_unwind;
use std::sync::Arc;

use nmr_sync::atomic::{AtomicUsize, Ordering::SeqCst};
use nmr_sync::{Monitor, thread};

use super::program::{ATOMICS, Op, Outcome, Program, SLOTS, change};
#[cfg(shuttle)]
pub(crate) use cell::write_external_state;
use cell::{Cell, EXTERNAL};
use sections::perform_plain;

impl Program {
    /// Runs it once.
    pub(crate) fn run(&self) -> Outcome {
        self.run_behind(0)
    }

    /// Runs it once, after so many threads that do nothing.
    pub(crate) fn run_behind(&self, others: usize) -> Outcome {
        EXTERNAL.set([0; SLOTS]);
        let idle: Vec<_> = (0..others).map(|_| thread::spawn(|| {})).collect();
        let program = Arc::new(self.clone());
        let shared = Arc::new(Shared::new(self));
        let mut own = Running::new(&program, &shared, 0);
        let first = usize::from(self.main_takes_part);
        let others = first..self.threads.len() - usize::from(self.has_child);
        let others: Vec<_> = others.map(|number| own.start(number)).collect();
        let mut answers = Vec::new();
        if self.main_takes_part {
            answers.push(own.run());
        }
        drop(own);
        answers.extend(others.into_iter().map(|other| other.join().unwrap()));
        idle.into_iter().for_each(|other| other.join().unwrap());
        if let Some(detached) = &shared.detached {
            detached.clone().wait_until(|ended| ended.then_some(()));
        }
        let shared = Arc::into_inner(shared).expect("all threads have ended");
        let slots = EXTERNAL.with_borrow(|slots| slots.to_vec());
        (shared.into_numbers(), slots, answers)
    }
}

/// What the threads of a running program share.
struct Shared {
    /// The last one is the gate.
    cells: Vec<Cell>,
    atomics: [AtomicUsize; ATOMICS],
    /// Whether the detached thread has ended, if there is one.
    detached: Option<Arc<Monitor<bool>>>,
}

impl Shared {
    fn new(program: &Program) -> Self {
        let covers = program.cells.iter().copied().enumerate();
        let cells = covers.map(|(cell, cover)| Cell::new(cell, cover));
        Self {
            cells: cells.chain([Cell::new_gate()]).collect(),
            atomics: [(); ATOMICS].map(|()| AtomicUsize::new(0)),
            detached: program
                .is_child_detached()
                .then(|| Arc::new(Monitor::new(false))),
        }
    }

    /// See [`Outcome`].
    fn into_numbers(self) -> Vec<u64> {
        let cells = self.cells.into_iter().enumerate();
        let cells = cells.map(|(number, cell)| cell.into_number(number));
        let atomics = self.atomics.into_iter();
        let atomics = atomics.map(|atomic| atomic.into_inner() as u64);
        cells.chain(atomics).collect()
    }
}

/// What a thread has come to, with a panic or without one.
fn number_of(child: thread::JoinHandle<u64>) -> u64 {
    child
        .join()
        .unwrap_or_else(|payload| *payload.downcast_ref().expect("its number"))
}

/// A thread and what it has.
struct Running {
    program: Arc<Program>,
    shared: Arc<Shared>,
    number: usize,
    kept: u64,
    child: Option<thread::JoinHandle<u64>>,
}

impl Running {
    fn new(program: &Arc<Program>, shared: &Arc<Shared>, number: usize) -> Self {
        Self {
            program: program.clone(),
            shared: shared.clone(),
            number,
            kept: 0,
            child: None,
        }
    }

    fn start(&self, number: usize) -> thread::JoinHandle<u64> {
        let mut other = Self::new(&self.program, &self.shared, number);
        thread::spawn(move || other.run())
    }

    /// The last thread, which says that it has ended after it has let go of all that it shares.
    fn start_detached(&self) {
        let mut other = Self::new(&self.program, &self.shared, self.last());
        let ended = self.shared.detached.clone().expect("it is detached");
        thread::spawn(move || {
            other.run();
            drop(other);
            ended.enter_then_notify(|ended| {
                *ended = true;
                ((), true)
            });
        });
    }

    fn last(&self) -> usize {
        self.program.threads.len() - 1
    }

    fn run(&mut self) -> u64 {
        let program = self.program.clone();
        let mut left_out = false;
        for (index, &op) in program.threads[self.number].iter().enumerate() {
            if !std::mem::take(&mut left_out) {
                left_out = op == Op::Unless && self.kept.is_multiple_of(2);
                self.perform(op);
            }
            if program.forgets {
                nmr_sync::forget(&(index + 1, self.kept));
            }
        }
        self.kept
    }

    fn keep(&mut self, number: u64) {
        self.kept = change(self.kept, number);
    }

    fn perform(&mut self, op: Op) {
        match op {
            Op::Change(cell, by) => self.change(cell, by),
            Op::Announce(cell, by) => self.announce(cell, by),
            Op::Store(cell) => self.change(cell, self.kept),
            Op::Await(cell) => self.await_(cell),
            Op::Spin(cell) => {
                while !self.change_if_set(cell) {
                    thread::yield_now();
                }
            }
            Op::Read(cell) => self.read(cell),
            Op::Touch(cell, slot, by) => self.touch(cell, slot, by),
            Op::Choose(below) => self.keep(chosen(below)),
            Op::Unless => {}
            Op::Linger => nmr_sync::linger(),
            Op::Update(atomic, by) => self.update(atomic, by),
            Op::Load(atomic) => self.keep(self.load(atomic)),
            Op::Look(cell, atomic) => self.keep(self.within(cell, || self.load(atomic))),
            Op::Put(atomic) => self.shared.atomics[atomic].store(self.kept as usize, SeqCst),
            Op::Within(cell, atomic, by) => self.within(cell, || self.update(atomic, by)),
            Op::Spawn if self.program.is_child_detached() => self.start_detached(),
            Op::Spawn => self.child = Some(self.start(self.last())),
            Op::Join => self.join_child(),
            Op::Hold(cell) => self.hold(cell),
            Op::Leak(cell) => self.leak(cell),
            Op::Panic(cell, by) => self.panic(cell, by),
            // To loom and to shuttle's own schedulers that would be the end of the model.
            Op::Fail if nmr_sync::is_explored() => resume_unwind(Box::new(self.kept)),
            Op::Fail => {}
            Op::Try(cell, by) if self.is_gate(cell) => self.try_gate(cell, by),
            Op::Mix(from, to) => self.mix(from, to),
            Op::Move(from, to) => self.move_(from, to),
            Op::Doze(cell, other) => self.doze(cell, other),
            Op::Signal(cell, _)
            | Op::Sleep(cell)
            | Op::Notify(cell)
            | Op::Call(cell)
            | Op::Try(cell, _) => perform_plain(op, self.shared.cells[cell].plain()),
        }
    }
}

#[cfg(shuttle)]
fn chosen(below: usize) -> u64 {
    nmr_explorer::choose(below) as u64
}

#[cfg(loom)]
fn chosen(_: usize) -> u64 {
    unreachable!("loom runs no program that chooses")
}
