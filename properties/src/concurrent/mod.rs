//! Random scenarios: two to four threads, judged by the oracle of `nmr-models` under shuttle.
//!
//! [`generate`] draws a [`Draft`](generate::Draft) under [`weights`] and [`assemble`] makes a scenario of it, which
//! [`fair`] mends so that it can end whatever the interleaving: no scenario hangs by its own fault; [`mutate`] changes one that
//! is there. [`simplify`] says what is simpler, [`canonical`] and [`identity`] which failures are the same. These are data, and
//! the same in every build. In the shuttle build `explore` exhausts or samples each program, and `shrink` makes a failure small.
//! What is tried when, and what is kept, is a [campaign](crate::campaign)'s. Sequences on one thread are `sequential`'s.

pub mod assemble;
pub mod canonical;
#[cfg(shuttle)]
pub mod explore;
pub mod fair;
pub mod generate;
pub mod identity;
pub mod mutate;
pub mod series;
#[cfg(shuttle)]
pub mod shrink;
pub mod simplify;
pub mod weights;
