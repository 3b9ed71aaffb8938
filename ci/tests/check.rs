//! `nmr check` with workers of every temper.
#![cfg(unix)]

mod support;

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use support::lines::{CLEAN, FOUND, NOTE_ORDER, replay, result, violated};
use support::{Ended, Fake, command, ended, nmr};

fn check(fake: &Fake, more: &[&str]) -> Ended {
    let worker = fake.path();
    let args = ["check", "--worker", &worker, "--seed", "7"];
    nmr(&[&args[..], more].concat())
}

const ONE: [&str; 4] = ["--scenario", "two-lives", "--engine", "pct"];

/// The last line has the time in it.
fn without_time(line: &str) -> String {
    let (before, after) = line.split_once("\"seconds\":").expect("there is a time");
    let (_, after) = after.split_once(',').expect("more follows");
    format!("{before}{after}")
}

#[test]
fn the_json_form_is_stable() {
    let holds = result("holds", "sampled", CLEAN, 0);
    let fake = Fake::new(&format!(
        "echo '{}'; echo '{}'; {holds}",
        r#"{"kind":"progress","executions":5}"#,
        r#"{"kind":"coverage","rule":"C7","exercised":24}"#
    ));
    let engines = [
        "--engine",
        "pct,loom",
        "--scenario",
        "two-lives",
        "--format",
        "json",
    ];
    let ended = check(&fake, &engines);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(lines.len(), 2 + 27 + 1, "{}", ended.stdout);
    assert_eq!(
        lines[..3],
        [
            r#"{"kind":"result","scenario":"two-lives","engine":"loom","verdict":"holds","extent":"sampled","how":null,"rule":null,"message":"","executions":1234,"seconds":0.5,"seed":7,"case":null,"states":null,"certificate":null,"preemptions":null}"#,
            r#"{"kind":"result","scenario":"two-lives","engine":"pct","verdict":"holds","extent":"sampled","how":null,"rule":null,"message":"","executions":1234,"seconds":0.5,"seed":7,"case":null,"states":null,"certificate":null,"preemptions":null}"#,
            r#"{"kind":"coverage","rule":"C1","exercised":0}"#,
        ]
    );
    assert_eq!(
        lines[8],
        r#"{"kind":"coverage","rule":"C7","exercised":48}"#
    );
    assert_eq!(
        lines[20..22].concat(),
        r#"{"kind":"coverage","rule":"C19","exercised":0}{"kind":"coverage","rule":"S1","exercised":0}"#
    );
    assert_eq!(
        without_time(lines[29]),
        r#"{"kind":"summary","scenarios":1,"runs":2,"holds":2,"violated":0,"incomplete":0,"harness-errors":0,"seed":7,"exit":0}"#
    );
}

/// loom follows no schedule; the explorer's worker does, and is there if it is among the engines.
#[test]
fn a_case_without_a_schedule_is_given_one() {
    let script = r#"
        file="$case_dir/s-loom.toml"
        case "$all" in
        replay*) REPLAY ;;
        *loom*) mkdir -p "$case_dir"
            printf '%s\n' 'kind = "schedule"' 'engine = "loom"' 'rule = "C16"' 'message = ""' 'executions = 1' \
                'scenario = { name = "s", summary = "s", module = [{ name = "c", side = "client" }] }' >"$file"
            printf '{"kind":"result","scenario":"%s","engine":"loom","verdict":"violated","extent":"sampled","how":null,"rule":"C16","message":"it","executions":1,"seconds":0.5,"seed":null,"case":"%s"}\n' "$scenario" "$file"
            exit 1 ;;
        esac"#;
    let script = script.replace("REPLAY", &replay("\"reproduces-elsewhere\"", FOUND, 1));
    let script = format!("{script}\n{}", result("holds", "complete", CLEAN, 0));
    let case_after = |engines: &str| {
        let ended = check(
            &Fake::new(&script),
            &["--scenario", "two-lives", "--engine", engines],
        );
        assert_eq!(ended.code, Some(1), "{}{}", ended.stdout, ended.stderr);
        let line = ended
            .stdout
            .lines()
            .find(|line| line.contains("cargo nmr replay"));
        let path = line
            .and_then(|line| line.split_whitespace().last())
            .unwrap_or_else(|| panic!("{}{}", ended.stdout, ended.stderr));
        fs::read_to_string(path).expect("it was saved")
    };
    assert!(!case_after("loom").contains("schedule = ["));
    assert!(case_after("loom,explorer").contains("schedule = [\"t: begin\"]"));
}

