//! Workers of every temper, played by the shell.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nmr_explorer::Reduction;

use super::supervise::{How, Limits, supervise};
use super::{Job, Outcome, Progress, Source};
use crate::engine::{DirectOptions, ExplorerOptions};
use crate::engine_name::Engine;
use crate::report::{Coverage, Verdict};
use crate::rule::Rule;
use crate::scenario::Terms;

const HOLDS: &str = r#"{"kind":"result","scenario":"s","engine":"pct","verdict":"holds","extent":"sampled","how":null,"rule":null,"message":"","executions":12,"seconds":0.5,"seed":7,"case":null}"#;

fn violated() -> String {
    HOLDS
        .replace(r#""holds""#, r#""violated""#)
        .replace(r#""rule":null"#, r#""rule":"C7""#)
}

struct Fake {
    folder: tempfile::TempDir,
}

impl Fake {
    fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // Written by another process: this one may be forking in another thread, and a file that
        // anybody has open for writing cannot be executed.
        let written = Command::new("sh")
            .args([
                "-c",
                r#"printf '%s\n' '#!/bin/sh' "$2" >"$1" && chmod +x "$1""#,
                "sh",
            ])
            .arg(folder.path().join("worker"))
            .arg(script)
            .status();
        assert!(written.expect("there is a shell").success());
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("worker")
    }
}

fn job(worker: &Path) -> Job<'_> {
    Job {
        worker,
        source: Source::Named("s".to_owned()),
        terms: Terms::default(),
        conditions: Default::default(),
        engine: Engine::Pct,
        seed: 7,
        budget: Duration::from_millis(300),
        grace: Duration::from_millis(300),
        case_dir: None,
        env: &[],
    }
}

fn patient(worker: &Path) -> Job<'_> {
    Job {
        grace: Duration::from_secs(60),
        ..job(worker)
    }
}

fn outcome_of(script: &str) -> Outcome {
    let fake = Fake::new(script);
    patient(&fake.path()).run(&mut |_| ())
}

fn says(lines: &str, then: &str) -> Outcome {
    outcome_of(&format!("cat <<'END'\n{lines}\nEND\n{then}"))
}

#[test]
fn a_clean_worker_is_believed() {
    let script = format!(
        "cat <<'END'\n{}\n{}\n{}\n{HOLDS}\nEND",
        r#"{"kind":"progress","executions":5}"#,
        r#"{"kind":"progress","executions":11}"#,
        r#"{"kind":"coverage","rule":"C7","exercised":24}"#,
    );
    let fake = Fake::new(&script);
    let mut progress = Vec::new();
    let outcome = patient(&fake.path()).run(&mut |executions| progress.push(executions));
    assert_eq!(progress, [5, 11]);
    assert_eq!(outcome.result.verdict, Verdict::Holds);
    assert_eq!(
        (outcome.result.executions, outcome.result.seconds),
        (12, 0.5)
    );
    let coverage = Coverage {
        rule: Rule::new(7),
        exercised: 24,
    };
    assert_eq!(outcome.coverage, [coverage]);
}

#[test]
fn the_worker_gets_its_order_on_its_command_line() {
    let fake = Fake::new("echo \"$*\" >&2; exit 4");
    let worker = fake.path();
    let case_dir = Path::new("cases");
    let named = Job {
        case_dir: Some(case_dir),
        env: &[],
        ..patient(&worker)
    };
    let message = named.run(&mut |_| ()).result.message;
    let order = "  run --engine pct --scenario s --seed 7 --budget-ms 300 --case-dir cases\n";
    assert!(message.contains(order), "{message}");
    let source = Source::File {
        path: PathBuf::from("own.toml"),
        name: "own".to_owned(),
    };
    let own = Job {
        source,
        terms: Terms::default(),
        engine: Engine::Loom,
        ..patient(&worker)
    };
    let message = own.run(&mut |_| ()).result.message;
    let order = "  run --engine loom --file own.toml --seed 7 --budget-ms 300\n";
    assert!(message.contains(order), "{message}");
}

#[test]
fn what_is_asked_of_the_explorer_is_passed_on_to_it_alone() {
    let fake = Fake::new("echo \"$*\" >&2; exit 4");
    let worker = fake.path();
    let options = ExplorerOptions {
        workers: 2,
        max_memory: Some(1 << 30),
        checkpoint: Some(PathBuf::from("s.checkpoint")),
        without: vec![Reduction::Symmetry, Reduction::LockAware],
        direct: DirectOptions::default(),
    };
    let message = |engine| {
        let job = Job {
            engine,
            ..patient(&worker)
        };
        let outcome = job.run_until(&options, &AtomicBool::new(false), &mut |_| ());
        outcome.expect("nobody stops it").result.message
    };
    let told = message(Engine::Explorer);
    let asked = r#"{"workers":2,"max-memory":1073741824,"checkpoint":"s.checkpoint","without":["symmetry","lock-aware"]}"#;
    let order = format!("--seed 7 --budget-ms 300 --explorer {asked}\n");
    assert!(told.contains(&order), "{told}");
    let asked = " --workers 2 --max-memory 1073741824 --checkpoint s.checkpoint \
                 --no-reduction symmetry --no-reduction lock-aware";
    let repeat = format!("--seed 7 --budget 300ms{asked}");
    assert!(told.ends_with(&repeat), "{told}");
    let told = message(Engine::Pct);
    assert!(told.ends_with("--seed 7 --budget 300ms"), "{told}");
}

