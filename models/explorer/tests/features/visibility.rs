//! What may happen before or after what: operations that nobody seemed to notice, until somebody did.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use nmr_explorer::{Builder, Explorer, Reduction, choose};
use nmr_sync::{Condvar, Monitor, Mutex, describe, linger, thread, touch};

use super::programs::{ends, ends_and_report, found};

/// A search with all reductions, one without each of them, and one without any.
fn builders() -> Vec<Builder> {
    let all = Reduction::ALL.into_iter();
    let none = all.clone().fold(Explorer::builder(), Builder::without);
    let mut builders: Vec<Builder> = all.map(|one| Explorer::builder().without(one)).collect();
    builders.extend([Explorer::builder(), none]);
    builders
}

#[test]
fn a_notification_without_the_lock_can_come_before_the_sleep() {
    for builder in builders() {
        let report = builder.check(|| {
            let changed = Arc::new(Condvar::new());
            let notifier = changed.clone();
            let thread = thread::spawn(move || notifier.notify_all());
            // Nobody else uses the lock.
            let lock = Mutex::new(());
            let mut guard = lock.lock();
            changed.wait(&mut guard);
            drop(guard);
            thread.join().unwrap();
        });
        let message = found(&report).message();
        assert!(message.contains("missed the notification"), "{report}");
    }
}

#[test]
fn a_notification_without_the_lock_can_come_before_a_choice_and_the_sleep() {
    for builder in builders() {
        let report = builder.check(|| {
            let changed = Arc::new(Condvar::new());
            let notifier = changed.clone();
            let sleeper = thread::spawn(move || {
                let lock = Mutex::new(0);
                let mut guard = lock.lock();
                *guard = choose(2);
                changed.wait(&mut guard);
            });
            let notifier = thread::spawn(move || notifier.notify_all());
            sleeper.join().unwrap();
            notifier.join().unwrap();
        });
        let message = found(&report).message();
        assert!(message.contains("missed the notification"), "{report}");
    }
}

/// A thread that says, with one lock held, that it is about to sleep, and then does; and one that waits
/// for that and notifies without the lock.
fn about_to_sleep(say: fn(&Monitor<bool>)) {
    for builder in builders() {
        let report = builder.check(move || {
            let ready = Arc::new(Monitor::new(false));
            let changed = Arc::new(Condvar::new());
            let (is_ready, notifier) = (ready.clone(), changed.clone());
            let notifier = thread::spawn(move || {
                is_ready.wait_until(|ready| ready.then_some(()));
                notifier.notify_all();
            });
            let lock = Mutex::new(());
            let mut guard = lock.lock();
            say(&ready);
            // The notifier can be through already.
            changed.wait(&mut guard);
            drop(guard);
            notifier.join().unwrap();
        });
        let message = found(&report).message();
        assert!(message.contains("missed the notification"), "{report}");
    }
}

#[test]
fn a_notification_without_the_lock_can_come_between_another_section_and_the_sleep() {
    about_to_sleep(|ready| {
        ready.enter_then_notify(|ready| {
            *ready = true;
            ((), true)
        });
    });
}

#[test]
fn a_notification_without_the_lock_can_come_between_two_other_sections_and_the_sleep() {
    about_to_sleep(|ready| {
        ready.enter_then_notify(|ready| {
            *ready = true;
            ((), true)
        });
        let own = Mutex::new(0);
        *own.lock() += 1;
    });
}

#[test]
fn whoever_could_wake_without_a_reason_is_stuck_all_the_same() {
    for builder in builders() {
        let report = builder.spurious_wakeups().check(|| {
            let lock = Mutex::new(());
            let mut guard = lock.lock();
            Condvar::new().wait(&mut guard);
        });
        assert!(found(&report).message().starts_with("deadlock"), "{report}");
    }
}

#[test]
fn a_lock_that_is_tried_only_sometimes_is_held_sometimes() {
    // The second thread tries the first lock if the first thread has set the number before.
    let program = || {
        let shared = Arc::new((Mutex::new(0), Mutex::new(0)));
        let (one, other) = (shared.clone(), shared.clone());
        let set = thread::spawn(move || {
            *one.1.lock() = 1;
            *one.0.lock() += 1;
        });
        let try_it = thread::spawn(move || {
            let number = *other.1.lock();
            match number {
                0 => None,
                _ => Some(other.0.try_lock().map(|number| *number)),
            }
        });
        set.join().unwrap();
        try_it.join().unwrap()
    };
    let all = BTreeSet::from([None, Some(None), Some(Some(0)), Some(Some(1))]);
    for builder in builders() {
        let (ends, report) = ends_and_report(builder, program);
        assert_eq!(ends, all, "{report}");
    }
}

