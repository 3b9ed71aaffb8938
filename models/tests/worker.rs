//! The worker as its parent sees it: what it prints, saves, and answers as its exit code, in whichever
//! build this is.

mod common;

use std::path::Path;

use nmr_models::engine_name::{Build, Engine};
use nmr_models::report::{Extent, Line, Verdict};
use nmr_models::rule::Rule;

#[cfg(any(loom, shuttle))]
use common::module;
use common::{NEVER_COMPLETES, lines, result, worker};

fn engine() -> Engine {
    let mut engines = Engine::ALL.into_iter();
    // The direct one runs no executions.
    let own =
        engines.find(|&engine| engine.build() == Build::current() && engine != Engine::Direct);
    own.expect("each build has an engine")
}

fn write(folder: &Path, text: &str) -> String {
    let path = folder.join("scenario.toml");
    std::fs::write(&path, text).unwrap();
    path.into_os_string().into_string().unwrap()
}

#[test]
fn a_scenario_that_holds_is_reported_with_its_coverage() {
    let engine = engine().to_string();
    let scenario = "both-deregister";
    let output = worker(&[
        "run",
        "--engine",
        &engine,
        "--scenario",
        scenario,
        "--budget-ms",
        "2000",
    ]);
    let result = result(&output);
    assert_eq!(result.verdict, Verdict::Holds, "{}", result.message);
    assert!(result.executions > 1);
    let lines = lines(&output).into_iter();
    let coverage = lines.filter(|line| matches!(line, Line::Coverage(_)));
    assert_eq!(coverage.count(), Rule::COUNT);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_finding_is_saved_as_a_case_and_ends_with_code_1() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), NEVER_COMPLETES);
    let (engine, cases) = (engine().to_string(), folder.path().join("cases"));
    let cases = cases.to_str().unwrap();
    let output = worker(&[
        "run",
        "--engine",
        &engine,
        "--file",
        &file,
        "--case-dir",
        cases,
    ]);
    let result = result(&output);
    assert_eq!(
        (result.verdict, result.rule),
        (Verdict::Violated, Some(Rule::new(16)))
    );
    assert!(
        result
            .message
            .contains("the provider of c–p answered pending and never sent its completion"),
        "{}",
        result.message
    );
    assert!(
        result.message.contains("leaving is inside wait for c"),
        "{}",
        result.message
    );
    assert_eq!(output.status.code(), Some(1));
    let case = result.case.expect("the case was saved");
    let text = std::fs::read_to_string(case).unwrap();
    assert!(text.starts_with("kind = \"schedule\""), "{text}");
}

/// Two callbacks on two threads that wait for each other's registrations: the modules' own deadlock, which
/// no answer of the registrar could prevent.
#[cfg(any(loom, shuttle))]
#[test]
fn callbacks_that_wait_for_each_other_break_c16() {
    let text = [
        "name = \"crossed\"\nsummary = \"crossed\"\n".to_owned(),
        "before = [\"register c\", \"register p\", \"register d\", \"register q\"]\n".to_owned(),
        module("c", "client", 1, "in-detach = [\"wait d\"]"),
        module("p", "provider", 1, ""),
        module("d", "client", 2, "in-detach = [\"wait c\"]"),
        module("q", "provider", 2, ""),
        "[[thread]]\nname = \"one\"\nops = [\"deregister c\"]\n".to_owned(),
        "[[thread]]\nname = \"two\"\nops = [\"deregister d\"]\n".to_owned(),
    ]
    .concat();
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), &text);
    let engine = if cfg!(loom) { "loom" } else { "random" };
    let result = result(&worker(&["run", "--engine", engine, "--file", &file]));
    assert_eq!(
        (result.verdict, result.rule),
        (Verdict::Violated, Some(Rule::new(16))),
        "{}",
        result.message
    );
    assert_eq!(result.extent, Extent::Sampled, "it stopped on its way");
}

#[cfg(loom)]
#[test]
fn a_search_that_was_cut_short_is_never_called_complete() {
    for budget in ["0", "1", "5", "20", "80", "300"] {
        let output = worker(&[
            "run",
            "--engine",
            "loom",
            "--scenario",
            "four-lives",
            "--budget-ms",
            budget,
        ]);
        let result = result(&output);
        assert_ne!(result.extent, Extent::Complete, "with {budget} ms");
        let (verdict, code) = match result.extent {
            Extent::Bounded => (Verdict::Holds, 0),
            _ => (Verdict::Incomplete, 3),
        };
        assert_eq!(
            (result.verdict, output.status.code()),
            (verdict, Some(code))
        );
        assert!(result.how.is_some(), "it says so in words");
    }
}

#[test]
fn one_interleaving_is_complete_after_one_execution() {
    let engine = engine().to_string();
    let output = worker(&["run", "--engine", &engine, "--scenario", "deregister-again"]);
    let result = result(&output);
    assert_eq!(
        (result.verdict, result.extent),
        (Verdict::Holds, Extent::Complete)
    );
    assert_eq!(result.executions, 1);
}

