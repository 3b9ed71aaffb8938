//! Property tests of the registrar against its specification.
//!
//! - [`sequential`]: random sequences of operations on one thread, compared answer by answer and
//!   callback by callback with an executable model of the contract.
//! - [`handle_bits`]: random handle values, which must be refused without effect (C12).
//! - [`case`]: a failure as a file that a person can read, and the way back.
//!
//! What happens between threads is not looked at in these modules. The modules that drive the
//! registrar on real threads are absent from the loom and shuttle builds.

pub mod case;
#[cfg(not(any(loom, shuttle)))]
pub mod handle_bits;
pub mod minimize;
#[cfg(not(any(loom, shuttle)))]
mod replay;
pub mod search;
#[cfg(not(any(loom, shuttle)))]
pub mod sequential;

#[cfg(not(any(loom, shuttle)))]
pub use replay::{Replayed, replay, replay_text};
