//! Random sequences of operations, compared with the specification; the saved ones come first.
#![cfg(not(any(loom, shuttle)))]

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use nmr::Resource;
use nmr_models::scenario::Limits;
use nmr_properties::case;
use nmr_properties::search::config;
use nmr_properties::sequential::event::{Answer, Callback, Event, What};
use nmr_properties::sequential::machine::{Contract, LENGTH, Reference, Specification, Stopped};
use nmr_properties::sequential::ops::{Case, KIND};
use nmr_properties::sequential::reference::BLOCKS;
use nmr_properties::sequential::run::{Doctor, run_with, stuck_at};
use nmr_properties::sequential::{Failure, Op, replay, replay_text, run, search};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use proptest_state_machine::ReferenceStateMachine;

/// Enough for 10 s or so in a debug build on one core.
const CASES: u32 = 400;
const SEED: u64 = 0x6e6d_7201;

fn replay_saved() -> usize {
    let files = case::of_kind(&case::regressions(), KIND).unwrap_or_else(|error| panic!("{error}"));
    for file in &files {
        let report = replay(file).unwrap_or_else(|error| panic!("{error}"));
        let command = case::replay_command(file);
        assert!(report.difference.is_none(), "{command}\n{report}");
    }
    files.len()
}

fn parse(ops: &str) -> Vec<Op> {
    let text = format!("kind = \"sequential\"\n{ops}");
    let case: Case = case::parse("here", &text, KIND).unwrap_or_else(|error| panic!("{error}"));
    case.ops
}

#[test]
fn every_saved_sequence_behaves_as_specified() {
    assert!(replay_saved() > 0, "the folder holds at least an example");
}

#[test]
fn random_sequences_behave_as_specified() {
    replay_saved();
    match search::<Contract>(config(CASES, SEED)) {
        Ok(()) => {}
        Err(Stopped::Found(failure)) => {
            let file = failure.save(&case::regressions()).expect("it can be saved");
            panic!("{failure}\nreplay with: {}", case::replay_command(&file));
        }
        Err(stopped) => panic!("{stopped}"),
    }
}

#[test]
fn a_seed_fixes_the_sequences() {
    let draw = || {
        let mut runner = TestRunner::new(config(1, SEED));
        let strategy = Reference::<Contract>::sequential_strategy(LENGTH);
        let (start, ops, _) = strategy.new_tree(&mut runner).expect("drawn").current();
        (start.limits, ops)
    };
    let (limits, ops) = draw();
    assert_eq!((limits, ops.clone()), draw());
    assert_eq!(run(limits, &ops), run(limits, &ops));
}

/// Every answer of every function, and every callback, turns up in the random sequences.
#[test]
fn the_generator_reaches_every_answer_and_callback() {
    let mut runner = TestRunner::new(config(1, SEED));
    let strategy = Reference::<Contract>::sequential_strategy(LENGTH);
    let mut seen = BTreeSet::new();
    for _ in 0..150 {
        let (start, ops, _) = strategy.new_tree(&mut runner).expect("drawn").current();
        let mut model = start.model;
        for op in &ops {
            note(&model.apply(op), &mut seen);
        }
    }
    let missing: Vec<&str> = expected_kinds()
        .filter(|kind| !seen.contains(*kind))
        .collect();
    assert!(
        missing.is_empty(),
        "never seen: {missing:#?}\nseen: {seen:#?}"
    );
}

fn expected_kinds() -> impl Iterator<Item = &'static str> {
    "register: registered
     register: nil interface
     register: panicked
     register: no room for a registration
     register: no room for an interface
     register: no room for a binding
     deregister: pending
     deregister: dead
     deregister: wrong kind
     deregister: foreign
     deregister: already
     deregister: panicked
     wait: done
     wait: not deregistered
     wait: dead
     wait: wrong kind
     wait: foreign
     attach-provider: attached
     attach-provider: refused
     attach-provider: invalid state
     attach-provider: no interface
     attach-provider: panicked
     attach-provider: dead
     attach-provider: wrong kind
     attach-provider: foreign
     detach-complete: done
     detach-complete: invalid state
     detach-complete: dead
     detach-complete: wrong kind
     detach-complete: foreign
     detach-complete: panicked
     inside a callback, register: registered
     inside a callback, register: panicked
     inside a callback, deregister: pending
     inside a callback, deregister: already
     inside a callback, wait: done
     inside a callback, wait: would deadlock
     inside a callback, wait: not deregistered
     inside a callback, detach-complete: done
     inside a callback, detach-complete: invalid state
     the client attaches
     the provider attaches
     a side detaches
     a side cleans up"
        .lines()
        .map(str::trim)
}

