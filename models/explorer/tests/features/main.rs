//! What the explorer says, and when: verdicts, counterexamples, deadlocks, certificates; and what it
//! refuses to say.
#![cfg(shuttle)]

mod certificates;
mod checkpoints;
mod choices;
mod control;
mod counterexamples;
mod deadlocks;
mod keeping;
mod killed;
mod knowledge;
mod lies;
mod programs;
mod repeated;
mod symmetry;
mod verdicts;
mod visibility;
mod workers;
