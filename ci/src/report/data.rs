//! What the page shows, as data. Pure: files are read and cases replayed elsewhere.

use std::path::Path;

use nmr_models::case;
use nmr_models::prove::report::{Broken, Summary as Proof};
use nmr_models::replay::{Replayed, Verdict};
use nmr_models::report::{
    Bug, CaseLine, Coverage, Finding, FuzzSummary, RunResult, Sequence, Summary, Twin,
};
use nmr_models::rule::Rule;
use nmr_models::trace::{Passing, Trace};
use serde::Serialize;

use super::contract::{Stated, rules};

/// All of it.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The version of the harness.
    pub version: String,
    /// The rules of the contract.
    pub rules: Vec<Stated>,
    /// Saved cases.
    pub cases: Vec<Case>,
    /// What runs have printed, a file each.
    pub runs: Vec<Run>,
}

impl Report {
    /// With nothing in it yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            version: case::version(),
            rules: rules(),
            cases: Vec::new(),
            runs: Vec::new(),
        }
    }
}

impl Default for Report {
    fn default() -> Self {
        Self::new()
    }
}

/// A saved case, and what came of it today.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Case {
    /// The name of its file.
    pub file: String,
    /// Its scenario, and what that is about.
    pub scenario: Option<String>,
    /// In a line.
    pub summary: Option<String>,
    /// The engine that found it.
    pub engine: Option<String>,
    /// The rule that it was saved for.
    pub rule: Option<Rule>,
    /// The rule that breaks today.
    pub broken: Option<Rule>,
    /// What came of it, in words.
    pub verdict: String,
    /// `violated`, `holds`, `open` or `failed`.
    pub tone: Tone,
    /// What happens today; empty if nothing does.
    pub message: String,
    /// What happened when it was saved.
    pub saved: String,
    /// Step by step.
    pub trace: Option<Trace>,
    /// Step by step, where nothing breaks.
    pub passing: Option<Passing>,
    /// Of a case of one thread, and of one without a trace: what happened, as text.
    pub text: Option<String>,
    /// Why there are no steps to go through.
    pub without: Option<&'static str>,
}

/// How a verdict is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tone {
    /// A rule breaks.
    Violated,
    /// None does.
    Holds,
    /// Nobody knows.
    #[default]
    Open,
    /// The file or the harness is at fault.
    Failed,
}

impl Tone {
    fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Reproduces
            | Verdict::ReproducesAfterRealignment { .. }
            | Verdict::ReproducesElsewhere
            | Verdict::BreaksAnotherRule => Self::Violated,
            Verdict::Fixed { .. } => Self::Holds,
            Verdict::Malformed { .. } | Verdict::HarnessError { .. } => Self::Failed,
            _ => Self::Open,
        }
    }
}

impl Case {
    /// One that cannot be replayed.
    #[must_use]
    pub fn unread(path: &Path, verdict: &Verdict) -> Self {
        Self {
            file: name(path),
            verdict: verdict.to_string(),
            tone: Tone::of(verdict),
            ..Self::default()
        }
    }

    /// One of a single thread.
    #[must_use]
    pub fn sequence(path: &Path, sequence: &Sequence) -> Self {
        Self {
            text: Some(sequence.text.clone()),
            without: Some(
                "It is a sequence of operations of one thread: its steps are told as text.",
            ),
            ..Self::unread(path, &sequence.verdict)
        }
    }

    /// One of a scenario.
    #[must_use]
    pub fn replayed(path: &Path, case: &case::Case, replayed: Replayed) -> Self {
        let without = match (&replayed.trace, &replayed.verdict) {
            (Some(_), _) => None,
            (None, Verdict::Fixed { .. }) => Some(
                "Nothing breaks any more, and the case has no schedule that could be followed: no execution of it stands out.",
            ),
            (None, _) => Some(
                "The execution could not be made again step by step under the explorer: what is known of it is its events, and not what the registrar held.",
            ),
        };
        Self {
            scenario: Some(case.scenario.name.clone()),
            summary: Some(case.scenario.summary.clone()),
            engine: Some(case.engine.to_string()),
            rule: case.rule,
            broken: replayed.broken,
            saved: case.message.clone(),
            text: (without.is_some() && !replayed.interleaving.is_empty())
                .then(|| nmr_models::render::picture(&replayed.interleaving)),
            without,
            message: replayed.message,
            trace: replayed.trace.map(|trace| *trace),
            passing: replayed.passing.map(|passing| *passing),
            ..Self::unread(path, &replayed.verdict)
        }
    }
}

/// What one run has printed: those lines of each kind that there were.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Run {
    /// The name of its file.
    pub file: String,
    /// Of a check: each scenario under each engine.
    pub results: Vec<RunResult>,
    /// How often each rule was exercised, over all.
    pub coverage: Vec<Coverage>,
    /// Of a check.
    pub check: Option<Summary>,
    /// Of a proof: what breaks.
    pub broken: Vec<Broken>,
    /// Of a proof.
    pub proof: Option<Proof>,
    /// Of a hunt for planted bugs.
    pub bugs: Vec<Bug>,
    /// Their correct twins.
    pub twins: Vec<Twin>,
    /// Of fuzzing: what was found.
    pub findings: Vec<Finding>,
    /// Of fuzzing.
    pub fuzz: Option<FuzzSummary>,
    /// Of cases that were listed.
    pub cases: Vec<CaseLine>,
    /// Lines of other kinds, or of another version, which are not shown.
    pub unread: u64,
    /// Whether the run's last line is there. Without it the run was cut short, or is not over.
    pub is_whole: bool,
}

/// The name of a file: where it lies is of no interest to whoever is sent the page.
pub(super) fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::{Case, Tone};
    use nmr_models::replay::Verdict;

    #[test]
    fn a_case_that_cannot_be_read_says_why() {
        let why = "written by another version".to_owned();
        let case = Case::unread("a/b.toml".as_ref(), &Verdict::NoLongerApplicable { why });
        assert_eq!((case.file.as_str(), case.tone), ("b.toml", Tone::Open));
        assert_eq!(
            case.verdict,
            "no longer applicable (written by another version)"
        );
    }
}