#[test]
fn a_worker_gets_its_order() {
    let fake = Fake::new(&format!(
        "{NOTE_ORDER}; {}",
        result("holds", "sampled", CLEAN, 0)
    ));
    let order = |more: &[&str]| {
        let ended = check(&fake, &[&["--scenario", "two-lives"], more].concat());
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let last = fake.orders().pop().expect("an order");
        let (order, case_dir) = last.split_once(" --case-dir ").expect("the last option");
        assert!(case_dir.ends_with("nmr/cases"), "{case_dir}");
        order.to_owned()
    };
    assert_eq!(
        order(&["--engine", "loom"]),
        "run --engine loom --scenario two-lives --seed 7 --budget-ms 1000"
    );
    assert_eq!(
        order(&["--engine", "threads"]),
        "run --engine threads --scenario two-lives --seed 7 --budget-ms 500"
    );
    assert_eq!(
        order(&["--engine", "urw", "--budget", "2s"]),
        "run --engine urw --scenario two-lives --seed 7 --budget-ms 2000"
    );
    assert_eq!(
        order(&["--engine", "loom", "--deep"]),
        "run --engine loom --scenario two-lives --seed 7 --budget-ms 600000"
    );
    assert_eq!(
        order(&["--engine", "explorer"]),
        "run --engine explorer --scenario two-lives --seed 7 --budget-ms 60000"
    );
    assert_eq!(
        order(&["--engine", "pct", "--strict", "--platform", "windows"]),
        "run --engine pct --scenario two-lives --strict --platform windows --seed 7 --budget-ms 500"
    );
    let checkpoint = fake.file("two-lives.checkpoint").display().to_string();
    let asked = [
        "--engine",
        "explorer",
        "--workers",
        "2",
        "--max-memory",
        "4GiB",
        "--checkpoint",
        &checkpoint,
        "--no-reduction",
        "symmetry",
        "--no-reduction",
        "lock-aware",
    ];
    assert_eq!(
        order(&asked),
        format!(
            "run --engine explorer --scenario two-lives --seed 7 --budget-ms 60000 --explorer \
             {{\"workers\":2,\"max-memory\":4294967296,\"checkpoint\":\"{checkpoint}\",\
             \"without\":[\"symmetry\",\"lock-aware\"]}}"
        )
    );
}

#[test]
fn a_checkpoint_that_the_worker_cannot_use_is_a_bad_file() {
    let says = "the checkpoint c is of another program: it has \"a\", this is \"b\"";
    let fake = Fake::new(&format!("echo 'error: {says}' >&2; exit 2"));
    let one = ["--scenario", "two-lives", "--engine", "explorer"];
    for format in ["human", "json"] {
        let asked = [&one[..], &["--checkpoint", "c", "--format", format]].concat();
        let ended = check(&fake, &asked);
        assert_eq!(ended.code, Some(2), "{}{}", ended.stdout, ended.stderr);
        let last = ended.stderr.lines().last().unwrap_or_default();
        assert_eq!(last, format!("nmr: {says}"));
        assert_eq!(ended.stdout, "");
    }
    // Who gave it no file did nothing wrong.
    assert_eq!(check(&fake, &one).code, Some(4));
}

