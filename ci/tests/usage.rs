//! What is asked of the command wrongly, and how it answers.

mod support;

use std::fs;

use support::nmr;

#[test]
fn everything_has_help() {
    for args in [
        &["--help"][..],
        &["check", "--help"],
        &["bugs", "--help"],
        &["fuzz", "--help"],
        &["prove", "--help"],
        &["bench", "--help"],
        &["bench", "explorer", "--help"],
        &["bench", "registrar", "--help"],
        &["init", "--help"],
        &["list", "--help"],
        &["replay", "--help"],
        &["test", "--help"],
    ] {
        let ended = nmr(args);
        assert_eq!(ended.code, Some(0), "{args:?}");
        assert!(
            ended.stdout.contains("Usage: cargo nmr"),
            "{}",
            ended.stdout
        );
    }
}

#[test]
fn bad_usage_is_2_and_says_what_was_expected() {
    for (args, expected) in [
        (&["chek"][..], "a similar subcommand exists: 'check'"),
        (&["check", "--engine", "steam"], "[possible values: direct,"),
        (
            &["check", "--budget", "soon"],
            "expected a time such as 60s",
        ),
        (&["check", "--budget", "0s"], "expected at least 1ms"),
        (
            &["check", "--platform", "dos"],
            "[possible values: windows]",
        ),
        (&["check", "--seed", "x"], "invalid digit"),
        (&["check", "--jobs", "0"], "0 is not in 1..=256"),
        (&["check", "--scenario", "late-[comer"], "late-[comer"),
        (
            &["check", "--scenario", "hollow-sucess"],
            "the nearest names are hollow-success",
        ),
        (
            &["check", "--no-reduction", "sleep"],
            "`sleep` is no reduction: expected visible-operations, visited-states, forgetting, \
             symmetry or lock-aware",
        ),
        (
            &["check", "--max-memory", "much"],
            "expected a size such as 4GiB",
        ),
        (&["check", "--workers", "0"], "0 is not in 1..=256"),
        (
            &["check", "--scenario", "two-*", "--checkpoint", "c"],
            "--checkpoint holds the search of one scenario, these are ",
        ),
        (
            &[
                "check",
                "--checkpoint",
                "no/such/c",
                "--scenario",
                "two-lives",
            ],
            "--checkpoint: there is no folder ",
        ),
        (
            &["check", "--engine", "loom,shuttle", "--workers", "2"],
            "--workers is for the explorer, which is not among the engines",
        ),
        (
            &["check", "--engine", "pct", "--no-reduction", "symmetry"],
            "--no-reduction is for the explorer, which is not among the engines",
        ),
        (&["bugs", "--name", "lost-[wakeup"], "--name: "),
        (
            &["bugs", "--name", "lost-wakup"],
            "the nearest names are lost-wakeup",
        ),
        (&["bench"], "Usage: cargo nmr bench <COMMAND>"),
        (&["bench", "loom"], "unrecognized subcommand 'loom'"),
        (
            &["bench", "registrar", "--rounds", "0"],
            "0 is not in 1..=1000",
        ),
        (
            &["bench", "registrar", "--baseline", "no-such-revision"],
            "--baseline: `no-such-revision` is no commit here: expected a hash, a branch or a tag",
        ),
        (
            &["check", "--scenario", "a", "--file", "b"],
            "cannot be used with",
        ),
        (&["fuzz"], "--time <TIME>"),
        (
            &["fuzz", "--time", "1s", "--shard", "3/2"],
            "`3/2` is not a shard, `i/n` with i from 1 to n",
        ),
        (
            &["prove", "--size", "huge"],
            "[possible values: small, calls, corners, medium, large]",
        ),
        (
            &["prove", "--shard", "0/2"],
            "`0/2` is not a shard, `i/n` with i from 1 to n",
        ),
        (
            &["prove", "--checkpoint", "no/such/c"],
            "--checkpoint: there is no folder ",
        ),
        (&["replay", "no/such/case.toml"], "no/such/case.toml: "),
        (&["test", "--build", "steam"], "[possible values: native,"),
    ] {
        let ended = nmr(args);
        assert_eq!(ended.code, Some(2), "{args:?}: {}", ended.stderr);
        assert!(
            ended.stderr.contains(expected),
            "{args:?}: {}",
            ended.stderr
        );
        assert_eq!(ended.stdout, "", "{args:?}");
    }
}

