//! The program under test, and workers played by the shell.
#![allow(dead_code, reason = "each test file uses a part")]

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

pub(crate) fn ended(output: Output) -> Ended {
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
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
                    --*) eval "$(echo "${1#--}" | tr - _)=\$2"; shift ;;
                esac
                shift
            done
        "#;
        let folder = tempfile::tempdir().expect("a folder");
        // Written by another process: this one may be forking in another thread, and a file that
        // anybody has open for writing cannot be executed.
        let write = r#"printf '%s\n' '#!/bin/sh' "$2" >"$1" && chmod +x "$1""#;
        let written = Command::new("sh")
            .args(["-c", write, "sh"])
            .arg(folder.path().join("fake"))
            .arg(format!("{options}\n{script}"))
            .status();
        assert!(written.expect("there is a shell").success());
        Self { folder }
    }

    pub(crate) fn path(&self) -> String {
        self.file("fake").display().to_string()
    }

    /// A file beside the script, whose folder is `${0%/*}`.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Shell that prints the result of a run as a worker does, then exits with `code`.
pub(crate) fn result(verdict: &str, extent: &str, rest: &str, code: i32) -> String {
    format!(
        r#"printf '{{"kind":"result","scenario":"%s","engine":"%s","verdict":"{verdict}","extent":"{extent}",{rest},"executions":1234,"seconds":0.5,"seed":%s,"case":null}}\n' "$scenario" "$engine" "$seed"; exit {code}"#
    )
}

pub(crate) const CLEAN: &str = r#""how":null,"rule":null,"message":"""#;
