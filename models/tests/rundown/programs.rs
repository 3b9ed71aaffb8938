//! Few threads that use a protection, and assert what it promises.
//!
//! What it protects are atomics that are used `Relaxed`: nothing but the protection orders what is done to them, and a
//! thread that it does not order sees what was there before.

use std::num::NonZeroUsize;
use std::sync::Arc;

use nmr::{Closing, Released};
use nmr_sync::atomic::{AtomicUsize, Ordering};
use nmr_sync::thread;

use super::Protection;

/// A program.
#[derive(Clone, Copy)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    pub(crate) run: fn(Arc<dyn Protection>),
    /// With three threads or many steps: loom needs a bound.
    pub(crate) is_large: bool,
}

/// The programs, and a test for each.
macro_rules! programs {
    ($($name:ident: $is_large:literal,)*) => {
        #[cfg(any(loom, shuttle))]
        pub(crate) const PROGRAMS: &[Program] = &[$(programs!(@ $name $is_large)),*];

        mod holds {
            $(
                #[test]
                fn $name() {
                    use super::*;
                    crate::assert_holds(programs!(@ $name $is_large));
                }
            )*
        }
    };
    (@ $name:ident $is_large:literal) => {
        Program { name: stringify!($name), run: $name, is_large: $is_large }
    };
}

programs! {
    a_wait_returns_after_the_work: false,
    a_wait_returns_after_all_work: true,
    all_waits_return_after_the_work: true,
    a_wait_that_finds_nothing_returns_after_the_work: false,
    what_looks_run_down_is_run_down: false,
    nothing_is_granted_after_a_closing: false,
    exactly_one_is_told_of_the_end: true,
    many_are_released_in_portions: false,
    what_is_granted_again_sees_the_new_object: false,
    who_reinitialises_sees_the_work: false,
    one_of_two_reinitialises: false,
    nothing_in_use_is_reinitialised: false,
    a_wait_ends_with_its_round: true,
}

/// R10. To ask whether it was freed is a step of a copy, so this one is not counted against the product's.
pub(crate) const FREES: Program = Program {
    name: "what_is_freed_is_not_used",
    run: what_is_freed_is_not_used,
    is_large: false,
};

/// The work of users, each of which does its own.
type Work = Arc<[AtomicUsize; 2]>;

fn work() -> Work {
    Arc::new([0, 0].map(AtomicUsize::new))
}

fn done(work: &Work) -> [bool; 2] {
    [0, 1].map(|user| work[user].load(Ordering::Relaxed) == 1)
}

/// Asserts that the work of each user that was let in is done.
fn assert_done(done: [bool; 2], granted: [bool; 2]) {
    for user in 0..2 {
        assert!(done[user] || !granted[user], "run down, and work is undone");
    }
}

fn user<R: Send + 'static>(
    protection: &Arc<dyn Protection>,
    body: impl FnOnce(&dyn Protection) -> R + Send + 'static,
) -> thread::JoinHandle<R> {
    let protection = Arc::clone(protection);
    thread::spawn(move || body(&*protection))
}

/// A thread that works if it is let in; whether it was.
fn worker(
    protection: &Arc<dyn Protection>,
    work: &Work,
    number: usize,
) -> thread::JoinHandle<bool> {
    let work = Arc::clone(work);
    user(protection, move |protection| {
        let granted = protection.try_acquire();
        if granted {
            work[number].store(1, Ordering::Relaxed);
            protection.release();
        }
        granted
    })
}

/// A thread with a reference that another one has acquired for it, which works and releases it.
fn releaser(
    protection: &Arc<dyn Protection>,
    work: &Work,
    number: usize,
) -> thread::JoinHandle<Released> {
    let work = Arc::clone(work);
    user(protection, move |protection| {
        work[number].store(1, Ordering::Relaxed);
        protection.release()
    })
}

/// R1, R2, R3, R7.
fn a_wait_returns_after_the_work(protection: Arc<dyn Protection>) {
    let work = work();
    let user = worker(&protection, &work, 0);
    protection.wait();
    let done = done(&work);
    assert_done(done, [user.join().unwrap(), false]);
}

/// The same, of several users.
fn a_wait_returns_after_all_work(protection: Arc<dyn Protection>) {
    let work = work();
    let users = [0, 1].map(|number| worker(&protection, &work, number));
    protection.wait();
    let done = done(&work);
    assert_done(done, users.map(|user| user.join().unwrap()));
}

/// R3, for several waiters at once.
fn all_waits_return_after_the_work(protection: Arc<dyn Protection>) {
    let both = work();
    assert!(protection.try_acquire());
    let user = releaser(&protection, &both, 0);
    let waiter = self::user(&protection, {
        let both = Arc::clone(&both);
        move |protection| {
            protection.wait();
            done(&both)
        }
    });
    protection.wait();
    assert_done(done(&both), [true, false]);
    assert_done(waiter.join().unwrap(), [true, false]);
    user.join().unwrap();
}

/// R5, R7: a closing that finds nothing running has to see what ran before.
fn a_wait_that_finds_nothing_returns_after_the_work(protection: Arc<dyn Protection>) {
    let work = work();
    let user = worker(&protection, &work, 0);
    if protection.close() == Closing::RunDown {
        protection.wait();
        assert_done(done(&work), [user.join().unwrap(), false]);
    } else {
        user.join().unwrap();
        protection.wait();
    }
}

/// R7 of whoever only looks.
fn what_looks_run_down_is_run_down(protection: Arc<dyn Protection>) {
    let work = work();
    assert!(protection.try_acquire());
    let user = releaser(&protection, &work, 0);
    let _ = protection.close();
    if protection.is_run_down() {
        assert_done(done(&work), [true, false]);
    }
    user.join().unwrap();
}

