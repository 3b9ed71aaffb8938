//! GitHub's workflow commands, which become annotations at the lines of a change, and the summary of a job. Pure.

use std::fmt::Write;
use std::path::Path;

use nmr_models::report::Verdict;

use super::{Tested, in_repository, place};
use crate::words;

/// An `::error` for each violation and error of the harness, a `::warning` for what is not known.
pub(super) fn annotations(root: &Path, tested: &[Tested]) -> String {
    let mut text = String::new();
    for one in tested {
        let command = match one.verdict {
            Verdict::Holds => continue,
            Verdict::Incomplete => "warning",
            Verdict::Violated | Verdict::HarnessError => "error",
        };
        let place = place::of(root, one);
        let mut properties = Vec::new();
        if let Some(place) = &place {
            properties.push(format!("file={}", property(&place.file)));
            properties.push(format!("line={}", place.line));
        }
        properties.push(format!("title={}", property(&title(one))));
        let message = data(&message(root, one));
        let _ = writeln!(text, "::{command} {}::{message}", properties.join(","));
    }
    text
}

/// Markdown for the job's page, which can be pasted into an issue as it is.
pub(super) fn summary(command: &str, root: &Path, tested: &[Tested]) -> String {
    let with = |verdict| tested.iter().filter(|one| one.verdict == verdict).count() as u64;
    let mut text = format!(
        "### nmr {command}\n\n{} tried: {} hold, {} violated, {} incomplete, {} failed in the harness\n\n",
        words::count(tested.len() as u64),
        words::count(with(Verdict::Holds)),
        words::count(with(Verdict::Violated)),
        words::count(with(Verdict::Incomplete)),
        words::count(with(Verdict::HarnessError)),
    );
    for one in tested.iter().filter(|one| one.verdict != Verdict::Holds) {
        let message = message(root, one);
        // A fence that is longer than any in the text.
        let fence = "`".repeat(longest_ticks(&message).max(2) + 1);
        let _ = write!(
            text,
            "<details><summary>{}</summary>\n\n{fence}text\n{message}\n{fence}\n\n</details>\n\n",
            escaped(&title(one)),
        );
    }
    text
}

fn title(one: &Tested) -> String {
    let what = match (one.verdict, one.rule) {
        (Verdict::Violated, Some(rule)) => format!("{rule} {}", rule.title()),
        (Verdict::Violated, None) => "crash".to_owned(),
        (Verdict::Incomplete, _) => "incomplete".to_owned(),
        _ => "the harness failed".to_owned(),
    };
    format!("{what}: {} under {}", one.suite, one.name)
}

fn message(root: &Path, one: &Tested) -> String {
    match &one.case {
        Some(case) => {
            let case = in_repository(root, case);
            format!("{}\nrepeat with: cargo nmr replay {case}", one.message)
        }
        None => one.message.clone(),
    }
}

fn longest_ticks(text: &str) -> usize {
    let runs = text.split(|c| c != '`').map(str::len);
    runs.max().unwrap_or(0)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// What comes after the `::`, as the runner reads it back.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// The value of a property, in which `:` and `,` mean something.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use nmr_models::report::Verdict;

    use super::super::samples::tested;
    use super::{annotations, summary};

    #[test]
    fn what_holds_is_not_annotated_and_lines_and_signs_are_escaped() {
        let all = [
            tested(Verdict::Holds, ""),
            tested(Verdict::Violated, "100 %\nof ::it"),
            tested(Verdict::Incomplete, "2s were over"),
        ];
        let text = annotations(Path::new("/top"), &all);
        assert_eq!(
            text,
            "::error title=C11 context lifetime%3A two-lives under explorer::100 %25%0Aof ::it%0Arepeat with: cargo nmr \
             replay target/nmr/cases/two-lives-explorer-c11.toml\n\
             ::warning title=incomplete%3A two-lives under explorer::2s were over\n"
        );
    }

    #[test]
    fn the_summary_can_be_pasted_whatever_a_message_contains() {
        let all = [tested(Verdict::Violated, "a ``` fence")];
        let text = summary("check", Path::new("/top"), &all);
        assert!(text.contains("\n````text\na ``` fence\n"), "{text}");
        assert!(text.contains("1 tried: 0 hold, 1 violated"), "{text}");
    }
}
