//! Explores a program on `nmr-sync`'s primitives exhaustively: every interleaving, up to the order of
//! transitions that have nothing to do with each other, under sequential consistency and without a
//! bound on preemptions.
//!
//! It runs the real code, as a scheduler of shuttle, and knows nothing of what the program is about. A
//! panic or a deadlock in any interleaving ends the search with a counterexample.
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
mod explore;
#[cfg(shuttle)]
mod judge;
#[cfg(shuttle)]
mod knowledge;
#[cfg(shuttle)]
mod known;
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
mod report;
#[cfg(shuttle)]
mod visited;
#[cfg(shuttle)]
mod walk;
#[cfg(shuttle)]
mod workers;

#[cfg(shuttle)]
pub use explore::{Builder, Explorer};
#[cfg(shuttle)]
pub use judge::{Ending, Evidence, Judgement};
#[cfg(shuttle)]
pub use known::is_known;
#[cfg(shuttle)]
pub use nmr_sync::hook::choose;
#[cfg(shuttle)]
pub use progress::Progress;
pub use reduction::{Reduction, UnknownReduction};
#[cfg(shuttle)]
pub use report::{Counterexample, Report, Verdict};
