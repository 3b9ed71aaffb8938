//! The example says what the documentation promises, in that order.
#![cfg(not(any(loom, shuttle)))]

use std::env;
use std::path::PathBuf;
use std::process::Command;

/// The example as cargo has built it: with all tests of the package, and beside them.
fn lifecycle() -> PathBuf {
    let test = env::current_exe().expect("this test has a path");
    let profile = test
        .ancestors()
        .nth(2)
        .expect("it is in `deps` of a profile");
    let example = profile.join(format!("examples/lifecycle{}", env::consts::EXE_SUFFIX));
    assert!(
        example.exists(),
        "{} is missing: `cargo test -p nmr` builds it, as does `cargo build -p nmr --example lifecycle`",
        example.display()
    );
    example
}

#[test]
fn the_lifecycle_example_tells_the_whole_story() {
    let output = Command::new(lifecycle()).output().expect("it starts");
    let story = String::from_utf8(output.stdout).expect("the example prints text");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let chapters = [
        "registers the client",
        "no provider to greet with",
        "registers the provider",
        "Hello, world!",
        "deregisters the provider",
        "client:    is asked to detach: pending, a call is under way",
        "provider:  is asked to detach: pending, a letter is under way",
        "has no provider to greet with",
        "lets the call end",
        "has heard the whole poem",
        "the last call is over, the client's detach is complete",
        "posts the letter",
        "receives a letter: Dear client, goodbye!",
        "the last letter is there, the provider's detach is complete",
        "client:    cleans up",
        "provider:  cleans up",
        "0 registrations and 0 bindings are left",
    ];
    let mut rest = story.as_str();
    for chapter in chapters {
        let Some(at) = rest.find(chapter) else {
            panic!("`{chapter}` is missing, or out of order, in:\n{story}")
        };
        rest = &rest[at + chapter.len()..];
    }
}
