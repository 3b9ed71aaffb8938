//! Small programs: two to five threads, one to three cells, a gate and two atomics, a few operations each.
//!
//! What they are; how one is run is the business of `running`.

use std::fmt;

/// What a thread does. Cells are numbers under a mutex with a condvar beside it; each thread has a number
/// of its own besides, which it keeps up to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Op {
    /// Takes the cell's lock and changes the number in a way that the order can be told from.
    Change(usize, u64),
    /// The same, then wakes everybody with the lock still held.
    Announce(usize, u64),
    /// The same, then wakes one with the lock still held.
    Signal(usize, u64),
    /// Takes the first cell's lock, then the second's, and mixes the first number into the second.
    Mix(usize, usize),
    /// Takes the first cell's lock and sets the number to 1, then takes the second cell's lock and mixes
    /// what was in the first into it.
    Move(usize, usize),
    /// Takes the cell's lock, sleeps until the number is not 0, and changes it.
    Await(usize),
    /// Takes the cell's lock again and again, and yields in between, until the number is not 0; and changes it.
    #[cfg_attr(loom, expect(dead_code, reason = "loom has no end of spinning"))]
    Spin(usize),
    /// Takes the cell's lock, sleeps once whatever the number is, and changes it.
    Sleep(usize),
    /// Takes the first cell's lock, announces a change of the second cell, and sleeps once on the first.
    Doze(usize, usize),
    /// Wakes one who sleeps on the cell, without its lock.
    Notify(usize),
    /// Wakes all who sleep on the cell, without its lock.
    Call(usize),
    /// Changes the number if the cell's lock is free.
    Try(usize, u64),
    /// Mixes the cell's number into the thread's own.
    Read(usize),
    /// Mixes the thread's own number into the cell's.
    Store(usize),
    /// With the cell's lock, changes what stands in a slot beside all cells, and mixes that into the
    /// thread's own number.
    Touch(usize, usize, u64),
    /// Mixes one of so many numbers into the thread's own.
    Choose(usize),
    /// Leaves out the thread's next operation if its own number is even.
    Unless,
    /// Lets the others go on.
    Linger,
    /// Changes the atomic's number at one time.
    Update(usize, u64),
    /// Mixes the atomic's number into the thread's own.
    Load(usize),
    /// Puts the thread's own number into the atomic.
    Put(usize),
    /// Takes the cell's lock, and changes the atomic's number and not the cell's.
    Within(usize, usize, u64),
    /// Takes the cell's lock, and mixes the atomic's number into the thread's own.
    Look(usize, usize),
    /// Starts the last thread of the program. If nobody waits for its end, it is detached.
    Spawn,
    /// Waits for the last thread's end, and mixes its number into the thread's own.
    Join,
    /// The same, with the cell's lock held.
    Hold(usize),
    /// Takes the cell's lock and keeps it for good.
    Leak(usize),
    /// Takes the cell's lock, changes the number, and leaves the section by a panic, which is caught.
    Panic(usize, u64),
    /// Ends the thread with a panic, which whoever joins it is told together with its number.
    Fail,
}

/// The change that an operation makes with this value.
pub(crate) fn change(number: u64, by: u64) -> u64 {
    (number * 3 + by) % 1_000_003
}

/// What those who have slept change by.
pub(crate) const AWAITED: u64 = 7;

/// As many slots beside the cells.
pub(crate) const SLOTS: usize = 2;

/// As many atomics.
pub(crate) const ATOMICS: usize = 2;

/// What is said of a cell to an explorer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Cover {
    /// What is said in each section of a mutex.
    Mutex(Says),
    /// What a [`Monitor`] says of itself.
    Monitor,
}

/// What is said in a critical section.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Says {
    /// What the mutex protects at the end.
    pub(crate) data: bool,
    /// What the thread takes along.
    pub(crate) learnt: bool,
}

/// See the [module's documentation](self).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Program {
    pub(crate) cells: Vec<Cover>,
    pub(crate) threads: Vec<Vec<Op>>,
    /// The last thread is started by another one's operations, and awaited by them or detached.
    pub(crate) has_child: bool,
    /// The first thread is the main one.
    pub(crate) main_takes_part: bool,
    /// Threads say after each operation what they still know.
    pub(crate) forgets: bool,
    /// What is in the slots is said to the explorer.
    pub(crate) external_state: bool,
    /// So many threads, the first ones, do the same and are said to be interchangeable.
    pub(crate) alike: usize,
}

/// The numbers in the cells and the atomics, in the slots, and of the threads at the end.
pub(crate) type Outcome = (Vec<u64>, Vec<u64>, Vec<u64>);

impl Program {
    /// Of outcomes that differ by an exchange of threads that are alike, the least.
    pub(crate) fn canonical(&self, (cells, slots, mut answers): Outcome) -> Outcome {
        answers[..self.alike].sort_unstable();
        (cells, slots, answers)
    }

    /// For each permutation of threads that are alike, the image of each thread, by number.
    #[cfg(shuttle)]
    pub(crate) fn symmetries(&self) -> Vec<Vec<usize>> {
        let orders: &[&[usize]] = match self.alike {
            2 => &[&[1, 2], &[2, 1]],
            3 => &[
                &[1, 2, 3],
                &[1, 3, 2],
                &[2, 1, 3],
                &[2, 3, 1],
                &[3, 1, 2],
                &[3, 2, 1],
            ],
            _ => &[],
        };
        let main = |order: &&[usize]| [&[0], *order].concat();
        orders.iter().map(main).collect()
    }

    pub(crate) fn has(&self, is: impl Fn(Op) -> bool) -> bool {
        self.threads.iter().flatten().copied().any(is)
    }

    /// Nobody waits for the last thread's end.
    pub(crate) fn is_child_detached(&self) -> bool {
        self.has_child && !self.has(|op| matches!(op, Op::Join | Op::Hold(_)))
    }
}

/// As a person reads it: what is shared, then a line for each thread.
impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (cell, cover) in self.cells.iter().enumerate() {
            writeln!(f, "cell {cell}: {cover:?}")?;
        }
        writeln!(f, "cell {}: the gate", self.cells.len())?;
        for (thread, ops) in self.threads.iter().enumerate() {
            let child = self.has_child && thread + 1 == self.threads.len();
            let what = match (thread, child) {
                (0, _) if self.main_takes_part => " (main)",
                (_, true) if self.is_child_detached() => " (started by another, detached)",
                (_, true) => " (started by another)",
                _ if thread < self.alike => " (alike)",
                _ => "",
            };
            let ops: Vec<String> = ops.iter().map(|op| format!("{op:?}")).collect();
            writeln!(f, "thread {thread}{what}: {}", ops.join("; "))?;
        }
        let (forgets, external_state) = (self.forgets, self.external_state);
        write!(
            f,
            "forgets: {forgets}, slots are described: {external_state}"
        )
    }
}
