//! The named scenarios that come with this crate: the files in its `scenarios` folder.

use std::path::Path;

use crate::scenario::{FormatError, Scenario};

macro_rules! files {
    ($($name:literal)*) => {
        /// Name and text of each file, sorted by name.
        const FILES: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../scenarios/", $name, ".toml"))),)*
        ];
    };
}

files! {
    "attach-outside-the-callback"
    "attach-twice"
    "both-deregister"
    "both-pending"
    "both-pending-both-leave"
    "callbacks-deregister-others"
    "callbacks-register-others"
    "chain"
    "change-of-mind"
    "change-of-mind-pending"
    "client-and-provider-at-once"
    "client-arrives-provider-leaves"
    "client-declines"
    "completed-twice"
    "completed-uninvited"
    "completed-uninvited-while-leaving"
    "completes-early"
    "deregister-again"
    "deregister-twice"
    "dispatch-under-rundown"
    "dispatch-while-both-leave"
    "foreign-handles"
    "forged-handles"
    "four-lives"
    "hollow-success"
    "hollow-success-while-leaving"
    "late-comer-pending"
    "nil-interface"
    "no-memory-1"
    "no-memory-2"
    "no-memory-3"
    "no-memory-4"
    "no-memory-5"
    "null-contexts"
    "panic-after-attach"
    "panic-in-cleanup"
    "panic-in-client-attach"
    "panic-in-detach"
    "panic-in-provider-attach"
    "pending-client-completed-elsewhere"
    "pending-completed-elsewhere"
    "provider-arrives-client-leaves"
    "provider-declines"
    "provider-leaves-in-its-own-attach"
    "register-register"
    "retired-slots"
    "stale-binding"
    "stale-handle"
    "three-lives"
    "too-many-bindings"
    "too-many-registrations"
    "two-clients-one-provider"
    "two-interfaces"
    "two-lives"
    "two-lives-twice"
    "two-waiters"
    "two-waiters-pending"
    "wait-before-deregister"
    "waits-in-a-callback-for-another"
    "waits-in-its-own-callback"
}

/// All of them, sorted by name.
///
/// # Panics
/// Never: that each file can be read is tested.
#[must_use]
pub fn all() -> Vec<Scenario> {
    let read = |&(name, text): &(&str, &str)| read(name, text).expect("each file is tested");
    FILES.iter().map(read).collect()
}

/// The one of that name.
#[must_use]
pub fn named(name: &str) -> Option<Scenario> {
    all().into_iter().find(|scenario| scenario.name == name)
}

fn read(name: &str, text: &str) -> Result<Scenario, FormatError> {
    Scenario::from_toml(
        &Path::new("models/scenarios").join(format!("{name}.toml")),
        text,
    )
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;

    use super::*;
    use crate::report::Rule;

    #[test]
    fn every_file_can_be_read_and_is_named_for_its_scenario() {
        for (name, text) in FILES {
            let scenario = read(name, text).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(scenario.name, *name);
        }
    }

    #[test]
    fn every_file_of_the_folder_is_listed_in_order() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let files = fs::read_dir(folder).unwrap().map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            name.strip_suffix(".toml").expect("a TOML file").to_owned()
        });
        let files: BTreeSet<String> = files.collect();
        let listed: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        assert_eq!(listed, Vec::from_iter(&files));
    }

    #[test]
    fn every_scenario_goes_through_its_text_form_unchanged() {
        for scenario in all() {
            let text = scenario.to_toml();
            let again = Scenario::from_toml(Path::new("again.toml"), &text);
            assert_eq!(
                again.unwrap_or_else(|error| panic!("{error}\n{text}")),
                scenario
            );
        }
    }

    /// The counters of limits are ordered by an interface's monitor, and by nothing else that an engine
    /// sees.
    #[test]
    fn scenarios_with_limits_keep_to_one_interface() {
        let limited = |scenario: &Scenario| {
            let limits = scenario.limits;
            limits.max_registrations.is_some()
                || limits.max_bindings.is_some()
                || limits.fail_reservation.is_some()
        };
        let all = all();
        let limited: Vec<_> = all.iter().filter(|scenario| limited(scenario)).collect();
        assert!(!limited.is_empty());
        for scenario in limited {
            let interfaces: BTreeSet<u8> = scenario.modules.iter().map(|m| m.npi).collect();
            assert_eq!(interfaces.len(), 1, "{}", scenario.name);
        }
    }

    #[test]
    fn every_rule_is_the_subject_of_two_scenarios() {
        let mut subjects: BTreeMap<Rule, usize> = BTreeMap::new();
        for scenario in all() {
            for rule in scenario.rules {
                *subjects.entry(rule).or_default() += 1;
            }
        }
        let few: Vec<_> = Rule::all()
            .filter(|rule| subjects.get(rule).is_none_or(|&count| count < 2))
            .collect();
        assert!(few.is_empty(), "{few:?}");
    }
}
