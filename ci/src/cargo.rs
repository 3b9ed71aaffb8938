//! Building this workspace's programs, each build with its cfg and its target folder.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::atomic::AtomicBool;

use nmr_models::process::supervise::{How, Limits, Stderr, supervise};
use nmr_models::report::Build;
use serde::Deserialize;

use crate::error::Error;
use crate::words;

/// This workspace as cargo sees it.
#[derive(Clone, Debug)]
pub struct Workspace {
    cargo: OsString,
    root: PathBuf,
    target: PathBuf,
}

/// A program of this workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its package.
    pub package: &'static str,
    /// Its name.
    pub name: &'static str,
}

/// Runs a scenario with an engine.
pub const WORKER: Program = Program {
    package: "nmr-models",
    name: "nmr-worker",
};

/// Generates scenarios.
pub const FUZZER: Program = Program {
    package: "nmr-properties",
    name: "nmr-fuzz",
};

impl Workspace {
    /// Asks cargo where the workspace of this command builds to.
    ///
    /// # Errors
    /// There is no cargo, or no workspace any more.
    pub fn find() -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Metadata {
            workspace_root: PathBuf,
            target_directory: PathBuf,
        }
        // cargo sets it for what it runs; it names the toolchain's own cargo.
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let output = Command::new(&cargo)
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .arg("--manifest-path")
            .arg(manifest)
            .output()
            .map_err(|source| run_error("cargo metadata", source))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(Error::Cargo(format!("metadata failed: {said}")));
        }
        let metadata: Metadata = serde_json::from_slice(&output.stdout)
            .map_err(|error| Error::Cargo(format!("metadata answered nonsense: {error}")))?;
        Ok(Self {
            cargo,
            root: metadata.workspace_root,
            target: metadata.target_directory,
        })
    }

    /// Where this command puts its own files.
    #[must_use]
    pub fn output(&self) -> PathBuf {
        self.target.join("nmr")
    }

    /// `cargo subcommand` at the top of the workspace, in a build.
    #[must_use]
    pub fn cargo(&self, subcommand: &str, build: Build) -> Command {
        let mut command = Command::new(&self.cargo);
        command.current_dir(&self.root).arg(subcommand);
        command.arg("--target-dir").arg(self.target_dir(build));
        if let Some(cfg) = build.cfg() {
            let flags = flags(env::var_os("CARGO_ENCODED_RUSTFLAGS"), "RUSTFLAGS", cfg);
            let doc_flags = flags_of(env::var_os("RUSTDOCFLAGS"), " ", cfg);
            command.env(flags.0, flags.1).env("RUSTDOCFLAGS", doc_flags);
        }
        command
    }

    /// A folder of its own for each model build, so that switching rebuilds nothing.
    fn target_dir(&self, build: Build) -> PathBuf {
        match build.cfg() {
            None => self.target.clone(),
            Some(cfg) => self.target.join(cfg),
        }
    }

    /// Builds a program, optimised, and answers where it is. `note` hears which crates are done.
    ///
    /// # Errors
    /// It cannot be built, or `stop` became true.
    pub fn build(
        &self,
        program: Program,
        build: Build,
        stop: &AtomicBool,
        note: &mut dyn FnMut(&str),
    ) -> Result<PathBuf, Error> {
        let mut command = self.cargo("build", build);
        command.args([
            "--release",
            "--package",
            program.package,
            "--bin",
            program.name,
        ]);
        command.arg("--message-format=json-render-diagnostics");
        let limits = Limits {
            stderr: Stderr::Keep(usize::MAX),
            ..Limits::NONE
        };
        let mut found = None;
        let end = supervise(command, limits, stop, &mut |_, line| {
            if let Some(artifact) = Artifact::parse(line) {
                note(&artifact.target.name);
                if artifact.target.name == program.name {
                    found = artifact.executable.or(found.take());
                }
            }
        });
        let end = end.map_err(|source| run_error("cargo build", source))?;
        match (end.how, found) {
            (How::Stopped, _) => Err(Error::Interrupted),
            (How::Exited(status), Some(path)) if ExitStatus::success(&status) => Ok(path),
            _ => Err(Error::Build {
                program: format!("{} ({} build)", program.name, words::build(build)),
                output: end.stderr,
            }),
        }
    }
}

