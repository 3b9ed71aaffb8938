//! What every backend promises, as one file that is compiled and run in each build.
//!
//! A native run tries each program many times, a loom run explores it exhaustively, a shuttle run
//! depth first as far as a budget reaches and then at random. Not here: what differs between the
//! backends by design (see `Mutex`), and fairness, which none of them promises.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use nmr_sync::atomic::AtomicUsize as ModelAtomic;
use nmr_sync::{Condvar, Monitor, Mutex, thread};

#[cfg(not(any(loom, shuttle)))]
fn model(program: impl Fn() + Send + Sync + 'static) {
    for _ in 0..500 {
        program();
    }
}

#[cfg(loom)]
fn model(program: impl Fn() + Send + Sync + 'static) {
    loom::model(program);
}

#[cfg(shuttle)]
fn model(program: impl Fn() + Send + Sync + 'static) {
    let program = Arc::new(program);
    let again = Arc::clone(&program);
    shuttle::check_dfs(move || again(), Some(2_000));
    shuttle::check_random(move || program(), 500);
}

/// Runs `program` under the backend and asserts that each of `outcomes`, as it answers, was seen.
///
/// Real threads need not show every outcome, so that only the model builds insist.
fn model_sees<const N: usize>(
    outcomes: [usize; N],
    program: impl Fn() -> usize + Send + Sync + 'static,
) {
    let seen: Arc<[AtomicUsize; N]> = Arc::new(std::array::from_fn(|_| AtomicUsize::new(0)));
    let counts = Arc::clone(&seen);
    model(move || {
        let outcome = program();
        let place = outcomes.iter().position(|&expected| expected == outcome);
        let place = place.unwrap_or_else(|| panic!("{outcome} is none of {outcomes:?}"));
        counts[place].fetch_add(1, Ordering::Relaxed);
    });
    if cfg!(any(loom, shuttle)) {
        for (outcome, count) in outcomes.iter().zip(seen.iter()) {
            assert!(
                count.load(Ordering::Relaxed) > 0,
                "the {} build never showed outcome {outcome}",
                nmr_sync::BACKEND
            );
        }
    }
}

#[test]
fn the_build_says_which_backend_it_uses() {
    let expected = match (cfg!(loom), cfg!(shuttle)) {
        (true, _) => "loom",
        (_, true) => "shuttle",
        _ => "parking_lot",
    };
    assert_eq!(nmr_sync::BACKEND, expected);
}

#[test]
fn a_lock_excludes_other_threads() {
    model(|| {
        let inside = Arc::new(AtomicUsize::new(0));
        let counter = Arc::new(Mutex::new(0));
        let threads = [(); 2].map(|()| {
            let (inside, counter) = (Arc::clone(&inside), Arc::clone(&counter));
            thread::spawn(move || {
                let mut counter = counter.lock();
                assert_eq!(
                    inside.fetch_add(1, Ordering::SeqCst),
                    0,
                    "two threads inside"
                );
                let read = *counter;
                thread::yield_now();
                *counter = read + 1;
                inside.fetch_sub(1, Ordering::SeqCst);
            })
        });
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(*counter.lock(), 2);
    });
}

#[test]
fn either_thread_may_take_the_lock_first() {
    model_sees([1, 2], || {
        let order = Arc::new(Mutex::new(Vec::new()));
        let threads = [1, 2].map(|name| {
            let order = Arc::clone(&order);
            thread::spawn(move || order.lock().push(name))
        });
        for thread in threads {
            thread.join().unwrap();
        }
        order.lock()[0]
    });
}

#[test]
fn data_is_handed_from_one_holder_to_the_next() {
    model(|| {
        let slot: Arc<Mutex<Option<Box<u32>>>> = Arc::default();
        let giver = Arc::clone(&slot);
        let thread = thread::spawn(move || *giver.lock() = Some(Box::new(7)));
        let early = slot.lock().take();
        thread.join().unwrap();
        let late = slot.lock().take();
        assert_eq!(early.or(late).as_deref(), Some(&7));
    });
}

#[test]
fn the_owner_of_a_mutex_needs_no_lock() {
    model(|| {
        let mut mutex = Mutex::new(1);
        *mutex.get_mut() += 1;
        *mutex.lock() += 1;
        assert_eq!(mutex.into_inner(), 3);
    });
}

#[test]
fn try_lock_takes_a_free_lock_and_not_a_held_one() {
    model(|| {
        let mutex = Arc::new(Mutex::new(0));
        let held = mutex.lock();
        let other = Arc::clone(&mutex);
        let refused = thread::spawn(move || other.try_lock().is_none());
        assert!(refused.join().unwrap());
        drop(held);
        *mutex.try_lock().expect("nobody holds it") += 1;
        assert_eq!(*mutex.lock(), 1);
    });
}

