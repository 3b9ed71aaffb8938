//! Results for this crate's unit tests.

use nmr_models::conditions::Conditions;
use nmr_models::engine_name::Engine;
use nmr_models::process::Outcome;
use nmr_models::report::{Coverage, Extent, RunResult, Verdict};
use nmr_models::rule::Rule;

use super::tally::Frame;

pub(crate) fn holds() -> RunResult {
    RunResult {
        scenario: "late-comer".to_owned(),
        conditions: Conditions::default(),
        engine: Engine::Loom,
        verdict: Verdict::Holds,
        extent: Extent::Complete,
        how: None,
        rule: None,
        message: String::new(),
        executions: 12_345,
        seconds: 1.26,
        seed: None,
        case: None,
        states: None,
        certificate: None,
        preemptions: None,
        in_force: Vec::new(),
        notes: Vec::new(),
        report: None,
        exercised: Vec::new(),
    }
}

pub(crate) fn violated() -> RunResult {
    RunResult {
        engine: Engine::Pct,
        verdict: Verdict::Violated,
        extent: Extent::Sampled,
        rule: Some(Rule::new(7)),
        message: "C7 detach once: c1 was asked to detach twice\nby t1, after t2".to_owned(),
        executions: 17,
        seconds: 0.04,
        seed: Some(7),
        case: Some("/elsewhere/late-comer-pct.toml".into()),
        ..holds()
    }
}

pub(crate) fn outcome(result: RunResult, exercised: &[(u8, u64)]) -> Outcome {
    let coverage = exercised.iter().map(|&(rule, exercised)| Coverage {
        rule: Rule::new(rule),
        exercised,
    });
    Outcome {
        result,
        coverage: coverage.collect(),
        refused: None,
    }
}

pub(crate) fn everything_exercised(result: RunResult) -> Outcome {
    let each = Rule::every().map(|rule| Coverage {
        rule,
        exercised: 1_000,
    });
    Outcome {
        coverage: each.collect(),
        ..outcome(result, &[])
    }
}

pub(crate) const fn frame() -> Frame<'static> {
    Frame {
        whole: true,
        interrupted: false,
        scenarios: 1,
        seconds: 61.5,
        seed: 7,
        conditions: Conditions {
            spurious_wakeups: false,
            complete_any: false,
        },
        left_out: &[],
        has_c_modules: false,
    }
}
