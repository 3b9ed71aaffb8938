//! A program that tells the explorer less than the truth has outcomes that are missed. Each test shows
//! that the comparison with what is true can see that, and that the truth puts it right.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use nmr_explorer::Explorer;
use nmr_sync::{Mutex, describe, forget, learn, remember, thread, touch};

use super::programs::ends;

/// What is under one lock: something, and a list. Whatever two threads do with it has an order.
#[derive(Default, Hash)]
struct Shared<T> {
    data: T,
    list: Vec<u32>,
}

/// Runs two threads, each of which comes to a number and appends it twice, and tells the truth of that.
/// The shared data at last.
fn two<T: Default + Hash + Send + 'static>(
    bodies: [impl Fn(&Mutex<Shared<T>>) -> u32 + Send + 'static; 2],
) -> Shared<T> {
    let shared = Arc::new(Mutex::new(Shared::default()));
    let threads = bodies.map(|body| {
        let shared = shared.clone();
        thread::spawn(move || {
            let number = body(&shared);
            for _ in 0..2 {
                section(&shared, |shared| shared.list.push(number));
            }
        })
    });
    for thread in threads {
        thread.join().unwrap();
    }
    let shared = Arc::into_inner(shared).expect("all threads have ended");
    shared.into_inner()
}

/// A critical section that tells the truth: of the data, and that the thread takes nothing along.
fn section<T: Hash>(shared: &Mutex<Shared<T>>, change: impl FnOnce(&mut Shared<T>)) {
    let mut shared = shared.lock();
    change(&mut shared);
    describe(&shared);
    learn(&());
}

/// One thread comes to what `read` reads, another one writes a 1 and comes to 7.
fn reader_and_writer(read: fn(&Mutex<Shared<u32>>) -> u32) -> BTreeSet<Vec<u32>> {
    let write = |shared: &Mutex<Shared<u32>>| {
        section(shared, |shared| shared.data = 1);
        7
    };
    ends(Explorer::builder(), move || two([read, write]).list)
}

/// Reads a number, and says of it what `tell` says.
fn read(shared: &Mutex<Shared<u32>>, tell: fn(u32)) -> u32 {
    let shared = shared.lock();
    describe(&shared);
    tell(shared.data);
    shared.data
}

/// The truth has so many outcomes, of which the lie misses some and adds none.
fn assert_missed<T: Ord + std::fmt::Debug>(truth: &BTreeSet<T>, lie: &BTreeSet<T>, count: usize) {
    assert_eq!(truth.len(), count, "{truth:?}");
    assert!(lie.is_subset(truth) && lie.len() < count, "{lie:?}");
}

thread_local! {
    /// External state.
    static EXTERNAL: Cell<u32> = const { Cell::new(0) };
}

#[test]
fn external_state_left_out_of_the_hash_loses_outcomes() {
    let change = |by: u32| {
        move |shared: &Mutex<Shared<()>>| {
            section(shared, |_| {
                touch(0);
                EXTERNAL.set(EXTERNAL.get() * 10 + by);
            });
            by
        }
    };
    let program = move || {
        EXTERNAL.set(0);
        let list = two([change(1), change(2)]).list;
        (EXTERNAL.get(), list)
    };
    let told = Explorer::builder()
        .external_state(|state: &mut dyn Hasher| state.write_u32(EXTERNAL.get()));
    // 12 or 21, and for each all 6 orders of the appends.
    let truth = ends(told, program);
    // Where nobody says what it is, its history stands for it.
    assert_eq!(ends(Explorer::builder(), program), truth);
    let lie = ends(Explorer::builder().external_state(|_| {}), program);
    assert_missed(&truth, &lie, 12);
}

#[test]
fn what_is_learnt_is_not_told() {
    // 0 or 1 was read, and for each there are 6 orders of the appends.
    let truth = reader_and_writer(|shared| read(shared, |read| learn(&read)));
    let silence = reader_and_writer(|shared| read(shared, |_| {}));
    assert_eq!(
        silence, truth,
        "who says nothing is taken to know everything"
    );
    let lie = reader_and_writer(|shared| read(shared, |_| learn(&())));
    assert_missed(&truth, &lie, 12);
}

#[test]
fn what_is_kept_is_not_told_when_the_rest_is_forgotten() {
    let truth = reader_and_writer(|shared| {
        let read = read(shared, |_| {});
        forget(&("read", read));
        read
    });
    let lie = reader_and_writer(|shared| {
        let read = read(shared, |_| {});
        forget(&"read");
        read
    });
    assert_missed(&truth, &lie, 12);
}

#[test]
fn what_came_of_a_call_is_not_told() {
    let truth = reader_and_writer(|shared| {
        let before = remember();
        let read = read(shared, |_| {});
        before.and(&read);
        read
    });
    let lie = reader_and_writer(|shared| {
        let before = remember();
        let read = read(shared, |_| {});
        before.and(&());
        read
    });
    assert_missed(&truth, &lie, 12);
}

/// Two numbers, of which only the first is told if `LIES`.
#[derive(Default)]
struct Pair<const LIES: bool>(u32, u32);

impl<const LIES: bool> Hash for Pair<LIES> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
        if !LIES {
            self.1.hash(state);
        }
    }
}

/// Two threads that change the second of two numbers.
fn pair<const LIES: bool>() -> BTreeSet<(u32, Vec<u32>)> {
    ends(Explorer::builder(), || {
        let change = |by: u32| {
            move |shared: &Mutex<Shared<Pair<LIES>>>| {
                section(shared, |Shared { data, .. }| data.1 = data.1 * 10 + by);
                by
            }
        };
        let Shared { data, list } = two([change(1), change(2)]);
        (data.1, list)
    })
}

#[test]
fn a_field_is_left_out_of_a_hash() {
    // 12 or 21, and for each all 6 orders of the appends.
    assert_missed(&pair::<false>(), &pair::<true>(), 12);
}

#[test]
fn threads_that_are_not_alike_are_said_to_be() {
    // Both add 1; then the one doubles, the other one triples.
    let program = || {
        let number = Arc::new(Mutex::new(0));
        let start = |times: u32| {
            let number = number.clone();
            thread::spawn(move || {
                for (add, times) in [(1, 1), (0, times)] {
                    let mut number = number.lock();
                    *number = (*number + add) * times;
                    describe(&number);
                    learn(&());
                }
            })
        };
        for thread in [start(2), start(3)] {
            thread.join().unwrap();
        }
        Arc::into_inner(number).unwrap().into_inner()
    };
    // (1·2 + 1)·3, (1 + 1)·2·3, (1·3 + 1)·2.
    let truth = ends(Explorer::builder(), program);
    assert_eq!(truth, BTreeSet::from([9, 12, 8]));
    let alike = Explorer::builder().symmetries(vec![vec![0, 1, 2], vec![0, 2, 1]]);
    assert_missed(&truth, &ends(alike, program), 3);
}
