//! What a run has printed with `--format json`, read back.

use std::fs;
use std::path::Path;

use nmr_models::report::Line;

use super::data::{Run, name};
use crate::error::Error;

/// Reads a file.
///
/// # Errors
/// It cannot be read, or has no line of the format at all.
pub(super) fn read(path: &Path) -> Result<Run, Error> {
    let text = fs::read_to_string(path).map_err(|source| Error::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let run = parse(&name(path), &text);
    match is_nothing(&run) {
        true => Err(Error::Usage(format!(
            "{}: it has no line that `check`, `prove`, `bugs`, `fuzz` or `case` prints with `--format json`",
            path.display()
        ))),
        false => Ok(run),
    }
}

fn is_nothing(run: &Run) -> bool {
    let Run {
        results,
        coverage,
        broken,
        bugs,
        twins,
        findings,
        cases,
        is_whole,
        ..
    } = run;
    let empty = [
        results.is_empty(),
        coverage.is_empty(),
        broken.is_empty(),
        bugs.is_empty(),
        twins.is_empty(),
        findings.is_empty(),
        cases.is_empty(),
    ];
    empty.iter().all(|&is_empty| is_empty) && !is_whole
}

fn parse(file: &str, text: &str) -> Run {
    let mut run = Run {
        file: file.to_owned(),
        ..Run::default()
    };
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match serde_json::from_str(line) {
            Ok(line) => add(&mut run, line),
            Err(_) => run.unread += 1,
        }
    }
    // These commands have no last line of their own.
    run.is_whole |= !run.bugs.is_empty() || !run.cases.is_empty();
    run
}

fn add(run: &mut Run, line: Line) {
    match line {
        Line::Result(mut result) => {
            // The certificate says the same in words.
            result.report = None;
            result.case = result.case.map(|case| name(&case).into());
            run.results.push(result);
        }
        Line::Coverage(coverage) => run.coverage.push(coverage),
        Line::Summary(summary) => {
            run.check = Some(summary);
            run.is_whole = true;
        }
        Line::Broken(mut broken) => {
            broken.case = broken.case.map(|case| name(&case).into());
            run.broken.push(broken);
        }
        Line::ProveSummary(summary) => {
            run.proof = Some(*summary);
            run.is_whole = true;
        }
        Line::Bug(bug) => run.bugs.push(bug),
        Line::Twin(twin) => run.twins.push(twin),
        Line::Finding(mut finding) => {
            finding.case = finding.case.map(|case| name(&case).into());
            run.findings.push(finding);
        }
        Line::FuzzSummary(summary) => {
            run.fuzz = Some(summary);
            run.is_whole = true;
        }
        Line::Case(mut case) => {
            case.case = name(&case.case).into();
            // A page with the same inputs is the same tomorrow.
            case.age = None;
            run.cases.push(case);
        }
        Line::FuzzBatch(_) | Line::Progress { .. } | Line::ProveProgress(_) => {}
        Line::Bench(_) | Line::BugInPrograms(_) | Line::Replay(_) | Line::Sequence(_) => {
            run.unread += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{is_nothing, parse};

    const CHECK: &str = concat!(
        r#"{"kind":"result","scenario":"s","engine":"direct","verdict":"violated","extent":"sampled","how":null,"rule":"C7","message":"m","executions":12,"seconds":0.1,"seed":null,"case":"/somewhere/s.toml","states":5,"certificate":null,"preemptions":null,"exercised":[{"rule":"C7","exercised":3}]}"#,
        "\n",
        r#"{"kind":"coverage","rule":"C7","exercised":4211}"#,
        "\n",
    );

    #[test]
    fn lines_are_sorted_by_kind_and_paths_are_left_out() {
        let run = parse("run.jsonl", CHECK);
        let case = run.results[0].case.as_ref().expect("it has a case");
        assert_eq!(case.to_str(), Some("s.toml"));
        assert_eq!(run.results[0].exercised.len(), 1);
        assert_eq!((run.coverage.len(), run.is_whole), (1, false));
    }

    #[test]
    fn what_is_not_understood_is_counted_and_does_not_count_as_a_run() {
        let run = parse("x.jsonl", "{\"kind\":\"from-tomorrow\"}\nno json\n\n");
        assert_eq!(run.unread, 2);
        assert!(is_nothing(&run));
    }
}
