//! Transitions of the table, without threads.
