//! The folder of a campaign.
//!
//! | | |
//! |---|---|
//! | `campaign.json` | the runs that wrote into it, and how far each is |
//! | `batches/ID-NUMBER.json` | what came of a batch |
//! | `FINDING.toml` | the least case of a finding |
//! | `variants/FINDING-VARIANT.toml` | other minimal cases of it, up to [`VARIANTS`] |
//! | `corpus/` | the programs that were kept for what they reach |
//! | `errors/` | programs on which the harness failed |
//! | `*.checkpoint`, `proofs/` | checkpoints of `prove`: as somebody put them there, and merged |
//!
//! Each file is written whole or not at all. Of two folders the union is the merged one: of a batch the one of which more is
//! done, of a finding the least cases, of a run or a checkpoint the one that is further. So it does not matter in which order folders are
//! merged, and how often.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use nmr_models::case::Case;
use nmr_models::prove::checkpoint::Checkpoint;
use nmr_models::scenario::FormatError;
use nmr_models::shard::Shard;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::about::About;
use super::batch::Batch;
use super::corpus::Corpus;
use crate::case::replay_command;
use crate::concurrent::identity::{Identity, Variant, hash};

/// How many minimal cases of a finding are kept, the least ones.
pub const VARIANTS: usize = 8;

/// See the [module's documentation](self).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder(PathBuf);

/// A run of the command, and how far it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Run {
    /// What its batches are of.
    pub about: About,
    /// Its share.
    pub shard: Shard,
    /// When it began, in seconds since 1970.
    pub begun: u64,
    /// How long it has gone on.
    pub seconds: f64,
    /// How long it was to go on, if that was said.
    pub time: Option<f64>,
    /// The first batch that it was not to come to, if that was said.
    pub batches: Option<u64>,
    /// How it is: `running`, `done`, `the time was over`, `interrupted`, or how it failed.
    pub state: String,
    /// How many cells of coverage had been reached when, in seconds; where there were more than before.
    pub gained: Vec<(f64, u64)>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Runs {
    runs: Vec<Run>,
}

impl Run {
    fn key(&self) -> (About, String, u64) {
        (self.about.clone(), self.shard.to_string(), self.begun)
    }
}

impl Folder {
    /// That at a place, which need not be there yet.
    #[must_use]
    pub const fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Whether anything was ever written into it.
    #[must_use]
    pub fn is_there(&self) -> bool {
        let has_proofs = files(&self.0, "checkpoint").is_ok_and(|files| !files.is_empty());
        has_proofs || self.state_file().is_file() || self.batch_folder().is_dir()
    }

    /// Where its corpus is.
    #[must_use]
    pub fn corpus(&self) -> PathBuf {
        self.0.join("corpus")
    }

    /// Where programs are on which the harness failed.
    #[must_use]
    pub fn errors(&self) -> PathBuf {
        self.0.join("errors")
    }

    fn variants(&self) -> PathBuf {
        self.0.join("variants")
    }

    fn batch_folder(&self) -> PathBuf {
        self.0.join("batches")
    }

    fn state_file(&self) -> PathBuf {
        self.0.join("campaign.json")
    }

    fn batch_file(&self, about: &About, number: u64) -> PathBuf {
        let name = format!("{}-{number:08}.json", about.id());
        self.batch_folder().join(name)
    }

    /// A batch, if anything of it is done.
    ///
    /// # Errors
    /// Its file cannot be read, or is none.
    pub fn batch(&self, about: &About, number: u64) -> Result<Option<Batch>, FormatError> {
        let path = self.batch_file(about, number);
        match path.is_file() {
            true => read(&path).map(Some),
            false => Ok(None),
        }
    }

    /// All batches, by what they are of and their number.
    ///
    /// # Errors
    /// A file cannot be read, or is none.
    pub fn batches(&self) -> Result<Vec<Batch>, FormatError> {
        let folder = self.batch_folder();
        let paths = files(&folder, "json");
        let paths = paths.map_err(|error| FormatError::new(&folder, error.to_string()))?;
        let mut batches = Vec::new();
        for path in paths {
            batches.push(read::<Batch>(&path)?);
        }
        batches.sort_by(|one, other| (&one.about, one.number).cmp(&(&other.about, other.number)));
        Ok(batches)
    }

    /// Writes what came of a batch, unless more of it is done in what is there.
    ///
    /// # Errors
    /// It cannot be written.
    ///
    /// # Panics
    /// Never: a batch has a text form.
    pub fn write_batch(&self, batch: &Batch) -> io::Result<()> {
        let there = self.batch(&batch.about, batch.number).ok().flatten();
        if there.is_some_and(|there| there.programs >= batch.programs) {
            return Ok(());
        }
        let text = serde_json::to_string(batch).expect("it is plain data") + "\n";
        write(&self.batch_file(&batch.about, batch.number), &text)
    }

