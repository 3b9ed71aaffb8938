//! Tells the crate a hash of the sources: batches of a campaign are of code that is committed, or is not.

use std::path::Path;

#[path = "src/sources.rs"]
mod sources;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let root = Path::new("..");
    for path in sources::SOURCES {
        println!("cargo::rerun-if-changed=../{path}");
    }
    let hash = sources::hash_of(root, &sources::SOURCES);
    let hash = hash.map_or_else(|_| "unknown".to_owned(), |hash| format!("{hash:016x}"));
    println!("cargo::rustc-env=NMR_SOURCES={hash}");
}