#[test]
fn states_and_certificate_of_the_explorer_are_passed_on() {
    let holds = result("holds", "complete", CLEAN, 0);
    let more = r#""case":null,"states":45,"certificate":"two-lives: exhausted""#;
    let fake = Fake::new(&holds.replace(r#""case":null"#, more));
    let one = ["--scenario", "two-lives", "--engine", "explorer"];
    let ended = check(&fake, &[&one[..], &["--format", "json"]].concat());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let first = ended.stdout.lines().next().unwrap_or_default();
    let line: serde_json::Value = serde_json::from_str(first).expect("an object");
    assert_eq!(
        (&line["kind"], &line["engine"]),
        (&"result".into(), &"explorer".into())
    );
    assert_eq!(
        (&line["states"], &line["verdict"]),
        (&45.into(), &"holds".into())
    );
    assert_eq!(line["certificate"], "two-lives: exhausted");

    let ended = check(&fake, &one);
    let row = ended.stdout.lines().nth(1).unwrap_or_default();
    let row = Vec::from_iter(row.split_whitespace()).join(" ");
    assert_eq!(row, "two-lives explorer holds, complete 1,234 45 0.50 s");
}

#[test]
fn what_no_search_exhausts_is_sampled_after_the_searches() {
    // The explorer exhausts two-lives, loom two-waiters, and neither two-interfaces.
    let fake = Fake::new(&format!(
        "case $engine-$scenario in
            explorer-two-lives | loom-two-waiters) {} ;;
            loom-*) {} ;;
            explorer-*) {} ;;
         esac
         {}",
        result("holds", "complete", CLEAN, 0),
        result("holds", "bounded", CLEAN, 0),
        result(
            "incomplete",
            "sampled",
            r#""how":"20s were over","rule":null,"message":"""#,
            3
        ),
        result("holds", "sampled", CLEAN, 0)
    ));
    let some = ["two-interfaces", "two-lives", "two-waiters"];
    let some = some.iter().flat_map(|&name| ["--scenario", name]);
    let some: Vec<&str> = some.collect();
    let runs = |more: &[&str]| {
        let json = [&some[..], &["--format", "json"], more].concat();
        let ended = check(&fake, &json);
        assert_eq!(ended.code, Some(3), "{}", ended.stderr);
        let lines = ended.stdout.lines();
        let lines = lines.map(|line| serde_json::from_str(line).expect("an object"));
        let results = lines.filter(|line: &serde_json::Value| line["kind"] == "result");
        let name = |line: serde_json::Value| {
            let word = |key: &str| line[key].as_str().map(str::to_owned).unwrap_or_default();
            format!("{} {}", word("scenario"), word("engine"))
        };
        results.map(name).collect::<Vec<_>>()
    };
    assert_eq!(
        runs(&[]),
        [
            "two-interfaces direct",
            "two-interfaces explorer",
            "two-interfaces loom",
            "two-interfaces threads",
            "two-lives direct",
            "two-lives explorer",
            "two-lives loom",
            "two-lives threads",
            "two-waiters direct",
            "two-waiters explorer",
            "two-waiters loom",
            "two-waiters threads",
            "two-interfaces random",
            "two-interfaces pct",
            "two-interfaces urw",
        ]
    );
    let named = runs(&["--engine", "explorer,pct"]);
    assert_eq!(named.len(), 6, "pct was asked for by name: {named:?}");

    let ended = check(&fake, &some);
    let rows = ended.stdout.lines().skip(1).take(15);
    let rows: Vec<_> = rows.map(|row| row.split_whitespace().next()).collect();
    assert!(rows.is_sorted(), "people read it by scenario: {rows:?}");
    let last = ended.stdout.lines().last().unwrap_or_default();
    assert!(last.starts_with("15 runs of 3 scenarios in "), "{last}");
}

#[test]
fn exit_codes_tell_the_verdicts_apart() {
    let cut_short = r#""how":"out of time","rule":null,"message":"""#;
    for (script, code, expected) in [
        (result("holds", "complete", CLEAN, 0), 0, "holds, complete"),
        (violated("\"C7\"", "c1 was asked twice"), 1, "violated C7"),
        ("kill -ABRT $$".to_owned(), 1, "violated (crash)"),
        ("exit 101".to_owned(), 1, "violated (crash)"),
        (
            result("incomplete", "sampled", cut_short, 3),
            3,
            "incomplete (out of time)",
        ),
        ("echo hello".to_owned(), 4, "harness error"),
        ("exit 4".to_owned(), 4, "harness error"),
    ] {
        let ended = check(&Fake::new(&script), &ONE);
        assert_eq!(ended.code, Some(code), "{script}: {}", ended.stderr);
        let row = format!("two-lives  pct     {expected}  ");
        assert!(ended.stdout.contains(&row), "{script}: {}", ended.stdout);
    }
}

