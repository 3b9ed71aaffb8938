//! What the explorer says, and when: verdicts, counterexamples, deadlocks, certificates; and what it
//! refuses to say.
#![cfg(shuttle)]

mod atomics;
mod blocking;
mod bursts;
mod certificates;
mod checkpoints;
mod choices;
mod conditions;
mod control;
mod counterexamples;
mod counting;
mod daemons;
mod deadlocks;
mod destructors;
mod judged;
mod killed;
mod knowledge;
mod lies;
mod livelocks;
mod names;
mod panics;
mod programs;
mod repeated;
mod snapshots;
mod spinning;
mod standstills;
mod symmetry;
mod unseen;
mod verdicts;
mod visibility;
mod wake_ups;
mod workers;
