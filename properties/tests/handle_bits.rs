//! Calls with random handle bits; the saved cases come first.
#![cfg(not(any(loom, shuttle)))]

use nmr::HandleFault;
use nmr_properties::case;
use nmr_properties::handle_bits::{Case, KIND, Stopped, cases, faithful, replay_text, run, search};
use nmr_properties::search::config;
use nmr_properties::sequential::event::{Answer, What};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

/// About 3 s in a debug build on one core.
const CASES: u32 = 400;
const SEED: u64 = 0x6e6d_7202;

fn replay_saved() -> usize {
    let files = case::of_kind(&case::regressions(), KIND).unwrap_or_else(|error| panic!("{error}"));
    for file in &files {
        let replayed = nmr_properties::replay(file).unwrap_or_else(|error| panic!("{error}"));
        let command = case::replay_command(file);
        assert!(!replayed.reproduced, "{command}\n{}", replayed.text);
    }
    files.len()
}

fn drawn(count: usize) -> Vec<Case> {
    let mut runner = TestRunner::new(config(1, SEED));
    let draw = |_| cases().new_tree(&mut runner).expect("drawn").current();
    (0..count).map(draw).collect()
}

#[test]
fn every_saved_case_behaves_as_specified() {
    assert!(replay_saved() > 0, "the folder holds at least an example");
}

#[test]
fn random_bits_are_refused_without_effect() {
    replay_saved();
    match search(config(CASES, SEED), faithful) {
        Ok(()) => {}
        Err(Stopped::Found(failure)) => {
            let file = failure.save(&case::regressions()).expect("it can be saved");
            panic!("{failure}\nreplay with: {}", case::replay_command(&file));
        }
        Err(stopped) => panic!("{stopped}"),
    }
}

/// Otherwise the search would show little: bits that are refused, and bits that name something.
#[test]
fn probes_miss_and_hit() {
    let (mut missed, mut foreign, mut hit) = (0, 0, 0);
    for case in drawn(100) {
        let report = run(&case);
        for step in report.steps.iter().skip(case.ops.len()) {
            match &step.events[..] {
                [_, answered, _] if answered.what == What::Answered(Answer::InvalidHandle) => {
                    missed += 1;
                }
                [_, answered, _]
                    if answered.what
                        == What::Answered(Answer::InvalidParameter(HandleFault::Foreign)) =>
                {
                    foreign += 1;
                }
                _ => hit += 1,
            }
        }
    }
    assert!(
        missed > 500 && foreign > 100 && hit > 100,
        "{missed} {foreign} {hit}"
    );
}

#[test]
fn a_wrong_answer_is_found_shrunk_saved_and_found_again() {
    // A specification that takes handles of other registrars for its own.
    let doctor = |answer| match answer {
        Answer::InvalidParameter(HandleFault::Foreign) => Answer::InvalidHandle,
        answer => answer,
    };
    let Err(Stopped::Found(failure)) = search(config(CASES, SEED), doctor) else {
        panic!("the planted difference was not found");
    };
    let case = &failure.case;
    assert_eq!((case.ops.len(), case.probes.len()), (1, 1), "{failure}");
    assert!(
        case.found.ends_with(
            "\n  expected: = invalid parameter: no such handle\
             \n  got:      = invalid parameter: foreign handle"
        ),
        "{failure}"
    );

    let folder = tempfile::tempdir().expect("a folder");
    let file = failure.save(folder.path()).expect("saved");
    let text = case::read(&file).expect("read");
    let loaded: Case = case::parse("file", &text, KIND).expect("well-formed");
    assert_eq!(&loaded, case);
    let sound = nmr_properties::replay(&file).expect("well-formed");
    assert!(!sound.reproduced, "{}", sound.text);
    assert_eq!(sound, nmr_properties::replay(&file).expect("well-formed"));
}

#[test]
fn random_cases_survive_being_saved() {
    for case in drawn(20) {
        let text = case::render(&case);
        let loaded: Case = case::parse("file", &text, KIND).expect("well-formed");
        assert_eq!(loaded, case);
        assert_eq!(replay_text("file", &text).expect("well-formed"), run(&case));
    }
}

#[test]
fn a_malformed_probe_is_refused_with_file_and_line() {
    let refused = |probe: &str| {
        let text = format!("kind = \"handle-bits\"\n\n[[probe]]\n{probe}\n");
        replay_text("bad.toml", &text).unwrap_err().to_string()
    };
    let function = refused("call = \"deregister\"");
    assert!(
        function.starts_with("bad.toml:4:9: unknown variant `deregister`, expected one of"),
        "{function}"
    );
    let mask = refused("call = \"wait-client\"\nflip = \"0xg\"");
    assert!(
        mask.starts_with("bad.toml:5:9: `0xg` is no mask: expected"),
        "{mask}"
    );
}
