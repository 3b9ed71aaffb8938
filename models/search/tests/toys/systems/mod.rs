//! The systems that are searched.

pub(crate) mod counters;
pub(crate) mod graph;
pub(crate) mod handoff;
pub(crate) mod held;
pub(crate) mod liar;
pub(crate) mod peterson;
pub(crate) mod philosophers;
pub(crate) mod tokens;
