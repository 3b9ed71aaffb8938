//! Cases from their finding to their verdict, through the worker as its parent sees it.
#![cfg(any(loom, shuttle))]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use nmr_models::case::Case;
use nmr_models::engine_name::Engine;
use nmr_models::replay::{Replayed, Verdict};
use nmr_models::report::Line;
#[cfg(shuttle)]
use nmr_models::rule::Rule;

use common::{NEVER_COMPLETES, lines, result, worker};

/// The case that an engine saves of a scenario.
fn found(folder: &Path, scenario: &str, engine: Engine, more: &[&str]) -> PathBuf {
    let file = folder.join("scenario.toml");
    fs::write(&file, scenario).unwrap();
    let (file, cases) = (file.display().to_string(), folder.display().to_string());
    let fixed = [
        "run",
        "--engine",
        engine.name(),
        "--file",
        &file,
        "--case-dir",
        &cases,
    ];
    let output = worker(&[&fixed[..], more].concat());
    result(&output).case.expect("something was found")
}

/// What a worker says of a case, and its exit code.
fn replayed(case: &Path) -> (Replayed, i32) {
    let output = worker(&["replay", case.to_str().unwrap()]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    match lines(&output).pop() {
        Some(Line::Replay(replayed)) => (*replayed, output.status.code().unwrap()),
        other => panic!("{other:?}: {stderr}"),
    }
}

fn load(case: &Path) -> Case {
    Case::from_toml(case, &fs::read_to_string(case).unwrap()).unwrap()
}

/// A copy of a case, changed.
fn changed(case: &Path, change: impl FnOnce(String) -> String) -> PathBuf {
    let path = case.with_extension("changed.toml");
    fs::write(&path, change(fs::read_to_string(case).unwrap())).unwrap();
    path
}

#[cfg(shuttle)]
mod with_the_explorer {
    use nmr_models::engine_name::Build;

    use super::*;

    fn own_engines() -> Vec<Engine> {
        let engines = Engine::ALL.into_iter();
        engines
            .filter(|engine| engine.build() == Build::current())
            .collect()
    }

    #[test]
    fn a_finding_of_each_engine_is_replayed_in_one_execution_and_twice_the_same() {
        for (engine, more) in own_engines()
            .into_iter()
            .map(|engine| (engine, &[][..]))
            .chain([(Engine::Explorer, &["--explorer", r#"{"workers":4}"#][..])])
        {
            let folder = tempfile::tempdir().unwrap();
            let case = found(folder.path(), NEVER_COMPLETES, engine, more);
            let saved = load(&case);
            let (first, code) = replayed(&case);
            assert_eq!(first.verdict, Verdict::Reproduces, "{engine} {more:?}");
            assert_eq!((first.executions, code), (1, 1), "{engine}");
            assert_eq!((first.broken, &first.message), (saved.rule, &saved.message));
            assert_eq!(first.schedule, saved.schedule, "{engine}");
            assert!(!first.interleaving.is_empty());
            assert_eq!(replayed(&case).0, first, "{engine}");
        }
    }

    #[test]
    fn a_case_without_a_schedule_reproduces_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let case = found(folder.path(), NEVER_COMPLETES, Engine::Explorer, &[]);
        let mut bare = load(&case);
        bare.schedule.clear();
        bare.engine = Engine::Loom;
        let bare = changed(&case, |_| bare.to_toml());
        let (replayed, code) = replayed(&bare);
        assert_eq!(replayed.verdict, Verdict::ReproducesElsewhere);
        assert_eq!((replayed.broken, code), (load(&case).rule, 1));
        assert!(!replayed.schedule.is_empty(), "it has one now");
    }

    #[test]
    fn an_old_case_is_replayed_by_its_scenario() {
        let folder = tempfile::tempdir().unwrap();
        let case = found(folder.path(), NEVER_COMPLETES, Engine::Random, &[]);
        let mut old = load(&case);
        old.schedule = vec!["main*3".to_owned(), "leaving*9".to_owned()];
        old.version = None;
        let old = changed(&case, |_| old.to_toml());
        assert_eq!(replayed(&old).0.verdict, Verdict::ReproducesElsewhere);
    }

    #[test]
    fn a_scenario_that_is_mended_is_fixed_and_says_how_many_states_it_has() {
        let folder = tempfile::tempdir().unwrap();
        let case = found(folder.path(), NEVER_COMPLETES, Engine::Random, &[]);
        let mended = changed(&case, |text| {
            text.replace("detach = \"pending\"", "detach = \"complete\"")
                .replace("[\"yield\"]", "[\"deregister p\", \"wait p\"]")
        });
        let (replayed, code) = replayed(&mended);
        let Verdict::Fixed {
            states: Some(states),
        } = replayed.verdict
        else {
            panic!("{replayed:?}");
        };
        assert_eq!((states > 0, code), (true, 0));
    }

    #[test]
    fn a_scenario_that_cannot_be_exhausted_is_not_called_fixed() {
        let folder = tempfile::tempdir().unwrap();
        let case = found(folder.path(), NEVER_COMPLETES, Engine::Random, &[]);
        let mended = changed(&case, |text| {
            text.replace("detach = \"pending\"", "detach = \"complete\"")
                .replace(
                    "[\"yield\"]",
                    "[\"register c\", \"deregister c\", \"wait c\"]",
                )
        });
        let path = mended.to_str().unwrap();
        let output = worker(&["replay", path, "--budget-ms", "1"]);
        let Some(Line::Replay(replayed)) = lines(&output).pop() else {
            panic!("{output:?}");
        };
        assert!(
            matches!(replayed.verdict, Verdict::NotReproduced { .. }),
            "{replayed:?}"
        );
        assert_eq!(output.status.code(), Some(3));
    }

    #[test]
    fn a_schedule_that_no_longer_fits_is_aligned_again() {
        let folder = tempfile::tempdir().unwrap();
        let case = found(folder.path(), NEVER_COMPLETES, Engine::Random, &[]);
        let mut gone = load(&case);
        let step = "idle: acquire Mutex<Gone>.1".to_owned();
        gone.schedule.insert(0, step.clone());
        let gone = changed(&case, |_| gone.to_toml());
        let (replayed, code) = replayed(&gone);
        let Verdict::ReproducesAfterRealignment { at } = &replayed.verdict else {
            panic!("{replayed:?}");
        };
        assert!(at.contains("step 1") && at.contains(&step), "{at}");
        assert_eq!((replayed.broken, code), (load(&case).rule, 1));
    }

    /// It deadlocks whatever is chosen, and nothing of the schedule is done on the way.
    #[test]
    fn a_schedule_that_is_not_come_to_is_not_said_to_reproduce_exactly() {
        let folder = tempfile::tempdir().unwrap();
        let case = found(folder.path(), NEVER_COMPLETES, Engine::Random, &[]);
        let mut other = load(&case);
        other.schedule = vec!["idle: acquire Mutex<Gone>.1".to_owned()];
        let other = changed(&case, |_| other.to_toml());
        let (replayed, code) = replayed(&other);
        let Verdict::ReproducesAfterRealignment { at } = &replayed.verdict else {
            panic!("{replayed:?}");
        };
        assert!(at.ends_with("the execution was over before"), "{at}");
        assert_eq!((replayed.broken, code), (load(&case).rule, 1));
    }

    /// Also where the search for its own rule has no time.
    #[test]
    fn what_its_schedule_breaks_is_told_if_nothing_else_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let case = found(folder.path(), NEVER_COMPLETES, Engine::Random, &[]);
        let other = changed(&case, |text| {
            text.replace("rule = \"C16\"", "rule = \"C7\"")
                .replace("[\"yield\"]", "[\"yield\", \"deregister p\"]")
        });
        let output = worker(&["replay", other.to_str().unwrap(), "--budget-ms", "1"]);
        let Some(Line::Replay(replayed)) = lines(&output).pop() else {
            panic!("{output:?}");
        };
        assert_eq!(replayed.verdict, Verdict::BreaksAnotherRule);
        assert_eq!(replayed.broken, load(&case).rule);
        assert!(!replayed.interleaving.is_empty());
    }

    /// Its own rule is not broken, and the search that would say so has little time: enough for an execution on a busy machine.
    #[test]
    fn another_rule_is_told_though_the_search_for_the_own_one_is_cut_short() {
        let folder = tempfile::tempdir().unwrap();
        let case = found(folder.path(), NEVER_COMPLETES, Engine::Random, &[]);
        let mut bare = load(&case);
        bare.schedule.clear();
        bare.rule = Some(Rule::new(7));
        let bare = changed(&case, |_| bare.to_toml());
        let output = worker(&["replay", bare.to_str().unwrap(), "--budget-ms", "50"]);
        let Some(Line::Replay(replayed)) = lines(&output).pop() else {
            panic!("{output:?}");
        };
        assert_eq!(replayed.verdict, Verdict::BreaksAnotherRule, "{replayed:?}");
        assert_eq!(replayed.broken, load(&case).rule);
        assert!(!replayed.schedule.is_empty() && !replayed.message.is_empty());
        assert_eq!(output.status.code(), Some(1));
    }

    #[test]
    fn a_step_that_is_none_is_told_with_its_place_and_ends_with_code_2() {
        let folder = tempfile::tempdir().unwrap();
        let case = found(folder.path(), NEVER_COMPLETES, Engine::Random, &[]);
        for (step, wrong) in [
            ("idle: leap", "there is no action `leap`"),
            ("idle: acquire Mutex<u8>.1 #0", "` #0` is no ordinal"),
            ("idle: acquire Mutex<u8>.1 after `x", "a place has no end"),
        ] {
            let mut bad = load(&case);
            bad.schedule.insert(0, step.to_owned());
            let bad = changed(&case, |_| bad.to_toml());
            let output = worker(&["replay", bad.to_str().unwrap()]);
            let error = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{error}");
            assert!(
                error.starts_with(&format!("error: {}:", bad.display())),
                "{error}"
            );
            assert!(error.contains(wrong), "{error}");
            assert!(output.stdout.is_empty());
        }
    }

    #[test]
    fn a_case_that_breaks_another_rule_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let case = found(folder.path(), NEVER_COMPLETES, Engine::Random, &[]);
        let other = changed(&case, |text| {
            text.replace("rule = \"C16\"", "rule = \"C7\"")
        });
        let (replayed, code) = replayed(&other);
        assert_eq!(replayed.verdict, Verdict::BreaksAnotherRule);
        assert_eq!((replayed.broken, code), (load(&case).rule, 1));
    }
}

#[cfg(loom)]
#[test]
fn loom_says_that_another_rule_breaks() {
    let folder = tempfile::tempdir().unwrap();
    let case = found(folder.path(), NEVER_COMPLETES, Engine::Loom, &[]);
    let other = changed(&case, |text| {
        text.replace("rule = \"C16\"", "rule = \"C7\"")
    });
    let (replayed, code) = replayed(&other);
    assert_eq!((replayed.verdict, code), (Verdict::BreaksAnotherRule, 1));
    assert_eq!(replayed.broken, load(&case).rule);
}

#[cfg(loom)]
#[test]
fn loom_searches_again() {
    let folder = tempfile::tempdir().unwrap();
    let case = found(folder.path(), NEVER_COMPLETES, Engine::Loom, &[]);
    let (first, code) = replayed(&case);
    assert_eq!((&first.verdict, code), (&Verdict::ReproducesElsewhere, 1));
    assert_eq!(first.broken, load(&case).rule);
    assert_eq!(replayed(&case).0, first);
    let mended = changed(&case, |text| {
        text.replace("detach = \"pending\"", "detach = \"complete\"")
    });
    let fixed = Verdict::Fixed { states: None };
    assert_eq!(
        replayed(&mended),
        (
            Replayed {
                verdict: fixed,
                ..replayed(&mended).0
            },
            0
        )
    );
}
