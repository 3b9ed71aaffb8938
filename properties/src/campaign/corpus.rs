//! A corpus: for each cell of coverage the least program that is known to reach it.
//!
//! What is least does not depend on the order in which programs come, so that corpora are merged in any order, as often as
//! one likes. A folder has a file for each program and the cells that it is there for in [`INDEX`].

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nmr_models::conditions::Conditions;
use nmr_models::coverage::{Cell, reached};
use nmr_models::scenario::{FormatError, Scenario};
use serde::{Deserialize, Serialize};

use super::folder::write;
use crate::concurrent::canonical::{canonical, program};
use crate::concurrent::identity::hash;
use crate::concurrent::simplify::size;

/// Walks through a program, for its coverage.
pub const WALKS: u64 = 24;

/// The file that says which cells the programs are there for.
pub const INDEX: &str = "cells.json";

/// See the [module's documentation](self).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Corpus {
    programs: BTreeMap<String, Scenario>,
    /// For each cell the least program: its size and its name.
    least: BTreeMap<Cell, (usize, String)>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(flatten)]
    cell: Cell,
    program: String,
}

/// The cells that a program reaches. They depend on nothing but the program and the conditions.
#[must_use]
pub fn cells(of: &Scenario, conditions: Conditions) -> BTreeSet<Cell> {
    let seed = hash(&program(of));
    reached(&Arc::new(of.clone()), conditions, seed, WALKS)
}

impl Corpus {
    /// The one of this repository: what reaches all that is known to be reached.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn built_in() -> Result<Self, FormatError> {
        Self::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus"))
    }

    /// That of a folder; an empty one if there is no folder. Programs of no cell are left, and so are cells whose programs
    /// are gone.
    ///
    /// # Errors
    /// A file cannot be read, or is not what it should be.
    pub fn load(folder: &Path) -> Result<Self, FormatError> {
        let mut corpus = Self::default();
        let index = folder.join(INDEX);
        let text = match fs::read_to_string(&index) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(corpus),
            Err(error) => return Err(FormatError::new(&index, error.to_string())),
            Ok(text) => text,
        };
        let entries: Vec<Entry> = serde_json::from_str(&text)
            .map_err(|error| FormatError::new(&index, error.to_string()))?;
        for Entry { cell, program } in entries {
            let path = folder.join(format!("{program}.toml"));
            if !corpus.programs.contains_key(&program) {
                let Ok(text) = fs::read_to_string(&path) else {
                    continue;
                };
                let scenario = Scenario::from_toml(&path, &text)?;
                corpus.programs.insert(program.clone(), scenario);
            }
            let size = size(&corpus.programs[&program]);
            corpus.offer_for(cell, (size, program));
        }
        corpus.tidy();
        Ok(corpus)
    }

    /// Its programs, by name.
    pub fn programs(&self) -> impl Iterator<Item = (&str, &Scenario)> {
        let programs = self.programs.iter();
        programs.map(|(name, program)| (name.as_str(), program))
    }

    /// How many programs it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.programs.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.programs.is_empty()
    }

    /// The cells that its programs are there for.
    pub fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.least.keys()
    }

    /// The program for a cell.
    #[must_use]
    pub fn program_for(&self, cell: &Cell) -> Option<&str> {
        self.least.get(cell).map(|(_, name)| name.as_str())
    }

    /// A hash of its programs' names, which stand for what they are.
    #[must_use]
    pub fn digest(&self) -> String {
        let names: Vec<&str> = self.programs.keys().map(String::as_str).collect();
        format!("{:016x}", hash(&names.join(" ")))
    }

    /// Takes a program if it is the least for some cell; answers its name then.
    pub fn offer(&mut self, of: &Scenario, conditions: Conditions) -> Option<String> {
        let least = canonical(of);
        let name = format!("{:016x}", hash(&program(&least)));
        let size = size(&least);
        let mut is_taken = false;
        for cell in cells(&least, conditions) {
            is_taken |= self.offer_for(cell, (size, name.clone()));
        }
        is_taken.then(|| {
            let program = Scenario {
                name: format!("corpus-{name}"),
                summary: "reaches what no smaller one is known to reach".to_owned(),
                ..least
            };
            self.programs.insert(name.clone(), program);
            self.tidy();
            name
        })
    }

    fn offer_for(&mut self, cell: Cell, program: (usize, String)) -> bool {
        let is_less = self.least.get(&cell).is_none_or(|least| program < *least);
        if is_less {
            self.least.insert(cell, program);
        }
        is_less
    }

    /// Adds those of another one that are less than what is here.
    pub fn merge(&mut self, other: Self) {
        for (cell, least) in other.least {
            self.offer_for(cell, least);
        }
        for (name, program) in other.programs {
            self.programs.entry(name).or_insert(program);
        }
        self.tidy();
    }

    /// Without programs that are the least for no cell.
    fn tidy(&mut self) {
        let wanted: BTreeSet<&String> = self.least.values().map(|(_, name)| name).collect();
        self.programs.retain(|name, _| wanted.contains(name));
    }

    /// Writes it to a folder, in the place of the corpus that is there. The index comes last. Of an empty one
    /// there is no folder, unless there was one.
    ///
    /// # Errors
    /// A file cannot be written.
    ///
    /// # Panics
    /// Never: the index has a text form.
    pub fn save(&self, folder: &Path) -> io::Result<()> {
        if self.is_empty() && !folder.exists() {
            return Ok(());
        }
        fs::create_dir_all(folder)?;
        for (name, program) in &self.programs {
            let path = folder.join(format!("{name}.toml"));
            if !path.exists() {
                write(&path, &program.to_toml())?;
            }
        }
        let entries = self.least.iter().map(|(cell, (_, program))| Entry {
            cell: cell.clone(),
            program: program.clone(),
        });
        let entries: Vec<Entry> = entries.collect();
        let text = serde_json::to_string_pretty(&entries).expect("it is plain data");
        write(&folder.join(INDEX), &(text + "\n"))?;
        for path in super::folder::files(folder, "toml")? {
            let name = path.file_stem().and_then(|name| name.to_str());
            if name.is_some_and(|name| is_a_name(name) && !self.programs.contains_key(name)) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// Where the one of this repository is.
    #[must_use]
    pub fn built_in_folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
    }
}

