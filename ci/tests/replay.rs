//! `nmr replay` of each kind of case.
#![cfg(unix)]

mod support;

use std::fs;
use std::path::Path;

use support::{Ended, Fake, nmr};

/// A case that a worker replays.
const SCHEDULE: &str = r#"# a comment
kind = "schedule"
engine = "pct"
rule = "C16"
message = "a wait has no end"
executions = 1
scenario = { name = "s", summary = "s", module = [{ name = "c", side = "client" }] }
"#;

/// A worker's line, with this verdict and whatever else.
fn line(verdict: &str, rest: &str) -> String {
    format!(
        r#"echo '{{"kind":"replay","scenario":"s","engine":"pct","rule":"C16","verdict":{verdict},"executions":3{rest}}}'"#
    )
}

const FOUND: &str = r#","broken":"C16","message":"it has no end","schedule":["t: begin"],"interleaving":[{"thread":"t","event":"wait for c"}]"#;
const CLEAN: &str = r#","broken":null,"message":"","schedule":[],"interleaving":[]"#;

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
    let script = format!(
        "echo \"$all\" >\"${{0%/*}}/order\"; {}; exit 1",
        line("\"reproduces\"", FOUND)
    );
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
            CLEAN,
            0,
            "fixed (scenario exhausted, 12 states); ",
        ),
        (
            "\"not-reproduced\",\"why\":\"60s were over\"",
            CLEAN,
            3,
            "not reproduced (cut short: 60s were over); ",
        ),
        (
            "\"harness-error\",\"why\":\"oh\"",
            CLEAN,
            4,
            "the harness failed: oh; ",
        ),
    ] {
        let script = format!("{}; exit {code}", line(verdict, rest));
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
            format!("{}; exit 0", line("\"reproduces\"", FOUND)),
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
             touch \"${{0%/*}}/asked\"; {}; exit 0",
            line("\"fixed\",\"states\":12", CLEAN)
        )
    };
    let cut = format!(
        "{}; exit 3",
        line("\"not-reproduced\",\"why\":\"1s were over\"", CLEAN)
    );
    let (ended, _) = replayed(&script(&cut), &case, &[]);
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(ended.stdout.contains("1s were over"), "{}", ended.stdout);
    let fixed = format!("{}; exit 0", line("\"fixed\",\"states\":null", CLEAN));
    let (ended, _) = replayed(&script(&fixed), &case, &[]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let last = "fixed (scenario exhausted, 12 states); 6 executions\n";
    assert!(ended.stdout.ends_with(last), "{}", ended.stdout);
}

#[test]
fn a_case_is_updated_only_if_that_is_asked_for() {
    let script = format!("{}; exit 1", line("\"reproduces-elsewhere\"", FOUND));
    let (_, case) = replayed(&script, SCHEDULE, &[]);
    assert_eq!(case, SCHEDULE);
    let (ended, case) = replayed(&script, SCHEDULE, &["--update"]);
    assert!(
        ended.stderr.contains("updated: it holds"),
        "{}",
        ended.stderr
    );
    assert!(case.starts_with("# a comment\nkind = "), "{case}");
    assert!(case.contains("schedule = [\"t: begin\"]"), "{case}");
    let another = FOUND.replace("\"broken\":\"C16\"", "\"broken\":\"C7\"");
    let script = format!("{}; exit 1", line("\"breaks-another-rule\"", &another));
    let (ended, case) = replayed(&script, SCHEDULE, &["--update"]);
    assert!(ended.stderr.contains("not updated"), "{}", ended.stderr);
    assert_eq!(case, SCHEDULE);
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
