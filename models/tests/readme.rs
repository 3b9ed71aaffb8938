//! The README's example of a violation, made by its command's worker: the scenario is there, and what is shown comes of it.
#![cfg(shuttle)]

mod common;

use std::path::Path;

use nmr_models::render::picture;
use nmr_models::report::{Line, Verdict};

use common::{lines, result, worker};

const README: &str = include_str!("../../README.md");

/// What stands in the README for a schedule's beginning.
const LEFT_OUT: &str = "…";

/// The block of code that begins so.
fn block(first: &str) -> Vec<&'static str> {
    let blocks = README.split("```text\n").skip(1);
    let mut blocks = blocks.filter_map(|rest| rest.split("\n```").next());
    let block = blocks.find(|block| block.starts_with(first));
    block.expect("the README has it").lines().collect()
}

/// Words, whatever the lines are broken at, and whatever lines of the sources they speak of.
fn words(text: &str) -> Vec<String> {
    let is_place = |word: &str| word.contains(".rs:");
    let file = |word: &str| word.split(':').next().unwrap_or_default().to_owned();
    let words = text.split_whitespace();
    words
        .map(|word| match is_place(word) {
            true => file(word),
            false => word.to_owned(),
        })
        .collect()
}

#[test]
fn its_violation_is_what_its_command_finds() {
    let command = "cargo nmr check --engine explorer --file models/examples/never-completes.toml";
    assert!(README.contains(&format!("\n    {command}\n")), "{command}");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/never-completes.toml");
    let folder = tempfile::tempdir().expect("a folder");
    let cases = folder.path().display().to_string();
    let file = file.display().to_string();
    let run = ["run", "--engine", "explorer", "--file", &file];
    let found = result(&worker(&[&run[..], &["--case-dir", &cases]].concat()));
    assert_eq!(found.verdict, Verdict::Violated, "{}", found.message);

    let shown = block("violated C16: never-completes under explorer");
    let [_, message @ .., case, replay] = &shown[..] else {
        panic!("{shown:?}");
    };
    assert_eq!(words(&message.join("\n")), words(&found.message));
    let saved = found.case.expect("it is saved");
    let name = saved.file_name().expect("a file").to_string_lossy();
    assert_eq!(case.trim(), format!("case:   target/nmr/cases/{name}"));
    let again = format!("replay: cargo nmr replay target/nmr/cases/{name}");
    assert_eq!(replay.trim(), again);

    let repeated = worker(&["replay", &saved.display().to_string()]);
    let Some(Line::Replay(replayed)) = lines(&repeated).pop() else {
        panic!("{repeated:?}");
    };
    let drawn = picture(&replayed.interleaving);
    let drawn: Vec<&str> = drawn.lines().collect();
    let shown = block("main  ");
    let (head, end) = shown.split_at(
        shown
            .iter()
            .position(|&line| line == LEFT_OUT)
            .expect("a gap"),
    );
    assert!(drawn.starts_with(head), "{drawn:#?}");
    assert!(drawn.ends_with(&end[1..]), "{drawn:#?}");
}
