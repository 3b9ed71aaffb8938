//! `nmr replay`: a saved case, step by step.
//!
//! Cases of one thread are replayed here, schedules by a worker of the build that their engine
//! needs. What is printed, and that it is the same each time, is their business.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use nmr_models::case::Case;
use nmr_models::report::Build;
use nmr_models::scenario::FormatError;
use nmr_properties::case::CaseError;
use serde::Deserialize;
use toml::Spanned;

use crate::args;
use crate::cargo::{WORKER, Workspace, run_error};
use crate::error::Error;
use crate::exit::Exit;
use crate::progress::Display;
use crate::workers::Workers;

/// The kind of case that has a schedule.
const SCHEDULE: &str = "schedule";

/// Who replays a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Replayer {
    /// nmr-properties, in this process.
    Here,
    /// A worker of this build.
    Worker(Build),
}

/// Replays it; what there is to see goes to `out`, or to stdout if a worker shows it.
///
/// # Errors
/// The case is malformed, a worker cannot be built or run, `out` cannot be written.
pub fn run(args: &args::Replay, stop: &AtomicBool, out: &mut dyn Write) -> Result<Exit, Error> {
    let path = &args.case;
    let text = fs::read_to_string(path).map_err(|source| Error::Unreadable {
        path: path.clone(),
        source,
    })?;
    match replayer(path, &text)? {
        Replayer::Here => {
            let replayed = nmr_properties::replay_text(&path.display().to_string(), &text)?;
            out.write_all(replayed.text.as_bytes())?;
            Ok(if replayed.reproduced {
                Exit::Violated
            } else {
                Exit::Holds
            })
        }
        Replayer::Worker(build) => by_worker(args, build, stop),
    }
}

fn replayer(path: &Path, text: &str) -> Result<Replayer, Error> {
    #[derive(Deserialize)]
    struct Head {
        kind: Spanned<String>,
    }
    let malformed = |error| FormatError::from_toml(path, text, &error);
    let head: Head = toml::from_str(text).map_err(malformed)?;
    match head.kind.get_ref().as_str() {
        "sequential" | "handle-bits" => Ok(Replayer::Here),
        SCHEDULE => {
            let case = Case::from_toml(path, text)?;
            Ok(Replayer::Worker(nmr_models::replay::build(&case)))
        }
        unknown => {
            let before = &text[..head.kind.span().start];
            Err(Error::Case(CaseError {
                file: path.display().to_string(),
                line: Some(before.matches('\n').count() + 1),
                message: format!(
                    "`{unknown}` is no kind of case: expected schedule, sequential or handle-bits"
                ),
            }))
        }
    }
}

fn by_worker(args: &args::Replay, build: Build, stop: &AtomicBool) -> Result<Exit, Error> {
    let worker = match &args.worker {
        Some(path) => path.clone(),
        None => {
            let builds = BTreeSet::from([build]);
            let display = Display::quiet();
            let built = Workers::build(&Workspace::find()?, WORKER, &builds, stop, &display)?;
            built.of(build).to_owned()
        }
    };
    let replay = Command::new(worker)
        .arg("replay")
        .arg(&args.case)
        .stderr(Stdio::piped())
        .spawn()
        .and_then(Child::wait_with_output);
    let replay = replay.map_err(|source| run_error(WORKER.name, source))?;
    if stop.load(Ordering::Relaxed) {
        return Err(Error::Interrupted);
    }
    // An engine that replays a deadlock has words of its own for it, which only repeat the finding.
    let exit = exit_of(replay.status)?;
    if !matches!(exit, Exit::Holds | Exit::Violated) || replay.status.code().is_none() {
        std::io::stderr().write_all(&replay.stderr)?;
    }
    Ok(exit)
}

fn exit_of(status: ExitStatus) -> Result<Exit, Error> {
    match status.code() {
        Some(0) => Ok(Exit::Holds),
        Some(1) => Ok(Exit::Violated),
        Some(2) => Ok(Exit::Usage),
        Some(3) => Ok(Exit::Incomplete),
        Some(4) => Ok(Exit::Harness),
        _ => {
            eprintln!("the worker crashed ({status})");
            Ok(Exit::Violated)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Replayer, replayer};
    use crate::exit::Exit;
    use nmr_models::report::Build;
    use std::path::Path;

    fn of(text: &str) -> Result<Replayer, crate::error::Error> {
        replayer(Path::new("case.toml"), text)
    }

    const SCHEDULE: &str = r#"
kind = "schedule"
engine = "pct"
message = "a wait has no end"
executions = 1

[scenario]
name = "s"
summary = "s"

[[scenario.module]]
name = "c"
side = "client"
"#;

    #[test]
    fn the_kind_says_who_replays() {
        let here = of("kind = \"sequential\"\nop = []\n").expect("well-formed");
        assert_eq!(here, Replayer::Here);
        let worker = of(SCHEDULE).expect("well-formed");
        assert_eq!(worker, Replayer::Worker(Build::Shuttle));
        // Real threads cannot be told what to do.
        let threads = of(&SCHEDULE.replace("pct", "threads")).expect("well-formed");
        assert_eq!(threads, Replayer::Worker(Build::Shuttle));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let refused = |text: &str| {
            let error = of(text).expect_err("malformed");
            assert_eq!(error.exit(), Exit::Usage);
            error.to_string()
        };
        assert_eq!(
            refused("\n\nkind = \"sideways\"\n"),
            "case.toml:3: `sideways` is no kind of case: expected schedule, sequential or handle-bits"
        );
        let engine = refused("kind = \"schedule\"\nengine = \"steam\"\n");
        assert!(
            engine.starts_with("case.toml:2:10: unknown variant `steam`"),
            "{engine}"
        );
        let none = refused("kind = \"schedule\"\n");
        assert!(none.contains("missing field `engine`"), "{none}");
        let side = refused(&SCHEDULE.replace("client", "sideways"));
        assert!(side.starts_with("case.toml:13:8: invalid value"), "{side}");
        let syntax = refused("kind = \n");
        assert!(syntax.starts_with("case.toml:1:"), "{syntax}");
    }
}
