//! Modules in C (`client.c`, `provider.c`), compiled by the real compiler and run by the real worker: what it answers of each that
//! misbehaves, and that it sees every order of what they do.
//!
//! Without a compiler they fail: where there is a linker for Rust there is one.

#![cfg(all(shuttle, target_os = "linux"))]

#[path = "../common/mod.rs"]
mod common;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use nmr_models::report::{Extent, Line, RunResult, Verdict};
use nmr_models::rule::Rule;
use tempfile::TempDir;

use common::{result, worker};

/// A client and a provider leave, each on a thread of its own.
const BOTH_LEAVE: &str = r#"
[[thread]]
name = "client"
ops = ["deregister c", "wait c"]

[[thread]]
name = "provider"
ops = ["deregister p", "wait p"]
"#;

/// Two threads call the provider while nobody leaves.
const TWO_CALL: &str = r#"
[[thread]]
name = "one"
ops = ["dispatch c"]

[[thread]]
name = "two"
ops = ["dispatch c"]
"#;

/// A thread calls the provider twice while the client leaves.
const ONE_CALLS: &str = r#"
[[thread]]
name = "calling"
ops = ["dispatch c", "dispatch c"]

[[thread]]
name = "leaving"
ops = ["deregister c", "wait c"]
"#;

/// Where a scenario and its modules are.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("there is room"))
    }

    /// Compiles a file of this folder, with these flags.
    fn compile(&self, source: &str, flags: &[&str]) -> PathBuf {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let object = self.0.path().join(source).with_extension("so");
        let (variable, usual, standard) = match source.ends_with(".cpp") {
            true => ("CXX", "c++", "-std=c++17"),
            false => ("CC", "cc", "-std=gnu11"),
        };
        let compiler = env::var(variable).unwrap_or_else(|_| usual.to_owned());
        let output = Command::new(&compiler)
            .args([standard, "-g", "-O1", "-shared", "-fPIC", "-pthread"])
            .args(flags)
            .arg("-I")
            .arg(root.join("../core/capi/include"))
            .arg("-o")
            .arg(&object)
            .arg(root.join("tests/c_modules").join(source))
            .output()
            .unwrap_or_else(|error| panic!("the C compiler `{compiler}` cannot be run: {error}"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{source} does not compile:\n{said}"
        );
        object
    }

    /// A scenario with a client in C.
    fn scenario(&self, client: &Path, provider: Option<&Path>, threads: &str) -> String {
        let in_c = |object: &Path| format!("c-module = {{ file = \"{}\" }}", object.display());
        let after = match threads {
            BOTH_LEAVE => "[]",
            ONE_CALLS => r#"["dispatch c", "deregister p", "wait p"]"#,
            _ => r#"["deregister c", "wait c", "deregister p", "wait p"]"#,
        };
        let text = format!(
            r#"
name = "in-c"
summary = "A client in C."
before = ["register c", "register p"]
after = {after}

[[module]]
name = "c"
side = "client"
{}

[[module]]
name = "p"
side = "provider"
{}
{threads}"#,
            in_c(client),
            provider.map(in_c).unwrap_or_default(),
        );
        let path = self.0.path().join("in-c.toml");
        fs::write(&path, text).expect("it is written");
        path.into_os_string().into_string().expect("UTF-8")
    }

    fn explore(&self, scenario: &str) -> Output {
        let cases = self.0.path().join("cases");
        let cases = cases.to_str().expect("UTF-8");
        worker(&[
            "run",
            "--engine",
            "explorer",
            "--file",
            scenario,
            "--case-dir",
            cases,
            "--budget-ms",
            "60000",
        ])
    }
}

/// What comes of a client with these flags, and of two that leave.
fn of_client(flags: &[&str]) -> (RunResult, Option<i32>) {
    of(flags, BOTH_LEAVE)
}

fn of(flags: &[&str], threads: &str) -> (RunResult, Option<i32>) {
    let place = Place::new();
    let client = place.compile("client.c", flags);
    let output = place.explore(&place.scenario(&client, None, threads));
    (result(&output), output.status.code())
}

fn holds(flags: &[&str], threads: &str) -> RunResult {
    let (result, code) = of(flags, threads);
    assert_eq!(
        (result.verdict, result.extent, code),
        (Verdict::Holds, Extent::Complete, Some(0)),
        "{flags:?}: {}",
        result.message
    );
    result
}

