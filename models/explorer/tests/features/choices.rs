//! A choice of data comes out in every way.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use nmr_explorer::{Explorer, choose};
use nmr_sync::{Mutex, choose_among, describe, learn, thread, unordered};

use super::programs::{ends, ends_and_report, found};

#[test]
fn every_number_comes_out() {
    let ends = ends(Explorer::builder(), || choose(5));
    assert_eq!(ends, (0..5).collect());
}

#[test]
fn a_choice_of_one_is_none() {
    let (ends, report) = ends_and_report(Explorer::builder(), || choose(1));
    assert_eq!((ends, report.executions), (BTreeSet::from([0]), 1));
}

#[test]
fn nothing_to_choose_from_is_a_mistake_of_the_program() {
    let report = Explorer::builder().check(|| {
        let _ = choose(0);
    });
    assert!(
        found(&report).message().contains("no number below 0"),
        "{report}"
    );
}

#[test]
fn choices_follow_on_choices() {
    // Of so many as came out before: 0, 1·(0), 2·(0, 1), 3·(0, 1, 2): 1 + 1 + 2 + 3 ends.
    let (ends, report) = ends_and_report(Explorer::builder(), || {
        let first = choose(4);
        let second = if first == 0 { 0 } else { choose(first) };
        (first, second)
    });
    let expected = (0..4).flat_map(|first| (0..first.max(1)).map(move |second| (first, second)));
    assert_eq!(ends, expected.collect());
    assert_eq!(report.executions, 7);
}

/// In no order.
struct Bag(Vec<u32>);

impl Hash for Bag {
    fn hash<H: Hasher>(&self, state: &mut H) {
        unordered(&self.0, state);
    }
}

#[test]
fn what_is_chosen_among_is_known_by_what_it_is_and_not_by_its_place() {
    let (ends, report) = ends_and_report(Explorer::builder(), || {
        let lock = Arc::new(Mutex::new(Bag(Vec::new())));
        let pushes = |lock: Arc<Mutex<Bag>>, what| {
            thread::spawn(move || {
                let mut all = lock.lock();
                all.0.push(what);
                describe(&all);
                learn(&());
            })
        };
        let threads = [pushes(lock.clone(), 7), pushes(lock.clone(), 9)];
        threads.into_iter().for_each(|one| one.join().unwrap());
        let all = lock.lock();
        all.0[choose_among(&all.0)]
    });
    assert_eq!(ends, BTreeSet::from([7, 9]));
    // One order with each choice; the other order ends where the choices are known.
    assert_eq!(report.executions, 3);
}

#[test]
fn choices_of_several_threads_are_combined() {
    let choices = || {
        let chooser = || thread::spawn(|| choose(3));
        let choosers = [chooser(), chooser()];
        choosers.map(|chooser| chooser.join().unwrap())
    };
    let (ends, report) = ends_and_report(Explorer::builder(), choices);
    let all = (0..3).flat_map(|one| (0..3).map(move |other| [one, other]));
    assert_eq!(ends, all.collect());
    // The order of choices that nobody else can notice is none.
    assert_eq!(report.executions, 9);
}

#[test]
fn a_choice_in_a_critical_section_is_seen_by_the_next() {
    let program = || {
        let number = Arc::new(Mutex::new(0));
        let other = number.clone();
        let thread = thread::spawn(move || {
            let mut number = other.lock();
            *number = *number * 10 + 1 + choose(2);
        });
        {
            let mut number = number.lock();
            *number = *number * 10 + 3 + choose(2);
        }
        thread.join().unwrap();
        Arc::into_inner(number).unwrap().into_inner()
    };
    let expected = BTreeSet::from([13, 14, 23, 24, 31, 32, 41, 42]);
    assert_eq!(ends(Explorer::builder(), program), expected);
}

#[test]
fn a_choice_that_goes_wrong_needs_no_preemption() {
    let report = Explorer::builder().check(|| {
        let number = Arc::new(Mutex::new(0));
        let choose_and_add = || {
            let number = number.clone();
            thread::spawn(move || {
                let chosen = choose(2);
                *number.lock() += chosen;
                *number.lock() += chosen;
            })
        };
        for thread in [choose_and_add(), choose_and_add()] {
            thread.join().unwrap();
        }
        let sum = Arc::into_inner(number).unwrap().into_inner();
        assert_ne!(sum, 4, "both have chosen 1");
    });
    let found = found(&report);
    assert_eq!((found.preemptions, found.is_minimal), (0, true), "{report}");
}
