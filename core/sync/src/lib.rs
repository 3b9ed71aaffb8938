//! The synchronisation primitives of the workspace, with `parking_lot`'s names and signatures.
//!
//! One of three backends is compiled in; the code that uses this crate is the same for all:
//!
//! | build | backend | what it is for |
//! |---|---|---|
//! | default | `parking_lot`, re-exported | production, at no cost |
//! | `RUSTFLAGS="--cfg loom"` | `loom` | exhaustive search under the C11 memory model |
//! | `RUSTFLAGS="--cfg shuttle"` | `shuttle` | controlled scheduling under sequential consistency |
//!
//! No build poisons a lock as far as the API goes: [`Mutex::lock`] returns the guard. On top of the
//! primitives stands [`Monitor`], in which all that a thread learns of the protected data is what
//! its critical section returns.
//!
//! Only what all three backends can do is offered: there are no time-outs (shuttle has none; the explorer's
//! documentation says what to do instead) and
//! the results of `notify_one` and `notify_all` are not part of the common API. What else differs
//! is written where the type is: see [`Mutex`]. What a program tells an explorer of itself ([`describe`],
//! [`learn`], [`forget`], [`touch`], [`Name`]) costs nothing where none listens.
//!
//! ```
//! # #[cfg(not(any(loom, shuttle)))] {
//! use nmr_sync::Monitor;
//!
//! let counter = Monitor::new(0_u32);
//! let seen = counter.enter(|count| {
//!     *count += 1;
//!     *count
//! });
//! assert_eq!(seen, 1);
//! # }
//! ```

#[cfg(all(loom, shuttle))]
compile_error!("`--cfg loom` and `--cfg shuttle` are two different builds: set one of them");

mod builder;
#[cfg(shuttle)]
pub mod hook;
mod mix;
mod monitor;
#[cfg(any(loom, shuttle))]
mod one_mutex;
#[cfg(shuttle)]
mod permutation;
mod told;

#[cfg(loom)]
#[path = "loom.rs"]
mod backend;
#[cfg(not(any(loom, shuttle)))]
#[path = "native.rs"]
mod backend;
#[cfg(shuttle)]
#[path = "shuttle.rs"]
mod backend;

pub use backend::{Condvar, Mutex, MutexGuard, atomic, thread};
pub use monitor::Monitor;
pub use told::{
    Name, Remembered, bits, choose_among, describe, forget, is_explored, learn, linger, mark,
    remember, touch, unordered,
};

/// The name of the backend that this build uses: `"parking_lot"`, `"loom"` or `"shuttle"`.
pub const BACKEND: &str = backend::NAME;