fn breaks(flags: &[&str], threads: &str, rule: Option<Rule>, words: &str) {
    let (result, code) = of(flags, threads);
    assert_eq!(
        (result.verdict, result.rule, code),
        (Verdict::Violated, rule, Some(1)),
        "{flags:?}: {}",
        result.message
    );
    assert!(
        result.message.contains(words),
        "{flags:?}: {}",
        result.message
    );
}

fn cannot_be_driven(flags: &[&str], words: &str) {
    let (result, code) = of_client(flags);
    let expected = (Verdict::HarnessError, Some(4));
    assert_eq!(
        (result.verdict, code),
        expected,
        "{flags:?}: {}",
        result.message
    );
    assert!(
        result.message.contains(words),
        "{flags:?}: {}",
        result.message
    );
}

/// What the worker says instead of running it.
fn refused(place: &Place, scenario: &str, more: &[&str]) -> String {
    let order = [
        &["run", "--engine", "explorer", "--file", scenario][..],
        more,
    ]
    .concat();
    let output = worker(&order);
    assert_eq!(output.status.code(), Some(2));
    let _ = place;
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_client_that_is_right_holds_and_the_certificate_says_how_it_was_switched() {
    let result = holds(&[], BOTH_LEAVE);
    let certificate = result.certificate.clone().expect("the explorer has one");
    let words = "C module c (client.so, hash ";
    assert!(certificate.contains(words), "{certificate}");
    assert!(
        certificate.ends_with(
            "): switched at registrar calls only; complete as long as the module keeps its state in its variables and its memory"
        ),
        "{certificate}"
    );
    assert!(
        result.executions > 1 && result.states > Some(20),
        "{result:?}"
    );
    holds(&["-DCOMPLETES_EARLY"], BOTH_LEAVE);
}

#[test]
fn a_pair_of_modules_in_c_hands_its_contexts_over() {
    let place = Place::new();
    let client = place.compile("client.c", &["-DOF_A_PROVIDER_IN_C"]);
    let provider = place.compile("provider.c", &[]);
    let output = place.explore(&place.scenario(&client, Some(&provider), BOTH_LEAVE));
    let result = result(&output);
    assert_eq!(result.verdict, Verdict::Holds, "{}", result.message);
    // A client that expects something else sees the difference.
    let client = place.compile("client.c", &["-DOF_A_PROVIDER_IN_C"]);
    let output = place.explore(&place.scenario(&client, None, BOTH_LEAVE));
    assert_eq!(common::result(&output).verdict, Verdict::Violated);
}

#[test]
fn others_come_between_where_a_module_calls_and_nowhere_else() {
    breaks(
        &["-DLOSES", "-DEXPECTS=Count==2"],
        TWO_CALL,
        None,
        "`wait c` ends with SIGABRT",
    );
    holds(&["-DEXPECTS=Count==2"], TWO_CALL);
    holds(&["-DLOSES", "-DEXPECTS=Count>0"], TWO_CALL);
}

#[test]
fn what_modules_keep_tells_states_apart() {
    // Who came first where shows in the module's variables alone, and after the second race only.
    for first in ['c', 'd'] {
        for second in ['c', 'w'] {
            let never = format!("-DIN_THE_END=First!='{first}'||Second!='{second}'");
            let words = "the client of c–p calls the provider, ";
            breaks(&[&never], ONE_CALLS, Some(Rule::new(9)), words);
        }
    }
    let keeps = holds(&["-DIN_THE_END=First!=0&&Second!=0"], ONE_CALLS);
    let forgets = holds(&["-DKEEPS_NOTHING"], ONE_CALLS);
    assert!(keeps.states > forgets.states, "{keeps:?} {forgets:?}");
}

#[test]
fn a_module_that_crashes_is_told_with_what_it_was_doing() {
    let crashes = |flag, words| breaks(&[flag], BOTH_LEAVE, None, words);
    crashes(
        "-DNULL_POINTER",
        "c's detach callback ends with SIGSEGV for address 0x8",
    );
    crashes("-DOVERRUN", "c uses byte 16 of a block of 8 bytes");
    crashes(
        "-DASSERTS",
        "c's detach callback ends with SIGABRT (the module's fault",
    );
    crashes(
        "-DDEEP",
        "c's detach callback needs more than the 262144 bytes of stack",
    );
    holds(&["-DDEEP", "-DDEEP_ENOUGH"], BOTH_LEAVE);
    crashes("-DJUMPS", "c has left a callback by a jump");
    crashes(
        "-DWRONG_VERSION",
        "c registers what is not as documented: the version is not 0",
    );
    breaks(
        &["-DFREES_TWICE"],
        BOTH_LEAVE,
        Some(Rule::new(11)),
        "it is freed again",
    );
}

#[test]
fn a_module_that_loops_is_stopped() {
    let words = "c's detach callback has not come back for 2 s";
    breaks(&["-DLOOPS"], BOTH_LEAVE, None, words);
}

#[test]
fn a_module_that_sleeps_is_stopped() {
    let words = "c's detach callback has not come back for 2 s";
    breaks(&["-DSLEEPS"], BOTH_LEAVE, None, words);
}

#[test]
fn a_module_that_never_completes_breaks_progress() {
    let words = "the client of c–p answered pending and never sent its completion";
    breaks(
        &["-DNEVER_COMPLETES"],
        BOTH_LEAVE,
        Some(Rule::new(16)),
        words,
    );
}

#[test]
fn what_cannot_be_driven_is_an_error_of_the_harness() {
    cannot_be_driven(&["-DSTARTS_A_THREAD"], "it starts a thread of its own");
    cannot_be_driven(
        &["-DCALLS_FROM_A_THREAD"],
        "calls the registrar from a thread of its own",
    );
    cannot_be_driven(&["-DEXITS"], "it ends the process");
}

#[test]
fn a_thread_or_process_of_its_own_is_an_error_of_the_harness_however_it_is_started() {
    let thread = "it starts a thread of its own";
    cannot_be_driven(&["-DSTARTS_A_C11_THREAD"], thread);
    cannot_be_driven(&["-DFORKS=fork"], "it starts a process (`fork`)");
    cannot_be_driven(&["-DFORKS=vfork"], "it starts a process (`vfork`)");
    let clone = "it starts a thread or process of its own (`clone`)";
    cannot_be_driven(&["-DCLONES"], clone);
}

#[test]
fn copies_of_strings_and_aligned_blocks_are_memory_like_that_of_malloc() {
    holds(&["-DALLOCATES"], BOTH_LEAVE);
}

#[test]
fn memory_of_libc_is_not_freed_by_the_harness_which_is_no_fault_of_the_module() {
    let words =
        "it frees what its own malloc has not returned: memory of other functions of libc's";
    cannot_be_driven(&["-DFREES_FROM_LIBC"], words);
}

#[test]
fn what_is_no_block_and_is_freed_is_a_fault_of_the_module() {
    let words = "which is no block of its memory (the module's fault";
    breaks(&["-DFREES_A_VARIABLE"], BOTH_LEAVE, None, words);
    breaks(&["-DFREES_THE_MIDDLE"], BOTH_LEAVE, None, words);
}

#[test]
fn what_is_written_next_to_a_block_is_seen_when_the_module_comes_back() {
    let writes = |byte: i32, words| {
        let flag = format!("-DWRITES_BYTE={byte}");
        breaks(&[&flag], BOTH_LEAVE, None, words);
    };
    writes(
        8,
        "c has written byte 8 of a block of 8 bytes, an overrun: it is seen after c's detach callback (the module's",
    );
    writes(
        15,
        "c has written byte 15 of a block of 8 bytes, an overrun",
    );
    writes(
        -1,
        "c has written byte -1 of a block of 8 bytes, an underrun",
    );
    writes(
        -4080,
        "c has written byte -4080 of a block of 8 bytes, an underrun",
    );
    holds(&["-DWRITES_BYTE=7"], BOTH_LEAVE);
    holds(&["-DWRITES_BYTE=0"], BOTH_LEAVE);
}

#[test]
fn what_is_written_next_to_a_block_is_seen_when_that_is_freed_or_the_registrar_called() {
    let words = "c has written byte 20 of a block of 20 bytes, an overrun (the module's";
    breaks(&["-DWRITES_BYTE_AND_FREES=20"], BOTH_LEAVE, None, words);
    holds(&["-DFILLS"], BOTH_LEAVE);
    breaks(
        &["-DWRITES_BEFORE_A_CALL=(char)0xa5"],
        BOTH_LEAVE,
        None,
        words,
    );
}

#[test]
fn errno_is_no_place_to_keep_anything_and_calls_leave_it_alone() {
    holds(&["-DKEEPS_IN_ERRNO"], BOTH_LEAVE);
}

#[test]
fn a_constructor_that_frees_finds_no_explorer_and_does_nothing() {
    holds(&["-DFREES_BEFORE"], BOTH_LEAVE);
}

#[test]
fn a_client_in_cpp_is_driven_and_its_memory_is_the_harnesss() {
    let place = Place::new();
    let of = |flags: &[&str]| {
        let client = place.compile("in_cpp.cpp", flags);
        let output = place.explore(&place.scenario(&client, None, BOTH_LEAVE));
        result(&output)
    };
    let right = of(&[]);
    assert_eq!(right.verdict, Verdict::Holds, "{}", right.message);
    let wrong = of(&["-DFREES_TWICE"]);
    assert_eq!(wrong.verdict, Verdict::Violated, "{}", wrong.message);
    assert!(
        wrong.message.contains("a block of 5 bytes"),
        "{}",
        wrong.message
    );
}

#[test]
fn what_outlives_an_execution_is_an_error_of_the_harness_and_no_verdict() {
    cannot_be_driven(&["-DDRAWS"], "something left by an earlier execution");
}

#[test]
fn what_a_module_prints_is_no_line_of_the_workers() {
    holds(&["-DPRINTS"], BOTH_LEAVE);
}

#[test]
fn an_object_that_cannot_be_run_is_refused_with_a_reason() {
    let place = Place::new();
    let text = place.0.path().join("text.so");
    fs::write(&text, "no object").unwrap();
    let of = |object: &Path, more: &[&str]| {
        refused(&place, &place.scenario(object, None, BOTH_LEAVE), more)
    };
    let said = of(&text, &[]);
    assert!(
        said.contains("it is no shared object of this machine"),
        "{said}"
    );
    let said = of(&place.0.path().join("none.so"), &[]);
    assert!(said.contains("none.so cannot be read"), "{said}");
    let object = place.compile("client.c", &["-DOF_THREADS"]);
    let said = of(&object, &[]);
    assert!(said.contains("it has variables of threads"), "{said}");
    let object = place.compile("client.c", &["-DNO_MODULE"]);
    let said = of(&object, &[]);
    assert!(
        said.contains("one of its files has to define it: `const NMREX_MODULE NmrExModule`"),
        "{said}"
    );
    let object = place.compile("client.c", &["-DNO_IMPLEMENTATION"]);
    let said = of(&object, &[]);
    assert!(
        said.contains("one of its files has to define NMREX_IMPLEMENTATION"),
        "{said}"
    );
    let object = place.compile("client.c", &[]);
    let said = of(&object, &["--explorer", r#"{"workers":2}"#]);
    assert!(said.contains("it is searched with one worker"), "{said}");
}

#[test]
fn a_case_replays_as_long_as_the_module_is_the_same() {
    let place = Place::new();
    let client = place.compile("client.c", &["-DNULL_POINTER"]);
    let found = result(&place.explore(&place.scenario(&client, None, BOTH_LEAVE)));
    let case = found.case.expect("it is saved");
    let case = case.to_str().expect("UTF-8");
    let replay = || {
        let output = worker(&["replay", case]);
        let replayed = common::lines(&output)
            .into_iter()
            .find_map(|line| match line {
                Line::Replay(replayed) => Some(replayed),
                _ => None,
            });
        (
            replayed
                .expect("it says what came of it")
                .verdict
                .to_string(),
            output.status.code(),
        )
    };
    assert_eq!(replay(), ("reproduces".to_owned(), Some(1)));
    place.compile("client.c", &[]);
    let (verdict, code) = replay();
    assert!(
        verdict.starts_with("no longer applicable (the C module "),
        "{verdict}"
    );
    assert!(
        verdict.contains("is another one: its hash is "),
        "{verdict}"
    );
    assert_eq!(code, Some(5));
}
