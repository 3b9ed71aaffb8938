//! What other programs read of a command, besides what it prints: JUnit XML, SARIF, GitHub's annotations.
//!
//! A command says what it has tried ([`Tested`]), once, at its end; each form is made of that alone. What a person and
//! what a script reads is elsewhere, and the same with and without these.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use nmr_models::report::Verdict;
use nmr_models::rule::Rule;

use crate::args::{Format, MessageFormat, Outputs};
use crate::error::Error;

mod github;
mod junit;
mod place;
mod sarif;

/// Something that was tried, and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Tested {
    /// What was tried: a scenario, a bug, a size.
    pub suite: String,
    /// By what: an engine, or a rule where that tells more.
    pub name: String,
    /// What came of it.
    pub verdict: Verdict,
    /// The rule that broke.
    pub rule: Option<Rule>,
    /// What happened, or why it is not known, for people.
    pub message: String,
    /// Wall-clock time.
    pub seconds: f64,
    /// Where the failing case was saved.
    pub case: Option<PathBuf>,
    /// The file of the scenario, if it has one beside the case.
    pub scenario: Option<PathBuf>,
}

impl Outputs {
    /// Whether these go together with what is printed. Asked before anything is built or searched.
    ///
    /// # Errors
    /// Annotations between lines of JSON; a file in a folder that is not there, or a folder.
    pub fn check(&self, format: Format) -> Result<(), Error> {
        if self.message_format == MessageFormat::Github && format == Format::Json {
            return Err(Error::Usage(
                "--message-format github prints annotations between the lines of --format json: leave out one of them, \
                 or write --sarif FILE, which GitHub reads too"
                    .to_owned(),
            ));
        }
        for (option, file) in [("--junit", &self.junit), ("--sarif", &self.sarif)] {
            let Some(file) = file else { continue };
            let folder = std::path::absolute(file)?;
            if folder.is_dir() {
                return Err(Error::Usage(format!(
                    "{option}: {} is a folder, expected a file",
                    file.display()
                )));
            }
            if let Some(folder) = folder.parent().filter(|folder| !folder.is_dir()) {
                return Err(Error::Usage(format!(
                    "{option}: there is no folder {}",
                    folder.display()
                )));
            }
        }
        Ok(())
    }

    /// Writes what was asked for. `root` is the top of the workspace, from which paths are given.
    ///
    /// # Errors
    /// A file or `out` cannot be written.
    pub fn write(
        &self,
        command: &str,
        root: &Path,
        tested: &[Tested],
        out: &mut dyn Write,
    ) -> Result<(), Error> {
        if let Some(file) = &self.junit {
            write(file, &junit::report(command, tested))?;
        }
        if let Some(file) = &self.sarif {
            write(file, &sarif::log(command, root, tested))?;
        }
        if self.message_format == MessageFormat::Github {
            out.write_all(github::annotations(root, tested).as_bytes())?;
            if let Some(summary) = std::env::var_os("GITHUB_STEP_SUMMARY") {
                let mut file = fs::OpenOptions::new()
                    .append(true)
                    .create(true)
                    .open(summary)?;
                file.write_all(github::summary(command, root, tested).as_bytes())?;
            }
        }
        Ok(())
    }
}

/// Whole or not at all: whoever watches the folder never reads a half.
fn write(file: &Path, text: &str) -> Result<(), Error> {
    let folder = std::path::absolute(file)?;
    let folder = folder.parent().unwrap_or(Path::new("."));
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(text.as_bytes())?;
    temporary.persist(file).map_err(|error| error.error)?;
    Ok(())
}

/// A path as it is in the repository, with `/` on every system; as it is if it is elsewhere.
fn in_repository(root: &Path, path: &Path) -> String {
    let path = path.strip_prefix(root).unwrap_or(path);
    path.to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod samples {
    use super::Tested;
    use nmr_models::report::Verdict;

    pub(super) fn tested(verdict: Verdict, message: &str) -> Tested {
        let broke = verdict == Verdict::Violated;
        Tested {
            suite: "two-lives".to_owned(),
            name: "explorer".to_owned(),
            verdict,
            rule: broke.then(|| "C11".parse().expect("a rule")),
            message: message.to_owned(),
            seconds: 0.25,
            case: broke.then(|| "/top/target/nmr/cases/two-lives-explorer-c11.toml".into()),
            scenario: Some("/top/models/scenarios/two-lives.toml".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::in_repository;
    use crate::args::{Format, MessageFormat, Outputs};

    #[test]
    fn annotations_do_not_come_between_lines_of_json() {
        let outputs = Outputs {
            message_format: MessageFormat::Github,
            ..Outputs::default()
        };
        assert!(outputs.check(Format::Human).is_ok());
        let refused = outputs.check(Format::Json).expect_err("it is refused");
        assert!(refused.to_string().contains("leave out one"), "{refused}");
    }

    #[test]
    fn a_file_in_no_folder_is_refused_before_anything_is_done() {
        let outputs = Outputs {
            junit: Some("/no/such/folder/it.xml".into()),
            ..Outputs::default()
        };
        let refused = outputs.check(Format::Human).expect_err("it is refused");
        assert!(refused.to_string().contains("/no/such/folder"), "{refused}");
    }

    #[test]
    fn a_folder_is_refused_before_anything_is_done() {
        let folder = tempfile::tempdir().expect("a folder");
        let outputs = Outputs {
            sarif: Some(folder.path().to_owned()),
            ..Outputs::default()
        };
        let refused = outputs.check(Format::Human).expect_err("it is refused");
        assert!(
            refused.to_string().contains("is a folder, expected a file"),
            "{refused}"
        );
    }

    #[test]
    fn paths_are_given_from_the_top() {
        let root = Path::new("/top");
        assert_eq!(in_repository(root, Path::new("/top/a/b.toml")), "a/b.toml");
        assert_eq!(
            in_repository(root, Path::new("/else/b.toml")),
            "/else/b.toml"
        );
    }
}