fn note(events: &[Event], seen: &mut BTreeSet<String>) {
    let mut calls = Vec::new();
    for event in events {
        match &event.what {
            What::Called(op) => calls.push(function(op)),
            What::Answered(answer) => {
                let function = calls.pop().expect("an answer follows its call");
                let inside = match event.depth {
                    0 => "",
                    _ => "inside a callback, ",
                };
                let answer = word(answer);
                seen.insert(format!("{inside}{function}: {answer}"));
                seen.insert(format!("{function}: {answer}"));
            }
            What::Callback(callback) => {
                let callback = match callback {
                    Callback::ClientAttach { .. } => "the client attaches",
                    Callback::ProviderAttach { .. } => "the provider attaches",
                    Callback::Detach { .. } => "a side detaches",
                    Callback::CleanUp { .. } => "a side cleans up",
                };
                seen.insert(callback.to_owned());
            }
            What::Returned(_) | What::Holds(_) => {}
        }
    }
}

fn function(op: &str) -> &'static str {
    let functions = [
        "deregister",
        "register",
        "wait",
        "attach-provider",
        "detach-complete",
    ];
    let found = functions.into_iter().find(|function| op.contains(function));
    found.expect("a known function")
}

fn word(answer: &Answer) -> String {
    match answer {
        Answer::Registered(_) => "registered".to_owned(),
        Answer::InsufficientResources(refusal) => match refusal.what {
            Resource::Registration => "no room for a registration".to_owned(),
            Resource::Interface => "no room for an interface".to_owned(),
            Resource::Binding => "no room for a binding".to_owned(),
        },
        Answer::NilInterface => "nil interface".to_owned(),
        Answer::Deregistering(_) => "pending".to_owned(),
        Answer::Attached { .. } => "attached".to_owned(),
        Answer::Refused(_) => "refused".to_owned(),
        Answer::AlreadyDeregistering => "already".to_owned(),
        Answer::NotDeregistered => "not deregistered".to_owned(),
        Answer::Panicked(_) => "panicked".to_owned(),
        Answer::InvalidParameter(fault) => {
            nmr_properties::sequential::ops::fault_name(*fault).to_owned()
        }
        other => other.to_string(),
    }
}

/// A specification in which the provider cleans up first.
struct CleanupReversed;

impl Specification for CleanupReversed {
    const DOCTOR: Doctor = |events| {
        let cleanups =
            |event: &Event| matches!(event.what, What::Callback(Callback::CleanUp { .. }));
        let found: Vec<usize> = (0..events.len())
            .filter(|&i| cleanups(&events[i]))
            .collect();
        if let [first, second] = found[..] {
            events.swap(first, second);
        }
    };
}

/// A specification in which nobody cleans up for the provider.
struct NoProviderCleanup;

impl Specification for NoProviderCleanup {
    const DOCTOR: Doctor = |events| {
        let of_provider = |event: &Event| match &event.what {
            What::Callback(Callback::CleanUp { module, .. }) => {
                module.slot.side == nmr::Side::Provider
            }
            _ => false,
        };
        if let Some(index) = events.iter().position(of_provider) {
            events.drain(index..index + 2);
        }
    };
}

fn planted<S: Specification>() -> Failure {
    match search::<S>(config(CASES, SEED)) {
        Err(Stopped::Found(failure)) => failure,
        other => panic!("the planted difference was not found: {other:?}"),
    }
}

#[test]
fn a_wrong_order_of_cleanup_is_found_and_shrunk_to_three_operations() {
    let failure = planted::<CleanupReversed>();
    let ops: Vec<String> = failure.ops.iter().map(Op::to_string).collect();
    assert_eq!(
        ops.len(),
        2,
        "two registrations; the third is the shutdown's: {ops:#?}"
    );
    let message = &failure.message;
    assert!(message.contains("in operation 3 (deregister-"), "{message}");
    assert!(
        message.ends_with(
            "\n  expected: > p1 cleans up: context provider's of c1/p1\
             \n  got:      > c1 cleans up: context client's of c1/p1"
        ),
        "{message}"
    );
}

#[test]
fn a_callback_too_many_is_found_saved_and_found_again() {
    let failure = planted::<NoProviderCleanup>();
    let expected = "  got:      > p1 cleans up: context provider's of c1/p1";
    assert!(failure.message.ends_with(expected), "{failure}");

    let folder = tempfile::tempdir().expect("a folder");
    let file = failure.save(folder.path()).expect("saved");
    let text = case::read(&file).expect("read");
    assert!(
        text.starts_with(&format!("# {}\n", case::replay_command(&file))),
        "{text}"
    );

    let loaded: Case = case::parse("file", &text, KIND).expect("well-formed");
    assert_eq!(loaded, failure.case());
    let again = run_with(
        loaded.limits,
        &loaded.ops,
        NoProviderCleanup::DOCTOR,
        Duration::from_secs(5),
    );
    let difference = again.difference.expect("the same difference");
    assert_eq!(difference.to_string(), loaded.found);
    let sound = replay(&file).expect("well-formed");
    assert_eq!(sound.difference, None, "{sound}");
}

