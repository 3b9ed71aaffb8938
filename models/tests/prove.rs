//! The worker that runs over programs, as its parent sees it, in whichever build this is.

use std::process::{Command, Output};

use nmr_models::report::Line;

fn worker(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nmr-worker"));
    command
        .arg("prove")
        .args(args)
        .output()
        .expect("the worker starts")
}

fn lines(output: &Output) -> Vec<Line> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let line = |line| serde_json::from_str(line).expect("a line of the format");
    text.lines().map(line).collect()
}

#[cfg(any(loom, shuttle))]
#[test]
fn a_build_without_the_engine_says_so() {
    let output = worker(&["--size", "small"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(lines(&output), []);
    let stderr = String::from_utf8(output.stderr).unwrap();
    let expected = "error: direct, which exhausts programs, is not an engine of this build\n";
    assert_eq!(stderr, expected);
}

#[cfg(not(any(loom, shuttle)))]
mod with_the_engine {
    use nmr_models::prove::report::Summary;
    use nmr_models::report::{Line, Verdict};
    use nmr_models::rule::Rule;

    use super::{lines, worker};

    /// The summary, and the coverage before it.
    fn proved(shard: &str, workers: &str) -> (Summary, Vec<u64>) {
        let output = worker(&["--size", "small", "--shard", shard, "--workers", workers]);
        assert_eq!(output.status.code(), Some(0));
        let mut lines = lines(&output);
        let Some(Line::ProveSummary(summary)) = lines.pop() else {
            panic!("the summary comes last");
        };
        let coverage = lines.iter().filter_map(|line| match line {
            Line::Coverage(coverage) => Some(coverage.exercised),
            _ => None,
        });
        (*summary, coverage.collect())
    }

    #[test]
    fn verdict_and_counts_do_not_depend_on_the_number_of_workers() {
        let (one, coverage) = proved("3/2000", "1");
        assert_eq!(one.verdict, Verdict::Holds);
        assert_eq!((one.programs, one.programs_in_size), (59, 117_226));
        assert_eq!(coverage.len(), Rule::all().count());
        assert!(
            one.states > one.programs && one.transitions > one.states,
            "{one:?}"
        );
        let (mut four, other) = proved("3/2000", "4");
        (four.seconds, four.workers) = (one.seconds, one.workers);
        assert_eq!((one, coverage), (four, other));
    }

    #[test]
    fn an_unknown_size_is_refused_with_those_that_there_are() {
        let output = worker(&["--size", "huge"]);
        assert_eq!(output.status.code(), Some(2));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            stderr,
            "error: `huge` is no size: expected one of small, calls, corners, medium, large\n"
        );
    }
}
