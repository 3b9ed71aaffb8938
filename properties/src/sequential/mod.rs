//! Sequences of operations on one thread, against the registrar and against its specification.
//!
//! [`ops`] and [`handle_ref`] are the language of the sequences, [`reference`](mod@reference) the specification, [`world`] the
//! scripted modules that drive the real registrar, [`run`](mod@run) the comparison of the two, [`generate`]
//! and [`machine`] the random search. Every answer, every callback in its order, and what the
//! registrar holds on to after each operation are compared. Concurrency is not looked at here.

pub mod event;
pub mod generate;
pub mod handle_ref;
pub mod machine;
pub mod ops;
pub mod reference;
pub mod run;
pub mod simplify;
pub mod world;

pub use machine::{Failure, search};
pub use ops::{Case, KIND, Op};
pub use run::{Report, replay, replay_text, run};
