//! What people who write such modules have reported, as scenarios in `models/reports`, and the scenarios of the page for
//! them, `docs/modules.md`: each comes to the verdict that stands in its head, under the engine of this build that exhausts it.
//!
//! loom is not asked: it bounds some of them, and then says less than their verdict. In its build there is nothing to run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use nmr_models::engine_name::{Build, Engine};
use nmr_models::process::{GRACE, Job, Source};
use nmr_models::report::{Extent, RunResult, Verdict};
use nmr_models::scenario::{Scenario, Terms};

/// What a report comes to.
struct Expected {
    /// The rule that breaks, and words of how; `None` if it holds.
    violated: Option<(String, String)>,
    note: Option<String>,
}

fn main() -> ExitCode {
    let engine = match Build::current() {
        Build::Native => Some(Engine::Direct),
        Build::Shuttle => Some(Engine::Explorer),
        Build::Loom => None,
    };
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = fs::read_dir(own.join("reports")).expect("the folder is there");
    let files = files.map(|file| file.expect("it can be read").path());
    let mut files: Vec<PathBuf> = files.collect();
    files.sort();
    let extracted = tempfile::tempdir().expect("a folder");
    files.extend(of_page(&own.join("../docs/modules.md"), extracted.path()));
    let trials = files.into_iter().flat_map(|file| {
        let name = file.file_stem().expect("a file has a name").to_owned();
        let name = name.into_string().expect("its name is text");
        engine.map(|engine| Trial::test(name, move || run(&file, engine)))
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

/// The scenarios of a page, each in a file of its own.
fn of_page(page: &Path, folder: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(page).expect("the page is there");
    let blocks = text.split("```toml\n").skip(1);
    let blocks = blocks.map(|rest| rest.split("```").next().unwrap_or_default());
    let files = blocks.enumerate().map(|(number, scenario)| {
        let file = folder.join(format!("page-{}.toml", number + 1));
        fs::write(&file, scenario).expect("it can be written");
        file
    });
    files.collect()
}

fn run(file: &Path, engine: Engine) -> Result<(), Failed> {
    let text = fs::read_to_string(file)?;
    let expected = expected(&text)?;
    let job = Job {
        worker: Path::new(env!("CARGO_BIN_EXE_nmr-worker")),
        source: Source::File {
            path: file.to_owned(),
            name: Scenario::from_toml(file, &text)?.name,
        },
        terms: Terms::default(),
        conditions: Default::default(),
        engine,
        seed: 1,
        budget: Duration::from_secs(60),
        grace: GRACE,
        case_dir: None,
        env: &[],
    };
    let result = job.run(&mut |_| {}).result;
    compare(&expected, &result)
}

fn compare(expected: &Expected, result: &RunResult) -> Result<(), Failed> {
    let is_whole = result.extent == Extent::Complete;
    let rule = result.rule.map(|rule| rule.to_string());
    let fits = match (&expected.violated, result.verdict) {
        (None, Verdict::Holds) => is_whole,
        (Some((expected, words)), Verdict::Violated) => {
            rule.as_ref() == Some(expected) && result.message.contains(words)
        }
        _ => false,
    };
    if !fits {
        let verdict = result.verdict;
        return Err(format!("{verdict:?} {rule:?}: {}", result.message).into());
    }
    match &expected.note {
        Some(note) if !result.notes.contains(note) => Err(format!("{:?}", result.notes).into()),
        _ => Ok(()),
    }
}

/// What the head of a file says.
fn expected(text: &str) -> Result<Expected, Failed> {
    let said = |key: &str| {
        let mut lines = text.lines().filter_map(|line| line.strip_prefix(key));
        lines.next().map(str::to_owned)
    };
    let verdict = said("# Verdict: ").ok_or("it does not say its verdict")?;
    let violated = match verdict.strip_prefix("violated ") {
        Some(violated) => {
            let (rule, words) = violated.split_once(": ").ok_or("it does not say how")?;
            Some((rule.to_owned(), words.to_owned()))
        }
        None if verdict == "holds" => None,
        None => return Err(format!("`{verdict}` is no verdict").into()),
    };
    Ok(Expected {
        violated,
        note: said("# Note: "),
    })
}
