//! `nmr replay` of each kind of case.
#![cfg(unix)]

mod support;

use std::fs;
use std::path::Path;

use support::lines::{FOUND, NOTHING, replay};
use support::{Ended, Fake, command, nmr};

/// A case that a worker replays.
const SCHEDULE: &str = r#"# a comment
kind = "schedule"
engine = "pct"
rule = "C16"
message = "a wait has no end"
executions = 1
scenario = { name = "s", summary = "s", module = [{ name = "c", side = "client" }] }
"#;

/// Replays [`SCHEDULE`], or a change of it, by a worker that is a script.
fn replayed(script: &str, case: &str, more: &[&str]) -> (Ended, String) {
    let fake = Fake::new(script);
    let path = fake.file("case.toml");
    fs::write(&path, case).expect("written");
    let (worker, file) = (fake.path(), path.display().to_string());
    let ended = nmr(&[&["replay", "--worker", &worker, &file], more].concat());
    (ended, fs::read_to_string(&path).expect("it is there"))
}

#[test]
fn a_saved_sequence_is_replayed_twice_the_same() {
    let case = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../properties/regressions/sequential-late-comer.toml");
    let case = case.display().to_string();
    let first = nmr(&["replay", &case]);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    assert!(first.stdout.contains("p1"), "{}", first.stdout);
    assert_eq!(nmr(&["replay", &case]).stdout, first.stdout);
    let json = nmr(&["replay", &case, "--format", "json"]);
    assert!(
        json.stdout
            .starts_with(r#"{"kind":"sequence","verdict":"fixed","states":null,"text":"#),
        "{}",
        json.stdout
    );
}

#[test]
fn what_a_worker_says_of_a_schedule_is_shown() {
    let script = replay("\"reproduces\"", FOUND, 1);
    let (ended, _) = replayed(&script, SCHEDULE, &["--budget", "2s"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let expected = "case: s under pct: C16 (progress)\n\n\
        t\n──────────\nwait for c\n\n\
        violated C16 (progress): it has no end\n\n\
        reproduces; 3 executions\n";
    assert_eq!(ended.stdout, expected);
}

#[test]
fn each_verdict_has_its_words_and_its_exit_code() {
    for (verdict, rest, code, words) in [
        ("\"reproduces\"", FOUND, 1, "reproduces; "),
        (
            r#""reproduces-after-realignment","at":"step 2""#,
            FOUND,
            1,
            "reproduces after re-alignment (at step 2); ",
        ),
        (
            "\"reproduces-elsewhere\"",
            FOUND,
            1,
            "reproduces elsewhere (another schedule); ",
        ),
        (
            "\"breaks-another-rule\"",
            FOUND,
            1,
            "breaks another rule than it was saved for; ",
        ),
        (
            "\"fixed\",\"states\":12",
            NOTHING,
            0,
            "fixed (scenario exhausted, 12 states); ",
        ),
        (
            "\"not-reproduced\",\"why\":\"60s were over\"",
            NOTHING,
            3,
            "not reproduced (cut short: 60s were over); ",
        ),
        (
            "\"harness-error\",\"why\":\"oh\"",
            NOTHING,
            4,
            "the harness failed: oh; ",
        ),
    ] {
        let script = replay(verdict, rest, code);
        let (ended, _) = replayed(&script, SCHEDULE, &[]);
        assert_eq!(ended.code, Some(code), "{}", ended.stderr);
        let last = ended.stdout.lines().last().expect("a line");
        assert!(last.starts_with(words), "{last}");
        let (ended, _) = replayed(&script, SCHEDULE, &["--format", "json"]);
        assert_eq!(ended.code, Some(code), "{}", ended.stderr);
        assert!(ended.stdout.contains(verdict), "{}", ended.stdout);
    }
}

#[test]
fn a_case_of_another_version_that_cannot_be_read_is_no_longer_applicable() {
    let case = SCHEDULE.replace("\"client\"", "\"sideways\"");
    let (ended, _) = replayed("exit 4", &case, &[]);
    assert_eq!(ended.code, Some(2), "nobody says that it was ever right");
    for version in [
        env!("CARGO_PKG_VERSION"),
        concat!(env!("CARGO_PKG_VERSION"), " (c0ffee)"),
    ] {
        let head = format!("version = \"{version}\"\nexecutions");
        let (ended, _) = replayed("exit 4", &case.replace("executions", &head), &[]);
        assert_eq!(ended.code, Some(2), "{version}: {}", ended.stdout);
        assert!(ended.stderr.contains("sideways"), "{}", ended.stderr);
    }
    let case = case.replace("executions", "version = \"0.0.1\"\nexecutions");
    let (ended, _) = replayed("exit 4", &case, &[]);
    assert_eq!(ended.code, Some(5), "{}", ended.stderr);
    let expected = "no longer applicable (it was written by version 0.0.1, ";
    assert!(ended.stdout.starts_with(expected), "{}", ended.stdout);
    let (ended, _) = replayed("exit 4", &case, &["--format", "json"]);
    let start = r#"{"kind":"case","case":"#;
    assert!(ended.stdout.starts_with(start), "{}", ended.stdout);
}

#[test]
fn steps_that_nobody_understands_are_a_bad_case_or_an_old_one() {
    let script = "echo 'error: case.toml:8:1: no action `leap`' >&2; exit 2";
    let (ended, _) = replayed(script, SCHEDULE, &[]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("nmr: case.toml:8:1: no action"),
        "{}",
        ended.stderr
    );
    let old = SCHEDULE.replace("executions", "version = \"0.0.1\"\nexecutions");
    let (ended, _) = replayed(script, &old, &[]);
    assert_eq!(ended.code, Some(5), "{}", ended.stderr);
    assert!(
        ended.stdout.contains("no longer applicable"),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_crash_is_what_the_case_is_about_or_something_else() {
    let crash = "kill -SEGV $$";
    let (ended, _) = replayed(crash, SCHEDULE, &[]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(
        ended.stdout.contains("breaks another rule"),
        "{}",
        ended.stdout
    );
    let (ended, _) = replayed(crash, &SCHEDULE.replace("rule = \"C16\"", ""), &[]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stdout.contains("\nreproduces; "), "{}", ended.stdout);
}

#[test]
fn a_worker_that_does_not_do_as_agreed_is_an_error_of_the_harness() {
    for (script, why) in [
        (
            "echo oh; exit 0".to_owned(),
            "its worker printed a line that is not its: oh",
        ),
        ("exit 0".to_owned(), "its worker ended without a result"),
        (
            replay("\"reproduces\"", FOUND, 0),
            "its worker contradicts itself",
        ),
    ] {
        let (ended, _) = replayed(&script, SCHEDULE, &[]);
        assert_eq!(ended.code, Some(4), "{}", ended.stdout);
        assert!(ended.stderr.contains(why), "{}", ended.stderr);
    }
}

#[test]
fn a_case_of_loom_is_fixed_only_if_loom_says_so_too() {
    let case = SCHEDULE.replace("pct", "loom");
    let script = |second: &str| {
        format!(
            "if [ -e \"${{0%/*}}/asked\" ]; then {second}; fi
             touch \"${{0%/*}}/asked\"; {}",
            replay("\"fixed\",\"states\":12", NOTHING, 0)
        )
    };
    let cut = replay("\"not-reproduced\",\"why\":\"1s were over\"", NOTHING, 3);
    let (ended, _) = replayed(&script(&cut), &case, &[]);
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(ended.stdout.contains("1s were over"), "{}", ended.stdout);
    let fixed = replay("\"fixed\",\"states\":null", NOTHING, 0);
    let (ended, _) = replayed(&script(&fixed), &case, &[]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let last = "fixed (scenario exhausted, 12 states); 6 executions\n";
    assert!(ended.stdout.ends_with(last), "{}", ended.stdout);
}

#[test]
fn a_case_is_updated_only_if_that_is_asked_for() {
    let script = replay("\"reproduces-elsewhere\"", FOUND, 1);
    let (_, case) = replayed(&script, SCHEDULE, &[]);
    assert_eq!(case, SCHEDULE);
    let (ended, case) = replayed(&script, SCHEDULE, &["--update"]);
    assert!(
        ended.stderr.contains("updated: it holds"),
        "{}",
        ended.stderr
    );
    let expected = SCHEDULE.replace("a wait has no end", "it has no end");
    let expected = expected.replace("executions = 1\n", "");
    let (version, rest) = expected.split_at(expected.find("scenario =").expect("there is one"));
    assert!(case.starts_with(version) && case.contains(rest), "{case}");
    assert!(case.contains("schedule = [\"t: begin\"]"), "{case}");
    let another = FOUND.replace("\"broken\":\"C16\"", "\"broken\":\"C7\"");
    let script = replay("\"breaks-another-rule\"", &another, 1);
    let (ended, case) = replayed(&script, SCHEDULE, &["--update"]);
    assert!(ended.stderr.contains("not updated"), "{}", ended.stderr);
    assert_eq!(case, SCHEDULE);
}

#[test]
fn what_an_updated_case_keeps_is_what_is_still_true() {
    let script = replay("\"reproduces-elsewhere\"", FOUND, 1);
    let old = SCHEDULE.replace(
        "executions = 1\n",
        "# of another schedule\nseed = 7\nexecutions = 12\nbound = 3\nschedule = [\"t: begin\", \"u: begin\"]\n",
    );
    let (ended, case) = replayed(&script, &old, &["--update"]);
    assert!(
        ended.stderr.contains("updated: it holds"),
        "{}",
        ended.stderr
    );
    for gone in ["seed", "executions", "bound", "u: begin"] {
        assert!(!case.contains(gone), "{gone} is in {case}");
    }
    assert!(case.contains("# of another schedule"), "{case}");
    assert!(case.contains("engine = \"pct\""), "{case}");
    let (again, same) = replayed(&script, &case, &["--update"]);
    assert!(again.stderr.contains("not updated"), "{}", again.stderr);
    assert_eq!(same, case);
}

/// A cargo that says which builds it is asked for, in their order, and builds a worker that is this script.
fn built_by(script: &str, case: &str) -> (Ended, Vec<String>) {
    let worker = Fake::new(script);
    let cargo = Fake::plain(&format!(
        r#"case "$1" in
            metadata) echo '{{"workspace_root":"/","target_directory":"/target"}}' ;;
            build) echo "$3" >>"${{0%/*}}/builds"
                echo '{{"reason":"compiler-artifact","target":{{"name":"nmr-worker"}},"executable":"{}"}}' ;;
        esac"#,
        worker.path()
    ));
    let path = worker.file("case.toml");
    fs::write(&path, case).expect("written");
    let path = path.display().to_string();
    let mut command = command(&["replay", &path]);
    command.env("CARGO", cargo.path());
    let ended = support::ended(command.output().expect("it starts"));
    let builds = fs::read_to_string(cargo.file("builds")).unwrap_or_default();
    (ended, builds.lines().map(str::to_owned).collect())
}

#[test]
fn looms_worker_is_built_only_if_the_explorers_says_that_the_case_is_fixed() {
    let case = SCHEDULE.replace("pct", "loom");
    let found = replay("\"reproduces-elsewhere\"", FOUND, 1);
    let (ended, builds) = built_by(&found, &case);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_eq!(builds, ["/target/shuttle"], "{}", ended.stderr);
    let fixed = replay("\"fixed\",\"states\":12", NOTHING, 0);
    let (ended, builds) = built_by(&fixed, &case);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(builds, ["/target/shuttle", "/target/loom"]);
    let (_, builds) = built_by(&fixed, SCHEDULE);
    assert_eq!(builds, ["/target/shuttle"]);
}

#[test]
fn an_unknown_kind_is_refused_with_file_and_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let case = folder.path().join("case.toml");
    fs::write(&case, "# a comment\nkind = \"sideways\"\n").expect("written");
    let case = case.display().to_string();
    let ended = nmr(&["replay", &case]);
    assert_eq!(ended.code, Some(2));
    let expected = format!("nmr: {case}:2:8: `sideways` is no kind of case: expected one of ");
    assert!(ended.stderr.starts_with(&expected), "{}", ended.stderr);
}
