//! `nmr case`: the saved cases with rule, age and what comes of each today; or one of them as a test.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nmr_models::case::Expectation;
use nmr_models::replay::Verdict;
use nmr_models::report::{self, CaseLine, Line};
use nmr_properties::case::files;

use crate::args::{self, Format};
use crate::cargo::Workspace;
use crate::error::Error;
use crate::exit::Exit;
use crate::json;
use crate::outputs::Tested;
use crate::progress::Display;
use crate::replay::{Replayer, Saved};
use crate::style::{self, BAD, Cell, Flush, GOOD, OPEN, heading};
use crate::words;

mod as_test;

/// Lists the cases, or prints one as a test, to `out`.
///
/// # Errors
/// The one case is malformed, a worker cannot be built or run, `out` cannot be written.
pub fn run(args: &args::Case, stop: &AtomicBool, out: &mut dyn Write) -> Result<Exit, Error> {
    if let Some(path) = &args.case {
        let saved = Saved::read(path)?.map_err(|outdated| Error::Usage(outdated.to_string()))?;
        out.write_all(as_test::print(path, &saved).as_bytes())?;
        return Ok(Exit::Holds);
    }
    args.outputs.check(args.format)?;
    let display = Display::new();
    let cases = read_all(&folders(&args.from)?)?;
    let replayer = Replayer::new(args.worker.as_deref(), stop);
    let mut lines = Vec::new();
    for (path, saved) in &cases {
        if stop.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        let verdict = match saved {
            Err(verdict) => verdict.clone(),
            Ok(Saved::Schedule(case)) => match replayer.replay(path, case, args.budget, &display) {
                Ok(replayed) => replayed.verdict,
                Err(Error::Usage(why)) => Verdict::Malformed { why },
                Err(error) => return Err(error),
            },
            Ok(saved) => match saved.replay_here() {
                Ok(sequence) => sequence.verdict,
                Err(error) => malformed(error)?,
            },
        };
        let line = line(path, saved.as_ref().ok(), verdict);
        if args.format == Format::Json {
            json::print(out, &Line::Case(line.clone()))?;
        }
        lines.push(line);
    }
    if args.format == Format::Human {
        out.write_all(table(&lines).as_bytes())?;
    }
    let tested: Vec<Tested> = lines.iter().map(tested).collect();
    let workspace = Workspace::find()?;
    args.outputs.write("case", workspace.root(), &tested, out)?;
    Ok(exit(&lines))
}

/// What other programs are told of a case.
fn tested(line: &CaseLine) -> Tested {
    let verdict = match (line.expected, Exit::of_case(&line.verdict)) {
        (true, _) => report::Verdict::Holds,
        (false, Exit::Incomplete | Exit::NotApplicable) => report::Verdict::Incomplete,
        (false, Exit::Usage | Exit::Harness) => report::Verdict::HarnessError,
        (false, _) => report::Verdict::Violated,
    };
    Tested {
        suite: words::path(&line.case),
        name: "replay".to_owned(),
        verdict,
        rule: line.rule,
        message: line.verdict.to_string(),
        seconds: 0.0,
        case: Some(line.case.clone()),
        scenario: None,
    }
}

/// A file, and what is in it or what comes of it if that cannot be read.
type Case = (PathBuf, Result<Saved, Verdict>);

/// What comes of a case that is none. The others are listed all the same.
fn malformed(error: Error) -> Result<Verdict, Error> {
    match error.exit() {
        Exit::Usage => Ok(Verdict::Malformed {
            why: error.to_string(),
        }),
        _ => Err(error),
    }
}

/// The folders of cases: these, or where cases are saved.
pub(crate) fn folders(from: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    if !from.is_empty() {
        return Ok(from.to_vec());
    }
    let workspace = Workspace::find()?;
    let saved = workspace.output();
    let all = [
        workspace.root().join("properties/regressions"),
        saved.join("cases"),
        saved.join("findings"),
    ];
    Ok(all.into_iter().filter(|folder| folder.is_dir()).collect())
}

fn read_all(folders: &[PathBuf]) -> Result<Vec<Case>, Error> {
    let mut cases = Vec::new();
    for folder in folders {
        let all = files(folder).map_err(|source| Error::Unreadable {
            path: folder.clone(),
            source,
        })?;
        for path in all {
            let saved = match Saved::read(&path) {
                Ok(saved) => saved.map_err(|outdated| Verdict::NoLongerApplicable {
                    why: outdated.to_string(),
                }),
                Err(error) => Err(malformed(error)?),
            };
            cases.push((path, saved));
        }
    }
    Ok(cases)
}

