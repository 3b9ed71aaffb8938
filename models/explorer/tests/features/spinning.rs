//! A thread that looks again and again waits for a change, and goes on where it comes.

use std::collections::BTreeSet;
use std::sync::Arc;

use nmr_explorer::{Builder, Explorer, Reduction, Verdict};
use nmr_sync::atomic::{AtomicUsize, Ordering::SeqCst};
use nmr_sync::{Mutex, describe, forget, learn, thread};

use super::livelocks::assert_livelock;
use super::programs::ends_and_report;

/// Every way to search.
pub(super) fn builders() -> Vec<Builder> {
    let all = Reduction::ALL.into_iter();
    let mut builders: Vec<Builder> = all.map(|one| Explorer::builder().without(one)).collect();
    builders.extend([1, 3].map(|workers| Explorer::builder().workers(workers)));
    builders.push(Explorer::builder().spurious_wakeups());
    builders
}

/// Each search comes to its end, and to these ends of the program.
pub(super) fn exhausts<T: Ord + Clone + Send + std::fmt::Debug + 'static>(
    ends: &[T],
    program: impl Fn() -> T + Clone + Send + Sync + 'static,
) {
    for builder in builders() {
        let (seen, report) = ends_and_report(builder, program.clone());
        assert_eq!(report.verdict, Verdict::Exhausted, "{report}");
        assert_eq!(seen, BTreeSet::from_iter(ends.iter().cloned()), "{report}");
    }
}

#[test]
fn who_waits_for_a_flag_sees_it_set() {
    exhausts(&[()], || {
        let flag = Arc::new(Mutex::new(false));
        let other = flag.clone();
        let thread = thread::spawn(move || *other.lock() = true);
        while !*flag.lock() {
            thread::yield_now();
        }
        thread.join().unwrap();
    });
}

#[test]
fn who_tries_a_lock_again_and_again_gets_it() {
    exhausts(&[2], || {
        let count = Arc::new(Mutex::new(0));
        let threads = [(); 2].map(|()| {
            let count = count.clone();
            thread::spawn(move || {
                loop {
                    if let Some(mut count) = count.try_lock() {
                        *count += 1;
                        break;
                    }
                    thread::yield_now();
                }
            })
        });
        for thread in threads {
            thread.join().unwrap();
        }
        *count.lock()
    });
}

#[test]
fn a_lock_made_of_an_atomic_excludes() {
    exhausts(&[2], || {
        let state = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
        let add = |state: &(AtomicUsize, AtomicUsize)| {
            let take = |taken| (taken == 0).then_some(1);
            while state.0.fetch_update(SeqCst, SeqCst, take).is_err() {
                thread::yield_now();
            }
            let read = state.1.load(SeqCst);
            state.1.store(read + 1, SeqCst);
            state.0.store(0, SeqCst);
        };
        let other = state.clone();
        let thread = thread::spawn(move || add(&other));
        add(&state);
        thread.join().unwrap();
        state.1.load(SeqCst)
    });
}

#[test]
fn whoever_spins_sees_every_value_that_comes_and_stays() {
    // It may come late, and see the last one only.
    exhausts(&[vec![2], vec![1, 2]], || {
        let step = Arc::new(AtomicUsize::new(0));
        let other = step.clone();
        let thread = thread::spawn(move || {
            other.store(1, SeqCst);
            other.store(2, SeqCst);
        });
        let mut seen = Vec::new();
        loop {
            let now = step.load(SeqCst);
            if now > 0 && seen.last() != Some(&now) {
                seen.push(now);
            }
            if now == 2 {
                break;
            }
            thread::yield_now();
        }
        thread.join().unwrap();
        seen
    });
}

/// However often it has looked, up to where it waits, and whether it goes on before the other thread does.
const ROUNDS_AND_LATER: [(u32, usize); 6] = [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)];

#[test]
fn who_waits_goes_on_at_the_change_and_before_what_comes_then() {
    exhausts(&ROUNDS_AND_LATER, || {
        let state = Arc::new((Mutex::new(false), AtomicUsize::new(0)));
        let other = state.clone();
        let thread = thread::spawn(move || {
            *other.0.lock() = true;
            other.1.store(1, SeqCst);
        });
        let mut rounds = 0;
        while !*state.0.lock() {
            rounds += 1;
            thread::yield_now();
        }
        let later = state.1.load(SeqCst);
        thread.join().unwrap();
        (rounds, later)
    });
    exhausts(&ROUNDS_AND_LATER, || {
        let state = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
        let other = state.clone();
        let thread = thread::spawn(move || {
            other.0.store(1, SeqCst);
            other.1.store(1, SeqCst);
        });
        let mut rounds = 0;
        while state.0.load(SeqCst) == 0 {
            rounds += 1;
            thread::yield_now();
        }
        let later = state.1.load(SeqCst);
        thread.join().unwrap();
        (rounds, later)
    });
}

#[test]
fn who_tries_a_lock_goes_on_when_it_is_released_and_before_what_comes_then() {
    exhausts(&ROUNDS_AND_LATER, || {
        let state = Arc::new((Mutex::new(()), AtomicUsize::new(0)));
        let other = state.clone();
        let thread = thread::spawn(move || {
            drop(other.0.lock());
            other.1.store(1, SeqCst);
        });
        let mut rounds = 0;
        while state.0.try_lock().is_none() {
            rounds += 1;
            thread::yield_now();
        }
        let later = state.1.load(SeqCst);
        thread.join().unwrap();
        (rounds, later)
    });
}

