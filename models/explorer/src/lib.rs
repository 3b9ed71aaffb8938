//! Explores a program on `nmr-sync`'s primitives exhaustively: every interleaving, up to the order of
//! transitions that have nothing to do with each other, under sequential consistency and without a
//! bound on preemptions.
//!
//! It runs the real code, as a scheduler of shuttle, and knows nothing of what the program is about. A
//! panic or a deadlock in any interleaving ends the search with a counterexample.
//!
//! # What it cannot notice
//!
//! Its answer is about what goes through `nmr-sync`: mutexes, condvars, monitors, atomics, threads, choices,
//! and what the program says of its data. What passes by it is not part of a state, and threads are not
//! put into another order because of it:
//!
//! | what | what to do |
//! |---|---|
//! | std's or another crate's atomics and locks | take `nmr-sync`'s; or `nmr_sync::touch` at each use, and cover it in `Builder::beside` |
//! | reference counts of `Arc`: who drops the last one | as above, or make the drop an operation of the program |
//! | statics and thread-locals: they outlive an execution, and each execution begins with what the last one left | make the data inside the program |
//! | time, random numbers, the order of a hash map, addresses | `choose`, or leave them out |
//! | values that nobody describes | nothing, for what a mutex protects: undescribed it counts as changed by each section. A description that leaves something out hides it (`nmr_sync::describe`) |
//! | other memory orders than sequential consistency | loom |
//!
//! What of this can be noticed is a harness error, and not a verdict: operations or descriptions that
//! differ when the same threads take turns in the same way, a primitive made outside of the execution or
//! used by a thread that `nmr_sync::thread::spawn` did not start, a `check` inside a `check`.
//!
//! # Builds
//!
//! Exists in the shuttle build (`RUSTFLAGS="--cfg shuttle"`) only; in the others there are the names
//! of the [`Reduction`]s.
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

#[cfg(shuttle)]
mod checkpoint;
#[cfg(shuttle)]
mod conflicts;
#[cfg(shuttle)]
mod control;
#[cfg(shuttle)]
mod deadlock;
#[cfg(shuttle)]
mod execution;
#[cfg(shuttle)]
mod explore;
#[cfg(shuttle)]
mod follow;
#[cfg(shuttle)]
mod judge;
#[cfg(shuttle)]
mod knowledge;
#[cfg(shuttle)]
mod known;
#[cfg(shuttle)]
mod labels;
#[cfg(shuttle)]
mod livelock;
#[cfg(shuttle)]
mod neighbourhood;
#[cfg(shuttle)]
mod open;
#[cfg(shuttle)]
mod options;
#[cfg(shuttle)]
mod program;
#[cfg(shuttle)]
mod progress;
mod reduction;
#[cfg(shuttle)]
mod replay;
#[cfg(shuttle)]
mod report;
#[cfg(shuttle)]
mod sample;
#[cfg(shuttle)]
mod schedule;
#[cfg(shuttle)]
mod spin;
#[cfg(shuttle)]
mod visited;
#[cfg(shuttle)]
mod walk;
#[cfg(shuttle)]
mod workers;

#[cfg(shuttle)]
pub use deadlock::{Blocked, Deadlock, Holder, Waits, WakeUps};
#[cfg(shuttle)]
pub use explore::{Builder, Explorer};
#[cfg(shuttle)]
pub use follow::{Fit, Misfit};
#[cfg(shuttle)]
pub use judge::{Ending, Evidence, Judgement, Panic, Violation};
#[cfg(shuttle)]
pub use known::is_known;
#[cfg(shuttle)]
pub use livelock::{Livelock, Spinning};
#[cfg(shuttle)]
pub use neighbourhood::Near;
#[cfg(shuttle)]
pub use nmr_sync::hook::choose;
#[cfg(shuttle)]
pub use progress::Progress;
pub use reduction::{Reduction, UnknownReduction};
#[cfg(shuttle)]
pub use report::{Counterexample, Replay, Replayed, Report, Unproven, Verdict};
#[cfg(shuttle)]
pub use schedule::{Action, Mark, NoStep, Outcome, Schedule, Step};
