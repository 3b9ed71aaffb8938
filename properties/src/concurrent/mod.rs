//! Random scenarios: two to four threads, judged by the oracle of `nmr-models` under shuttle.
//!
//! [`generate`] draws a [`Draft`](generate::Draft) and [`assemble`] makes a scenario of it, which
//! [`fair`] mends so that it can end whatever the interleaving: no scenario hangs by its own fault.
//! [`simplify`] says what is simpler. These are data, and the same in every build. The search (in the
//! shuttle build) runs each scenario under the sampling engines, makes a failure small and saves it
//! as a case of `nmr-models`. Sequences on one thread are `sequential`'s.

pub mod assemble;
#[cfg(shuttle)]
pub mod explore;
pub mod fair;
pub mod generate;
pub mod series;
pub mod simplify;