#[test]
fn notify_one_wakes_a_sleeper_who_holds_the_lock_again() {
    model(|| {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        let sleeper = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            let (ready, changed) = &*sleeper;
            let mut ready = ready.lock();
            while !*ready {
                changed.wait(&mut ready);
            }
            *ready = false;
        });
        let (ready, changed) = &*shared;
        *ready.lock() = true;
        changed.notify_one();
        thread.join().unwrap();
        assert!(!*ready.lock());
    });
}

#[test]
fn notify_all_wakes_every_sleeper() {
    model(|| {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        let threads = [(); 2].map(|()| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let (ready, changed) = &*shared;
                let mut ready = ready.lock();
                while !*ready {
                    changed.wait(&mut ready);
                }
            })
        });
        let (ready, changed) = &*shared;
        *ready.lock() = true;
        changed.notify_all();
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

/// A token goes to and fro; one lost wake-up on the way and a thread sleeps for ever.
#[test]
fn no_wake_up_is_lost_between_check_and_sleep() {
    const ROUNDS: u32 = 2;
    fn take_turns(shared: &(Mutex<u32>, Condvar), me: u32) {
        let (turn, changed) = shared;
        for _ in 0..ROUNDS {
            let mut turn = turn.lock();
            while *turn % 2 != me {
                changed.wait(&mut turn);
            }
            *turn += 1;
            drop(turn);
            changed.notify_all();
        }
    }
    model(|| {
        let shared = Arc::new((Mutex::new(0), Condvar::new()));
        let other = Arc::clone(&shared);
        let thread = thread::spawn(move || take_turns(&other, 1));
        take_turns(&shared, 0);
        thread.join().unwrap();
        assert_eq!(*shared.0.lock(), 2 * ROUNDS);
    });
}

#[test]
fn a_monitors_sections_exclude_each_other_and_answer() {
    model(|| {
        let monitor = Arc::new(Monitor::new(0));
        let threads = [(); 2].map(|()| {
            let monitor = Arc::clone(&monitor);
            thread::spawn(move || {
                monitor.enter(|count| {
                    let read = *count;
                    thread::yield_now();
                    *count = read + 1;
                    read
                })
            })
        });
        let learnt: HashSet<i32> = threads.into_iter().map(|t| t.join().unwrap()).collect();
        assert_eq!(learnt, HashSet::from([0, 1]));
        assert_eq!(monitor.enter(|count| *count), 2);
    });
}

#[test]
fn a_wait_ends_when_a_notifying_section_makes_it_true() {
    model(|| {
        let monitor = Arc::new(Monitor::new(0));
        let waiters = [1, 2].map(|wanted| {
            let monitor = Arc::clone(&monitor);
            thread::spawn(move || monitor.wait_until(|&mut seen| (seen >= wanted).then_some(seen)))
        });
        for step in 1..=2 {
            let answer = monitor.enter_then_notify(|count| {
                *count = step;
                (step * 10, true)
            });
            assert_eq!(answer, step * 10);
        }
        for (waiter, wanted) in waiters.into_iter().zip([1, 2]) {
            assert!((wanted..=2).contains(&waiter.join().unwrap()));
        }
    });
}

#[test]
fn a_try_that_ends_a_wait_wakes_the_others() {
    model(|| {
        let monitor = Arc::new(Monitor::new(0));
        let waiting = Arc::clone(&monitor);
        let waiter = thread::spawn(move || waiting.wait_until(|count| (*count == 1).then_some(())));
        let answer = monitor.enter_until(|count| {
            *count += 1;
            (Some("entered"), true)
        });
        assert_eq!(answer, "entered");
        waiter.join().unwrap();
    });
}

#[test]
fn a_wait_that_is_true_at_once_neither_sleeps_nor_needs_a_wake_up() {
    model(|| {
        let monitor = Monitor::new(vec![1]);
        assert_eq!(monitor.wait_until(Vec::pop), 1);
        let (answer, empty) = monitor.enter_then_notify(|data| (("quiet", data.is_empty()), false));
        assert_eq!((answer, empty), ("quiet", true));
    });
}

#[test]
fn threads_that_run_together_have_different_names() {
    model(|| {
        let arrived = Arc::new(Monitor::new(0));
        let threads = [(); 2].map(|()| {
            let arrived = Arc::clone(&arrived);
            thread::spawn(move || {
                let name = thread::current_id();
                arrived.enter_then_notify(|count| {
                    *count += 1;
                    ((), true)
                });
                // Nobody leaves before both have come: a name may be used again afterwards.
                arrived.wait_until(|count| (*count == 2).then_some(()));
                assert_eq!(name, thread::current_id(), "a thread keeps its name");
                name
            })
        });
        let mut names: HashSet<_> = threads.into_iter().map(|t| t.join().unwrap()).collect();
        names.insert(thread::current_id());
        assert_eq!(names.len(), 3);
    });
}

