//! What a thread does with the cells and the atomics, each operation under whatever covers its cell.

use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use nmr_sync::atomic::Ordering::SeqCst;
use nmr_sync::{Condvar, Mutex};

use super::cell::{Cell, EXTERNAL, say};
use super::{Running, number_of};
use crate::program::{AWAITED, Op, Says, change};

impl Running {
    pub(super) fn load(&self, atomic: usize) -> u64 {
        self.shared.atomics[atomic].load(SeqCst) as u64
    }

    pub(super) fn update(&self, atomic: usize, by: u64) {
        let changed = |number: usize| Some(change(number as u64, by) as usize);
        let updated = self.shared.atomics[atomic].fetch_update(SeqCst, SeqCst, changed);
        updated.expect("it is always changed");
    }

    /// Does something with the cell's lock held and leaves its number alone.
    pub(super) fn within<R: Copy + Hash>(&self, cell: usize, inside: impl FnOnce() -> R) -> R {
        match &self.shared.cells[cell] {
            Cell::Monitor(monitor) => monitor.enter(|_| {
                let answer = inside();
                nmr_sync::learn(&answer);
                answer
            }),
            Cell::Gate { lock, .. } => {
                let _held = lock.lock();
                inside()
            }
            plain => {
                let (number, _, says) = plain.plain();
                let number = number.lock();
                let answer = inside();
                say(&number, says, &answer);
                answer
            }
        }
    }

    pub(super) fn change(&self, cell: usize, by: u64) {
        match &self.shared.cells[cell] {
            Cell::Monitor(monitor) => monitor.enter(|data| data.number = change(data.number, by)),
            Cell::Gate { lock, number } => {
                let _held = lock.lock();
                change_unseen(number, by);
            }
            plain => {
                let (number, _, says) = plain.plain();
                let mut number = number.lock();
                *number = change(*number, by);
                say(&number, says, &());
            }
        }
    }

    pub(super) fn announce(&self, cell: usize, by: u64) {
        match &self.shared.cells[cell] {
            Cell::Monitor(monitor) => monitor.enter_then_notify(|data| {
                data.number = change(data.number, by);
                ((), true)
            }),
            plain => {
                let (number, changed, says) = plain.plain();
                let mut number = number.lock();
                *number = change(*number, by);
                changed.notify_all();
                say(&number, says, &());
            }
        }
    }

    pub(super) fn await_(&self, cell: usize) {
        match &self.shared.cells[cell] {
            Cell::Monitor(monitor) => monitor.wait_until(|data| {
                (data.number != 0).then(|| data.number = change(data.number, AWAITED))
            }),
            plain => {
                let (number, changed, says) = plain.plain();
                let remembered = nmr_sync::remember();
                let mut number = number.lock();
                while *number == 0 {
                    if says.data {
                        nmr_sync::describe(&number);
                    }
                    if says.learnt {
                        remembered.and(&());
                    }
                    changed.wait(&mut number);
                }
                *number = change(*number, AWAITED);
                say(&number, says, &());
            }
        }
    }

    /// Whether the number was not 0.
    pub(super) fn change_if_set(&self, cell: usize) -> bool {
        let changed = |number: &mut u64| {
            let is_set = *number != 0;
            if is_set {
                *number = change(*number, AWAITED);
            }
            is_set
        };
        match &self.shared.cells[cell] {
            Cell::Monitor(monitor) => monitor.enter(|data| {
                let is_set = changed(&mut data.number);
                nmr_sync::learn(&is_set);
                is_set
            }),
            plain => {
                let (number, _, says) = plain.plain();
                let mut number = number.lock();
                let is_set = *number != 0 && changed(&mut number);
                say(&number, says, &is_set);
                is_set
            }
        }
    }

    pub(super) fn read(&mut self, cell: usize) {
        let number = match &self.shared.cells[cell] {
            Cell::Monitor(monitor) => monitor.enter(|data| {
                nmr_sync::learn(&data.number);
                data.number
            }),
            Cell::Gate { lock, number } => {
                let _held = lock.lock();
                number.load(Ordering::Relaxed)
            }
            plain => {
                let (number, _, says) = plain.plain();
                let number = number.lock();
                let read = *number;
                say(&number, says, &read);
                read
            }
        };
        self.keep(number);
    }

    pub(super) fn is_gate(&self, cell: usize) -> bool {
        cell == self.program.cells.len()
    }

    pub(super) fn try_gate(&self, cell: usize, by: u64) {
        if let Cell::Gate { lock, number } = &self.shared.cells[cell]
            && let Some(_held) = lock.try_lock()
        {
            change_unseen(number, by);
        }
    }

