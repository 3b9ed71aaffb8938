//! Programs in C11 and C++17, through the real compilers: `tests/c`, each in both languages, and the example, against the
//! shared library; one against the static library; and the shorter ones under valgrind, where that is.
//!
//! The compilers are `$CC` and `$CXX`, or `cc` and `c++`. Where there is none, a test says so and passes. What takes longer,
//! and the sanitizers, are in `.ci/capi`.

#![cfg(all(unix, not(any(loom, shuttle))))]

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A language, its compiler, and how the sources are told to be of it.
#[derive(Clone, Copy)]
enum Language {
    C11,
    Cpp17,
}

impl Language {
    fn compiler(self) -> String {
        let (variable, default) = match self {
            Self::C11 => ("CC", "cc"),
            Self::Cpp17 => ("CXX", "c++"),
        };
        env::var(variable).unwrap_or_else(|_| default.to_owned())
    }

    fn flags(self) -> &'static [&'static str] {
        match self {
            Self::C11 => &["-std=c11"],
            Self::Cpp17 => &["-x", "c++", "-std=c++17"],
        }
    }
}

/// The library as it was built for this test.
#[derive(Clone, Copy)]
enum Library {
    Shared,
    Static,
}

/// Where cargo has put the libraries: beside this test.
fn libraries() -> PathBuf {
    let test = env::current_exe().expect("this test has a path");
    test.parent().expect("it is in a folder").to_owned()
}

fn is_there(program: &str) -> bool {
    let there = Command::new(program).arg("--version").output();
    there.is_ok_and(|output| output.status.success())
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// Compiles a program, by its path in this crate; `None`, and says so, if there is no compiler.
fn compile(
    program: &str,
    language: Language,
    library: Library,
    folder: &TempDir,
) -> Option<PathBuf> {
    let compiler = language.compiler();
    if !is_there(&compiler) {
        eprintln!("skipped: there is no compiler {compiler}");
        return None;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let name = Path::new(program)
        .file_name()
        .expect("a program has a name");
    let executable = folder.path().join(name);
    let mut command = Command::new(&compiler);
    command
        .args([
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Werror",
            "-g",
            "-O1",
            "-pthread",
        ])
        .args(language.flags())
        .arg("-I")
        .arg(root.join("include"))
        .arg("-o")
        .arg(&executable)
        .arg(root.join(program).with_extension("c"));
    // What follows is no source.
    command.args(["-x", "none"]);
    match library {
        Library::Shared => command
            .arg("-L")
            .arg(libraries())
            .arg("-lnmr_capi")
            .arg(format!("-Wl,-rpath,{}", libraries().display())),
        Library::Static => command
            .arg(libraries().join("libnmr_capi.a"))
            .args(["-lpthread", "-ldl", "-lm"])
            .args(cfg!(target_os = "linux").then_some("-lgcc_s")),
    };
    let output = command.output().expect("the compiler is there");
    assert!(
        output.status.success(),
        "{program} does not compile:\n{}",
        said(&output)
    );
    Some(executable)
}

/// Runs a program, which has to succeed.
fn run(command: &mut Command) {
    // Cargo's paths lead to what `cargo build` has left as well, which may be older.
    for path in [
        "LD_LIBRARY_PATH",
        "DYLD_LIBRARY_PATH",
        "DYLD_FALLBACK_LIBRARY_PATH",
    ] {
        command.env_remove(path);
    }
    let output = command.output().expect("it can be run");
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}",
        output.status,
        said(&output)
    );
}

fn passes(program: &str, language: Language, library: Library, arguments: &[&str]) {
    let folder = TempDir::new().expect("there is room for a program");
    if let Some(executable) = compile(program, language, library, &folder) {
        run(Command::new(executable).args(arguments));
    }
}

/// A test for each program and language. In C++ the long ones are shorter: the calls are the same.
macro_rules! programs {
    ($($name:ident: $cpp:expr;)*) => {
        mod c11 {
            use super::*;
            $(#[test]
            fn $name() {
                passes(concat!("tests/c/", stringify!($name)), Language::C11, Library::Shared, &[]);
            })*
        }
        mod cpp17 {
            use super::*;
            $(#[test]
            fn $name() {
                passes(concat!("tests/c/", stringify!($name)), Language::Cpp17, Library::Shared, &$cpp);
            })*
        }
    };
}

programs! {
    layout: [];
    lifecycle: [];
    statuses: [];
    registrars: [];
    pending: ["200"];
    reentrant: [];
    ownership: ["500"];
    stress: ["2000"];
    sequence: ["50000", "2"];
}

#[test]
fn the_static_library_is_complete() {
    passes("tests/c/lifecycle", Language::C11, Library::Static, &[]);
}

#[test]
fn the_example_passes() {
    passes(
        "examples/cmake/greeter",
        Language::C11,
        Library::Shared,
        &[],
    );
}

#[test]
fn memcheck_sees_nothing_wrong() {
    if !is_there("valgrind") {
        eprintln!("skipped: there is no valgrind");
        return;
    }
    let folder = TempDir::new().expect("there is room for a program");
    for (program, arguments) in [
        ("tests/c/statuses", None),
        ("tests/c/reentrant", None),
        ("tests/c/pending", Some("20")),
        ("tests/c/ownership", Some("100")),
        ("tests/c/sequence", Some("3000")),
    ] {
        let Some(executable) = compile(program, Language::C11, Library::Shared, &folder) else {
            return;
        };
        run(Command::new("valgrind")
            .args([
                "--quiet",
                "--error-exitcode=99",
                "--leak-check=full",
                "--show-leak-kinds=definite",
                "--errors-for-leak-kinds=definite",
            ])
            .args(["--fair-sched=yes", "--num-callers=30"])
            .arg(executable)
            .args(arguments));
    }
}
