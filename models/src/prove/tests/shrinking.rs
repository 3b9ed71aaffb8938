//! Programs that break something, made small, with provers that flag a trait of scenarios.

use super::TINY;
use crate::op::Op;
use crate::prove::shrink::smallest;
use crate::prove::{Outcome, Program, Proved, Prover, Size, Space, Violation};
use crate::rule::Rule;
use crate::scenario::{Attach, Detach, Scenario};

const RULE: Rule = Rule::new(7);

/// Flags the scenarios of which this is true, under the rule that it answers.
struct Flagging<F>(F);

impl<F: Fn(&Scenario) -> Option<Rule> + Sync> Prover for Flagging<F> {
    fn exhaust(&self, scenario: &Scenario) -> Proved {
        let violation = (self.0)(scenario).map(|rule| Violation {
            rule: Some(rule),
            message: "flagged".to_owned(),
            executions: Some(1),
            schedule: Vec::new(),
            sections: None,
        });
        Proved {
            states: 1,
            transitions: 0,
            exercised: [0; Rule::COUNT],
            outcome: violation.map_or(Outcome::Holds, Outcome::Violated),
        }
    }
}

/// What programs with that trait become, of every seventh one.
fn all_shrunk(size: Size, has: impl Fn(&Scenario) -> Option<Rule> + Sync) -> Vec<Program> {
    let space = Space::new(size);
    let prover = Flagging(has);
    let mut all: Vec<Program> = Vec::new();
    for number in (0..space.len()).step_by(7) {
        let found = smallest(&space, number, Some(RULE), &prover);
        if let Some(found) = found
            && !all.contains(&found.program)
        {
            all.push(found.program);
        }
    }
    all
}

fn ops(program: &Program) -> Vec<Vec<String>> {
    let scenario = program.scenario("s", "");
    let threads = scenario.threads.iter();
    threads
        .map(|thread| thread.ops.iter().map(ToString::to_string).collect())
        .collect()
}

#[test]
fn a_module_that_does_something_is_left_with_what_it_takes_to_call_it() {
    let size = Size {
        attach: Size::MEDIUM.attach,
        detach: Size::MEDIUM.detach,
        ..TINY
    };
    let changes_its_mind = |scenario: &Scenario| {
        let mut modules = scenario.modules.iter();
        modules
            .any(|module| module.attach == Attach::ChangeOfMind)
            .then_some(RULE)
    };
    let all = all_shrunk(size, changes_its_mind);
    // One thread is less than two. In which order it registers makes no difference to the trait, and which it is
    // depends on where one comes from.
    let mut left: Vec<_> = all.iter().map(ops).collect();
    left.sort();
    let [one, other] = [["register c", "register p"], ["register p", "register c"]];
    assert_eq!(
        left,
        [one, other].map(|ops| [ops.map(str::to_owned).to_vec()])
    );
    for program in &all {
        assert_eq!(program.cast.len(), 2);
        assert_eq!(program.threads.iter().flatten().count(), 2, "{program:?}");
        assert_eq!(program.behaviour.manners[1], Default::default());
        assert_eq!(program.behaviour.manners[0].detach, Detach::Complete);
    }
}

#[test]
fn operations_that_are_needed_are_left_and_nothing_else() {
    let deregisters_twice = |scenario: &Scenario| {
        let all = scenario.threads.iter().flat_map(|thread| &thread.ops);
        let twice = all.filter(|op| matches!(op, Op::Deregister(_))).count() > 1;
        twice.then_some(RULE)
    };
    let size = Size {
        operations: 3,
        attach: Size::MEDIUM.attach,
        operations_in_all: 4,
        ..TINY
    };
    for program in all_shrunk(size, deregisters_twice) {
        assert_eq!(program.threads.iter().flatten().count(), 3, "{program:?}");
        assert_eq!(program.cast.len(), 1, "{program:?}");
    }
}

#[test]
fn what_breaks_another_rule_is_another_program() {
    let size = Size {
        attach: &[Attach::Accept, Attach::Decline],
        ..TINY
    };
    // Without the module that declines it is the other rule.
    let rule = |scenario: &Scenario| {
        let mut modules = scenario.modules.iter();
        let declines = modules.any(|module| module.attach == Attach::Decline);
        Some(if declines { RULE } else { Rule::new(8) })
    };
    for program in all_shrunk(size, rule) {
        let manners = &program.behaviour.manners;
        assert!(
            manners
                .iter()
                .any(|manner| manner.attach == Attach::Decline)
        );
    }
    let prover = Flagging(rule);
    let space = Space::new(size);
    let plain = (0..space.len())
        .find(|&number| space.program(number).behaviour.manners == [Default::default()]);
    assert_eq!(smallest(&space, plain.unwrap(), Some(RULE), &prover), None);
}

#[test]
fn two_interfaces_become_one_where_one_is_enough() {
    let size = Size {
        modules_a_side: 2,
        modules: 3,
        interfaces: 2,
        operations: 3,
        ..TINY
    };
    let two_clients = |scenario: &Scenario| {
        let clients = scenario
            .modules
            .iter()
            .filter(|module| module.side == nmr::Side::Client);
        (clients.count() > 1).then_some(RULE)
    };
    for program in all_shrunk(size, two_clients) {
        assert_eq!(program.cast.len(), 2);
        assert!(
            program.cast.iter().all(|member| member.npi == 1),
            "{program:?}"
        );
        assert_eq!(program.threads.len(), 1);
    }
}
