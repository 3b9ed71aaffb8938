//! Runs as they are ordered, with provers that look at a program and make up what comes of it.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::TINY;
use crate::case::Case;
use crate::engine_name::Engine;
use crate::prove::report::{Broken, Summary};
use crate::prove::session::Order;
use crate::prove::{Outcome, Proved, Prover, Size, Violation};
use crate::report::{Line, Verdict};
use crate::rule::Rule;
use crate::scenario::{Attach, Scenario};
use crate::shard::Shard;

struct Declining(AtomicU64);

/// As if a client that declines broke a rule.
impl Prover for Declining {
    fn exhaust(&self, scenario: &Scenario) -> Proved {
        self.0.fetch_add(1, Ordering::Relaxed);
        let outcome = match scenario.modules[0].attach {
            Attach::Decline => Outcome::Violated(Violation {
                rule: Some(Rule::new(2)),
                message: format!("{} declines", scenario.modules[0].name),
                executions: Some(1),
                schedule: Vec::new(),
                sections: None,
            }),
            _ => Outcome::Holds,
        };
        Proved {
            states: 10,
            transitions: 20,
            exercised: [1; Rule::COUNT],
            outcome,
        }
    }
}

fn order(attach: &'static [Attach]) -> Order {
    Order {
        size: Size { attach, ..TINY },
        shard: Shard::WHOLE,
        workers: NonZeroUsize::MIN,
        time: None,
        first: false,
        checkpoint: None,
        cases: None,
        engine: Engine::Direct,
        conditions: Default::default(),
    }
}

/// What it said, but for progress: what broke, the rules told of, and the summary.
fn run(order: &Order) -> (Vec<Broken>, usize, Summary) {
    let mut lines = Vec::new();
    let prover = Declining(AtomicU64::new(0));
    let verdict = order.run(&prover, &AtomicBool::new(false), |line| lines.push(line));
    let Some(Line::ProveSummary(summary)) = lines.pop() else {
        panic!("the summary comes last");
    };
    assert_eq!(verdict.unwrap(), summary.verdict);
    let broken = lines.iter().filter_map(|line| match line {
        Line::Broken(broken) => Some(broken.clone()),
        _ => None,
    });
    let broken = broken.collect();
    let coverage = lines
        .iter()
        .filter(|line| matches!(line, Line::Coverage(_)));
    (broken, coverage.count(), *summary)
}

#[test]
fn what_holds_has_a_certificate() {
    let (broken, rules, summary) = run(&order(&[Attach::Accept]));
    assert_eq!((broken, rules), (Vec::new(), Rule::all().count()));
    assert_eq!(summary.verdict, Verdict::Holds);
    assert_eq!(summary.programs, summary.programs_in_size);
    assert_eq!(summary.states, 10 * summary.programs);
    let certificate = summary.certificate.unwrap();
    assert!(certificate.contains("exhausted by direct"), "{certificate}");
}

#[test]
fn what_breaks_is_made_small_and_saved_as_a_case() {
    let folder = tempfile::tempdir().unwrap();
    let order = Order {
        cases: Some(folder.path().to_owned()),
        ..order(&[Attach::Accept, Attach::Decline])
    };
    let (broken, _, summary) = run(&order);
    assert_eq!(
        (summary.verdict, summary.certificate),
        (Verdict::Violated, None)
    );
    assert!(summary.violated > 1, "{}", summary.violated);
    let [broken] = &broken[..] else {
        panic!("one rule broke: {broken:?}");
    };
    assert_eq!(broken.message, "c declines");
    let path = broken.case.as_deref().unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let case = Case::from_toml(Path::new("case.toml"), &text).unwrap();
    assert_eq!(case.rule, Some(Rule::new(2)));
    let threads = case.scenario.threads.iter();
    assert_eq!(
        threads.map(|thread| thread.ops.len()).collect::<Vec<_>>(),
        [2]
    );
}

/// For whoever wants to know whether something is found, and not how small it can be.
#[test]
fn it_ends_with_the_first_that_breaks_if_that_is_enough() {
    let folder = tempfile::tempdir().unwrap();
    let all = order(&[Attach::Accept, Attach::Decline]);
    let first = Order {
        first: true,
        cases: Some(folder.path().to_owned()),
        ..all.clone()
    };
    let (broken, _, summary) = run(&first);
    assert_eq!(summary.verdict, Verdict::Violated);
    assert_eq!((broken.len(), &broken[0].case), (1, &None));
    assert_eq!(broken[0].message, "c declines");
    let (all_broken, _, all) = run(&all);
    assert_eq!(broken[0].program, all_broken[0].program);
    assert!(summary.programs <= all.programs, "{summary:?}");
}

#[test]
fn what_is_cut_short_is_no_proof() {
    let order = Order {
        time: Some(Duration::ZERO),
        ..order(&[Attach::Accept])
    };
    let (_, _, summary) = run(&order);
    assert_eq!(
        (summary.verdict, summary.programs),
        (Verdict::Incomplete, 0)
    );
    let how = summary.how.unwrap();
    assert!(how.starts_with("the time was over: "), "{how}");
    assert_eq!(summary.certificate, None);
}

#[test]
fn what_is_done_is_not_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let order = Order {
        checkpoint: Some(folder.path().join("tiny.checkpoint")),
        ..order(&[Attach::Accept])
    };
    let prover = Declining(AtomicU64::new(0));
    let run = || {
        let mut last = None;
        let verdict = order.run(&prover, &AtomicBool::new(false), |line| last = Some(line));
        assert_eq!(verdict.unwrap(), Verdict::Holds);
        last
    };
    let first = run();
    let asked = prover.0.load(Ordering::Relaxed);
    let (Some(Line::ProveSummary(first)), Some(Line::ProveSummary(second))) = (first, run()) else {
        panic!("the summary comes last");
    };
    assert_eq!(prover.0.load(Ordering::Relaxed), asked);
    assert_eq!(
        (first.programs, first.states),
        (second.programs, second.states)
    );
    let elsewhere = Order {
        checkpoint: Some(folder.path().join("no/such/file")),
        ..order.clone()
    };
    let error = elsewhere
        .run(&prover, &AtomicBool::new(false), |_| {})
        .unwrap_err();
    assert!(error.to_string().contains("cannot be written"), "{error}");
    assert_eq!(
        prover.0.load(Ordering::Relaxed),
        asked,
        "nothing is done in vain"
    );
}