/// The error of a program that cannot be run.
#[must_use]
pub fn run_error(program: &str, source: std::io::Error) -> Error {
    Error::Run {
        program: program.to_owned(),
        source,
    }
}

/// The variable to set, and its value with a cfg added. cargo reads the encoded one first.
fn flags(encoded: Option<OsString>, plain: &'static str, cfg: &str) -> (&'static str, OsString) {
    match encoded {
        Some(encoded) => (
            "CARGO_ENCODED_RUSTFLAGS",
            flags_of(Some(encoded), "\x1f", cfg),
        ),
        None => (plain, flags_of(env::var_os(plain), " ", cfg)),
    }
}

fn flags_of(given: Option<OsString>, separator: &str, cfg: &str) -> OsString {
    let mut flags = given.unwrap_or_default();
    if !flags.is_empty() {
        flags.push(separator);
    }
    flags.push(format!("--cfg{separator}{cfg}"));
    flags
}

/// A line of cargo's that says what it has built.
#[derive(Deserialize)]
struct Artifact {
    target: Target,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

impl Artifact {
    fn parse(line: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Reason<'a> {
            reason: &'a str,
        }
        let reason: Reason = serde_json::from_str(line).ok()?;
        let is_artifact = reason.reason == "compiler-artifact";
        is_artifact
            .then(|| serde_json::from_str(line).ok())
            .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::{Artifact, Workspace, flags, flags_of};
    use nmr_models::report::Build;
    use std::path::PathBuf;

    #[test]
    fn the_cfg_is_added_to_the_flags_that_are_there() {
        assert_eq!(flags_of(None, " ", "loom"), "--cfg loom");
        assert_eq!(flags_of(Some("-g".into()), " ", "loom"), "-g --cfg loom");
        let (variable, value) = flags(Some("-C\x1fopt-level=1".into()), "RUSTFLAGS", "shuttle");
        assert_eq!(variable, "CARGO_ENCODED_RUSTFLAGS");
        assert_eq!(value, "-C\x1fopt-level=1\x1f--cfg\x1fshuttle");
        assert_eq!(flags(None, "NO_SUCH_FLAGS", "loom").0, "NO_SUCH_FLAGS");
    }

    #[test]
    fn each_model_build_has_its_folder() {
        let workspace = Workspace {
            cargo: "cargo".into(),
            root: PathBuf::from("/w"),
            target: PathBuf::from("/t"),
        };
        let args = |build| {
            let command = workspace.cargo("build", build);
            let args = command.get_args().map(|arg| arg.to_string_lossy().into());
            args.collect::<Vec<String>>().join(" ")
        };
        assert_eq!(args(Build::Native), "build --target-dir /t");
        assert_eq!(args(Build::Loom), "build --target-dir /t/loom");
        assert_eq!(args(Build::Shuttle), "build --target-dir /t/shuttle");
    }

    #[test]
    fn executables_are_taken_from_what_cargo_says() {
        let line = r#"{"reason":"compiler-artifact","target":{"name":"nmr-worker","kind":["bin"]},"executable":"/t/release/nmr-worker"}"#;
        let artifact = Artifact::parse(line).expect("an artifact");
        assert_eq!(artifact.target.name, "nmr-worker");
        assert_eq!(artifact.executable, Some("/t/release/nmr-worker".into()));
        assert!(Artifact::parse(r#"{"reason":"build-finished","success":true}"#).is_none());
        assert!(Artifact::parse("Compiling").is_none());
    }

    #[test]
    fn cargo_knows_this_workspace() {
        let workspace = Workspace::find().expect("cargo runs this test");
        assert!(workspace.root.join("ci/Cargo.toml").is_file());
        assert!(workspace.output().ends_with("nmr"));
    }
}
