//! Small programs: two or three threads, one to three cells, one to four operations each.

use std::sync::Arc;

use nmr_sync::{Condvar, Mutex, thread};

/// An operation on cells, each a number under a mutex with a condvar beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// Takes the cell's lock and changes the number in a way that the order can be told from.
    Change(usize, u64),
    /// The same, then wakes everybody with the lock still held.
    Announce(usize, u64),
    /// Takes the first cell's lock, then the second's, and mixes the first number into the second.
    Mix(usize, usize),
    /// Takes the cell's lock, sleeps until the number is not 0, and changes it.
    Await(usize),
    /// Takes the cell's lock, sleeps once whatever the number is, and changes it.
    Sleep(usize),
    /// Wakes one who sleeps on the cell, without its lock.
    Notify(usize),
    /// Changes the number if the cell's lock is free.
    Try(usize, u64),
}

/// The change that an operation makes with this value.
pub(crate) fn change(number: u64, by: u64) -> u64 {
    (number * 3 + by) % 1_000_003
}

/// What [`Op::Await`] and [`Op::Sleep`] change by.
pub(crate) const AWAITED: u64 = 7;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) cells: usize,
    pub(crate) threads: Vec<Vec<Op>>,
}

struct Cell {
    number: Mutex<u64>,
    changed: Condvar,
}

impl Program {
    /// Runs it once; the numbers at the end.
    pub(crate) fn run(&self) -> Vec<u64> {
        let cell = |_| Cell {
            number: Mutex::new(0),
            changed: Condvar::new(),
        };
        let cells: Arc<Vec<Cell>> = Arc::new((0..self.cells).map(cell).collect());
        let spawn = |ops: &Vec<Op>| {
            let (ops, cells) = (ops.clone(), cells.clone());
            thread::spawn(move || ops.into_iter().for_each(|op| perform(op, &cells)))
        };
        let threads: Vec<_> = self.threads.iter().map(spawn).collect();
        for thread in threads {
            thread.join().unwrap();
        }
        cells.iter().map(|cell| *cell.number.lock()).collect()
    }
}

fn perform(op: Op, cells: &[Cell]) {
    match op {
        Op::Change(cell, by) => {
            let mut number = cells[cell].number.lock();
            *number = change(*number, by);
        }
        Op::Announce(cell, by) => {
            let mut number = cells[cell].number.lock();
            *number = change(*number, by);
            cells[cell].changed.notify_all();
        }
        Op::Mix(from, to) => {
            let first = cells[from].number.lock();
            let mut second = cells[to].number.lock();
            *second = change(*second, *first + 1);
        }
        Op::Await(cell) => {
            let mut number = cells[cell].number.lock();
            while *number == 0 {
                cells[cell].changed.wait(&mut number);
            }
            *number = change(*number, AWAITED);
        }
        Op::Sleep(cell) => {
            let mut number = cells[cell].number.lock();
            cells[cell].changed.wait(&mut number);
            *number = change(*number, AWAITED);
        }
        Op::Notify(cell) => cells[cell].changed.notify_one(),
        Op::Try(cell, by) => {
            if let Some(mut number) = cells[cell].number.try_lock() {
                *number = change(*number, by);
            }
        }
    }
}

/// Generates programs from a seed (SplitMix64: Steele, Lea and Flood, OOPSLA 2014).
pub(crate) struct Generator {
    state: u64,
}

impl Generator {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }

    pub(crate) fn next_program(&mut self) -> Program {
        let threads = 2 + self.below(2);
        let cells = 1 + self.below(3) as usize;
        // Three threads of four operations take seconds each: fewer there.
        let most = if threads == 2 { 4 } else { 2 };
        let thread = |generator: &mut Self| {
            let ops = 1 + generator.below(most);
            (0..ops).map(|_| generator.next_op(cells)).collect()
        };
        Program {
            cells,
            threads: (0..threads).map(|_| thread(self)).collect(),
        }
    }

    fn next_op(&mut self, cells: usize) -> Op {
        let cell = self.below(cells as u64) as usize;
        let by = 1 + self.below(5);
        match self.below(14) {
            0..=2 => Op::Change(cell, by),
            3..=5 => Op::Announce(cell, by),
            6..=8 if cells > 1 => {
                let other = (cell + 1 + self.below(cells as u64 - 1) as usize) % cells;
                Op::Mix(cell, other)
            }
            9 | 10 => Op::Notify(cell),
            11 => Op::Sleep(cell),
            12 => Op::Try(cell, by),
            _ => Op::Await(cell),
        }
    }
}
