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
    // Written anew with each commit. In a copy without a repository, where there is none, cargo would
    // take it for changed each time.
    if Path::new("../../.git").exists() {
        println!("cargo::rerun-if-changed=../../.git/logs/HEAD");
    }
    let commit = commit().unwrap_or_else(|| "commit unknown".to_owned());
    println!("cargo::rustc-env=NMR_COMMIT={commit}");
}

fn commit() -> Option<String> {
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    Some(format!("commit {commit}"))
}
