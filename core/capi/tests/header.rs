//! The header that is checked in is what cbindgen makes of the sources.

#![cfg(not(any(loom, shuttle)))]

use std::fs;
use std::path::Path;

use cbindgen::{Builder, Config};

/// The header, from the sources as they are.
fn generated(root: &Path) -> String {
    let mut config = Config::from_file(root.join("cbindgen.toml")).expect("it is valid");
    let part = |name| fs::read_to_string(root.join("header").join(name)).expect("it is there");
    config.after_includes = Some(part("begin.h"));
    config.trailer = Some(part("end.h"));
    let sources = ["abi.rs", "functions.rs", "extra.rs"].map(|name| root.join("src").join(name));
    let builder = sources
        .iter()
        .fold(Builder::new().with_config(config), Builder::with_src);
    let mut header = Vec::new();
    builder
        .generate()
        .expect("the sources are valid")
        .write(&mut header);
    let header = String::from_utf8(header).expect("it is text");
    let lines = header.lines().map(str::trim_end);
    lines.flat_map(|line| [line, "\n"]).collect()
}

#[test]
fn the_header_is_made_of_the_sources() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("include/nmr.h");
    let generated = generated(root);
    if std::env::var_os("NMR_HEADER").is_some_and(|value| value == "write") {
        fs::write(&path, &generated).expect("the folder is writable");
    }
    // A checkout on Windows may have other ends of lines.
    let there = fs::read_to_string(&path)
        .unwrap_or_default()
        .replace("\r\n", "\n");
    let first = generated
        .lines()
        .zip(there.lines())
        .position(|(new, old)| new != old);
    assert!(
        generated == there,
        "include/nmr.h is stale, from line {} on: write it with\n  \
         NMR_HEADER=write cargo test -p nmr-capi --test header",
        first.unwrap_or_else(|| there.lines().count()) + 1,
    );
}