pub(crate) fn line(path: &Path, saved: Option<&Saved>, verdict: Verdict) -> CaseLine {
    let (scenario, rule, expected) = match saved {
        Some(Saved::Schedule(case)) => (
            Some(case.scenario.name.clone()),
            case.rule,
            case.expect.unwrap_or_default(),
        ),
        _ => (None, None, Expectation::Fixed),
    };
    CaseLine {
        case: path.to_owned(),
        scenario,
        rule,
        age: age(path).map(|age| age.as_secs()),
        expected: verdict.is(expected),
        verdict,
    }
}

/// By the commit that brought the file, or else by the file's own time.
fn age(path: &Path) -> Option<Duration> {
    let folder = path.parent()?;
    let git = Command::new("git")
        .args(["log", "-1", "--diff-filter=A", "--format=%ct", "--"])
        .arg(path.file_name()?)
        .current_dir(folder)
        .output();
    let seconds = git.ok().and_then(|output| {
        let text = String::from_utf8(output.stdout).ok()?;
        text.trim().parse().ok()
    });
    let since = match seconds {
        Some(seconds) => UNIX_EPOCH + Duration::from_secs(seconds),
        None => path.metadata().ok()?.modified().ok()?,
    };
    SystemTime::now().duration_since(since).ok()
}

fn table(lines: &[CaseLine]) -> String {
    if lines.is_empty() {
        return "no cases\n".to_owned();
    }
    let mut rows = vec![heading(&["case", "rule", "age", "today"])];
    rows.extend(lines.iter().map(|line| {
        let style = match (line.expected, line.verdict.exit_code()) {
            (true, _) => GOOD,
            (false, 3) => OPEN,
            (false, _) => BAD,
        };
        let expected = match line.expected {
            true if line.verdict.exit_code() == 0 => "",
            true => ", as expected",
            false => "",
        };
        vec![
            words::path(&line.case).into(),
            line.rule
                .map(|rule| rule.to_string())
                .unwrap_or_default()
                .into(),
            line.age.map(words::age).unwrap_or_default().into(),
            Cell::styled(format!("{}{expected}", line.verdict), style),
        ]
    }));
    style::table(
        &[Flush::Left, Flush::Left, Flush::Right, Flush::Left],
        &rows,
    )
}

/// The gravest of what is not as expected.
fn exit(lines: &[CaseLine]) -> Exit {
    let others = lines.iter().filter(|line| !line.expected);
    let exits = others.map(|line| match Exit::of_case(&line.verdict) {
        // It was to reproduce.
        Exit::Holds => Exit::Violated,
        other => other,
    });
    let rank = |exit: &Exit| match exit {
        Exit::Violated => 4,
        Exit::Harness => 3,
        Exit::Usage => 2,
        _ => 1,
    };
    exits.max_by_key(rank).unwrap_or(Exit::Holds)
}

#[cfg(test)]
mod tests {
    use super::{exit, table};
    use crate::exit::Exit;
    use nmr_models::replay::Verdict;
    use nmr_models::report::CaseLine;
    use nmr_models::rule::Rule;

    fn line(verdict: Verdict, expected: bool) -> CaseLine {
        CaseLine {
            case: "cases/late.toml".into(),
            scenario: Some("late".to_owned()),
            rule: Some(Rule::new(6)),
            age: Some(3 * 86_400),
            verdict,
            expected,
        }
    }

    #[test]
    fn a_row_for_each_says_what_comes_of_it_today() {
        let lines = [
            line(Verdict::Fixed { states: Some(12) }, true),
            line(Verdict::Reproduces, true),
            line(Verdict::ReproducesElsewhere, false),
        ];
        let text = anstream::adapter::strip_str(&table(&lines)).to_string();
        let lines: Vec<&str> = text.lines().collect();
        let expected = [
            "case             rule     age  today",
            "cases/late.toml  C6    3 days  fixed (scenario exhausted, 12 states)",
            "cases/late.toml  C6    3 days  reproduces, as expected",
            "cases/late.toml  C6    3 days  reproduces elsewhere (another schedule)",
        ];
        assert_eq!(lines, expected);
        assert_eq!(table(&[]), "no cases\n");
    }

    #[test]
    fn what_is_not_as_expected_decides() {
        let fixed = || Verdict::Fixed { states: None };
        let why = || "why".to_owned();
        let open = line(Verdict::NotReproduced { why: why() }, false);
        let gone = line(Verdict::NoLongerApplicable { why: why() }, false);
        assert_eq!(
            exit(&[line(fixed(), true), line(Verdict::Reproduces, true)]),
            Exit::Holds
        );
        assert_eq!(
            exit(&[line(fixed(), false)]),
            Exit::Violated,
            "it was to reproduce"
        );
        assert_eq!(
            exit(&[line(Verdict::Reproduces, false), open.clone()]),
            Exit::Violated
        );
        assert_eq!(exit(&[open]), Exit::Incomplete);
        assert_eq!(exit(&[gone]), Exit::NotApplicable);
    }
}