    /// The runs that wrote into it.
    ///
    /// # Errors
    /// The file cannot be read, or is none.
    pub fn runs(&self) -> Result<Vec<Run>, FormatError> {
        let path = self.state_file();
        match path.is_file() {
            true => read::<Runs>(&path).map(|state| state.runs),
            false => Ok(Vec::new()),
        }
    }

    /// Writes how far a run is.
    ///
    /// # Errors
    /// It cannot be written. What is there and cannot be read is written over.
    ///
    /// # Panics
    /// Never: it has a text form.
    pub fn write_run(&self, run: &Run) -> io::Result<()> {
        let mut runs = self.runs().unwrap_or_default();
        match runs.iter_mut().find(|one| one.key() == run.key()) {
            Some(there) if there.seconds > run.seconds => return Ok(()),
            Some(there) => *there = run.clone(),
            None => runs.push(run.clone()),
        }
        runs.sort_by_key(Run::key);
        let text = serde_json::to_string_pretty(&Runs { runs }).expect("it is plain data") + "\n";
        write(&self.state_file(), &text)
    }

    /// As long as this lives, no other process has it. Whoever is killed gives it back.
    ///
    /// # Errors
    /// The folder cannot be made or locked.
    pub fn lock(&self) -> io::Result<fs::File> {
        fs::create_dir_all(&self.0)?;
        let file = fs::File::create(self.0.join(".lock"))?;
        file.lock()?;
        Ok(file)
    }

    /// Adds to its corpus.
    ///
    /// # Errors
    /// It cannot be read or written.
    pub fn keep(&self, corpus: Corpus) -> io::Result<()> {
        let _lock = self.lock()?;
        let folder = self.corpus();
        let mut all = Corpus::load(&folder).map_err(io::Error::other)?;
        all.merge(corpus);
        all.save(&folder)
    }

