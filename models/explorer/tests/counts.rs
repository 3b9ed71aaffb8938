//! Programs whose states, executions and orders are counted by hand.
#![cfg(shuttle)]

use std::collections::BTreeSet;
use std::sync::Arc;

use nmr_explorer::{Builder, Explorer, Reduction, Report, Verdict};
use nmr_sync::{Monitor, Mutex, describe, learn, thread};

/// Executions that differ in more than the order of what has nothing to do with each other.
fn orders(report: &Report) -> u64 {
    assert_eq!(report.verdict, Verdict::Exhausted, "{report}");
    report.whole() + report.known
}

/// Runs the threads that `body` makes of their numbers, and waits for them.
fn run<F: FnOnce() + Send + 'static>(threads: usize, body: impl Fn(usize) -> F) {
    let threads: Vec<_> = (0..threads)
        .map(|number| thread::spawn(body(number)))
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

/// Without any reduction but the ones that save operations.
fn plain() -> Builder {
    let others = [
        Reduction::VisitedStates,
        Reduction::Forgetting,
        Reduction::Symmetry,
        Reduction::LockAware,
    ];
    others
        .into_iter()
        .fold(Explorer::builder(), Builder::without)
}

/// `threads` threads that add 1 under one lock, `times` times each, and say so.
fn adders(builder: Builder, threads: usize, times: usize) -> Report {
    builder.check(move || {
        let sum = Arc::new(Mutex::new(0));
        run(threads, |_| {
            let sum = sum.clone();
            move || {
                for _ in 0..times {
                    let mut sum = sum.lock();
                    *sum += 1;
                    describe(&sum);
                    learn(&());
                }
            }
        });
    })
}

/// As many threads that have a section each in which they only read.
fn readers(builder: Builder, threads: usize) -> Report {
    builder.check(move || {
        let number = Arc::new(Monitor::new(7));
        run(threads, |_| {
            let number = number.clone();
            move || number.enter(|_| learn(&()))
        });
    })
}

const fn factorial(number: u64) -> u64 {
    match number {
        0 => 1,
        _ => number * factorial(number - 1),
    }
}

const fn binomial(of: u64, choose: u64) -> u64 {
    factorial(of) / factorial(choose) / factorial(of - choose)
}

/// (n·k)! / k!ⁿ: the interleavings of n threads of k sections.
const fn interleavings(threads: u64, times: u64) -> u64 {
    factorial(threads * times) / factorial(times).pow(threads as u32)
}

/// The states of n threads of k sections in which two threads or more have something left: each thread
/// has done 0 to k, and at least two of them fewer than k. (k+1)ⁿ, less 1 where all are through, less
/// n·k where one is not.
const fn states(threads: u64, times: u64) -> u64 {
    (times + 1).pow(threads as u32) - 1 - threads * times
}

/// The ways in which they are left: each by every thread that has something left. With u of n threads at
/// one of k places each, and the others through: Σ C(n,u)·kᵘ·u.
fn transitions(threads: u64, times: u64) -> u64 {
    let unfinished = 2..=threads;
    let ways = unfinished.map(|u| binomial(threads, u) * times.pow(u as u32) * u);
    ways.sum()
}

const SIZES: [(u64, u64); 8] = [
    (2, 1),
    (2, 2),
    (2, 3),
    (2, 4),
    (3, 1),
    (3, 2),
    (4, 1),
    (5, 1),
];

#[test]
fn the_formulas_are_what_they_seem() {
    assert_eq!(interleavings(2, 2), 6);
    assert_eq!(interleavings(3, 2), 90);
    // Both at the first, one ahead: (0,0), (0,1), (1,0), (1,1).
    assert_eq!(states(2, 2), 4);
    assert_eq!(transitions(2, 2), 4 * 2);
    // All three at the first; each two of them.
    assert_eq!(transitions(3, 1), 3 + 3 * 2);
}

#[test]
fn sections_that_conflict_have_every_interleaving() {
    for (threads, times) in SIZES {
        for builder in [
            plain(),
            Explorer::builder().without(Reduction::VisitedStates),
        ] {
            let report = adders(builder, threads as usize, times as usize);
            assert_eq!(orders(&report), interleavings(threads, times), "{report}");
        }
    }
}

#[test]
fn with_visited_states_each_state_is_left_in_every_way_once() {
    for (threads, times) in SIZES.into_iter().chain([(2, 20), (3, 6), (4, 4), (6, 2)]) {
        let report = adders(Explorer::builder(), threads as usize, times as usize);
        assert_eq!(report.states, states(threads, times), "{report}");
        assert_eq!(report.transitions, transitions(threads, times), "{report}");
        // No more executions than a search by depth makes: one, and one for each way to leave a state
        // that is not the first one.
        assert!(
            orders(&report) <= report.transitions - report.states + 1,
            "{report}"
        );
    }
}