#[test]
fn an_engine_of_another_build_is_an_error_of_the_harness() {
    let mut engines = Engine::ALL.into_iter();
    let other = engines
        .find(|engine| engine.build() != Build::current())
        .unwrap();
    let output = worker(&["run", "--engine", other.name(), "--scenario", "two-lives"]);
    assert_eq!(result(&output).verdict, Verdict::HarnessError);
    assert_eq!(output.status.code(), Some(4));
}

#[test]
fn a_malformed_scenario_is_refused_with_file_line_and_what_was_expected() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine().to_string();
    let cases = [
        (
            "[\"deregister c\", \"wait c\"]",
            "[\"deregister x\"]",
            ":17:8: `deregister x` names no module: expected one of c, p",
        ),
        (
            "detach = \"pending\"",
            "detach = \"later\"",
            ":13:10: unknown variant `later`, expected one of",
        ),
        (
            "[\"yield\"]",
            "[\"sleep\"]",
            ":21:8: `sleep` is no operation: expected `register M`",
        ),
        (
            "[\"yield\"]",
            "[\"complete p\", \"wait c\"]",
            ":21:8: `complete p` goes on until the other threads' waits are done",
        ),
    ];
    for (was, is, expected) in cases {
        let file = write(folder.path(), &NEVER_COMPLETES.replace(was, is));
        let output = worker(&["run", "--engine", &engine, "--file", &file]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.starts_with(&format!("error: {file}")), "{error}");
        assert!(
            error.contains(expected),
            "{error} does not contain {expected}"
        );
        assert_eq!(output.status.code(), Some(2));
    }
}

#[cfg(shuttle)]
#[test]
fn a_checkpoint_that_is_none_is_refused_before_anything_is_searched() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("two-lives.checkpoint");
    let options = format!("{{\"checkpoint\":{:?}}}", file.display().to_string());
    let run = ["run", "--engine", "explorer", "--explorer", &options];
    let go = |scenario| worker(&[&run[..], &["--scenario", scenario]].concat());
    assert_eq!(go("both-deregister").status.code(), Some(0));
    let is_refused = |scenario, why: &str| {
        let refused = go(scenario);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(said.starts_with("error: ") && said.contains(why), "{said}");
        assert_eq!(lines(&refused), []);
    };
    is_refused("two-lives", "is of another program");
    std::fs::write(&file, "a shopping list").unwrap();
    is_refused("both-deregister", "is no checkpoint of this version");
    // A folder is no file.
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    is_refused("both-deregister", "cannot be read");
}

#[cfg(shuttle)]
#[test]
fn the_certificate_is_there_as_data_too() {
    let run = |engine| {
        result(&worker(&[
            "run",
            "--engine",
            engine,
            "--scenario",
            "two-lives",
            "--budget-ms",
            "500",
        ]))
    };
    let report = run("explorer").report.expect("the explorer has one");
    assert_eq!(report["verdict"], "exhausted");
    assert_eq!(report["states"].as_u64(), run("explorer").states);
    for part in ["assumptions", "reductions", "workers", "commit"] {
        assert!(!report[part].is_null(), "{part} is not in {report}");
    }
    assert_eq!(run("random").report, None);
}

/// What an engine of this build does that knows of spurious wake-ups, or none.
#[test]
fn spurious_wake_ups_stand_in_the_result_the_certificate_and_the_case() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), NEVER_COMPLETES);
    let own = Engine::ALL.into_iter();
    for engine in own.filter(|engine| engine.build() == Build::current()) {
        let cases = folder.path().join(engine.name());
        let run = |options: &[&str]| {
            let (engine, cases) = (engine.to_string(), cases.to_str().unwrap());
            let args = [
                "run",
                "--engine",
                &engine,
                "--case-dir",
                cases,
                "--spurious-wakeups",
            ];
            let output = worker(&[&args[..], options].concat());
            (result(&output), output.status.code())
        };
        let (holds, code) = run(&["--scenario", "both-deregister", "--complete-any"]);
        let told = (
            holds.conditions.spurious_wakeups,
            holds.conditions.complete_any,
        );
        assert_eq!(told, (true, true));
        if !engine.wakes_spuriously() {
            let expected = "cannot search with spurious wake-ups, completions in any order";
            assert!(holds.message.ends_with(expected), "{}", holds.message);
            assert_eq!(code, Some(4), "{engine}");
            continue;
        }
        assert_eq!(code, Some(0), "{engine}: {}", holds.message);
        if let Some(certificate) = &holds.certificate {
            assert!(
                certificate.contains("with spurious wake-ups"),
                "{certificate}"
            );
        }
        // A deadlock is one all the same, and the case says how it was found.
        let (stuck, code) = run(&["--file", &file]);
        assert_eq!(
            (stuck.rule, code),
            (Some(Rule::new(16)), Some(1)),
            "{engine}"
        );
        let case = std::fs::read_to_string(stuck.case.unwrap()).unwrap();
        assert!(case.contains("spurious-wakeups = true"), "{case}");
    }
}
