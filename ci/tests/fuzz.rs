//! `nmr fuzz` with fuzzers of every temper.
#![cfg(unix)]

mod support;

use std::fs;
use std::time::{Duration, Instant};

use support::lines::{AT, BATCH, NOTE_ORDER};
use support::{Ended, Fake, nmr};

const FINDING: &str = r#"{"kind":"finding","rule":"C9","message":"cleaned up twice","seed":99,"case":"/elsewhere/a.toml","repeats":0}"#;

fn fuzz(fake: &Fake, more: &[&str]) -> Ended {
    let (worker, out) = (fake.path(), fake.file("out").display().to_string());
    let args = ["fuzz", "--worker", &worker, "--seed", "7", "--out", &out];
    nmr(&[&args[..], more].concat())
}

#[test]
fn each_process_gets_its_order() {
    let fake = Fake::new(&format!("{NOTE_ORDER}; {BATCH}"));
    let more = "--time 2s --shard 2/8 --jobs 2 --spurious-wakeups --corpus kept --max-memory 1GiB";
    let ended = fuzz(&fake, &Vec::from_iter(more.split(' ')));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let mut orders = fake.orders();
    orders.sort_by_key(|order| order.contains("--batches 9+16"));
    let out = fake.file("out").display().to_string();
    for (order, batches, job) in [(&orders[0], "1+16", 0), (&orders[1], "9+16", 1)] {
        let words: Vec<&str> = order.split_whitespace().collect();
        assert_eq!(words[0], "--time-ms");
        let millis: u64 = words[1].parse().expect("a number");
        assert!((1_000..=2_000).contains(&millis), "{millis}");
        let expected = format!(
            "--seed 7 --programs 100 --batches {batches} --shrink-ms 10000 --timeout-ms 120000 --max-memory 1073741824 \
             --corpus {out}/start/0000000000000007 --spurious-wakeups --at {out}/.at-2-{job} --out {out} --until-stdin-ends"
        );
        assert_eq!(words[2..].join(" "), expected);
    }
    let _ = fs::remove_dir_all("kept");
}

