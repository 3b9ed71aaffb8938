//! Generated programs, explored and compared with an independent reference: the same final states, and
//! a deadlock exactly where the reference has one. In the loom build the reference itself is compared.
#![cfg(any(loom, shuttle))]

#[cfg(loom)]
mod against_loom;
#[cfg(shuttle)]
mod against_shuttle;
#[cfg(shuttle)]
mod explored;
mod generator;
#[cfg(shuttle)]
mod planted;
#[cfg(shuttle)]
mod preemptions;
mod program;
#[cfg(shuttle)]
mod reductions;
mod reference;
mod running;
#[cfg(shuttle)]
mod shrink;
#[cfg(shuttle)]
mod spinning;
#[cfg(shuttle)]
mod spurious;
#[cfg(shuttle)]
mod threads;
#[cfg(shuttle)]
mod workers;
