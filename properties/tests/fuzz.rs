//! The fuzzer as `nmr fuzz` sees it: a process with arguments, lines, an exit code, and a folder.

use std::process::{Command, Output};

fn fuzz(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nmr-fuzz"));
    command.args(args).output().expect("it starts")
}

const SOME: [&str; 8] = [
    "--time-ms",
    "60000",
    "--seed",
    "7",
    "--programs",
    "5",
    "--shrink-ms",
    "60000",
];

#[test]
fn bad_usage_is_exit_code_2() {
    let output = fuzz(&["--seed", "1"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
}

#[cfg(not(shuttle))]
#[test]
fn without_shuttle_it_says_what_it_needs() {
    let output = fuzz(&[&SOME[..], &["--batches", "0", "--out", "x"]].concat());
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("--cfg shuttle"), "{stderr}");
}

#[cfg(shuttle)]
mod under_shuttle {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::Path;
    use std::time::{Duration, Instant};

    use nmr_models::report::Line;
    use nmr_properties::campaign::batch::Batch;
    use nmr_properties::campaign::folder::Folder;

    use super::{Output, SOME, fuzz};

    fn lines(output: &Output) -> Vec<Line> {
        let text = std::str::from_utf8(&output.stdout).expect("UTF-8");
        let parse =
            |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"));
        text.lines().map(parse).collect()
    }

    fn run(batches: &str, out: &Path, more: &[&str]) -> Output {
        let out = out.to_str().expect("UTF-8");
        let output = fuzz(&[&SOME[..], &["--batches", batches, "--out", out], more].concat());
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        output
    }

    /// All files, by their path from the top, but those that say when.
    fn files(folder: &Path) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        let mut left = vec![folder.to_owned()];
        while let Some(next) = left.pop() {
            for entry in fs::read_dir(next).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    left.push(path);
                } else {
                    let name = path.strip_prefix(folder).expect("it is below");
                    let text = fs::read_to_string(&path).expect("text");
                    files.insert(name.display().to_string(), text);
                }
            }
        }
        files.remove(".lock");
        files
    }

    #[test]
    fn shards_in_any_order_come_to_what_one_process_does() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = |name: &str| folder.path().join(name);
        let output = run("0+1..8", &place("whole"), &[]);
        let batches = lines(&output)
            .into_iter()
            .filter(|line| matches!(line, Line::FuzzBatch(batch) if batch.programs == 5));
        assert_eq!(batches.count(), 8, "{output:?}");
        for (shard, batches) in ["0+4..8", "1+4..8", "2+4..8", "3+4..8"].iter().enumerate() {
            run(batches, &place(&shard.to_string()), &[]);
        }
        for (name, order) in [("one", [0, 1, 2, 3]), ("other", [3, 1, 1, 0])] {
            let merged = Folder::at(place(name));
            for shard in order.into_iter().chain([2]) {
                let shard = Folder::at(place(&shard.to_string()));
                merged.merge(&shard).expect("merged");
            }
            let (whole, merged) = (files(&place("whole")), files(&place(name)));
            assert_eq!(merged, whole, "{name}");
            assert!(whole.len() >= 8, "{:?}", whole.keys());
        }
    }

    #[test]
    fn what_is_done_is_not_done_again_and_another_seed_is_another_campaign() {
        let folder = tempfile::tempdir().expect("a folder");
        run("3", folder.path(), &[]);
        let before = files(folder.path());
        let output = run("3", folder.path(), &[]);
        let is_a_batch = |line: &Line| matches!(line, Line::FuzzBatch(_));
        assert!(!lines(&output).iter().any(is_a_batch), "{output:?}");
        assert_eq!(files(folder.path()), before);
    }

    /// The only batch in a folder.
    fn batch_in(folder: &Path) -> Batch {
        let batches = Folder::at(folder.to_owned()).batches().expect("read");
        let Ok([batch]) = <[Batch; 1]>::try_from(batches) else {
            panic!("one batch is in {}", folder.display());
        };
        batch
    }

    #[test]
    fn a_program_that_is_skipped_is_incomplete_and_the_rest_is_done() {
        let folder = tempfile::tempdir().expect("a folder");
        let skip = r#"{"batch":2,"program":1,"why":"it needs too much","finding":null}"#;
        run("2", folder.path(), &["--skip", skip]);
        let batch = batch_in(folder.path());
        assert_eq!(batch.programs, 5);
        let why = (1, "it needs too much".to_owned());
        assert_eq!(Vec::from_iter(batch.incomplete), [why]);
    }

    #[test]
    fn a_finding_that_no_process_gets_over_stays_one_in_its_batch() {
        let folder = tempfile::tempdir().expect("a folder");
        let finding = r#"{"rule":"C16","name":"c16-1","variant":"2-3"}"#;
        let skip = format!(r#"{{"batch":2,"program":1,"why":"it hung","finding":{finding}}}"#);
        run("2", folder.path(), &["--skip", &skip]);
        let batch = batch_in(folder.path());
        assert!(batch.incomplete.is_empty(), "{batch:?}");
        let failures = &batch.failures["c16-1"];
        assert_eq!((failures.count, failures.first), (1, 1));
    }

    #[test]
    fn it_ends_with_what_it_has_when_its_standard_input_ends() {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().to_str().expect("UTF-8");
        let args =
            "--time-ms 600000 --seed 7 --programs 1000000 --batches 0+1 --until-stdin-ends --out";
        let args: Vec<&str> = args.split(' ').chain([out]).collect();
        let start = Instant::now();
        // It is given none.
        let output = fuzz(&args);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert!(start.elapsed() < Duration::from_secs(300));
    }

    #[test]
    fn too_much_memory_ends_it_with_12() {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().to_str().expect("UTF-8");
        let more = ["--batches", "0+1", "--out", out, "--max-memory", "4096"];
        let output = fuzz(&[&SOME[..], &more].concat());
        assert_eq!(output.status.code(), Some(12), "{output:?}");
    }

    #[test]
    fn it_ends_when_its_time_is_up_with_what_it_has() {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().to_str().expect("UTF-8");
        let args = "--time-ms 1500 --seed 7 --programs 1000000 --batches 0+1 --out";
        let args: Vec<&str> = args.split(' ').chain([out]).collect();
        let start = Instant::now();
        let output = fuzz(&args);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let elapsed = start.elapsed();
        assert!(elapsed < Duration::from_millis(1500 + 3500), "{elapsed:?}");
        let batches = Folder::at(folder.path().to_owned())
            .batches()
            .expect("read");
        assert!(batches[0].programs > 0 && !batches[0].is_whole());
    }
}
