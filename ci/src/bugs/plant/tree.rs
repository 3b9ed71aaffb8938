//! The copy of the registrar and of what runs it, with all variants in it: a workspace of its own below
//! cargo's target folder.
//!
//! Only what is different is written, so that cargo builds only what has changed. The packages have another
//! version than the workspace's own: cargo tells packages of different workspaces in one target folder apart
//! by name, version and the path from the top, and would take the copy's for ours.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::splice::{Crate, Guard};

/// The variable that chooses variants, separated by commas.
pub const CHOSEN: &str = "NMR_PLANTED";
/// The variable that keeps the table from checking itself.
pub const UNCHECKED: &str = "NMR_PLANTED_UNCHECKED";
/// The name of the worker, so that it does not take the place of the real one.
pub const WORKER: &str = "nmr-planted-worker";
/// The same of the fuzzer.
pub const FUZZER: &str = "nmr-planted-fuzz";

/// Where the table checks itself.
pub const CHECK: Guard<'static> = Guard {
    file: "core/src/table/check.rs",
    function: "check",
    code: "if crate::planted::unchecked() { return; } ",
};

/// The members of the copy, each with its path.
const MEMBERS: [&str; 7] = [
    "core",
    "core/capi/hosted",
    "core/sync",
    "models",
    "models/explorer",
    "models/search",
    "properties",
];
/// What is copied.
const FOLDERS: [&str; 3] = ["core", "models", "properties"];
/// What is not: what is changed is in the code already.
const LEFT_OUT: [&str; 5] = [
    "models/bugs",
    "models/changes",
    "properties/fuzz",
    "properties/regressions",
    "properties/tests",
];
/// The crates into which variants are planted, and whether theirs are all that there are.
const CRATES: [(&str, bool); 2] = [("core/src", true), ("core/sync/src", false)];

/// Files by their path from the top of the workspace, with `/` between the parts.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The files that the copy is made of.
///
/// # Errors
/// One of them cannot be read.
pub fn read(root: &Path) -> io::Result<Files> {
    let mut files = Files::new();
    for folder in FOLDERS {
        read_folder(root, folder, &mut files)?;
    }
    for file in ["Cargo.toml", "Cargo.lock"] {
        files.insert(file.to_owned(), fs::read(root.join(file))?);
    }
    Ok(files)
}

fn read_folder(root: &Path, folder: &str, files: &mut Files) -> io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if LEFT_OUT.contains(&&*path) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            read_folder(root, &path, files)?;
        } else {
            files.insert(path, fs::read(entry.path())?);
        }
    }
    Ok(())
}

/// The code into which bugs may be planted.
#[must_use]
pub fn code(files: &Files) -> BTreeMap<String, &str> {
    let code = files.iter().filter_map(|(path, content)| {
        let is_code =
            CRATES.iter().any(|(folder, _)| path.starts_with(folder)) && path.ends_with(".rs");
        let text = is_code.then(|| std::str::from_utf8(content).ok())??;
        Some((path.clone(), text))
    });
    code.collect()
}

/// The copy. `names` are those of all variants.
///
/// # Errors
/// A manifest is not what it was when this was written.
pub fn copy(mut files: Files, planted: &Crate, names: &[&str]) -> Result<Files, String> {
    for (path, file) in &planted.files {
        files.insert(path.clone(), file.text.clone().into_bytes());
    }
    for (folder, is_all) in CRATES {
        let root = format!("{folder}/lib.rs");
        let lib = files.get_mut(&root).ok_or(format!("there is no {root}"))?;
        let text = String::from_utf8_lossy(lib);
        // Bodies that are left out and names that are used no more are no reason to complain. On the
        // first line, so that no line is moved.
        *lib = format!("#![allow(warnings)] {text}\nmod planted;\n").into_bytes();
        let names = is_all.then_some(names);
        let module = module(names).into_bytes();
        files.insert(format!("{folder}/planted.rs"), module);
    }
    edit(&mut files, "Cargo.toml", workspace)?;
    edit(&mut files, "models/Cargo.toml", |manifest| {
        renamed(manifest, WORKER)
    })?;
    edit(&mut files, "properties/Cargo.toml", |manifest| {
        renamed(manifest, FUZZER)
    })?;
    Ok(files)
}

fn module(names: Option<&[&str]>) -> String {
    let names = names.map_or("None".to_owned(), |names| format!("Some(&{names:?})"));
    include_str!("planted.template.rs")
        .replace("/* names */", &names)
        .replace("/* chosen */", CHOSEN)
        .replace("/* unchecked */", UNCHECKED)
}

fn edit(
    files: &mut Files,
    path: &str,
    change: impl FnOnce(&mut Table) -> Option<()>,
) -> Result<(), String> {
    let file = files.get_mut(path).ok_or(format!("there is no {path}"))?;
    let text = String::from_utf8_lossy(file);
    let parsed = text.parse::<Table>();
    let mut table = parsed.map_err(|error| format!("{path}: {error}"))?;
    change(&mut table).ok_or(format!("{path} is not as expected"))?;
    *file = table.to_string().into_bytes();
    Ok(())
}

/// Only the members that are there, in a version of their own.
fn workspace(manifest: &mut Table) -> Option<()> {
    let workspace = manifest.get_mut("workspace")?.as_table_mut()?;
    let members = MEMBERS.map(Value::from);
    workspace.insert("members".to_owned(), Value::from(members.to_vec()));
    let dependencies = workspace.get_mut("dependencies")?.as_table_mut()?;
    dependencies.retain(|_, dependency| {
        let path = dependency.get("path").and_then(Value::as_str);
        path.is_none_or(|path| MEMBERS.contains(&path))
    });
    let package = workspace.get_mut("package")?.as_table_mut()?;
    let version = format!("{}-planted", package.get("version")?.as_str()?);
    package.insert("version".to_owned(), Value::from(version));
    Some(())
}

