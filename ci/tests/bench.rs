//! `nmr bench` with a worker played by the shell.
#![cfg(unix)]

mod support;

use support::lines::{NOTE_ORDER, row};
use support::{Ended, Fake, nmr};

fn bench(fake: &Fake, more: &[&str]) -> Ended {
    let worker = fake.path();
    nmr(&[&["bench", "explorer", "--worker", &worker], more].concat())
}

#[test]
fn each_search_is_a_line() {
    let fake = Fake::new(&format!(
        "echo '{}'; {NOTE_ORDER}; {}",
        r#"{"kind":"progress","executions":5,"text":"halfway"}"#,
        row("holds", "null", 0)
    ));
    let ended = bench(&fake, &["--format", "json", "--budget", "5s"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(
        lines[..2],
        [
            r#"{"kind":"bench","program":"two-lives","engine":"explorer","verdict":"holds","how":null,"executions":12,"before-restart":null,"states":5,"seconds":0.5,"workers":1,"memory":null,"without":[]}"#,
            r#"{"kind":"bench","program":"two-lives","engine":"loom","verdict":"holds","how":null,"executions":12,"before-restart":null,"states":5,"seconds":0.5,"workers":1,"memory":null,"without":[]}"#,
        ]
    );
    assert!(lines.len() > 60, "every scenario: {} lines", lines.len());
    let orders = fake.orders();
    assert_eq!(orders.len(), lines.len(), "one worker for each");
    let limited = |order: &String| order.contains(" --budget-ms 5000");
    assert!(orders.iter().all(limited), "{orders:?}");
}

#[test]
fn a_search_that_is_cut_short_is_no_failure_but_says_so() {
    let fake = Fake::new(&row("incomplete", "\"5s were over\"", 3));
    let ended = bench(&fake, &[]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let expected = "three-lives  asked: explorer complete in 0.3 s ";
    let line = ended.stdout.lines().find(|line| line.starts_with(expected));
    let line = line.unwrap_or_default();
    assert!(
        line.contains("measured: incomplete (5s were over)"),
        "{}",
        ended.stdout
    );
    assert!(line.ends_with("  not met"), "{line}");
}

#[test]
fn a_worker_that_fails_is_told() {
    let fake = Fake::new("echo 'no such thing' >&2; exit 2");
    let ended = bench(&fake, &[]);
    assert_eq!(ended.code, Some(4));
    let expected = "
harness error: two-lives under explorer
  its worker ended without a result (exit status: 2)
  last on its stderr:
  no such thing
";
    assert!(ended.stdout.contains(expected), "{}", ended.stdout);
}
