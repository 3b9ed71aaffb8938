//! The program under test, and workers played by the shell.
#![allow(dead_code, reason = "each test file uses a part")]

pub(crate) mod lines;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

/// A run of `nmr` that has ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn nmr(args: &[&str]) -> Ended {
    let output = command(args).output().expect("it starts");
    ended(output)
}

pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nmr"));
    command.args(args);
    command
}

/// # Panics
/// If it has printed a line of JSON that the published schema does not allow.
pub(crate) fn ended(output: Output) -> Ended {
    let ended = Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    };
    let mut lines = ended
        .stdout
        .lines()
        .filter(|line| line.starts_with('{'))
        .peekable();
    if lines.peek().is_some() {
        let schema = serde_json::from_str(include_str!("../../lines.v1.schema.json"));
        let schema = jsonschema::validator_for(&schema.expect("it is JSON")).expect("a schema");
        for line in lines {
            let value = serde_json::from_str(line).expect("a line is JSON");
            let fault = schema.validate(&value).map_err(|error| error.to_string());
            assert_eq!(fault, Ok(()), "{line}");
        }
    }
    ended
}

/// An executable script that plays a worker. Gone when dropped.
pub(crate) struct Fake {
    folder: tempfile::TempDir,
}

impl Fake {
    /// A script, with the options it was called with in variables of the same name (`--budget-ms 5`
    /// is `$budget_ms`).
    pub(crate) fn new(script: &str) -> Self {
        let options = r#"
            all="$*"
            while [ $# -gt 0 ]; do
                case "$1" in
                    --deep) deep=yes ;;
                    --strict) strict=yes ;;
                    --bench|--list|--noplot|--until-stdin-ends) ;;
                    --*) eval "$(echo "${1#--}" | tr - _)=\$2"; shift ;;
                esac
                shift
            done
        "#;
        Self::plain(&format!("{options}\n{script}"))
    }

    /// A script with its arguments as they are.
    pub(crate) fn plain(script: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // Written by another process: this one may be forking in another thread, and a file that
        // anybody has open for writing cannot be executed.
        let write = r#"printf '%s\n' '#!/bin/sh' "$2" >"$1" && chmod +x "$1""#;
        let written = Command::new("sh")
            .args(["-c", write, "sh"])
            .arg(folder.path().join("fake"))
            .arg(script)
            .status();
        assert!(written.expect("there is a shell").success());
        Self { folder }
    }

    pub(crate) fn path(&self) -> String {
        self.file("fake").display().to_string()
    }

    /// What it was asked for, in this order, if it [notes](lines::NOTE_ORDER) that.
    pub(crate) fn orders(&self) -> Vec<String> {
        let orders = fs::read_to_string(self.file("orders")).expect("it has noted them");
        orders.lines().map(str::to_owned).collect()
    }

    /// A file beside the script, whose folder is `${0%/*}`.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}
