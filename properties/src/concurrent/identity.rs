//! What makes two failures one finding, and what one finding is seen in.
//!
//! A finding is a rule and the way in which it breaks: what the oracle says of it, without the names, numbers and sides of the
//! program, and of a deadlock without what those miss who wait. One mistake breaks a rule in one or two ways, and in many minimal programs, of which none contains another one:
//! one of the monitor's came down to 16 of them in 40 s, under the same words. Those are the finding's *variants*: the same
//! minimal program, up to names and order, and the same shape of the interleaving. The least one stands for the finding.
//!
//! All of it depends on nothing but the case, so that every shard and every night gives a finding the same name. Two mistakes
//! that break a rule in the same way are one finding as long as both are there.

use std::collections::BTreeMap;
use std::hash::Hasher;

use nmr_models::case::Case;
use nmr_models::rule::Rule;
use nmr_models::scenario::Scenario;
use rustc_stable_hash::StableSipHasher128;

use super::canonical::{canonical, program};
use super::simplify::size;

/// A rule, and the way in which it breaks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// The rule; `None` for a crash.
    pub rule: Option<Rule>,
    /// What happens, without names and numbers.
    pub way: String,
}

impl Identity {
    /// That of a case.
    #[must_use]
    pub fn of(case: &Case) -> Self {
        Self::of_failure(case.rule, &case.message, &case.scenario)
    }

    /// That of a failure of which no case is made.
    #[must_use]
    pub fn of_failure(rule: Option<Rule>, message: &str, scenario: &Scenario) -> Self {
        Self {
            rule,
            way: way(message, scenario),
        }
    }

    /// The rule, and a hash of the way: `c16-0123456789abcdef`.
    #[must_use]
    pub fn name(&self) -> String {
        let rule = match self.rule {
            Some(rule) => rule.to_string().to_lowercase(),
            None => "crash".to_owned(),
        };
        format!("{rule}-{:016x}", hash(&self.way))
    }
}

/// One of the minimal programs in which a finding is seen. The least one has the least to read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Variant {
    size: usize,
    program: String,
    turns: usize,
    shape: String,
}

impl Variant {
    /// That of a case that has been made small.
    #[must_use]
    pub fn of(case: &Case) -> Self {
        let shape = shape(&case.schedule);
        Self {
            size: size(&case.scenario),
            program: program(&canonical(&case.scenario)),
            turns: shape.split(' ').count(),
            shape,
        }
    }

    /// Hashes of the minimal program and of the interleaving's shape: `0123456789abcdef-0123`.
    #[must_use]
    pub fn name(&self) -> String {
        let (program, shape) = (hash(&self.program), hash(&self.shape) >> 48);
        format!("{program:016x}-{shape:04x}")
    }
}

/// What is said up to the first semicolon, with `M`, `T`, `E`, `L` for names of modules, threads, events and locks, and `#` for
/// numbers.
fn way(message: &str, scenario: &Scenario) -> String {
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    let locks = scenario.locks.iter().chain(&scenario.spin_locks);
    names.extend(locks.map(|name| (name.as_str(), "L")));
    names.extend(scenario.events.iter().map(|name| (name.as_str(), "E")));
    let threads = scenario.threads.iter();
    names.extend(threads.map(|thread| (thread.name.as_str(), "T")));
    names.insert("main", "T");
    let modules = scenario.modules.iter();
    names.extend(modules.map(|module| (module.name.as_str(), "M")));
    let told = message.lines().next().unwrap_or_default();
    let told = told.split(';').next().unwrap_or_default();
    let is_of_a_word = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let mut way = String::new();
    let mut rest = told;
    while let Some(first) = rest.chars().next() {
        let end = match is_of_a_word(first) {
            true => rest.find(|c| !is_of_a_word(c)).unwrap_or(rest.len()),
            false => first.len_utf8(),
        };
        let (word, after) = rest.split_at(end);
        let is_a_number = word.chars().all(|c| c.is_ascii_digit());
        way.push_str(match names.get(word) {
            Some(name) => name,
            None if is_a_number => "#",
            None => word,
        });
        rest = after;
    }
    // A second registration is one like the first, and what is wrong on one side is wrong on the other one, too.
    let way = way.replace("M'#", "M");
    let way = ["client", "provider"]
        .iter()
        .fold(way, |way, side| way.replace(side, "side"));
    // Generated programs are fair: whatever those who wait are missing, it is the same that keeps them waiting.
    match way.starts_with(DEADLOCK) {
        true => DEADLOCK.to_owned(),
        false => way.trim().to_owned(),
    }
}