#[test]
fn who_counts_its_rounds_gives_up_where_nobody_else_can_go_on() {
    exhausts(&[100], || {
        let flag = Mutex::new(false);
        let mut rounds = 0;
        while !*flag.lock() && rounds < 100 {
            rounds += 1;
            thread::yield_now();
        }
        rounds
    });
}

#[test]
fn who_says_that_it_counts_gives_up_at_any_time() {
    let program = |says: bool| {
        move || {
            let flag = Arc::new(Mutex::new(false));
            let other = flag.clone();
            let thread = thread::spawn(move || *other.lock() = true);
            let mut rounds = 0;
            while !*flag.lock() && rounds < 4 {
                rounds += 1;
                if says {
                    learn(&rounds);
                }
                thread::yield_now();
            }
            thread.join().unwrap();
            rounds
        }
    };
    exhausts(&[0, 1, 2, 3, 4], program(true));
    for builder in builders() {
        let (seen, report) = ends_and_report(builder, program(false));
        let Verdict::Incomplete(why) = &report.verdict else {
            panic!("{seen:?}: {report}");
        };
        assert!(why.contains("say in each round"), "{why}");
    }
}

/// A thread that waits for a while in some way and sets a flag then; whether the main thread sees that.
fn sets_later(waits: fn(&AtomicUsize)) -> impl Fn() -> usize + Clone + Send + Sync + 'static {
    move || {
        let state = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
        let other = state.clone();
        let thread = thread::spawn(move || {
            waits(&other.0);
            other.1.store(1, SeqCst);
        });
        let seen = state.1.load(SeqCst);
        thread.join().unwrap();
        seen
    }
}

/// Lets others go first, a few times.
fn backs_off(_: &AtomicUsize) {
    for _ in 0..3 {
        thread::yield_now();
    }
}

/// Looks for what never comes, a few times.
fn looks_a_few_times(at: &AtomicUsize) {
    for _ in 0..3 {
        if at.load(SeqCst) == 7 {
            return;
        }
        thread::yield_now();
    }
}

/// Yields at one place, and at another one.
fn yields_on_its_way(_: &AtomicUsize) {
    thread::yield_now();
    thread::yield_now();
}

#[test]
fn who_gives_up_after_others_went_on_might_have_done_so_before_and_nothing_is_exhausted() {
    for waits in [backs_off, looks_a_few_times, yields_on_its_way] {
        for builder in builders() {
            let (seen, report) = ends_and_report(builder, sets_later(waits));
            let Verdict::Incomplete(why) = &report.verdict else {
                panic!("{seen:?}: {report}");
            };
            assert!(why.contains("say in each round"), "{why}");
            assert!(why.contains(file!()), "{why}");
        }
    }
    exhausts(
        &[0, 1],
        sets_later(|_| {
            for count in 0..3 {
                learn(&count);
                thread::yield_now();
            }
        }),
    );
}

#[test]
fn that_somebody_gave_up_is_known_after_a_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let search = || {
        let search = Explorer::builder().checkpoint(folder.path().join("checkpoint"));
        search.check(|| {
            let _seen = sets_later(backs_off)();
        })
    };
    let (all, rest) = (search(), search());
    assert_eq!(rest.executions, 0, "{rest}");
    assert!(matches!(all.verdict, Verdict::Incomplete(_)), "{all}");
    assert_eq!(rest.verdict, all.verdict, "{rest}");
}

#[test]
fn rounds_with_anything_but_looks_are_explored_in_every_order() {
    exhausts(&[0, 1, 2, 3], || {
        let count = Arc::new(Mutex::new(0));
        let other = count.clone();
        let thread = thread::spawn(move || {
            for _ in 0..3 {
                *other.lock() += 1;
                thread::yield_now();
            }
        });
        let seen = *count.lock();
        thread.join().unwrap();
        seen
    });
}

#[test]
fn a_borrow_that_changes_nothing_is_a_look_if_it_is_described() {
    let wait = |queue: &Mutex<Vec<u32>>| {
        loop {
            let mut guard = queue.lock();
            let got = guard.pop();
            describe(&guard);
            drop(guard);
            if let Some(got) = got {
                return got;
            }
            forget(&());
            thread::yield_now();
        }
    };
    exhausts(&[7], move || {
        let queue = Arc::new(Mutex::new(Vec::new()));
        let other = queue.clone();
        let thread = thread::spawn(move || {
            let mut queue = other.lock();
            queue.push(7);
            describe(&queue);
        });
        let got = wait(&queue);
        thread.join().unwrap();
        got
    });
    assert_livelock(1, move || {
        let _never = wait(&Mutex::new(Vec::new()));
    });
}

#[test]
fn who_may_have_changed_something_again_and_again_is_cut_short_with_a_hint() {
    let report = Explorer::builder().check(|| {
        let queue = Mutex::new(Vec::<u32>::new());
        while queue.lock().pop().is_none() {
            thread::yield_now();
        }
    });
    let Verdict::Incomplete(why) = &report.verdict else {
        panic!("{report}");
    };
    assert!(why.contains("nmr_sync::describe"), "{why}");
}
