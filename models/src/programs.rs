//! What `nmr bench` measures the engines with: programs on `nmr-sync` that know no registrar, a scenario
//! that is too large for a suite, and the named scenarios.

use std::path::Path;
use std::sync::Arc;

use nmr_sync::{Monitor, learn, thread};

use crate::scenario::Scenario;
use crate::scenarios;

/// A program to search.
#[derive(Clone, Debug)]
pub enum Program {
    /// A scenario, judged by the oracle.
    Scenario(Arc<Scenario>),
    /// Any other program, which goes wrong by panicking or by a deadlock.
    Plain(Plain),
}

/// A program that is no scenario.
#[derive(Clone, Copy, Debug)]
pub struct Plain {
    /// Its name.
    pub name: &'static str,
    /// One execution.
    pub run: fn(),
}

/// The programs that are no scenarios.
pub const PLAIN: [Plain; 2] = [
    Plain {
        name: "read-only-sections",
        run: read_only_sections,
    },
    Plain {
        name: "small",
        run: small,
    },
];

/// Scenarios that are too large for a suite: the name of each, and its text.
///
/// In the first ones two clients and two providers live as in `four-lives`, and every detach is pending, completed in
/// the order in which they came or in any. They need one thread more than loom has.
pub const LARGE: [(&str, &str); 4] = [
    (
        "four-lives-pending",
        include_str!("../bench/four-lives-pending.toml"),
    ),
    (
        "four-lives-pending-any",
        include_str!("../bench/four-lives-pending-any.toml"),
    ),
    (
        "three-by-three",
        include_str!("../bench/three-by-three.toml"),
    ),
    (
        "three-by-two-pending",
        include_str!("../bench/three-by-two-pending.toml"),
    ),
];

impl Program {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Scenario(scenario) => &scenario.name,
            Self::Plain(plain) => plain.name,
        }
    }
}

/// The program of that name.
#[must_use]
pub fn named(name: &str) -> Option<Program> {
    if let Some(plain) = PLAIN.into_iter().find(|plain| plain.name == name) {
        return Some(Program::Plain(plain));
    }
    let scenario = large(name).or_else(|| scenarios::named(name));
    scenario.map(|scenario| Program::Scenario(Arc::new(scenario)))
}

/// That of the [`LARGE`] ones that has this name.
pub(crate) fn large(name: &str) -> Option<Scenario> {
    let &(name, text) = LARGE.iter().find(|(other, _)| *other == name)?;
    let file = format!("models/bench/{name}.toml");
    Some(Scenario::from_toml(Path::new(&file), text).expect("the file is tested"))
}

/// Four threads, each with a section that changes nothing and of which it takes nothing along. There are
/// 4! = 24 orders and 2⁴ = 16 sets of threads that are through, with 4 · 2³ = 32 ways from one of these
/// to the next.
fn read_only_sections() {
    let shared = Arc::new(Monitor::new(7_u32));
    let reading = |_| {
        let shared = shared.clone();
        thread::spawn(move || {
            shared.enter(|value| {
                learn(&());
                *value
            })
        })
    };
    let threads: Vec<_> = (0..4).map(reading).collect();
    for thread in threads {
        assert_eq!(thread.join().expect("it only reads"), 7);
    }
}

/// Sections of each thread in [`small`].
const SECTIONS: u32 = 10;

/// Two threads that count to ten each, under one lock: C(20, 10) = 184,756 orders, more than are run.
fn small() {
    let count = Arc::new(Monitor::new(0_u32));
    let counting = |_| {
        let count = count.clone();
        thread::spawn(move || (0..SECTIONS).for_each(|_| count.enter(|count| *count += 1)))
    };
    let threads: Vec<_> = (0..2).map(counting).collect();
    for thread in threads {
        thread.join().expect("it only counts");
    }
    assert_eq!(count.enter(|count| *count), 2 * SECTIONS);
}

#[cfg(test)]
mod tests {
    use super::{LARGE, PLAIN, Program, named};
    use crate::scenario::MAX_LOOM_THREADS;
    use crate::scenarios;

    #[test]
    fn every_program_is_found_by_its_name() {
        let scenarios = scenarios::all();
        let names = scenarios.iter().map(|scenario| scenario.name.as_str());
        let plain = PLAIN.iter().map(|plain| plain.name);
        let large = LARGE.iter().map(|(name, _)| *name);
        for name in names.chain(plain).chain(large) {
            assert_eq!(named(name).expect("it is there").name(), name);
        }
        assert!(named("large").is_none());
    }

    #[test]
    fn a_program_of_its_own_is_no_named_scenario() {
        let plain = PLAIN.iter().map(|plain| plain.name);
        for name in plain.chain(LARGE.iter().map(|(name, _)| *name)) {
            assert!(scenarios::named(name).is_none(), "{name}");
        }
    }

    #[test]
    fn one_scenario_is_too_large_for_loom() {
        let Some(Program::Scenario(scenario)) = named("four-lives-pending") else {
            panic!("it is a scenario");
        };
        assert!(scenario.threads.len() > MAX_LOOM_THREADS);
    }

    #[cfg(not(any(loom, shuttle)))]
    #[test]
    fn the_plain_programs_run() {
        PLAIN.iter().for_each(|plain| (plain.run)());
    }
}