#[test]
fn two_threads_have_as_many_executions_as_ways_from_one_to_the_other_border() {
    // The places of two threads are a square of k by k states. Of the ways from one diagonal to the next
    // one, 2·k where the diagonal is longest, each needs an execution of its own, and these are enough.
    for times in 1..=20 {
        let report = adders(Explorer::builder(), 2, times);
        assert_eq!(orders(&report), 2 * times as u64, "{report}");
    }
}

#[test]
fn who_says_nothing_is_taken_to_know_the_order() {
    // One section each: a state is the order of those that are through, of whom at least two are not:
    // for 4 threads 1 + 4 + 4·3. Nothing is met again: 4! executions.
    let report = Explorer::builder().check(|| {
        let sum = Arc::new(Mutex::new(0));
        run(4, |_| {
            let sum = sum.clone();
            move || *sum.lock() += 1
        });
    });
    assert_eq!((report.states, report.known), (17, 0), "{report}");
    assert_eq!(orders(&report), 24);
}

#[test]
fn sections_that_only_read_have_one_order() {
    for threads in 2..=5 {
        let report = readers(Explorer::builder(), threads);
        assert_eq!((report.executions, report.restarts), (1, 0), "{report}");
    }
}

#[test]
fn without_lock_awareness_readers_are_threads_like_others() {
    // Each state is a set of threads that have read.
    let alone = plain_with_visited_states();
    let report = readers(alone, 4);
    assert_eq!(report.states, states(4, 1), "{report}");
    assert_eq!(report.transitions, transitions(4, 1), "{report}");
    // Two of four threads are left, in 6 ways, and either of them is next: each needs an execution.
    assert_eq!(report.executions, 6 * 2, "{report}");
    // Without that: every order.
    assert_eq!(readers(plain(), 4).executions, 24);
}

fn plain_with_visited_states() -> Builder {
    let others = [
        Reduction::Forgetting,
        Reduction::Symmetry,
        Reduction::LockAware,
    ];
    others
        .into_iter()
        .fold(Explorer::builder(), Builder::without)
}

#[test]
fn one_that_writes_is_ordered_with_each_that_reads() {
    // n readers, one writer: the writer is before or behind each of the readers, in 2ⁿ ways. A state is
    // whether the writer has written, and who has read what; as far as two threads or more are left.
    for readers in 1..=3 {
        let (ends, report) = ends(Explorer::builder(), move || {
            let number = Arc::new(Monitor::new(7));
            let threads = (0..=readers).map(|thread| {
                let number = number.clone();
                let add = usize::from(thread == readers);
                thread::spawn(move || {
                    number.enter(|number| {
                        *number += add;
                        learn(&*number);
                        *number
                    })
                })
            });
            let threads: Vec<_> = threads.collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect::<Vec<_>>()
        });
        assert_eq!(ends, 1 << readers, "{report}");
    }
}

/// How many ends a program comes to.
fn ends<T: Ord + Send + 'static>(
    builder: Builder,
    program: impl Fn() -> T + Send + Sync + 'static,
) -> (usize, Report) {
    let ends: Arc<std::sync::Mutex<BTreeSet<T>>> = Arc::default();
    let report = builder.check({
        let ends = ends.clone();
        move || {
            let end = program();
            ends.lock().unwrap().insert(end);
        }
    });
    assert_eq!(report.verdict, Verdict::Exhausted, "{report}");
    let count = ends.lock().unwrap().len();
    (count, report)
}

#[test]
fn of_threads_that_are_alike_it_counts_how_many_have_come_how_far() {
    // Of 4 threads some have done 0, some 1, some both of their 2 sections: C(4+2, 2) ways; less the one
    // where all are through and the 2 where all but one are. Nobody waits for the threads: who does,
    // waits for one before the other.
    let builder = Explorer::builder().symmetries(permutations(4));
    let report = builder.check(|| {
        let sum = Arc::new(Mutex::new(0));
        for _ in 0..4 {
            let sum = sum.clone();
            thread::spawn(move || {
                for _ in 0..2 {
                    let mut sum = sum.lock();
                    *sum += 1;
                    describe(&sum);
                    learn(&());
                }
            });
        }
    });
    assert_eq!(report.verdict, Verdict::Exhausted, "{report}");
    assert_eq!(report.states, binomial(6, 2) - 1 - 2, "{report}");
}