    pub(super) fn join_child(&mut self) {
        let child = self.child.take().expect("it was started");
        self.keep(number_of(child));
    }

    pub(super) fn hold(&mut self, cell: usize) {
        let shared = self.shared.clone();
        match &shared.cells[cell] {
            Cell::Gate { lock, .. } => {
                let _held = lock.lock();
                self.join_child();
            }
            Cell::Monitor(monitor) => {
                let child = self.child.take().expect("it was started");
                let number = monitor.enter(|_| number_of(child));
                self.keep(number);
            }
            plain => {
                let (number, _, says) = plain.plain();
                let held = number.lock();
                say(&held, says, &());
                self.join_child();
            }
        }
    }

    pub(super) fn leak(&self, cell: usize) {
        match &self.shared.cells[cell] {
            Cell::Gate { lock, .. } => std::mem::forget(lock.lock()),
            plain => {
                let (number, _, says) = plain.plain();
                let held = number.lock();
                say(&held, says, &());
                std::mem::forget(held);
            }
        }
    }

    pub(super) fn panic(&self, cell: usize, by: u64) {
        let left = catch_unwind(AssertUnwindSafe(|| match &self.shared.cells[cell] {
            Cell::Gate { lock, number } => {
                let _held = lock.lock();
                change_unseen(number, by);
                resume_unwind(Box::new(OnPurpose));
            }
            plain => {
                let (number, _, says) = plain.plain();
                let mut number = number.lock();
                *number = change(*number, by);
                say(&number, says, &());
                // Unlike `panic!` it prints nothing.
                resume_unwind(Box::new(OnPurpose));
            }
        }));
        let Err(payload) = left;
        if !payload.is::<OnPurpose>() {
            resume_unwind(payload);
        }
    }

    pub(super) fn touch(&mut self, cell: usize, slot: usize, by: u64) {
        let (number, _, says) = self.shared.cells[cell].plain();
        let number = number.lock();
        nmr_sync::touch(slot as u32);
        let slot = EXTERNAL.with_borrow_mut(|slots| {
            slots[slot] = change(slots[slot], by);
            slots[slot]
        });
        nmr_sync::learn(&slot);
        say(&number, says, &());
        drop(number);
        self.keep(slot);
    }

    pub(super) fn mix(&self, from: usize, to: usize) {
        let (from, _, from_says) = self.shared.cells[from].plain();
        let (to, _, to_says) = self.shared.cells[to].plain();
        let first = from.lock();
        say(&first, from_says, &*first);
        let mut second = to.lock();
        *second = change(*second, *first + 1);
        say(&second, to_says, &());
    }

    pub(super) fn move_(&self, from: usize, to: usize) {
        let (from, _, says) = self.shared.cells[from].plain();
        let mut first = from.lock();
        let moved = std::mem::replace(&mut *first, 1);
        say(&first, says, &moved);
        self.change(to, moved);
    }

    pub(super) fn doze(&self, cell: usize, other: usize) {
        let (number, changed, says) = self.shared.cells[cell].plain();
        let mut number = number.lock();
        self.announce(other, 1);
        say(&number, says, &());
        changed.wait(&mut number);
        *number = change(*number, AWAITED);
        say(&number, says, &());
    }
}

/// What leaves a section that is left by a panic.
struct OnPurpose;

/// Changes what only a gate protects, of which nothing is told.
fn change_unseen(number: &AtomicU64, by: u64) {
    number.store(
        change(number.load(Ordering::Relaxed), by),
        Ordering::Relaxed,
    );
}

/// What is not done with a monitor, in one cell.
pub(super) fn perform_plain(op: Op, (number, changed, says): (&Mutex<u64>, &Condvar, Says)) {
    match op {
        Op::Signal(_, by) => {
            let mut number = number.lock();
            *number = change(*number, by);
            changed.notify_one();
            say(&number, says, &());
        }
        Op::Sleep(_) => {
            let mut number = number.lock();
            say(&number, says, &());
            changed.wait(&mut number);
            *number = change(*number, AWAITED);
            say(&number, says, &());
        }
        Op::Notify(_) => changed.notify_one(),
        Op::Call(_) => changed.notify_all(),
        Op::Try(_, by) => {
            if let Some(mut number) = number.try_lock() {
                *number = change(*number, by);
                say(&number, says, &());
            }
        }
        other => unreachable!("{other:?} is done elsewhere"),
    }
}