/// R2.
fn nothing_is_granted_after_a_closing(protection: Arc<dyn Protection>) {
    assert!(protection.try_acquire());
    let user = user(&protection, |protection| protection.release());
    let _ = protection.close();
    let granted = protection.try_acquire();
    assert!(!granted, "granted after a closing");
    user.join().unwrap();
    assert!(protection.is_run_down());
}

/// R6, R7: either the closing or one of the releases says so, and it sees the work of all.
fn exactly_one_is_told_of_the_end(protection: Arc<dyn Protection>) {
    let both = work();
    let users = [0, 1].map(|number| {
        let both = Arc::clone(&both);
        user(&protection, move |protection| {
            if !protection.try_acquire() {
                return (false, None);
            }
            both[number].store(1, Ordering::Relaxed);
            let is_last = protection.release() == Released::Last;
            (true, is_last.then(|| done(&both)))
        })
    });
    let closing = (protection.close() == Closing::RunDown).then(|| done(&both));
    let users = users.map(|user| user.join().unwrap());
    let granted = users.map(|(granted, _)| granted);
    let mut told = users
        .into_iter()
        .filter_map(|(_, told)| told)
        .chain(closing);
    assert_done(told.next().expect("nobody is told of the end"), granted);
    assert!(told.next().is_none(), "two are told of the end");
}

/// R4.
fn many_are_released_in_portions(protection: Arc<dyn Protection>) {
    let work = work();
    let two = NonZeroUsize::new(2).unwrap();
    assert!(protection.try_acquire_many(two));
    assert!(protection.try_acquire());
    let user = user(&protection, {
        let work = Arc::clone(&work);
        move |protection| {
            work[0].store(1, Ordering::Relaxed);
            protection.release_many(two)
        }
    });
    assert_eq!(protection.close(), Closing::Running, "one is held here");
    work[1].store(1, Ordering::Relaxed);
    let is_last = protection.release() == Released::Last;
    if is_last {
        assert_done(done(&work), [true, true]);
    }
    let are_last = user.join().unwrap() == Released::Last;
    assert!(is_last != are_last, "one of two is told of the end");
}

/// R7, R8: `work` is the new object.
fn what_is_granted_again_sees_the_new_object(protection: Arc<dyn Protection>) {
    let work = work();
    assert_eq!(protection.close(), Closing::RunDown);
    let user = user(&protection, {
        let work = Arc::clone(&work);
        move |protection| {
            let granted = protection.try_acquire();
            let done = done(&work);
            if granted {
                protection.release();
            }
            (granted, done)
        }
    });
    work[0].store(1, Ordering::Relaxed);
    assert!(protection.reinitialise());
    let (granted, [is_new, _]) = user.join().unwrap();
    assert!(is_new || !granted, "granted, and the object is the old one");
}

/// R7, R8.
fn who_reinitialises_sees_the_work(protection: Arc<dyn Protection>) {
    let work = work();
    assert!(protection.try_acquire());
    let user = releaser(&protection, &work, 0);
    let _ = protection.close();
    if protection.reinitialise() {
        assert_done(done(&work), [true, false]);
    }
    user.join().unwrap();
}

/// R8: the one that succeeds may go on, and what it acquires is not lost.
fn one_of_two_reinitialises(protection: Arc<dyn Protection>) {
    assert_eq!(protection.close(), Closing::RunDown);
    let reinitialise = |protection: &dyn Protection| {
        let is_open = protection.reinitialise();
        let is_granted = is_open && protection.try_acquire();
        assert_eq!(is_open, is_granted, "open, and not granted");
        is_open
    };
    let other = user(&protection, reinitialise);
    let own = reinitialise(&*protection);
    let other = other.join().unwrap();
    assert!(own != other, "one of two reinitialises it");
    assert_eq!(protection.close(), Closing::Running, "a reference is lost");
    assert_eq!(protection.release(), Released::Last);
}

/// R8: a waiter waits, and nobody may open what it has closed.
fn nothing_in_use_is_reinitialised(protection: Arc<dyn Protection>) {
    assert!(protection.try_acquire());
    let waiter = user(&protection, |protection| protection.wait());
    let is_open = protection.reinitialise();
    assert!(!is_open, "reinitialised while it is in use");
    protection.release();
    waiter.join().unwrap();
}

/// R3, R8: a waiter whose owner has gone on to the next round returns, and one that has closed the next round waits for
/// what is used in that.
fn a_wait_ends_with_its_round(protection: Arc<dyn Protection>) {
    assert!(protection.try_acquire());
    let inside = Arc::new(AtomicUsize::new(0));
    let waiter = user(&protection, {
        let inside = Arc::clone(&inside);
        move |protection| {
            protection.wait();
            let is_inside = inside.load(Ordering::SeqCst) == 1;
            // Whoever is inside is so in the second round. If that is closed, nobody but the wait can have closed it.
            let is_open = protection.try_acquire();
            if is_open {
                protection.release();
            }
            assert!(!is_inside || is_open, "a wait has returned too early");
        }
    });
    protection.release();
    protection.wait();
    assert!(protection.reinitialise());
    if protection.try_acquire() {
        inside.store(1, Ordering::SeqCst);
        inside.store(0, Ordering::SeqCst);
        protection.release();
    }
    waiter.join().unwrap();
}

/// R10: of the memory, when a wait has returned.
fn what_is_freed_is_not_used(protection: Arc<dyn Protection>) {
    assert!(protection.try_acquire());
    let user = user(&protection, |protection| protection.release());
    protection.wait();
    protection.free();
    user.join().unwrap();
}
