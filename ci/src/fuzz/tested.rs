//! What other programs are told: the campaign, and each finding.

use std::fs;
use std::path::{Path, PathBuf};

use nmr_models::case::Case;
use nmr_models::report::{Finding, FuzzSummary, Verdict};
use nmr_models::rule::Rule;
use nmr_properties::campaign::batch::Batch;
use nmr_properties::campaign::folder::Folder;

use crate::outputs::Tested;

/// A suite for the campaign: a test of all of it, and one for each finding, for what is incomplete, and for each program on
/// which the harness failed.
pub(super) fn tested(
    batches: &[&Batch],
    findings: &[Finding],
    folder: &Folder,
    summary: &FuzzSummary,
) -> Vec<Tested> {
    let suite = format!("seed {} {}", summary.seed, summary.shard);
    let one = |name: String, verdict, rule, message, case| Tested {
        suite: suite.clone(),
        name,
        verdict,
        rule,
        message,
        seconds: 0.0,
        case,
        scenario: None,
    };
    let mut all = Vec::new();
    // Those of earlier runs have a file as well, and so have those of other campaigns.
    let own = |path: &PathBuf| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let in_batch = |batch: &&Batch| batch.failures.contains_key(&*name);
        let is_told = |finding: &Finding| finding.case.as_ref() == Some(path);
        batches.iter().any(in_batch) || findings.iter().any(is_told)
    };
    let files = folder.findings().unwrap_or_default();
    for path in files.into_iter().filter(own) {
        let Some((rule, message)) = case(&path) else {
            continue;
        };
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        all.push(one(
            name.into(),
            Verdict::Violated,
            rule,
            message,
            Some(path),
        ));
    }
    for finding in findings.iter().filter(|finding| finding.case.is_none()) {
        let name = finding
            .rule
            .map_or("crash".to_owned(), |rule| rule.to_string());
        all.push(one(
            name,
            Verdict::Violated,
            finding.rule,
            finding.message.clone(),
            None,
        ));
    }
    for batch in batches {
        let name = |program: &u64| format!("batch {} program {program}", batch.number);
        for (program, why) in &batch.incomplete {
            all.push(one(
                name(program),
                Verdict::Incomplete,
                None,
                why.clone(),
                None,
            ));
        }
        for (program, why) in &batch.errors {
            all.push(one(
                name(program),
                Verdict::HarnessError,
                None,
                why.clone(),
                None,
            ));
        }
    }
    if all.is_empty() {
        let whole = one(
            "campaign".to_owned(),
            Verdict::Holds,
            None,
            String::new(),
            None,
        );
        all.push(Tested {
            seconds: summary.seconds,
            ..whole
        });
    }
    all
}

fn case(path: &Path) -> Option<(Option<Rule>, String)> {
    let text = fs::read_to_string(path).ok()?;
    let case = Case::from_toml(path, &text).ok()?;
    Some((case.rule, case.message))
}
