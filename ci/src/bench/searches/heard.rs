//! What the worker of a row said, and what follows from it. Pure.

use nmr_models::engine_name::BenchEngine;
use nmr_models::process;
use nmr_models::process::heard::Unbelieved;
use nmr_models::process::supervise::{End, How};
use nmr_models::report::{Bench, Line, Verdict};

use super::rows::Row;
use crate::words;

/// What was heard so far.
#[derive(Debug, Default)]
pub(super) struct Heard {
    executions: u64,
    row: process::heard::Heard<Bench>,
}

impl Heard {
    /// Takes in a line; answers how far the search has come, in words, if the line tells.
    pub(super) fn take(&mut self, line: &str) -> Option<String> {
        match self.row.line(line)? {
            Line::Progress { executions, text } => {
                self.executions = executions;
                return Some(text.unwrap_or_else(|| words::plural(executions, "execution")));
            }
            Line::Bench(row) => self.row.result(row, line),
            _ => self.row.strange(line),
        }
        None
    }
}

/// The row, whatever became of its worker; `None` if everything has to stop.
pub(super) fn judge(row: &Row, heard: Heard, end: &End) -> Option<Bench> {
    let executions = heard.executions;
    let instead = |verdict, what: String| {
        Some(Bench {
            program: row.program.clone(),
            engine: row.engine,
            verdict,
            how: Some(with_last_words(what, &end.stderr)),
            executions,
            before_restart: None,
            states: None,
            seconds: end.after.as_secs_f64(),
            workers: match row.engine {
                BenchEngine::Direct | BenchEngine::Explorer => row.explorer.workers.into(),
                _ => 1,
            },
            memory: None,
            without: row.without_names(),
        })
    };
    let status = match end.how {
        How::Stopped => return None,
        How::TimedOut => {
            let what = format!(
                "its worker hung and was killed (its limit was {:?})",
                row.limit
            );
            return instead(Verdict::Violated, what);
        }
        How::Exited(status) => status,
    };
    let code = |row: &Bench| i32::from(row.verdict.exit_code());
    let agrees = |row: &Bench| status.code() == Some(code(row));
    match heard.row.believe(status, agrees) {
        Ok(said) if (said.program.as_str(), said.engine) != (row.program.as_str(), row.engine) => {
            let other = format!("{} under {}", said.program, said.engine);
            instead(Verdict::HarnessError, format!("its worker ran {other}"))
        }
        Ok(said) => Some(said),
        Err(why @ Unbelieved::Crashed(_)) => {
            instead(Verdict::Violated, format!("its worker {why}"))
        }
        Err(why) => instead(Verdict::HarnessError, format!("its worker {why}")),
    }
}

fn with_last_words(what: String, stderr: &str) -> String {
    match stderr {
        "" => what,
        stderr => format!("{what}\nlast on its stderr:\n{stderr}"),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::{Heard, judge};
    use crate::bench::searches::rows;
    use crate::bench::searches::samples::{bench, cut};
    use nmr_models::engine_name::BenchEngine;
    use nmr_models::process::supervise::{End, How};
    use nmr_models::report::{Bench, Line, Verdict};
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;
    use std::time::Duration;

    fn end(how: How) -> End {
        End {
            how,
            after: Duration::from_secs(3),
            stderr: "oh".to_owned(),
        }
    }

    fn exited(code: i32) -> How {
        How::Exited(ExitStatus::from_raw(code << 8))
    }

    /// The first row is that of two-lives under the explorer.
    fn judged(said: Option<Bench>, how: How) -> Option<Bench> {
        let mut heard = Heard::default();
        let progress = r#"{"kind":"progress","executions":5,"text":"halfway"}"#;
        assert_eq!(heard.take(progress).as_deref(), Some("halfway"));
        if let Some(row) = said {
            let line = serde_json::to_string(&Line::Bench(row)).expect("it has a form");
            assert_eq!(heard.take(&line), None);
        }
        judge(&rows::explorer(&[], 1, None)[0], heard, &end(how))
    }

    #[test]
    fn a_worker_that_does_as_agreed_is_believed() {
        let row = bench("two-lives", BenchEngine::Explorer, 47, 0.1);
        assert_eq!(judged(Some(row.clone()), exited(0)), Some(row.clone()));
        let short = cut(row, "30s were over");
        assert_eq!(judged(Some(short.clone()), exited(3)), Some(short));
    }

    #[test]
    fn one_that_does_not_is_told_with_its_last_words() {
        let row = bench("two-lives", BenchEngine::Explorer, 47, 0.1);
        let other = bench("four-lives", BenchEngine::Explorer, 47, 0.1);
        for (said, how, verdict, expected) in [
            (
                None,
                exited(0),
                Verdict::HarnessError,
                "ended without a result",
            ),
            (None, exited(101), Verdict::Violated, "crashed"),
            (
                Some(row.clone()),
                exited(3),
                Verdict::HarnessError,
                "contradicts itself",
            ),
            (
                Some(other),
                exited(0),
                Verdict::HarnessError,
                "ran four-lives under explorer",
            ),
            (
                None,
                How::TimedOut,
                Verdict::Violated,
                "hung and was killed",
            ),
        ] {
            let row = judged(said, how).expect("nothing stops it");
            let how = row.how.unwrap_or_default();
            assert_eq!(row.verdict, verdict, "{how}");
            assert!(how.contains(expected) && how.ends_with("\noh"), "{how}");
            assert_eq!(row.executions, 5);
        }
        assert_eq!(judged(Some(row), How::Stopped), None);
    }

    #[test]
    fn strange_lines_are_errors_of_the_harness() {
        let mut heard = Heard::default();
        assert_eq!(heard.take("hello"), None);
        let row = judge(&rows::explorer(&[], 1, None)[0], heard, &end(exited(0)));
        let row = row.expect("nothing stops it");
        assert_eq!(row.verdict, Verdict::HarnessError);
        assert!(row.how.unwrap_or_default().contains("not its: hello"));
    }
}
