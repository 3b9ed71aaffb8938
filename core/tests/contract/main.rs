//! The registrar's contract, rule by rule, through the public functions on real threads.
//!
//! Each test makes one behaviour happen and looks at the answers and at the callbacks in their order.
//! Not here: every interleaving, which is the model tests' part.
#![cfg(not(any(loom, shuttle)))]

mod attaching;
mod closing_door;
mod deregistering;
mod detaching;
mod handles;
mod messages;
mod open_calls;
mod owning;
mod panics;
mod resources;
mod support;
mod together;
