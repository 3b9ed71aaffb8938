//! `nmr case` with workers played by the shell.
#![cfg(unix)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::lines::{NOTHING, replay};
use support::{Fake, nmr};

fn properties() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../properties")
}

/// A worker for which every case is fixed, and those that are expected to reproduce do so.
fn as_expected() -> Fake {
    let reproduces = replay("\"reproduces\"", NOTHING, 1);
    let fixed = replay("\"fixed\",\"states\":12", NOTHING, 0);
    Fake::new(&format!(
        r#"for file in $all; do case "$file" in *.toml)
            if grep -q '^expect = "reproduces"' "$file"; then {reproduces}; else {fixed}; fi ;;
        esac; done"#
    ))
}

#[test]
fn the_regressions_are_listed_with_rule_age_and_what_comes_of_them() {
    let fake = as_expected();
    let folder = properties().join("regressions").display().to_string();
    let list = |format| {
        let args = [
            "case",
            "--worker",
            &fake.path(),
            "--from",
            &folder,
            "--format",
            format,
        ];
        let ended = nmr(&args);
        assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
        ended.stdout
    };
    let human = list("human");
    let line = human
        .lines()
        .find(|line| line.contains("schedule-late-comer"));
    let line = line.unwrap_or_else(|| panic!("{human}"));
    assert!(
        line.contains(" C6 ") && line.ends_with("fixed (scenario exhausted, 12 states)"),
        "{line}"
    );
    assert!(human.contains("reproduces, as expected"), "{human}");
    let json = list("json");
    assert_eq!(json.lines().count(), human.lines().count() - 1);
    let first = r#"{"kind":"case","case":"#;
    assert!(json.lines().all(|line| line.starts_with(first)), "{json}");
}

#[test]
fn a_case_that_is_not_as_expected_is_exit_code_1() {
    let fake = as_expected();
    let folder = tempfile::tempdir().expect("a folder");
    let from = properties().join("regressions/schedule-never-completes.toml");
    let text = fs::read_to_string(from).expect("it is there");
    let path = folder.path().join("case.toml");
    let list = |text: &str| {
        fs::write(&path, text).expect("written");
        let folder = folder.path().display().to_string();
        nmr(&["case", "--worker", &fake.path(), "--from", &folder]).code
    };
    assert_eq!(list(&text), Some(0));
    let violated = Fake::new("kill -SEGV $$");
    let folder = folder.path().display().to_string();
    let ended = nmr(&["case", "--worker", &violated.path(), "--from", &folder]);
    assert_eq!(ended.code, Some(1), "{}{}", ended.stdout, ended.stderr);
}

#[test]
fn a_mistyped_case_is_malformed_and_one_of_an_older_version_is_no_longer_applicable() {
    let fake = as_expected();
    let folder = tempfile::tempdir().expect("a folder");
    let from = properties().join("regressions/schedule-never-completes.toml");
    let text = fs::read_to_string(from).expect("it is there");
    let number = env!("CARGO_PKG_VERSION");
    let text = text.replace(&format!("version = \"{number}\"\n"), "");
    fs::write(folder.path().join("good.toml"), &text).expect("written");
    let list = |text: &str| {
        fs::write(folder.path().join("other.toml"), text).expect("written");
        let folder = folder.path().display().to_string();
        let ended = nmr(&["case", "--worker", &fake.path(), "--from", &folder]);
        assert!(ended.stdout.contains("good.toml"), "{}", ended.stderr);
        (ended.code, ended.stdout)
    };
    let mistyped = text.replace("side = ", "sighed = ");
    assert_ne!(mistyped, text);
    let (today, another_commit) = (nmr_models::case::version(), format!("{number} (c0ffee)"));
    for version in ["", number, &today, &another_commit] {
        let head = match version {
            "" => String::new(),
            version => format!("version = \"{version}\"\n"),
        };
        let (code, out) = list(&format!("{head}{mistyped}"));
        assert_eq!(code, Some(2), "{out}");
        assert!(
            out.contains("  malformed (") && out.contains("`sighed`"),
            "{out}"
        );
    }
    let (code, out) = list(&format!("version = \"0.0.1\"\n{mistyped}"));
    assert_eq!(code, Some(5), "{out}");
    assert!(out.contains("no longer applicable ("), "{out}");
    let (code, out) = list("kind = \"sequential\"\n[[op]]\nleap = \"c1\"\n");
    assert_eq!(code, Some(2), "{out}");
    assert!(
        out.contains("  malformed (") && out.contains("`leap`"),
        "{out}"
    );
}

#[test]
fn steps_of_todays_version_that_nobody_understands_are_malformed() {
    let folder = tempfile::tempdir().expect("a folder");
    let from = properties().join("regressions/schedule-never-completes.toml");
    fs::copy(from, folder.path().join("case.toml")).expect("copied");
    let fake = Fake::new("echo 'error: case.toml:8:1: no action `leap`' >&2; exit 2");
    let folder = folder.path().display().to_string();
    let ended = nmr(&["case", "--worker", &fake.path(), "--from", &folder]);
    assert_eq!(ended.code, Some(2), "{}{}", ended.stdout, ended.stderr);
    assert!(
        ended.stdout.contains("malformed (case.toml:8:1: no action"),
        "{}",
        ended.stdout
    );
}

/// The tests of that file are run with those of nmr-properties.
#[test]
fn a_case_is_printed_as_a_test_that_compiles() {
    let pasted = fs::read_to_string(properties().join("tests/pasted.rs")).expect("it is there");
    for case in ["schedule-never-completes", "sequential-late-comer"] {
        let file = properties()
            .join("regressions")
            .join(case)
            .with_extension("toml");
        let ended = nmr(&["case", &file.display().to_string()]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(
            pasted.contains(&ended.stdout),
            "properties/tests/pasted.rs does not hold this (print it with `cargo nmr case`):\n{}",
            ended.stdout
        );
    }
}