    /// Writes a minimal case, which may stand for its finding by that; answers the case that does.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_case(&self, case: &Case) -> io::Result<PathBuf> {
        let _lock = self.lock()?;
        let (finding, variant) = (Identity::of(case).name(), Variant::of(case).name());
        let name = format!("{finding}-{variant}.toml");
        let path = self.variants().join(&name);
        if !path.is_file() {
            let header = replay_command(Path::new(&name));
            write(&path, &format!("# {header}\n\n{}", case.to_toml()))?;
        }
        self.settle(&finding)
    }

    /// The least case stands for a finding; those that are too many go.
    fn settle(&self, finding: &str) -> io::Result<PathBuf> {
        let mut cases = Vec::new();
        for path in files(&self.variants(), "toml")? {
            let name = path.file_name().and_then(|name| name.to_str());
            // The variant's own name has a dash in it.
            let of = name.and_then(|name| name.rsplitn(3, '-').nth(2));
            if of == Some(finding) {
                let text = fs::read_to_string(&path)?;
                if let Ok(case) = Case::from_toml(&path, &text) {
                    cases.push((Variant::of(&case), path, case));
                }
            }
        }
        cases.sort_by(|one, other| one.0.cmp(&other.0));
        let place = self.0.join(format!("{finding}.toml"));
        if let Some((_, _, least)) = cases.first() {
            // The name alone: wherever the folder is, the file is the same.
            let name = format!("{finding}.toml");
            let header = replay_command(Path::new(&name));
            let text = format!("# {header}\n\n{}", least.to_toml());
            if fs::read_to_string(&place).ok().as_deref() != Some(&text) {
                write(&place, &text)?;
            }
        }
        for (_, path, _) in cases.into_iter().skip(VARIANTS) {
            fs::remove_file(path)?;
        }
        Ok(place)
    }

    /// The findings: the names of their files.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn findings(&self) -> io::Result<Vec<PathBuf>> {
        files(&self.0, "toml")
    }

    /// Checkpoints of `prove`, those that were merged and those that somebody put there.
    ///
    /// # Errors
    /// One cannot be read, or is none.
    pub fn proofs(&self) -> Result<Vec<Checkpoint>, FormatError> {
        let mut proofs = Vec::new();
        for folder in [self.0.clone(), self.0.join("proofs")] {
            let paths = files(&folder, "checkpoint");
            let paths = paths.map_err(|error| FormatError::new(&folder, error.to_string()))?;
            for path in paths {
                let proof = Checkpoint::read(&path);
                proofs.push(proof.map_err(|error| FormatError::new(&path, error.to_string()))?);
            }
        }
        Ok(proofs)
    }

    /// Writes one, unless what is there of the same share is further.
    fn write_proof(&self, proof: &Checkpoint) -> Result<(), FormatError> {
        let (size, shard) = (proof.size(), proof.shard());
        let of = hash(&proof.of());
        let (index, count) = (shard.index(), shard.count());
        let name = format!("{size}-{index}-of-{count}-{of:016x}.checkpoint");
        let path = self.0.join("proofs").join(name);
        let there = Checkpoint::read(&path).ok();
        if there.is_some_and(|there| there.totals.programs >= proof.totals.programs) {
            return Ok(());
        }
        let wrong = |error: String| FormatError::new(&path, error);
        fs::create_dir_all(self.0.join("proofs")).map_err(|error| wrong(error.to_string()))?;
        proof.save(&path).map_err(|error| wrong(error.to_string()))
    }

    /// Puts all of another folder into this one.
    ///
    /// # Errors
    /// A file cannot be read, is not what it should be, or cannot be written.
    pub fn merge(&self, other: &Self) -> Result<(), FormatError> {
        let unwritable = |error: io::Error| FormatError::new(&self.0, error.to_string());
        for batch in other.batches()? {
            self.write_batch(&batch).map_err(unwritable)?;
        }
        let cases = files(&other.variants(), "toml").map_err(unwritable)?;
        for path in cases
            .into_iter()
            .chain(other.findings().map_err(unwritable)?)
        {
            let text = fs::read_to_string(&path);
            let text = text.map_err(|error| FormatError::new(&path, error.to_string()))?;
            let case = Case::from_toml(&path, &text)?;
            self.write_case(&case).map_err(unwritable)?;
        }
        self.keep(Corpus::load(&other.corpus())?)
            .map_err(unwritable)?;
        for path in files(&other.errors(), "toml").map_err(unwritable)? {
            let name = path.file_name().unwrap_or_default();
            let text = fs::read_to_string(&path).map_err(unwritable)?;
            write(&self.errors().join(name), &text).map_err(unwritable)?;
        }
        for proof in other.proofs()? {
            self.write_proof(&proof)?;
        }
        for run in other.runs()? {
            self.write_run(&run).map_err(unwritable)?;
        }
        Ok(())
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, FormatError> {
    let text = fs::read_to_string(path);
    let text = text.map_err(|error| FormatError::new(path, error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| FormatError::new(path, error.to_string()))
}

/// The files of a folder whose names end so, sorted; none if there is no folder.
pub(crate) fn files(folder: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<PathBuf>>>()?;
    paths.retain(|path| path.is_file() && path.extension().is_some_and(|it| it == extension));
    paths.sort();
    Ok(paths)
}

/// Whole or not at all.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Folder, VARIANTS, files};
    use nmr_models::case::Case;
    use std::fs;
    use std::path::Path;

    /// The same failure in programs with more and more to read.
    fn case(size: usize) -> Case {
        let ops = vec!["\"deregister c1\""; size].join(", ");
        let text = format!(
            r#"
kind = "schedule"
engine = "explorer"
rule = "C7"
message = "c1 is detached twice"
[scenario]
name = "s"
summary = "s"
[[scenario.module]]
name = "c1"
side = "client"
[[scenario.thread]]
name = "t1"
ops = ["register c1", {ops}]
"#
        );
        Case::from_toml(Path::new("case.toml"), &text).unwrap_or_else(|error| panic!("{error}"))
    }

    fn written(folder: &Path, sizes: impl Iterator<Item = usize>) -> Folder {
        let folder = Folder::at(folder.to_owned());
        for size in sizes {
            folder.write_case(&case(size)).expect("it is written");
        }
        folder
    }

    fn texts(folder: &Folder) -> Vec<String> {
        let cases = folder.findings().expect("read").into_iter();
        let variants = files(&folder.variants(), "toml").expect("read");
        cases
            .chain(variants)
            .map(|path| fs::read_to_string(path).expect("text"))
            .collect()
    }

    #[test]
    fn the_least_case_stands_for_a_finding_whatever_the_order() {
        let place = tempfile::tempdir().expect("a folder");
        let one = written(&place.path().join("one"), 1..12);
        let other = written(&place.path().join("other"), (1..12).rev());
        assert_eq!(texts(&one), texts(&other));
        assert_eq!(one.findings().expect("read").len(), 1);
        assert_eq!(texts(&one).len(), 1 + VARIANTS);
        let least = case(1).to_toml();
        assert!(texts(&one)[0].ends_with(&least), "{}", texts(&one)[0]);
    }

    #[test]
    fn merged_findings_are_those_of_one_run_in_any_order() {
        let place = tempfile::tempdir().expect("a folder");
        let at = |name: &str| place.path().join(name);
        let whole = written(&at("whole"), 1..12);
        let shards = [written(&at("1"), 1..5), written(&at("2"), 4..12)];
        for (name, order) in [("a", [0, 1, 0]), ("b", [1, 0, 1])] {
            let merged = Folder::at(at(name));
            for shard in order {
                merged.merge(&shards[shard]).expect("merged");
            }
            assert_eq!(texts(&merged), texts(&whole), "{name}");
        }
    }
}
