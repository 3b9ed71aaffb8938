//! JUnit XML: what was tried is a test suite, and each engine a test of it. Pure.
//!
//! A violation is a failure, with its rule as the type. What is not known (a search that was cut short, an error of the
//! harness) is an error: JUnit has no word for it, and whoever counts it as passed believes too much.

use std::time::Duration;

use nmr_models::report::Verdict;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::Tested;

pub(super) fn report(command: &str, tested: &[Tested]) -> String {
    let mut report = Report::new(format!("nmr {command}"));
    let seconds = |tested: &mut dyn Iterator<Item = &Tested>| {
        Duration::from_secs_f64(tested.map(|one| one.seconds.max(0.0)).sum())
    };
    report.set_time(seconds(&mut tested.iter()));
    for of_one in tested.chunk_by(|one, next| one.suite == next.suite) {
        let mut suite = TestSuite::new(&of_one[0].suite);
        suite.set_time(seconds(&mut of_one.iter()));
        suite.add_test_cases(of_one.iter().map(test_case));
        report.add_test_suite(suite);
    }
    report.to_string().expect("it is made of text")
}

fn test_case(tested: &Tested) -> TestCase {
    let first = tested.message.lines().next().unwrap_or_default();
    let status = match tested.verdict {
        Verdict::Holds => TestCaseStatus::success(),
        Verdict::Violated => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let rule = tested.rule.map(|rule| rule.to_string());
            status
                .set_type(rule.unwrap_or_else(|| "crash".to_owned()))
                .set_message(first)
                .set_description(&tested.message);
            status
        }
        Verdict::Incomplete | Verdict::HarnessError => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            let kind = match tested.verdict {
                Verdict::Incomplete => "incomplete",
                _ => "harness-error",
            };
            status
                .set_type(kind)
                .set_message(first)
                .set_description(&tested.message);
            status
        }
    };
    let mut case = TestCase::new(&tested.name, status);
    case.set_classname(&tested.suite)
        .set_time(Duration::from_secs_f64(tested.seconds.max(0.0)));
    if let Some(saved) = &tested.case {
        case.add_property(("case", saved.to_string_lossy().as_ref()));
    }
    case
}

#[cfg(test)]
mod tests {
    use nmr_models::report::Verdict;

    use super::super::samples::tested;
    use super::report;

    #[test]
    fn a_scenario_is_a_suite_and_an_engine_a_test_of_it() {
        let mut all = vec![tested(Verdict::Holds, "")];
        all.push(super::Tested {
            name: "loom".to_owned(),
            ..tested(Verdict::Incomplete, "2s were over")
        });
        all.push(super::Tested {
            suite: "a < b".to_owned(),
            ..tested(
                Verdict::Violated,
                "a context was dropped twice & more\nsecond line",
            )
        });
        insta::assert_snapshot!(report("check", &all));
    }
}
