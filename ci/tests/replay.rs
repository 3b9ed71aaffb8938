//! `nmr replay` of each kind of case.
#![cfg(unix)]

mod support;

use std::fs;
use std::path::Path;

use support::{Fake, nmr};

/// A case that a worker replays.
const SCHEDULE: &str = r#"
kind = "schedule"
engine = "pct"
message = "a wait has no end"
executions = 1
scenario = { name = "s", summary = "s", module = [{ name = "c", side = "client" }] }
"#;

#[test]
fn a_saved_sequence_is_replayed_twice_the_same() {
    let case = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../properties/regressions/sequential-late-comer.toml");
    let case = case.display().to_string();
    let first = nmr(&["replay", &case]);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    assert!(first.stdout.contains("p1"), "{}", first.stdout);
    assert_eq!(nmr(&["replay", &case]).stdout, first.stdout);
}

#[test]
fn a_schedule_is_shown_by_the_worker() {
    let fake = Fake::new("echo \"$all\"; exit 1");
    let case = fake.file("case.toml");
    fs::write(&case, SCHEDULE).expect("written");
    let case = case.display().to_string();
    let ended = nmr(&["replay", "--worker", &fake.path(), &case]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_eq!(ended.stdout, format!("replay {case}\n"));
}

#[test]
fn the_workers_exit_code_is_passed_on() {
    for (script, code) in [
        ("exit 0", 0),
        ("exit 2", 2),
        ("exit 4", 4),
        ("kill -SEGV $$", 1),
    ] {
        let fake = Fake::new(script);
        let case = fake.file("case.toml");
        fs::write(&case, SCHEDULE).expect("written");
        let ended = nmr(&[
            "replay",
            "--worker",
            &fake.path(),
            &case.display().to_string(),
        ]);
        assert_eq!(ended.code, Some(code), "{script}: {}", ended.stderr);
    }
}

#[test]
fn an_unknown_kind_is_refused_with_file_and_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let case = folder.path().join("case.toml");
    fs::write(&case, "# a comment\nkind = \"sideways\"\n").expect("written");
    let case = case.display().to_string();
    let ended = nmr(&["replay", &case]);
    assert_eq!(ended.code, Some(2));
    let expected = format!("nmr: {case}:2: `sideways` is no kind of case: expected schedule, ");
    assert!(ended.stderr.starts_with(&expected), "{}", ended.stderr);
}