thread_local! {
    /// The order in which threads have come to something that is no primitive.
    static EXTERNAL: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

fn note(number: u32) {
    touch(0);
    EXTERNAL.with_borrow_mut(|numbers| numbers.push(number));
}

/// What a thread does with a lock, with what touches the same thing as another thread, and its number.
type Before = fn(&Mutex<u32>, fn(u32), u32);

/// Both orders in which two threads can come to something are found, whatever each does before.
fn both_orders_are_found(before: Before) {
    let program = move || {
        EXTERNAL.take();
        let come = |number: u32| {
            thread::spawn(move || {
                let own = Mutex::new(0);
                before(&own, note, number);
            })
        };
        for thread in [come(1), come(2)] {
            thread.join().unwrap();
        }
        EXTERNAL.take()
    };
    for builder in builders() {
        let (ends, report) = ends_and_report(builder, program);
        assert_eq!(ends, BTreeSet::from([vec![1, 2], vec![2, 1]]), "{report}");
    }
}

#[test]
fn what_is_touched_in_a_section_is_ordered() {
    both_orders_are_found(|own, note, number| {
        let mut guard = own.lock();
        *guard += 1;
        note(number);
    });
}

#[test]
fn what_is_touched_behind_a_section_is_ordered() {
    both_orders_are_found(|own, note, number| {
        *own.lock() += 1;
        note(number);
    });
}

#[test]
fn what_is_touched_behind_a_try_is_ordered() {
    both_orders_are_found(|own, note, number| {
        drop(own.try_lock());
        note(number);
    });
}

#[test]
fn what_is_touched_behind_a_notification_is_ordered() {
    both_orders_are_found(|_, note, number| {
        Condvar::new().notify_all();
        note(number);
    });
}

#[test]
fn what_is_touched_behind_a_notification_in_a_section_is_ordered() {
    both_orders_are_found(|own, note, number| {
        let _section = own.lock();
        Condvar::new().notify_one();
        note(number);
    });
}

#[test]
fn what_is_touched_behind_two_sections_of_which_one_is_noticed_is_ordered() {
    both_orders_are_found(|own, note, number| {
        *own.lock() += 1;
        let other = Mutex::new(0);
        *other.lock() += 1;
        note(number);
    });
}

#[test]
fn what_is_touched_behind_the_start_of_a_thread_is_ordered() {
    both_orders_are_found(|own, note, number| {
        *own.lock() += 1;
        let started = thread::spawn(|| {});
        note(number);
        started.join().unwrap();
    });
}

#[test]
fn what_is_touched_behind_the_end_of_a_thread_is_ordered() {
    both_orders_are_found(|own, note, number| {
        *own.lock() += 1;
        thread::spawn(|| {}).join().unwrap();
        note(number);
    });
}

#[test]
fn what_is_touched_behind_a_linger_is_ordered() {
    both_orders_are_found(|_, note, number| {
        linger();
        note(number);
    });
}

#[test]
fn what_is_touched_behind_a_linger_and_a_section_is_ordered() {
    both_orders_are_found(|own, note, number| {
        linger();
        *own.lock() += 1;
        note(number);
    });
}

#[test]
fn what_is_touched_behind_a_choice_is_ordered() {
    both_orders_are_found(|own, note, number| {
        *own.lock() += 1;
        let _ = choose(2);
        note(number);
    });
}

#[test]
fn what_is_touched_behind_one_of_two_choices_is_ordered() {
    let program = || {
        EXTERNAL.take();
        let chooser = thread::spawn(|| {
            let chosen = choose(2);
            if chosen == 1 {
                note(1);
            }
            chosen
        });
        let other = thread::spawn(|| note(2));
        let chosen = chooser.join().unwrap();
        other.join().unwrap();
        (chosen, EXTERNAL.take())
    };
    let all = BTreeSet::from([(0, vec![2]), (1, vec![1, 2]), (1, vec![2, 1])]);
    for builder in builders() {
        let (ends, report) = ends_and_report(builder, program);
        assert_eq!(ends, all, "{report}");
    }
}

#[test]
fn a_lock_whose_sections_only_read_is_ordered_with_the_one_that_writes() {
    let program = || {
        let number = Arc::new(Mutex::new(0));
        let read = || {
            let number = number.clone();
            thread::spawn(move || {
                let number = number.lock();
                describe(&number);
                *number
            })
        };
        let readers = [read(), read()];
        {
            let mut number = number.lock();
            *number = 1;
            describe(&number);
        }
        readers.map(|reader| reader.join().unwrap())
    };
    let all = BTreeSet::from([[0, 0], [0, 1], [1, 0], [1, 1]]);
    for builder in builders() {
        assert_eq!(ends(builder, program), all);
    }
}

#[test]
fn what_lingers_in_a_section_is_over_when_the_section_is() {
    let program = || {
        let list = Arc::new(Mutex::new(Vec::new()));
        let other = list.clone();
        let lingering = thread::spawn(move || {
            let mut list = other.lock();
            list.push(1);
            linger();
            drop(list);
            other.lock().push(2);
        });
        let other = list.clone();
        let thread = thread::spawn(move || other.lock().push(3));
        lingering.join().unwrap();
        thread.join().unwrap();
        list.lock().clone()
    };
    let all = BTreeSet::from([vec![1, 2, 3], vec![1, 3, 2], vec![3, 1, 2]]);
    for builder in builders() {
        assert_eq!(ends(builder, program), all);
    }
}
