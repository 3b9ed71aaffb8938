//! `nmr bench registrar` with benchmark programs played by the shell.
#![cfg(unix)]

mod support;

use std::fs;

use support::{Ended, Fake, nmr};

/// Shell that plays criterion with two workloads. `W1 alone` takes `ns`, `W2 one provider` ten times as long;
/// a sample of each has 2 iterations of 4 elements. Each measurement is noted in the file `order`.
fn criterion(side: &str, ns: u32) -> String {
    format!(
        r#"
        case "$all" in
        *--list*)
            echo 'registrar/W1 alone: benchmark'
            echo 'registrar/W2 one provider: benchmark'
            exit ;;
        esac
        time={ns}
        [ "$exact" = "registrar/W2 one provider" ] && time={ns}0
        echo "{side} $exact" >>"${{0%/*}}/order"
        new="$CRITERION_HOME/registrar/one/new"
        mkdir -p "$new"
        echo '{{"throughput":{{"Elements":4}}}}' >"$new/benchmark.json"
        samples="$((time * 8)),$((time * 8 + 8)),$((time * 8 - 8))"
        echo '{{"iters":[2,2,2],"times":['"$samples"']}}' >"$new/sample.json"
        "#
    )
}

/// Programs of both sides in a folder.
fn programs(now: &str, baseline: &str) -> Fake {
    let place = |side: &str, fake: &Fake, name: &str| {
        let folder = fake.file(side);
        fs::create_dir_all(&folder).expect("made");
        let order = |script: &str| script.replace("${0%/*}", &fake.file("").display().to_string());
        let script = Fake::new(&order(match (side, name) {
            ("now", "registrar") => now,
            (_, "registrar") => baseline,
            ("now", _) => r#"echo '{"registrations":1000,"bytes":180000}'"#,
            _ => r#"echo '{"registrations":1000,"bytes":240000}'"#,
        }));
        fs::rename(script.path(), folder.join(name)).expect("moved");
    };
    let fake = Fake::new("exit 9");
    for side in ["now", "baseline"] {
        for name in ["registrar", "memory"] {
            place(side, &fake, name);
        }
    }
    fake
}

fn bench(fake: &Fake, more: &[&str]) -> Ended {
    let folder = fake.file("").display().to_string();
    nmr(&[&["bench", "registrar", "--programs", &folder], more].concat())
}

#[test]
fn the_sides_are_measured_by_turns_and_compared() {
    let fake = programs(&criterion("now", 90), &criterion("then", 100));
    let more = ["--baseline", "HEAD", "--rounds", "2", "--format", "json"];
    let ended = bench(&fake, &more);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);

    let order = fs::read_to_string(fake.file("order")).expect("written");
    let expected = "now registrar/W1 alone\nthen registrar/W1 alone\n\
        now registrar/W2 one provider\nthen registrar/W2 one provider\n\
        then registrar/W1 alone\nnow registrar/W1 alone\n\
        then registrar/W2 one provider\nnow registrar/W2 one provider\n";
    assert_eq!(order, expected);

    let parse = |line| serde_json::from_str(line).expect("an object");
    let lines: Vec<serde_json::Value> = ended.stdout.lines().map(parse).collect();
    let kinds: Vec<_> = lines.iter().map(|line| line["kind"].as_str()).collect();
    let expected = ["registrar-time", "registrar-time", "registrar-memory"];
    assert_eq!(kinds, expected.map(Some));
    assert_eq!(lines[0]["workload"], "W1 alone");
    assert_eq!(lines[0]["rounds"], 2);
    assert_eq!(lines[0]["now"]["median"], 90.0);
    assert_eq!(lines[1]["baseline"]["median"], 1000.0);
    let ratio = serde_json::json!({"median": 0.9, "low": 0.9, "high": 0.9, "confidence": 0.5});
    assert_eq!(lines[1]["ratio"], ratio);
    assert_eq!(lines[2]["baseline"]["bytes"], 240_000);
    let hash = lines[2]["revision"].as_str().expect("there is a baseline");
    assert_eq!(hash.len(), 40, "{hash}");
}

#[test]
fn without_a_baseline_only_what_is_now_is_measured() {
    let fake = programs(&criterion("now", 90), "exit 9");
    let ended = bench(&fake, &["--rounds", "1", "--time", "5ms"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let expected = "\
workload            ns  quartiles    asked
W1 alone          90.0  89.5–90.5    at most 100  met
W2 one provider  900.0  899.5–900.5  at most 317  not met
";
    assert!(ended.stdout.starts_with(expected), "{}", ended.stdout);
    assert!(ended.stdout.contains("holds  180.0\n"), "{}", ended.stdout);
}

#[test]
fn a_program_that_fails_is_told() {
    let broken = criterion("now", 90).replace("time=90\n", "echo 'no such thing' >&2; exit 3\n");
    let ended = bench(&programs(&broken, "exit 9"), &["--rounds", "1"]);
    assert_eq!(ended.code, Some(4));
    let expected = "now/registrar failed (exit status: 3); last on its stderr:\nno such thing\n";
    assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    assert_eq!(ended.stdout, "");
}

#[test]
fn a_program_that_measures_nothing_is_told() {
    let idle = criterion("now", 90).replace(">\"$new/sample.json\"", ">/dev/null");
    let ended = bench(&programs(&idle, "exit 9"), &["--rounds", "1"]);
    assert_eq!(ended.code, Some(4));
    let expected = "now/registrar has measured registrar/W1 alone, but ";
    assert!(ended.stderr.contains(expected), "{}", ended.stderr);
}