#[test]
fn a_crash_in_one_run_does_not_end_the_others() {
    let holds = result("holds", "sampled", CLEAN, 0);
    let fake = Fake::new(&format!(
        "if [ $engine = random ]; then echo 'stack overflow' >&2; kill -SEGV $$; fi; {holds}"
    ));
    let ended = check(&fake, &["--scenario", "two-lives", "--engine", "shuttle"]);
    assert_eq!(ended.code, Some(1));
    let expected = "
violated (crash): two-lives under random
  two-lives under random, seed 7: the worker crashed (signal: 11 (SIGSEGV)";
    assert!(ended.stdout.contains(expected), "{}", ended.stdout);
    let repeat = "
  last on its stderr:
    stack overflow
  repeat with: cargo nmr check --engine random --scenario two-lives --seed 7 --budget 500ms
";
    assert!(ended.stdout.contains(repeat), "{}", ended.stdout);
    let last = ended.stdout.lines().last().unwrap_or_default();
    assert!(last.ends_with(": 2 hold, 1 violated; seed 7"), "{last}");
}

#[test]
fn results_come_by_scenario_and_engine_whatever_ends_first() {
    let holds = result("holds", "sampled", CLEAN, 0);
    let fake = Fake::new(&format!(
        "if [ $engine = loom ]; then sleep 0.3; fi; {holds}"
    ));
    let ended = check(&fake, &["--scenario", "two-*", "--engine", "loom,urw"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let table = ended
        .stdout
        .lines()
        .skip(1)
        .take_while(|line| !line.is_empty());
    let rows: Vec<String> = table
        .map(|row| Vec::from_iter(row.split_whitespace().take(2)).join(" "))
        .collect();
    assert!(rows.len() >= 8, "{rows:?}");
    assert!(rows.is_sorted(), "{rows:?}");
}

#[test]
fn a_suite_that_exercises_no_rule_is_incomplete() {
    let fake = Fake::new(&result("holds", "sampled", CLEAN, 0));
    let ended = check(&fake, &["--engine", "urw"]);
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    let expected = "No scenario exercises C1, C2, ";
    assert!(ended.stdout.contains(expected), "{}", ended.stdout);
}

#[test]
fn the_seed_is_told_when_it_was_not_given() {
    let fake = Fake::new(&result("holds", "sampled", CLEAN, 0));
    let worker = fake.path();
    let seed = || {
        let ended = nmr(&[&["check", "--worker", &worker], &ONE[..]].concat());
        let (_, seed) = ended.stdout.trim_end().rsplit_once("seed ").expect("told");
        assert!(
            ended.stderr.contains(&format!("seed {seed}")),
            "{}",
            ended.stderr
        );
        seed.parse::<u64>().expect("a number")
    };
    assert_ne!(seed(), seed());
}

#[test]
fn an_own_scenario_is_checked() {
    let fake = Fake::new(&format!(
        "echo \"$file\" >\"${{0%/*}}/order\"; scenario=own; {}",
        result("holds", "sampled", CLEAN, 0)
    ));
    let own = fake.file("own.toml");
    let text = "name = \"own\"\nsummary = \"mine\"\n[[module]]\nname = \"c\"\nside = \"client\"\n";
    fs::write(&own, text).expect("written");
    let own = own.display().to_string();
    let ended = check(&fake, &["--file", &own, "--engine", "urw"]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let given = fs::read_to_string(fake.file("order")).expect("written");
    assert_eq!(given.trim_end(), own);
}

#[test]
fn an_interrupt_kills_the_workers_and_prints_what_there_is() {
    let holds = result("holds", "sampled", CLEAN, 0);
    let fake = Fake::new(&format!(
        "if [ $engine = loom ]; then {holds}; fi
         echo $$ >\"${{0%/*}}/pid.new\"; mv \"${{0%/*}}/pid.new\" \"${{0%/*}}/pid\"; exec sleep 600"
    ));
    let worker = fake.path();
    let engines = [
        "--scenario",
        "two-lives",
        "--engine",
        "loom,urw",
        "--jobs",
        "1",
    ];
    let child = command(&[&["check", "--worker", &worker], &engines[..]].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let start = Instant::now();
    while !fake.file("pid").exists() {
        assert!(start.elapsed() < Duration::from_secs(60), "no worker");
        thread::sleep(Duration::from_millis(10));
    }
    kill("-INT", &child.id().to_string());
    let ended = ended(child.wait_with_output().expect("it ends"));
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    assert!(
        ended.stdout.contains("1 run of 1 scenario"),
        "{}",
        ended.stdout
    );
    let pid = fs::read_to_string(fake.file("pid")).expect("written");
    assert!(!kill("-0", pid.trim()), "the worker is gone");
}

#[test]
fn a_reader_that_goes_away_ends_it() {
    let fake = Fake::new(&format!(
        "echo run >>\"${{0%/*}}/runs\"; {}",
        result("holds", "sampled", CLEAN, 0)
    ));
    let worker = fake.path();
    let mut child = command(&["check", "--worker", &worker, "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stdout.take());
    let ended = ended(child.wait_with_output().expect("it ends"));
    assert_eq!(ended.code, Some(4));
    assert!(!ended.stderr.contains("cannot write"), "{}", ended.stderr);
    let runs = fs::read_to_string(fake.file("runs")).expect("written");
    let runs = runs.lines().count();
    assert!(runs < 20, "{runs} runs for nobody");
}

fn kill(signal: &str, pid: &str) -> bool {
    let status = Command::new("kill")
        .args([signal, pid])
        .stderr(Stdio::null())
        .status();
    status.expect("there is kill").success()
}

#[test]
fn engines_that_do_not_know_a_condition_are_left_out_with_a_word() {
    let fake = Fake::new(&result("holds", "complete", CLEAN, 0));
    let scenario = ["--scenario", "two-lives", "--spurious-wakeups"];
    let ended = check(
        &fake,
        &[&scenario[..], &["--engine", "explorer,loom,threads"]].concat(),
    );
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let word = "not run with spurious wake-ups, which cannot be told to: loom, threads";
    assert!(ended.stderr.contains(word), "{}", ended.stderr);
    let end = "; with spurious wake-ups; not run, as they cannot be told to: loom, threads\n";
    assert!(ended.stdout.ends_with(end), "{}", ended.stdout);
    let json = [
        &scenario[..],
        &["--engine", "explorer,loom", "--format", "json"],
    ]
    .concat();
    let ended = check(&fake, &json);
    let last = ended.stdout.lines().last().unwrap_or_default();
    let told = r#""conditions":{"spurious-wakeups":true,"complete-any":false},"left-out":["loom"]"#;
    assert!(last.contains(told), "{last}");

    let ended = check(&fake, &[&scenario[..], &["--engine", "loom,pct"]].concat());
    assert_eq!(ended.code, Some(2), "{}", ended.stdout);
    let why = "loom, pct cannot search with spurious wake-ups: add `--engine direct`";
    assert!(ended.stderr.contains(why), "{}", ended.stderr);
}

#[test]
fn the_worker_hears_of_conditions() {
    let script = r#"case "$all" in *--spurious-wakeups*--complete-any*) ;; *) exit 9 ;; esac; "#;
    let fake = Fake::new(&format!(
        "{script}{}",
        result("holds", "complete", CLEAN, 0)
    ));
    let more = [
        "--scenario",
        "two-lives",
        "--engine",
        "explorer",
        "--spurious-wakeups",
    ];
    let ended = check(&fake, &[&more[..], &["--complete-any"]].concat());
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert_ne!(check(&fake, &more).code, Some(0));
}
