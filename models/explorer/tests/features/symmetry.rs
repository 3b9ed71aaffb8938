//! Threads that are alike are exchanged together with all that names them, and nothing else is left out.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use nmr_explorer::{Builder, Explorer, choose};
use nmr_sync::hook::image;
use nmr_sync::{Condvar, Mutex, describe, forget, learn, thread};

use super::programs::{ends, ends_and_report};

/// A thread's number, which is hashed as its image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Number(usize);

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        image(self.0).hash(state);
    }
}

fn three_alike() -> Builder {
    let orders = [
        [1, 2, 3],
        [1, 3, 2],
        [2, 1, 3],
        [2, 3, 1],
        [3, 1, 2],
        [3, 2, 1],
    ];
    let with_main = orders.map(|order| [&[0], order.as_slice()].concat());
    Explorer::builder().symmetries(with_main.to_vec())
}

/// Three threads leave their names in one place, each of them twice. Nobody waits for them: who does, waits
/// for one before the other.
fn names_left(builder: Builder) -> u64 {
    let (_, report) = ends_and_report(builder, || {
        let last = Arc::new(Mutex::new(None));
        for number in 1..=3 {
            let last = last.clone();
            thread::spawn(move || {
                for _ in 0..2 {
                    let mut last = last.lock();
                    *last = Some(Number(number));
                    describe(&last);
                    learn(&());
                }
            });
        }
    });
    report.states
}

#[test]
fn a_name_in_the_data_goes_with_its_thread() {
    // How often each thread has been there, and who was last: with two threads or more that go on, and the
    // last one among those that have been there. Nobody was: 1. The counts 1, 0, 0, each of three in each
    // place, last is the 1: 3. Of 2, 0, 0: 3. Of 1, 1, 0, either last: 3 · 2. Of 2, 1, 0: 6 · 2. Of 1, 1, 1:
    // 3. Of 2, 1, 1: 3 · 3. All in all 37.
    assert_eq!(names_left(Explorer::builder()), 37);
    // The same without the places: 1 + 1 + 1 + 1 + 2 + 1 + 2, for of two or three that have been there as
    // often one is as good as the other.
    assert_eq!(names_left(three_alike()), 9);
}

/// What two threads have chosen that sleep, and what that one has chosen which was woken first.
#[derive(Default, Hash)]
struct Sleepers {
    chosen: Vec<usize>,
    first: Option<usize>,
}

/// Two threads choose a number and fall asleep; when both do so, one of them is woken. What was chosen,
/// and what by the one that was woken.
fn woken(builder: Builder) -> BTreeSet<(Vec<usize>, Option<usize>)> {
    ends(builder, || {
        let sleepers = Arc::new((
            Mutex::new(Sleepers::default()),
            Condvar::new(),
            Condvar::new(),
        ));
        for _ in 0..2 {
            let sleepers = sleepers.clone();
            thread::spawn(move || {
                let (mutex, changed, wake) = &*sleepers;
                let chosen = choose(2);
                let mut sleepers = mutex.lock();
                sleepers.chosen.push(chosen);
                sleepers.chosen.sort_unstable();
                describe(&sleepers);
                learn(&());
                changed.notify_one();
                wake.wait(&mut sleepers);
                sleepers.first.get_or_insert(chosen);
                describe(&sleepers);
                learn(&());
                changed.notify_one();
            });
        }
        let (mutex, changed, wake) = &*sleepers;
        let mut sleepers = mutex.lock();
        while sleepers.chosen.len() < 2 {
            // What the first one has chosen it does not take along.
            learn(&());
            changed.wait(&mut sleepers);
        }
        learn(&());
        forget(&"all are asleep");
        wake.notify_one();
        while sleepers.first.is_none() {
            changed.wait(&mut sleepers);
        }
        wake.notify_all();
        (sleepers.chosen.clone(), sleepers.first)
    })
}

#[test]
fn whoever_of_threads_that_are_alike_can_be_woken_is() {
    let chosen = [
        (vec![0, 0], Some(0)),
        (vec![0, 1], Some(0)),
        (vec![0, 1], Some(1)),
        (vec![1, 1], Some(1)),
    ];
    let alike = Explorer::builder().symmetries(vec![vec![0, 1, 2], vec![0, 2, 1]]);
    for builder in [Explorer::builder(), alike] {
        assert_eq!(woken(builder), BTreeSet::from(chosen.clone()));
    }
}