/// All orders of the threads from 1 to `count`, behind the main one; the first changes nothing.
fn permutations(count: usize) -> Vec<Vec<usize>> {
    (1..=count).fold(vec![vec![0]], |shorter, next| {
        let longer = |order: &Vec<usize>| {
            let order = order.clone();
            (1..=order.len()).rev().map(move |place| {
                let mut longer = order.clone();
                longer.insert(place, next);
                longer
            })
        };
        shorter.iter().flat_map(longer).collect()
    })
}

/// The indexer of Flanagan and Godefroid ("Dynamic partial-order reduction for model checking software",
/// POPL 2005, figure 1), with a lock for each cell in the place of compare-and-swap. Each thread puts
/// four messages into a hash table, and tries the next cell where one is taken. Comes to the table.
fn indexer(threads: usize) -> (usize, Report) {
    const SIZE: usize = 128;
    ends(Explorer::builder(), move || {
        let table: Arc<Vec<Mutex<usize>>> = Arc::new((0..SIZE).map(|_| Mutex::new(0)).collect());
        run(threads, |thread| {
            let table = table.clone();
            move || {
                for message in (1..=4).map(|number| number * 11 + thread) {
                    let mut cell = message * 7 % SIZE;
                    while !put(&table[cell], message * 100 + thread) {
                        cell = (cell + 1) % SIZE;
                    }
                }
            }
        });
        inside(table)
    })
}

/// What is in each of many mutexes at the end. Takes no lock.
fn inside(mutexes: Arc<Vec<Mutex<usize>>>) -> Vec<usize> {
    let mutexes = Arc::into_inner(mutexes).expect("all threads have ended");
    mutexes.into_iter().map(Mutex::into_inner).collect()
}

/// Whether the cell was empty.
fn put(cell: &Mutex<usize>, message: usize) -> bool {
    let mut cell = cell.lock();
    let empty = *cell == 0;
    if empty {
        *cell = message;
    }
    describe(&cell);
    learn(&empty);
    empty
}

#[test]
fn up_to_11_threads_of_the_indexer_have_one_order() {
    // 11·m + t is another message for each m from 1 to 4 and each t below 11, and all are below 128, to
    // which 7 is prime: no two threads come to the same cell.
    for threads in [2, 11] {
        let (ends, report) = indexer(threads);
        assert_eq!((ends, report.executions), (1, 1), "{report}");
    }
}

#[test]
fn the_12th_thread_of_the_indexer_meets_the_first_one_three_times() {
    // 11·m + 11 = 11·(m + 1) + 0: the thread 11 sends for m = 1, 2, 3 what the thread 0 sends for 2, 3,
    // 4. Whoever comes second finds the next cell empty, which is nobody else's. Three times one of two
    // is first, whatever was before: 2³.
    let (ends, report) = indexer(12);
    assert_eq!(ends, 8, "{report}");
}

/// The file system of the same paper (figure 2): a lock for each inode and for each block. A thread gives
/// its inode a block, from where it looks for one that is not in use. Comes to the inodes.
fn file_system(threads: usize) -> (usize, Report) {
    const INODES: usize = 32;
    const BLOCKS: usize = 26;
    ends(Explorer::builder(), move || {
        let inodes: Arc<Vec<Mutex<usize>>> = Arc::new((0..INODES).map(|_| Mutex::new(0)).collect());
        let busy: Arc<Vec<Mutex<usize>>> = Arc::new((0..BLOCKS).map(|_| Mutex::new(0)).collect());
        run(threads, |thread| {
            let (inodes, busy) = (inodes.clone(), busy.clone());
            move || {
                let number = thread % INODES;
                let mut inode = inodes[number].lock();
                if *inode == 0 {
                    let mut block = number * 2 % BLOCKS;
                    while !put(&busy[block], 1) {
                        block = (block + 1) % BLOCKS;
                    }
                    *inode = block + 1;
                }
                describe(&inode);
                learn(&());
            }
        });
        inside(inodes)
    })
}

#[test]
fn up_to_13_threads_of_the_file_system_have_one_order() {
    // The thread t begins with the block 2·t, and there are 26.
    for threads in [2, 13] {
        let (ends, report) = file_system(threads);
        assert_eq!((ends, report.executions), (1, 1), "{report}");
    }
}

#[test]
fn more_threads_of_the_file_system_meet_in_pairs() {
    // The thread 13 + t begins where t does; whoever of the two is second takes the next block, where
    // nobody else looks. Each pair has two orders.
    for (threads, pairs) in [(14, 1), (15, 2), (16, 3), (18, 5)] {
        let (ends, report) = file_system(threads);
        assert_eq!(ends, 1 << pairs, "{report}");
    }
}
