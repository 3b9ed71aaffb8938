//! Saved cases outlive a change of the code: six bugs, each found in the registrar as it is and saved, are replayed in
//! registrars with harmless changes; with the bug they reproduce, without it they are fixed. And one bug is one finding of
//! a campaign, several at once are several.
//!
//! Everything is real but that our own code in the workers is built without optimisation: cargo, the planted copies,
//! `nmr replay` with its words and exit codes.
#![cfg(unix)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use nmr_ci::bugs::plant::{self, Diff, diff, tree};
use nmr_ci::cargo::Workspace;
use nmr_models::engine_name::{Build, Engine};
use nmr_models::report::{Line, RunResult};
use nmr_properties::campaign::folder::Folder;

/// The bugs, each with a scenario that shows it and the rule that it breaks.
const BUGS: [(&str, &str, &str); 6] = [
    ("stranded-attach", "client-arrives-provider-leaves", "C6"),
    ("early-free", "both-deregister", "C10"),
    ("double-teardown", "both-pending", "C9"),
    ("lost-wakeup", "both-deregister", "C16"),
    ("eager-success", "both-deregister", "C13"),
    // Here the table finds itself inconsistent, and panics.
    ("interface-forgotten", "first-and-last-leave", "C2"),
];

/// The engines of that build, with as many workers. The cases of the first two are kept for the changes.
const ENGINES: [(Engine, &str); 5] = [
    (Engine::Explorer, "1"),
    (Engine::Random, "1"),
    (Engine::Pct, "1"),
    (Engine::Urw, "1"),
    (Engine::Explorer, "4"),
];

/// Those of the campaigns, each with the rule of what is found.
const HUNTED: [(&str, &str); 4] = [
    ("offer-names-the-client", "c1"),
    ("refusal-without-its-reason", "c3"),
    ("change-of-mind-cleans-both", "c5"),
    ("deregister-twice-accepted", "c13"),
];

/// Our packages in a worker.
const OWN: [&str; 7] = [
    "nmr",
    "nmr-explorer",
    "nmr-hosted",
    "nmr-models",
    "nmr-properties",
    "nmr-search",
    "nmr-sync",
];

const CHANGES: [&str; 4] = [
    "extra-section",
    "split-lock",
    "later-callback",
    "renamed-function",
];

/// A thread that does nothing.
const EXTRA_THREAD: &str = "\n[[scenario.thread]]\nname = \"nothing-to-do\"\nops = [\"yield\"]\n";

fn names() -> impl Iterator<Item = &'static str> {
    BUGS.iter().map(|(name, ..)| *name)
}

/// Copies of the registrar with the bugs in them, to be chosen at run time.
struct Copies {
    workspace: Workspace,
    files: tree::Files,
    bugs: Vec<Diff>,
    /// Where the workers are put.
    folder: PathBuf,
}

/// The registrar as it is, and what has the bugs in it, built once for all tests.
static COPIES: LazyLock<(Copies, PathBuf)> = LazyLock::new(|| {
    let copies = Copies::new();
    let worker = copies.worker(None);
    (copies, worker)
});

impl Copies {
    fn new() -> Self {
        let workspace = Workspace::find().expect("cargo runs this test");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("changes");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("made");
        let files = tree::read(workspace.root()).expect("it can be read");
        let hunted = HUNTED.map(|(name, _)| name);
        let bugs = names().chain(hunted);
        let bugs = Vec::from_iter(bugs.map(|name| {
            let path = format!("models/bugs/registrar/{name}/change.diff");
            diff_of(name, &workspace.root().join(path))
        }));
        Self {
            workspace,
            files,
            bugs,
            folder,
        }
    }

