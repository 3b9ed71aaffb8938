//! The benchmark programs of a revision: its registrar in a checkout of its own, and the benchmarks as they are now.
//!
//! The benchmarks are compiled in a package made for that, which depends on the registrar by its path. So what is
//! measured is the same for each revision, whatever its own benchmarks could do; and the profile and the versions of
//! dependencies are the same too, unless the registrar's own manifest asks for others.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use toml::{Table, Value};

use super::program::Programs;
use crate::cargo::{Workspace, run_error};
use crate::error::Error;
use crate::progress::Display;
use crate::words;

/// The registrar's package, from the top of its workspace.
const REGISTRAR: &str = "core";
/// The programs that are built.
const NAMES: [&str; 2] = ["registrar", "memory"];

/// A commit of the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Commit(String);

impl Commit {
    /// What git knows by a name in the repository at `root`.
    pub(super) fn find(root: &Path, name: &str) -> Result<Self, Error> {
        let commit = format!("{name}^{{commit}}");
        let found = git(root, &["rev-parse", "--verify", "--quiet", &commit])?;
        match found {
            Ok(hash) => Ok(Self(hash.trim().to_owned())),
            Err(_) => Err(Error::Usage(format!(
                "--baseline: `{name}` is no commit here: expected a hash, a branch or a tag"
            ))),
        }
    }

    /// Its name for people.
    pub(super) fn short(&self) -> &str {
        self.0.get(..7).unwrap_or(&self.0)
    }

    /// Its name.
    pub(super) fn hash(&self) -> &str {
        &self.0
    }

    /// Puts its files into `folder`. The repository at `root` does not hear of it: nothing is left behind
    /// there, however this ends.
    pub(super) fn check_out(&self, root: &Path, folder: &Path) -> Result<(), Error> {
        let to = folder.to_string_lossy();
        let from = root.to_string_lossy();
        let clone = ["clone", "--quiet", "--shared", "--no-checkout", &from, &to];
        let checkout = ["checkout", "--quiet", "--detach", &self.0];
        for (at, arguments) in [(root, &clone[..]), (folder, &checkout)] {
            git(at, arguments)?.map_err(|said| {
                Error::Harness(format!("git cannot check out {}: {said}", self.short()))
            })?;
        }
        Ok(())
    }
}

/// What git answers, or says if it fails.
fn git(at: &Path, arguments: &[&str]) -> Result<Result<String, String>, Error> {
    let output = Command::new("git").current_dir(at).args(arguments).output();
    let output = output.map_err(|source| run_error("git", source))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(text(&output.stderr)),
    })
}

/// Builds the programs in `folder`, with the registrar of the workspace whose top is at `top`. `name` is for people.
pub(super) fn build(
    workspace: &Workspace,
    top: &Path,
    name: &str,
    folder: &Path,
    stop: &AtomicBool,
    display: &Display,
) -> Result<Programs, Error> {
    let root = workspace.root();
    let text = package(
        root,
        &read(root, "Cargo.toml")?,
        &read(root, "core/Cargo.toml")?,
        top,
    );
    let text =
        text.ok_or_else(|| Error::Harness("core/Cargo.toml is not as expected".to_owned()))?;
    fs::create_dir_all(folder)?;
    let manifest = folder.join("Cargo.toml");
    fs::write(&manifest, text)?;
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;

    let what = format!("the benchmarks with the registrar of {name}");
    let activity = display.activity(&format!("building {what}"));
    let start = Instant::now();
    let target = folder.join("target");
    let mut note = |crate_: &str| activity.at(crate_);
    let built =
        workspace.build_measured(&manifest, &target, &NAMES, what.clone(), stop, &mut note)?;
    drop(activity);
    let time = words::time(start.elapsed().as_secs_f64());
    display.say(&format!("built {what} in {time}"));
    let [registrar, memory] = <[PathBuf; 2]>::try_from(built).expect("one for each name");
    Ok(Programs { registrar, memory })
}

fn read(root: &Path, file: &str) -> Result<Table, Error> {
    let path = root.join(file);
    let text = fs::read_to_string(&path).map_err(|source| Error::Unreadable {
        path: path.clone(),
        source,
    })?;
    let parsed = text.parse();
    parsed.map_err(|error| Error::Harness(format!("{}: {error}", path.display())))
}

