//! The contract's rules, asked in their order; then those that are in force where a scenario says so.
//!
//! Each is a function of what was observed before an event and of the event; none keeps a state of
//! its own. Rules about what must have happened by the end have a second function.

mod answers;
mod attach_answer;
mod attach_protocol;
mod cleanup;
mod closing_door;
mod completion;
mod deregistering;
mod deregistration;
mod detach;
mod dispatch;
mod handles;
mod left_over;
mod level;
mod lifetime;
mod limits;
mod matching;
mod misuse;
mod open_calls;
mod outcome;
mod panics;
mod quiescence;
mod refusal;
mod unload;

use crate::event::{Event, Quiet};

use super::check::Check;
use super::facts::Facts;

/// Asks each rule about an event.
pub(super) fn step(facts: &Facts, event: &Event, check: &mut Check<'_>) {
    // A handle that names nothing has no effect, whatever rule that would break besides.
    handles::check(facts, event, check);
    matching::check(facts, event, check);
    attach_protocol::check(facts, event, check);
    outcome::check(facts, event, check);
    closing_door::check(facts, event, check);
    detach::check(facts, event, check);
    completion::check(facts, event, check);
    cleanup::check(facts, event, check);
    dispatch::check(facts, event, check);
    deregistration::check(facts, event, check);
    lifetime::check(facts, event, check);
    deregistering::check(facts, event, check);
    open_calls::check(facts, event, check);
    refusal::check(facts, event, check);
    limits::check(facts, event, check);
    misuse::check(event, check);
    left_over::check(facts, event, check);
    level::check(facts, event, check);
    unload::check(facts, event, check);
    attach_answer::check(facts, event, check);
    panics::check(facts, event, check);
    answers::check(facts, event, check);
}

/// Asks each rule about the end of an execution.
pub(super) fn quiet(facts: &Facts, quiet: &Quiet, check: &mut Check<'_>) {
    matching::quiet(facts, check);
    outcome::quiet(facts, quiet, check);
    closing_door::quiet(facts, check);
    detach::quiet(facts, check);
    completion::quiet(facts, check);
    cleanup::quiet(facts, check);
    open_calls::quiet(check);
    refusal::quiet(facts, quiet, check);
    limits::quiet(facts, check);
    quiescence::quiet(facts, quiet, check);
    left_over::quiet(facts, check);
}
