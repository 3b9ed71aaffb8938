//! Limits that are counted from 1.

use super::{Checked, misuse};
use crate::scenario::Scenario;
use crate::scenario::place::Place;

pub(super) fn check(scenario: &Scenario) -> Checked {
    let limits = scenario.limits;
    let place = |key| Place::of("limits").key(key);
    if limits.fail_reservation == Some(0) {
        return misuse(
            place("fail-reservation"),
            "there is no reservation 0: expected 1 or more, the first one being 1",
        );
    }
    if limits.last_generation == Some(0) {
        return misuse(
            place("last-generation"),
            "there is no generation 0: expected 1 or more, the first one being 1",
        );
    }
    Ok(())
}
