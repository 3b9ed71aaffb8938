//! Cases from their finding to their verdict, through the worker as its parent sees it.
#![cfg(any(loom, shuttle))]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use nmr_models::case::Case;
use nmr_models::engine_name::Engine;
use nmr_models::replay::{Replayed, Verdict};
use nmr_models::report::Line;

/// A scenario that is at fault itself: nobody completes the provider's pending detach.
const NEVER_COMPLETES: &str = r#"
name = "never-completes"
summary = "a provider answers pending and leaves it at that"
before = ["register c", "register p"]

[[module]]
name = "c"
side = "client"

[[module]]
name = "p"
side = "provider"
detach = "pending"

[[thread]]
name = "leaving"
ops = ["deregister c", "wait c"]

[[thread]]
name = "idle"
ops = ["yield"]
"#;

fn worker(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nmr-worker"));
    command.args(args).output().expect("the worker starts")
}

fn lines(output: &Output) -> Vec<Line> {
    let text = String::from_utf8_lossy(&output.stdout);
    let line = |line| serde_json::from_str(line).expect("a line of the format");
    text.lines().map(line).collect()
}

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
    match lines(&output).pop() {
        Some(Line::Result(result)) => result.case.expect("something was found"),
        other => panic!("{other:?}"),
    }
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
