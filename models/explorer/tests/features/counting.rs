//! Threads that yield a number of times that they do not say, and go on then whatever has come. What they do when others
//! have gone only so far a search does not come to: so it is not exhausted, and says why. Shuttle's own search by depth
//! finds what is wrong there.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use nmr_explorer::Verdict;
use nmr_sync::atomic::{AtomicUsize, Ordering::SeqCst};
use nmr_sync::{Mutex, learn, thread};
use shuttle::scheduler::DfsScheduler;
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};

use super::programs::ends_and_report;
use super::spinning::{builders, exhausts};

/// What a planted program says where it goes wrong.
const WRONG: &str = "went wrong";

/// Whether shuttle comes to what is wrong, if it takes no more than so many executions.
fn shuttle_finds(program: impl Fn() + Send + Sync + 'static) -> bool {
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None;
    config.silence_warnings = true;
    // It lets one thread look for ever.
    config.max_steps = MaxSteps::ContinueAfter(100);
    let scheduler = DfsScheduler::new(Some(100_000), false);
    let ended = catch_unwind(AssertUnwindSafe(|| {
        Runner::new(scheduler, config).run(program)
    }));
    match ended {
        Ok(_) => false,
        Err(payload) => {
            let text = payload.downcast_ref::<&str>().copied();
            let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
            assert!(text.is_some_and(|text| text.contains(WRONG)), "{text:?}");
            true
        }
    }
}

/// What goes wrong is there, and each search finds it or says what it has left out.
fn is_not_passed_over(program: impl Fn() + Clone + Send + Sync + 'static) {
    assert!(shuttle_finds(program.clone()), "nothing goes wrong");
    for builder in builders() {
        let (_, report) = ends_and_report(builder, program.clone());
        match &report.verdict {
            Verdict::Violated(found) => assert!(found.message().contains(WRONG), "{report}"),
            Verdict::Incomplete(why) => {
                assert!(why.contains("say in each round"), "{why}");
                assert!(why.contains(file!()), "{why}");
            }
            _ => panic!("{report}"),
        }
    }
}

type Numbers = Arc<[AtomicUsize; 2]>;

fn numbers() -> Numbers {
    Arc::new([0, 0].map(AtomicUsize::new))
}

#[test]
fn who_looks_a_few_times_for_what_comes_later_goes_on_without_it() {
    is_not_passed_over(|| {
        let numbers = numbers();
        let other = numbers.clone();
        let thread = thread::spawn(move || other[0].store(1, SeqCst));
        let came = (0..3).any(|_| {
            let is_there = numbers[0].load(SeqCst) == 1;
            if !is_there {
                thread::yield_now();
            }
            is_there
        });
        assert!(came, "{WRONG}");
        thread.join().unwrap();
    });
}

#[test]
fn who_yields_a_few_times_goes_on_in_between_what_others_do() {
    is_not_passed_over(|| {
        let numbers = numbers();
        let other = numbers.clone();
        let thread = thread::spawn(move || {
            other[0].store(1, SeqCst);
            other[0].store(2, SeqCst);
        });
        for _ in 0..3 {
            thread::yield_now();
        }
        assert_ne!(numbers[0].load(SeqCst), 1, "{WRONG}");
        thread.join().unwrap();
    });
}

#[test]
fn of_two_who_give_up_either_may_be_the_first() {
    is_not_passed_over(|| {
        let numbers = numbers();
        let wait = |own: usize, rounds: usize| {
            let numbers = numbers.clone();
            thread::spawn(move || {
                for _ in 0..rounds {
                    if numbers[1 - own].load(SeqCst) == 1 {
                        return true;
                    }
                    thread::yield_now();
                }
                numbers[own].store(1, SeqCst);
                false
            })
        };
        let (short, long) = (wait(0, 3), wait(1, 5));
        let gave_up = !long.join().unwrap();
        short.join().unwrap();
        assert!(!gave_up, "{WRONG}");
    });
}

#[test]
fn who_tries_a_lock_a_few_times_goes_on_without_it() {
    is_not_passed_over(|| {
        let lock = Arc::new(Mutex::new(()));
        let other = lock.clone();
        let thread = thread::spawn(move || drop(other.lock()));
        let got = (0..3).any(|_| {
            let got = lock.try_lock().is_some();
            if !got {
                thread::yield_now();
            }
            got
        });
        assert!(got, "{WRONG}");
        thread.join().unwrap();
    });
}

#[test]
fn who_tries_to_take_an_atomic_a_few_times_goes_on_without_it() {
    is_not_passed_over(|| {
        let numbers = numbers();
        let take = |numbers: &[AtomicUsize; 2]| {
            numbers[0].fetch_update(SeqCst, SeqCst, |taken| (taken == 0).then_some(1))
        };
        let other = numbers.clone();
        let thread = thread::spawn(move || {
            if take(&other).is_ok() {
                other[0].store(0, SeqCst);
            }
        });
        let mut rounds = 0;
        while take(&numbers).is_err() {
            rounds += 1;
            assert!(rounds < 3, "{WRONG}");
            thread::yield_now();
        }
        numbers[0].store(0, SeqCst);
        thread.join().unwrap();
    });
}

#[test]
fn who_looks_at_one_thing_after_the_other_may_see_either_first() {
    is_not_passed_over(|| {
        let numbers = numbers();
        let other = numbers.clone();
        let thread = thread::spawn(move || {
            other[0].store(1, SeqCst);
            other[1].store(1, SeqCst);
        });
        let mut rounds = 0;
        while numbers[rounds % 2].load(SeqCst) == 0 {
            thread::yield_now();
            rounds += 1;
        }
        // When it has looked at both it waits, for the second one.
        let is_first = rounds > 1 && numbers[1].load(SeqCst) == 0;
        assert!(!is_first, "{WRONG}");
        thread.join().unwrap();
    });
}

#[test]
fn who_panics_after_a_few_rounds_may_do_so_before_others_go_on() {
    is_not_passed_over(|| {
        let numbers = numbers();
        let other = numbers.clone();
        let thread = thread::spawn(move || {
            let mut rounds = 0;
            while other[0].load(SeqCst) == 0 {
                rounds += 1;
                assert!(rounds < 6, "{WRONG}");
                thread::yield_now();
            }
        });
        numbers[0].store(1, SeqCst);
        thread.join().unwrap();
    });
}

#[test]
fn who_says_how_often_it_has_looked_is_explored() {
    exhausts(&[0, 1, 2], || {
        let numbers = numbers();
        let other = numbers.clone();
        let thread = thread::spawn(move || {
            other[0].store(1, SeqCst);
            other[0].store(2, SeqCst);
        });
        for round in 0..3 {
            learn(&round);
            thread::yield_now();
        }
        let seen = numbers[0].load(SeqCst);
        thread.join().unwrap();
        seen
    });
}
