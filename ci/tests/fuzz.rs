//! `nmr fuzz` with fuzzers of every temper.
#![cfg(unix)]

mod support;

use std::fs;
use std::time::{Duration, Instant};

use support::lines::{NOTE_ORDER, summary};
use support::{Ended, Fake, nmr};

const FINDING: &str = r#"{"kind":"finding","rule":"C9","message":"cleaned up twice","seed":99,"case":"/elsewhere/a.toml"}"#;

fn fuzz(fake: &Fake, more: &[&str]) -> Ended {
    let worker = fake.path();
    let args = ["fuzz", "--worker", &worker, "--seed", "7"];
    nmr(&[&args[..], more].concat())
}

#[test]
fn the_fuzzer_gets_its_order() {
    let fake = Fake::new(&format!("{NOTE_ORDER}; {}", summary(0)));
    let out = fake.file("out").display().to_string();
    let ended = fuzz(&fake, &["--time", "2s", "--shard", "2/8", "--out", &out]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let orders = fake.orders();
    let words: Vec<&str> = orders[0].split_whitespace().collect();
    assert_eq!(words[0], "--time-ms");
    let millis: u64 = words[1].parse().expect("a number");
    assert!((1_000..=2_000).contains(&millis), "{millis}");
    assert_eq!(words[2..], ["--seed", "7", "--shard", "2/8", "--out", &out]);
    let last = ended.stdout.lines().last().unwrap_or_default();
    assert!(
        last.starts_with("40 scenarios, 0 exhausted (0 states), 0 sampled (800 executions) in "),
        "{last}"
    );
    assert!(
        last.ends_with(": 0 findings; seed 7, shard 2/8, version 9.9.9"),
        "{last}"
    );
}

#[test]
fn findings_are_printed_and_end_with_1() {
    let fake = Fake::new(&format!("echo '{FINDING}'; {}", summary(1)));
    let ended = fuzz(&fake, &["--time", "2s"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let expected = "\
violated C9, seed 99
  cleaned up twice
  case:   /elsewhere/a.toml
  replay: cargo nmr replay /elsewhere/a.toml
40 scenarios, ";
    assert!(ended.stdout.starts_with(expected), "{}", ended.stdout);
}

#[test]
fn the_json_form_is_passed_on() {
    let progress = r#"{"kind":"progress","executions":5,"text":null}"#;
    let fake = Fake::new(&format!(
        "echo '{progress}'; echo '{FINDING}'; {}",
        summary(1)
    ));
    let ended = fuzz(&fake, &["--time", "2s", "--format", "json"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(lines[..2], [progress, FINDING]);
    let (before, after) = lines[2].split_once("\"seconds\":").expect("a time");
    let start = r#"{"kind":"fuzz-summary","scenarios":40,"executions":800,"findings":1,"#;
    assert_eq!(before, start);
    let end = r#","seed":7,"shard":"1/1","version":"9.9.9","exhausted":0,"states":0,"sampled":0}"#;
    assert!(after.ends_with(end), "{after}");
}

#[test]
fn a_crash_is_a_finding_and_the_fuzzer_goes_on_with_another_seed() {
    let fake = Fake::new(&format!(
        "echo $seed >>\"${{0%/*}}/seeds\"; if [ $seed = 7 ]; then echo ouch >&2; kill -SEGV $$; fi; {}",
        summary(0)
    ));
    let ended = fuzz(&fake, &["--time", "5s"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let start = "violated (crash), seed 7\n  the fuzzer crashed (signal: 11 (SIGSEGV)";
    assert!(ended.stdout.starts_with(start), "{}", ended.stdout);
    let repeat = "  ouch\n  repeat with: cargo nmr fuzz --time \"5s\" --seed 7 --shard 1/1\n";
    assert!(ended.stdout.contains(repeat), "{}", ended.stdout);
    let last = ended.stdout.lines().last().unwrap_or_default();
    assert!(
        last.starts_with("40 scenarios, "),
        "the second one's: {last}"
    );
    assert!(last.contains(": 1 finding; seed 7,"), "{last}");
    let seeds = fs::read_to_string(fake.file("seeds")).expect("written");
    assert_eq!(seeds.lines().count(), 2, "{seeds}");
}

#[test]
fn it_ends_in_time_whatever_the_fuzzer_does() {
    let fake = Fake::new("echo '{\"kind\":\"progress\",\"executions\":5}'; exec sleep 600");
    let start = Instant::now();
    let ended = fuzz(&fake, &["--time", "1s"]);
    let took = start.elapsed();
    assert!(took < Duration::from_secs(6), "{took:?}");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended
            .stdout
            .starts_with("0 scenarios, 0 exhausted (0 states), 0 sampled (5 executions) in "),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_fuzzer_that_talks_nonsense_is_an_error_of_the_harness() {
    for (script, expected) in [
        (
            "echo hello; exit 0".to_owned(),
            "a line that is not its: hello",
        ),
        ("exit 0".to_owned(), "ended without a result"),
        (summary(0).replace("exit 0", "exit 1"), "contradicts itself"),
        (summary(1), "contradicts itself"),
    ] {
        let ended = fuzz(&Fake::new(&script), &["--time", "2s"]);
        assert_eq!(ended.code, Some(4), "{script}: {}", ended.stderr);
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    }
}
