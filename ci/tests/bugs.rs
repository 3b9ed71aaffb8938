//! `nmr bugs` with workers played by the shell.
#![cfg(unix)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::lines::{self, CLEAN, result};
use support::{Ended, Fake, nmr};

/// A folder of bugs; gone when dropped.
struct Bugs(tempfile::TempDir);

impl Bugs {
    fn none() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// One of the repository's.
    fn with(self, place: &str) -> Self {
        let (from, to) = (repository().join(place), self.0.path().join(place));
        fs::create_dir_all(&to).expect("made");
        for entry in fs::read_dir(from).expect("it is there") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("it has a name");
            fs::copy(&path, to.join(name)).expect("copied");
        }
        self
    }

    fn edit(self, file: &str, from: &str, to: &str) -> Self {
        let path = self.0.path().join(file);
        let text = fs::read_to_string(&path).expect("it is there");
        assert!(text.contains(from), "{text}");
        fs::write(path, text.replace(from, to)).expect("written");
        self
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/bugs")
}

fn registrar() -> Bugs {
    Bugs::none().with("registrar/stranded-attach")
}

fn module() -> Bugs {
    Bugs::none().with("modules/never-completes")
}

fn bugs(bugs: &Bugs, fake: &Fake, more: &[&str]) -> Ended {
    let (worker, from) = (fake.path(), bugs.0.path().display().to_string());
    nmr(&[&["bugs", "--worker", &worker, "--from", &from], more].concat())
}

const EXPLORER: [&str; 2] = ["--engine", "explorer"];

fn violated(rule: &str) -> String {
    lines::violated(rule, r"it has no end\nreally")
}

fn holds() -> String {
    result("holds", "complete", CLEAN, 0)
}

/// The scenarios of the module's bug, by their files.
const SCENARIO: &str = "case \"$file\" in
        *-1-*) scenario=both-deregister ;;
        *-2-*) scenario=two-waiters ;;
    esac;";

/// A worker that finds this in the bug, and nothing in its twin.
fn finding(what: &str) -> Fake {
    Fake::new(&format!(
        "{SCENARIO}
         case \"$NMR_PLANTED$file\" in
            stranded-attach | *-wrong.toml) {what} ;;
            *) {} ;;
         esac",
        holds()
    ))
}

/// The times in it are those of the fake's lines.
#[test]
fn the_json_form_is_stable() {
    let found = |made: &Bugs, rule: &str, engine: &str| {
        let json = ["--format", "json", "--engine", engine];
        let ended = bugs(made, &finding(&violated(rule)), &json);
        assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
        Vec::from_iter(ended.stdout.lines().map(str::to_owned))
    };
    assert_eq!(
        found(&registrar(), "\"C6\"", "pct"),
        [
            r#"{"kind":"bug","name":"stranded-attach","where":"core/src/table/attach.rs: attach_returned","engine":"pct","found":true,"rule":"C6","expected":"C6","scenarios":1,"tried":1,"executions":1234,"seconds":0.5,"preemptions":null,"scenario":"client-arrives-provider-leaves","unchecked":false,"verdict":"violated","message":"it has no end\nreally"}"#,
            r#"{"kind":"twin","name":"stranded-attach","engine":"pct","flagged":false,"rule":null,"tried":1,"scenario":null,"verdict":"holds","message":""}"#,
        ]
    );
    assert_eq!(
        found(&module(), "\"C16\"", "explorer,urw"),
        [
            r#"{"kind":"bug","name":"never-completes","where":"module","engine":"explorer","found":true,"rule":"C16","expected":"C16","scenarios":2,"tried":2,"executions":1234,"seconds":0.5,"preemptions":null,"scenario":"both-deregister","unchecked":false,"verdict":"violated","message":"it has no end\nreally"}"#,
            r#"{"kind":"bug","name":"never-completes","where":"module","engine":"urw","found":true,"rule":"C16","expected":"C16","scenarios":1,"tried":1,"executions":1234,"seconds":0.5,"preemptions":null,"scenario":"both-deregister","unchecked":false,"verdict":"violated","message":"it has no end\nreally"}"#,
            r#"{"kind":"twin","name":"never-completes","engine":"explorer","flagged":false,"rule":null,"tried":2,"scenario":null,"verdict":"holds","message":""}"#,
            r#"{"kind":"twin","name":"never-completes","engine":"urw","flagged":false,"rule":null,"tried":1,"scenario":null,"verdict":"holds","message":""}"#,
        ]
    );
}

