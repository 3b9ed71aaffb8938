//! What a thread knows of a critical section before it has left it: whatever it does meanwhile depends on
//! that, and does so still when the thread has forgotten it.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;

use nmr_explorer::{Explorer, Reduction, choose};
use nmr_sync::atomic::{AtomicUsize, Ordering::SeqCst};
use nmr_sync::{Mutex, describe, forget, learn, remember, thread, touch};

use super::programs::{ends, run_all};

/// What is under one lock: a number that the second thread sets to 1, and a list to which both threads
/// append at last. Whatever two threads do with it has an order.
#[derive(Default, Hash)]
struct Shared {
    number: u32,
    list: Vec<u32>,
}

/// A critical section that tells the truth: of the data, and that the thread takes nothing along.
fn section(shared: &Mutex<Shared>, change: impl FnOnce(&mut Shared)) {
    let mut shared = shared.lock();
    change(&mut shared);
    describe(&shared);
    learn(&());
}

/// A critical section that changes nothing, and does not say what the thread takes along: that `inside`
/// was given the number the thread knows only from here on.
fn read<R>(shared: &Mutex<Shared>, inside: impl FnOnce(u32) -> R) -> R {
    let shared = shared.lock();
    describe(&shared);
    inside(shared.number)
}

/// Runs a thread that reads the number and appends, and comes to what it read, and another one that sets
/// the number to 1 and appends. Whichever is first, both can then append in both orders.
fn both_numbers_are_told_apart(reader: fn(&Mutex<Shared>) -> u32) {
    let program = move || {
        let shared: Arc<Mutex<Shared>> = Arc::default();
        let (first, second) = (shared.clone(), shared.clone());
        let first = thread::spawn(move || reader(&first));
        let second = thread::spawn(move || {
            section(&second, |shared| shared.number = 1);
            section(&second, |shared| shared.list.push(8));
        });
        let read = first.join().unwrap();
        second.join().unwrap();
        let shared = Arc::into_inner(shared).expect("all threads have ended");
        (read, shared.into_inner().list)
    };
    let all = [0, 1].map(|read| [(read, vec![7, 8]), (read, vec![8, 7])]);
    let all: BTreeSet<_> = all.into_iter().flatten().collect();
    assert_eq!(ends(Explorer::builder(), program), all);
    let every_order = Explorer::builder().without(Reduction::VisitedStates);
    assert_eq!(ends(every_order, program), all);
}

/// What the reader does when it has read.
fn forget_and_append(shared: &Mutex<Shared>) {
    forget(&"has read");
    section(shared, |shared| shared.list.push(7));
}

#[test]
fn data_without_a_description_are_changed_inside() {
    both_numbers_are_told_apart(|shared| {
        let untold = Mutex::new(9);
        read(shared, |number| *untold.lock() = number);
        forget_and_append(shared);
        untold.into_inner()
    });
}

#[test]
fn a_mutex_is_made_inside() {
    both_numbers_are_told_apart(|shared| {
        let made = read(shared, Mutex::new);
        forget_and_append(shared);
        made.into_inner()
    });
}

#[test]
fn a_thread_is_started_inside() {
    both_numbers_are_told_apart(|shared| {
        let started = read(shared, |number| thread::spawn(move || number));
        forget_and_append(shared);
        started.join().unwrap()
    });
}

#[test]
fn external_state_is_changed_inside() {
    thread_local! {
        /// Nobody says what it is.
        static EXTERNAL: Cell<u32> = const { Cell::new(0) };
    }
    both_numbers_are_told_apart(|shared| {
        read(shared, |number| {
            touch(0);
            EXTERNAL.set(number);
        });
        forget_and_append(shared);
        EXTERNAL.get()
    });
}

#[test]
fn a_call_begins_inside() {
    both_numbers_are_told_apart(|shared| {
        let (number, before) = read(shared, |number| {
            let before = remember();
            // That it knew the number, and nothing else.
            before.and(&());
            (number, before)
        });
        section(shared, |shared| shared.list.push(7));
        drop(before);
        number
    });
}

