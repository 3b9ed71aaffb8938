//! `nmr report`: one file to look at, of saved cases step by step and of what runs have printed with `--format json`.
//!
//! What is shown is [data](data::Report), put together here from files and, of a case, from its replay. The
//! [page] has it inside, and needs nothing else: no network, no other file. The same inputs make the same bytes.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use nmr_models::replay::Verdict;
use nmr_properties::case::files;

use crate::args;
use crate::case::folders;
use crate::error::Error;
use crate::exit::Exit;
use crate::progress::Display;
use crate::replay::{Replayer, Saved};
use crate::words;

pub mod contract;
pub mod data;
pub mod lines;
pub mod page;

/// Writes the page.
///
/// # Errors
/// There is nothing to show, a file cannot be read or is malformed, a worker cannot be built or run, the page cannot be
/// written.
pub fn run(args: &args::Report, stop: &AtomicBool, out: &mut dyn Write) -> Result<Exit, Error> {
    let paths = match &args.from {
        Some(path) => Paths::of(path)?,
        None => Paths::saved()?,
    };
    if paths.cases.is_empty() && paths.lines.is_empty() {
        let looked = match &args.from {
            Some(path) => words::path(path),
            None => "the folders of saved cases".to_owned(),
        };
        let why = format!(
            "there is nothing to show in {looked}: expected cases (*.toml), or what commands print with `--format json` (*.jsonl)"
        );
        return Err(Error::Usage(why));
    }
    if let Some(input) = paths.named(&args.out) {
        return Err(Error::Usage(format!(
            "--out {} would write over {}, which is to be shown: expected another file",
            args.out.display(),
            words::path(input)
        )));
    }
    let display = Display::new();
    let mut report = data::Report::new();
    for path in &paths.lines {
        let run = lines::read(path)?;
        if run.unread > 0 {
            let lines = words::plural(run.unread, "line");
            display.say(&format!(
                "{}: {lines} not read, of another kind or version or cut off; the page says so",
                path.display()
            ));
        }
        report.runs.push(run);
    }
    let replayer = Replayer::new(args.worker.as_deref(), stop).showing();
    for path in &paths.cases {
        if stop.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        report.cases.push(case(path, args, &replayer, &display)?);
    }
    let text = page::page(&report)?;
    fs::write(&args.out, text).map_err(|source| Error::Unwritable {
        path: args.out.clone(),
        source,
    })?;
    writeln!(out, "{}", words::path(&args.out))?;
    Ok(Exit::Holds)
}

/// A case as it is shown. One that cannot be replayed says why.
fn case(
    path: &Path,
    args: &args::Report,
    replayer: &Replayer<'_>,
    display: &Display,
) -> Result<data::Case, Error> {
    let is_alone = args.from.as_deref() == Some(path);
    let saved = match Saved::read(path) {
        Ok(Ok(saved)) => saved,
        Ok(Err(outdated)) => {
            let why = outdated.to_string();
            return Ok(data::Case::unread(
                path,
                &Verdict::NoLongerApplicable { why },
            ));
        }
        Err(error) => return unread(path, error, is_alone),
    };
    let case = match &saved {
        Saved::Sequence { .. } => match saved.replay_here() {
            Ok(sequence) => data::Case::sequence(path, &sequence),
            Err(error) => return unread(path, error, is_alone),
        },
        Saved::Schedule(case) => match replayer.replay(path, case, args.budget, display) {
            Ok(replayed) => data::Case::replayed(path, case, replayed),
            Err(error) => return unread(path, error, is_alone),
        },
    };
    Ok(case)
}

/// A file that is malformed does not keep the others from being shown.
fn unread(path: &Path, error: Error, is_alone: bool) -> Result<data::Case, Error> {
    match error.exit() {
        Exit::Usage if !is_alone => {
            let why = error.to_string();
            Ok(data::Case::unread(path, &Verdict::Malformed { why }))
        }
        _ => Err(error),
    }
}

/// The files to show, in the order in which they are shown.
#[derive(Debug, Default, PartialEq, Eq)]
struct Paths {
    cases: Vec<PathBuf>,
    lines: Vec<PathBuf>,
}

impl Paths {
    /// The input that is this file, if one is.
    fn named(&self, file: &Path) -> Option<&Path> {
        let file = fs::canonicalize(file).ok()?;
        let mut all = self.cases.iter().chain(&self.lines);
        let is_it = |path: &&PathBuf| fs::canonicalize(path).is_ok_and(|path| path == file);
        all.find(is_it).map(PathBuf::as_path)
    }

    /// A file, or those of a folder.
    fn of(path: &Path) -> Result<Self, Error> {
        let unreadable = |source| Error::Unreadable {
            path: path.to_owned(),
            source,
        };
        if fs::metadata(path).map_err(unreadable)?.is_dir() {
            return Ok(Self {
                cases: files(path).map_err(unreadable)?,
                lines: line_files(path).map_err(unreadable)?,
            });
        }
        let one = vec![path.to_owned()];
        let is = |ending: &str| path.extension().is_some_and(|it| it == ending);
        match (is("toml"), is("jsonl") || is("json")) {
            (true, _) => Ok(Self {
                cases: one,
                lines: Vec::new(),
            }),
            (_, true) => Ok(Self {
                cases: Vec::new(),
                lines: one,
            }),
            _ => Err(Error::Usage(format!(
                "{}: expected a case (.toml), lines of `--format json` (.jsonl), or a folder of these",
                words::path(path)
            ))),
        }
    }

    /// The cases that `nmr case` lists.
    fn saved() -> Result<Self, Error> {
        let mut all = Self::default();
        for folder in folders(&[])? {
            all.cases.append(&mut Self::of(&folder)?.cases);
        }
        Ok(all)
    }
}

/// The files of lines in a folder, sorted by name.
fn line_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let all = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut all = all.collect::<std::io::Result<Vec<PathBuf>>>()?;
    all.retain(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
    all.sort();
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::Paths;
    use crate::exit::Exit;
    use std::fs;

    #[test]
    fn a_folder_is_its_cases_and_its_lines_by_name() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["b.toml", "a.toml", "2.jsonl", "1.jsonl", "else.txt"] {
            fs::write(folder.path().join(name), "").expect("written");
        }
        let at = |name: &str| folder.path().join(name);
        let paths = Paths::of(folder.path()).expect("a folder");
        assert_eq!(paths.cases, [at("a.toml"), at("b.toml")]);
        assert_eq!(paths.lines, [at("1.jsonl"), at("2.jsonl")]);
    }

    #[test]
    fn a_page_is_not_written_over_what_it_shows() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a.toml"), "").expect("written");
        let paths = Paths::of(folder.path()).expect("a folder");
        let around = folder.path().join(".").join("a.toml");
        assert_eq!(paths.named(&around), Some(at("a.toml").as_path()));
        assert_eq!(paths.named(&at("a.html")), None);
    }

    #[test]
    fn a_file_of_another_kind_is_refused_with_what_was_expected() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("else.txt");
        fs::write(&path, "").expect("written");
        let error = Paths::of(&path).expect_err("it is neither");
        assert_eq!(error.exit(), Exit::Usage);
        assert!(
            error.to_string().contains("expected a case (.toml)"),
            "{error}"
        );
    }
}
