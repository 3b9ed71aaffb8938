//! Explores a program on `nmr-sync`'s primitives exhaustively: every interleaving, up to the order of
//! transitions that have nothing to do with each other, under sequential consistency and without a
//! bound on preemptions.
//!
//! It runs the real code, as a scheduler of shuttle, and knows nothing of what the program is about. A
//! panic or a deadlock in any interleaving ends the search with a counterexample.
//!
//! ```
//! # #[cfg(shuttle)] {
//! use std::sync::Arc;
//! use nmr_explorer::{Explorer, Verdict};
//! use nmr_sync::{Mutex, thread};
//!
//! let report = Explorer::builder().check(|| {
//!     let count = Arc::new(Mutex::new(0));
//!     let other = count.clone();
//!     let thread = thread::spawn(move || *other.lock() += 1);
//!     *count.lock() += 1;
//!     thread.join().unwrap();
//!     assert_eq!(*count.lock(), 2);
//! });
//! assert_eq!(report.verdict, Verdict::Exhausted, "{report}");
//! # }
//! ```
//!
//! # What it cannot notice
//!
//! Its answer is about what goes through `nmr-sync`: mutexes, condvars, monitors, atomics, threads, choices,
//! and what the program says of its data. What passes by it is not part of a state, and threads are not
//! put into another order because of it:
//!
//! | what | what to do |
//! |---|---|
//! | std's or another crate's atomics and locks | take `nmr-sync`'s; or `nmr_sync::touch` at each use, and cover it in `Builder::external_state` |
//! | `RwLock`, channels, barriers, `Once`, parking | make them of a mutex and a condvar: a thread that waits in anything else is a harness error |
//! | reference counts of `Arc`: who drops the last one | `touch`, or make the drop an operation of the program |
//! | statics: they outlive an execution, and each execution begins with what the last one left | make the data inside the program |
//! | `thread_local!`: all threads of a program run on one OS thread and have it in common, over all executions | hand it down as a value, or keep it under the thread's id (`nmr_sync::thread::current_id`) in a map that the program makes |
//! | time, random numbers, the order of a hash map, addresses | `choose`, or leave them out |
//! | time-outs | a daemon that strikes: see [below](#time-outs) |
//! | values that nobody describes | nothing, for what a mutex protects: undescribed it counts as changed by each section. A description that leaves something out hides it (`nmr_sync::describe`) |
//! | how often a thread has looked between yields; what changes behind a shared borrow of a guard (a `Cell`), where threads yield | say it (`learn`, `describe`): see [below](#threads-that-look-again) |
//! | other memory orders than sequential consistency | loom |
//!
//! What of this can be noticed is a harness error, and not a verdict: operations or descriptions that
//! differ when the same threads take turns in the same way, a primitive made outside of the execution or
//! used by a thread that `nmr_sync::thread::spawn` did not start, a `check` inside a `check`.
//!
//! # What a program can say of itself
//!
//! All of it is optional: who says nothing is explored as well, with more states.
//!
//! ```
//! # #[cfg(shuttle)] {
//! use std::sync::Arc;
//! use std::sync::atomic::{AtomicU32, Ordering};
//! use nmr_explorer::Explorer;
//! use nmr_sync::{Mutex, describe, forget, learn, thread, touch};
//!
//! /// Names, to the explorer, what it cannot see: any number does that nothing else has.
//! const LARGEST: u32 = 1;
//!
//! let add = |says: bool| move || {
//!     let shared = Arc::new((Mutex::new(0), AtomicU32::new(0)));
//!     let threads = [1, 2].map(|number| {
//!         let shared = shared.clone();
//!         thread::spawn(move || {
//!             for round in 0..3 {
//!                 let mut total = shared.0.lock();
//!                 *total += number;
//!                 if says {
//!                     // Whoever comes to this total in whichever order: it is one state.
//!                     describe(&total);
//!                     // Nothing of it is taken along from this section.
//!                     learn(&());
//!                 }
//!                 drop(total);
//!                 if says {
//!                     // Of all that the thread has learnt only this still counts: how far it is.
//!                     forget(&round);
//!                 }
//!             }
//!             // Not `nmr-sync`'s: without this the threads would have no order here.
//!             touch(LARGEST);
//!             shared.1.fetch_max(number, Ordering::Relaxed);
//!         })
//!     });
//!     threads.map(|thread| thread.join().unwrap());
//!     assert_eq!(*shared.0.lock(), 9);
//! };
//! let silent = Explorer::builder().check(add(false));
//! let telling = Explorer::builder().check(add(true));
//! silent.assert_exhausted();
//! telling.assert_exhausted();
//! assert!(telling.states < silent.states);
//! # }
//! ```
//!
//! # Time-outs
//!
//! Nothing has one, and no time passes. A time-out is another thread that may strike at any time: a
//! daemon (`nmr_sync::thread::Builder::daemon`), for the program may be over before it does.
//!
//! ```
//! # #[cfg(shuttle)] {
//! use std::sync::Arc;
//! use nmr_explorer::Explorer;
//! use nmr_sync::{Condvar, Mutex, thread};
//!
//! #[derive(Default)]
//! struct Inbox {
//!     item: Option<u32>,
//!     is_late: bool,
//! }
//!
//! let report = Explorer::builder().check(|| {
//!     let inbox: Arc<(Mutex<Inbox>, Condvar)> = Arc::default();
//!     let (clock, sender) = (inbox.clone(), inbox.clone());
//!     let clock = thread::Builder::new().name("clock").daemon().spawn(move || {
//!         clock.0.lock().is_late = true;
//!         clock.1.notify_all();
//!     });
//!     let sender = thread::spawn(move || {
//!         sender.0.lock().item = Some(7);
//!         sender.1.notify_all();
//!     });
//!     // In production: `wait_while_for`.
//!     let mut guard = inbox.0.lock();
//!     while guard.item.is_none() && !guard.is_late {
//!         inbox.1.wait(&mut guard);
//!     }
//!     assert!(guard.item == Some(7) || guard.is_late);
//!     drop(guard);
//!     sender.join().unwrap();
//! });
//! report.assert_exhausted();
//! # }
//! ```
//!
//! # Threads that look again
//!
//! A thread that waits by looking has to yield (`nmr_sync::thread::yield_now`) in between. If it has done nothing but
//! look since it last yielded, it waits there until another thread has changed something that it has looked at: the
//! same look again would come to the same. Where nobody else can go on, it looks again all the same, for a while; a
//! `Livelock` if nothing comes of it. That the rounds between yields are the same is taken on trust, and the
//! certificate says so (`Assumptions::rounds_repeat`): a thread that counts them, to give up, gives up only where nobody
//! else can go on, unless it says what it counts (`learn(&count)`). So the trust is tried out: an execution in which a
//! thread waits is made again up to there, and the thread looks 1,000 times more. If it does anything else, or looks at
//! other things, the search is incomplete and not exhausted; so it is where a thread is seen to give up after
//! others have gone on. What a thread does after more rounds than that, or only where it was not tried out (each kind of
//! wait is, the first eight times and then ever more seldom), is not seen. A livelock that lasts only as long as
//! threads keep in step for ever, each disturbing the other, is not looked for.
//!
//! # Builds
//!
//! Exists in the shuttle build (`RUSTFLAGS="--cfg shuttle"`) only; in the others there are the names
//! of the [`Reduction`]s.

#[cfg(shuttle)]
mod checker;
mod reduction;

#[cfg(shuttle)]
pub use checker::*;
pub use reduction::{Reduction, UnknownReduction};

/// The commit that this was built from, or `unknown`.
pub const COMMIT: &str = env!("NMR_COMMIT");
