//! Searches every state of a transition system, told apart by 128-bit fingerprints of canonical encodings.

mod claims;
mod encoder;
mod replay;
mod system;

pub use claims::Claims;
pub use encoder::{Encoder, Fingerprint};
pub use replay::{Replay, replay};
pub use system::System;
