//! `nmr check --c-module`: what the workers are given, and what is refused before and by them.
#![cfg(unix)]

mod support;

use std::fs;

use support::lines::{CLEAN, result};
use support::{Ended, Fake, nmr};

/// The name of the scenario in the file that a worker is given.
const NAMED: &str = "scenario=$(basename \"$file\" .toml)";

/// Anything that a hash can be made of: it is the worker that loads it.
const OBJECT: &str = "no shared object";

fn check(fake: &Fake, more: &[&str]) -> Ended {
    let object = fake.file("mine.so");
    fs::write(&object, OBJECT).expect("it is written");
    let choice = format!("c={}", object.display());
    let worker = fake.path();
    let args = [
        "check",
        "--worker",
        &worker,
        "--seed",
        "7",
        "--c-module",
        &choice,
    ];
    nmr(&[&args[..], more].concat())
}

#[test]
fn a_module_in_c_takes_the_place_of_a_scripted_one() {
    let holds = result("holds", "complete", CLEAN, 0);
    let fake = Fake::new(&format!(
        "{NAMED}; cp \"$file\" \"${{0%/*}}/scenario\"; {holds}"
    ));
    let ended = check(&fake, &["--scenario", "both-pending"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let scenario = fs::read_to_string(fake.file("scenario")).expect("the worker was given one");
    assert!(scenario.contains("mine.so\"\nhash = \""), "{scenario}");
    // What the scripted one does is gone, and the provider is what it was.
    assert_eq!(
        scenario.matches("detach = \"pending\"").count(),
        1,
        "{scenario}"
    );
    let said = "not run with modules in C, which they do not run: direct, loom, threads";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    let last = ended.stdout.lines().last().unwrap_or_default();
    let told = "C modules: switched at registrar calls only; not run, as they do not run modules in C: direct, loom, threads";
    assert!(last.ends_with(told), "{last}");
    let named: Vec<&str> = ended
        .stdout
        .lines()
        .filter(|line| line.starts_with("both-pending"))
        .collect();
    assert!(
        matches!(named[..], [one] if one.contains("explorer")),
        "{named:?}"
    );
}

#[test]
fn scenarios_with_no_room_for_it_are_left_out_of_a_glob() {
    let holds = result("holds", "complete", CLEAN, 0);
    let fake = Fake::new(&format!("{NAMED}; {holds}"));
    let engine = ["--engine", "explorer"];
    let ended = check(
        &fake,
        &[&["--scenario", "owned-live?"][..], &engine].concat(),
    );
    assert_eq!(ended.code, Some(2), "{}", ended.stdout);
    let said = "has no room for a module in C: `own c`: `c` is a module in C: expected register, ";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    let ended = check(&fake, &[&["--scenario", "both-*"][..], &engine].concat());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
fn what_the_worker_refuses_is_bad_usage_in_its_words() {
    let fake = Fake::new("echo 'error: the C module mine.so: it is no shared object' >&2; exit 2");
    let ended = check(&fake, &["--scenario", "both-pending"]);
    assert_eq!(ended.code, Some(2), "{}", ended.stdout);
    let said = "the C module mine.so: it is no shared object";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
}

#[test]
fn what_the_worker_refuses_of_a_glob_is_left_out_unless_it_is_all() {
    let refuses = "echo 'error: the scenario has `complete c`' >&2; exit 2";
    let holds = result("holds", "complete", CLEAN, 0);
    let fake = Fake::new(&format!(
        "{NAMED}; if [ $scenario = both-pending ]; then {refuses}; fi; {holds}"
    ));
    let ended = check(&fake, &["--scenario", "both-*", "--engine", "explorer"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let said = "left out: both-pending: the scenario has `complete c`";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    let ended = check(
        &fake,
        &["--scenario", "both-pendin?", "--engine", "explorer"],
    );
    assert_eq!(ended.code, Some(2), "{}", ended.stdout);
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_built() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("it is written");
        path.display().to_string()
    };
    let object = file("mine.so", OBJECT);
    let wrong = file("wrong.c", "int main(void) { return oh; }\n");
    for (choice, more, said) in [
        (
            "c".to_owned(),
            &[][..],
            "expected the module's name and a file, such as `c=mine.so`",
        ),
        ("c=none.so".to_owned(), &[], "none.so"),
        (format!("c={wrong}"), &[], "wrong.c does not compile:"),
        (
            format!("x={object}"),
            &[],
            "both-pending has no room for a module in C: it has no module `x`",
        ),
        (
            format!("c={object}"),
            &["--c-module", "p=none.so", "--c-module", "c=none.so"],
            "--c-module names `c` twice",
        ),
        (
            format!("c={object}"),
            &["--engine", "loom,threads"],
            "loom, threads cannot run modules in C: add `--engine explorer`",
        ),
    ] {
        let args = ["check", "--scenario", "both-pending", "--c-module", &choice];
        let ended = nmr(&[&args[..], more].concat());
        assert_eq!(ended.code, Some(2), "{choice}: {}", ended.stderr);
        assert!(ended.stderr.contains(said), "{choice}: {}", ended.stderr);
        assert!(!ended.stderr.contains("built nmr-worker"), "{choice}");
    }
}

#[test]
fn without_a_compiler_a_file_of_c_is_refused_in_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("mine.c");
    fs::write(&file, "int one;\n").expect("it is written");
    let choice = format!("c={}", file.display());
    let mut command =
        support::command(&["check", "--scenario", "both-pending", "--c-module", &choice]);
    let output = command.env("CC", "no-such-compiler").output();
    let ended = support::ended(output.expect("it starts"));
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    let said = "the C compiler `no-such-compiler` cannot be run: ";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("set CC, or give a shared object"),
        "{}",
        ended.stderr
    );
}