#[test]
fn a_call_begins_inside_and_answers_outside() {
    both_numbers_are_told_apart(|shared| {
        let (number, before) = read(shared, |number| (number, remember()));
        before.and(&());
        section(shared, |shared| shared.list.push(7));
        number
    });
}

/// What two threads have left behind, whoever was last, and whether the main thread sees a flag set later: both, of each.
fn what_is_left_is_told_apart(left: impl Fn() -> usize + Clone + Send + Sync + 'static) {
    let program = move || {
        let left = left();
        let flag = Arc::new(AtomicUsize::new(0));
        let other = flag.clone();
        let setting = thread::spawn(move || other.store(1, SeqCst));
        let seen = flag.load(SeqCst);
        setting.join().unwrap();
        (left, seen)
    };
    let all = BTreeSet::from([(1, 0), (1, 1), (2, 0), (2, 1)]);
    assert_eq!(ends(Explorer::builder(), program.clone()), all);
    let every_order = Explorer::builder().without(Reduction::VisitedStates);
    assert_eq!(ends(every_order, program), all);
}

/// Two threads that each leave their number behind, and learn nothing of the other one.
fn left_by_two<T: Send + Sync + 'static>(made: T, leave: fn(&T, usize)) -> T {
    let made = Arc::new(made);
    let leaving = |number| -> Box<dyn FnOnce() + Send> {
        let made = made.clone();
        Box::new(move || leave(&made, number))
    };
    run_all(vec![leaving(1), leaving(2)]);
    Arc::into_inner(made).expect("both have ended")
}

fn put(into: &Mutex<usize>, number: usize) {
    let mut into = into.lock();
    *into = number;
    describe(&into);
    learn(&());
}

#[test]
fn what_is_taken_out_of_an_atomic_is_known() {
    what_is_left_is_told_apart(|| {
        let store = |atomic: &AtomicUsize, number| atomic.store(number, SeqCst);
        left_by_two(AtomicUsize::new(0), store).into_inner()
    });
}

#[test]
fn what_is_taken_out_of_a_mutex_is_known() {
    what_is_left_is_told_apart(|| left_by_two(Mutex::new(0), put).into_inner());
}

#[test]
fn what_a_mutex_protects_is_known_to_who_has_it_for_itself() {
    what_is_left_is_told_apart(|| *left_by_two(Mutex::new(0), put).get_mut());
    what_is_left_is_told_apart(|| {
        let mut mutex = left_by_two(Mutex::new(0), put);
        *mutex.get_mut() *= 10;
        let guard = mutex.lock();
        describe(&guard);
        *guard / 10
    });
    // What was changed without the lock is not what was described last.
    what_is_left_is_told_apart(|| {
        let mut mutex = left_by_two(Mutex::new(0), |_, _| ());
        let chosen = choose(2) + 1;
        *mutex.get_mut() = chosen;
        forget(&());
        mutex.into_inner()
    });
}

#[test]
fn what_is_dropped_with_a_mutex_is_known_to_its_destructor() {
    /// Tells what it was at last.
    #[derive(Hash)]
    struct Tells(usize, Told);
    struct Told(Arc<std::sync::atomic::AtomicUsize>);
    impl std::hash::Hash for Told {
        fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
    }
    impl Drop for Tells {
        fn drop(&mut self) {
            self.1.0.store(self.0, SeqCst);
        }
    }
    what_is_left_is_told_apart(|| {
        let told = Told(Arc::default());
        let last = told.0.clone();
        let mutex = Mutex::new(Tells(0, told));
        drop(left_by_two(mutex, |mutex, number| {
            let mut tells = mutex.lock();
            tells.0 = number;
            describe(&tells);
            learn(&());
        }));
        last.load(SeqCst)
    });
}
