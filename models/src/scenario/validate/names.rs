//! Names: of the scenario, of what is in it, and how many of each there may be.

use std::collections::BTreeSet;

use super::{Checked, misuse};
use crate::scenario::place::Place;
use crate::scenario::{MAX_THREADS, Scenario};

/// The most modules that an event can tell apart.
const MAX_MODULES: usize = 255;
/// The most events, and the most locks, that an operation can tell apart.
const MAX_NAMED: usize = 255;

pub(super) fn check(scenario: &Scenario) -> Checked {
    check_its_own(&scenario.name)?;
    let most = |key, most, len, what: &str| match len > most {
        true => misuse(
            Place::of(key).nth(most),
            format!("a scenario has at most {most} {what}, this is one more"),
        ),
        false => Ok(()),
    };
    most("thread", MAX_THREADS, scenario.threads.len(), "threads")?;
    most("module", MAX_MODULES, scenario.modules.len(), "modules")?;
    most("events", MAX_NAMED, scenario.events.len(), "events")?;
    most("locks", MAX_NAMED, scenario.locks.len(), "locks")?;
    let mut names = BTreeSet::new();
    for (place, name) in all(scenario) {
        if name.is_empty() || name.contains(char::is_whitespace) {
            return misuse(
                place,
                format!(
                    "`{name}` is no name of a module, thread, event or lock: expected one word"
                ),
            );
        }
        if !names.insert(name) || name == "main" {
            return misuse(place, format!("`{name}` is taken: expected another name"));
        }
    }
    for (index, name) in scenario.spin_locks.iter().enumerate() {
        let place = Place::of("spin-locks").nth(index);
        if !scenario.locks.contains(name) {
            return misuse(
                place,
                format!("`{name}` names no lock: expected it in `locks = [...]`, too"),
            );
        }
        if scenario.spin_locks[..index].contains(name) {
            return misuse(
                place,
                format!("`{name}` is there already: expected it once"),
            );
        }
    }
    Ok(())
}

/// Cases are saved in files of its name.
fn check_its_own(name: &str) -> Checked {
    let is_of_a_path = |it: char| it.is_whitespace() || matches!(it, '/' | '\\');
    if name.is_empty() || name.starts_with('.') || name.contains(is_of_a_path) {
        return misuse(
            Place::of("name"),
            format!("`{name}` is no name of a scenario: expected one word, without slashes"),
        );
    }
    Ok(())
}

fn all(scenario: &Scenario) -> impl Iterator<Item = (Place, &str)> {
    let modules = scenario.modules.iter().enumerate();
    let modules = modules.map(|(index, it)| (Place::module(index).key("name"), it.name.as_str()));
    let threads = scenario.threads.iter().enumerate();
    let threads = threads.map(|(index, it)| (Place::thread(index).key("name"), it.name.as_str()));
    let listed = [("events", &scenario.events), ("locks", &scenario.locks)];
    let listed = listed.into_iter().flat_map(|(key, names)| {
        let each = names.iter().enumerate();
        each.map(move |(index, name)| (Place::of(key).nth(index), name.as_str()))
    });
    modules.chain(threads).chain(listed)
}
