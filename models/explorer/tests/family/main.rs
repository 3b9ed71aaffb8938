//! Generated programs, explored and compared with an independent reference: the same final states, and
//! a deadlock exactly where the reference has one.
#![cfg(shuttle)]

mod against_shuttle;
mod explored;
mod generator;
mod preemptions;
mod program;
mod reductions;
mod reference;
mod shrink;
mod spurious;
mod threads;
mod workers;
