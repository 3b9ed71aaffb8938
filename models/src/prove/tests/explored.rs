//! Programs under the engine that there is: what is left out cannot matter, and what is around a program lets it end.

use std::sync::Arc;
use std::time::Duration;

use super::TINY;
use crate::engine::{Exploration, Request, explore};
use crate::engine_name::Engine;
use crate::prove::callable::Callable;
use crate::prove::facts::Facts;
use crate::prove::{Called, Program, Size, Space};
use crate::report::Verdict;
use crate::scenario::{Attach, Cleanup, Detach};

fn explored(program: &Program) -> Exploration {
    let request = Request {
        scenario: Arc::new(program.scenario("program", "")),
        conditions: Default::default(),
        engine: Engine::Explorer,
        seed: 0,
        budget: Duration::from_secs(60),
        executions: Arc::default(),
        explorer: Default::default(),
        control: Default::default(),
    };
    explore(&request, drop)
}

/// The program with a panic in each callback that is never called, and how many these are.
fn with_panics(program: &Program) -> (Program, usize) {
    let mut panicking = program.clone();
    let facts = Facts::new(&program.cast, &program.threads);
    let callable = Callable::new(&program.cast, &facts, &program.behaviour.manners);
    let mut changed = 0;
    for (module, manner) in panicking.behaviour.manners.iter_mut().enumerate() {
        if !callable.may(module, Called::Attach) {
            manner.attach = Attach::Panic;
            changed += 1;
        }
        if !callable.may(module, Called::Detach) {
            manner.detach = Detach::Panic;
            changed += 1;
        }
        if !callable.may(module, Called::Cleanup) {
            manner.cleanup = Cleanup::Panic;
            changed += 1;
        }
    }
    (panicking, changed)
}

#[test]
fn what_callbacks_do_that_are_never_called_cannot_matter() {
    let size = Size {
        operations: 3,
        attach: &[
            Attach::Accept,
            Attach::Decline,
            Attach::Hollow,
            Attach::ChangeOfMind,
        ],
        ..TINY
    };
    let space = Space::new(size);
    let mut changed = 0;
    for number in (0..space.len()).step_by(7) {
        let program = space.program(number);
        let (panicking, more) = with_panics(&program);
        changed += more;
        let (plain, panicking) = (explored(&program), explored(&panicking));
        assert_eq!(plain.verdict(), Verdict::Holds, "{program:?}");
        assert_eq!(panicking.verdict(), Verdict::Holds, "{program:?}");
        let what = |it: &Exploration| (it.states, it.outcomes.clone(), it.exercised);
        assert_eq!(what(&plain), what(&panicking), "{program:?}");
    }
    assert!(changed > 50, "{changed}");
}

#[test]
fn every_program_comes_to_an_end() {
    for (size, step) in [(Size::SMALL, 1_999), (Size::LARGE, 39_989)] {
        let space = Space::new(size);
        for number in (0..space.len()).step_by(step) {
            let program = space.program(number);
            let explored = explored(&program);
            let finding = explored.finding.as_ref().map(|finding| &finding.message);
            assert_eq!(
                explored.verdict(),
                Verdict::Holds,
                "{finding:?} {program:?}"
            );
        }
    }
}