#[test]
fn a_worker_gets_its_order_and_saves_no_case() {
    let orders = |made: &Bugs, engine: &str| {
        let fake = Fake::new(&format!(
            "{SCENARIO}
             echo \"$NMR_PLANTED: $all\" >>\"${{0%/*}}/orders\"; {}",
            holds()
        ));
        let ended = bugs(made, &fake, &["--engine", engine, "--jobs", "1"]);
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        let orders = fs::read_to_string(fake.file("orders")).expect("written");
        assert!(!orders.contains("--case-dir"), "{orders}");
        Vec::from_iter(orders.lines().map(str::to_owned))
    };
    let explorer = orders(&registrar(), "explorer");
    assert_eq!(
        explorer[..2],
        [
            "stranded-attach: run --engine explorer --scenario client-arrives-provider-leaves --seed 1 --budget-ms 10000",
            "stranded-attach: run --engine explorer --scenario provider-arrives-client-leaves --seed 1 --budget-ms 10000",
        ]
    );
    assert!(!explorer.iter().any(|order| order.contains("four-lives")));
    let last = &explorer[explorer.len() - 2..];
    let of_twin = |order: &String| order.starts_with("stranded-attach.twin: run --engine explorer");
    assert!(last.iter().all(of_twin), "{last:?}");
    assert_eq!(
        orders(&registrar(), "loom"),
        [
            "stranded-attach: run --engine loom --scenario client-arrives-provider-leaves --seed 1 --budget-ms 2000",
            "stranded-attach: run --engine loom --scenario provider-arrives-client-leaves --seed 1 --budget-ms 2000",
            "stranded-attach.twin: run --engine loom --scenario client-arrives-provider-leaves --seed 1 --budget-ms 2000",
        ]
    );
    let of_module = orders(&module(), "loom");
    let start = ": run --engine loom --file ";
    assert!(of_module[0].starts_with(start), "{of_module:?}");
    let file = "/bugs/scenarios/never-completes-1-wrong.toml --seed 1 --budget-ms 2000";
    assert!(of_module[0].ends_with(file), "{of_module:?}");
    assert!(
        of_module[2].contains("never-completes-1-right.toml"),
        "{of_module:?}"
    );
}

#[test]
fn exit_codes_tell_apart_what_must_be_and_what_is_not_known() {
    let cut = r#""how":"out of time","rule":null,"message":"""#;
    for (found, code, expected) in [
        (violated("\"C16\""), 0, "never-completes  C16   C16 "),
        (
            violated("\"C6\""),
            1,
            "failed: never-completes: the explorer finds C6 and never C16: ",
        ),
        (
            violated("null"),
            1,
            "the explorer finds a crash and never C16: ",
        ),
        (
            holds(),
            1,
            "failed: never-completes: the explorer does not find it by any of 2 scenarios: ",
        ),
        (
            result("incomplete", "sampled", cut, 3),
            3,
            "incomplete: never-completes: the explorer does not find it by 2 scenarios, ",
        ),
        (
            "echo hello".to_owned(),
            4,
            "harness error: never-completes: the harness failed in both-deregister under ",
        ),
    ] {
        let ended = bugs(&module(), &finding(&found), &EXPLORER);
        assert_eq!(ended.code, Some(code), "{expected}: {}", ended.stdout);
        assert!(
            ended.stdout.contains(expected),
            "{expected}: {}",
            ended.stdout
        );
    }
}

#[test]
fn a_twin_that_is_flagged_is_a_failure() {
    let fake = Fake::new(&format!("{SCENARIO} {}", violated("\"C16\"")));
    let ended = bugs(&module(), &fake, &EXPLORER);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let expected =
        "failed: never-completes: its twin is flagged under explorer by both-deregister, as C16: ";

    assert!(ended.stdout.contains(expected), "{}", ended.stdout);
    let last = ended.stdout.lines().last().unwrap_or_default();
    assert!(
        last.ends_with(": explorer finds 1; 1 of 1 twin flagged"),
        "{last}"
    );
}

#[test]
fn one_scenario_is_not_enough() {
    let fake = Fake::new(&format!(
        "{SCENARIO} case \"$file\" in *-1-wrong.toml) {} ;; *) {} ;; esac",
        violated("\"C16\""),
        holds()
    ));
    let ended = bugs(&module(), &fake, &EXPLORER);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let expected = "the explorer finds it by one scenario alone (both-deregister): add another one";

    assert!(ended.stdout.contains(expected), "{}", ended.stdout);
}

