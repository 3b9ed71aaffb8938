//! Small programs: two to five threads, one to three cells, a gate and two atomics, a few operations each.

use std::cell::RefCell;
use std::fmt;
use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use nmr_sync::atomic::{AtomicUsize, Ordering::SeqCst};
use nmr_sync::{Condvar, Monitor, Mutex, MutexGuard, thread};

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

/// A cell of a running program.
enum Cell {
    Plain {
        number: Mutex<u64>,
        changed: Condvar,
        says: Says,
    },
    Monitor(Monitor<Watched>),
    /// A lock that protects nothing that anybody could see, and a number beside it. There is one in each
    /// program, after all others.
    Gate {
        lock: Mutex<()>,
        number: AtomicU64,
    },
}

/// A number that a monitor protects, and the cell that it is in.
#[derive(Hash)]
struct Watched {
    number: u64,
    cell: usize,
}

impl Drop for Watched {
    fn drop(&mut self) {
        LAST.with_borrow_mut(|last| last[self.cell] = self.number);
    }
}

impl Cell {
    fn new(cell: usize, cover: Cover) -> Self {
        match cover {
            Cover::Monitor => Self::Monitor(Monitor::new(Watched { number: 0, cell })),
            Cover::Mutex(says) => Self::Plain {
                number: Mutex::new(0),
                changed: Condvar::new(),
                says,
            },
        }
    }

    fn new_gate() -> Self {
        Self::Gate {
            lock: Mutex::new(()),
            number: AtomicU64::new(0),
        }
    }

    fn plain(&self) -> (&Mutex<u64>, &Condvar, Says) {
        match self {
            Self::Plain {
                number,
                changed,
                says,
            } => (number, changed, *says),
            Self::Monitor(_) | Self::Gate { .. } => {
                unreachable!("no such operation is generated for a monitor or a gate")
            }
        }
    }

    /// The number at the end. Takes no lock: to an explorer that would be one more thread that uses it.
    fn into_number(self, cell: usize) -> u64 {
        match self {
            Self::Plain { number, .. } => number.into_inner(),
            Self::Gate { number, .. } => number.into_inner(),
            Self::Monitor(monitor) => {
                drop(monitor);
                LAST.with_borrow(|last| last[cell])
            }
        }
    }
}

thread_local! {
    /// What was in monitors when they were dropped.
    static LAST: RefCell<[u64; 3]> = const { RefCell::new([0; 3]) };
    /// The external state of the execution that this OS thread runs: what is in the slots.
    static EXTERNAL: RefCell<[u64; SLOTS]> = const { RefCell::new([0; SLOTS]) };
}

/// Writes what is in the slots.
#[cfg(shuttle)]
pub(crate) fn write_external_state(mut state: &mut dyn std::hash::Hasher) {
    EXTERNAL.with_borrow(|slots| slots.hash(&mut state));
}

/// Says that a section has changed the number for the last time, and what the thread takes along.
fn say(guard: &MutexGuard<'_, u64>, says: Says, learnt: &impl Hash) {
    if says.data {
        nmr_sync::describe(guard);
    }
    if says.learnt {
        nmr_sync::learn(learnt);
    }
}

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

    fn load(&self, atomic: usize) -> u64 {
        self.shared.atomics[atomic].load(SeqCst) as u64
    }

    fn update(&self, atomic: usize, by: u64) {
        let changed = |number: usize| Some(change(number as u64, by) as usize);
        let updated = self.shared.atomics[atomic].fetch_update(SeqCst, SeqCst, changed);
        updated.expect("it is always changed");
    }

    /// Does something with the cell's lock held and leaves its number alone.
    fn within<R: Copy + Hash>(&self, cell: usize, inside: impl FnOnce() -> R) -> R {
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

    fn change(&self, cell: usize, by: u64) {
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

    fn announce(&self, cell: usize, by: u64) {
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

    fn await_(&self, cell: usize) {
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
    fn change_if_set(&self, cell: usize) -> bool {
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

    fn read(&mut self, cell: usize) {
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

    fn is_gate(&self, cell: usize) -> bool {
        cell == self.program.cells.len()
    }

    fn try_gate(&self, cell: usize, by: u64) {
        if let Cell::Gate { lock, number } = &self.shared.cells[cell]
            && let Some(_held) = lock.try_lock()
        {
            change_unseen(number, by);
        }
    }

    fn join_child(&mut self) {
        let child = self.child.take().expect("it was started");
        self.keep(number_of(child));
    }

    fn hold(&mut self, cell: usize) {
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

    fn leak(&self, cell: usize) {
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

    fn panic(&self, cell: usize, by: u64) {
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

    fn touch(&mut self, cell: usize, slot: usize, by: u64) {
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

    fn mix(&self, from: usize, to: usize) {
        let (from, _, from_says) = self.shared.cells[from].plain();
        let (to, _, to_says) = self.shared.cells[to].plain();
        let first = from.lock();
        say(&first, from_says, &*first);
        let mut second = to.lock();
        *second = change(*second, *first + 1);
        say(&second, to_says, &());
    }

    fn move_(&self, from: usize, to: usize) {
        let (from, _, says) = self.shared.cells[from].plain();
        let mut first = from.lock();
        let moved = std::mem::replace(&mut *first, 1);
        say(&first, says, &moved);
        self.change(to, moved);
    }

    fn doze(&self, cell: usize, other: usize) {
        let (number, changed, says) = self.shared.cells[cell].plain();
        let mut number = number.lock();
        self.announce(other, 1);
        say(&number, says, &());
        changed.wait(&mut number);
        *number = change(*number, AWAITED);
        say(&number, says, &());
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
fn perform_plain(op: Op, (number, changed, says): (&Mutex<u64>, &Condvar, Says)) {
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
