//! `nmr prove` with workers of every temper.
#![cfg(unix)]

mod support;

use std::fs;

use support::{Ended, Fake, nmr};

const PROGRESS: &str = r#"{"kind":"prove-progress","done":3,"of":40}"#;
const COVERAGE: &str = r#"{"kind":"coverage","rule":"C7","exercised":12345}"#;
const BROKEN: &str = r#"{"kind":"broken","rule":"C9","program":1618,"message":"cleaned up twice\nby t1","case":"/elsewhere/a.toml"}"#;

fn prove(fake: &Fake, more: &[&str]) -> Ended {
    let worker = fake.path();
    nmr(&[&["prove", "--worker", &worker], more].concat())
}

/// A summary of 40 programs.
fn summary(verdict: &str, programs: u64, violated: u64, rest: &str) -> String {
    format!(
        r#"{{"kind":"prove-summary","size":"small","bounds":"next to nothing","programs-in-size":80,"shard":"1/2","programs-in-share":40,"programs":{programs},"violated":{violated},"incomplete":0,"failed":0,"states":9000,"transitions":20000,"seconds":1.5,"workers":2,"engine":"explorer","verdict":"{verdict}",{rest},"version":"9.9.9"}}"#
    )
}

fn holds() -> String {
    summary("holds", 40, 0, r#""how":null,"certificate":"all of it""#)
}

/// Shell that says these lines and ends so.
fn script(lines: &[&str], code: i32) -> String {
    let say = lines
        .iter()
        .map(|line| format!("echo '{}'; ", line.replace('\\', "\\\\")));
    format!("{}exit {code}", say.collect::<String>())
}

#[test]
fn the_worker_gets_its_order() {
    let fake = Fake::new(&format!(
        "echo \"$all\" >\"${{0%/*}}/order\"; {}",
        script(&[&holds()], 0)
    ));
    let [out, checkpoint] = ["out", "c"].map(|name| fake.file(name).display().to_string());
    let args = [
        "--size",
        "medium",
        "--time",
        "2s",
        "--shard",
        "1/2",
        "--workers",
        "3",
    ];
    let files = ["--checkpoint", &checkpoint, "--out", &out];
    let ended = prove(&fake, &[&args[..], &files].concat());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let order = fs::read_to_string(fake.file("order")).expect("written");
    let expected = format!(
        "prove --size medium --shard 1/2 --workers 3 --time-ms 2000 --checkpoint {checkpoint} --case-dir {out}"
    );
    assert_eq!(order.trim_end(), expected);
}

#[test]
fn a_certificate_says_what_was_looked_at() {
    let fake = Fake::new(&script(&[PROGRESS, COVERAGE, &holds()], 0));
    let ended = prove(&fake, &[]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let expected = "\
rule               exercised
C7    detach once     12,345

certificate: all of it
size small, shard 1/2: 40 programs, 9,000 states, 20,000 transitions in 1.5 s: all hold
";
    assert_eq!(ended.stdout, expected);
}

#[test]
fn what_breaks_a_rule_is_shown_and_ends_with_1() {
    let broken = summary("violated", 40, 7, r#""how":null,"certificate":null"#);
    let fake = Fake::new(&script(&[PROGRESS, BROKEN, &broken], 1));
    let ended = prove(&fake, &[]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let expected = "\
violated C9, first by program 1,618; made small:
  cleaned up twice
  by t1
  case:   /elsewhere/a.toml
  replay: cargo nmr replay /elsewhere/a.toml
";
    assert!(ended.stdout.starts_with(expected), "{}", ended.stdout);
    assert!(
        ended.stdout.ends_with(": 7 programs break a rule\n"),
        "{}",
        ended.stdout
    );
    assert!(!ended.stdout.contains("certificate"), "{}", ended.stdout);
}

#[test]
fn a_run_that_is_cut_short_says_so_and_ends_with_3() {
    let rest =
        r#""how":"the time was over: 37 of 40 programs were not looked at","certificate":null"#;
    let fake = Fake::new(&script(&[PROGRESS, &summary("incomplete", 3, 0, rest)], 3));
    let ended = prove(&fake, &["--time", "2s"]);
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    let last = "size small, shard 1/2: 3 of 40 programs, 9,000 states, 20,000 transitions in 1.5 s: incomplete \
                (the time was over: 37 of 40 programs were not looked at)\n";
    assert!(ended.stdout.ends_with(last), "{}", ended.stdout);
}

#[test]
fn the_json_form_is_passed_on() {
    let lines = [PROGRESS, BROKEN, COVERAGE];
    let broken = summary("violated", 40, 1, r#""how":null,"certificate":null"#);
    let fake = Fake::new(&script(&[&lines[..], &[&broken]].concat(), 1));
    let ended = prove(&fake, &["--format", "json"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let said: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(said, [PROGRESS, BROKEN, COVERAGE, &broken]);
}

#[test]
fn a_worker_that_cannot_do_it_is_bad_usage() {
    let fake = Fake::new("echo 'error: the checkpoint c is of another build' >&2; exit 2");
    let ended = prove(&fake, &[]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .ends_with("nmr: the checkpoint c is of another build\n"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_worker_that_talks_nonsense_is_an_error_of_the_harness() {
    let partly = summary("holds", 39, 0, r#""how":null,"certificate":"all of it""#);
    let hidden = summary("holds", 40, 1, r#""how":null,"certificate":"all of it""#);
    for (script, expected) in [
        (script(&["hello"], 0), "a line that is not its: hello"),
        (script(&[], 0), "ended without a result"),
        (script(&[&holds()], 1), "contradicts itself"),
        (script(&[&partly], 0), "contradicts itself"),
        (script(&[&hidden], 0), "contradicts itself"),
        (script(&[BROKEN, &holds()], 0), "contradicts itself"),
        (
            format!("echo '{PROGRESS}'; kill -SEGV $$"),
            "(core dumped)) after 3 of 40 programs",
        ),
    ] {
        let ended = prove(&Fake::new(&script), &[]);
        assert_eq!(ended.code, Some(4), "{script}: {}", ended.stderr);
        let stderr = ended.stderr.replace("SIGSEGV))", "SIGSEGV) (core dumped))");
        assert!(stderr.contains(expected), "{script}: {stderr}");
    }
}