/// The program under another name.
fn renamed(manifest: &mut Table, name: &str) -> Option<()> {
    let package = manifest.get_mut("package")?.as_table_mut()?;
    package.insert("default-run".to_owned(), Value::from(name));
    let programs = manifest.get_mut("bin")?.as_array_mut()?;
    let [program] = programs.as_mut_slice() else {
        return None;
    };
    let program = program.as_table_mut()?;
    program.insert("name".to_owned(), Value::from(name));
    Some(())
}

/// Writes the copy to `root`, and takes away what is there and does not belong to it.
///
/// # Errors
/// A file cannot be written or taken away.
pub fn write(root: &Path, files: &Files) -> io::Result<()> {
    for (path, content) in files {
        let path = root.join(path);
        if fs::read(&path).is_ok_and(|there| there == *content) {
            continue;
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, content)?;
    }
    let wanted: BTreeSet<PathBuf> = files.keys().map(|path| root.join(path)).collect();
    let folders = FOLDERS.map(|folder| root.join(folder));
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        take_away(folder, &wanted)?;
    }
    Ok(())
}

fn take_away(folder: &Path, wanted: &BTreeSet<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            take_away(&path, wanted)?;
        } else if !wanted.contains(&path) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{CHECK, Files, code, copy, read, write};
    use crate::bugs::plant::splice::{Variant, splice};
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::Path;
    use std::time::{Duration, SystemTime};

    fn root() -> &'static Path {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
    }

    fn copied(variants: &[Variant]) -> Files {
        let files = read(root()).expect("it can be read");
        let planted = splice(&code(&files), variants, &[CHECK]);
        let planted = planted.unwrap_or_else(|(_, error)| panic!("{error}"));
        let names: Vec<&str> = variants.iter().map(|one| one.name.as_str()).collect();
        copy(files.clone(), &planted, &names).expect("the manifests are as expected")
    }

    fn text<'a>(files: &'a Files, path: &str) -> &'a str {
        std::str::from_utf8(&files[path]).expect("it is text")
    }

    #[test]
    fn the_copy_is_a_workspace_of_its_own() {
        let files = copied(&[]);
        let manifest: toml::Table = text(&files, "Cargo.toml").parse().expect("TOML");
        let workspace = &manifest["workspace"];
        assert_eq!(workspace["members"].as_array().map(Vec::len), Some(7));
        let version = workspace["package"]["version"].as_str();
        assert!(version.is_some_and(|version| version.ends_with("-planted")));
        let dependencies = workspace["dependencies"].as_table().expect("a table");
        assert!(
            dependencies.contains_key("nmr-properties") && !dependencies.contains_key("nmr-ci")
        );
        assert!(
            manifest["profile"]["release"].is_table(),
            "the same profile"
        );
        assert!(text(&files, "models/Cargo.toml").contains("name = \"nmr-planted-worker\""));
        assert!(text(&files, "properties/Cargo.toml").contains("name = \"nmr-planted-fuzz\""));
        assert!(!files.keys().any(|path| path.starts_with("models/bugs/")));
        assert!(files.contains_key("models/scenarios/two-lives.toml"));
    }

    #[test]
    fn each_crate_knows_which_variant_it_is() {
        let before = fs::read_to_string(root().join("core/src/status.rs")).expect("it is there");
        let variant = Variant {
            name: "loud".to_owned(),
            files: BTreeMap::from([(
                "core/src/status.rs".to_owned(),
                before.replace("f.write_str(name)", "f.write_str(\"!\")"),
            )]),
        };
        let files = copied(&[variant]);
        assert!(text(&files, "core/src/status.rs").contains("\"loud\" => {"));
        for (folder, names) in [("core/src", "Some(&[\"loud\"])"), ("core/sync/src", "None")] {
            let lib = text(&files, &format!("{folder}/lib.rs"));
            assert!(lib.starts_with("#![allow(warnings)] //!"), "{folder}");
            assert!(lib.ends_with("\nmod planted;\n"), "{folder}");
            let module = text(&files, &format!("{folder}/planted.rs"));
            assert!(
                module.contains(names) && module.contains("\"NMR_PLANTED\""),
                "{module}"
            );
        }
        let check = text(&files, "core/src/table/check.rs");
        assert!(
            check.contains("fn check(&self) {if crate::planted::unchecked()"),
            "{check}"
        );
    }

    #[test]
    fn only_what_is_different_is_written_and_what_is_left_over_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        let files = |texts: &[(&str, &str)]| -> Files {
            let each = texts.iter();
            each.map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
                .collect()
        };
        let first = [("core/a", "1"), ("core/deep/b", "2"), ("models/c", "3")];
        write(root, &files(&first)).expect("written");
        let old = SystemTime::now() - Duration::from_secs(3600);
        for (path, _) in first {
            let file = fs::File::options().write(true).open(root.join(path));
            file.and_then(|file| file.set_modified(old))
                .expect("it is there");
        }
        fs::write(root.join("models/stays-not"), "").expect("written");
        write(root, &files(&[("core/a", "1"), ("models/c", "4")])).expect("written");
        let is_old = |path: &str| {
            let there = fs::metadata(root.join(path)).and_then(|file| file.modified());
            there.is_ok_and(|at| at == old)
        };
        assert!(is_old("core/a") && !is_old("models/c"));
        assert_eq!(fs::read(root.join("models/c")).expect("it is there"), b"4");
        assert!(!root.join("core/deep/b").exists() && !root.join("models/stays-not").exists());
    }
}