#[test]
fn findings_are_printed_once_and_end_with_1() {
    let fake = Fake::new(&format!("echo '{FINDING}'; echo '{FINDING}'; {BATCH}"));
    let ended = fuzz(&fake, &["--batches", "2"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let expected = "\
violated C9, seed 99
  cleaned up twice
  case:   /elsewhere/a.toml
  replay: cargo nmr replay /elsewhere/a.toml
0 batches: ";
    assert!(ended.stdout.starts_with(expected), "{}", ended.stdout);
    let last = ended.stdout.lines().last().unwrap_or_default();
    assert!(last.starts_with("1 finding in "), "{last}");
    assert!(
        last.contains("; seed 7, shard 1/1, version 0.1.0/"),
        "{last}"
    );
}

#[test]
fn the_json_form_is_passed_on() {
    let progress = r#"{"kind":"progress","executions":5,"text":"batch 0"}"#;
    let fake = Fake::new(&format!("echo '{progress}'; echo '{FINDING}'; {BATCH}"));
    let ended = fuzz(&fake, &["--batches", "1", "--format", "json"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(lines[..2], [progress, FINDING]);
    assert!(lines[2].starts_with(r#"{"kind":"fuzz-batch","number":0,"#));
    let start = r#"{"kind":"fuzz-summary","scenarios":0,"executions":0,"findings":1,"#;
    assert!(lines[3].starts_with(start), "{}", lines[3]);
    assert!(
        lines[3].contains(r#""state":"done","batches":0,"#),
        "{}",
        lines[3]
    );
}

#[test]
fn what_crashes_is_a_finding_with_a_case_and_the_rest_goes_on() {
    let fake = Fake::new(&format!(
        "{NOTE_ORDER}; if [ -z \"$skip\" ]; then {AT}; echo ouch >&2; kill -SEGV $$; fi; {BATCH}"
    ));
    let ended = fuzz(&fake, &["--batches", "4", "--jobs", "1"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let start = "violated (crash), seed 99\n  the process crashed (signal: 11 (SIGSEGV)";
    assert!(ended.stdout.starts_with(start), "{}", ended.stdout);
    let repeat = "  ouch\n  repeat with: cargo nmr fuzz --replay-batch 3 --seed 7\n";
    assert!(ended.stdout.contains(repeat), "{}", ended.stdout);
    let orders = fake.orders();
    assert_eq!(orders.len(), 2, "{orders:?}");
    assert!(
        orders[1].contains(r#"--skip {"batch":3,"program":17,"why":"the process crashed"#),
        "{orders:?}"
    );
    let case = ended
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix("  case:   "));
    let case = fs::read_to_string(case.expect("it is told")).expect("it was saved");
    assert!(case.contains("ops = [\"register c1\"]"), "{case}");
}

#[test]
fn what_hangs_breaks_c16() {
    let fake = Fake::new(&format!(
        "if [ -z \"$skip\" ]; then {AT}; exit 13; fi; {BATCH}"
    ));
    let ended = fuzz(&fake, &["--batches", "4", "--jobs", "1"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let start = "violated C16, seed 99\n  the process hung\n";
    assert!(ended.stdout.starts_with(start), "{}", ended.stdout);
}

#[test]
fn what_needs_too_much_memory_is_incomplete_and_the_rest_goes_on() {
    for end in ["exit 12", "kill -KILL $$"] {
        let fake = Fake::new(&format!(
            "if [ -z \"$skip\" ]; then {AT}; {end}; fi; {BATCH}"
        ));
        let ended = fuzz(&fake, &["--batches", "4", "--jobs", "1"]);
        assert_eq!(ended.code, Some(3), "{}{}", ended.stdout, ended.stderr);
        let expected = "incomplete: program 17 of batch 3: it needs more memory";
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
        assert!(
            ended
                .stdout
                .contains("incomplete: 1 program crashed, hung or"),
            "{}",
            ended.stdout
        );
    }
}

#[test]
fn it_ends_in_time_whatever_the_fuzzer_does() {
    let fake = Fake::new("echo '{\"kind\":\"progress\",\"executions\":5}'; exec sleep 600");
    let start = Instant::now();
    let ended = fuzz(&fake, &["--time", "1s"]);
    let took = start.elapsed();
    assert!(took < Duration::from_secs(6), "{took:?}");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("0 findings in "), "{}", ended.stdout);
}

#[test]
fn a_fuzzer_that_does_less_than_it_was_asked_for_is_an_error_of_the_harness() {
    for (more, expected) in [
        (["--batches", "3"], "the fuzzer ended with 0 of 3 batches"),
        (
            ["--time", "1h"],
            "the fuzzer ended before its time was over",
        ),
    ] {
        let ended = fuzz(&Fake::new("exit 0"), &more);
        assert_eq!(ended.code, Some(4), "{}", ended.stderr);
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    }
}

#[test]
fn a_fuzzer_that_talks_nonsense_is_an_error_of_the_harness() {
    for (script, expected) in [
        (
            "echo hello; exit 0",
            "printed a line that is not its: hello",
        ),
        ("exit 4", "the fuzzer failed"),
        ("kill -SEGV $$", "crashed (signal: 11 (SIGSEGV)"),
    ] {
        let ended = fuzz(&Fake::new(script), &["--batches", "1", "--jobs", "1"]);
        assert_eq!(ended.code, Some(4), "{script}: {}", ended.stderr);
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    }
}

#[test]
fn quiet_is_quiet() {
    let ended = fuzz(&Fake::new(BATCH), &["--batches", "1", "--quiet"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

#[test]
fn findings_are_for_other_programs_too() {
    let fake = Fake::new(&format!(
        "if [ -z \"$skip\" ]; then {AT}; exit 13; fi; {BATCH}"
    ));
    let [junit, sarif] =
        ["junit.xml", "fuzz.sarif"].map(|name| fake.file(name).display().to_string());
    let more = [
        "--batches",
        "4",
        "--jobs",
        "1",
        "--junit",
        &junit,
        "--sarif",
        &sarif,
    ];
    let ended = fuzz(
        &fake,
        &[&more[..], &["--message-format", "github"]].concat(),
    );
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let annotation = "::error file=";
    assert!(ended.stdout.contains(annotation), "{}", ended.stdout);
    let junit = fs::read_to_string(junit).expect("it was written");
    assert!(
        junit.contains("<testsuite name=\"seed 7 1/1\" tests=\"1\""),
        "{junit}"
    );
    assert!(junit.contains("the process hung"), "{junit}");
    let sarif = fs::read_to_string(sarif).expect("it was written");
    assert!(sarif.contains("\"ruleId\": \"C16\""), "{sarif}");
}

#[test]
fn status_and_merge_read_what_a_campaign_has_written() {
    let fake = Fake::new(&format!("echo '{FINDING}'; {BATCH}"));
    fuzz(&fake, &["--batches", "1"]);
    let [out, all] = ["out", "all"].map(|name| fake.file(name).display().to_string());
    let status = nmr(&["status", &out]);
    assert_eq!(status.code, Some(0), "{}", status.stderr);
    let first = "shard 1/1: done, ";
    assert!(status.stdout.starts_with(first), "{}", status.stdout);
    let merged = nmr(&["merge", &out, &out, "--out", &all, "--format", "json"]);
    assert_eq!(merged.code, Some(0), "{}", merged.stderr);
    assert!(
        merged.stdout.contains(r#""state":"done""#),
        "{}",
        merged.stdout
    );
    let wrong = nmr(&["merge", &fake.path(), "--out", &all]);
    assert_eq!(wrong.code, Some(2), "{}", wrong.stderr);
    assert!(
        wrong.stderr.contains("no campaign has written into it"),
        "{}",
        wrong.stderr
    );
}
