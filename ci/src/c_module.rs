//! Modules in C: what the command line names, made into shared objects, and put into scenarios for workers to read.
//!
//! A shared object is taken as it is; a file of C is compiled, with `$CC` or `cc`. What is made is below cargo's target folder, under a
//! name that is another one for another content: a saved case finds the object that it is about.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;

use nmr_models::process::Source;
use nmr_models::scenario::{CModule, Scenario};
use nmr_models::scenarios;

use crate::error::Error;

/// With what a file of C is compiled: with the symbols that tools name places by, and so that it can be unwound.
const FLAGS: [&str; 6] = [
    "-std=gnu11",
    "-g",
    "-O1",
    "-shared",
    "-fPIC",
    "-fasynchronous-unwind-tables",
];

/// `NAME=FILE`: a module of scenarios, and what it is instead of its script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The module's name.
    pub name: String,
    /// A shared object, or a file of C.
    pub file: PathBuf,
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, file)) if !name.is_empty() && !file.is_empty() => Ok(Self {
                name: name.to_owned(),
                file: file.into(),
            }),
            _ => Err("expected the module's name and a file, such as `c=mine.so`".to_owned()),
        }
    }
}

/// Where modules in C are made, and what is needed for that.
#[derive(Clone, Debug)]
pub struct Maker {
    /// `nmrex_module.h` is there.
    include: PathBuf,
    /// What is made goes there.
    folder: PathBuf,
}

/// Scenarios with modules in C.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    /// Where they are, and the named scenario or file that each was.
    pub sources: Vec<Source>,
    /// Those that have no room for the modules, and why.
    pub left_out: Vec<(String, String)>,
}

impl Maker {
    /// For a workspace, by its top and where its commands put their own files.
    #[must_use]
    pub fn new(root: &Path, output: &Path) -> Self {
        Self {
            include: root.join("core/capi/include"),
            folder: output.join("c-modules"),
        }
    }

    /// The module in a file, compiled if that is a file of C, with these macros defined.
    ///
    /// # Errors
    /// There is no such file, or no compiler, or it does not compile.
    pub fn make(&self, file: &Path, defines: &[&str]) -> Result<CModule, Error> {
        let unreadable = |source| Error::Unreadable {
            path: file.to_owned(),
            source,
        };
        fs::metadata(file).map_err(unreadable)?;
        let file = std::path::absolute(file).map_err(unreadable)?;
        let object = match file.extension().is_some_and(|extension| extension == "c") {
            true => self.compile(&file, defines)?,
            false => file,
        };
        let identified = CModule::new(object).read();
        identified.map(|(_, module)| module).map_err(Error::Usage)
    }

    /// The shared object of a file of C.
    fn compile(&self, file: &Path, defines: &[&str]) -> Result<PathBuf, Error> {
        let unwritable = |source| Error::Unwritable {
            path: self.folder.clone(),
            source,
        };
        fs::create_dir_all(&self.folder).map_err(unwritable)?;
        let made = tempfile::Builder::new()
            .suffix(".so")
            .tempfile_in(&self.folder)
            .map_err(unwritable)?;
        let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
        let own = std::env::var("CFLAGS").unwrap_or_default();
        let output = Command::new(&compiler)
            .args(FLAGS)
            .args(own.split_whitespace())
            .args(defines.iter().map(|define| format!("-D{define}")))
            .arg("-I")
            .arg(&self.include)
            .arg("-o")
            .arg(made.path())
            .arg(file)
            .output();
        let output = output.map_err(|error| {
            Error::Usage(format!(
                "{} cannot be compiled: the C compiler `{compiler}` cannot be run: {error}: set CC, or give a shared \
                 object",
                file.display()
            ))
        })?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(Error::Usage(format!(
                "{} does not compile:\n{}",
                file.display(),
                said.trim_end()
            )));
        }
        let (_, module) = CModule::new(made.path()).read().map_err(Error::Usage)?;
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let hash = module.hash.unwrap_or_default();
        let path = self.folder.join(format!("{stem}-{}.so", &hash[..12]));
        made.persist(&path)
            .map_err(|error| unwritable(error.error))?;
        Ok(path)
    }

    /// A file's scenario, or named ones, with modules in C in the places of scripted ones. `is_open` says that the scenarios were
    /// not chosen one by one: those that have no room for the modules are left out then.
    ///
    /// # Errors
    /// A module is chosen twice, or cannot be made; a scenario that was chosen has no room for one, or none is left.
    pub fn put(
        &self,
        choices: &[Choice],
        sources: Vec<Source>,
        is_open: bool,
    ) -> Result<Chosen, Error> {
        let twice = choices.iter().enumerate().find(|(nth, choice)| {
            let before = &choices[..*nth];
            before.iter().any(|other| other.name == choice.name)
        });
        if let Some((_, Choice { name, .. })) = twice {
            return Err(Error::Usage(format!(
                "--c-module names `{name}` twice: a module is one file; link several into a shared object"
            )));
        }
        let modules = choices.iter().map(|Choice { name, file }| {
            let module = self.make(file, &[])?;
            Ok((name.as_str(), module))
        });
        let modules = modules.collect::<Result<Vec<_>, Error>>()?;
        let mut chosen = Chosen::default();
        for source in sources {
            match with_modules(read(&source)?, &modules) {
                Ok(scenario) => chosen.sources.push(self.write(&scenario)?),
                Err(why) => chosen.left_out.push((source.name().to_owned(), why)),
            }
        }
        match chosen.left_out.first() {
            Some((name, why)) if !is_open || chosen.sources.is_empty() => Err(Error::Usage(
                format!("{name} has no room for a module in C: {why}"),
            )),
            _ => Ok(chosen),
        }
    }

    /// Writes a scenario beside its modules.
    fn write(&self, scenario: &Scenario) -> Result<Source, Error> {
        let hashes = scenario.modules.iter().filter_map(|module| {
            let module = module.c_module.as_ref()?;
            module.hash.as_ref().map(|hash| &hash[..12])
        });
        let folder = self.folder.join(hashes.collect::<Vec<_>>().join("-"));
        let path = folder.join(format!("{}.toml", scenario.name));
        let written =
            fs::create_dir_all(&folder).and_then(|()| fs::write(&path, scenario.to_toml()));
        written.map_err(|source| Error::Unwritable {
            path: path.clone(),
            source,
        })?;
        let name = scenario.name.clone();
        Ok(Source::File { path, name })
    }
}

