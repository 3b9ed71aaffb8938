//! Generates programs from a seed (SplitMix64: Steele, Lea and Flood, OOPSLA 2014).

use std::sync::OnceLock;

use super::program::{ATOMICS, Cover, Op, Program, SLOTS, Says};

/// See the [module's documentation](self).
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

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    pub(crate) fn next_program(&mut self) -> Program {
        let cells = 1 + self.below(3);
        let mut cells: Vec<Cover> = (0..cells).map(|_| self.next_cover()).collect();
        // Without reductions, programs of three threads of four operations take minutes each.
        let (count, most) = match self.below(16) {
            0 => (4 + self.below(2), 1),
            1 => (2, 6),
            2..=8 => (2, 4),
            _ => (3, 3),
        };
        let mut threads: Vec<Vec<Op>> =
            (0..count).map(|_| self.next_thread(&cells, most)).collect();
        let (mut has_child, mut alike) = (false, 0);
        match self.below(8) {
            0 => {
                has_child = self.start_the_last(&cells, &mut threads);
                self.perhaps_only_read(&mut cells, &mut threads);
            }
            1 => {
                alike = 2 + self.below(count.min(3) - 1) as usize;
                let script = threads[0].clone();
                threads[..alike].fill(script);
            }
            2 => self.only_use_atomics(&mut cells, &mut threads),
            3 => self.let_others_sleep(&mut threads),
            _ => {}
        }
        Program {
            cells,
            threads,
            has_child,
            main_takes_part: alike == 0 && self.one_in(4),
            forgets: self.one_in(2),
            external_state: self.one_in(2),
            alike,
        }
    }

    fn next_cover(&mut self) -> Cover {
        let (data, learnt) = match self.below(8) {
            0..=2 => (false, false),
            3 | 4 => (true, true),
            5 => (true, false),
            6 => (false, true),
            _ => return Cover::Monitor,
        };
        Cover::Mutex(Says { data, learnt })
    }

    fn next_thread(&mut self, cells: &[Cover], most: u64) -> Vec<Op> {
        let count = 1 + self.below(most);
        let mut ops: Vec<Op> = (0..count).map(|_| self.next_op(cells)).collect();
        let keeps = |op: &Op| {
            matches!(
                op,
                Op::Read(_) | Op::Touch(..) | Op::Choose(_) | Op::Load(_) | Op::Look(..)
            )
        };
        if let Some(kept) = ops.iter().position(keeps)
            && self.one_in(2)
        {
            ops.insert(kept + 1, Op::Unless);
        }
        if ops.iter().any(keeps) && self.one_in(2) {
            ops.push(Op::Store(self.below(cells.len() as u64) as usize));
        }
        ops
    }

    /// Lets one of the other threads start the last one, and perhaps wait for it.
    fn start_the_last(&mut self, cells: &[Cover], threads: &mut [Vec<Op>]) -> bool {
        let parent = self.below(threads.len() as u64 - 1) as usize;
        let ops = &mut threads[parent];
        // What lingers goes on up to its next operation: it must start nobody there.
        ops.retain(|&op| !matches!(op, Op::Linger | Op::Unless));
        let from = self.below(ops.len() as u64 + 1) as usize;
        ops.insert(from, Op::Spawn);
        if self.one_in(4) {
            return true;
        }
        let to = from + 1 + self.below((ops.len() - from) as u64) as usize;
        let join = match self.below(4) {
            0 | 1 => Op::Join,
            _ => Op::Hold(self.below(cells.len() as u64 + 1) as usize),
        };
        ops.insert(to, join);
        // No draw: the programs that were there before stay as they are.
        if (from + to).is_multiple_of(2) {
            threads.last_mut().expect("it is started").push(Op::Fail);
        }
        true
    }

    /// Lets nobody change what is in a cell that is held over a join, and says so: that one waits for another
    /// there is then all that anybody could notice. If there is another cell, nobody waits in the order that
    /// is tried first: the child tells that it runs, and goes on to its own section.
    fn perhaps_only_read(&mut self, cells: &mut [Cover], threads: &mut [Vec<Op>]) {
        let mut ops = threads.iter().flatten();
        let held = ops.find_map(|&op| match op {
            Op::Hold(cell) => Some(cell),
            _ => None,
        });
        let Some(cell) = held.filter(|&cell| cell < cells.len()) else {
            return;
        };
        if self.one_in(2) {
            cells[cell] = Cover::Monitor;
            let changes = |op: &&mut Op| !matches!(op, Op::Spawn | Op::Hold(_) | Op::Unless);
            let ops = threads.iter_mut().flatten();
            ops.filter(changes).for_each(|op| *op = Op::Read(cell));
            let Some(other) = (0..cells.len()).find(|&other| other != cell) else {
                return;
            };
            let (child, others) = threads.split_last_mut().expect("there are threads");
            child.insert(0, Op::Announce(other, 1));
            for ops in others {
                if let Some(held) = ops.iter().position(|op| matches!(op, Op::Hold(_))) {
                    ops.insert(held, Op::Await(other));
                }
            }
        }
    }

    /// Lets nobody change what is in the first cell, and says so: that others look into its sections is then
    /// all that anybody could notice.
    fn only_use_atomics(&mut self, cells: &mut [Cover], threads: &mut [Vec<Op>]) {
        cells[0] = Cover::Monitor;
        for op in threads.iter_mut().flatten() {
            // The only cell is the first one, and nobody changes an atomic inside.
            *op = match self.next_op_of_an_atomic(&[]) {
                Op::Within(_, atomic, by) => Op::Update(atomic, by),
                op => op,
            };
        }
    }

    /// Lets the last thread wake all others, who need it. The more they are, the fewer do something afterwards,
    /// or there are hundreds of thousands of executions.
    fn let_others_sleep(&mut self, threads: &mut [Vec<Op>]) {
        let by = 1 + self.below(5);
        let (last, others) = threads.split_last_mut().expect("there are threads");
        let count = others.len();
        for (thread, ops) in others.iter_mut().enumerate() {
            ops.truncate(usize::from(thread + count < 5));
            ops.insert(0, Op::Await(0));
        }
        last.truncate(1);
        let at = self.below(last.len() as u64 + 1) as usize;
        last.insert(at, Op::Announce(0, by));
    }

    /// The number of a cell that is no monitor, or of the gate.
    fn lockable(&mut self, cells: &[Cover]) -> usize {
        let cell = self.below(cells.len() as u64 + 1) as usize;
        match cells.get(cell) {
            Some(Cover::Monitor) => cells.len(),
            _ => cell,
        }
    }

    /// What is done with the gate as well.
    fn next_op_of_a_lock(&mut self, cells: &[Cover]) -> Op {
        let (cell, by) = (self.lockable(cells), 1 + self.below(5));
        match self.below(10) {
            0 => Op::Leak(cell),
            1..=3 => Op::Panic(cell, by),
            4 | 5 => Op::Try(cell, by),
            6 => Op::Read(cell),
            _ => Op::Change(cell, by),
        }
    }

    fn next_op_of_an_atomic(&mut self, cells: &[Cover]) -> Op {
        let atomic = self.below(ATOMICS as u64) as usize;
        let by = 1 + self.below(5);
        match self.below(8) {
            0 | 1 => Op::Update(atomic, by),
            2 | 3 => Op::Load(atomic),
            4 => Op::Put(atomic),
            5 => Op::Within(self.below(cells.len() as u64 + 1) as usize, atomic, by),
            _ => Op::Look(self.below(cells.len() as u64 + 1) as usize, atomic),
        }
    }

    fn next_op(&mut self, cells: &[Cover]) -> Op {
        match self.below(12) {
            0 | 1 => return self.next_op_of_a_lock(cells),
            2 => return self.next_op_of_an_atomic(cells),
            _ => {}
        }
        let count = cells.len() as u64;
        let cell = self.below(count) as usize;
        let by = 1 + self.below(5);
        if cells[cell] == Cover::Monitor {
            return match self.below(6) {
                0 | 1 => Op::Change(cell, by),
                2 | 3 => Op::Announce(cell, by),
                4 => Op::Read(cell),
                _ => Op::Await(cell),
            };
        }
        match self.below(25) {
            0..=3 => Op::Change(cell, by),
            4 | 5 => Op::Announce(cell, by),
            6 | 7 => Op::Signal(cell, by),
            8..=11 => {
                let other = ((cell as u64 + 1 + self.below(count)) % count) as usize;
                match other != cell && cells[other] != Cover::Monitor {
                    true if self.one_in(4) => Op::Doze(cell, other),
                    true if self.one_in(3) => Op::Move(cell, other),
                    true => Op::Mix(cell, other),
                    false => Op::Change(cell, by),
                }
            }
            12 | 13 => Op::Notify(cell),
            14 => Op::Call(cell),
            15 => Op::Sleep(cell),
            16 | 17 => Op::Try(cell, by),
            18 | 19 => Op::Read(cell),
            20 | 21 => Op::Touch(cell, self.below(SLOTS as u64) as usize, by),
            22 => Op::Choose(2 + self.below(2) as usize),
            23 => Op::Linger,
            _ => Op::Await(cell),
        }
    }
}

/// The generated programs that most tests are about: as many as `NMR_PROGRAMS` says, or 4,000.
pub(crate) fn family() -> &'static [Program] {
    static FAMILY: OnceLock<Vec<Program>> = OnceLock::new();
    FAMILY.get_or_init(|| {
        let mut generator = Generator::new(1);
        let count = std::env::var("NMR_PROGRAMS").map_or(4_000, |count| {
            count.parse().expect("NMR_PROGRAMS is a number of programs")
        });
        (0..count).map(|_| generator.next_program()).collect()
    })
}

#[test]
fn the_same_seed_generates_the_same_programs() {
    let programs = |seed| {
        let mut generator = Generator::new(seed);
        (0..50)
            .map(|_| generator.next_program())
            .collect::<Vec<_>>()
    };
    assert_eq!(programs(7), programs(7));
    assert_ne!(programs(7), programs(8));
}