    /// The worker of a registrar with this change.
    fn worker(&self, change: Option<&str>) -> PathBuf {
        let mut files = self.files.clone();
        if let Some(name) = change {
            let path = self
                .workspace
                .root()
                .join(format!("models/changes/{name}.diff"));
            for (file, text) in changed(&files, &diff_of(name, &path)) {
                files.insert(file, text.into_bytes());
            }
        }
        let planted = plant::plant(&tree::code(&files), &self.bugs);
        let planted = planted.unwrap_or_else(|error| panic!("{change:?}: {error}"));
        let names: Vec<&str> = self.bugs.iter().map(|bug| bug.name.as_str()).collect();
        let copy = tree::copy(files, &planted, &names).expect("it is as expected");
        let root = self.workspace.output().join("changes");
        tree::write(&root, &copy).expect("it can be written");
        let mut build = self.workspace.at(&root).cargo("build", Build::Shuttle);
        build.args(["--quiet", "--package", "nmr-models", "--bin", tree::WORKER]);
        // With the dependencies that other workers have, and ours quickly: they are built five times.
        build.arg("--release");
        for own in OWN {
            let quickly = format!("profile.release.package.{own}");
            build.args(["--config", &format!("{quickly}.opt-level=0")]);
            build.args(["--config", &format!("{quickly}.codegen-units=256")]);
        }
        if change.is_none() {
            build.args(["--package", "nmr-properties", "--bin", tree::FUZZER]);
        }
        let built = build.output().expect("there is cargo");
        let stderr = String::from_utf8_lossy(&built.stderr);
        assert!(built.status.success(), "{change:?}: {stderr}");
        let target = self.workspace.output();
        let target = target.parent().expect("the target folder");
        // The next one takes its place.
        let worker = self.folder.join(change.unwrap_or("as-it-is"));
        fs::copy(target.join("shuttle/release").join(tree::WORKER), &worker).expect("it was built");
        if change.is_none() {
            let fuzzer = target.join("shuttle/release").join(tree::FUZZER);
            fs::copy(fuzzer, self.folder.join(tree::FUZZER)).expect("it was built");
        }
        worker
    }

    /// What an engine finds of a bug in the registrar as it is, under its rule, whichever worker comes to it first.
    fn find(
        &self,
        worker: &Path,
        bug: &(&str, &str, &str),
        engine: Engine,
        workers: &str,
    ) -> RunResult {
        let result = self.find_something(worker, bug, engine, workers);
        let (name, _, rule) = bug;
        let found = result.rule.map(|one| one.to_string());
        assert_eq!(
            found.as_deref(),
            Some(*rule),
            "{name} under {engine}, {workers} workers"
        );
        result
    }

    fn find_something(
        &self,
        worker: &Path,
        bug: &(&str, &str, &str),
        engine: Engine,
        workers: &str,
    ) -> RunResult {
        let (name, scenario, _) = bug;
        let folder = self.folder.join(name).join(workers);
        let output = Command::new(worker)
            .args(["run", "--engine", engine.name(), "--scenario", scenario])
            .args(["--seed", "1", "--budget-ms", "1800000"])
            .args([
                "--explorer",
                &format!(r#"{{"workers":{workers}}}"#),
                "--case-dir",
            ])
            .arg(&folder)
            .env(tree::CHOSEN, name)
            .output()
            .expect("it starts");
        let text = String::from_utf8_lossy(&output.stdout);
        match text.lines().last().map(serde_json::from_str) {
            Some(Ok(Line::Result(result))) => result,
            other => panic!("{name} under {engine}: {other:?}"),
        }
    }
}

fn diff_of(name: &str, path: &Path) -> Diff {
    Diff {
        name: name.to_owned(),
        path: path.to_owned(),
        text: fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}")),
    }
}

fn changed(files: &tree::Files, change: &Diff) -> BTreeMap<String, String> {
    let code = tree::code(files);
    let read = |file: &str| code.get(file).copied();
    diff::apply(&change.text, read).unwrap_or_else(|error| panic!("{}: {error}", change.name))
}

