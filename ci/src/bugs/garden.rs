//! The copy of the registrar with all bugs planted: made in memory, written below cargo's target folder, and
//! built there.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use nmr_models::engine_name::Build;
use nmr_models::scenarios;

use super::data::{Bug, Of};
use super::plant::splice::Crate;
use super::plant::{self, Diff, tree};
use super::subject::Subject;
use crate::c_module::Maker;
use crate::cargo::{PLANTED_WORKER, Workspace};
use crate::error::Error;
use crate::progress::Display;
use crate::words;
use crate::workers::Workers;

/// See the [module's documentation](self).
pub struct Garden<'a> {
    workspace: &'a Workspace,
    files: tree::Files,
    diffs: Vec<Diff>,
    planted: Crate,
}

impl<'a> Garden<'a> {
    /// Plants all of the bugs.
    ///
    /// # Errors
    /// The sources cannot be read, or a bug does not apply.
    pub fn plant(workspace: &'a Workspace, bugs: &[Bug]) -> Result<Self, Error> {
        let files = tree::read(workspace.root()).map_err(|source| Error::Unreadable {
            path: workspace.root().to_owned(),
            source,
        })?;
        let diffs = bugs.iter().filter_map(|bug| match &bug.of {
            Of::Registrar { change, twin, .. } => Some([change.clone(), twin.clone()]),
            Of::Module(_) => None,
        });
        let diffs: Vec<Diff> = diffs.flatten().collect();
        let planted = plant::plant(&tree::code(&files), &diffs)?;
        Ok(Self {
            workspace,
            files,
            diffs,
            planted,
        })
    }

    /// Where the copy, and what belongs to it, is written.
    fn folder(&self, name: &str) -> PathBuf {
        self.workspace.output().join("bugs").join(name)
    }

    /// What is to be looked for. Writes the scenarios of modules' bugs, for workers to read, and compiles the modules in C.
    ///
    /// # Errors
    /// A scenario cannot be written; there is no compiler, or a module in C does not compile.
    pub fn subjects(&self, bugs: &[&Bug]) -> Result<Vec<Subject>, Error> {
        let all = scenarios::all();
        let folder = self.folder("scenarios");
        let maker = Maker::new(self.workspace.root(), &self.workspace.output());
        let mut subjects = Vec::new();
        for bug in bugs {
            let number = self.diffs.iter().position(|diff| diff.name == bug.name);
            let places = number.map_or(&[][..], |number| &self.planted.places[number]);
            if let Some(subject) = Subject::of_registrar(bug, places, &all) {
                subjects.push(subject);
            } else if let Some((subject, files)) =
                Subject::of_module(&compiled(bug, &maker)?, &folder)
            {
                for (path, text) in files {
                    write(&path, &text).map_err(|error| unwritable(&path, &error))?;
                }
                subjects.push(subject);
            }
        }
        Ok(subjects)
    }

    /// Writes the copy and builds its worker.
    ///
    /// # Errors
    /// The copy cannot be written; a bug does not compile, which is its own fault, or something else.
    pub fn build(
        &self,
        builds: &BTreeSet<Build>,
        stop: &AtomicBool,
        display: &Display,
    ) -> Result<Workers, Error> {
        let root = self.folder("tree");
        let names: Vec<&str> = self.diffs.iter().map(|diff| diff.name.as_str()).collect();
        let copy = tree::copy(self.files.clone(), &self.planted, &names).map_err(Error::Harness)?;
        tree::write(&root, &copy).map_err(|error| unwritable(&root, &error))?;
        let workspace = self.workspace.at(&root);
        let built = Workers::build(&workspace, PLANTED_WORKER, builds, stop, display);
        built.map_err(|error| self.blame(error))
    }

    /// Whose fault it is that the copy does not compile.
    fn blame(&self, error: Error) -> Error {
        let Error::Build { complaints, .. } = &error else {
            return error;
        };
        let blamed = plant::blame(&self.planted, &self.diffs, complaints);
        let mut texts = Vec::new();
        let mut named = BTreeSet::new();
        for (diff, complaint) in blamed {
            if named.insert(&diff.name) {
                let path = words::path(&diff.path);
                texts.push(format!("{path}: it does not compile:\n{complaint}"));
            }
        }
        match texts.is_empty() {
            true => error,
            false => Error::Usage(texts.join("\n\n")),
        }
    }
}

/// The bug with its modules in C as shared objects: one with the bug, and one without.
fn compiled(bug: &Bug, maker: &Maker) -> Result<Bug, Error> {
    let mut bug = bug.clone();
    if let Of::Module(places) = &mut bug.of {
        for place in places {
            if let Some((module, file)) = &place.in_c {
                let wrong = maker.make(file, &["NMR_BUG"])?;
                place.wrong.modules[*module].c_module = Some(wrong);
                place.right.modules[*module].c_module = Some(maker.make(file, &[])?);
            }
        }
    }
    Ok(bug)
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

fn unwritable(path: &Path, error: &io::Error) -> Error {
    Error::Harness(format!("{}: cannot be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::Garden;
    use crate::bugs::data;
    use crate::cargo::{Complaint, Workspace};
    use crate::error::Error;
    use crate::exit::Exit;

    #[test]
    fn what_does_not_compile_is_told_as_the_bug_s() {
        let workspace = Workspace::find().expect("cargo runs this test");
        let bugs = data::read(&workspace.root().join("models/bugs")).expect("they make sense");
        let garden = Garden::plant(&workspace, &bugs).expect("they apply");
        let failed = |file: &str, line| {
            let complaint = Complaint {
                text: "error: oh".to_owned(),
                places: vec![(file.into(), line)],
            };
            garden.blame(Error::Build {
                program: "nmr-planted-worker".to_owned(),
                output: "Compiling".to_owned(),
                complaints: vec![complaint.clone(), complaint],
            })
        };
        let file = "core/sync/src/monitor.rs";
        let (lines, variant) = &garden.planted.files[file].regions[0];
        let error = failed(file, lines.start);
        assert_eq!(error.exit(), Exit::Usage);
        let name = &garden.diffs[*variant].name;
        let expected = format!("{name}/change.diff: it does not compile:\nerror: oh");
        assert!(error.to_string().ends_with(&expected), "once: {error}");
        let error = failed(file, 1);
        assert_eq!(error.exit(), Exit::Harness, "it is nobody's: {error}");
    }
}