/// Not under loom, where a guard dropped by a panic leaves the lock unusable.
#[cfg(not(loom))]
#[test]
fn a_panic_inside_does_not_poison() {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    model(|| {
        let monitor = Monitor::new(1);
        let section =
            AssertUnwindSafe(|| monitor.enter(|_| std::panic::resume_unwind(Box::new(()))));
        let unwound: Result<(), _> = catch_unwind(section);
        assert!(unwound.is_err());
        assert_eq!(monitor.enter(|data| *data), 1);

        let mutex = Mutex::new(2);
        let holding = AssertUnwindSafe(|| {
            let _guard = mutex.lock();
            std::panic::resume_unwind(Box::new(()));
        });
        let unwound: Result<(), _> = catch_unwind(holding);
        assert!(unwound.is_err());
        assert_eq!(mutex.try_lock().map(|guard| *guard), Some(2));
        assert_eq!(*mutex.lock(), 2);
    });
}

#[test]
fn an_atomic_is_updated_in_one_step() {
    model(|| {
        let count = Arc::new(ModelAtomic::new(5));
        let other = Arc::clone(&count);
        let thread = thread::spawn(move || other.fetch_add(2, Ordering::Relaxed));
        let before = count.fetch_sub(1, Ordering::Relaxed);
        let others_before = thread.join().unwrap();
        assert!(matches!((before, others_before), (5, 4) | (7, 5)));
        assert_eq!(count.load(Ordering::Relaxed), 6);
    });
}

#[test]
fn an_atomic_is_read_before_or_after_it_is_written() {
    model_sees([1, 2], || {
        let number = Arc::new(ModelAtomic::new(1));
        let writer = Arc::clone(&number);
        let thread = thread::spawn(move || writer.store(2, Ordering::SeqCst));
        let read = number.load(Ordering::SeqCst);
        thread.join().unwrap();
        assert_eq!(number.load(Ordering::SeqCst), 2);
        read
    });
}

#[test]
fn of_two_who_take_the_last_one_gets_it() {
    model_sees([1, 2], || {
        let left = Arc::new(ModelAtomic::new(1));
        let take = |left: &ModelAtomic| {
            let less = |left: usize| left.checked_sub(1);
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
        };
        let other = Arc::clone(&left);
        let thread = thread::spawn(move || take(&other));
        let own = take(&left);
        let others = thread.join().unwrap();
        match (own, others) {
            (Ok(1), Err(0)) => 1,
            (Err(0), Ok(1)) => 2,
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn a_condvar_that_is_waited_on_with_two_mutexes_at_once_panics() {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    model(|| {
        let state = Arc::new((Mutex::new(false), Mutex::new(()), Condvar::new()));
        let is_told = Arc::new(Condvar::new());
        let tell = Arc::clone(&is_told);
        let other = Arc::clone(&state);
        let thread = thread::spawn(move || {
            let mut sleeps = other.0.lock();
            *sleeps = true;
            tell.notify_one();
            while *sleeps {
                other.2.wait(&mut sleeps);
            }
        });
        // Who sees it set knows that the other one sleeps: it holds the lock until then.
        let mut sleeps = state.0.lock();
        while !*sleeps {
            is_told.wait(&mut sleeps);
        }
        drop(sleeps);
        let wait = || state.2.wait(&mut state.1.lock());
        let panic = catch_unwind(AssertUnwindSafe(wait)).unwrap_err();
        let words = panic.downcast_ref::<String>().map(String::as_str);
        assert_eq!(
            words.or_else(|| panic.downcast_ref::<&str>().copied()),
            Some("attempted to use a condition variable with more than one mutex")
        );
        *state.0.lock() = false;
        state.2.notify_all();
        thread.join().unwrap();
    });
}

#[test]
fn a_condvar_may_be_waited_on_with_one_mutex_after_another() {
    model(|| {
        let state = Arc::new(([false, false].map(Mutex::new), Condvar::new()));
        for which in 0..2 {
            let other = Arc::clone(&state);
            let setter = thread::spawn(move || {
                *other.0[which].lock() = true;
                other.1.notify_all();
            });
            let mut is_set = state.0[which].lock();
            while !*is_set {
                state.1.wait(&mut is_set);
            }
            drop(is_set);
            setter.join().unwrap();
        }
    });
}