#[test]
fn a_call_that_never_returns_is_a_difference() {
    let ops = parse(
        r#"
        op = [
            { register = { module = "c1", npi = 1, detach = "pending" } },
            { register = { module = "p1", npi = 1 } },
            { deregister-client = "c1" },
            { wait-client = "c1" },
        ]"#,
    );
    // A specification which does not know that this wait blocks.
    let doctor: Doctor = |events| {
        for event in events {
            if event.what == What::Answered(Answer::NotMade(BLOCKS)) {
                event.what = What::Answered(Answer::Done);
            }
        }
    };
    let report = run_with(Limits::default(), &ops, doctor, Duration::from_millis(200));
    let difference = report.difference.expect("it hangs");
    assert_eq!(
        (difference.step, difference.op.as_str()),
        (4, "wait-client c1")
    );
    assert_eq!(difference.got, "the call had not returned after 200ms");
}

#[test]
fn random_sequences_survive_being_saved() {
    let mut runner = TestRunner::new(config(1, SEED));
    let strategy = Reference::<Contract>::sequential_strategy(LENGTH);
    for _ in 0..20 {
        let (start, ops, _) = strategy.new_tree(&mut runner).expect("drawn").current();
        let failure = Failure {
            limits: start.limits,
            ops,
            message: "a \"quoted\"\nmessage".to_owned(),
        };
        let text = case::render(&failure.case());
        let loaded: Case = case::parse("file", &text, KIND).expect("well-formed");
        assert_eq!(loaded, failure.case());
        let report = replay_text("file", &text).expect("well-formed");
        assert_eq!(report, run(failure.limits, &failure.ops));
        assert_eq!(report.difference, None, "{report}");
    }
}

#[test]
fn a_malformed_case_is_refused_with_file_and_line() {
    let refused = |text: &str| replay_text("bad.toml", text).unwrap_err().to_string();
    let unknown_kind = refused("\nkind = \"sideways\"\n");
    assert!(
        unknown_kind.starts_with("bad.toml:2:8: `sideways` is no kind"),
        "{unknown_kind}"
    );
    let no_kind = refused("op = []\n");
    assert!(no_kind.contains("missing field `kind`"), "{no_kind}");
    let syntax = refused("kind = \"sequential\"\n\nop = [\n  { wait-client = }\n]\n");
    assert!(syntax.starts_with("bad.toml:4:"), "{syntax}");
    let handle = refused(
        "kind = \"sequential\"\n[[op]]\nwait-client = \"c1\"\n[[op]]\nwait-client = \"x9\"\n",
    );
    assert!(
        handle.starts_with("bad.toml:5:16: `x9` is no handle: expected a"),
        "{handle}"
    );
    let function = refused("kind = \"sequential\"\n[[op]]\nwait-clint = \"c1\"\n");
    assert!(
        function.starts_with("bad.toml:3:1: unknown variant `wait-clint`"),
        "{function}"
    );
    let module =
        refused("kind = \"sequential\"\n[[op]]\n[op.register]\nmodule = \"p5\"\nnpi = 1\n");
    assert!(
        module.starts_with("bad.toml:4:11: `p5` is no module"),
        "{module}"
    );
    let missing = replay(Path::new("no/such/file.toml"))
        .unwrap_err()
        .to_string();
    assert!(missing.starts_with("no/such/file.toml: "), "{missing}");
}

#[test]
fn a_sequence_that_can_never_return_is_refused() {
    let text = r#"
        kind = "sequential"
        op = [
            { register = { module = "c1", npi = 1, detach = "pending" } },
            { register = { module = "c2", npi = 1, attach = "panic" } },
            { register = { module = "p1", npi = 1 } },
        ]"#;
    let refused = replay_text("stuck.toml", text).unwrap_err().to_string();
    assert!(
        refused.starts_with("stuck.toml: operation 3 (register p1 on npi 1) can never"),
        "{refused}"
    );
    let fixed = text.replace("detach = \"pending\"", "detach = \"early\"");
    let case: Case = case::parse("fixed.toml", &fixed, KIND).expect("well-formed");
    assert_eq!(stuck_at(case.limits, &case.ops), None);
    assert_eq!(run(case.limits, &case.ops).difference, None);
}