/// What `nmr replay` prints, and its exit code.
fn replay(worker: &Path, bug: Option<&str>, case: &Path) -> (String, i32) {
    let (worker, case) = (worker.display().to_string(), case.display().to_string());
    // Bounded by the work that there is, however busy the machine.
    let args = ["replay", "--budget", "30m", "--worker", &worker, &case];
    let mut command = support::command(&args);
    command.env(tree::CHOSEN, bug.unwrap_or_default());
    let ended = support::ended(command.output().expect("it starts"));
    let code = ended.code.expect("it has ended by itself");
    (ended.stdout + &ended.stderr, code)
}

/// The last line of it.
fn replayed(worker: &Path, bug: Option<&str>, case: &Path) -> (String, i32) {
    let (text, code) = replay(worker, bug, case);
    (text.lines().last().unwrap_or_default().to_owned(), code)
}

/// Two at a time, for each is a process of its own that waits for nothing; what comes of them in their order.
fn each<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        while let index = next.fetch_add(1, Ordering::Relaxed)
            && let Some(item) = items.get(index)
        {
            done.push((index, work(item)));
        }
        done
    };
    let mut all = thread::scope(|scope| {
        let both = [scope.spawn(take), scope.spawn(take)];
        let done = both.map(|one| one.join().unwrap_or_else(|panic| resume_unwind(panic)));
        done.into_iter().flatten().collect::<Vec<_>>()
    });
    all.sort_by_key(|&(index, _)| index);
    all.into_iter().map(|(_, result)| result).collect()
}

/// A case of a bug, and which engine found it.
type Saved = (&'static str, Engine, PathBuf);

impl Copies {
    /// What each engine finds of a bug is the same twice; the cases of the first two.
    fn cases(&self, worker: &Path, bug: &(&'static str, &str, &str)) -> Vec<Saved> {
        let mut cases = Vec::new();
        for (index, (engine, workers)) in ENGINES.into_iter().enumerate() {
            // It takes three preemptions, and PCT of depth 3 makes two.
            if engine == Engine::Pct && bug.0 == "double-teardown" {
                continue;
            }
            let found = self.find(worker, bug, engine, workers);
            let case = found.case.expect("it was saved");
            let what = format!("{bug:?} {engine} with {workers}");
            let (text, code) = replay(worker, Some(bug.0), &case);
            assert_eq!(code, 1, "{what}: {text}");
            assert!(
                text.ends_with("\nreproduces; 1 execution\n"),
                "{what}: {text}"
            );
            let violated = format!("\nviolated {} ", bug.2);
            assert!(text.contains(&violated), "{what}: {text}");
            assert!(
                text.contains(&found.message),
                "{what}: {text}, not {}",
                found.message
            );
            assert_eq!(replay(worker, Some(bug.0), &case), (text, 1), "{what}");
            if index < 2 {
                cases.push((bug.0, engine, case));
            }
        }
        cases
    }
}

/// A case after a change: with the bug it reproduces, and without it is fixed. Whether by another schedule.
fn outlives(change: &str, worker: &Path, (name, engine, case): &Saved) -> bool {
    let what = format!("{name} of {engine} after {change}");
    let (words, code) = replayed(worker, Some(name), case);
    assert!(
        code == 1 && words.starts_with("reproduces"),
        "{what}: {words}"
    );
    let (mended, code) = replayed(worker, None, case);
    println!("{what}: {words}\n    mended: {mended}");
    let is_fixed = code == 0 && mended.starts_with("fixed (scenario exhausted, ");
    assert!(is_fixed, "{what}, mended: {mended}");
    words.starts_with("reproduces elsewhere")
}

#[test]
fn cases_of_six_bugs_outlive_five_harmless_changes() {
    let (copies, as_it_is) = &*COPIES;
    let mut elsewhere = Vec::new();
    // A compiler is at work on one processor most of the time.
    let (send, built) = channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            for change in CHANGES {
                let _ = send.send((change, copies.worker(Some(change))));
            }
        });
        let cases = each(&BUGS, |bug| copies.cases(as_it_is, bug)).concat();
        elsewhere.extend(each(&cases, |(name, engine, case)| {
            let text = fs::read_to_string(case).expect("it is there") + EXTRA_THREAD;
            let case = case.with_extension("extra.toml");
            fs::write(&case, text).expect("written");
            outlives("extra-thread", as_it_is, &(name, *engine, case))
        }));
        for (change, worker) in built {
            elsewhere.extend(each(&cases, |saved| outlives(change, &worker, saved)));
        }
    });
    assert_eq!(elsewhere.len(), 60, "each case after each change");
    let by_the_scenario = elsewhere.iter().filter(|&&is_other| is_other).count();
    // Otherwise the schedules would be good for nothing.
    assert!(
        by_the_scenario <= 5,
        "{by_the_scenario} of 60 by another schedule"
    );
}

