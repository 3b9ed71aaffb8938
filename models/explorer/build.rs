//! Tells rustdoc which build this is: cargo gives `RUSTFLAGS` to rustc alone, and the documentation's
//! tests must be compiled against the same backend as the crate. And tells the crate its commit, which
//! reports name.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for (cfg, variable) in [("loom", "CARGO_CFG_LOOM"), ("shuttle", "CARGO_CFG_SHUTTLE")] {
        if std::env::var_os(variable).is_some() {
            println!("cargo::rustc-cfg={cfg}");
        }
    }
    if let Some(log) = log_of_commits() {
        println!("cargo::rerun-if-changed={log}");
    }
    let commit = commit().unwrap_or_else(|| "commit unknown".to_owned());
    println!("cargo::rustc-env=NMR_COMMIT={commit}");
}

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// The file that is written anew with each commit, wherever this working tree keeps it. None where there is no such file:
/// what is missing cargo takes for changed each time.
fn log_of_commits() -> Option<String> {
    let log = git(&["rev-parse", "--git-path", "logs/HEAD"])?;
    Path::new(&log).exists().then_some(log)
}

fn commit() -> Option<String> {
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    Some(format!("commit {commit}"))
}
