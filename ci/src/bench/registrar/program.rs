//! The benchmark programs as they are run: `core/benches/registrar.rs` for one workload, `core/benches/memory.rs`.
//!
//! Criterion leaves the samples that it has measured in files (those of warming up are none), with
//! what an iteration is made of. Its own statistics are not used: samples of several runs belong together here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use nmr_models::process::supervise::{How, Limits, Stderr, supervise};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::cargo::run_error;
use crate::error::Error;

/// Samples of a workload in a round: so many that each is shorter than what a scheduler gives at a time, and most are
/// undisturbed though others use the machine. With 30 in 300 ms none was.
const SAMPLES: u32 = 300;
/// How many lines of a program's stderr are shown if it fails.
const LAST_WORDS: usize = 20;

/// The programs of a revision.
#[derive(Clone, Debug)]
pub(super) struct Programs {
    pub(super) registrar: PathBuf,
    pub(super) memory: PathBuf,
}

/// What registrations hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Held {
    pub(super) registrations: u64,
    pub(super) bytes: u64,
}

impl Held {
    /// Bytes for each.
    pub(super) fn each(self) -> f64 {
        self.bytes as f64 / self.registrations as f64
    }
}

impl Programs {
    /// The names of the workloads, in their order.
    pub(super) fn workloads(&self, stop: &AtomicBool) -> Result<Vec<String>, Error> {
        let mut command = Command::new(&self.registrar);
        command.args(["--bench", "--list", "--format", "terse"]);
        let lines = run(command, stop)?;
        let names = lines
            .iter()
            .filter_map(|line| line.strip_suffix(": benchmark"));
        Ok(names.map(str::to_owned).collect())
    }

    /// The samples of a workload that is measured for so long, in ns an element. Criterion's files go to `folder`.
    pub(super) fn measure(
        &self,
        workload: &str,
        time: Duration,
        folder: &Path,
        stop: &AtomicBool,
    ) -> Result<Vec<f64>, Error> {
        // What is there from the last run would be compared with this one, and could be taken for it.
        let home = folder.join("criterion");
        if home.exists() {
            fs::remove_dir_all(&home)?;
        }
        let seconds = time.as_secs_f64();
        let mut command = Command::new(&self.registrar);
        command.env("CRITERION_HOME", &home).arg("--bench");
        command.args(["--warm-up-time", &(seconds / 2.0).to_string()]);
        command.args(["--measurement-time", &seconds.to_string()]);
        command.args(["--sample-size", &SAMPLES.to_string()]);
        // Its statistics are not looked at: the fewest of which it does not warn.
        command.args(["--nresamples", "1001", "--noplot"]);
        command.args(["--exact", workload]);
        run(command, stop)?;
        samples_in(&home).map_err(|what| {
            let program = self.registrar.display();
            Error::Harness(format!("{program} has measured {workload}, but {what}"))
        })
    }

    /// What registrations hold.
    pub(super) fn held(&self, stop: &AtomicBool) -> Result<Held, Error> {
        let mut command = Command::new(&self.memory);
        command.arg("--bench");
        let lines = run(command, stop)?;
        let held = lines
            .last()
            .and_then(|line| serde_json::from_str(line).ok());
        held.ok_or_else(|| {
            let program = self.memory.display();
            Error::Harness(format!("{program} does not say what registrations hold"))
        })
    }
}

/// Runs a program to its end, and answers its lines.
fn run(command: Command, stop: &AtomicBool) -> Result<Vec<String>, Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let limits = Limits {
        stderr: Stderr::Keep(LAST_WORDS),
        ..Limits::NONE
    };
    let mut lines = Vec::new();
    let end = supervise(command, limits, stop, &mut |_, line| {
        lines.push(line.to_owned())
    });
    let end = end.map_err(|source| run_error(&program, source))?;
    match end.how {
        How::Exited(status) if status.success() => Ok(lines),
        How::Exited(status) => {
            let what = format!(
                "{program} failed ({status}); last on its stderr:\n{}",
                end.stderr
            );
            Err(Error::Harness(what))
        }
        How::TimedOut | How::Stopped => Err(Error::Interrupted),
    }
}

/// The samples that criterion has left, in ns an element.
#[derive(Deserialize)]
struct Sample {
    iters: Vec<f64>,
    times: Vec<f64>,
}

/// What it says of a benchmark.
#[derive(Deserialize)]
struct Benchmark {
    throughput: Throughput,
}

#[derive(Deserialize)]
enum Throughput {
    Elements(u32),
}

impl Benchmark {
    fn samples(&self, sample: &Sample) -> Vec<f64> {
        let Throughput::Elements(elements) = self.throughput;
        let each = sample.times.iter().zip(&sample.iters);
        each.map(|(time, iterations)| time / iterations / f64::from(elements))
            .collect()
    }
}

/// Those of the one benchmark whose files are below `home`.
fn samples_in(home: &Path) -> Result<Vec<f64>, String> {
    let groups = folders_in(home).into_iter();
    let benchmarks = groups.flat_map(|group| folders_in(&group));
    let measured = benchmarks.map(|benchmark| benchmark.join("new"));
    let measured: Vec<_> = measured.filter(|new| new.exists()).collect();
    let [new] = &measured[..] else {
        let count = measured.len();
        return Err(format!("the files of {count} benchmarks are there"));
    };
    let benchmark: Benchmark = read(&new.join("benchmark.json"))?;
    let samples = benchmark.samples(&read(&new.join("sample.json"))?);
    if samples.is_empty() {
        return Err("there are no samples".to_owned());
    }
    Ok(samples)
}

fn folders_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.filter(|path| path.is_dir()).collect()
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, String> {
    let wrong = |why: String| format!("{}: {why}", path.display());
    let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::samples_in;
    use criterion::{Criterion, SamplingMode, Throughput};
    use std::thread;
    use std::time::Duration;

    /// The samples of a program in which an iteration takes what `time` says of its batch: in ns, by the number
    /// of the batch, from 0.
    fn left_by(mut time: impl FnMut(u64) -> f64) -> Vec<f64> {
        let folder = tempfile::tempdir().expect("a folder");
        let mut criterion = Criterion::default()
            .without_plots()
            .output_directory(folder.path())
            .nresamples(1_001)
            .sample_size(10)
            .warm_up_time(Duration::from_millis(1))
            .measurement_time(Duration::from_millis(1));
        let mut group = criterion.benchmark_group("group");
        group.sampling_mode(SamplingMode::Flat);
        group.throughput(Throughput::Elements(4));
        let mut batch = 0;
        group.bench_function("one", |bencher| {
            bencher.iter_custom(|iterations| {
                let each = time(batch);
                batch += 1;
                // As long as there is to warm up, so that there is a batch or two of that.
                thread::sleep(Duration::from_millis(1));
                Duration::from_nanos((each * iterations as f64) as u64)
            });
        });
        group.finish();
        samples_in(folder.path()).expect("the files are there")
    }

    #[test]
    fn batches_of_warming_up_are_no_samples() {
        // The first batch is always one of warming up: here it is a thousand times as fast as any other.
        let samples = left_by(|batch| match batch {
            0 => 4.0,
            batch => 4_000.0 + 400.0 * (batch % 2) as f64,
        });
        assert_eq!(samples.len(), 10);
        let is_real = |sample: &f64| [1_000.0, 1_100.0].contains(sample);
        assert!(samples.iter().all(is_real), "{samples:?}");
    }

    #[test]
    fn files_that_are_not_there_are_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let what = samples_in(folder.path()).expect_err("it is empty");
        assert_eq!(what, "the files of 0 benchmarks are there");
    }
}