fn read(source: &Source) -> Result<Scenario, Error> {
    match source {
        Source::Named(name) => {
            Ok(scenarios::named(name).expect("it was chosen among the named ones"))
        }
        Source::File { path, .. } => {
            let text = fs::read_to_string(path).map_err(|source| Error::Unreadable {
                path: path.clone(),
                source,
            })?;
            Ok(Scenario::from_toml(path, &text)?)
        }
    }
}

fn with_modules(scenario: Scenario, modules: &[(&str, CModule)]) -> Result<Scenario, String> {
    let mut modules = modules.iter();
    modules.try_fold(scenario, |scenario, (name, module)| {
        scenario.with_c_module(name, module.clone())
    })
}

/// Whether the scenario of a source has modules in C already.
///
/// # Errors
/// It cannot be read.
pub fn are_in(source: &Source) -> Result<bool, Error> {
    match source {
        Source::Named(_) => Ok(false),
        Source::File { .. } => read(source).map(|scenario| scenario.has_c_modules()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Choice, Maker};
    use crate::exit::Exit;
    use nmr_models::process::Source;
    use std::fs;
    use std::path::Path;

    fn maker(folder: &Path) -> Maker {
        Maker::new(
            Path::new(env!("CARGO_MANIFEST_DIR")).join("..").as_path(),
            folder,
        )
    }

    fn choice(name: &str, file: &Path) -> Choice {
        Choice {
            name: name.to_owned(),
            file: file.to_owned(),
        }
    }

    #[test]
    fn a_choice_is_a_name_and_a_file() {
        let choice: Choice = "c=a=b.so".parse().unwrap();
        assert_eq!(
            (choice.name.as_str(), choice.file.to_str()),
            ("c", Some("a=b.so"))
        );
        for wrong in ["c", "c=", "=c.so", ""] {
            let error = wrong.parse::<Choice>().unwrap_err();
            assert!(error.contains("`c=mine.so`"), "{wrong}: {error}");
        }
    }

    #[test]
    fn scenarios_with_no_room_for_a_module_are_left_out_unless_they_were_chosen() {
        let folder = tempfile::tempdir().unwrap();
        let object = folder.path().join("c.so");
        fs::write(&object, "any").unwrap();
        let named = |name: &str| Source::Named(name.to_owned());
        // The first has no module `d`.
        let sources = || {
            vec![
                named("both-deregister"),
                named("callbacks-deregister-others"),
            ]
        };
        let maker = maker(folder.path());
        let chosen = maker.put(&[choice("d", &object)], sources(), true).unwrap();
        let [Source::File { path, name }] = &chosen.sources[..] else {
            panic!("{chosen:?}");
        };
        assert_eq!(name, "callbacks-deregister-others");
        assert!(fs::read_to_string(path).unwrap().contains("hash = "));
        let [(left, why)] = &chosen.left_out[..] else {
            panic!("{chosen:?}");
        };
        assert_eq!(
            (left.as_str(), why.as_str()),
            ("both-deregister", "it has no module `d`")
        );
        let error = maker
            .put(&[choice("d", &object)], sources(), false)
            .unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        let text = error.to_string();
        assert_eq!(
            text,
            "both-deregister has no room for a module in C: it has no module `d`"
        );
    }

    #[test]
    fn what_a_module_in_c_cannot_be_asked_for_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let object = folder.path().join("c.so");
        fs::write(&object, "any").unwrap();
        let named = nmr_models::scenarios::all();
        let owns =
            |scenario: &&nmr_models::scenario::Scenario| scenario.to_toml().contains("\"own c\"");
        let owned = named.iter().find(owns).expect("a scenario that owns");
        let sources = vec![Source::Named(owned.name.clone())];
        let error = maker(folder.path()).put(&[choice("c", &object)], sources, true);
        let text = error.unwrap_err().to_string();
        assert!(
            text.contains("`own c`: `c` is a module in C: expected register, "),
            "{text}"
        );
    }

    #[test]
    fn a_missing_file_and_what_does_not_compile_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let maker = maker(folder.path());
        let missing = maker.make(&folder.path().join("none.so"), &[]).unwrap_err();
        assert_eq!(missing.exit(), Exit::Usage);
        assert!(missing.to_string().contains("none.so"), "{missing}");
        let wrong = folder.path().join("wrong.c");
        fs::write(&wrong, "int main(void) { return oh; }\n").unwrap();
        let error = maker.make(&wrong, &[]).unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        let text = error.to_string();
        assert!(
            text.contains("wrong.c does not compile:") && text.contains("oh"),
            "{text}"
        );
    }
}