/// So many programs of a batch by the real command, against a registrar with these bugs: its exit code, what it prints, and its
/// folder.
fn campaign(bugs: &str, batch: &str, programs: &str) -> (Option<i32>, String, PathBuf) {
    let (copies, _) = &*COPIES;
    let fuzzer = copies.folder.join(tree::FUZZER).display().to_string();
    let out = copies.folder.join(format!("campaign-{bugs}"));
    let folder = out.display().to_string();
    let line = "--seed 7 --shrink-time 5m --timeout 5m --replay-batch";
    let mut args = vec!["fuzz", "--worker", &fuzzer, "--out", &folder];
    args.extend(line.split(' ').chain([batch, "--programs", programs]));
    let mut command = support::command(&args);
    command.env(tree::CHOSEN, bugs);
    let ended = support::ended(command.output().expect("it starts"));
    let mut own =
        fs::read_dir(out.join("replayed")).expect("a batch that is repeated has a folder");
    let own = own.next().expect("one").expect("an entry").path();
    (ended.code, ended.stdout + &ended.stderr, own)
}

/// The rules of the findings in a folder, each with the name of its file.
fn findings(folder: &Path) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(folder).expect("it is there");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let cases = paths.filter(|path| path.extension().is_some_and(|it| it == "toml"));
    let mut found = Vec::from_iter(cases.map(|path| {
        let name = path.file_name().expect("it has one").to_string_lossy();
        let rule = name.split('-').next().unwrap_or_default().to_owned();
        (rule, path)
    }));
    found.sort();
    found
}

#[test]
fn one_bug_in_several_programs_is_one_finding_whose_case_reproduces() {
    let (_, as_it_is) = &*COPIES;
    let (bug, rule) = HUNTED[0];
    let (code, text, folder) = campaign(bug, "0", "6");
    assert_eq!(code, Some(1), "{text}");
    let found = findings(&folder);
    let [(of, case)] = found.as_slice() else {
        panic!("one finding: {found:?}\n{text}");
    };
    assert_eq!(of, rule, "{text}");
    // Otherwise it would be one without being told that it is.
    let batches = Folder::at(folder.clone()).batches().expect("read");
    let failures = batches.iter().flat_map(|batch| batch.failures.values());
    let failed: u64 = failures.map(|failures| failures.count).sum();
    assert!(failed > 1, "{batches:?}");
    let replayed = replayed(as_it_is, Some(bug), case);
    assert_eq!(replayed, ("reproduces; 1 execution".to_owned(), 1));
    let (mended, code) = self::replayed(as_it_is, None, case);
    assert!(code == 0 && mended.starts_with("fixed ("), "{mended}");
}

#[test]
fn several_bugs_at_once_are_as_many_findings() {
    let several = &HUNTED[1..];
    let bugs: Vec<&str> = several.iter().map(|(bug, _)| *bug).collect();
    let (code, text, folder) = campaign(&bugs.join(","), "1", "12");
    assert_eq!(code, Some(1), "{text}");
    let mut rules: Vec<String> = findings(&folder)
        .into_iter()
        .map(|(rule, _)| rule)
        .collect();
    rules.sort();
    let mut expected = Vec::from_iter(several.iter().map(|(_, rule)| (*rule).to_owned()));
    expected.sort();
    assert_eq!(rules, expected, "{text}");
}
