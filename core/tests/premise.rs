//! What the searches rest on: the registrar shares nothing outside its monitors and the counters of its limits, which
//! are the primitives of `nmr-sync` that loom and the explorer see. So a critical section is a step, and a table that is
//! cloned is all there is.
//!
//! Looked for are words, in the sources: whoever needs one more has to say here why threads do not meet there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What threads could meet in, or hide something in.
const SHARING: [&str; 18] = [
    "static",
    "thread_local",
    "Cell",
    "RefCell",
    "OnceCell",
    "UnsafeCell",
    "Mutex",
    "RwLock",
    "Condvar",
    "OnceLock",
    "LazyLock",
    "Monitor",
    "AtomicBool",
    "AtomicU32",
    "AtomicU64",
    "AtomicUsize",
    "mpsc",
    "unsafe",
];

/// Where they may be, and why.
const ALLOWED: [(&str, &str, &str); 10] = [
    ("registrar.rs", "Monitor", "the monitors themselves"),
    ("builder.rs", "Monitor", "they are made there"),
    (
        "reserve.rs",
        "AtomicUsize",
        "nmr-sync's: the counters of the limits",
    ),
    (
        "reserve.rs",
        "Cell",
        "the same counters of a table that stands for itself",
    ),
    (
        "rundown.rs",
        "AtomicUsize",
        "nmr-sync's: a module's rundown, of which the registrar knows nothing",
    ),
    ("rundown.rs", "Monitor", "where its waiters sleep"),
    ("builder.rs", "static", "the number of the next registrar"),
    (
        "builder.rs",
        "AtomicU32",
        "the number of the next registrar, which is only taken",
    ),
    (
        "table/seen.rs",
        "static",
        "whoever is shown tables, in the build of the explorer",
    ),
    (
        "table/seen.rs",
        "OnceLock",
        "whoever is shown tables, in the build of the explorer",
    ),
];

/// The sources, without their tests.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "tests") {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The words of a source's code: comments and the tests at the end left out, and lifetimes.
fn words(text: &str) -> BTreeSet<&str> {
    let code = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or(text);
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let lines = lines.map(|line| line.split(" // ").next().unwrap_or(line));
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '\'';
    lines
        .flat_map(|line| line.split(move |letter| !is_word(letter)))
        .collect()
}

fn shared() -> BTreeSet<(String, &'static str)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    sources(&root, &mut all);
    assert!(all.len() > 20, "the sources are there: {all:?}");
    let mut shared = BTreeSet::new();
    for path in all {
        let text = fs::read_to_string(&path).expect("it can be read");
        let words = words(&text);
        let file = path
            .strip_prefix(&root)
            .expect("it is below")
            .display()
            .to_string();
        let here = SHARING.into_iter().filter(|word| words.contains(word));
        shared.extend(here.map(|word| (file.replace('\\', "/"), word)));
    }
    shared
}

#[test]
fn threads_meet_in_monitors_and_counters_only() {
    let allowed = ALLOWED.map(|(file, word, _)| (file.to_owned(), word));
    assert_eq!(shared(), BTreeSet::from(allowed));
}

#[test]
fn a_word_is_seen_in_code_and_not_in_comments_lifetimes_or_tests() {
    let seen = words(
        "static A: Cell<u8>; // Mutex\n// RwLock\nfn f(_: &'static str) {}\n#[cfg(test)]\nmod tests { Condvar }",
    );
    assert!(seen.contains("static") && seen.contains("Cell"));
    for word in ["Mutex", "RwLock", "Condvar"] {
        assert!(!seen.contains(word), "{word}");
    }
    let lifetime = words("fn f(_: &'static str) {}");
    assert!(!lifetime.contains("static"));
}
