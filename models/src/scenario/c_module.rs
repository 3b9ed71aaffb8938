//! A module in C, as a scenario names it: a shared object, and which one it was.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_128;

/// A shared object with a client or provider module in C, made with `nmrex_module.h`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CModule {
    /// The file, from where the command is run.
    pub file: PathBuf,
    /// The hash of the file, 32 hexadecimal digits: another file is then refused. A case has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
}

impl CModule {
    /// The module in a file, whatever that is.
    #[must_use]
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Self {
            file: file.into(),
            hash: None,
        }
    }

    /// Its bytes, and the same module with the hash of them.
    ///
    /// # Errors
    /// The file cannot be read, or is another one than the one that was meant.
    pub fn read(&self) -> Result<(Vec<u8>, Self), String> {
        let file = self.file.display();
        let bytes = fs::read(&self.file)
            .map_err(|error| format!("the C module {file} cannot be read: {error}"))?;
        let found = hash(&bytes);
        match &self.hash {
            Some(hash) if *hash != found => Err(format!(
                "the C module {file} is another one: its hash is {found}, expected {hash}"
            )),
            _ => Ok((
                bytes,
                Self {
                    file: self.file.clone(),
                    hash: Some(found),
                },
            )),
        }
    }

    /// The name of the file.
    #[must_use]
    pub fn name(&self) -> String {
        let name = self.file.file_name().unwrap_or_default();
        Path::new(name).display().to_string()
    }
}

fn hash(bytes: &[u8]) -> String {
    format!("{:032x}", XxHash3_128::oneshot(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_file_is_told_from_the_one_that_was_meant() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c.so");
        fs::write(&file, "one").unwrap();
        let (bytes, module) = CModule::new(&file).read().unwrap();
        assert_eq!(bytes, b"one");
        assert_eq!(module.hash.as_ref().map(String::len), Some(32));
        assert_eq!(module.read().map(|(_, same)| same), Ok(module.clone()));
        fs::write(&file, "two").unwrap();
        let error = module.read().unwrap_err();
        assert!(error.contains("is another one: its hash is "), "{error}");
        let missing = CModule::new(folder.path().join("none.so")).read();
        assert!(missing.unwrap_err().contains("cannot be read"));
    }
}