/// Whether a file of that name is a corpus's own.
fn is_a_name(name: &str) -> bool {
    name.len() == 16 && name.chars().all(|c| c.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::Corpus;
    use crate::concurrent::series::{scenario, scenario_seed};
    use nmr_models::conditions::Conditions;
    use nmr_models::shard::Shard;

    fn corpus(of: std::ops::Range<u32>) -> Corpus {
        let mut corpus = Corpus::default();
        for index in of {
            let program = scenario(scenario_seed(3, Shard::WHOLE, index));
            if program.modules.len() <= 3 {
                corpus.offer(&program, Conditions::default());
            }
        }
        corpus
    }

    #[test]
    fn corpora_are_merged_in_any_order_and_as_often_as_one_likes() {
        let (one, other) = (corpus(0..12), corpus(12..24));
        let merged = |mut one: Corpus, other: &Corpus| {
            one.merge(other.clone());
            one
        };
        let both = merged(one.clone(), &other);
        assert_eq!(both, merged(other.clone(), &one));
        assert_eq!(both, merged(both.clone(), &one));
        assert_eq!(both, corpus(0..24));
        assert!(both.len() > 3 && both.len() < 24, "{}", both.len());
    }

    #[test]
    fn a_corpus_goes_through_its_folder_unchanged() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, both) = (corpus(0..12), corpus(0..24));
        one.save(folder.path()).expect("saved");
        assert_eq!(Corpus::load(folder.path()).expect("read"), one);
        both.save(folder.path()).expect("saved");
        assert_eq!(Corpus::load(folder.path()).expect("read"), both);
        let nowhere = Corpus::load(&folder.path().join("nowhere"));
        assert!(nowhere.expect("it is empty").is_empty());
    }
}