#[test]
fn a_malformed_scenario_is_refused_with_file_line_and_column() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("own.toml");
    let text = "name = \"own\"\nsummary = \"?\"\n\n[[module]]\nname = \"c\"\nside = \"left\"\n";
    fs::write(&path, text).expect("written");
    let path = path.display().to_string();
    let ended = nmr(&["check", "--file", &path]);
    assert_eq!(ended.code, Some(2));
    let expected = format!("nmr: {path}:6:8: ");
    assert!(ended.stderr.starts_with(&expected), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("expected `client` or `provider`"),
        "{}",
        ended.stderr
    );
    let excerpt = "  |\n6 | side = \"left\"\n  |        ^^^^^^\n";
    assert!(ended.stderr.ends_with(excerpt), "{}", ended.stderr);
}

#[test]
fn a_scenario_that_makes_no_sense_is_refused_where_it_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("own.toml");
    let text = "name = \"own\"\nsummary = \"?\"\n\n[[module]]\nname = \"c\"\nside = \"client\"\n\
        in-detach = [\"yield\", \"complete-all\"]\n";
    fs::write(&path, text).expect("written");
    let path = path.display().to_string();
    let ended = nmr(&["check", "--file", &path]);
    assert_eq!(ended.code, Some(2));
    let expected =
        format!("nmr: {path}:7:23: `complete-all` goes on until the threads' waits are done");
    assert!(ended.stderr.starts_with(&expected), "{}", ended.stderr);
    let excerpt =
        "7 | in-detach = [\"yield\", \"complete-all\"]\n  |                       ^^^^^^^^^^^^^^\n";
    assert!(ended.stderr.ends_with(excerpt), "{}", ended.stderr);
}

#[test]
fn scenarios_are_listed_by_name() {
    let ended = nmr(&["list", "--format", "json"]);
    assert_eq!(ended.code, Some(0));
    let line = |text: &str| serde_json::from_str(text).expect("an object");
    let lines: Vec<serde_json::Value> = ended.stdout.lines().map(line).collect();
    assert!(lines.len() >= 30, "{} scenarios", lines.len());
    let names: Vec<&str> = lines
        .iter()
        .filter_map(|line| line["name"].as_str())
        .collect();
    assert_eq!(names.len(), lines.len());
    assert!(names.is_sorted(), "{names:?}");
    assert!(lines.iter().all(|line| line["kind"] == "scenario"));

    let human = nmr(&["list"]);
    assert_eq!(human.stdout.lines().count(), lines.len() + 1, "a heading");
}

#[test]
fn a_scenario_is_written_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("mine.toml");
    let path = file.to_str().expect("its name is text");
    let ended = nmr(&["init", path]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended.stdout.contains("cargo nmr check --file"),
        "{}",
        ended.stdout
    );
    let written = fs::read_to_string(&file).expect("it is there");
    assert!(written.contains("name = \"mine\""));
    fs::write(&file, "changed").expect("it can be written");
    let ended = nmr(&["init", path]);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.contains("is there already"),
        "{}",
        ended.stderr
    );
    assert_eq!(fs::read_to_string(&file).expect("it is there"), "changed");
}

#[test]
fn a_scenario_names_the_schema_that_is_written_beside_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("mine.toml");
    let ended = nmr(&["init", "--schema", file.to_str().expect("its name is text")]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let written = fs::read_to_string(&file).expect("it is there");
    assert!(written.starts_with("#:schema ./scenario.schema.json\n"));
    let schema = fs::read_to_string(folder.path().join("scenario.schema.json"));
    assert!(
        schema
            .expect("it is there")
            .contains("\"title\": \"Scenario\"")
    );
}
