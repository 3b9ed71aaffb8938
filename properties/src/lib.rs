//! Property tests of the registrar against its specification.
//!
//! - `sequential`: random sequences of operations on one thread, compared answer by answer and
//!   callback by callback with an executable model of the contract.
//! - `handle_bits`: random handle values, which must be refused without effect (C12).
//! - [`concurrent`]: random scenarios of several threads, judged by the oracle under shuttle.
//! - [`campaign`]: batches of such scenarios, and what they add up to.
//! - [`case`]: a failure as a file that a person can read, and the way back.
//!
//! The first two run on one thread each and are absent from the loom and shuttle builds; random
//! scenarios are the same in every build, and are run in the shuttle build.

pub mod campaign;
pub mod case;
pub mod concurrent;
#[cfg(not(any(loom, shuttle)))]
pub mod handle_bits;
pub use nmr_models::minimize;
#[cfg(not(any(loom, shuttle)))]
mod replay;
pub mod search;
#[cfg(not(any(loom, shuttle)))]
pub mod sequential;
#[cfg(test)]
mod sources;

#[cfg(not(any(loom, shuttle)))]
pub use replay::{Replayed, replay, replay_text};
