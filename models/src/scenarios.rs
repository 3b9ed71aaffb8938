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
    "a-certain-provider"
    "abandoned-provider-where-somebody-was-waited-for"
    "abandoned-where-somebody-was-waited-for"
    "all-stay"
    "attach-again-after-refusal"
    "attach-in-anothers-callback"
    "attach-inside-a-declining-providers-callback"
    "attach-inside-the-providers-callback"
    "attach-outside-the-callback"
    "attach-twice"
    "attach-twice-while-a-provider-leaves"
    "bindings-across-interfaces"
    "both-deregister"
    "both-pending"
    "both-pending-both-leave"
    "callbacks-deregister-others"
    "callbacks-register-others"
    "chain"
    "change-of-mind"
    "change-of-mind-pending"
    "client-and-its-second-provider-leave"
    "client-and-provider-at-once"
    "client-arrives-provider-leaves"
    "client-comes-while-its-provider-registers"
    "client-declines"
    "client-leaves-three-providers-to-come"
    "client-waits-in-each-of-three-detaches"
    "completed-twice"
    "completed-uninvited"
    "completed-uninvited-while-both-leave"
    "completed-uninvited-while-leaving"
    "completes-early"
    "completes-early-and-again"
    "completes-early-twice"
    "completes-in-a-contexts-destructor"
    "completions-in-any-order"
    "context-after-a-panicked-detach"
    "context-of-a-provider-after-a-panicked-detach"
    "declined-context-calls-the-registrar"
    "deregister-again"
    "deregister-twice"
    "deregisters-under-its-own-lock"
    "dispatch-under-rundown"
    "dispatch-while-both-leave"
    "doors-shut-in-attach"
    "drop-calls-the-registrar"
    "drop-of-the-refused-calls-the-registrar"
    "first-and-last-leave"
    "first-client-alone"
    "first-two-of-three"
    "foreign-handles"
    "forged-handles"
    "four-lives"
    "hollow-success"
    "hollow-success-while-leaving"
    "last-peer-replaced"
    "late-comer-inside-an-epoch"
    "late-comer-pending"
    "late-comer-that-its-provider-would-detach"
    "late-comer-whose-provider-leaves-later"
    "late-provider-inside-an-epoch"
    "limits-across-interfaces"
    "marks-itself-after-attaching"
    "nil-interface"
    "nil-interface-on-both-sides"
    "no-memory-1"
    "no-memory-2"
    "no-memory-3"
    "no-memory-4"
    "no-memory-5"
    "no-memory-and-room-left"
    "no-room-for-four-bindings"
    "no-room-for-four-bindings-of-a-clients"
    "null-context-of-a-late-comer"
    "null-context-of-a-provider-pending"
    "null-context-pending"
    "null-contexts"
    "null-contexts-nobody-waits"
    "one-client-at-a-time"
    "one-of-three-leaves"
    "owned-and-left-in-a-callback"
    "owned-and-left-in-a-cleanup"
    "owned-and-left-in-a-contexts-destructor"
    "owned-and-panicking"
    "owned-and-panicking-while-the-provider-leaves"
    "owned-and-pending"
    "owned-and-raced-for"
    "owned-and-waited-for"
    "owned-in-a-callback"
    "owned-lives"
    "owned-provider-in-a-cleanup"
    "owned-provider-raced-for"
    "panic-after-attach"
    "panic-after-attach-with-one-pending"
    "panic-in-cleanup"
    "panic-in-cleanup-with-more-to-come"
    "panic-in-client-attach"
    "panic-in-detach"
    "panic-in-one-detach"
    "panic-in-provider-attach"
    "panic-while-registering-with-one-pending"
    "panicked-context-calls-the-registrar"
    "panicking-registrations-pending"
    "panics-beside-two-bindings"
    "panics-while-two-bindings-go"
    "parts-of-a-guid"
    "parts-of-a-guid-while-leaving"
    "pending-client-completed-elsewhere"
    "pending-completed-elsewhere"
    "pending-while-both-leave-two"
    "provider-arrives-client-leaves"
    "provider-calls-under-rundown"
    "provider-calls-when-its-client-is-ready"
    "provider-comes-while-its-client-registers"
    "provider-declines"
    "provider-leaves-in-its-own-attach"
    "provider-leaves-three-clients-to-come"
    "provider-waited-for-where-somebody-was-abandoned"
    "provider-waits-after-completing-early"
    "provider-waits-in-each-of-three-detaches"
    "refused-and-room-left"
    "refused-twice"
    "register-register"
    "registers-under-its-own-lock"
    "retired-slots"
    "retired-slots-of-bindings"
    "room-after-a-failed-reservation"
    "room-after-a-failed-reservation-of-a-providers"
    "room-comes-back"
    "room-comes-back-across-interfaces"
    "room-of-a-withdrawn-proposal"
    "room-of-a-withdrawn-proposal-comes-back"
    "room-of-an-abandoned-provider"
    "room-of-an-abandoned-registration"
    "room-of-two-comes-back"
    "stale-binding"
    "stale-handle"
    "strict-completed-early"
    "strict-lives"
    "strict-pending"
    "three-lives"
    "three-peers"
    "three-wait-for-a-client"
    "three-wait-for-a-provider"
    "too-many-bindings"
    "too-many-registrations"
    "two-arrive-one-leaves"
    "two-clients-one-provider"
    "two-complete-a-binding"
    "two-interfaces"
    "two-lives"
    "two-lives-twice"
    "two-pending-one-side-leaves"
    "two-providers-arrive-one-leaves"
    "two-waiters"
    "two-waiters-pending"
    "upper-half"
    "upper-half-stays"
    "wait-before-deregister"
    "waited-for-where-somebody-was-abandoned"
    "waits-after-completing-early"
    "waits-for-an-event"
    "waits-in-a-callback-for-a-sibling"
    "waits-in-a-callback-for-another"
    "waits-in-a-cleanup-of-a-completion"
    "waits-in-a-contexts-destructor"
    "waits-in-attach-after-a-refusal"
    "waits-in-attach-after-its-call"
    "waits-in-attach-for-a-sibling"
    "waits-in-attach-for-itself"
    "waits-in-attach-for-the-client"
    "waits-in-attach-for-the-provider"
    "waits-in-its-own-callback"
    "waits-in-the-second-callback"
    "waits-in-the-second-cleanup"
    "windows-lives"
    "windows-pending"
    "windows-unloaded-elsewhere"
    "withdrawn-context-calls-the-registrar"
    "withdrawn-context-deregisters-its-own"
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
    let &(name, text) = FILES.iter().find(|(other, _)| *other == name)?;
    Some(read(name, text).expect("each file is tested"))
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
    use crate::rule::Rule;

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

    #[test]
    fn every_rule_is_the_subject_of_two_scenarios() {
        let mut subjects: BTreeMap<Rule, usize> = BTreeMap::new();
        for scenario in all() {
            for rule in scenario.rules {
                *subjects.entry(rule).or_default() += 1;
            }
        }
        let few: Vec<_> = Rule::every()
            .filter(|rule| subjects.get(rule).is_none_or(|&count| count < 2))
            .collect();
        assert!(few.is_empty(), "{few:?}");
    }
}