#[test]
fn how_far_a_worker_has_come_is_told_in_its_words() {
    let lines = [
        r#"{"kind":"progress","executions":5}"#,
        r#"{"kind":"progress","executions":6,"text":"about half"}"#,
    ];
    let fake = Fake::new(&format!("cat <<'END'\n{}\nEND\n", lines.join("\n")));
    let mut told = Vec::new();
    let (options, stop) = (ExplorerOptions::default(), AtomicBool::new(false));
    let outcome = patient(&fake.path()).run_until(&options, &stop, &mut |now| {
        told.push(now.clone());
    });
    assert!(outcome.is_some(), "nobody stops it");
    let progress = |executions, text: Option<&str>| Progress {
        executions,
        text: text.map(str::to_owned),
    };
    assert_eq!(told, [progress(5, None), progress(6, Some("about half"))]);
}

#[test]
fn a_violation_is_passed_on() {
    let outcome = says(&violated(), "exit 1");
    assert_eq!(outcome.result.verdict, Verdict::Violated);
    assert_eq!(outcome.result.rule, Some(Rule::new(7)));
}

#[test]
fn an_abort_is_a_finding_with_the_last_words_and_the_way_back() {
    let outcome = says(
        r#"{"kind":"progress","executions":5}"#,
        "echo 'free(): invalid pointer' >&2; kill -ABRT $$",
    );
    let result = outcome.result;
    assert_eq!((result.verdict, result.rule), (Verdict::Violated, None));
    assert_eq!((result.executions, result.case), (5, None));
    let lines: Vec<&str> = result.message.lines().collect();
    let first = "s under pct, seed 7: the worker crashed (signal: 6 (SIGABRT)";
    assert!(lines[0].starts_with(first), "{}", lines[0]);
    assert_eq!(
        lines[1..],
        [
            "last on its stderr:",
            "  free(): invalid pointer",
            "repeat with: cargo nmr check --engine pct --scenario s --seed 7 --budget 300ms",
        ]
    );
}

#[test]
fn a_panic_that_escapes_the_worker_is_a_finding() {
    let result = outcome_of("exit 101").result;
    assert_eq!((result.verdict, result.rule), (Verdict::Violated, None));
    assert!(result.message.contains("(exit status: 101)"));
}

#[test]
fn a_crash_after_a_harmless_result_is_a_finding() {
    assert_eq!(
        says(HOLDS, "kill -SEGV $$").result.verdict,
        Verdict::Violated
    );
    let kept = says(&violated(), "kill -SEGV $$").result;
    assert_eq!(kept.rule, Some(Rule::new(7)), "the worker's own finding");
}

