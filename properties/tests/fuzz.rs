//! The fuzzer as `nmr fuzz` sees it: a process with arguments, lines and an exit code.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

fn fuzz(args: &[&str]) -> (Output, Duration) {
    let start = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_nmr-fuzz"));
    let output = command.args(args).output().expect("it starts");
    (output, start.elapsed())
}

#[test]
fn bad_usage_is_exit_code_2() {
    let out = ["--time-ms", "10", "--seed", "1", "--out", "x"];
    for args in [
        &["--seed", "1"][..],
        &[&out[..], &["--shard", "3/2"]].concat(),
    ] {
        let (output, _) = fuzz(args);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(output.stdout.is_empty(), "{output:?}");
    }
}

#[cfg(not(shuttle))]
#[test]
fn without_shuttle_it_says_what_it_needs() {
    let (output, _) = fuzz(&["--time-ms", "10", "--seed", "1", "--out", "x"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("--cfg shuttle"), "{stderr}");
}

#[cfg(shuttle)]
mod under_shuttle {
    use nmr_models::report::{FuzzSummary, Line};

    use super::{Duration, Output, fuzz};

    fn lines(output: &Output) -> Vec<Line> {
        let text = std::str::from_utf8(&output.stdout).expect("UTF-8");
        let parse =
            |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}"));
        text.lines().map(parse).collect()
    }

    #[test]
    fn it_ends_in_time_with_a_summary_and_no_findings() {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("cases");
        let path = out.to_str().expect("UTF-8");
        let args = [
            "--time-ms",
            "2500",
            "--seed",
            "7",
            "--shard",
            "2/3",
            "--out",
            path,
        ];
        let (output, elapsed) = fuzz(&args);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert!(elapsed < Duration::from_millis(2500 + 3500), "{elapsed:?}");
        let lines = lines(&output);
        let Some((Line::FuzzSummary(summary), before)) = lines.split_last() else {
            panic!("no summary: {output:?}");
        };
        let FuzzSummary {
            scenarios,
            exhausted,
            sampled,
            executions,
            findings,
            seed,
            shard,
            ..
        } = summary;
        assert_eq!(
            (*findings, *seed, shard.to_string()),
            (0, 7, "2/3".to_owned())
        );
        assert!(*scenarios > 0 && *executions > *sampled, "{summary:?}");
        assert!(exhausted + sampled >= *scenarios, "{summary:?}");
        let progress = |line: &Line| matches!(line, Line::Progress { .. });
        assert!(
            !before.is_empty() && before.iter().all(progress),
            "{before:?}"
        );
        assert!(!out.exists(), "nothing was found, nothing is saved");
        assert!(output.stderr.is_empty(), "{output:?}");
    }
}
