//! A campaign: batches of programs, what came of each, and what they add up to.
//!
//! A batch is the unit of work. Its number, the seed, the corpus that it starts from, the conditions and the version
//! ([`About`](about::About)) fix all of it: which features are left out, each program, what is kept and mutated, what is found
//! and how it is made small. So shards need no talk, a batch can be repeated alone, and what shards have done is the union of
//! their batches, in any order ([`folder`]). Coverage guides within a batch, and from campaign to campaign by the
//! [`corpus`]; not from batch to batch, or else their order would matter.
//!
//! All but `run` is data and the same in every build; that runs batches in the shuttle build.

pub mod about;
pub mod batch;
pub mod corpus;
pub mod estimate;
pub mod folder;
pub mod matrix;
pub mod memory;
pub mod plan;
pub mod reached;
#[cfg(shuttle)]
pub mod run;
pub mod sample;
pub mod totals;

/// The exit code of a worker that ends because it has too much memory.
pub const OUT_OF_MEMORY: i32 = 12;

/// Programs in a batch, if no other number is asked for.
pub const PROGRAMS: u64 = 100;

/// The exit code of a worker that does not get ahead with a program.
pub const HUNG: i32 = 13;