#[test]
fn a_hang_is_killed_and_breaks_c16() {
    let fake = Fake::new(r#"echo '{"kind":"progress","executions":5}'; exec sleep 60"#);
    let start = Instant::now();
    let result = job(&fake.path()).run(&mut |_| ()).result;
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(result.verdict, Verdict::Violated);
    assert_eq!((result.rule, result.executions), (Some(Rule::new(16)), 5));
    let message = &result.message;
    let begins = message.contains("the worker hung and was killed after ");
    assert!(
        begins && message.contains(" s (its budget was 300ms)"),
        "{message}"
    );
}

#[test]
fn a_hang_with_closed_output_is_killed() {
    let fake = Fake::new("exec sleep 60 >&- 2>&-");
    let result = job(&fake.path()).run(&mut |_| ()).result;
    assert_eq!(result.rule, Some(Rule::new(16)));
}

#[test]
fn a_worker_that_goes_on_executing_past_its_budget_is_no_hang() {
    let fake = Fake::new(
        r#"n=0; while :; do n=$((n+1)); echo "{\"kind\":\"progress\",\"executions\":$n}"; sleep 0.05; done"#,
    );
    let result = job(&fake.path()).run(&mut |_| ()).result;
    assert_eq!((result.verdict, result.rule), (Verdict::Incomplete, None));
    assert_eq!(
        result.how.as_deref(),
        Some("still running long after its budget of 300ms")
    );
}

#[test]
fn a_pipe_that_outlives_the_worker_does_not_hold_up_its_result() {
    let start = Instant::now();
    let outcome = says(HOLDS, "sleep 30 &\nexit 0");
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(outcome.result.verdict, Verdict::Holds);
}

#[test]
fn silence_can_be_limited() {
    let fake = Fake::new("for i in 1 2 3 4 5; do echo $i; sleep 0.1; done; exec sleep 60");
    let limits = Limits {
        silence: Duration::from_millis(400),
        ..Limits::NONE
    };
    let mut lines = Vec::new();
    let command = Command::new(fake.path());
    let never = AtomicBool::new(false);
    let end = supervise(command, limits, &never, &mut |_, line| {
        lines.push(line.to_owned());
    });
    assert_eq!(end.expect("it starts").how, How::TimedOut);
    assert_eq!(
        lines,
        ["1", "2", "3", "4", "5"],
        "each line breaks the silence"
    );
}

#[test]
fn strange_output_is_an_error_of_the_harness() {
    for (lines, then, expected) in [
        (
            "thread 'main' says hello",
            "",
            "printed a line that is not its",
        ),
        (
            r#"{"kind":"fuzz-summary","scenarios":1,"executions":1,"findings":0,"seconds":0.1,"seed":1,"shard":"1/1","version":""}"#,
            "",
            "printed a line that is not its",
        ),
        (
            &format!("{HOLDS}\n{HOLDS}"),
            "",
            "printed a line that is not its",
        ),
        (
            "{\"kind\":\"progress\",\"executions\":1}",
            "",
            "ended without a result (exit status: 0)",
        ),
        (HOLDS, "exit 3", "contradicts itself (exit status: 3)"),
        (
            &HOLDS.replace("\"s\"", "\"t\""),
            "",
            "ran another one, t under pct",
        ),
    ] {
        let result = says(lines, then).result;
        assert_eq!(result.verdict, Verdict::HarnessError, "{expected}");
        assert!(result.message.contains(expected), "{}", result.message);
    }
}

#[test]
fn a_worker_that_is_not_there_is_an_error_of_the_harness() {
    let result = job(Path::new("no/such/worker")).run(&mut |_| ()).result;
    assert_eq!(result.verdict, Verdict::HarnessError);
    assert!(
        result
            .message
            .starts_with("cannot run the worker no/such/worker: "),
        "{}",
        result.message
    );
}

/// Stops the run as soon as its worker says that it is there.
fn stopped_with_a_checkpoint(script: &str) -> (Option<Outcome>, Duration) {
    let fake = Fake::new(&format!(
        r#"echo '{{"kind":"progress","executions":5}}'; {script}"#
    ));
    let options = ExplorerOptions {
        checkpoint: Some(PathBuf::from("s.checkpoint")),
        ..ExplorerOptions::default()
    };
    let (stop, start) = (AtomicBool::new(false), Instant::now());
    let worker = fake.path();
    let job = Job {
        engine: Engine::Explorer,
        ..patient(&worker)
    };
    let outcome = job.run_until(&options, &stop, &mut |_| {
        stop.store(true, Ordering::Relaxed)
    });
    (outcome, start.elapsed())
}

#[test]
fn a_worker_with_a_checkpoint_is_given_time_to_write_it() {
    let holds = HOLDS.replace("pct", "explorer");
    let (outcome, _) = stopped_with_a_checkpoint(&format!("sleep 0.5; echo '{holds}'"));
    assert_eq!(outcome.expect("it ended").result.executions, 12);
    let (outcome, after) = stopped_with_a_checkpoint("exec sleep 60");
    assert_eq!(outcome, None);
    let seconds = after.as_secs_f64();
    assert!((2.0..20.0).contains(&seconds), "{seconds} s");
}

#[test]
fn a_worker_that_cannot_use_its_checkpoint_says_why_to_whoever_gave_it() {
    let says = "echo 'error: c is no checkpoint' >&2; exit 2";
    let run = |engine, script: &str, options: &ExplorerOptions| {
        let fake = Fake::new(script);
        let worker = fake.path();
        let job = Job {
            engine,
            ..patient(&worker)
        };
        let stop = AtomicBool::new(false);
        let outcome = job.run_until(options, &stop, &mut |_| ());
        outcome.expect("nobody stops it").refused
    };
    let given = ExplorerOptions {
        checkpoint: Some(PathBuf::from("c")),
        ..ExplorerOptions::default()
    };
    let why = Some("c is no checkpoint".to_owned());
    assert_eq!(run(Engine::Explorer, says, &given), why);
    let none = ExplorerOptions::default();
    assert_eq!(run(Engine::Explorer, says, &none), None);
    assert_eq!(run(Engine::Pct, says, &given), None);
    assert_eq!(run(Engine::Explorer, "exit 4", &given), None);
}

#[test]
fn a_run_can_be_stopped() {
    let fake = Fake::new("exec sleep 60");
    let start = Instant::now();
    let (options, stop) = (ExplorerOptions::default(), AtomicBool::new(true));
    let outcome = patient(&fake.path()).run_until(&options, &stop, &mut |_| ());
    assert_eq!(outcome, None);
    assert!(start.elapsed() < Duration::from_secs(20));
}