#[test]
fn where_the_table_s_own_assertion_comes_first_it_is_tried_without() {
    let fake = finding(&format!(
        "if [ -n \"$NMR_PLANTED_UNCHECKED\" ]; then {}; else {}; fi",
        violated("\"C6\""),
        lines::violated("null", "the program under test panicked")
    ));
    let ended = bugs(
        &registrar(),
        &fake,
        &["--engine", "pct", "--format", "json"],
    );
    assert_eq!(ended.code, Some(0), "{}", ended.stdout);
    let first = ended.stdout.lines().next().unwrap_or_default();
    let line: serde_json::Value = serde_json::from_str(first).expect("an object");
    assert_eq!(
        (&line["rule"], &line["unchecked"]),
        (&"C6".into(), &true.into())
    );
}

#[test]
fn bugs_of_modules_are_scenarios_in_files() {
    let fake = finding(&violated("\"C16\""));
    let ended = bugs(&module(), &fake, &["--engine", "explorer,threads"]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let row = ended.stdout.lines().nth(1).unwrap_or_default();
    let row = Vec::from_iter(row.split_whitespace()).join(" ");
    assert_eq!(
        row,
        "never-completes C16 C16 1,234 0.50 s 2 of 2 C16 1,234 0.50 s holds"
    );
}

#[test]
fn the_bugs_that_every_engine_must_find_can_be_asked_for() {
    let fake = finding(&violated("\"C6\""));
    let both = registrar().with("registrar/attach-again");
    let ended = bugs(&both, &fake, &["--engine", "random", "--shows"]);
    assert!(
        ended.stderr.contains("looking for 1 bug\n"),
        "{}",
        ended.stderr
    );
    assert!(ended.stdout.contains("attach-again"), "{}", ended.stdout);
    assert!(
        !ended.stdout.contains("stranded-attach"),
        "{}",
        ended.stdout
    );

    let ended = bugs(&registrar(), &fake, &["--shows"]);
    assert_eq!(ended.code, Some(2), "{}", ended.stdout);
    let none = "no bug of these shows itself whoever runs it: leave out `--shows`";
    assert!(ended.stderr.contains(none), "{}", ended.stderr);
}

#[test]
fn bad_data_is_refused_before_anything_runs() {
    let fake = Fake::new("echo run >>\"${0%/*}/runs\"");
    let change = "registrar/stranded-attach/change.diff";
    for (made, expected) in [
        (
            registrar().edit(
                change,
                "-            (true, true) if",
                "-            (1, true) if",
            ),
            "/registrar/stranded-attach/change.diff:3:1: hunk 1 does not apply: its lines are nowhere in \
             core/src/table/attach.rs; make the diff anew",
        ),
        (
            registrar().edit(change, "core/src/table/attach.rs", "models/src/op.rs"),
            "change.diff:1:1: it changes models/src/op.rs: bugs are planted into core/src",
        ),
        (
            registrar().edit(
                "registrar/stranded-attach/bug.toml",
                "provider-arrives",
                "nobody-arrives",
            ),
            "bug.toml:8:48: there is no scenario nobody-arrives-client-leaves: the nearest names are ",
        ),
        (
            module().edit(
                "modules/never-completes/bug.toml",
                "pending\" }\n\n",
                "sulking\" }\n\n",
            ),
            "bug.toml:9:1: both-deregister with this module: unknown variant `sulking`",
        ),
    ] {
        let ended = bugs(&made, &fake, &EXPLORER);
        assert_eq!(ended.code, Some(2), "{expected}: {}", ended.stderr);
        assert!(
            ended.stderr.contains(expected),
            "{expected}: {}",
            ended.stderr
        );
        assert_eq!(ended.stdout, "");
    }
    let ended = bugs(&registrar(), &fake, &["--name", "stranded"]);
    assert_eq!(ended.code, Some(2));
    let expected = "no bug matches `stranded`: the nearest names are stranded-attach; all are in ";
    assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    assert!(!fake.file("runs").exists(), "no worker ran");
}

#[test]
fn lines_come_by_bug_whichever_ends_first() {
    let some = module().with("registrar/eager-success");
    let fake = Fake::new(&format!(
        "if [ \"$NMR_PLANTED\" = eager-success ]; then sleep 0.02; fi
         {SCENARIO} {}",
        holds()
    ));
    let ended = bugs(
        &some,
        &fake,
        &["--engine", "explorer", "--format", "json", "--jobs", "3"],
    );
    let names = ended.stdout.lines().map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).expect("an object");
        format!("{} {}", line["kind"], line["name"]).replace('"', "")
    });
    assert_eq!(
        Vec::from_iter(names),
        [
            "bug eager-success",
            "twin eager-success",
            "bug never-completes",
            "twin never-completes",
        ]
    );
}
