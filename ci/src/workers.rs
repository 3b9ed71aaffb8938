//! The executables that do the work, one for each build.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Instant;

use nmr_models::engine_name::Build;

use crate::cargo::{Program, Workspace};
use crate::error::Error;
use crate::progress::Display;
use crate::words;

/// Where the executable of each build is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workers(BTreeMap<Build, PathBuf>);

impl Workers {
    /// One for all of these builds.
    #[must_use]
    pub fn given(path: &Path, builds: BTreeSet<Build>) -> Self {
        let all = builds.into_iter().map(|build| (build, path.to_owned()));
        Self(all.collect())
    }

    /// Builds a program in these builds side by side.
    ///
    /// # Errors
    /// The first build that fails, or `stop` became true.
    ///
    /// # Panics
    /// Never: building does not panic.
    pub fn build(
        workspace: &Workspace,
        program: Program,
        builds: &BTreeSet<Build>,
        stop: &AtomicBool,
        display: &Display,
    ) -> Result<Self, Error> {
        let build = |build: Build| {
            let name = format!("{} ({} build)", program.name, words::build(build));
            let start = Instant::now();
            let activity = display.activity(&format!("building {name}"));
            let path = workspace.build(program, build, stop, &mut |crate_| activity.at(crate_))?;
            drop(activity);
            let time = words::time(start.elapsed().as_secs_f64());
            display.say(&format!("built {name} in {time}"));
            Ok((build, path))
        };
        let built: Result<_, Error> = thread::scope(|scope| {
            let threads: Vec<_> = builds
                .iter()
                .map(|&kind| scope.spawn(move || build(kind)))
                .collect();
            let join = |thread: thread::ScopedJoinHandle<'_, _>| {
                thread.join().expect("building does not panic")
            };
            threads.into_iter().map(join).collect()
        });
        Ok(Self(built?))
    }

    /// Whether there is one of this build.
    #[must_use]
    pub fn has(&self, build: Build) -> bool {
        self.0.contains_key(&build)
    }

    /// That of a build.
    ///
    /// # Panics
    /// If the build was not asked for.
    #[must_use]
    pub fn of(&self, build: Build) -> &Path {
        &self.0[&build]
    }
}
