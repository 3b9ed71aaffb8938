//! A hash of the sources: what a batch was made by, also where they are not committed.
//!
//! Compiled into the build script, which makes the hash, and into the tests.

use std::fs;
use std::hash::Hasher;
use std::io;
use std::path::{Path, PathBuf};

use rustc_stable_hash::StableSipHasher128;

/// What decides on a batch, from the top of the workspace.
pub(crate) const SOURCES: [&str; 7] = [
    "Cargo.lock",
    "core/src",
    "core/sync/src",
    "models/explorer/src",
    "models/search/src",
    "models/src",
    "properties/src",
];

/// The hash of these files, and of those in these folders: of their paths from `root` and of what is in them, in the order
/// of their paths.
///
/// # Errors
/// One of them cannot be read.
pub(crate) fn hash_of(root: &Path, of: &[&str]) -> io::Result<u64> {
    let mut files = Vec::new();
    for path in of {
        add(&root.join(path), &mut files)?;
    }
    files.sort();
    let mut hasher = StableSipHasher128::new();
    for file in files {
        let path = file.strip_prefix(root).unwrap_or(&file);
        for part in path.components() {
            write(&mut hasher, part.as_os_str().as_encoded_bytes());
        }
        write(&mut hasher, &fs::read(&file)?);
    }
    Ok(Hasher::finish(&hasher))
}

fn write(hasher: &mut StableSipHasher128, bytes: &[u8]) {
    hasher.write_u64(bytes.len() as u64);
    hasher.write(bytes);
}

fn add(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        add(&entry?.path(), files)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{SOURCES, hash_of};
    use std::fs;
    use std::path::Path;

    #[test]
    fn whatever_changes_in_the_sources_changes_their_hash() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("it is in a folder")).expect("made");
            fs::write(path, text).expect("written");
        };
        let hash = || hash_of(folder.path(), &["lock", "src"]).expect("read");
        write("lock", "1");
        write("src/a.rs", "a");
        write("src/b/c.rs", "c");
        let first = hash();
        assert_eq!(hash(), first);
        write("elsewhere/d.rs", "d");
        assert_eq!(hash(), first);
        for (path, text) in [("lock", "2"), ("src/b/c.rs", ""), ("src/b/d.rs", "")] {
            let before = hash();
            write(path, text);
            assert_ne!(hash(), before, "{path}");
        }
    }

    #[test]
    fn all_sources_are_there() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for path in SOURCES {
            assert!(root.join(path).exists(), "{path}");
        }
    }
}
