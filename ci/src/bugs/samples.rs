//! Bugs and runs for this module's unit tests.

use nmr_models::engine_name::Engine;
use nmr_models::report::{Extent, RunResult, Verdict};
use nmr_models::rule::Rule;
use nmr_models::scenarios;

use super::data::{Bug, Of};
use super::lines::Ran;
use super::plant::Diff;
use super::subject::Subject;

pub(super) fn registrar_bug(name: &str, scenarios: &[&str]) -> Bug {
    let diff = |name: String| Diff {
        path: format!("models/bugs/{name}").into(),
        name,
        text: String::new(),
    };
    Bug {
        name: name.to_owned(),
        story: "Nobody detaches a late comer. Its wait never ends.".to_owned(),
        rule: Rule::new(6),
        source: None,
        direct: None,
        loom: None,
        prove: None,
        shows: None,
        conditions: Default::default(),
        of: Of::Registrar {
            scenarios: scenarios.iter().map(|&name| name.to_owned()).collect(),
            change: diff(name.to_owned()),
            twin: diff(format!("{name}.twin")),
        },
    }
}

/// A bug of the registrar, of which C6 is expected.
pub(super) fn subject(scenarios: &[&str]) -> Subject {
    let places = [(
        "core/src/table/attach.rs".to_owned(),
        "attach_returned".to_owned(),
    )];
    let bug = registrar_bug("stranded-attach", scenarios);
    Subject::of_registrar(&bug, &places, &scenarios::all()).expect("it is the registrar's")
}

pub(super) fn missed_by(case: usize) -> Ran {
    Ran {
        case,
        result: RunResult {
            scenario: format!("scenario-{case}"),
            conditions: Default::default(),
            engine: Engine::Explorer,
            verdict: Verdict::Holds,
            extent: Extent::Complete,
            how: None,
            rule: None,
            message: String::new(),
            executions: 1_234,
            seconds: 0.5,
            seed: None,
            case: None,
            states: None,
            certificate: None,
            preemptions: None,
            in_force: Vec::new(),
            notes: Vec::new(),
            report: None,
            exercised: Vec::new(),
        },
        unchecked: false,
    }
}

pub(super) fn ended(case: usize, verdict: Verdict) -> Ran {
    let mut ran = missed_by(case);
    ran.result.verdict = verdict;
    ran.result.extent = Extent::Sampled;
    match verdict {
        Verdict::Incomplete => ran.result.how = Some("out of time".to_owned()),
        Verdict::HarnessError => ran.result.message = "its worker said nothing".to_owned(),
        Verdict::Holds | Verdict::Violated => {}
    }
    ran
}

pub(super) fn found_by(case: usize, rule: Option<u8>) -> Ran {
    let mut ran = ended(case, Verdict::Violated);
    ran.result.rule = rule.map(Rule::new);
    ran.result.message = "the threads cannot go on\nby t1".to_owned();
    ran
}
