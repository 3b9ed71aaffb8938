//! Searches small systems whose states can be counted by hand, by a search that is none of ours, or both.
//!
//! What each comparison says nothing of stands in its file. Systems are in `systems`.

mod checkpoints;
mod claims;
mod generated;
mod limits;
mod peer;
mod stateright;
mod systems;
mod verdicts;
