//! Building this workspace's programs, each build with its cfg and its target folder.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::atomic::AtomicBool;

use nmr_models::engine_name::Build;
use nmr_models::process::supervise::{How, Limits, Stderr, supervise};
use serde::Deserialize;

use crate::bugs::plant::tree;
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

/// The same, of the copy with planted bugs.
pub const PLANTED_WORKER: Program = Program {
    package: "nmr-models",
    name: tree::WORKER,
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

    /// Its top.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Another workspace that builds into the same folders.
    #[must_use]
    pub fn at(&self, root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            ..self.clone()
        }
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
        let what = format!("{} ({} build)", program.name, words::build(build));
        let mut built = compile(command, &[program.name], what, stop, note)?;
        Ok(built.swap_remove(0))
    }

    /// Builds programs of another package as they are measured, below `target`. The package's own settings of
    /// cargo do not count, but those of this workspace. `what` names it in an error.
    ///
    /// # Errors
    /// They cannot be built, or `stop` became true.
    pub fn build_measured(
        &self,
        manifest: &Path,
        target: &Path,
        programs: &[&str],
        what: String,
        stop: &AtomicBool,
        note: &mut dyn FnMut(&str),
    ) -> Result<Vec<PathBuf>, Error> {
        let mut command = Command::new(&self.cargo);
        command.current_dir(&self.root);
        command.args(["build", "--profile", "bench", "--bins", "--manifest-path"]);
        command.arg(manifest).arg("--target-dir").arg(target);
        compile(command, programs, what, stop, note)
    }
}

/// Runs a `cargo build`, and answers where the programs are, in their order. `note` hears which crates are done.
fn compile(
    mut command: Command,
    programs: &[&str],
    what: String,
    stop: &AtomicBool,
    note: &mut dyn FnMut(&str),
) -> Result<Vec<PathBuf>, Error> {
    command.arg("--message-format=json");
    let limits = Limits {
        stderr: Stderr::Keep(usize::MAX),
        ..Limits::NONE
    };
    let (mut found, mut complaints) = (BTreeMap::new(), Vec::new());
    let end = supervise(
        command,
        limits,
        stop,
        &mut |_, line| match Message::parse(line) {
            Some(Message::CompilerArtifact { target, executable }) => {
                note(&target.name);
                found.extend(executable.map(|path| (target.name, path)));
            }
            Some(Message::CompilerMessage { message }) => complaints.extend(message.complaint()),
            None => {}
        },
    );
    let end = end.map_err(|source| run_error("cargo build", source))?;
    let paths = programs.iter().map(|&name| found.get(name).cloned());
    match (end.how, paths.collect()) {
        (How::Stopped, _) => Err(Error::Interrupted),
        (How::Exited(status), Some(paths)) if ExitStatus::success(&status) => Ok(paths),
        _ => Err(Error::Build {
            program: what,
            output: end.stderr,
            complaints,
        }),
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

/// An error of rustc's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// As rustc shows it.
    pub text: String,
    /// The places that it is about: a file as rustc names it, and a line, from 1.
    pub places: Vec<(PathBuf, usize)>,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A line of cargo's that says what it has built, or could not build.
#[derive(Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum Message {
    CompilerArtifact {
        target: Target,
        executable: Option<PathBuf>,
    },
    CompilerMessage {
        message: Diagnostic,
    },
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    rendered: Option<String>,
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Span {
    file_name: PathBuf,
    line_start: usize,
    is_primary: bool,
}

impl Message {
    /// `None` for a line that tells something else.
    fn parse(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }
}

impl Diagnostic {
    /// `None` for warnings and for errors that only sum up.
    fn complaint(self) -> Option<Complaint> {
        let primary = self.spans.into_iter().filter(|span| span.is_primary);
        let places = primary.map(|span| (span.file_name, span.line_start));
        let complaint = Complaint {
            text: self.rendered?.trim_end().to_owned(),
            places: places.collect(),
        };
        let is_one = self.level == "error" && !complaint.places.is_empty();
        is_one.then_some(complaint)
    }
}

#[cfg(test)]
mod tests {
    use super::{Complaint, Message, Workspace, flags, flags_of};
    use nmr_models::engine_name::Build;
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
        let Some(Message::CompilerArtifact { target, executable }) = Message::parse(line) else {
            panic!("it is an artifact");
        };
        assert_eq!(target.name, "nmr-worker");
        assert_eq!(executable, Some("/t/release/nmr-worker".into()));
        assert!(Message::parse(r#"{"reason":"build-finished","success":true}"#).is_none());
        assert!(Message::parse("Compiling").is_none());
    }

    #[test]
    fn errors_are_told_with_their_places_and_warnings_are_not() {
        let complaint = |level: &str, spans: &str| {
            let line = format!(
                r#"{{"reason":"compiler-message","message":{{"level":"{level}","rendered":"{level}: oh\n","spans":[{spans}]}}}}"#
            );
            let Some(Message::CompilerMessage { message }) = Message::parse(&line) else {
                panic!("it is a message");
            };
            message.complaint()
        };
        let spans = r#"{"file_name":"core/src/a.rs","line_start":7,"is_primary":true},
            {"file_name":"core/src/b.rs","line_start":1,"is_primary":false}"#;
        let expected = Complaint {
            text: "error: oh".to_owned(),
            places: vec![("core/src/a.rs".into(), 7)],
        };
        assert_eq!(complaint("error", spans), Some(expected));
        assert_eq!(complaint("warning", spans), None);
        assert_eq!(complaint("error", ""), None, "it only sums up");
    }

    #[test]
    fn cargo_knows_this_workspace() {
        let workspace = Workspace::find().expect("cargo runs this test");
        assert!(workspace.root.join("ci/Cargo.toml").is_file());
        assert!(workspace.output().ends_with("nmr"));
    }
}