/// The manifest of the package: the benchmarks of the workspace at `root` with their dependencies, and the registrar
/// of the one at `top`. `None` if a manifest has not what it had when this was written.
fn package(root: &Path, workspace: &Table, registrar: &Table, top: &Path) -> Option<String> {
    let path = |path: PathBuf| Value::from(path.to_string_lossy().into_owned());
    let shared = workspace.get("workspace")?;
    let edition = shared.get("package")?.get("edition")?;

    let mut dependencies = Table::new();
    for (name, own) in registrar.get("dev-dependencies")?.as_table()? {
        let is_shared = own.get("workspace").is_some();
        let dependency = if is_shared {
            shared.get("dependencies")?.get(name)?
        } else {
            own
        };
        dependencies.insert(name.clone(), dependency.clone());
    }
    let own = Table::from_iter([("path".to_owned(), path(top.join(REGISTRAR)))]);
    dependencies.insert("nmr".to_owned(), own.into());

    let bins = NAMES.map(|name| {
        let source = root
            .join(REGISTRAR)
            .join("benches")
            .join(format!("{name}.rs"));
        let bin = [
            ("name".to_owned(), name.into()),
            ("path".to_owned(), path(source)),
        ];
        Value::from(Table::from_iter(bin))
    });
    let package = [
        ("name".to_owned(), "nmr-measured".into()),
        ("edition".to_owned(), edition.clone()),
    ];
    let manifest = Table::from_iter([
        ("package".to_owned(), Table::from_iter(package).into()),
        ("bin".to_owned(), bins.to_vec().into()),
        ("dependencies".to_owned(), dependencies.into()),
        ("profile".to_owned(), workspace.get("profile")?.clone()),
        // Whatever workspace is above it.
        ("workspace".to_owned(), Table::new().into()),
    ]);
    Some(manifest.to_string())
}

#[cfg(test)]
mod tests {
    use super::{Commit, git, package};
    use crate::error::Error;
    use std::fs;
    use std::path::Path;
    use toml::Table;

    #[test]
    fn the_package_has_the_benchmarks_of_now_and_the_registrar_of_then() {
        let workspace = r#"
            [workspace.package]
            edition = "2024"
            [workspace.dependencies]
            criterion = { version = "0.8", default-features = false }
            [profile.bench]
            lto = "fat"
        "#;
        let registrar = r#"
            [dev-dependencies]
            criterion.workspace = true
            counted = "1"
        "#;
        let parse = |text: &str| text.parse::<Table>().expect("TOML");
        let (workspace, registrar) = (parse(workspace), parse(registrar));
        let text = package("/now".as_ref(), &workspace, &registrar, "/then".as_ref());
        let made = parse(&text.expect("the manifests are as expected"));
        let expected = parse(
            r#"
            workspace = {}
            [package]
            name = "nmr-measured"
            edition = "2024"
            [[bin]]
            name = "registrar"
            path = "/now/core/benches/registrar.rs"
            [[bin]]
            name = "memory"
            path = "/now/core/benches/memory.rs"
            [dependencies]
            nmr.path = "/then/core"
            criterion = { version = "0.8", default-features = false }
            counted = "1"
            [profile.bench]
            lto = "fat"
            "#,
        );
        assert_eq!(made, expected);
    }

    #[test]
    fn the_benchmarks_of_this_workspace_are_known() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let table = |file| super::read(&root, file).expect("it is there");
        let text = package(
            &root,
            &table("Cargo.toml"),
            &table("core/Cargo.toml"),
            &root,
        );
        let made: Table = text.expect("as expected").parse().expect("TOML");
        for bin in made["bin"].as_array().expect("programs") {
            let path = bin["path"].as_str().expect("a path");
            assert!(Path::new(path).is_file(), "{path}");
        }
    }

    /// A repository with two commits, each with its text in the file `text`.
    fn repository(at: &Path) {
        let git = |arguments: &[&str]| {
            git(at, arguments)
                .expect("there is git")
                .expect("it does so");
        };
        git(&["init", "--quiet"]);
        for text in ["then", "now"] {
            fs::write(at.join("text"), text).expect("written");
            git(&["add", "text"]);
            let who = ["-c", "user.name=n", "-c", "user.email=e"];
            let commit = ["commit", "--quiet", "--message", text];
            git(&[&who[..], &commit].concat());
        }
    }

    #[test]
    fn a_checkout_leaves_the_repository_as_it_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let (root, then) = (folder.path().join("root"), folder.path().join("then"));
        fs::create_dir(&root).expect("made");
        repository(&root);
        let commit = Commit::find(&root, "HEAD~1").expect("it is there");
        commit.check_out(&root, &then).expect("checked out");
        let text = |at: &Path| fs::read_to_string(at.join("text")).expect("it is there");
        assert_eq!((&*text(&then), &*text(&root)), ("then", "now"));
        let worktrees = git(&root, &["worktree", "list"]).expect("there is git");
        assert_eq!(worktrees.expect("it does so").lines().count(), 1);
        assert_eq!(commit.short().len(), 7);
    }

    #[test]
    fn what_is_no_commit_is_bad_usage() {
        let folder = tempfile::tempdir().expect("a folder");
        repository(folder.path());
        let found = Commit::find(folder.path(), "HEAD~7");
        assert!(matches!(found, Err(Error::Usage(what)) if what.contains("`HEAD~7`")));
    }
}