/// How the oracle begins to tell of a deadlock.
const DEADLOCK: &str = "the threads cannot go on";

/// Whose turn it is, without how many steps each takes: `main t2 t1 t2`.
fn shape(schedule: &[String]) -> String {
    let thread = |step: &'_ String| -> String {
        let end = step.find([':', '*', '/']).unwrap_or(step.len());
        step[..end].trim().to_owned()
    };
    let mut turns: Vec<String> = schedule.iter().map(thread).collect();
    turns.dedup();
    turns.join(" ")
}

/// The same in every build and on every machine.
#[must_use]
pub fn hash(text: &str) -> u64 {
    let mut hasher = StableSipHasher128::new();
    hasher.write(text.as_bytes());
    Hasher::finish(&hasher)
}

#[cfg(test)]
mod tests {
    use super::{Identity, Variant, hash, shape};
    use nmr_models::case::Case;
    use std::path::Path;

    const TEXT: &str = r#"
kind = "schedule"
engine = "random"
seed = 7
rule = "C16"
message = "the wait of t2 for c1 has no end: 2 steps were left; thread t1 is inside it"
schedule = ["main*2", "t1", "t2*3", "t1"]
[scenario]
name = "two"
summary = "two threads"
[[scenario.module]]
name = "c1"
side = "client"
[[scenario.thread]]
name = "t1"
ops = ["register c1"]
[[scenario.thread]]
name = "t2"
ops = ["deregister c1"]
"#;

    fn case(text: &str) -> Case {
        let case = Case::from_toml(Path::new("case.toml"), text);
        case.unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn a_way_has_no_names_and_no_numbers() {
        let way = Identity::of(&case(TEXT)).way;
        assert_eq!(way, "the wait of T for M has no end: # steps were left");
    }

    #[test]
    fn a_way_has_no_sides_and_a_deadlock_no_reason() {
        let told = |message: &str| {
            let case = case(TEXT);
            Identity::of_failure(case.rule, message, &case.scenario).way
        };
        let one = told("`client_detach_complete c1–c1'1` answers invalid parameter");
        assert_eq!(
            one,
            told("`provider_detach_complete c1–c1` answers invalid parameter")
        );
        let one =
            told("the threads cannot go on: a wake-up was lost; thread t1 is inside wait for c1");
        assert_eq!(
            one,
            told("the threads cannot go on: t2 waits for event `e1`")
        );
    }

    #[test]
    fn seed_names_and_counts_make_no_difference() {
        let other = TEXT
            .replace("seed = 7", "seed = 8")
            .replace("\"two\"", "\"another\"")
            .replace("t2*3", "t2*9")
            .replace("2 steps", "12 steps")
            .replace("c1", "mine");
        let (one, other) = (case(TEXT), case(&other));
        assert_eq!(Identity::of(&one).name(), Identity::of(&other).name());
        assert_eq!(Variant::of(&one).name(), Variant::of(&other).name());
    }

    #[test]
    fn rule_and_way_make_a_finding() {
        for (from, to) in [("C16", "C7"), ("has no end", "ends too early")] {
            let other = case(&TEXT.replace(from, to));
            assert_ne!(Identity::of(&case(TEXT)), Identity::of(&other), "{to}");
        }
    }

    #[test]
    fn program_and_shape_make_a_variant_and_the_smaller_one_is_less() {
        let one = case(TEXT);
        for (from, to) in [
            ("[\"deregister c1\"]", "[\"deregister c1\", \"wait c1\"]"),
            ("\"t2*3\", \"t1\"]", "\"t2*3\", \"t1\", \"t2\"]"),
        ] {
            let other = case(&TEXT.replace(from, to));
            assert_eq!(Identity::of(&one), Identity::of(&other), "{to}");
            assert!(Variant::of(&one) < Variant::of(&other), "{to}");
            assert_ne!(Variant::of(&one).name(), Variant::of(&other).name());
        }
    }

    #[test]
    fn a_shape_is_whose_turn_it_is() {
        let schedule = ["main: begin", "main: end", "t1: lock", "t2*4", "t1: unlock"];
        assert_eq!(shape(&schedule.map(str::to_owned)), "main t1 t2 t1");
    }

    /// Names of files rest on it.
    #[test]
    fn the_hash_is_as_it_was() {
        assert_eq!(hash("a"), 360_168_654_625_236_701);
    }
}
